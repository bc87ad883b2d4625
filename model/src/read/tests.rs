//! What a user of this module sees, on files in memory.

use super::ladder::ladder_of;
use super::*;
use crate::distribution::Distribution;
use crate::scenario::{Concurrency, Connections, Engine, Source, Step};
use crate::units::Span;

const COSTS: &str = r#"
[about]
machine = "a desk"
[cpu]
request = "1ms"
call = "2ms"
[cpu.async]
request = { p50 = "1ms", p99 = "3ms" }
[query.default]
engine = "100us"
[query."an item"]
engine = { quantiles = { p0 = "1us", p50 = "0.1ms", "p99.9" = "2ms", p100 = "3ms" } }
pages = 3
[disk]
sync = { low = "1ms", high = "3ms" }
[memory]
worker = "60MiB"
"#;

const V1: &str = r#"
question = "what does one at a time do?"
costs = "costs/study.toml"

[load]
users = 100
warmup = "10s"
duration = "60s"

[service]
concurrency = "blocking"

[database]
journal_mode = "delete"

[upstream.partner]
latency = { p50 = "200ms", p99 = "1s" }

[[endpoint]]
name = "list"
weight = 25
steps = [{ read = "items" }, { cpu = "1ms" }]

[[endpoint]]
name = "quote"
weight = 12
steps = [
  { transaction = [{ read = "an item" }, { write = "order" }], begin = "immediate" },
  { gather = [{ call = "partner" }, { sleep = { mean = "5ms" } }] },
  { block = "0s" },
]
"#;

const FILES: &[(&str, &str)] = &[
    ("s/costs/study.toml", COSTS),
    ("s/costs/other.toml", "[cpu]\nrequest = \"7ms\"\n[query.default]\n"),
    ("s/v1.toml", V1),
    ("s/v2.toml", "extends = \"v1.toml\"\nservice.concurrency = \"async\"\nservice.workers = 1\n"),
    ("s/v3.toml", "extends = \"v2.toml\"\nservice.workers = 2\n"),
    ("s/v4.toml", "extends = \"v3.toml\"\nservice.server = \"gunicorn\"\n"),
    (
        "s/v5.toml",
        r#"extends = "v4.toml"
knob = { name = "SQLite tuning", keys = ["database.journal_mode", "database.pragmas", "database.busy_timeout"] }
published = { throughput = "85/s", note = "as the study says" }
database.journal_mode = "wal"
database.pragmas = 4
"#,
    ),
    (
        "s/v6.toml",
        "extends = \"v5.toml\"\nupstream.partner.latency = { p50 = \"4s\", p99 = \"22s\" }\n",
    ),
];

fn sets(sets: &[&str]) -> Vec<String> {
    sets.iter().map(|set| set.to_string()).collect()
}

fn v(name: &str, with: &[&str]) -> Resolved {
    load_texts(&format!("s/{name}.toml"), FILES, &sets(with)).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn a_chain_of_files_is_one_scenario() {
    let v6 = v("v6", &[]);
    let s = &v6.scenario;
    assert_eq!(s.name, "v6");
    assert_eq!(s.question, None);
    assert_eq!(s.published, None);
    assert_eq!(s.service.concurrency, Concurrency::Async);
    assert_eq!(s.service.workers, 2);
    assert_eq!(s.service.keep_alive, Span::from_secs(2));
    assert_eq!(
        s.upstreams[0].latency,
        Distribution::lognormal(Span::from_secs(4), Span::from_secs(22))
    );
    assert_eq!(s.costs.name, "study");
    assert_eq!(s.costs.cpu.blocking.request, Distribution::Constant(Span::from_millis(1)));
    assert_ne!(s.costs.cpu.async_.request, s.costs.cpu.blocking.request);
    assert_eq!(s.costs.cpu.async_.call, Span::from_millis(2));
    assert!(matches!(&s.endpoints[1].steps[1], Step::Gather(steps) if steps[0] == Step::Call(0)));
    assert_eq!(v6.chain().len(), 6);
    assert_eq!(v6.chain()[0], "s/v1.toml");
}

#[test]
fn each_rung_turns_the_knobs_that_its_values_differ_in() {
    let rungs = ladder_of(&memory(FILES), "s/v6.toml", &[]).unwrap_or_else(|e| panic!("{e}"));
    let turned: Vec<usize> = rungs.iter().map(Rung::knobs_turned).collect();
    assert_eq!(turned, [0, 1, 1, 1, 1, 1]);
    let keys: Vec<Vec<&str>> =
        rungs.iter().map(|r| r.changes.iter().map(|c| c.key.as_str()).collect()).collect();
    assert_eq!(keys[1], ["service.concurrency"]);
    assert_eq!(keys[2], ["service.workers"]);
    assert_eq!(keys[3], ["service.server"]);
    assert_eq!(keys[4], ["database.journal_mode", "database.pragmas"]);
    assert_eq!(keys[5], ["upstream.partner.latency"]);
    assert_eq!(rungs[4].knob.as_deref(), Some("SQLite tuning"));
    assert_eq!(rungs[5].knob, None);
    assert_eq!(rungs[4].resolved.scenario.published.as_ref().map(|p| p.throughput), Some(85.0));
    assert_eq!(
        rungs[2].changes,
        [Change { key: "service.workers".into(), from: Some("1".into()), to: Some("2".into()) }]
    );
}

#[test]
fn a_choice_taken_differently_is_one_change() {
    let mut files = FILES.to_vec();
    let changes = "extends = \"v1.toml\"\ndatabase.connections = { kind = \"pool\", size = 9 }\nload.rate = \"9/s\"\ncosts = \"costs/other.toml\"\ncpu.cores = 2\n[upstream.x]\nlatency = \"1s\"\n[[endpoint]]\nname = \"list\"\nsteps = []\n";
    files.push(("s/w.toml", changes));
    let rungs = ladder_of(&memory(&files), "s/w.toml", &[]).unwrap_or_else(|e| panic!("{e}"));
    let keys: Vec<&str> = rungs[1].changes.iter().map(|c| c.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "costs",
            "load.rate",
            "cpu.cores",
            "database.connections.kind",
            "upstream.x",
            "endpoint.list.steps"
        ]
    );
    assert_eq!(rungs[1].changes[1].from.as_deref(), Some("users = 100"));
}

#[test]
fn sets_are_read_as_a_shell_passes_them() {
    let resolved = v(
        "v2",
        &[
            "upstream.partner.latency.p50=300ms",
            "service.concurrency=blocking",
            "load.users=400",
            "cpu.speed=2",
            "upstream.partner.max_in_flight=200",
            "database.connections={ kind = \"pool\", size = 5 }",
            "database.connections.size=10",
            "endpoint.quote.weight=3",
            "costs=costs/other.toml",
            "costs.cpu.accept=5ms",
            "question=42",
            "load.timeout=never",
            "load.think_time=1s",
            "endpoint.list.concurrency=threadpool",
        ],
    );
    let s = &resolved.scenario;
    assert_eq!(s.upstreams[0].latency.quantile(0.5), Span::from_millis(300));
    assert_eq!(s.service.concurrency, Concurrency::Blocking);
    assert!(matches!(&s.load.source, Source::Closed { users, .. } if users.start == 400.0));
    assert_eq!(s.upstreams[0].max_in_flight, Some(200));
    let pool = Connections::pool(10, 10, Some(Span::from_secs(30)));
    assert_eq!(s.database.as_ref().map(|d| d.connections), Some(pool));
    assert_eq!(s.endpoints[1].weight, 3.0);
    assert_eq!(s.costs.name, "other");
    assert_eq!(s.costs.cpu.blocking.accept, Span::from_millis(5));
    assert_eq!(s.question.as_deref(), Some("42"));
    assert_eq!(s.load.timeout, None);
    assert_eq!(s.endpoints[0].concurrency, Some(Concurrency::Threadpool));
}

#[test]
fn a_what_if_is_the_same_as_a_set() {
    let base = v("v6", &[]);
    let pairs =
        [("service.workers", "4"), ("upstream.partner.latency", "1s"), ("load.rate", "9/s")];
    let pairs = pairs.map(|(key, value)| (key.to_string(), value.to_string()));
    let asked = base.with(&pairs).unwrap_or_else(|e| panic!("{e}"));
    let set = v("v6", &["service.workers=4", "upstream.partner.latency=1s", "load.rate=9/s"]);
    assert_eq!(asked, set.scenario);
    let wrong = base.with(&[("service.worker".into(), "4".into())]).map(|_| ());
    let text = wrong.map_err(|e| e.to_string());
    assert_eq!(
        text,
        Err("error: --set service.worker=4: unknown key `service.worker`\n  allowed: the keys of a service, such as `server`, `concurrency`, `workers` or `threads`\n  did you mean `workers`?"
            .to_string())
    );
}

#[test]
fn limits_can_be_taken_away_again() {
    let with = ["upstream.partner.max_in_flight=5", "upstream.partner.max_in_flight=none"];
    assert_eq!(v("v1", &with).scenario, v("v1", &[]).scenario);
    let with = ["cpu.quota={ budget = \"50ms\" }", "cpu.quota.period=10ms", "cpu.quota=none"];
    assert_eq!(v("v1", &with).scenario, v("v1", &[]).scenario);
}

#[test]
fn an_engine_taken_differently_leaves_the_other_engines_keys_behind() {
    let resolved = v("v6", &["database.engine=postgres", "database.cores=4"]);
    let engine = resolved.scenario.database.as_ref().map(|d| &d.engine);
    assert!(matches!(engine, Some(Engine::Postgres(p)) if p.cores == 4));
}

#[test]
fn a_resolved_scenario_prints_as_one_file_that_reads_back() {
    let stages =
        "load.stages=[{ duration = \"20s\", target = 5 }, { duration = \"1m\", target = 7 }]";
    for with in [&[][..], &["load.users=3"], &[stages], &["load.rate=1234.5678/m"]] {
        for name in ["v1", "v6"] {
            let resolved = v(name, with);
            let text = resolved.to_toml();
            let again = load_text(name, &text, &[]).unwrap_or_else(|e| panic!("{e}\n{text}"));
            assert_eq!(again.scenario, resolved.scenario, "{text}");
            assert_eq!(again.to_toml(), text);
        }
    }
}

#[test]
fn any_key_can_be_asked_for() {
    let v6 = v("v6", &[]);
    for (key, value) in [
        ("service.workers", Some("2")),
        ("service.keep_alive", Some("2s")),
        ("upstream.partner.latency.p50", Some("4s")),
        ("upstream.partner.latency", Some("{ p50 = \"4s\", p99 = \"22s\" }")),
        ("upstream.partner.max_in_flight", Some("none")),
        ("endpoint.quote.weight", Some("12")),
        ("load.duration", Some("60s")),
        ("costs.name", Some("study")),
        ("costs.cpu.async.call", Some("2ms")),
        ("costs.query.\"an item\".pages", Some("3")),
        ("service.banana", None),
        ("endpoint.none.weight", None),
    ] {
        assert_eq!(v6.get(key).as_deref(), value, "{key}");
    }
}

#[test]
fn chains_end_somewhere() {
    let texts: Vec<(String, String)> =
        (0..40).map(|i| (format!("{i}.toml"), format!("extends = \"{}.toml\"\n", i + 1))).collect();
    let texts: Vec<(&str, &str)> = texts.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let error = load_texts("0.toml", &texts, &[]).map(|_| ()).map_err(|e| e.to_string());
    let expected = "error: 31.toml:1:11: `extends` goes through more than 32 files\n  allowed: a chain of at most 32 files";
    assert_eq!(error, Err(expected.to_string()));
}

#[test]
fn lists_and_files_have_an_end() {
    let mut text = V1.to_string();
    for i in 0..1001 {
        text.push_str(&format!("[[endpoint]]\nname = \"e{i}\"\nweight = 1\n"));
    }
    let error = load_text("many", &text, &[]).map(|_| ()).map_err(|e| e.to_string());
    assert!(error.is_err_and(|text| text.contains("1003 entries in one list")));
    let long = format!("{V1}\n#{}", "x".repeat(1 << 20));
    let error = load_text("long", &long, &[]).map(|_| ()).map_err(|e| e.to_string());
    assert!(error.is_err_and(|text| text.contains("longer than 1MiB")));
}

/// A scenario that uses most keys, in one file.
pub(super) const SINGLE: &str = r#"question = "what \"now\"?"
seed = 7
knob = { name = "group", keys = ["cpu.cores"] }
published = { throughput = "69.6/s", fitted = true, note = "n" }
[costs]
about = { machine = "a desk" }
cpu = { request = "1ms", in_flight = "1us", call = "2ms", async = { hop = "9us" } }
query.default = { engine = { mean = "1ms" }, pages = 2 }
server.axum.cpu_scale = 0.5
disk.sync = { quantiles = { p0 = "1us", p50 = "5us", "p99.9" = "2ms", p100 = "3ms" } }
memory = { worker = "60MiB", thread = "10kB" }
[load]
users = 3
think_time = { low = "1ms", high = "3ms" }
stages = [{ duration = "30s", target = 100 }, { duration = "1m", target = 0 }]
warmup = "10s"
timeout = "never"
[cpu]
cores = 2
speed = 1.5
quota = { budget = "50ms", period = "100ms" }
[service]
server = "gunicorn"
concurrency = "async"
workers = 4
limit_concurrency = 100
[database]
engine = "postgres"
round_trip = "0.25ms"
connections = { kind = "pool", size = 5, timeout = "never" }
hold = "request"
[upstream.partner]
latency = { p50 = "200ms", p99 = "1s" }
failures = "0.3%"
max_connections = 10
retries = 2
backoff_factor = 1.5
[[endpoint]]
name = "quote"
weight = 12.5
steps = [
  { cpu = "1ms" },
  { transaction = [{ read = "a" }, { write = "b" }], begin = "immediate" },
  { gather = [{ call = "partner" }, { sleep = "2ms" }] },
]
[[endpoint]]
name = "list"
weight = 0
concurrency = "blocking"
steps = [{ read = "a" }, { block = "5s" }]
"#;

/// Words that mean something somewhere.
pub(super) const WORDS: &[&str] = &[
    "extends",
    "question",
    "seed",
    "costs",
    "knob",
    "published",
    "load",
    "cpu",
    "service",
    "database",
    "upstream",
    "endpoint",
    "users",
    "rate",
    "think_time",
    "spacing",
    "max_users",
    "stages",
    "warmup",
    "duration",
    "timeout",
    "keep_alive",
    "cores",
    "speed",
    "scheduler",
    "slice",
    "tick",
    "quota",
    "server",
    "concurrency",
    "workers",
    "threads",
    "engine",
    "journal_mode",
    "pragmas",
    "connections",
    "kind",
    "size",
    "partner",
    "quote",
    "list",
    "latency",
    "failures",
    "p50",
    "p99",
    "mean",
    "low",
    "high",
    "quantiles",
    "p0",
    "p100",
    "max_in_flight",
    "weight",
    "name",
    "steps",
    "read",
    "write",
    "call",
    "gather",
    "transaction",
    "begin",
    "request",
    "query",
    "default",
    "async",
    "about",
    "interpreter",
    "lock",
    "\"none\"",
    "\"never\"",
    "none",
    "never",
    "\"sqlite\"",
    "\"postgres\"",
    "\"pool\"",
    "\"axum\"",
    "\"inherit\"",
    "true",
    "false",
    "{}",
    "[]",
    "\"0s\"",
    "\"1ms\"",
    "\"200/s\"",
    "\"5%\"",
    "{ p50 = \"1s\", p99 = \"2s\" }",
    "1e400",
    "nan",
    "-0.0",
    "9223372036854775807",
    "\"999999h\"",
    "\"\"",
    "\"\\u0000\"",
    "\"a.b\"",
];

#[test]
fn other_costs_bring_what_their_client_keeps_unless_the_scenario_says_it() {
    let text = r#"
        costs = { cpu.request = "1ms", client.kept = 5 }
        load = { users = 10, duration = "60s" }
        service.concurrency = "async"
        upstream.plain = { latency = "1s" }
        upstream.named = { latency = "1s", client = "httpx" }
        upstream.written = { latency = "1s", kept = 3 }
        endpoint = [{ name = "hello", weight = 1 }]
    "#;
    let mut scenario = load_text("hello", text, &[]).expect("a scenario").scenario;
    let kept = |scenario: &crate::scenario::Scenario| {
        scenario.upstreams.iter().map(|upstream| upstream.kept).collect::<Vec<_>>()
    };
    assert_eq!(kept(&scenario), [Some(5), Some(20), Some(3)]);
    let mut costs = scenario.costs.clone();
    costs.client.kept = Some(7);
    scenario.set_costs(costs);
    assert_eq!(kept(&scenario), [Some(7), Some(20), Some(3)]);
}
