//! The answers of the servers and their measurement.

use rustix::process::Signal;

use super::python::options;
use crate::shop::Shop;

use crate::support::Lab;
use testkit::get;

const MIX: &str = r#"
    load = { users = 6, warmup = "500ms", duration = "1500ms" }
    [service]
    concurrency = "async"
    [database]
    journal_mode = "wal"
    synchronous = "normal"
    pragmas = 3
    connections = { kind = "pool", size = 3, overflow = 2 }
    [upstream.partner]
    latency = { p50 = "10ms", p99 = "40ms" }
    max_connections = 4
    max_in_flight = 8
    [[endpoint]]
    name = "list"
    weight = 2
    steps = [{ read = "item" }, { cpu = { p50 = "0.5ms", p99 = "2ms" } }]
    [[endpoint]]
    name = "order"
    weight = 1
    steps = [{ transaction = [{ read = "item" }, { write = "order" }], begin = "immediate" }]
    [[endpoint]]
    name = "quote"
    weight = 2
    steps = [
        { block = "1ms" },
        { gather = [{ call = "partner" }, { sleep = "5ms" }, { read = "item" }] },
    ]
"#;

#[test]
fn every_model_on_every_server_is_served_and_accounted_for() {
    let Some(on) = options() else { return };
    let lab = Lab::new(MIX);
    for (model, server, workers) in [
        ("async", "uvicorn", 1),
        ("threadpool", "uvicorn", 2),
        ("blocking", "gunicorn", 1),
        ("async", "gunicorn", 2),
    ] {
        let sets = format!(
            "--set service.concurrency={model} --set service.server={server} \
             --set service.workers={workers}"
        );
        let kept = lab.run(&format!("{on} {sets}"));
        kept.has_errors_of(&[]);
        let (report, measurement) = (&kept.report, kept.measurement());
        assert_eq!(measurement.target, "fastapi");
        for library in ["python", "fastapi", "uvicorn", "gunicorn", "sqlalchemy", "httpx"] {
            assert!(measurement.versions.contains_key(library), "{:?}", measurement.versions);
        }
        assert_eq!(measurement.malformed, 0, "{sets}");
        let classes = report.classes.iter();
        assert!(classes.clone().all(|class| class.throughput.value > 0.0), "{sets}");
        let workers_seen =
            measurement.processes.iter().filter(|process| process.name.starts_with("worker"));
        assert_eq!(workers_seen.clone().count(), workers, "{sets}");
        assert!(workers_seen.clone().all(|process| process.memory > 0), "{sets}");
        assert!(workers_seen.map(|process| process.cpu).sum::<f64>() > 0.0, "{sets}");
        let seen = |place: &str| report.time.iter().any(|part| part.place.to_string() == place);
        for place in ["loop", "cpu", "block", "upstream partner"] {
            assert!(seen(place), "{sets}: {:?}", report.time);
        }
        let threads = kept.station("threads").is_some();
        assert_eq!(threads, model == "threadpool", "{sets}");
        // With one handler at a time there is no lock to wait for.
        let lock = ["database lock"].into_iter().filter(|_| model != "blocking");
        let stations = ["loop", "database pool", "upstream partner connections"];
        for name in stations.into_iter().chain(lock) {
            assert!(kept.station(name).is_some_and(|one| one.visits > 0.0), "{sets}: {name}");
        }
    }
}

/// One user, whose requests take as long as was drawn for them.
const DRAWN: &str = r#"
    load = { users = 1, duration = "2s" }
    service.concurrency = "async"
    endpoint = [{ name = "nap", weight = 1, steps = [{ sleep = { low = "10ms", high = "400ms" } }] }]
"#;

#[test]
fn python_draws_what_the_model_draws() {
    let Some(on) = options() else { return };
    let lab = Lab::new(DRAWN);
    let kept = lab.run(&on);
    let text = std::fs::read_to_string(lab.path("shop.toml")).expect("it is ours");
    let scenario = model::read::load_text("shop", &text, &[]).expect("a scenario").scenario;
    let purpose = model::stream::Purpose::new(scenario.seed, "sleep@nap/0");
    let model::scenario::Step::Sleep(time) = &scenario.endpoints[0].steps[0] else {
        panic!("its only step sleeps")
    };
    let count = kept.report.run.samples;
    let drawn: f64 = (0..count).map(|index| time.sample(purpose.draw(0, index)).secs_f64()).sum();
    let mean =
        kept.report.time.iter().find(|part| part.place.to_string() == "sleep").expect("it sleeps");
    let slept = mean.seconds * count as f64;
    // No sleep is shorter than it should be. A tenth of a second more for each, half as much as
    // the mean, is the most that a busy machine may add.
    assert!(slept >= drawn * 0.99, "{slept} {drawn}");
    assert!(slept < drawn + 0.1 * count as f64, "{slept} {drawn}");
}

/// Writers that do not wait for each other.
const WRITERS: &str = r#"
    load = { users = 6, duration = "1s" }
    service.concurrency = "threadpool"
    database = { journal_mode = "delete", busy_timeout = "0s" }
    [[endpoint]]
    name = "order"
    weight = 1
    steps = [{ transaction = [{ write = "order" }, { write = "order" }], begin = "immediate" }]
"#;

#[test]
fn a_locked_database_is_counted_as_such() {
    let Some(on) = options() else { return };
    let lab = Lab::new(WRITERS);
    let kept = lab.run(&on);
    kept.has_errors_of(&["database_busy"]);
    assert!(kept.report.run.samples > 0);
    let kept = lab.run(&format!("{on} --set database.busy_timeout=1h"));
    kept.has_errors_of(&[]);
    let lock = kept.station("database lock").expect("writers visit it");
    assert!(lock.waiting_time_mean > 0.0 && lock.utilisation > 0.0, "{lock:?}");
}

/// One connection to the database, and calls of an upstream.
const SCARCE: &str = r#"
    load = { users = 6, think_time = "1ms", duration = "1s" }
    service.concurrency = "async"
    upstream.partner.latency = "60ms"
    [database]
    connections = { kind = "pool", size = 1, overflow = 0, timeout = "60s" }
    [[endpoint]]
    name = "quote"
    weight = 1
    steps = [{ read = "item" }, { call = "partner" }]
"#;

#[test]
fn failures_have_their_kinds() {
    let Some(on) = options() else { return };
    let lab = Lab::new(SCARCE);
    let cases = [
        // The only connection waits for the upstream.
        ("database.hold=request database.connections.timeout=20ms", "pool_timeout"),
        // Long enough that even a worker that is kept waiting sees the timeout first.
        ("upstream.partner.latency=20s upstream.partner.timeout=20ms", "upstream_timeout"),
        ("upstream.partner.failures=50%", "upstream_failed"),
        ("upstream.partner.capacity=1 upstream.partner.queue=0", "upstream_refused"),
        (
            "upstream.partner.max_connections=1 upstream.partner.pool_timeout=20ms",
            "connection_timeout",
        ),
        ("service.limit_concurrency=4", "rejected"),
    ];
    for model in ["async", "threadpool"] {
        for (sets, kind) in cases {
            let sets: String = sets.split_whitespace().map(|set| format!(" --set {set}")).collect();
            let kept = lab.run(&format!("{on} --set service.concurrency={model}{sets}"));
            kept.has_errors_of(&[kind]);
            let good = kept.report.run.samples > 0;
            assert_eq!(good, kind != "upstream_timeout", "{model}: {sets}");
        }
    }
}

/// Users of two endpoints, beside a probe and what was recorded.
const GROUPS: &str = r#"
    service.concurrency = "async"
    upstream.partner.latency = "5ms"
    [load]
    duration = "2s"
    [[load.group]]
    name = "page"
    users = 4
    think_time = { mean = "20ms" }
    mix = [{ endpoint = "quote", weight = 3 }, { endpoint = "list" }]
    [[load.group]]
    name = "probe"
    rate = "20/s"
    spacing = "even"
    keep_alive = false
    mix = [{ endpoint = "health" }]
    [[load.group]]
    name = "recorded"
    trace = "0,list\n0.25,quote\n0.25,list\n1.2,list\n"
    [[endpoint]]
    name = "quote"
    weight = 1
    steps = [{ call = "partner" }]
    [[endpoint]]
    name = "list"
    weight = 1
    steps = [{ cpu = "0.2ms" }]
    [[endpoint]]
    name = "health"
    weight = 0
"#;

#[test]
fn several_loads_and_a_recorded_one_are_told_apart() {
    let Some(on) = options() else { return };
    let kept = Lab::new(GROUPS).run(&on);
    kept.has_errors_of(&[]);
    let names: Vec<&str> = kept.report.groups.iter().map(|group| &*group.name).collect();
    assert_eq!(names, ["page", "probe", "recorded"]);
    let [page, probe, recorded] = &kept.report.groups[..] else { panic!("three loads") };
    // Arrivals are counted exactly; how often users come round depends on the machine.
    assert_eq!((probe.sent, probe.dropped), (40.0, 0.0));
    assert_eq!((recorded.sent, recorded.dropped), (4.0, 0.0));
    assert!(page.sent > 0.0 && page.throughput.value > 0.0);
    let of = |name: &str| {
        let class = kept.report.classes.iter().find(|class| class.name == name);
        class.map_or(0.0, |class| class.throughput.value)
    };
    // Only the probe calls it.
    assert!((of("health") - probe.throughput.value).abs() < 1e-9);
    let all = page.throughput.value + probe.throughput.value + recorded.throughput.value;
    assert!((all - kept.report.throughput.value).abs() < 1e-6 * all);
}

#[test]
fn a_service_by_itself_answers_a_visitor_and_leaves_nothing() {
    let Some(on) = options() else { return };
    let shop = Shop::new();
    let words = format!("serve shop.toml --port {} {on}", shop.port);
    let mut serve = shop.lab.start(&words);
    assert_eq!(serve.address(), shop.address());
    let reply = get(shop.address(), "/quote", "").expect("it answers");
    assert!(reply.starts_with("HTTP/1.1 200 OK\r\n"), "{reply}");
    assert!(reply.contains("rung-time: "), "{reply}");
    serve.signal(Signal::INT);
    serve.ended().with_code(0);
    shop.is_gone(0);
}
