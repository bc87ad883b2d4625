//! No Python, a broken environment, a folder with other files.

use std::fs;

use crate::support::Lab;

const SHOP: &str = r#"
    load = { users = 1, duration = "100ms" }
    service.concurrency = "async"
    endpoint = [{ name = "nap", weight = 1, steps = [{ sleep = "1ms" }] }]
"#;
const REQUIREMENTS: &str = include_str!("../../../targets/fastapi/requirements.txt");

#[test]
fn without_python_a_run_says_what_to_do_and_leaves_nothing() {
    let lab = Lab::new(SHOP);
    let mut command = lab.command("run shop.toml --target fastapi");
    command.env("PATH", lab.path("nothing"));
    let ended = lab.start_command(command).ended().with_code(2);
    assert!(ended.err.contains("cannot start `python3`"), "{ended:?}");
    assert!(ended.err.contains("live setup fastapi --python PROGRAM"), "{ended:?}");
    assert!(!lab.path(".rung").exists() && lab.files("runs").is_empty());
}

#[test]
fn an_environment_elsewhere_is_only_made_where_that_is_asked_for() {
    let lab = Lab::new(SHOP);
    let ended = lab.end("run shop.toml --target fastapi --environment absent").with_code(2);
    assert!(ended.err.contains("`live setup fastapi --environment absent`"), "{ended:?}");
    assert!(!lab.path("absent").exists() && lab.files("runs").is_empty());
}

#[test]
fn a_python_that_is_none_is_refused() {
    let lab = Lab::new(SHOP);
    let ended = lab.end("setup fastapi --python true").with_code(2);
    assert!(ended.err.contains("allowed: Python 3.11 or later"), "{ended:?}");
    assert!(!lab.path(".rung").exists());
}

#[test]
fn a_broken_environment_says_how_to_make_it_again() {
    let lab = Lab::new(SHOP);
    let folder = lab.path(".rung/fastapi");
    fs::create_dir_all(&folder).expect("the folder is ours");
    lab.write(".rung/fastapi/rung-requirements.txt", REQUIREMENTS);
    for words in ["run shop.toml --target fastapi", "setup fastapi"] {
        let ended = lab.end(words).with_code(2);
        assert!(ended.err.contains("the environment .rung/fastapi is broken"), "{ended:?}");
        assert!(ended.err.contains("live setup fastapi --again"), "{ended:?}");
    }
    assert!(lab.files("runs").is_empty());
}

#[test]
fn a_folder_that_is_no_environment_is_not_touched() {
    if super::python::environment().is_none() {
        return;
    }
    let lab = Lab::new(SHOP);
    let ended = lab.end("setup fastapi --again --environment .").with_code(2);
    assert!(ended.err.contains("is no environment of rung's"), "{ended:?}");
    assert!(lab.path("shop.toml").exists());
}

#[test]
fn a_key_that_python_cannot_honour_is_refused() {
    let lab = Lab::new(SHOP);
    let words = "run shop.toml --target fastapi --set service.server=axum \
                 --set costs.interpreter.lock=false --set cpu.speed=2";
    let ended = lab.end(words).with_code(2);
    for key in ["service.server", "cpu.speed"] {
        assert!(ended.err.contains(key) && ended.err.contains("--target fastapi"), "{ended:?}");
    }
    assert!(!lab.path(".rung").exists(), "nothing is installed for what cannot be run");
}
