//! Many scenarios: a validation, a ladder and a sweep, as programs and as people read them.

use model::report::{PublishedFigure, Report};
use model::sweep::{Axis, Knee};
use render::Answer;
use render::{Exit, Paint};
use serde_json::Value;
use validate::{Climb, Comparison, Rung, Sweep, Validation};

use super::sample::*;

/// A prediction and a measurement of so many good answers per second.
fn pair(predicted_rate: f64, measured_rate: f64) -> (Report, Report) {
    let (mut p, mut m) = (predicted(), measured());
    p.throughput = about(predicted_rate, 0.005);
    m.throughput = about(measured_rate, 0.02);
    (p, m)
}

fn called(name: &str, (p, m): &(Report, Report)) -> Comparison {
    Comparison { name: name.into(), ..compared(p, m) }
}

fn agrees(name: &str) -> Comparison {
    called(name, &pair(40.0, 40.0))
}

fn disagrees(name: &str) -> Comparison {
    called(name, &pair(48.0, 40.0))
}

fn cannot_tell(name: &str) -> Comparison {
    let (p, mut m) = pair(40.0, 40.0);
    thin(&mut m, 500);
    called(name, &(p, m))
}

#[test]
fn that_one_disagrees_weighs_more_than_that_another_cannot_tell() {
    let exit = |comparisons: Vec<Comparison>| Validation::of(comparisons).exit();
    assert_eq!(exit(vec![agrees("a"), agrees("b")]), Exit::Success);
    assert_eq!(exit(vec![agrees("a"), cannot_tell("b")]), Exit::Inconclusive);
    assert_eq!(exit(vec![cannot_tell("a"), disagrees("b"), agrees("c")]), Exit::Disagree);
    assert_eq!(exit(Vec::new()), Exit::Inconclusive);
}

#[test]
fn a_validation_has_a_row_for_each_scenario() {
    let (mut p, mut m) = pair(40.0, 40.0);
    fill(&mut p, "loop", 1.0);
    fill(&mut m, "cpu", 0.99);
    let comparisons = vec![
        agrees("fast"),
        disagrees("slow-upstream"),
        cannot_tell("short"),
        called("full", &(p, m)),
    ];
    let validation = Validation::of(comparisons);
    let text = validation.page().text(Paint::default());
    let rows: Vec<&str> = text.lines().take(9).collect();
    let expected = "\
scenario       verdict       predicted         measured             error   noise     mean      P50      P95      P99  full
fast           agrees           40.0/s  ±0.20    40.0/s  ±0.80    0.0 %    ±2.0 %  0.0 %    0.0 %    0.0 %    0.0 %    nothing
slow-upstream  DISAGREES        48.0/s  ±0.24    40.0/s  ±0.80  +20.0 % !  ±2.0 %  0.0 %    0.0 %    0.0 %    0.0 %    nothing
short          inconclusive     40.0/s  ±0.20    40.0/s  ±0.80    0.0 %    ±2.0 %  0.0 %    0.0 %    0.0 %    0.0 % ?  nothing
full           DISAGREES        40.0/s  ±0.20    40.0/s  ±0.80    0.0 %    ±2.0 %  0.0 %    0.0 %    0.0 %    0.0 %    cpu, NOT loop
! disagrees   ~ within noise   ? not judged   - not known

slow-upstream: prediction and measurement DISAGREE: throughput +20.0 % (at most 5.0 %).
short: INCONCLUSIVE: P99: 500 good answers were measured, and it takes 1000.";
    assert_eq!(rows.join("\n"), expected, "{text}");
    let markdown = validation.page().markdown();
    assert!(markdown.starts_with("| scenario | verdict | predicted |"), "{markdown}");
    assert!(markdown.contains("\n- slow-upstream: prediction and measurement DISAGREE"));
    assert!(markdown.contains("\n**4 compared: "), "{markdown}");
}

/// A ladder of such rungs.
fn ladder(comparisons: Vec<Comparison>) -> Climb {
    let rung = |(index, comparison): (usize, Comparison)| {
        let turned = (index > 0).then(|| format!("service.workers: {index} -> {}", index + 1));
        Rung::new(turned, None, comparison)
    };
    Climb::of("v3", comparisons.into_iter().enumerate().map(rung).collect())
}

/// A ladder of rungs with these throughputs, predicted and measured.
fn rungs(rates: &[(f64, f64)]) -> Climb {
    let name = |index: usize| format!("v{}", index + 1);
    let rung = |(index, &(p, m)): (usize, &(f64, f64))| called(&name(index), &pair(p, m));
    ladder(rates.iter().enumerate().map(rung).collect())
}

#[test]
fn a_step_has_a_direction_where_it_is_more_than_noise() {
    let climb = rungs(&[(10.0, 10.0), (40.0, 41.0), (41.0, 41.2), (43.0, 38.0)]);
    let right: Vec<Option<bool>> = climb.steps.iter().map(|step| step.right).collect();
    assert_eq!(right, [Some(true), None, Some(false)]);
    assert_eq!(climb.steps[0].predicted_gain, Some(3.0));
    assert_eq!(climb.steps[0].measured_gain, Some(3.1));
    assert_eq!((&*climb.steps[2].from, &*climb.steps[2].to), ("v3", "v4"));
}

#[test]
fn a_wrong_order_disagrees_however_small_the_errors() {
    assert_eq!(rungs(&[(40.0, 40.0), (50.0, 50.0)]).exit(), Exit::Success);
    // Each is off by less than 5 %, and they are in the wrong order.
    let wrong = rungs(&[(41.9, 40.0), (41.5, 43.5)]);
    let verdicts = wrong.rungs.iter().map(|rung| rung.comparison.verdict);
    assert!(verdicts.into_iter().all(|verdict| Exit::from(verdict) == Exit::Success));
    assert_eq!(wrong.exit(), Exit::Disagree);
}

#[test]
fn a_measurement_that_proves_nothing_has_no_direction() {
    let (first, mut second) = (pair(10.0, 10.0), pair(40.0, 40.0));
    let how = second.1.measurement.as_mut().expect("a measurement");
    how.inconclusive = vec!["interrupted".into()];
    let climb = ladder(vec![called("v1", &first), called("v2", &second)]);
    assert_eq!(climb.steps[0].right, None);
    assert_eq!(climb.exit(), Exit::Inconclusive);
}

#[test]
fn a_ladder_tells_gains_order_and_what_others_published() {
    let mut climb = rungs(&[(1.68, 1.7), (70.0, 69.0), (60.0, 72.0)]);
    for (rung, (throughput, fitted)) in climb.rungs.iter_mut().zip([(1.68, true), (69.6, false)]) {
        let note = String::new();
        rung.published = Some(PublishedFigure { throughput, fitted, note, error: 0.01 });
        rung.published_measured = Some(-0.02);
    }
    let text = climb.page().text(Paint::default());
    let below: Vec<&str> = text.lines().skip(6).take(9).collect();
    let expected = "\
step      knob turned              predicted gain  measured gain  order
v1 -> v2  service.workers: 1 -> 2      41.7 times     40.6 times  right
v2 -> v3  service.workers: 2 -> 3         -14.3 %         +4.3 %  WRONG

rung  published  prediction off by  measurement off by
v1       1.68/s             +1.0 %              -2.0 %  the costs are fitted to it
v2       69.6/s             +1.0 %              -2.0 %

1 of 2 steps go where they were predicted to go.";
    assert_eq!(below.join("\n"), expected, "{text}");
    let markdown = climb.page().markdown();
    assert!(markdown.contains("| v1 -> v2 | service.workers: 1 -> 2 | 41.7 times |"), "{markdown}");
    assert!(markdown.contains("\n**1 of 2 steps go where"), "{markdown}");
}

/// A sweep over these throughputs, predicted and measured.
fn sweep(vary: &str, rates: &[(f64, f64)], measured: usize) -> Sweep {
    let vary: Axis = vary.parse().expect("values");
    let pairs: Vec<(Report, Report)> = rates.iter().map(|&(p, m)| pair(p, m)).collect();
    let predicted: Vec<Report> = pairs.iter().map(|(p, _)| p.clone()).collect();
    let names = vary.values.iter().map(|value| vary.name(value));
    let comparisons = names.zip(&pairs).take(measured).map(|(name, pair)| called(&name, pair));
    Sweep::of("shop", &vary, &predicted, comparisons.collect(), measured > 0)
}

const CURVE: [(f64, f64); 4] = [(100.0, 101.0), (200.0, 198.0), (390.0, 300.0), (400.0, 304.0)];

#[test]
fn a_sweep_tells_both_curves_and_where_they_bend() {
    let sweep = sweep("load.users=10,20,40,80", &CURVE, 4);
    assert_eq!(sweep.predicted_knee, Knee::At("40".into()));
    assert_eq!(sweep.measured_knee, Knee::At("40".into()));
    assert_eq!(sweep.exit(), Exit::Disagree);
    let text = sweep.page().text(Paint::default());
    let rows: Vec<&str> = text.lines().take(18).collect();
    let expected = "\
load.users  predicted         measured            error  verdict    P95 predicted  measured  CPU predicted  measured  full
        10      100/s  ±0.50     101/s  ±2.0   -1.0 %    agrees            550 ms    550 ms           50 %      50 %  nothing
        20      200/s  ±1.0      198/s  ±4.0   +1.0 %    agrees            550 ms    550 ms           50 %      50 %  nothing
        40      390/s  ±1.9      300/s  ±6.0  +30.0 % !  DISAGREES         550 ms    550 ms           50 %      50 %  nothing
        80      400/s  ±2.0      304/s  ±6.1  +31.6 % !  DISAGREES         550 ms    550 ms           50 %      50 %  nothing
! disagrees   ~ within noise   ? not judged   - not known

load.users             good/s
        10  predicted  ████████ 100
            measured   ████████ 101
        20  predicted  ███████████████ 200
            measured   ███████████████ 198
        40  predicted  █████████████████████████████ 390
            measured   ███████████████████████ 300
        80  predicted  ██████████████████████████████ 400
            measured   ███████████████████████ 304

Predicted and measured alike: more of load.users pays up to 40 (a step pays if it gains half of what proportional growth would).";
    assert_eq!(rows.join("\n"), expected, "{text}");
    let markdown = sweep.page().markdown();
    assert!(markdown.starts_with("| load.users | predicted |"), "{markdown}");
    assert!(markdown.contains("\n- Predicted and measured alike: more of load.users pays"));
}

#[test]
fn a_sweep_that_was_ended_early_has_points_without_a_measurement() {
    let sweep = sweep("load.users=10,20,40,80", &CURVE, 2);
    assert_eq!(sweep.measured_knee, Knee::Unknown);
    assert!(sweep.points[1].comparison.is_some() && sweep.points[2].comparison.is_none());
    let text = sweep.page().text(Paint::default());
    assert_eq!(text.matches("not measured").count(), 2, "{text}");
    assert!(text.contains("\nPredicted: more of load.users pays up to 40 ("), "{text}");
}

#[test]
fn a_curve_alone_is_an_answer() {
    let sweep = sweep("service.concurrency=async,threadpool,blocking", &CURVE[..3], 0);
    assert_eq!((sweep.exit(), sweep.predicted_knee.clone()), (Exit::Success, Knee::Unknown));
    let expected = "\
service.concurrency  predicted            P95     P99   CPU  errors  full
              async      100/s  ±0.50  550 ms  900 ms  50 %   0.1 %  nothing
         threadpool      200/s  ±1.0   550 ms  900 ms  50 %   0.1 %  nothing
           blocking      390/s  ±1.9   550 ms  900 ms  50 %   0.1 %  nothing

service.concurrency  good/s
              async  ████████ 100
         threadpool  ███████████████ 200
           blocking  ██████████████████████████████ 390
";
    assert_eq!(sweep.page().text(Paint::default()), expected);
    assert!(sweep.page().markdown().starts_with("| service.concurrency | predicted |"));
}

/// Every field of `document` has a place in `schema`.
fn is_described(document: Value, schema: Value) {
    let fields = schema["properties"].as_object().expect("fields");
    for field in document.as_object().expect("an object").keys() {
        assert!(fields.contains_key(field), "{field}");
    }
}

#[test]
fn documents_are_described_and_can_be_read_back() {
    let validation = Validation::of(vec![agrees("a"), cannot_tell("b")]);
    let json = serde_json::to_value(&validation).expect("plain values");
    is_described(json.clone(), schemars::schema_for!(Validation).to_value());
    assert_eq!(serde_json::from_value::<Validation>(json).expect("it is one"), validation);
    let climb = rungs(&[(40.0, 40.0), (50.0, 50.0)]);
    let json = serde_json::to_value(&climb).expect("plain values");
    is_described(json.clone(), schemars::schema_for!(Climb).to_value());
    assert_eq!(serde_json::from_value::<Climb>(json).expect("it is one"), climb);
    let sweep = sweep("load.users=10,20,40,80", &CURVE, 4);
    let json = serde_json::to_value(&sweep).expect("plain values");
    is_described(json.clone(), schemars::schema_for!(Sweep).to_value());
    assert_eq!(json["predicted_knee"]["at"], "40");
    assert_eq!(serde_json::from_value::<Sweep>(json).expect("it is one"), sweep);
}
