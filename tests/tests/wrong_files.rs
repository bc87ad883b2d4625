//! Wrong files and the words that they are refused with.
//!
//! Each `wrong/NAME.toml` opens with a comment that says what is wrong; comments such as
//! `# --set service.workers=x` are applied as on the command line. `UPDATE_GOLDEN=1`
//! writes the goldens `wrong/NAME.txt` anew.

use std::fs;
use std::path::{Path, PathBuf};

use model::read::{Diagnostics, load};

fn wrong_files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir("wrong")
        .expect("the directory of wrong files")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .collect();
    files.sort();
    files
}

fn sets(path: &Path) -> Vec<String> {
    let text = String::from_utf8_lossy(&fs::read(path).expect("a readable file")).into_owned();
    text.lines().filter_map(|line| line.strip_prefix("# --set ")).map(str::to_string).collect()
}

fn refusal(path: &Path) -> Diagnostics {
    match load(path, &sets(path)) {
        Ok(_) => panic!("{} is accepted", path.display()),
        Err(diagnostics) => diagnostics,
    }
}

#[test]
fn each_wrong_file_is_refused_in_its_own_words() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let files = wrong_files();
    assert!(files.len() >= 45, "only {} wrong files", files.len());
    let mut different = Vec::new();
    for path in files {
        let found = format!("{}\n", refusal(&path));
        let golden = path.with_extension("txt");
        if update {
            fs::write(&golden, &found).expect("a golden can be written");
        } else if fs::read_to_string(&golden).ok().as_deref() != Some(&found) {
            different.push(format!("--- {}\n{found}", golden.display()));
        }
    }
    assert!(different.is_empty(), "not as in the goldens:\n{}", different.join("\n"));
}

#[test]
fn every_problem_has_a_place_and_a_way_out() {
    for path in wrong_files() {
        for diagnostic in refusal(&path).diagnostics {
            let is_set = diagnostic.file.starts_with("--set ");
            let has_place = diagnostic.line.is_some() && diagnostic.column.is_some();
            // A file that cannot be read has no lines.
            let unreadable = diagnostic.found.starts_with("cannot be read");
            assert!(is_set || has_place || unreadable, "{diagnostic}");
            assert!(diagnostic.allowed.is_some() || diagnostic.advice.is_some(), "{diagnostic}");
        }
    }
}

#[test]
fn goldens_without_a_wrong_file_are_gone() {
    for entry in fs::read_dir("wrong").expect("the directory of wrong files") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|ending| ending == "txt") {
            assert!(path.with_extension("toml").exists(), "{}", path.display());
        }
    }
}

#[test]
fn files_that_are_none_are_refused() {
    for (path, text) in [
        (
            "no/such/file.toml",
            "error: no/such/file.toml: cannot be read: there is no such file\n  \
             allowed: a scenario's path as it stands, or its name in `scenarios/`\n  \
             do: look where you are: `scenarios/` is searched in this folder only",
        ),
        (
            "wrong",
            "error: wrong: cannot be read: it is a directory\n  \
             allowed: a TOML file of at most 1MiB",
        ),
        (
            "wrong/unknown-kye.toml",
            "error: wrong/unknown-kye.toml: cannot be read: there is no such file\n  \
             allowed: a scenario's path as it stands, or its name in `scenarios/`\n  \
             did you mean `wrong/unknown-key.toml`?",
        ),
    ] {
        assert_eq!(refusal_text(path), text);
    }
}

fn refusal_text(path: &str) -> String {
    load(Path::new(path), &[]).map(|_| ()).expect_err("a refusal").to_string()
}
