//! k6 itself, where the machine has it: below `$GOPATH/bin` or on the path.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use model::read::{Resolved, load};
use model::stream::Draws;
use model::workload::{RequestKey, Workload};
use rustix::process::Signal;
use serde_json::Value;
use testkit::{Reply, Server};

use super::compared::{measured, measured_of, shop, text_of, warns};
use crate::program::{Ended, validate};

/// k6, if it is here; else the test says that it was skipped.
fn k6() -> Option<PathBuf> {
    let go = std::env::var_os("GOPATH").map(PathBuf::from);
    let go = go.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join("go")));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = go.map(|go| go.join("bin")).into_iter().chain(std::env::split_paths(&path));
    let found = folders.map(|folder| folder.join("k6")).find(|file| file.is_file());
    if found.is_none() {
        let _ = writeln!(std::io::stderr(), "skipped: there is no k6 on this machine");
    }
    found
}

/// k6 in a folder with the shop and its script.
struct Lab {
    k6: testkit::Lab,
    shop: Resolved,
}

impl Lab {
    fn new(sets: &[&str]) -> Option<Lab> {
        Lab::of(&text_of(shop()), sets)
    }

    fn of(text: &str, sets: &[&str]) -> Option<Lab> {
        let k6 = testkit::Lab::new(&k6()?.display().to_string());
        k6.write("shop.toml", text);
        let sets: Vec<String> = sets.iter().map(|set| set.to_string()).collect();
        let shop = load(&k6.path("shop.toml"), &sets).expect("a valid scenario");
        k6.write("shop.js", &live::k6::script(&shop.scenario, "shop.toml"));
        Some(Lab { k6, shop })
    }

    /// Runs the script against `service`. Nothing leaves the machine.
    fn run(&self, service: SocketAddr, words: &str) {
        let mut command = self.k6.command("run --quiet --no-usage-report --address");
        command.arg("").args(["-e", &format!("BASE_URL=http://{service}")]);
        command.args(words.split_whitespace()).arg("shop.js");
        let ended = self.k6.start_command(command).ended().with_code(0);
        assert!(!ended.err.contains("level=error"), "{ended:?}");
    }
}

/// Keys and paths of all requests that the script sends.
fn sent(lab: &Lab) -> BTreeMap<RequestKey, String> {
    let server = Server::new(|_| Reply::good());
    lab.run(server.address, "");
    let mut all = BTreeMap::new();
    for request in server.requests() {
        let text = &request.headers["rung-key"];
        let key = live::wire::Key::parse(text).unwrap_or_else(|| panic!("no key: {text}"));
        assert_eq!(key.sent, live::wire::NOT_TOLD);
        assert_eq!(all.insert(key.request, request.path), None, "{text} came twice");
    }
    all
}

/// Each key calls what our own load generator would call with it.
fn as_drawn(lab: &Lab, sent: &BTreeMap<RequestKey, String>) {
    let scenario = &lab.shop.scenario;
    let workload = Workload::new(scenario.seed, &scenario.load, &scenario.endpoints);
    let mut draws = Draws::new();
    for (key, path) in sent {
        let endpoint = &scenario.endpoints[workload.class(&mut draws, *key)];
        assert_eq!(*path, live::wire::path_of(&endpoint.name), "{key:?}");
    }
    let paths: BTreeSet<&String> = sent.values().collect();
    assert_eq!(paths.len(), scenario.endpoints.len(), "every endpoint was called");
}

#[test]
fn k6_draws_what_our_own_load_generator_draws() {
    let Some(lab) = Lab::new(&["load.warmup=0s", "load.duration=2s"]) else { return };
    let sent = sent(&lab);
    as_drawn(&lab, &sent);
    // Each user counts its own requests, and leaves none out.
    for user in 0..8 {
        let own = sent.keys().filter(|key| key.lane == user).map(|key| key.index);
        let own: Vec<u64> = own.collect();
        assert!(!own.is_empty() && own == (0..own.len() as u64).collect::<Vec<_>>(), "{own:?}");
    }
    assert!(sent.keys().all(|key| key.lane < 8));
}

#[test]
fn k6_numbers_arrivals_as_our_own_load_generator_does() {
    let text = text_of(shop());
    let (closed, rest) = text.split_once("\nservice.").expect("the load comes first");
    let (question, _) = closed.split_once("\nload").expect("there is a load");
    let open = r#"load = { rate = "40/s", max_users = 20, warmup = "0s", duration = "2s" }"#;
    let Some(lab) = Lab::of(&format!("{question}\n{open}\nservice.{rest}"), &[]) else { return };
    let sent = sent(&lab);
    as_drawn(&lab, &sent);
    let indices: Vec<u64> = sent.keys().map(|key| key.index).collect();
    assert_eq!(indices, (0..indices.len() as u64).collect::<Vec<_>>());
    assert!(sent.keys().all(|key| key.lane == 0));
}

#[test]
fn all_that_k6_writes_of_the_live_service_is_read_back() {
    let Some(lab) = Lab::new(&[]) else { return };
    let program = env!("CARGO_BIN_EXE_validate");
    let mut service =
        lab.k6.start_command(lab.k6.command_of(program.as_ref(), "live serve shop.toml"));
    let address = service.address();
    lab.run(address, "-e SUMMARY=handle.json --summary-export export.json");
    let newer = "--new-machine-readable-summary";
    lab.run(address, &format!("-e SUMMARY=newer-handle.json --summary-export newer.json {newer}"));
    service.signal(Signal::INT);
    service.ended().with_code(0);
    for (name, p99) in [
        ("handle.json", true),
        ("export.json", true),
        ("newer.json", false),
        ("newer-handle.json", false),
    ] {
        let path = lab.k6.path(name).display().to_string();
        let Ended(code, out, err) =
            validate(&["compare", "--k6", &path, &shop(), "--format", "json"]);
        assert!([0, 1, 3].contains(&code), "{name}: {err}");
        let comparison: Value = serde_json::from_str(&out).expect("JSON");
        assert!(measured(&comparison, "throughput").is_some_and(|rate| rate > 0.0), "{name}");
        assert_eq!(measured(&comparison, "error_share"), Some(0.0), "{name}: {out}");
        assert_eq!(comparison["measured"]["duration"], 4.0, "{name}");
        let p99_told = !comparison["untold"].as_array().expect("a list").contains(&"p99".into());
        assert_eq!(p99_told, p99, "{name}");
        // The partner takes 20 ms and more.
        let time = measured_of(&comparison, "quote", "p50");
        assert!(time.is_some_and(|time| time > 0.01), "{name}: {time:?}");
        // Only the script's own summary says which scenario it is of.
        assert_eq!(warns(&comparison, "taken to be"), !name.contains("handle"), "{name}");
    }
}
