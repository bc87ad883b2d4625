//! Many comparisons in one table and a few sentences.

use render::page::{Align, Page, Table};
use render::{Answer, number};

use crate::judge::bottleneck::Regime;
use crate::judge::ranking::Inversion;
use crate::judge::summary::Summary;
use crate::judge::words::{error, metric, size};

impl Answer for Summary {
    fn page(&self) -> Page {
        let mut page = Page::new();
        page.sentence(verdicts(self));
        page.table(table(self));
        page.lines(sentences(self));
        page
    }
}

fn verdicts(summary: &Summary) -> String {
    format!(
        "{} compared: {} agree, {} disagree, {} inconclusive.",
        summary.compared, summary.agree, summary.disagree, summary.inconclusive
    )
}

fn table(summary: &Summary) -> Table {
    let mut table = Table::new(&[
        ("", Align::Left),
        ("", Align::Left),
        ("judged", Align::Right),
        ("agree", Align::Right),
        ("disagree", Align::Right),
        ("median error", Align::Right),
        ("worst", Align::Right),
        ("", Align::Left),
        ("bias", Align::Right),
        ("noise", Align::Right),
    ]);
    let mut said = None;
    for errors in summary.metrics.iter().filter(|errors| errors.judged > 0) {
        let unit = errors.unit;
        // Said once for all of its lines.
        let first = said.replace(errors.regime) != Some(errors.regime);
        table.row([
            if first { regime(errors.regime).to_string() } else { String::new() },
            metric(errors.metric).to_string(),
            errors.judged.to_string(),
            errors.agree.to_string(),
            errors.disagree.to_string(),
            errors.median.map_or("-".into(), |median| size(unit, median)),
            error(unit, errors.worst.as_ref().map(|worst| worst.error)),
            errors.worst.as_ref().map_or(String::new(), |worst| worst.name.clone()),
            error(unit, errors.bias),
            errors.noise.map_or("-".into(), |noise| format!("±{}", size(unit, noise))),
        ]);
    }
    table
}

fn regime(regime: Regime) -> &'static str {
    match regime {
        Regime::Unsaturated => "unsaturated",
        Regime::Saturated => "saturated",
        Regime::Unknown => "not known",
    }
}

fn sentences(summary: &Summary) -> Vec<String> {
    let ranking = &summary.ranking;
    let mut all = vec![match ranking.pairs {
        0 => "Order: no two throughputs differ by more than the noise.".to_string(),
        pairs => format!(
            "Order: {} of {pairs} pairs whose throughputs differ by more than the noise are \
             predicted in that order.",
            ranking.right
        ),
    }];
    all.extend(ranking.wrong.iter().map(inversion));
    let hits = &summary.bottlenecks;
    let wrong = match hits.wrong.is_empty() {
        true => String::new(),
        false => format!("; not at {}", hits.wrong.join(", ")),
    };
    all.push(format!("Bottleneck: right in {} of {}{wrong}.", hits.right, hits.told));
    if !summary.left_out.is_empty() {
        let names = summary.left_out.join(", ");
        all.push(format!("Left out, because the measurement proves nothing: {names}."));
    }
    all
}

fn inversion(wrong: &Inversion) -> String {
    let gain = |gain: Option<f64>| gain.map_or("-".into(), number::change);
    format!(
        "Wrong order: {} against {}: {} measured, {} predicted.",
        wrong.faster,
        wrong.slower,
        gain(wrong.measured_gain),
        gain(wrong.predicted_gain)
    )
}
