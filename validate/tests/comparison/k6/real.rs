//! k6 itself, where the machine has it: below `$GOPATH/bin` or on the path.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use model::read::{Resolved, load};
use model::stream::Draws;
use model::workload::{RequestKey, Workload};
use rustix::process::Signal;
use serde_json::Value;
use testkit::{Reply, Running, Server};

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

    /// Starts the script against `service`. Nothing leaves the machine.
    fn start(&self, service: SocketAddr, words: &str) -> Running {
        let mut command = self.k6.command("run --quiet --no-usage-report --address");
        command.arg("").args(["-e", &format!("BASE_URL=http://{service}")]);
        command.args(words.split_whitespace()).arg("shop.js");
        self.k6.start_command(command)
    }

    /// Runs the script to its end.
    fn run(&self, service: SocketAddr, words: &str) {
        well(self.start(service, words));
    }

    /// Runs the script in so many processes at once, each with its segment of the load, as k6's
    /// operator does.
    fn run_in_parts(&self, service: SocketAddr, parts: u32) {
        let end = |part: u32| match part {
            0 => "0".to_string(),
            part if part == parts => "1".to_string(),
            part => format!("{part}/{parts}"),
        };
        let sequence = (0..=parts).map(end).collect::<Vec<_>>().join(",");
        let start = |part| {
            let (from, to) = (end(part), end(part + 1));
            let words = format!(
                "--execution-segment {from}:{to} --execution-segment-sequence {sequence} \
                 -e SUMMARY=part-{part}.json"
            );
            self.start(service, &words)
        };
        let running: Vec<Running> = (0..parts).map(start).collect();
        running.into_iter().for_each(well);
    }
}

/// It ends without a failure.
fn well(running: Running) {
    let ended = running.ended().with_code(0);
    assert!(!ended.err.contains("level=error"), "{ended:?}");
}

/// Keys and paths of all requests that the script sends.
fn sent(lab: &Lab) -> BTreeMap<RequestKey, String> {
    let server = Server::new(|_| Reply::good());
    lab.run(server.address, "");
    keyed(&server)
}

/// The same of several processes at once.
fn sent_in_parts(lab: &Lab, parts: u32) -> BTreeMap<RequestKey, String> {
    let server = Server::new(|_| Reply::good());
    lab.run_in_parts(server.address, parts);
    keyed(&server)
}

/// Keys and paths of all requests that came, each of them once.
fn keyed(server: &Server) -> BTreeMap<RequestKey, String> {
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
    eight_users(&lab, &sent(&lab));
}

/// Each of eight users counts its own requests, and leaves none out.
fn eight_users(lab: &Lab, sent: &BTreeMap<RequestKey, String>) {
    as_drawn(lab, sent);
    for user in 0..8 {
        let own = sent.keys().filter(|key| key.lane == user).map(|key| key.index);
        let own: Vec<u64> = own.collect();
        assert!(!own.is_empty() && own == (0..own.len() as u64).collect::<Vec<_>>(), "{own:?}");
    }
    assert!(sent.keys().all(|key| key.lane < 8));
}

#[test]
fn k6_makes_ready_as_many_users_as_are_divided() {
    for load in [
        r#"{ users = 7, duration = "2s" }"#,
        r#"{ users = 2, stages = [{ duration = "2s", target = 20 }, { duration = "1s", target = 5 }] }"#,
        r#"{ rate = "33.5/s", timeout = "3s", duration = "2s" }"#,
        r#"{ trace = "0\n0\n1\n", duration = "2s" }"#,
        r#"{ duration = "2s", group = [{ name = "a", users = 3 }, { name = "b", rate = "2/s", max_users = 4 }] }"#,
    ] {
        let Some(lab) = Lab::of(&shop_with(load), &[]) else { return };
        let ended = lab.k6.end("inspect --execution-requirements shop.js").with_code(0);
        let told: Value = ended.json();
        assert_eq!(told["maxVUs"], live::k6::users(&lab.shop.scenario), "{load}");
    }
}

#[test]
fn several_instances_of_k6_have_the_users_of_one() {
    let Some(lab) = Lab::new(&["load.warmup=0s", "load.duration=2s"]) else { return };
    // Three parts of eight users: they are not of the same size.
    eight_users(&lab, &sent_in_parts(&lab, 3));
}

#[test]
fn several_instances_of_k6_send_the_arrivals_of_one() {
    // There is time after the last arrival: an instance that is late sends all of its own.
    let stages = r#"stages = [{ duration = "2s", target = "40/s" }, { duration = "1ms", target = "0/s" },
                              { duration = "3s", target = "0/s" }]"#;
    let load = format!(
        r#"{{ rate = "40/s", spacing = "even", max_users = 30, warmup = "0s", {stages} }}"#
    );
    let Some(lab) = Lab::of(&shop_with(&load.replace('\n', " ")), &[]) else { return };
    let one = sent(&lab);
    as_drawn(&lab, &one);
    let indices: Vec<u64> = one.keys().map(|key| key.index).collect();
    assert_eq!(indices, (0..indices.len() as u64).collect::<Vec<_>>());
    assert_eq!(sent_in_parts(&lab, 3), one);
    assert_eq!(sent_in_parts(&lab, 4), one);
}

#[test]
fn several_instances_of_k6_replay_each_recorded_arrival_once() {
    // All of them are late enough to be sent, and early enough not to be dropped.
    let lines: String = (0..60).map(|i| format!("{}.{:03}\\n", i / 30, i % 30 * 33)).collect();
    let load = format!("{{ trace = \"{lines}\", max_users = 40, duration = \"6s\" }}");
    let Some(lab) = Lab::of(&shop_with(&load), &[]) else { return };
    let sent = sent_in_parts(&lab, 4);
    as_drawn(&lab, &sent);
    // A machine that is very busy drops some, and sends none twice.
    assert!(!sent.is_empty() && sent.keys().all(|key| key.lane == 0 && key.index < 60));
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

/// The shop with this load.
fn shop_with(load: &str) -> String {
    let text = text_of(shop());
    let (closed, rest) = text.split_once("\nservice.").expect("the load comes first");
    let (question, _) = closed.split_once("\nload").expect("there is a load");
    format!("{question}\nload = {load}\nservice.{rest}")
}

#[test]
fn k6_replays_each_recorded_arrival_once() {
    let times: Vec<u64> = (0..60).map(|i| i / 3 * 50).collect();
    let lines: String =
        times.iter().map(|at| format!("{}.{:03},quote\\n", at / 1000, at % 1000)).collect();
    let Some(lab) = Lab::of(&shop_with(&format!("{{ trace = \"{lines}\" }}")), &[]) else { return };
    let server = Server::new(|_| Reply::good());
    lab.run(server.address, "");
    let quotes = server.requests().into_iter().filter(|request| request.path == "/quote");
    let keys = quotes.map(|request| live::wire::Key::parse(&request.headers["rung-key"]));
    let mut indices: Vec<u64> = keys.map(|key| key.expect("a key").request.index).collect();
    indices.sort_unstable();
    assert!(indices.windows(2).all(|pair| pair[0] < pair[1]), "none comes twice: {indices:?}");
    // A machine that is very busy drops some.
    assert!(!indices.is_empty() && indices.iter().all(|&index| index < 60), "{indices:?}");
}

#[test]
fn k6_runs_several_loads_at_once() {
    let load = r#"{ warmup = "0s", duration = "2s", group = [
        { name = "page", users = 3, think_time = { mean = "50ms" } },
        { name = "probe", rate = "20/s", spacing = "even", mix = [{ endpoint = "quote" }],
          keep_alive = false },
        { name = "recorded", trace = "0.1,quote\n0.5,quote\n0.5,quote\n" }] }"#;
    let Some(lab) = Lab::of(&shop_with(&load.replace('\n', " ")), &[]) else { return };
    let server = Server::new(|_| Reply::good());
    lab.run(server.address, "");
    let scenario = &lab.shop.scenario;
    let mut draws = Draws::new();
    for group in scenario.load.groups().iter() {
        let workload = Workload::of(scenario.seed, group, &scenario.endpoints);
        let first = workload.key(0, 0).lane;
        let mut own = 0;
        for request in server.requests() {
            let key = live::wire::Key::parse(&request.headers["rung-key"]).expect("a key").request;
            if !(first..first + (1 << 24)).contains(&key.lane) {
                continue;
            }
            own += 1;
            let endpoint = &scenario.endpoints[workload.class(&mut draws, key)];
            assert_eq!(request.path, live::wire::path_of(&endpoint.name), "{key:?}");
            let closes = request.headers.get("connection").is_some_and(|value| value == "close");
            assert_eq!(closes, !group.load.keep_alive, "{}", group.name);
        }
        assert!(own > 0, "{}", group.name);
        assert!(group.name != "recorded" || own <= 3, "{own}");
    }
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

/// Requests of every kind, by one user without pauses.
const OWN: &str = r#"
    load = { users = 1, think_time = "1ms", warmup = "0s", duration = "2s" }
    seed = 11
    service.concurrency = "async"
    costs.cpu.request = "1ms"
    endpoint = [
        { name = "item", weight = 3, request = { path = "/items/{0001..5000}?full={yes|no}&x={{y}}" } },
        { name = "large", weight = 1, request = { path = "/{0..18446744073709551615}" } },
        { name = "order", weight = 2,
          request = { method = "POST", path = "/orders", headers = { X-Key = "{uuid}" },
                      body = '{"id": {1..9}, "name": "ä", "by": "{a|b|c}"}' } },
        { name = "note", weight = 1,
          request = { method = "PUT", path = "/notes/{uuid}", headers = { content-type = "text/plain" },
                      body = "'{{seed}}' is \\n {x|y}" } },
        { name = "head", weight = 1, request = { method = "HEAD", path = "/" } },
    ]
"#;

#[test]
fn k6_sends_the_requests_that_our_own_load_generator_sends() {
    let Some(lab) = Lab::of(OWN, &[]) else { return };
    let server = || Server::new(|_| Reply::Answer(302, String::new(), Duration::ZERO));
    let (with_k6, with_ours) = (server(), server());
    lab.run(with_k6.address, "-e SUMMARY=summary.json");
    let program = env!("CARGO_BIN_EXE_validate");
    let words = format!("live load shop.toml --to {}", with_ours.address);
    let ours = lab.k6.command_of(program.as_ref(), &words);
    lab.k6.start_command(ours).ended().with_one_of(&[0, 3]);
    let (k6, ours) = (with_k6.requests(), with_ours.requests());
    assert!(k6.len() > 50 && ours.len() > 50, "{} and {}", k6.len(), ours.len());
    for (k6, ours) in k6.iter().zip(&ours) {
        assert_eq!((&k6.method, &k6.path, &k6.body), (&ours.method, &ours.path, &ours.body));
        for (name, value) in ours.headers.iter().filter(|(name, _)| *name != "host") {
            assert_eq!(k6.headers.get(name), Some(value), "{name} of {}", ours.path);
        }
        assert!(!k6.headers.contains_key("rung-key"), "{k6:?}");
    }
    let paths: BTreeSet<&str> = ours.iter().map(|request| &*request.method).collect();
    assert_eq!(paths, BTreeSet::from(["GET", "HEAD", "POST", "PUT"]));
    // A redirection is an answer of a service of one's own.
    let text = std::fs::read_to_string(lab.k6.path("summary.json"));
    let summary: Value = serde_json::from_str(&text.expect("a summary")).expect("JSON");
    assert!(summary.to_string().contains("rung_good"), "{summary}");
    assert_eq!(summary["metrics"]["rung_errors"]["values"]["count"].as_f64().unwrap_or(0.0), 0.0);
}
