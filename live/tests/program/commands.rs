//! The other commands: ladder, compare, serve, upstream, load.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use live::machine::{Cpus, Split};
use model::report::Report;
use model::stream::replication_seed;
use rustix::process::Signal;
use serde_json::Value;

use testkit::{free_port, get};

use crate::support::{Kept, Lab};

const SHOP: &str = r#"
    load = { users = 4, duration = "1s" }
    service.concurrency = "blocking"
    database.journal_mode = "delete"
    upstream.partner.latency = "20ms"
    endpoint = [
        { name = "list", weight = 1, steps = [{ read = "items" }] },
        { name = "get quote", weight = 1, steps = [{ call = "partner" }] },
    ]
"#;

const WITH_LOG: &str = r#"
    extends = "shop.toml"
    database.journal_mode = "wal"
"#;

#[test]
fn rungs_take_turns_and_each_is_kept() {
    let lab = Lab::new(SHOP);
    lab.write("log.toml", WITH_LOG);
    let ladder = lab.start("ladder log.toml --repeat 2 --format json");
    // The folders of the rounds, each with a database of its own, in the order of their coming.
    let mut rounds: Vec<(PathBuf, bool)> = Vec::new();
    let ended = ladder.ended_while(|| {
        for folder in lab.files("runs") {
            if rounds.iter().all(|(known, _)| *known != folder) && folder.join("rung.db").exists() {
                rounds.push((folder, false));
            }
        }
        if let Some((folder, has_log)) = rounds.last_mut() {
            *has_log |= writes_a_log(&folder.join("rung.db"));
        }
    });
    let document: Value = ended.with_one_of(&[0, 3]).json();
    let logs: Vec<bool> = rounds.iter().map(|(_, has_log)| *has_log).collect();
    assert_eq!(logs, [false, true, false, true], "{document}");
    let [first, second] = lab.files("runs").try_into().expect("a folder for each rung");
    let [first, second] = [first, second].map(|folder| Kept::read(&folder));
    for kept in [&first, &second] {
        assert_eq!(kept.report.run.replications, 2);
        kept.has_errors_of(&[]);
    }
    let names = BTreeSet::from([&*first.report.scenario, &second.report.scenario]);
    assert_eq!(names, BTreeSet::from(["log", "shop"]));
}

#[test]
fn several_files_take_turns_and_are_put_side_by_side() {
    let lab = Lab::new(SHOP);
    lab.write("log.toml", WITH_LOG);
    let words = "run shop.toml log.toml --repeat 2 --set load.users=3 --seed 9";
    let ended = lab.measures(&format!("{words} --format json"));
    let document: Value = ended.json();
    assert_eq!(document["kind"], "comparison");
    let rungs = document["rungs"].as_array().expect("a list of reports");
    let names: Vec<&Value> = rungs.iter().map(|rung| &rung["name"]).collect();
    assert_eq!(names, ["shop", "log"]);
    let starts = rungs.iter().map(|rung| {
        let report: Report = serde_json::from_value(rung.clone()).expect("a report");
        assert_eq!((report.run.replications, report.seed), (2, 9));
        let seeds: Vec<u64> = report.rounds.iter().map(|round| round.seed).collect();
        assert_eq!(seeds, [0, 1].map(|turn| replication_seed(9, turn)));
        let samples = report.rounds.iter().map(|round| round.run.samples).sum::<u64>();
        assert_eq!(samples, report.run.samples);
        // The report that is kept is the one that was printed.
        let kept = lab.files("runs").into_iter().map(|folder| Kept::read(&folder).report);
        assert_eq!(kept.filter(|kept| *kept == report).count(), 1);
        let how = report.rounds.iter().map(|round| round.measurement.as_ref().expect("measured"));
        how.map(|how| how.started).collect::<Vec<u64>>()
    });
    let [first, second]: [Vec<u64>; 2] =
        starts.collect::<Vec<_>>().try_into().expect("two scenarios");
    let turns = [first[0], second[0], first[1], second[1]];
    assert!(turns.is_sorted() && turns[0] < turns[3], "{turns:?}");
    assert_eq!(lab.files("runs").len(), 2);
    let text = lab.measures("run shop.toml log.toml --duration 300ms").out;
    assert!(text.starts_with("rung "), "{text}");
    assert!(text.contains("\nshop ") && text.contains("\nlog "), "{text}");
}

#[test]
fn each_rung_has_processors_of_its_own() {
    let allowed = Cpus::allowed();
    if allowed.count() < 2 {
        return;
    }
    let lab = Lab::new(SHOP);
    let all = allowed.count() as u32;
    lab.write("wide.toml", &format!("extends = \"shop.toml\"\ncpu.cores = {all}\n"));
    let ladder = lab.start("ladder wide.toml --format json");
    let status = format!("/proc/{}/status", ladder.pid());
    let mut seen = BTreeSet::new();
    ladder
        .ended_while(|| {
            let status = fs::read_to_string(&status).unwrap_or_default();
            let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
            seen.extend(list.map(|list| list.trim().to_string()));
        })
        .with_one_of(&[0, 3]);
    let splits = [1, all].map(|cores| Split::new(&allowed, cores));
    for (folder, split) in lab.files("runs").iter().zip(&splits) {
        let kept = Kept::read(folder);
        let how = kept.measurement();
        let list = |cpus: &Cpus| cpus.numbers().iter().map(|&cpu| cpu as u32).collect::<Vec<_>>();
        assert_eq!((how.pinned, &how.service_cpus), (split.separate, &list(&split.service)));
        assert_eq!(how.load_cpus, list(&split.load));
        // The load generator ran there.
        assert!(seen.contains(&split.load.to_string()), "{seen:?}");
    }
}

/// True if the header of a database names a write-ahead log.
fn writes_a_log(database: &Path) -> bool {
    let mut header = [0; 20];
    let read = File::open(database).and_then(|mut file| file.read_exact(&mut header));
    read.is_ok() && header[18] == 2
}

#[test]
fn saved_runs_are_put_side_by_side() {
    let lab = Lab::new(SHOP);
    for concurrency in ["blocking", "async"] {
        let ended = lab.end(&format!("run shop.toml --set service.concurrency={concurrency}"));
        assert!(
            ended.out.contains("shop") && ended.err.contains("kept in runs/shop-"),
            "{ended:?}"
        );
    }
    let folders: Vec<PathBuf> = lab.files("runs");
    assert_eq!(folders.len(), 2);
    let words = format!("compare {} {}/report.json", folders[0].display(), folders[1].display());
    let text = lab.end(&words).with_code(0);
    for folder in &folders {
        assert!(text.out.contains(&folder.display().to_string()), "{text:?}");
    }
    let document: Value = lab.end(&format!("{words} --format json")).with_code(0).json();
    assert!(document.is_object(), "{document}");
    // A file that is no report is refused, and so is a folder without a run.
    let refused = lab.end("compare shop.toml runs --format json").with_code(2);
    let problems: Vec<Value> = serde_json::from_str(&refused.err).expect("JSON");
    assert_eq!(problems.len(), 2, "{refused:?}");
}

#[test]
fn a_service_by_itself_serves_visitors_and_loads() {
    let lab = Lab::new(SHOP);
    for signal in [Signal::INT, Signal::TERM] {
        let mut serve = lab.start("serve shop.toml");
        let address = serve.address();
        for path in ["/list", "/get%20quote"] {
            let reply = get(address, path, "").expect("it answers");
            assert!(reply.starts_with("HTTP/1.1 200 OK\r\n"), "{reply}");
            assert!(reply.contains(live::wire::TIME), "{reply}");
        }
        assert!(get(address, "/nothing", "").expect("it answers").starts_with("HTTP/1.1 404 "));
        if signal == Signal::INT {
            is_loaded(&lab, &format!("load shop.toml --to {address} --format json"));
        }
        serve.signal(signal);
        serve.ended().with_code(0);
        assert!(get(address, "/list", "").is_err(), "the port is closed");
        assert!(lab.files("runs").is_empty(), "{:?}", lab.files("runs"));
    }
}

/// A load on a running service is measured like any other, as far as possible.
fn is_loaded(lab: &Lab, words: &str) {
    let report: Report = lab.measures(words).json();
    let ended = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_secs();
    let measurement = report.measurement.clone().expect("it is measured");
    let accounting = &measurement.accounting;
    assert!(accounting.adds_up() && accounting.good > 0, "{accounting:?}");
    assert!(accounting.errors.is_empty(), "{accounting:?}");
    assert!(report.classes.iter().all(|class| class.throughput.value > 0.0));
    // Nothing is known of a service that was started by others, nor of its processor.
    assert!(measurement.target.starts_with("http://127.0.0.1:"), "{}", measurement.target);
    assert!(report.stations.is_empty() && !report.tells("stations"));
    let page = render::Answer::page(&report).text(render::Paint::default());
    assert!(!page.contains("axum") && !page.contains("other programs"), "{page}");
    // It began a second before it ended, or earlier.
    assert!(measurement.started < ended, "{} and {ended}", measurement.started);
}

#[test]
fn a_load_without_a_service_is_refused() {
    let lab = Lab::new(SHOP);
    let words = format!("load shop.toml --to 127.0.0.1:{} --format json", free_port());
    let ended = lab.end(&words).with_code(2);
    assert!(ended.err.contains("nothing accepts connections"), "{ended:?}");
}

#[test]
fn an_upstream_by_itself_answers_until_it_is_ended() {
    let lab = Lab::new(SHOP);
    for signal in [Signal::INT, Signal::TERM] {
        let mut upstream = lab.start("upstream shop.toml");
        let address = upstream.address();
        let reply = get(address, "/partner", "").expect("it answers");
        assert!(reply.starts_with("HTTP/1.1 200 OK\r\n"), "{reply}");
        upstream.signal(signal);
        let ended = upstream.ended().with_code(0);
        assert!(
            ended.err.contains("partner: 1 calls, 0 failed, 0 refused, 0 abandoned"),
            "{ended:?}"
        );
    }
}
