//! `sim ui --export`: the page of what-ifs as a folder, and the question of such a page.
#![cfg(feature = "ui")]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use sim::sweep::part::SOURCES;

const BASE: &str = r#"
    question = "</script><b>why?</b>"
    costs.cpu.request = "1ms"
    load = { users = 5, warmup = "1s", duration = "2s" }
    service.concurrency = "async"
    endpoint = [{ name = "list", weight = 1, steps = [{ cpu = "1ms" }] }]
"#;
const SHOP: &str = "extends = \"base.toml\"\nservice.workers = 2\n";

/// A folder with a scenario, its parent, and what passes for an engine of this build.
fn shop() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &[u8]| fs::write(folder.path().join(name), text).expect(name);
    write("base.toml", BASE.as_bytes());
    write("shop.toml", SHOP.as_bytes());
    write("sim.wasm", format!("\0asm {SOURCES} ").as_bytes());
    folder
}

fn sim(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
    command.current_dir(folder).args(words).output().expect("sim ends")
}

fn export(folder: &Path, words: &[&str]) -> Output {
    let site = ["ui", "shop.toml", "--export", "site", "--engine", "sim.wasm"];
    sim(folder, &[&site[..], words].concat())
}

/// What the page is told when it opens.
fn start(folder: &Path) -> Value {
    let text = fs::read_to_string(folder.join("site/start.js")).expect("start.js");
    let json = text.strip_prefix("self.rungStart = ").and_then(|text| text.strip_suffix(";\n"));
    serde_json::from_str(json.expect("one statement")).expect("JSON")
}

/// What `sim ask` prints.
fn asked(input: &Value) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
    let command = command.arg("ask").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut program = command.stderr(Stdio::piped()).spawn().expect("sim starts");
    let mut stdin = program.stdin.take().expect("a pipe");
    stdin.write_all(input.to_string().as_bytes()).expect("written");
    drop(stdin);
    program.wait_with_output().expect("sim ends")
}

#[test]
fn the_folder_has_all_that_the_page_needs() {
    let folder = shop();
    let site = folder.path().join("site");
    let set = ["--set", "load.users=7", "--keep", "p99 < 1s"];
    let told = export(folder.path(), &set);
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    assert_eq!(String::from_utf8_lossy(&told.stdout), "site/index.html\n");
    let mut names: Vec<String> = (fs::read_dir(&site).expect("a folder").flatten())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["app.js", "index.html", "sim.wasm", "start.js", "style.css", "worker.js"]);
    let told = start(folder.path());
    assert_eq!((&told["set"][0], &told["keep"][0]), (&json!("load.users=7"), &json!("p99 < 1s")));
    assert_eq!(told["saves"], false);
    let scenario = &told["without_server"]["scenario"];
    assert_eq!(scenario["name"], "shop.toml");
    assert_eq!(scenario["texts"].as_array().map(Vec::len), Some(2));
    // Written again, it is replaced.
    assert!(export(folder.path(), &[]).status.success());
    assert_eq!(start(folder.path())["set"], json!([]));
}

#[test]
fn the_page_s_question_has_the_answer_of_the_command() {
    let folder = shop();
    assert!(export(folder.path(), &[]).status.success());
    let told = &start(folder.path())["without_server"];
    let question = json!({ "ask": "sharp", "set": ["load.users=7"] });
    let mut input = told.clone();
    input["question"] = question;
    let answer: Value = serde_json::from_slice(&asked(&input).stdout).expect("JSON");
    let words = ["scenario", "shop.toml", "--set", "load.users=7", "--format", "json"];
    let command = sim(folder.path(), &words).stdout;
    assert_eq!(answer["document"], String::from_utf8(command).expect("UTF-8"));
    // An engine of another build could give other bytes.
    input["sources"] = json!("0");
    let refused = asked(&input);
    assert_eq!(refused.status.code(), Some(2));
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(told.contains("of another build"), "{told}");
    assert_eq!(asked(&json!({})).status.code(), Some(2));
}

#[test]
fn what_cannot_be_exported_leaves_nothing_behind() {
    let folder = shop();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect(name);
    write("text.wasm", "text");
    write("other.wasm", "\0asm of another build");
    fs::create_dir(folder.path().join("mine")).expect("a folder");
    write("mine/index.html", "by hand");
    let site = ["ui", "shop.toml", "--export", "site"];
    let with = |more: &[&'static str]| [&site[..], more].concat();
    for (words, told) in [
        (with(&["--engine", "none.wasm"]), "cargo build --release -p sim --no-default-features"),
        (with(&["--engine", "text.wasm"]), "is no WebAssembly"),
        (with(&["--engine", "other.wasm"]), "is of another build"),
        (with(&["--engine", "sim.wasm", "--set", "load.user=3"]), "did you mean `users`?"),
        (with(&["--port", "8080"]), "--port"),
        (vec!["ui", "none.toml", "--export", "site", "--engine", "sim.wasm"], "no such file"),
        (vec!["ui", "shop.toml", "--export", "mine", "--engine", "sim.wasm"], "earlier run"),
        (vec!["ui", "shop.toml", "--engine", "sim.wasm"], "--export"),
    ] {
        let out = sim(folder.path(), &words);
        let err = String::from_utf8_lossy(&out.stderr);
        assert_eq!((out.status.code(), out.stdout.len()), (Some(2), 0), "{words:?}: {err}");
        assert!(err.contains(told), "{words:?}: {err}");
        assert!(!folder.path().join("site").exists(), "{words:?}");
    }
    let page = fs::read_to_string(folder.path().join("mine/index.html")).expect("text");
    assert_eq!(page, "by hand");
}
