//! A calibration in words.

use render::number;
use render::table::{Align, Table};

use super::document::{Calibration, Cost, CostUnit};

/// Doubts that are told one by one: with more of them the machine was busy all the time.
const DOUBTS: usize = 10;

/// For people.
pub(crate) fn text(calibration: &Calibration) -> String {
    let mut text = format!("{}\n\n{}\n", title(calibration), table(calibration).text());
    text += &about(calibration).text();
    for line in footnotes(calibration) {
        text += &format!("\n{line}");
    }
    if let Some(file) = &calibration.file {
        text += &format!("\nwritten to {file}");
    }
    text.trim_end().to_string() + "\n"
}

/// For documents.
pub(crate) fn markdown(calibration: &Calibration) -> String {
    let mut text = format!("# {}\n\n{}", title(calibration), table(calibration).markdown());
    text += &format!("\n{}", about(calibration).markdown());
    for line in footnotes(calibration) {
        text += &format!("\n- {line}");
    }
    text.trim_end().to_string() + "\n"
}

fn title(calibration: &Calibration) -> String {
    let rounds = match calibration.rounds {
        1 => "one round".to_string(),
        rounds => format!("{rounds} rounds"),
    };
    format!("What {} costs by itself, from {rounds}", calibration.target.name())
}

fn table(calibration: &Calibration) -> Table {
    let mut table = Table::new(&[
        ("cost", Align::Left),
        ("value", Align::Right),
        ("interval", Align::Left),
        ("", Align::Left),
        ("how", Align::Left),
    ]);
    for cost in &calibration.costs {
        let mark = if cost.sound { "" } else { "?" };
        let value = match cost.rounds {
            0 => "-".to_string(),
            _ => amount(cost.unit, cost.value, 3),
        };
        table.row([cost.key.clone(), value, margin(cost), mark.into(), cost.how.clone()]);
    }
    table
}

fn about(calibration: &Calibration) -> Table {
    let mut table = Table::new(&[("about", Align::Left), ("", Align::Left)]);
    for (key, value) in &calibration.about {
        table.row([key.clone(), value.clone()]);
    }
    table
}

fn footnotes(calibration: &Calibration) -> Vec<String> {
    let doubt = |doubt: &super::document::Doubt| {
        format!("round {}, {}: {}", doubt.round, doubt.probe, doubt.reasons.join("; "))
    };
    let mut all: Vec<String> = calibration.doubts.iter().take(DOUBTS).map(doubt).collect();
    if calibration.doubts.len() > DOUBTS {
        let more = calibration.doubts.len() - DOUBTS;
        all.push(format!("{more} more probes are in doubt; --format json names them"));
    }
    let unsound = calibration.costs.iter().filter(|cost| !cost.sound).count();
    if unsound > 0 {
        all.push(format!(
            "? {unsound} of {} costs do not stand: fewer than two rounds without doubt",
            calibration.costs.len()
        ));
    }
    all
}

/// A value with its unit.
pub(super) fn amount(unit: CostUnit, value: f64, digits: usize) -> String {
    match unit {
        CostUnit::Time => number::time_digits(value, digits),
        CostUnit::Bytes => number::bytes(value),
    }
}

/// Half of the interval of a cost, if it has one.
pub(super) fn margin(cost: &Cost) -> String {
    let half = cost.interval.map(|interval| interval.half_width());
    half.map_or(String::new(), |half| format!("±{}", amount(cost.unit, half, 2)))
}
