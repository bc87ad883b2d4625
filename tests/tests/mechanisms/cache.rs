//! Work that a worker has not done for long costs more CPU time: its data has left the caches.

use super::stage::run_with;

/// The only cost is that of data that the caches have lost.
const COLD: &str = "
    [costs.cache]
    decay = \"10ms\"
    request = \"1ms\"
";

/// Requests of `steps` at regular times for 30 ms.
fn regular(rate: &str, more: &str, steps: &str) -> String {
    format!(
        "load = {{ rate = \"{rate}\", spacing = \"even\", duration = \"30ms\" }}\n\
         service.concurrency = \"async\"\n{more}\n{COLD}\n\
         [[endpoint]]\nname = \"work\"\nweight = 1\nsteps = [{steps}]\n"
    )
}

/// CPU time of all requests in nanoseconds, and how many there were.
fn used(text: &str, sets: &[&str]) -> (u128, usize) {
    let run = run_with(text, &[], sets);
    (run.seen.cpu.cores.area(), run.instants().len())
}

/// The part of a millisecond, in nanoseconds, that data costs that was last used so many
/// milliseconds ago.
fn lost(millis: f64) -> u128 {
    ((1.0 - (-millis / 10.0).exp()) * 1e6).round() as u128
}

#[test]
fn data_not_used_for_long_has_to_be_loaded_again() {
    // At 0, 10 and 20 ms: all data is loaded at first, then what is lost in 10 ms.
    assert_eq!(used(&regular("100/s", "", ""), &[]), (1_000_000 + 2 * lost(10.0), 3));
    let slow = used(&regular("100/s", "", ""), &["costs.cache.decay=\"1s\""]);
    let little = ((1.0 - (-0.01f64).exp()) * 1e6).round() as u128;
    assert_eq!(slow, (1_000_000 + 2 * little, 3), "caches that keep what they have");
    assert_eq!(used(&regular("100/s", "", ""), &["costs.cache.request=\"0s\""]), (0, 3));
}

#[test]
fn data_used_again_soon_has_lost_less_with_a_greater_shape() {
    let after = |rate: &str, shape: &str| {
        let shape = format!("costs.cache.shape={shape}");
        used(&regular(rate, "", ""), &[&shape]).0 - 1_000_000
    };
    // One pause of twice the decay of 10 ms; then five pauses of half of it.
    assert_eq!(after("50/s", "2"), ((1.0 - (-4f64).exp()) * 1e6).round() as u128);
    assert_eq!(after("200/s", "2"), 5 * ((1.0 - (-0.25f64).exp()) * 1e6).round() as u128);
    assert_eq!(after("200/s", "1"), 5 * lost(5.0));
}

#[test]
fn each_worker_and_each_kind_of_work_has_its_own_part() {
    // By turns: each worker's second request comes after 20 ms.
    let two = "service.workers = 2\nservice.spread = \"round-robin\"";
    let fresh = ["load.keep_alive=false"];
    assert_eq!(used(&regular("100/s", two, ""), &fresh), (2 * 1_000_000 + lost(20.0), 3));
    let call = "[upstream.partner]\nlatency = \"1ms\"\n";
    let text = regular("100/s", call, "{ call = \"partner\" }");
    // A call comes after its request's own part, which is shorter the second and third time.
    let (all, _) = used(&text, &["costs.cache.request=\"0s\"", "costs.cache.call=\"1ms\""]);
    assert_eq!(all, 1_000_000 + 2 * lost(10.0));
}

#[test]
fn repeated_work_of_a_request_finds_its_data_in_the_cache() {
    let database = "[database]\nengine = \"sqlite\"\nconnections = { kind = \"pool\" }\n";
    let engine = "costs.query.default.engine=\"0s\"";
    let costs = ["costs.cache.request=\"0s\"", "costs.cache.statement=\"1ms\"", engine];
    let read = "{ read = \"item\" }";
    let once = used(&regular("30/s", database, read), &costs);
    assert_eq!(once, (1_000_000, 1));
    // The second read comes a millisecond after the first has loaded the data.
    let twice = used(&regular("30/s", database, &format!("{read}, {read}")), &costs);
    assert_eq!(twice, (1_000_000 + lost(1.0), 1));
}

#[test]
fn each_concurrency_model_has_its_own_part() {
    let text = regular("30/s", "", "");
    let own = "costs.cache.threadpool.request=\"3ms\"";
    let of = |model: &str| used(&text, &[own, &format!("service.concurrency={model}")]);
    assert_eq!(of("threadpool"), (3_000_000, 1));
    assert_eq!(of("async"), (1_000_000, 1));
    assert_eq!(of("blocking"), (1_000_000, 1));
}

#[test]
fn commits_and_new_connections_have_their_own_costs() {
    let database = "[database]\nengine = \"sqlite\"\nconnections = { kind = \"per-operation\" }\n";
    let zero = "costs.cache.request=\"0s\"";
    let write = regular("30/s", database, "{ write = \"item\" }");
    for key in ["statement", "open", "commit"] {
        let cost = format!("costs.cache.{key}=\"1ms\"");
        let costs = [zero, &cost, "costs.query.default.engine=\"0s\""];
        assert_eq!(used(&write, &costs), (1_000_000, 1), "{key}");
    }
}

#[test]
fn a_log_costs_more_to_open() {
    let database = "[database]\nengine = \"sqlite\"\nconnections = { kind = \"per-operation\" }\n";
    let text = regular("30/s", database, "{ read = \"item\" }");
    let open = |mode: &str| {
        let mode = format!("database.journal_mode={mode}");
        let costs = ["costs.cache.request=\"0s\"", "costs.cpu.open=\"100us\"", &mode];
        let more = ["costs.cpu.log_open=\"50us\"", "costs.query.default.engine=\"0s\""];
        used(&text, &[&costs[..], &more[..]].concat()).0
    };
    assert_eq!((open("delete"), open("wal")), (100_000, 150_000));
}

#[test]
fn data_that_others_displace_costs_those_that_open_a_connection() {
    // Five at once: the first opens its connection when it is alone, the second beside one
    // other request, the rest beside four.
    let used = |users: u32, more: &str, sets: &[&str]| {
        let text = format!(
            "load = {{ users = {users}, duration = \"50ms\" }}\n\
             service.concurrency = \"async\"\n{more}\n\
             [costs]\ncache.crowd = 10\ncpu.crowded_open = \"1ms\"\nquery.default.engine = \"0s\"\n\
             [database]\nengine = \"sqlite\"\nconnections = {{ kind = \"per-operation\" }}\n\
             [[endpoint]]\nname = \"work\"\nweight = 1\nsteps = [{{ read = \"item\" }}, {{ sleep = \"1s\" }}]\n"
        );
        run_with(&text, &[], sets).seen.cpu.cores.area()
    };
    assert_eq!(used(1, "", &[]), 0, "no other request");
    let five = lost(1.0) + 3 * lost(4.0);
    assert_eq!(used(5, "", &[]), five);
    assert_eq!(used(5, "", &["costs.cache.crowd=1e9"]), 0, "caches that have room for all");
    assert_eq!(used(5, "", &["costs.cpu.crowded_open=\"0s\""]), 0);
    // Processes of one processor share its caches, and each processor has its own.
    assert_eq!(used(5, "service.workers = 2", &[]), five);
    assert_eq!(used(5, "cpu.cores = 2", &[]), five, "but one loop runs on one at a time");
    // Half of the others run on the same processor: half of one, of three and twice of four.
    let two = used(5, "service.workers = 2\ncpu.cores = 2", &[]);
    assert_eq!(two, lost(0.5) + lost(1.5) + 2 * lost(2.0));
}
