//! Many comparisons together.

use render::Answer;
use validate::{Comparison, Metric, Regime, Summary};

use super::sample::*;

/// A rung with so many good answers per second, as predicted and as measured.
fn rung(name: &str, predicted_rate: f64, measured_rate: f64) -> Comparison {
    let (mut p, mut m) = (predicted(), measured());
    p.throughput = about(predicted_rate, 0.005);
    m.throughput = about(measured_rate, 0.02);
    Comparison { name: name.into(), ..compared(&p, &m) }
}

fn void(name: &str) -> Comparison {
    let (mut p, mut m) = (predicted(), measured());
    p.throughput = about(400.0, 0.005);
    m.measurement.as_mut().expect("a measurement").inconclusive = vec!["interrupted".into()];
    Comparison { name: name.into(), ..compared(&p, &m) }
}

#[test]
fn errors_are_summed_up_metric_by_metric() {
    let all = [rung("v1", 10.2, 10.0), rung("v2", 41.2, 40.0), rung("v3", 88.0, 80.0), void("v4")];
    let summary = Summary::of(&all);
    assert_eq!((summary.compared, summary.agree, summary.disagree), (4, 2, 1));
    assert_eq!((summary.inconclusive, summary.left_out.as_slice()), (1, &["v4".to_string()][..]));
    let throughput = summary.metrics.iter().find(|errors| errors.metric == Metric::Throughput);
    let throughput = throughput.expect("a metric");
    assert_eq!((throughput.judged, throughput.agree, throughput.disagree), (3, 2, 1));
    assert_eq!((throughput.median, throughput.bias), (Some(0.03), Some(0.03)));
    let worst = throughput.worst.as_ref().expect("an error");
    assert_eq!((worst.name.as_str(), worst.error), ("v3", 0.1));
    assert_eq!(throughput.noise, Some(0.02));
    assert_eq!((summary.ranking.pairs, summary.ranking.right), (3, 3));
    assert_eq!((summary.bottlenecks.told, summary.bottlenecks.right), (3, 3));
}

#[test]
fn services_with_and_without_room_are_summed_up_apart() {
    let full = Comparison { regime: Regime::Saturated, ..rung("v2", 88.0, 80.0) };
    let summary = Summary::of(&[full, rung("v1", 10.2, 10.0), rung("v3", 41.2, 40.0)]);
    let judged = |regime: Regime| {
        let all = summary.metrics.iter().filter(|errors| errors.regime == regime);
        let throughput: Vec<_> = all.filter(|e| e.metric == Metric::Throughput).collect();
        throughput.iter().map(|errors| (errors.judged, errors.median)).collect::<Vec<_>>()
    };
    assert_eq!(judged(Regime::Unsaturated), [(2, Some(0.025))]);
    assert_eq!(judged(Regime::Saturated), [(1, Some(0.1))]);
    assert_eq!(judged(Regime::Unknown), []);
    let text = summary.page().text(render::Paint::default());
    let begins = |start: &str| text.lines().filter(|line| line.starts_with(start)).count();
    assert_eq!((begins("unsaturated  throughput"), begins("saturated")), (1, 1), "{text}");
}

#[test]
fn errors_of_both_signs_have_no_bias() {
    let summary = Summary::of(&[rung("a", 41.0, 40.0), rung("b", 39.0, 40.0)]);
    let throughput = &summary.metrics[0];
    assert_eq!((throughput.median, throughput.bias), (Some(0.025), Some(0.0)));
}

#[test]
fn only_pairs_that_differ_by_more_than_the_noise_have_an_order() {
    // v3 and v4 are 2 % apart and known to 2 % each.
    let all = [rung("v2", 60.0, 70.0), rung("v3", 82.0, 80.0), rung("v4", 80.0, 81.6)];
    let ranking = Summary::of(&all).ranking;
    assert_eq!((ranking.pairs, ranking.right), (2, 2));
    let wrong = Summary::of(&[rung("v4", 90.0, 80.0), rung("v5", 85.0, 88.0)]).ranking;
    assert_eq!((wrong.pairs, wrong.right), (1, 0));
    let inversion = &wrong.wrong[0];
    assert_eq!((inversion.faster.as_str(), inversion.slower.as_str()), ("v5", "v4"));
    assert_eq!(inversion.measured_gain, Some(0.1));
    assert!((inversion.predicted_gain.expect("a gain") + 0.0556).abs() < 1e-4);
}

#[test]
fn the_noise_of_an_order_is_that_between_rounds() {
    let ranking = |factors: &[f64]| {
        let all = [("v3", 80.0), ("v4", 90.0)].map(|(name, rate)| {
            let [mut p, mut m] = [predicted(), measured()];
            for report in [&mut p, &mut m] {
                report.throughput = about(rate, 0.001);
            }
            let comparison = compared(&in_rounds(p, factors), &in_rounds(m, factors));
            Comparison { name: name.into(), ..comparison }
        });
        Summary::of(&all).ranking
    };
    assert_eq!(ranking(&[0.99, 1.0, 1.01]).pairs, 1);
    assert_eq!(ranking(&[0.9, 1.0, 1.1]).pairs, 0);
}

#[test]
fn nothing_compared_is_no_error() {
    let summary = Summary::of(&[]);
    assert_eq!((summary.compared, summary.metrics.len()), (0, 0));
    let text = summary.page().text(render::Paint::default());
    assert!(text.starts_with("0 compared: 0 agree, 0 disagree, 0 inconclusive.\n"), "{text}");
}

#[test]
fn a_summary_is_a_table_and_a_few_sentences() {
    let all = [rung("v1", 10.2, 10.0), rung("v2", 90.0, 80.0), rung("v3", 85.0, 88.0), void("v4")];
    let summary = Summary::of(&all);
    let expected = "\
4 compared: 2 agree, 1 disagree, 1 inconclusive.

                         judged  agree  disagree  median error    worst         bias       noise
unsaturated  throughput       3      2         1         3.4 %  +12.5 %  v2   +2.0 %      ±2.0 %
";
    let text = summary.page().text(render::Paint::default());
    assert_eq!(text.lines().take(4).map(|l| format!("{l}\n")).collect::<String>(), expected);
    let end = "\
Order: 2 of 3 pairs whose throughputs differ by more than the noise are predicted in that order.
Wrong order: v3 against v2: +10.0 % measured, -5.6 % predicted.
Bottleneck: right in 3 of 3.
Left out, because the measurement proves nothing: v4.
";
    assert!(text.ends_with(end), "{text}");
    let markdown = summary.page().markdown();
    assert!(
        markdown.contains("| unsaturated | throughput | 3 | 2 | 1 | 3.4 % | +12.5 % | v2 |"),
        "{markdown}"
    );
}
