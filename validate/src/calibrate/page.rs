//! What a calibration shows to people.

use render::page::{Align, Page, Table};
use render::{Answer, number};

use super::document::{Calibration, Cost, CostUnit};

/// Doubts that are listed one by one: with more of them the machine was busy all the time.
const DOUBTS: usize = 10;

impl Answer for Calibration {
    fn page(&self) -> Page {
        let mut page = Page::new();
        page.title(title(self));
        page.table(table(self));
        page.table(about(self));
        let written = self.file.iter().map(|file| format!("written to {file}"));
        page.lines(footnotes(self).into_iter().chain(written).collect());
        page
    }
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
