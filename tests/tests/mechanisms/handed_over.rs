//! Work that a loop hands to the thread of a connection, and how it gets the result.

use model::report::Report;
use sim::predict::{Experiment, predict};
use sim::replicate::Effort;

/// A full loop. Its requests compute for as long, whether they read between or not.
const SHOP: &str = r#"
    load = { users = 20, think_time = "0s", warmup = "1s", duration = "10s" }
    service = { concurrency = "async", event_loop = "tokio" }
    database = { journal_mode = "wal", connections = { kind = "pool", size = 20 } }
    [costs]
    interpreter.lock = false
    query.default.engine = "20us"
    [[endpoint]]
    name = "plain"
    weight = 1
    steps = [{ cpu = "2ms" }]
    [[endpoint]]
    name = "reads"
    weight = 1
    steps = [{ cpu = "1ms" }, { read = "item" }, { cpu = "1ms" }]
"#;

fn report(sets: &[&str]) -> Report {
    let sets: Vec<String> = sets.iter().map(|set| set.to_string()).collect();
    let resolved = model::read::load_text("shop", SHOP, &sets).unwrap();
    let effort =
        Effort { replications: 3, replications_max: 3, precision: None, ..Effort::default() };
    predict(&resolved, &effort, Experiment::None, &mut |_| {}).unwrap()
}

/// How many milliseconds longer a request takes that reads.
fn longer(sets: &[&str]) -> f64 {
    let report = report(sets);
    let mean = |name: &str| {
        let class = report.classes.iter().find(|class| class.name == name).unwrap();
        class.response_time.mean
    };
    (mean("reads") - mean("plain")) * 1e3
}

/// The shortest callback: a request that has to wait for a place in the queue waits for one at least, in the
/// mean, since the loop is always full.
const SHORTEST: f64 = 1.0;

#[test]
fn a_result_that_is_there_at_once_needs_no_place_in_the_queue() {
    let waits = longer(&["cpu.scheduler=round-robin"]);
    assert!(waits > SHORTEST, "{waits} ms");
    // The thread of the connection takes the processor as it is woken, and is done before the loop looks.
    let at_once = longer(&["cpu.scheduler=eevdf"]);
    assert!(at_once < SHORTEST, "{at_once} ms");
    // asyncio learns of it from its queue alone.
    let asyncio = longer(&["cpu.scheduler=eevdf", "service.event_loop=asyncio"]);
    assert!(asyncio > SHORTEST, "{asyncio} ms");
}
