//! `sim show`: an answer that was saved is shown as if it had just been found.

use std::fs;
use std::path::Path;

use render::Exit;
use sim::cli;

/// Exit, standard output and standard error of `sim` with these words.
fn sim(words: &[&str]) -> (Exit, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = cli::run([&["sim"], words].concat(), &mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (exit, text(out), text(err))
}

fn shown(file: &Path, options: &[&str]) -> String {
    let file = file.display().to_string();
    let (exit, out, err) = sim(&[&["show", &file], options].concat());
    assert_eq!((exit, &*err), (Exit::Success, ""), "{options:?}");
    out
}

const SHOP: &str = "golden/cli/shop-async.toml";

const ANSWERS: &[&[&str]] = &[
    &["scenario", SHOP, "--replications", "2", "--over-time"],
    &["explain", SHOP, "--replications", "2", "--over-time", "--keep", "p99 < 1us"],
    &["ladder", SHOP, "--replications", "2"],
    &["size", SHOP, "--set", "cpu.speed=0.05", "--keep", "p90 < 1s", "--headroom"],
    &["size", SHOP, "--users", "2", "--keep", "p90 < 5s", "--choose", "service.workers=1..2"],
    &[
        "size",
        SHOP,
        "--set",
        "cpu.speed=0.05",
        "--keep",
        "p90 < 1s",
        "--under",
        "load.think_time=1s",
    ],
    &["sweep", SHOP, "--vary", "load.users=1..3", "--replications", "2"],
    &[
        "sweep",
        SHOP,
        "--vary",
        "load.users=1,2",
        "--vary",
        "service.workers=1,2",
        "--replications=2",
    ],
];

#[test]
fn an_answer_that_was_saved_is_shown_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let [saved, direct, again] =
        ["saved.json", "direct.html", "again.html"].map(|name| folder.path().join(name));
    let name = |path: &Path| path.display().to_string();
    for words in ANSWERS {
        let (_, json, _) = sim(&[words, &["--format", "json"][..]].concat());
        fs::write(&saved, &json).expect("the folder is ours");
        let (_, text, _) = sim(&[words, &["--html", &name(&direct)][..]].concat());
        assert_eq!(shown(&saved, &["--html", &name(&again)]), text, "{words:?}");
        let page = |path| fs::read_to_string(path).expect("a page");
        // The title of a page without one is the name of its file.
        assert_eq!(page(&again), page(&direct), "{words:?}");
        let (_, markdown, _) = sim(&[words, &["--format", "markdown"][..]].concat());
        assert_eq!(shown(&saved, &["--format", "markdown"]), markdown, "{words:?}");
        assert_eq!(shown(&saved, &["--format", "json"]), json, "{words:?}");
    }
}

#[test]
fn what_is_no_answer_is_refused() {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let file = folder.path().join("saved.json");
    let path = file.display().to_string();
    let refused = |found: &str| {
        let (exit, out, err) = sim(&["show", &path]);
        assert_eq!((exit, &*out), (Exit::Failure, ""), "{found}");
        assert!(err.starts_with(&format!("error: {path}")) && err.contains(found), "{err}");
        assert!(err.contains("do: save one: sim explain"), "{err}");
    };
    refused("cannot be read: No such file");
    for (text, found) in [
        ("", "is no answer: EOF"),
        ("{ \"schema\": 1,\n", "saved.json:2:0: is no answer: EOF"),
        ("[]", "is no answer: "),
        ("{ \"schema\": 1 }", "is no answer: missing field `kind`"),
        ("{ \"schema\": 99, \"rungs\": [] }", "has the form 99, and this program reads 1"),
        ("{ \"schema\": 1, \"rungs\": 5 }", "is no answer: "),
    ] {
        fs::write(&file, text).expect("the folder is ours");
        refused(found);
    }
}
