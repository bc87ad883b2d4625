//! What is refused before anything is measured: every problem at once, and nothing is left.

use testkit::Ended;

use super::lab::Lab;

/// The refusal of `validate` with `words`.
fn refused(words: &str) -> Ended {
    let lab = Lab::new();
    lab.write("locked.toml", "extends = \"shop.toml\"\ncpu.quota = { cpu = 0.5 }\n");
    lab.write("broken.toml", "[cpu]\nreqest = \"1ms\"\n");
    lab.write("elsewhere.toml", "[about]\nmachine = \"another\"\n[cpu]\n");
    lab.write("file", "");
    let ended = lab.end(words).refused(&[]);
    lab.only_runs_are_left(0);
    ended
}

/// The error has all of `told`.
fn tells(words: &str, told: &[&str]) {
    let ended = refused(words);
    for told in told {
        assert!(ended.err.contains(told), "{words}: {told}: {}", ended.err);
    }
}

#[test]
fn every_file_and_key_that_is_wrong_is_named() {
    tells(
        "run absent.toml shop.toml --set service.worker=2",
        &[
            "absent.toml: cannot be read: there is no such file",
            "--set service.worker=2: unknown key `service.worker`",
            "did you mean `workers`?",
        ],
    );
    tells("ladder absent.toml", &["absent.toml: cannot be read"]);
    tells("run", &["<FILE>..."]);
    tells("run shop.toml --repeat 11", &["11 is not in 1..=10"]);
    tells("run shop.toml --duration long", &["load.duration=long"]);
}

#[test]
fn every_value_of_a_sweep_is_checked_before_anything_runs() {
    let one_message = refused("sweep shop.toml --vary service.workers=1,0,x,2 --set load.usrs=1");
    for told in ["`service.workers` is 0", "`service.workers` is \"x\"", "did you mean `users`?"] {
        assert_eq!(one_message.err.matches(told).count(), 1, "{}", one_message.err);
    }
    tells("sweep shop.toml --vary service.workers", &["a key and its values"]);
    tells("sweep shop.toml --vary load.users=1", &["at least two values"]);
    tells("sweep shop.toml --vary load.users=1,,1", &["a value is empty; `1` is there twice"]);
    tells("sweep shop.toml --vary extends=a,b", &["`extends` cannot be set"]);
    tells("sweep shop.toml", &["--vary <KEY=A,B,C>"]);
}

#[test]
fn a_profile_that_cannot_be_used_is_explained() {
    tells(
        "run shop.toml --costs absent.toml",
        &[
            "absent.toml: cannot be read: there is no such file",
            "do: measure one with `validate calibrate axum --out FILE`",
        ],
    );
    tells(
        "run shop.toml --costs broken.toml",
        &["broken.toml:2:1: unknown key `costs.cpu.reqest`", "did you mean `request`?"],
    );
}

#[test]
fn a_profile_of_elsewhere_is_used_where_it_is_named_and_that_is_told() {
    let lab = Lab::new();
    lab.write("elsewhere.toml", "[about]\nmachine = \"another\"\n[cpu]\n");
    let words = "sweep shop.toml --vary load.users=2,4 --predict-only --costs elsewhere.toml";
    let ended = lab.end(words);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let note = "note: elsewhere.toml: was measured on another machine (another; here it is ";
    assert!(ended.err.starts_with(note), "{ended:?}");
}

#[test]
fn a_curve_alone_measures_nothing() {
    let lab = Lab::new();
    let words = "sweep shop.toml --vary load.users=2,4 --predict-only";
    let ended = lab.end(words);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    // The costs are those of the scenario: no profile of the machine is missed.
    assert_eq!(ended.err, "", "{ended:?}");
    assert!(ended.out.starts_with("load.users  predicted"), "{ended:?}");
    assert!(!lab.path("costs").exists());
    lab.only_runs_are_left(0);
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    tells("run shop.toml --costs platform.toml --out file", &["cannot write to the folder file"]);
}

#[test]
fn a_program_reads_why_there_is_no_answer() {
    let ended = refused("run absent.toml --format json");
    let problems: serde_json::Value = serde_json::from_str(&ended.err).expect("JSON");
    assert_eq!(problems[0]["file"], "absent.toml");
}

#[test]
fn a_scenario_of_another_server_is_refused_before_its_stack_is_set_up() {
    let ended = refused("run shop.toml --target fastapi");
    assert!(ended.err.contains("is not a server of Python's"), "{}", ended.err);
    assert!(ended.err.contains("--set service.server=uvicorn"), "{}", ended.err);
}

#[test]
fn a_size_that_cannot_be_looked_for_or_measured_is_refused_before_anything_runs() {
    tells("size shop.toml", &["there is no objective", "--keep 'p99 < 800ms'"]);
    tells("size locked.toml --keep p99<1s", &["cpu.quota"]);
    tells("size shop.toml --keep p99<1s --calibrate", &["Run `validate calibrate` first"]);
    tells("size shop.toml --keep p98<", &["--keep"]);
}
