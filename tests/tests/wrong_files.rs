//! Wrong scenarios and the errors that they are refused with. `UPDATE_GOLDEN=1` writes the
//! errors into `wrong/*.txt` anew.

use std::fs;
use std::path::Path;

use model::read::load;
use tests::wrong::{Written, file_of, wrong_files};

#[test]
fn each_wrong_scenario_is_refused_in_its_own_words() {
    let written = Written::new();
    let files = wrong_files();
    assert!(files.iter().map(|(_, cases)| cases.len()).sum::<usize>() >= 70);
    for (file, mut cases) in files {
        for case in &mut cases {
            case.error = written.refusal(&case.name).1;
        }
        testkit::golden(file, &file_of(&cases));
    }
}

#[test]
fn every_problem_has_a_place_and_a_way_out() {
    let written = Written::new();
    for case in wrong_files().iter().flat_map(|(_, cases)| cases) {
        for diagnostic in written.refusal(&case.name).0.diagnostics {
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
fn files_that_are_none_are_refused() {
    let written = Written::new();
    fs::write(written.path("not-utf8.toml"), b"# A caf\xe9.\nseed = 1\n").expect("ours");
    let error = "error: wrong/not-utf8.toml: cannot be read: it is not UTF-8 text\n  \
                 allowed: a TOML file of at most 1MiB\n";
    assert_eq!(written.refusal("not-utf8").1, error);
    let error = "error: wrong/unknown-kye.toml: cannot be read: there is no such file\n  \
                 allowed: a scenario's path as it stands, its name in `scenarios/`, or a \
                 built-in scenario\n  \
                 did you mean `wrong/unknown-key.toml`?\n";
    assert_eq!(written.refusal("unknown-kye").1, error);
    for (path, error) in [
        (
            "no/such/file.toml",
            "error: no/such/file.toml: cannot be read: there is no such file\n  \
             allowed: a scenario's path as it stands, its name in `scenarios/`, or a \
                 built-in scenario\n  \
             do: give the path of a file as seen from this folder, or one of those that \
             `sim scenarios` lists",
        ),
        (
            "wrong",
            "error: wrong: cannot be read: it is a directory\n  \
             allowed: a TOML file of at most 1MiB",
        ),
    ] {
        let refused = load(Path::new(path), &[]).map(|_| ()).expect_err("a refusal");
        assert_eq!(refused.to_string(), error);
    }
}
