//! Names with any characters and as many of anything as a file may have: right, or refused with
//! a message.
#![allow(clippy::unwrap_used)]

use model::keys::path;
use model::read::{Resolved, load_text, load_texts};
use model::report::Report;
use model::station::StationId;
use sim::knob::candidates;
use sim::predict::{Experiment, predict};
use sim::replicate::Effort;

/// Names that need quotes, look like words of ours or of a format, or are long.
const NAMES: &[&str] = &[
    "x",
    "x connections",
    "x semaphore",
    "upstream x",
    "cpu",
    "loop",
    "none",
    "default",
    "a.b",
    "a \"b\"",
    "'",
    "`",
    "back\\slash",
    " ",
    "%s",
    "{}",
    "<b>|</b>",
    "日本",
    "e\u{301}",
    "🙂",
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789",
];

const HEAD: &str = "
costs = { cpu = { request = \"1ms\" }, query = { default = {} } }
load = { users = 2, duration = \"100ms\" }
service = { concurrency = \"async\" }
database = {}
";

fn report(resolved: &Resolved) -> Report {
    let effort = Effort { replications: 2, precision: None, ..Effort::default() };
    predict(resolved, &effort, Experiment::None, &mut |_| {}).unwrap()
}

#[test]
fn any_name_means_itself_everywhere() {
    let mut text = HEAD.to_string();
    for name in NAMES {
        let name = format!("{name:?}").replace("\\u{301}", "\u{301}").replace("\\'", "'");
        text += &format!(
            "[upstream.{name}]\nlatency = \"5ms\"\nmax_in_flight = 1\nmax_connections = 1\n\
             [[endpoint]]\nname = {name}\nweight = 1\n\
             steps = [{{ call = {name} }}, {{ read = {name} }}]\n"
        );
    }
    let long = ["load.duration=2s".to_string()];
    let resolved = load_text("names", &text, &long).unwrap_or_else(|problems| panic!("{problems}"));
    let again = load_text("names", &resolved.to_toml(), &[]).unwrap();
    assert_eq!(again.scenario, resolved.scenario);

    let report = report(&resolved);
    let relaxed = candidates(&resolved.scenario);
    for (index, name) in NAMES.iter().enumerate() {
        assert_eq!(resolved.scenario.upstreams[index].name, *name);
        assert_eq!(report.classes[index].name, *name);
        for station in [StationId::Semaphore, StationId::Connections, StationId::Upstream] {
            let station = station(name.to_string());
            let found = report.stations.iter().filter(|found| found.id == station).count();
            assert_eq!(found, 1, "{station}");
        }
        let key = path(&["upstream", name, "max_in_flight"]);
        assert_eq!(resolved.get(&key).as_deref(), Some("1"), "{key}");
        assert!(resolved.is_written(&key), "{key}");
        // The key that the experiment changes is one that can be set.
        assert!(relaxed.iter().any(|candidate| candidate.name() == key), "{key}");
        let with = resolved.with(&[(key, "7".into())]).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(with.upstreams[index].max_in_flight, Some(7));
        let weight = format!("{}=3", path(&["endpoint", name, "weight"]));
        let set = load_text("names", &text, &[weight]).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(set.scenario.endpoints[index].weight, 3.0);
    }
}

#[test]
fn a_name_is_one_to_a_hundred_characters_on_one_line() {
    let long = "é".repeat(101);
    for name in ["", "a\\nb", "\\u0007", &long] {
        for table in [
            format!("[upstream.\"{name}\"]\nlatency = \"5ms\"\n"),
            format!("[[endpoint]]\nname = \"{name}\"\nweight = 1\n"),
        ] {
            let found = load_text("names", &format!("{HEAD}{table}"), &[]).unwrap_err().to_string();
            assert!(found.contains("a name of 1 to 100 characters, on one line"), "{found}");
        }
    }
}

/// `count` entries, each made from its number.
fn many(count: usize, entry: impl Fn(usize) -> String) -> String {
    (0..count).map(entry).collect()
}

/// Files with `count` of something.
fn files(count: usize) -> Vec<(&'static str, String)> {
    let endpoint =
        |steps: &str| format!("[[endpoint]]\nname = \"e\"\nweight = 1\nsteps = [{steps}]\n");
    let upstreams = many(count, |n| format!("[upstream.u{n}]\nlatency = \"1ms\"\n"));
    vec![
        ("upstreams", upstreams + &endpoint(&format!("{{ call = \"u{}\" }}", count - 1))),
        ("endpoints", many(count, |n| format!("[[endpoint]]\nname = \"e{n}\"\nweight = 1\n"))),
        ("steps", endpoint(&many(count, |_| "{ cpu = \"1us\" }, ".into()))),
        (
            "branches",
            endpoint(&format!(
                "{{ gather = [{}] }}",
                many(count, |_| "{ cpu = \"1us\" }, ".into())
            )),
        ),
        (
            "statements",
            endpoint(&format!(
                "{{ transaction = [{}] }}",
                many(count, |n| format!("{{ write = \"q{n}\" }}, "))
            )),
        ),
    ]
}

#[test]
fn a_thousand_of_anything_are_simulated() {
    for (what, file) in files(model::keys::MOST_ENTRIES) {
        let resolved = load_text(what, &format!("{HEAD}{file}"), &[])
            .unwrap_or_else(|problems| panic!("{what}: {problems}"));
        assert!(report(&resolved).run.samples > 0, "{what}");
    }
}

#[test]
fn more_than_a_thousand_of_anything_are_refused() {
    for (what, file) in files(model::keys::MOST_ENTRIES + 1) {
        let found = load_text(what, &format!("{HEAD}{file}"), &[]).unwrap_err().to_string();
        assert!(found.contains("1001 entries in one list or table"), "{what}: {found}");
        assert!(found.contains("at most 1000"), "{what}: {found}");
    }
}

/// Files that extend each other are counted together.
#[test]
fn more_than_a_thousand_in_two_files_are_refused() {
    let upstreams = |from: usize, count: usize| -> String {
        let one = |index| format!("upstream.u{index}.latency = \"1ms\"\n");
        (from..from + count).map(one).collect()
    };
    let parent =
        format!("{HEAD}\nendpoint = [{{ name = \"e\", weight = 1 }}]\n{}", upstreams(0, 600));
    let load = |more| {
        let child = format!("extends = \"parent\"\n{}", upstreams(600, more));
        load_texts("child", &[("parent", &parent), ("child", &child)], &[])
    };
    assert_eq!(load(400).unwrap().scenario.upstreams.len(), 1000);
    let error = load(401).map(|_| ()).unwrap_err().to_string();
    assert!(error.starts_with("error: child:402:"), "{error}");
    assert!(error.contains("`upstream` has more than 1000 entries"), "{error}");
}
