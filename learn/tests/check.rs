//! `learn check` runs the program `validate` that lies beside it.
#![forbid(unsafe_code)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Mutex, PoisonError};

/// A program that one test writes cannot be started while another test's child has it open.
static ONE: Mutex<()> = Mutex::new(());

/// A copy of `learn` in `folder`, with these words.
fn learn(folder: &Path, words: &[&str]) -> Output {
    let program = folder.join("learn");
    fs::copy(env!("CARGO_BIN_EXE_learn"), &program).expect("a folder of ours");
    Command::new(program).args(words).output().expect("it can be started")
}

#[test]
fn without_the_other_program_the_error_says_where_it_has_to_be() {
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().expect("a folder");
    let ended = learn(folder.path(), &["check", "mine.toml", "--against", "run.ndjson"]);
    let told = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(2));
    assert!(told.contains("validate") && told.contains("beside"), "{told}");
}

#[test]
fn words_and_exit_codes_are_passed_through() {
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().expect("a folder");
    let judge = folder.path().join("validate");
    for code in 0..4 {
        fs::write(&judge, format!("#!/bin/sh\necho \"$@\"\nexit {code}\n")).expect("ours");
        fs::set_permissions(&judge, fs::Permissions::from_mode(0o755)).expect("ours");
        let words = ["check", "mine.toml", "--against", "a.ndjson", "--", "--set", "load.rate=9/s"];
        let ended = learn(folder.path(), &words);
        assert_eq!(ended.status.code(), Some(code), "{ended:?}");
        let told = String::from_utf8_lossy(&ended.stdout);
        assert_eq!(told, "compare --k6 a.ndjson --own --set load.rate=9/s -- mine.toml\n");
    }
}
