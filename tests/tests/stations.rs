//! Numbers of stations and bounds as a report gives them, worked out by hand.
#![allow(clippy::unwrap_used)]

use model::report::{Report, Station};
use sim::predict::{Experiment, predict};
use sim::replicate::Effort;

fn report(text: &str, experiment: Experiment) -> Report {
    let resolved = model::read::load_text("stations", text, &[]).unwrap();
    let effort = Effort { replications: 4, precision: None, ..Effort::default() };
    predict(&resolved, &effort, experiment, &mut |_| {}).unwrap()
}

fn station<'r>(report: &'r Report, name: &str) -> &'r Station {
    report.stations.iter().find(|station| station.id.to_string() == name).unwrap()
}

fn part(report: &Report, place: &str) -> f64 {
    report.time.iter().find(|part| part.place.to_string() == place).map_or(0.0, |part| part.seconds)
}

fn near(found: f64, wanted: f64, share: f64) {
    assert!((found - wanted).abs() <= share * wanted, "{found} is not {wanted}");
}

/// A service under open, Poisson load whose one endpoint does `steps`.
fn open(rate: u32, more: &str, steps: &str) -> String {
    format!(
        "[load]\nrate = \"{rate}/s\"\nwarmup = \"20s\"\nduration = \"400s\"\n\
         [service]\nconcurrency = \"async\"\n{more}\n\
         [[endpoint]]\nname = \"one\"\nweight = 1\nsteps = [{steps}]\n[costs]\n"
    )
}

/// Every request goes once through the station: its wait per visit is its wait per request.
fn one_visit_each(report: &Report, name: &str, place: &str) {
    let station = station(report, name);
    near(station.visits, report.throughput.value, 0.01);
    near(station.waiting_time_mean, part(report, place), 0.03);
    // Little's law for requests that wait and requests that are served.
    let served = station.utilisation * station.capacity.unwrap() as f64;
    near(station.in_flight_mean, station.visits * station.waiting_time_mean + served, 1e-6);
}

#[test]
fn a_handed_over_semaphore_slot_is_a_visit() {
    let upstream = "[upstream.up]\nlatency = { mean = \"100ms\" }\nmax_in_flight = 1";
    let report = report(&open(8, upstream, "{ call = \"up\" }"), Experiment::None);
    assert!(part(&report, "upstream up semaphore") > 0.1, "most have to wait");
    one_visit_each(&report, "upstream up semaphore", "upstream up semaphore");
}

#[test]
fn a_handed_over_connection_is_a_visit() {
    let pool = "[database]\nconnections = { kind = \"pool\", size = 1, overflow = 0 }\n\
                hold = \"request\"";
    let text = open(8, pool, "{ read = \"item\" }, { sleep = { mean = \"100ms\" } }");
    let text = text + "query.default.engine = \"1us\"\n";
    let report = report(&text, Experiment::None);
    one_visit_each(&report, "database pool", "database pool");
}

#[test]
fn an_idle_database_server_makes_no_one_wait() {
    let server = "[database]\nengine = \"postgres\"\ncores = 4\nround_trip = \"10ms\"";
    let text = open(10, server, "{ read = \"item\" }");
    let report = report(&(text + "query.default.engine = \"10ms\"\n"), Experiment::None);
    let station = station(&report, "database server");
    assert!(station.waiting_time_mean < 1e-4, "{station:?}");
    near(station.visits, 10.0, 0.05);
    near(station.utilisation, 10.0 * 0.01 / 4.0, 0.05);
    near(report.bounds[0].throughput, 10.0, 1e-9);
    let cores = report.bounds.iter().find(|bound| bound.name == "database.cores").unwrap();
    near(cores.throughput, 400.0, 1e-9);
}

#[test]
fn a_cpu_visit_is_a_stretch_of_work_however_many_turns_it_takes() {
    // Two workers share the CPU in slices of 1 ms; each request works 20 ms in one stretch.
    let text = open(
        30,
        "workers = 2\nspread = \"round-robin\"\n[cpu]\nslice = \"1ms\"",
        "{ cpu = \"20ms\" }",
    );
    let report = report(&text, Experiment::None);
    let cpu = station(&report, "cpu");
    near(cpu.visits, report.throughput.value, 0.01);
    near(cpu.waiting_time_mean, part(&report, "cpu wait"), 0.03);
    near(cpu.utilisation, 0.6, 0.03);
}

#[test]
fn a_saturated_loop_that_never_sleeps_is_counted_all_the_same() {
    let text = "[load]\nusers = 20\nduration = \"20s\"\n[service]\nconcurrency = \"async\"\n\
                [[endpoint]]\nname = \"one\"\nweight = 1\nsteps = [{ cpu = \"10ms\" }]\n[costs]\n";
    let report = report(text, Experiment::None);
    near(station(&report, "cpu").visits, 100.0, 1e-3);
    near(station(&report, "loop").visits, 100.0, 0.02);
}

#[test]
fn parallel_calls_hold_the_connection_once_not_in_a_row() {
    let text = "[load]\nusers = 50\nwarmup = \"10s\"\nduration = \"100s\"\n\
                [service]\nconcurrency = \"async\"\n[upstream.up]\nlatency = \"1s\"\n\
                [database]\nhold = \"request\"\n\
                connections = { kind = \"pool\", size = 5, overflow = 0 }\n\
                [[endpoint]]\nname = \"one\"\nweight = 1\nsteps = [{ read = \"item\" }, \
                { gather = [{ call = \"up\" }, { call = \"up\" }, { call = \"up\" }] }]\n\
                [costs]\nquery.default.engine = \"1us\"\n";
    let report = report(text, Experiment::None);
    let bound = report.bounds.iter().find(|b| b.name == "database.connections").unwrap();
    near(bound.throughput, 5.0, 1e-4);
    near(report.throughput.value, 5.0, 0.02);
}

#[test]
fn a_context_switch_longer_than_the_slice_leaves_room_for_work() {
    let text = open(
        10,
        "workers = 2\nspread = \"round-robin\"\n[cpu]\nslice = \"1ms\"",
        "{ cpu = \"10ms\" }",
    );
    let report = report(&(text + "machine.context_switch = \"2ms\"\n"), Experiment::None);
    near(report.throughput.value, 10.0, 0.05);
}

#[test]
fn the_quota_and_the_cap_on_users_are_limits_that_can_be_named() {
    let text =
        open(50, "[cpu]\nquota = { budget = \"20ms\", period = \"100ms\" }", "{ cpu = \"10ms\" }");
    let report_of_quota = report(&text, Experiment::Path(None));
    assert_eq!(report_of_quota.bottleneck.unwrap().knob, "cpu.quota.budget");

    let text = open(100, "", "{ sleep = \"100ms\" }").replace("warmup", "max_users = 5\nwarmup");
    let capped = report(&text, Experiment::Path(None));
    assert!(capped.arrivals.dropped > 0.0);
    assert_eq!(capped.bottleneck.unwrap().knob, "load.max_users");
}

#[test]
fn a_precision_that_is_not_reached_is_said() {
    let resolved =
        model::read::load_text("p", &open(10, "", "{ cpu = { mean = \"10ms\" } }"), &[]).unwrap();
    let effort =
        Effort { replications: 4, replications_max: 8, precision: Some(1e-6), ..Effort::default() };
    let report = predict(&resolved, &effort, Experiment::None, &mut |_| {}).unwrap();
    assert!(
        report.warnings.iter().any(|warning| warning.contains("8 runs")),
        "{:?}",
        report.warnings
    );
}

#[test]
fn arrivals_that_outrun_the_service_are_not_said_to_be_kept_up_with() {
    let text = open(150, "", "{ cpu = \"10ms\" }").replace("400s", "30s");
    let resolved = model::read::load_text("fast", &text, &[]).unwrap();
    let effort = Effort { replications: 2, precision: None, ..Effort::default() };
    let report = predict(&resolved, &effort, Experiment::None, &mut |_| {}).unwrap();
    near(report.arrivals.rate, 150.0, 0.05);
    near(report.throughput.value, 100.0, 0.01);
    let text = render::Answer::page(&report).text(render::Paint::default());
    assert!(text.contains("falls behind"), "{text}");
}

/// What people see of a scenario with `load` whose one endpoint does `steps`.
fn told(load: &str, steps: &str) -> (Report, String) {
    let text = format!(
        "service.concurrency = \"async\"\ncosts = {{}}\nload = {{ {load} }}\n\
         endpoint = [{{ name = \"poll\", weight = 1, steps = [{steps}] }}]"
    );
    let report = report(&text, Experiment::None);
    let page = render::Answer::page(&report).text(render::Paint::default());
    (report, page)
}

#[test]
fn only_queues_that_grow_fall_behind() {
    // 100 users who wait 10 s each for a reply that nothing else holds up: at the end of a
    // minute 100 of 600 requests are under way, as they were ten seconds after its start.
    let (report, text) = told("users = 100, duration = \"60s\"", "{ sleep = \"10s\" }");
    assert!(report.falls_behind.is_none() && !text.contains("falls behind"), "{text}");
    // The same as arrivals.
    let (report, text) = told("rate = \"10/s\", duration = \"60s\"", "{ sleep = \"10s\" }");
    assert!(report.falls_behind.is_none() && !text.contains("falls behind"), "{text}");
    // Many users of one processor wait long, and each for no more than all the others.
    let (report, text) = told("users = 1000, duration = \"20s\"", "{ cpu = \"100ms\" }");
    assert!(report.falls_behind.is_none() && !text.contains("falls behind"), "{text}");
    // A queue that is long, and comes to its length: 95 % of the processor is used.
    let (report, text) = told("rate = \"95/s\", duration = \"400s\"", "{ cpu = \"10ms\" }");
    assert!(report.falls_behind.is_none() && !text.contains("falls behind"), "{text}");
    // 110 come and 100 can be served: ten more wait each second.
    let (report, text) =
        told("rate = \"110/s\", duration = \"200s\", timeout = \"never\"", "{ cpu = \"10ms\" }");
    near(report.falls_behind.unwrap().value, 10.0, 0.15);
    assert!(text.contains("falls behind"), "{text}");
}

#[test]
fn a_crowd_beyond_memory_ends_the_run_with_advice() {
    let text = open(150, "", "{ cpu = \"10ms\" }").replace("150/s", "1000000000/s");
    let resolved = model::read::load_text("crowd", &text, &[]).unwrap();
    let error = sim::replicate::replicate(&resolved.scenario, 0, u64::MAX).unwrap_err();
    assert!(error.to_string().contains("load.max_users"), "{error}");
    // `max_users` is refused beside `users`.
    let closed =
        sim::engine::Runaway::TooManyInFlight { at: model::units::Instant::START, closed: true };
    let error = closed.to_string();
    assert!(error.contains("load.users") && !error.contains("max_users"), "{error}");
}
