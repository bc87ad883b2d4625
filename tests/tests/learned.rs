//! The intervals of learned numbers widen the intervals of the answer.
#![allow(clippy::unwrap_used)]

use model::distribution::standard_normal;
use model::report::{Margins, Report};
use model::statistics::Estimate;
use model::stream::Purpose;
use sim::predict::{Experiment, predict};
use sim::replicate::Effort;

/// Four users without a pause on one processor: the throughput at saturation is 1/D.
fn saturated(demand: &str, entries: &str) -> String {
    format!(
        r#"
load = {{ users = 4, duration = "1s", warmup = "200ms" }}
service = {{ server = "axum", concurrency = "async" }}
costs.interpreter.lock = false
endpoint = [{{ name = "work", weight = 1, steps = [{{ cpu = "{demand}" }}] }}]
{entries}"#
    )
}

fn entry(key: &str, low: &str, high: &str) -> String {
    format!(
        "[[learned]]\nkey = '{key}'\nlow = \"{low}\"\nhigh = \"{high}\"\norigin = \"measured\"\n\
         how = \"seen\"\n"
    )
}

fn report(text: &str, experiment: Experiment) -> Report {
    let resolved = model::read::load_text("mine", text, &[]).unwrap();
    let effort =
        Effort { replications: 3, replications_max: 3, precision: None, ..Effort::default() };
    predict(&resolved, &effort, experiment, &mut |_| {}).unwrap()
}

fn margins(text: &str) -> Margins {
    report(text, Experiment::None).margins.unwrap()
}

fn near(found: f64, wanted: f64, share: f64) {
    assert!((found / wanted - 1.0).abs() < share, "{found}, not {wanted}");
}

const CPU: &str = "endpoint.work.steps[0].cpu";

#[test]
fn the_interval_of_the_throughput_at_saturation_is_that_of_one_over_the_demand() {
    for (low, high) in [("8ms", "12ms"), ("9ms", "16ms"), ("9.9ms", "10.1ms")] {
        let margins = margins(&saturated("10ms", &entry(CPU, low, high)));
        let rate = |demand: &str| 1000.0 / demand.trim_end_matches("ms").parse::<f64>().unwrap();
        let Estimate { value, low: least, high: most } = margins.throughput;
        near(value, 100.0, 0.01);
        near(least, rate(high), 0.02);
        near(most, rate(low), 0.02);
        // Each user waits for the three others: N D.
        near(margins.response_time["mean"].high, 4.0 / rate(high), 0.02);
        assert_eq!(margins.drawn, [CPU]);
    }
}

/// A demand of 10 ms is measured with a normal error of 5 %, again and again: the true throughput
/// is in about 95 % of the intervals.
#[test]
fn the_truth_is_inside_as_often_as_the_interval_says() {
    const ERROR: f64 = 0.5;
    const TIMES: u64 = 30;
    let draws = Purpose::new(11, "measurement");
    let inside = (0..TIMES)
        .filter(|&time| {
            let u = draws.draw(time, 0) as f64 / u64::MAX as f64;
            let seen = 10.0 + ERROR * standard_normal(u.clamp(1e-9, 1.0 - 1e-9));
            let ends = [seen - 1.96 * ERROR, seen + 1.96 * ERROR].map(|end| format!("{end:.6}ms"));
            let text = saturated(&format!("{seen:.6}ms"), &entry(CPU, &ends[0], &ends[1]));
            margins(&text).throughput.contains(100.0)
        })
        .count();
    // Binomial with 0.95: 28.5 on average, and three deviations are 3.6.
    assert!((25..=30).contains(&inside), "{inside} of {TIMES}");
}

#[test]
fn a_scenario_without_learned_numbers_has_no_margins() {
    let text = saturated("10ms", "");
    let report = report(&text, Experiment::None);
    assert!(report.margins.is_none());
    assert!(!serde_json::to_string(&report).unwrap().contains("margins"));
}

#[test]
fn what_is_known_changes_no_number_of_the_answer_and_the_same_seed_gives_the_same_bytes() {
    let plain = report(&saturated("10ms", ""), Experiment::None);
    let text = saturated("10ms", &entry(CPU, "8ms", "12ms"));
    let known = report(&text, Experiment::None);
    assert_eq!(known.throughput, plain.throughput);
    assert_eq!(known.response_time, plain.response_time);
    assert_eq!(known, report(&text, Experiment::None));
}

#[test]
fn numbers_without_an_interval_are_held_and_named() {
    let assumed = "[[learned]]\nkey = \"load.users\"\norigin = \"assumed\"\nhow = \"\"\n";
    let text = saturated("10ms", &(entry(CPU, "8ms", "12ms") + assumed));
    let report = report(&text, Experiment::None);
    assert_eq!(report.margins.unwrap().held, ["load.users"]);
    let said =
        report.warnings.iter().any(|note| note.contains("no interval is known of `load.users`"));
    assert!(said, "{:?}", report.warnings);

    // Where nothing has an interval there is nothing to draw.
    let report = self::report(&saturated("10ms", assumed), Experiment::None);
    assert!(report.margins.is_none());
}

#[test]
fn values_that_cannot_be_together_are_taken_nearer_to_those_of_the_file() {
    let text = saturated("10ms", "").replace(
        "{ cpu = \"10ms\" }",
        "{ cpu = \"10ms\" }, { sleep = { p50 = \"20ms\", p99 = \"21ms\" } }",
    );
    let step = "endpoint.work.steps[1].sleep";
    let entries = entry(&format!("{step}.p50"), "5ms", "35ms")
        + &entry(&format!("{step}.p99"), "20ms", "22ms");
    let margins = margins(&(text + &entries));
    assert_eq!(margins.refused, 0);
    assert!(margins.response_time["p50"].low < margins.response_time["p50"].high);
}

#[test]
fn the_number_that_matters_most_is_to_be_measured_first() {
    let text = r#"
load = { users = 4, duration = "4s", warmup = "1s" }
service = { server = "axum", concurrency = "async" }
costs.interpreter.lock = false
endpoint = [
  { name = "often", weight = 9, steps = [{ cpu = "10ms" }] },
  { name = "seldom", weight = 1, steps = [{ cpu = "10ms" }] },
]
"#;
    let cpu = |name: &str| format!("endpoint.{name}.steps[0].cpu");
    let entries = entry(&cpu("seldom"), "8ms", "12ms") + &entry(&cpu("often"), "8ms", "12ms");
    let report = report(&(text.to_string() + &entries), Experiment::Path(None));
    let margins = report.margins.unwrap();
    let keys: Vec<&str> = margins.swings.iter().map(|swing| swing.key.as_str()).collect();
    assert_eq!(keys, [cpu("often"), cpu("seldom")]);
    // 10 ms on average, of which nine tenths are the one's.
    near(margins.swings[0].throughput[0], 1000.0 / 8.2, 0.02);
    near(margins.swings[0].throughput[1], 1000.0 / 11.8, 0.02);
    let advice = margins.advice().unwrap();
    assert!(advice.contains("measure `endpoint.often.steps[0].cpu` better first"), "{advice}");
}
