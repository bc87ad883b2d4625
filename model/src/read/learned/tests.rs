//! Entries stay, go and are refused.

use super::super::{Resolved, load_text, load_texts};

const SHOP: &str = r#"
load = { rate = "20/s", duration = "60s" }
service = { concurrency = "async", workers = 2 }
upstream.bank.latency = { p50 = "80ms", p99 = "300ms" }
costs.query.items.engine = "1ms"
database.engine = "postgres"
endpoint = [
  { name = "GET /pay", weight = 1, steps = [{ cpu = "4ms" }, { gather = [{ call = "bank" }, { sleep = "1ms" }] }, { read = "items" }] },
]
"#;

fn entry(key: &str, rest: &str) -> String {
    format!("[[learned]]\nkey = {key:?}\norigin = \"measured\"\nhow = \"seen\"\n{rest}\n")
}

fn read(entries: &str, sets: &[&str]) -> Result<Resolved, String> {
    let sets: Vec<String> = sets.iter().map(|set| set.to_string()).collect();
    load_text("shop", &format!("{SHOP}{entries}"), &sets).map_err(|error| error.to_string())
}

fn keys(resolved: &Resolved) -> Vec<String> {
    resolved.known().into_iter().map(|known| known.key).collect()
}

#[test]
fn an_entry_may_be_about_any_value_of_the_file() {
    let numbers = [
        ("endpoint.\"GET /pay\".steps[0].cpu", "4ms", "3ms", "5ms"),
        ("endpoint.\"GET /pay\".steps[1].gather[1].sleep", "1ms", "1ms", "2ms"),
        ("endpoint.\"GET /pay\".weight", "1", "0.5", "1"),
        ("upstream.bank.latency.p50", "80ms", "70ms", "90ms"),
        ("costs.query.items.engine", "1ms", "0s", "2ms"),
        ("service.workers", "2", "1", "4"),
        ("load.rate", "20/s", "18/s", "1300/m"),
        ("upstream.bank.failures", "0%", "0%", "2%"),
    ];
    let ends = |low, high| format!("low = \"{low}\"\nhigh = \"{high}\"");
    let entries: Vec<String> =
        numbers.iter().map(|(key, _, low, high)| entry(key, &ends(low, high))).collect();
    let words = ["service.concurrency", "upstream.bank.latency"].map(|key| entry(key, ""));
    let resolved =
        read(&(entries.concat() + &words.concat()), &[]).unwrap_or_else(|e| panic!("{e}"));
    let known = resolved.known();
    assert_eq!(known.len(), numbers.len() + 2);
    for ((key, value, ..), known) in numbers.iter().zip(&known) {
        assert_eq!((&known.key[..], &known.value[..]), (*key, *value));
        assert!(known.interval.is_some(), "{key}");
    }
    assert_eq!(
        known[6].interval.map(|rate| rate.high.to_string()).as_deref(),
        Some("21.666666666666668/s")
    );

    let printed = resolved.to_toml();
    let again = load_text("shop", &printed, &[]).unwrap_or_else(|e| panic!("{e}\n{printed}"));
    assert_eq!(again.scenario, resolved.scenario, "{printed}");
    assert_eq!(again.known(), known);
}

#[test]
fn an_entry_about_a_key_that_the_file_no_longer_has_is_left_out() {
    let users = entry("load.users", "low = \"5\"\nhigh = \"9\"");
    let resolved = read(&users, &[]).unwrap_or_else(|error| panic!("{error}"));
    assert!(resolved.known().is_empty(), "the load is a rate");
}

#[test]
fn wrong_entries_are_refused_all_at_once() {
    let cpu = "endpoint.\"GET /pay\".steps[0].cpu";
    let entries = [
        entry("endpoint.\"GET /pay\".steps[7].cpu", ""),
        entry("service.worker", ""),
        entry(cpu, "low = \"5ms\"\nhigh = \"6ms\""),
        entry(cpu, ""),
        entry("service.workers", "low = \"2ms\"\nhigh = \"3\""),
        entry("service.concurrency", "low = \"1\"\nhigh = \"3\""),
        entry("load.rate", "low = \"1/s\""),
    ];
    let error = read(&entries.concat(), &[]).err().unwrap_or_default();
    for found in [
        "steps[7].cpu` is no key of this scenario",
        "`service.worker` is no key of this scenario",
        "did you mean `service.workers`?",
        "`low` is 5ms, and `endpoint.\"GET /pay\".steps[0].cpu` is 4ms",
        "a second entry about",
        "`low` is \"2ms\"",
        "`low` of `service.concurrency`, which is no number",
        "`low` without `high`",
    ] {
        assert!(error.contains(found), "{found}\nin\n{error}");
    }
    assert!(
        error.lines().filter(|line| line.starts_with("error")).all(|line| line.contains("shop:"))
    );
    let kinds =
        "[[learned]]\nkey = \"service.threads\"\norigin = \"guessed\"\nhow = \"\"\nlow = 3\n";
    let kinds = read(kinds, &[]).err().unwrap_or_default();
    for found in ["`learned[0].origin` is \"guessed\"", "`learned[0].low` is 3"] {
        assert!(kinds.contains(found), "{found}\nin\n{kinds}");
    }
}

#[test]
fn a_value_that_the_user_sets_is_no_longer_learned() {
    let entries = entry("endpoint.\"GET /pay\".steps[0].cpu", "low = \"3ms\"\nhigh = \"5ms\"")
        + &entry("upstream.bank.latency.p99", "")
        + &entry("service.workers", "");
    let with = |sets: &[&str]| keys(&read(&entries, sets).unwrap_or_else(|e| panic!("{e}")));
    let all = with(&[]);
    assert_eq!(with(&["load.rate=5/s"]), all);
    assert_eq!(with(&["endpoint.\"GET /pay\".steps[0].cpu=9ms"]), all[1..]);
    assert_eq!(with(&["endpoint.\"GET /pay\".steps=[]"]), all[1..]);
    assert_eq!(with(&["upstream.bank.latency.p50=9ms"]), all);
    assert_eq!(with(&["upstream.bank.latency.p99=999ms"]), [all[0].clone(), all[2].clone()]);
    assert_eq!(with(&["service.workers=2"]), all[..2]);
    let set = read(&entries, &["learned=[]"]).err().unwrap_or_default();
    assert!(set.contains("`learned` cannot be set"), "{set}");

    // So too for a change that a program tries.
    let resolved = read(&entries, &[]).unwrap_or_else(|e| panic!("{e}"));
    let change = ("endpoint.\"GET /pay\".steps[0].cpu".to_string(), "9ms".to_string());
    let changed = resolved.with(&[change]).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(changed.learned.len(), 2);
}

#[test]
fn a_child_inherits_what_it_does_not_change() {
    let parent = format!("{SHOP}{}{}", entry("service.workers", ""), entry("load.rate", ""));
    let child = |text: &str| {
        let text = format!("extends = \"shop.toml\"\n{text}");
        let files = [("shop.toml", parent.as_str()), ("child.toml", text.as_str())];
        let resolved = load_texts("child.toml", &files, &[]).unwrap_or_else(|e| panic!("{e}"));
        resolved.known().into_iter().map(|known| (known.key, known.how)).collect::<Vec<_>>()
    };
    let seen = |key: &str| (key.to_string(), "seen".to_string());
    assert_eq!(child(""), [seen("service.workers"), seen("load.rate")]);
    assert_eq!(child("service.workers = 3"), [seen("load.rate")]);
    let own = "[[learned]]\nkey = \"load.rate\"\norigin = \"derived\"\nhow = \"counted\"\n";
    assert_eq!(child(own), [seen("service.workers"), ("load.rate".into(), "counted".into())]);
}

#[test]
fn what_is_known_is_no_change_of_a_rung_and_changes_no_value() {
    let plain = read("", &[]).unwrap_or_else(|e| panic!("{e}"));
    let known = read(&entry("service.workers", ""), &[]).unwrap_or_else(|e| panic!("{e}"));
    let mut same = known.scenario.clone();
    same.learned.clear();
    assert_eq!(same, plain.scenario);
    assert_ne!(known.digest(), plain.digest(), "its intervals are part of the answer");
}
