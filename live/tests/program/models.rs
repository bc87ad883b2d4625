//! The three concurrency models: the same work, different waits.

use model::report::Class;

use crate::support::{Kept, Lab};

const SHOP: &str = r#"
    load = { users = 6, think_time = "5ms", warmup = "200ms", duration = "1s" }
    service.concurrency = "async"
    database.journal_mode = "wal"
    upstream.partner = { latency = "30ms", max_in_flight = 20, max_connections = 10 }
    endpoint = [
        { name = "list", weight = 2, steps = [{ read = "items" }] },
        { name = "order", weight = 2, steps = [{ cpu = "0.2ms" }, { write = "order" }] },
        { name = "get quote", weight = 2, steps = [{ call = "partner" }, { sleep = "1ms" }] },
    ]
"#;

/// All answers are good, and the stations are those of a prediction.
fn serves_everything(concurrency: &str, journal: &str) {
    let lab = Lab::new(SHOP);
    let sets = [
        &*format!("service.concurrency={concurrency}"),
        &format!("database.journal_mode={journal}"),
    ];
    let kept = lab.run(&format!("--set {} --set {}", sets[0], sets[1]));
    let report = &kept.report;
    kept.has_errors_of(&[]);
    assert_eq!(report.digest, lab.resolved(&sets).digest());
    let names: Vec<&str> = report.classes.iter().map(|class| &*class.name).collect();
    assert_eq!(names, ["list", "order", "get quote"]);
    for Class { name, throughput, response_time, .. } in &report.classes {
        assert!(throughput.value > 0.0 && response_time.p50 > 0.0, "{name}");
    }
    let stations: Vec<String> =
        report.stations.iter().map(|station| station.id.to_string()).collect();
    let mut expected = vec!["cpu", "loop"];
    expected.extend((concurrency == "threadpool").then_some("threads"));
    expected.extend(["database pool", "database lock", "disk"]);
    expected.extend([
        "upstream partner semaphore",
        "upstream partner connections",
        "upstream partner",
    ]);
    assert_eq!(stations, expected);
    // Its callers wait at least as long as the upstream takes.
    assert!(kept.class("get quote").response_time.p50 >= 0.031);
    let upstream = seconds(kept.class("get quote"), "upstream partner");
    assert!(upstream >= 0.030, "{upstream}");
    assert_eq!(seconds(kept.class("list"), "upstream partner"), 0.0);
    assert!(seconds(kept.class("get quote"), "sleep") >= 0.001);
}

/// The mean time that requests of a class spent at one place.
fn seconds(class: &Class, place: &str) -> f64 {
    class.time.iter().filter(|part| part.place.to_string() == place).map(|part| part.seconds).sum()
}

const MODELS: [&str; 3] = ["blocking", "threadpool", "async"];

#[test]
fn every_model_serves_with_a_rollback_journal() {
    MODELS.iter().for_each(|concurrency| serves_everything(concurrency, "delete"));
}

#[test]
fn every_model_serves_with_a_write_ahead_log() {
    MODELS.iter().for_each(|concurrency| serves_everything(concurrency, "wal"));
}

#[test]
fn behind_a_slow_upstream_parked_waits_serve_more() {
    let lab = Lab::new(
        r#"
        load = { users = 12, warmup = "100ms", duration = "2s" }
        service.concurrency = "blocking"
        upstream.partner.latency = "60ms"
        endpoint = [{ name = "quote", weight = 1, steps = [{ call = "partner" }] }]
        "#,
    );
    // Calls under way, mean over time: on a slow machine too, they are at most as many as may wait.
    let calls = |options: &str| {
        let kept = lab.run(options);
        kept.station("upstream partner").expect("it is called").in_flight_mean
    };
    let blocking = calls("");
    let few_threads = calls("--set service.concurrency=threadpool --set service.threads=3");
    let threads = calls("--set service.concurrency=threadpool");
    let parked = calls("--set service.concurrency=async");
    assert!(blocking < 1.01, "one call at a time: {blocking}");
    assert!(few_threads > 1.01 && few_threads < 3.01, "three threads: {few_threads}");
    assert!(threads > 1.01 && parked > 1.01, "twelve at a time: {threads} and {parked}");
}

#[test]
fn an_endpoint_may_wait_in_a_way_of_its_own() {
    let lab = Lab::new(
        r#"
        load = { users = 4, duration = "1s" }
        service = { concurrency = "async", threads = 1 }
        endpoint = [
            { name = "parked", weight = 1, steps = [{ sleep = "10ms" }] },
            { name = "pooled", weight = 1, concurrency = "threadpool", steps = [{ sleep = "10ms" }] },
        ]
        "#,
    );
    let kept = lab.run("");
    kept.has_errors_of(&[]);
    let threads = kept.station("threads").expect("it is visited");
    assert!(threads.utilisation > 0.0 && threads.capacity == Some(1), "{threads:?}");
    // One thread for half of four users: only pooled requests queue for it.
    assert!(seconds(kept.class("pooled"), "threads") > 0.0);
    assert_eq!(seconds(kept.class("parked"), "threads"), 0.0);
}

#[test]
fn a_blocking_step_holds_up_every_request_on_its_loop() {
    let lab = |step: &str| {
        Lab::new(&format!(
            r#"
            load = {{ users = 6, warmup = "200ms", duration = "1s" }}
            service.concurrency = "async"
            endpoint = [
                {{ name = "fine", weight = 1, steps = [{{ sleep = "1ms" }}] }},
                {{ name = "bug", weight = 1, steps = [{{ {step} = "30ms" }}] }},
            ]
            "#
        ))
    };
    let (blocked, parked) = (lab("block").run(""), lab("sleep").run(""));
    // Six users share a loop that one in two of them blocks for 30 ms: on average each is
    // six times 15 ms on its way, and all but its own time it waits for the loop.
    let waits = seconds(blocked.class("fine"), "loop");
    assert!(waits > 0.03, "{waits}");
    assert!(seconds(blocked.class("bug"), "block") >= 0.03);
    assert!(parked.report.run.samples > blocked.report.run.samples);
    // The median: the worst lateness of timers depends on the machine.
    let lag = |kept: &Kept| kept.measurement().loop_lag.p50;
    assert!(lag(&blocked) > lag(&parked), "{} and {}", lag(&blocked), lag(&parked));
    assert!(blocked.measurement().loop_lag.p99 > 0.01);
}

#[test]
fn branches_run_at_the_same_time_only_where_waits_are_parked() {
    let lab = Lab::new(
        r#"
        load = { users = 1, duration = "1500ms" }
        service.concurrency = "async"
        upstream.partner.latency = "60ms"
        [[endpoint]]
        name = "compare"
        weight = 1
        steps = [{ gather = [{ call = "partner" }, { call = "partner" }, { call = "partner" }] }]
        "#,
    );
    let measured = |concurrency: &str| {
        let command =
            format!("run shop.toml --format json --set service.concurrency={concurrency}");
        lab.measures(&command).json::<model::report::Report>()
    };
    let together = measured("async");
    for concurrency in ["blocking", "threadpool"] {
        let in_a_row = measured(concurrency);
        assert!(in_a_row.response_time.p50 >= 0.18, "{concurrency}");
        assert!(in_a_row.run.samples < together.run.samples, "{concurrency}");
    }
    let upstream =
        together.stations.iter().find(|station| station.id.to_string() == "upstream partner");
    // Sequential calls would never be more than one.
    assert!(upstream.expect("it is called").in_flight_mean > 1.0, "{upstream:?}");
}
