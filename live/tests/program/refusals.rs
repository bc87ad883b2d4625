//! What is refused, before anything is started.

use std::net::TcpListener;
use std::path::Path;

use crate::shop::Shop;
use crate::support::{Kept, Lab};

#[test]
fn a_port_that_is_taken_is_named() {
    let shop = Shop::new();
    let held = TcpListener::bind(shop.address()).expect("a free port");
    for command in ["run shop.toml", "serve shop.toml", "upstream shop.toml"] {
        let ended = shop.lab.end(&format!("{command} --port {}", shop.port)).with_code(2);
        assert!(ended.err.contains(&format!("port {} is taken", shop.port)), "{ended:?}");
        assert_eq!(ended.out, "");
    }
    drop(held);
    shop.is_gone(0);
}

#[test]
fn a_port_is_for_one_scenario() {
    let shop = Shop::new();
    shop.lab.write("more.toml", "extends = \"shop.toml\"\n");
    let words = format!("run shop.toml more.toml --port {}", shop.port);
    let ended = shop.lab.end(&words).with_code(2);
    let told = format!("error: --port {}: 2 scenarios are to be measured", shop.port);
    assert!(ended.err.starts_with(&told) && ended.err.contains("more.toml"), "{ended:?}");
    assert!(!shop.lab.path("runs").exists(), "nothing was begun");
}

#[test]
fn every_wrong_file_of_several_is_told_before_any_is_measured() {
    let shop = Shop::new();
    for (name, key) in [("one.toml", "users"), ("two.toml", "wokers")] {
        shop.lab.write(name, &format!("extends = \"shop.toml\"\nservice.{key} = 2\n"));
    }
    let ended = shop.lab.end("run shop.toml one.toml two.toml absent.toml").with_code(2);
    for file in ["one.toml:2:", "two.toml:2:", "absent.toml"] {
        assert_eq!(ended.err.matches(&format!("error: {file}")).count(), 1, "{ended:?}");
    }
    assert!(!shop.lab.path("runs").exists(), "nothing was begun");
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let shop = Shop::new();
    for folder in ["/proc/nope", "shop.toml/runs"] {
        let ended = shop.lab.end(&format!("run shop.toml --out {folder}")).with_code(2);
        let (told, advice) = (ended.err.contains(folder), ended.err.contains("--out"));
        assert!(told && advice, "{ended:?}");
    }
    shop.is_gone(0);
}

#[test]
fn a_key_that_cannot_be_measured_is_named_with_its_line() {
    for (key, lines) in [
        ("cpu.quota", "[cpu]\nquota.budget = \"50ms\"\n"),
        ("service.spread", "[service]\nconcurrency = \"async\"\nspread = \"round-robin\"\n"),
        ("cpu.cores", "[cpu]\ncores = 64\n"),
    ] {
        let shop = Shop::new();
        let base = "load = { users = 1, duration = \"60s\" }\n\
            service.concurrency = \"async\"\n\
            endpoint = [{ name = \"list\", weight = 1, steps = [{ sleep = \"1ms\" }] }]\n\
            costs.cpu.request = \"1ms\"\n";
        let base = match key {
            "service.spread" => base.replace("service.concurrency = \"async\"\n", ""),
            _ => base.to_string(),
        };
        let text = format!("{base}{lines}");
        shop.lab.write("wrong.toml", &text);
        let last = lines.lines().last().expect("a line");
        let line = text.lines().position(|line| line == last).expect("its place") + 1;
        for command in ["run", "serve", "ladder"] {
            let ended = shop.lab.end(&format!("{command} wrong.toml")).with_code(2);
            let place = format!("error: wrong.toml:{line}:");
            assert!(ended.err.starts_with(&place) && ended.err.contains(key), "{ended:?}");
        }
        assert!(!shop.lab.path("runs").exists(), "{key}: nothing was begun");
    }
}

#[test]
fn a_wrong_file_is_refused_in_the_words_of_the_model() {
    let shop = Shop::new();
    shop.lab.write("wrong.toml", "[load]\nuser = 10\nduration = \"fast\"\n[service]\n");
    let path = shop.lab.path("wrong.toml");
    let refused = model::read::load(&path, &[]).expect_err("it is wrong");
    assert!(refused.diagnostics.len() > 2, "{refused}");
    for command in ["run", "serve", "upstream", "ladder", "load --to 127.0.0.1:1"] {
        let ended = shop.lab.end(&format!("{command} {}", path.display())).with_code(2);
        assert_eq!(ended.err, format!("{refused}\n"), "{command}");
    }
    let ended = shop.lab.end(&format!("run {} --format json", path.display())).with_code(2);
    let told: Vec<serde_json::Value> = serde_json::from_str(&ended.err).expect("JSON");
    assert_eq!(told.len(), refused.diagnostics.len());
    assert!(!shop.lab.path("runs").exists(), "nothing was begun");
}

#[test]
fn children_are_not_for_a_person_to_start() {
    let shop = Shop::new();
    for child in [
        "worker-process",
        "upstream-process",
        "service-process",
        "database-process",
        "witness-process",
    ] {
        let ended = shop.lab.end(child).with_code(2);
        assert!(ended.err.contains("not for a person"), "{ended:?}");
    }
}

#[test]
fn a_rung_that_fails_leaves_the_others_as_they_are() {
    let lab = Lab::new(
        r#"
        load = { rate = "20/s", duration = "1s" }
        service.concurrency = "async"
        upstream.partner.latency = "50ms"
        endpoint = [{ name = "quote", weight = 1, steps = [{ call = "partner" }] }]
        "#,
    );
    // Thousands wait before long, and each needs a file of the load generator.
    lab.write("more.toml", "extends = \"shop.toml\"\nload.rate = \"6000/s\"\n");
    let program = env!("CARGO_BIN_EXE_live");
    let words = "ladder more.toml --repeat 2 --format json";
    let mut shell = lab.command_of(Path::new("sh"), "-c");
    shell.arg(format!("ulimit -n 128 && exec {program} {words}"));
    let ended = lab.start_command(shell).ended().with_code(2);
    let failures = ended.err.split_once('[').map_or("", |(_, text)| text);
    assert!(failures.contains("could not open another connection"), "{ended:?}");
    let rungs = ended.json::<serde_json::Value>()["rungs"].as_array().map(Vec::len);
    assert_eq!(rungs, Some(1), "{ended:?}");
    let left = lab.files("runs");
    assert_eq!(left.len(), 1, "{left:?}");
    let kept = Kept::read(&left[0]);
    assert_eq!((&*kept.report.scenario, kept.report.run.replications), ("shop", 1));
    assert!(kept.report.run.samples > 0);
}
