//! The command as the shell sees it: exit codes, streams, a closed pipe.

use std::io::Read;
use std::process::{Command, Stdio};

fn sim(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).args(args);
    command
}

#[test]
fn exit_codes_and_streams() {
    for (args, code) in [
        (vec!["check", "theory/mm1"], 0),
        (vec!["--version"], 0),
        (vec!["check", "v66"], 2),
        (vec!["no-such-command"], 2),
    ] {
        let output = sim(&args).output().expect("sim starts");
        assert_eq!(output.status.code(), Some(code), "sim {args:?}");
        // Data or talk, never both.
        assert_eq!(output.stdout.is_empty(), code != 0, "sim {args:?}");
        assert_eq!(output.stderr.is_empty(), code == 0, "sim {args:?}");
    }
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let mut child = sim(&["trace", "v6", "--limit", "1000000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("sim starts");
    let mut first = [0; 16];
    child.stdout.take().expect("a pipe").read_exact(&mut first).expect("some bytes");
    let output = child.wait_with_output().expect("sim ends");
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

#[test]
fn no_colour_in_a_pipe() {
    let output = sim(&["--help"]).output().expect("sim starts");
    assert!(!output.stdout.contains(&0x1b));
}

/// In a folder of its own: the answer, and what it complains of.
fn sim_in(folder: &std::path::Path, args: &[&str]) -> (Option<i32>, String, String) {
    let output = sim(args).current_dir(folder).output().expect("sim starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn built_in_scenarios_are_found_in_any_folder() {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let run = |args: &[&str]| sim_in(folder.path(), args);
    let (code, list, _) = run(&["scenarios"]);
    assert_eq!(code, Some(0));
    assert!(list.contains("v6.toml") && list.contains("What if the upstream slows down"), "{list}");

    // A built-in file is a file to start from: what it names is found as well.
    let (_, text, _) = run(&["scenarios", "--show", "v6"]);
    std::fs::write(folder.path().join("mine.toml"), &text).expect("the folder is ours");
    let (code, built_in, _) = run(&["check", "v6.toml"]);
    assert_eq!((code, run(&["check", "mine.toml"]).1), (Some(0), built_in.clone()));

    // So it is with every one of them.
    let (_, list, _) = run(&["scenarios", "--all", "--format", "json"]);
    let all: Vec<serde_json::Value> = serde_json::from_str(&list).expect("JSON");
    assert!(all.len() > 50, "{list}");
    for one in all {
        let file = one["file"].as_str().expect("a name");
        let (_, text, _) = run(&["scenarios", "--show", file]);
        std::fs::write(folder.path().join("copy.toml"), &text).expect("the folder is ours");
        let (code, _, err) = run(&["check", "copy.toml"]);
        assert_eq!(code, Some(0), "{file}: {err}");
    }

    // A file of this folder comes before the built-in one of its name.
    let child = "extends = \"v5.toml\"\nservice.workers = 7\n";
    std::fs::write(folder.path().join("v6.toml"), child).expect("the folder is ours");
    let (code, own, _) = run(&["check", "v6.toml"]);
    assert!(code == Some(0) && own.contains("workers = 7"), "{own}");
}

#[test]
fn a_name_that_is_not_built_in_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    for (args, told) in [
        (vec!["check", "v66"], "did you mean `v6.toml`?"),
        (vec!["scenarios", "--show", "v66"], "`sim scenarios --all` lists them"),
    ] {
        let (code, out, err) = sim_in(folder.path(), &args);
        assert!(code == Some(2) && out.is_empty() && err.contains(told), "{args:?}: {err}");
    }
}

#[test]
fn each_command_has_a_manual_page() {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let (code, out, err) = sim_in(folder.path(), &["man", "--out", "."]);
    assert_eq!((code, &*out, &*err), (Some(0), "", ""));
    let mut names: Vec<String> = std::fs::read_dir(folder.path())
        .expect("a folder")
        .map(|entry| entry.expect("a file").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    for name in ["sim.1", "sim-merge.1", "sim-scenario.1", "sim-sweep.1"] {
        assert!(names.iter().any(|one| one == name), "{names:?}");
    }
    // Hidden commands are for programs.
    assert!(!names.iter().any(|name| name == "sim-man.1"), "{names:?}");
    let page = std::fs::read_to_string(folder.path().join("sim-sweep.1")).expect("text");
    assert!(page.contains(".TH SIM-SWEEP 1") && page.contains("\\-\\-shard"), "{page}");
    assert!(page.contains("load.users=50,100,200,400"), "{page}");
    // Without a folder the program's own page is printed.
    let (code, out, _) = sim_in(folder.path(), &["man"]);
    assert!(code == Some(0) && out.contains(".SH NAME"), "{out}");
    assert_eq!(sim_in(folder.path(), &["man", "--out", "nowhere"]).0, Some(2));
}
