//! Open load, and load that rises.

use model::scenario::Source;
use model::stream::{Draws, replication_seed};
use model::workload::Arrivals;

use crate::support::Lab;

fn arriving(load: &str) -> Lab {
    Lab::new(&format!(
        r#"
        load = {{ {load} }}
        service.concurrency = "async"
        upstream.partner.latency = "60ms"
        endpoint = [{{ name = "quote", weight = 1, steps = [{{ call = "partner" }}] }}]
        "#
    ))
}

#[test]
fn arrivals_that_find_every_user_busy_are_dropped() {
    let kept =
        arriving(r#"rate = "100/s", spacing = "even", max_users = 2, duration = "1s""#).run("");
    kept.has_errors_of(&[]);
    let accounting = &kept.measurement().accounting;
    // Every arrival of the schedule is sent or dropped.
    assert_eq!(accounting.sent + accounting.dropped, 100, "{accounting:?}");
    // Two users need 60 ms for each answer: not forty of a hundred are let in.
    assert!(accounting.dropped >= 60 && accounting.good > 0, "{accounting:?}");
    assert!(kept.report.in_flight.peak <= 2);
}

#[test]
fn every_arrival_of_an_open_load_is_sent() {
    let kept =
        arriving(r#"rate = "50/s", spacing = "even", warmup = "200ms", duration = "1s""#).run("");
    kept.has_errors_of(&[]);
    let accounting = &kept.measurement().accounting;
    assert_eq!((accounting.sent, accounting.dropped), (60, 0));
    assert_eq!(kept.report.arrivals.sent, 50.0);
    assert_eq!(kept.report.arrivals.rate, 50.0);
}

#[test]
fn recorded_arrivals_are_replayed_in_each_round() {
    let lab = Lab::new(
        r#"
        load = { trace = "log/day.csv", warmup = "200ms", duration = "800ms" }
        service.concurrency = "async"
        upstream.partner.latency = "10ms"
        endpoint = [{ name = "GET /quote/{id}", weight = 1, steps = [{ call = "partner" }] },
                    { name = "POST /order", weight = 1, steps = [{ cpu = "1ms" }] }]
        "#,
    );
    let line = |i: u32| match i % 4 {
        3 => format!("{},POST /order\n", f64::from(i) * 0.025),
        _ => format!("{},GET /quote/{i}\n", f64::from(i) * 0.025),
    };
    // The last ten come after the end.
    let lines: String = (0..50).map(line).collect();
    std::fs::create_dir(lab.path("log")).expect("a folder of ours");
    lab.write("log/day.csv", &format!("time,request\n{lines}"));
    let kept = lab.run("--repeat 2");
    kept.has_errors_of(&[]);
    let accounting = &kept.measurement().accounting;
    assert_eq!((accounting.sent, accounting.dropped), (2 * 40, 0));
    assert_eq!((kept.report.arrivals.sent, kept.report.arrivals.rate), (32.0, 40.0));
    // What was kept is whole: the folder has the arrivals too.
    let again = model::read::load(&kept.folder.join("scenario.toml"), &[]).expect("sound");
    assert_eq!(again.scenario.load, lab.resolved(&[]).scenario.load);
}

#[test]
fn the_arrivals_of_each_round_are_those_of_its_seed() {
    let lab = arriving(r#"rate = "80/s", duration = "1s""#);
    let scenario = lab.resolved(&["seed=4"]).scenario;
    let Source::Open { rate, spacing, .. } = &scenario.load.source else {
        panic!("it is open");
    };
    let sent = |round: u32| {
        let mut arrivals = Arrivals::new(replication_seed(4, round), rate, *spacing, None);
        let mut draws = Draws::new();
        let instants = std::iter::from_fn(|| arrivals.next(&mut draws));
        instants.take_while(|(_, at)| at.nanos() < scenario.load.duration.nanos()).count() as u64
    };
    let rounds: u64 = (0..3).map(sent).sum();
    assert_ne!(rounds, 3 * sent(0), "else nothing is tested");
    let kept = lab.run("--seed 4 --repeat 3");
    assert_eq!(kept.measurement().accounting.sent, rounds);
}

#[test]
fn users_come_and_go_as_the_stages_say() {
    let stages = r#"users = 0, stages = [
        { duration = "500ms", target = 6 }, { duration = "500ms", target = 6 },
        { duration = "500ms", target = 0 },
    ]"#;
    let kept = arriving(&stages.replace('\n', " ").replace("}, ]", "}]")).run("");
    kept.has_errors_of(&[]);
    assert!(kept.report.run.samples > 0);
    assert!((1..=6).contains(&kept.report.in_flight.peak), "{}", kept.report.in_flight.peak);
    assert_eq!(kept.report.run.duration, 1.5);
}
