//! A ladder on both sides.

use render::page::{Align, Page, Table};
use render::{Answer, number};

use super::tables::MARKS;
use super::validation::{illustrated, sentences, table};
use crate::judge::comparison::Comparison;
use crate::ladder::{Climb, Rung, Step};

impl Answer for Climb {
    /// The rungs, what each step gains, what others published, all together.
    fn page(&self) -> Page {
        let rungs = comparisons(self);
        let mut page = Page::new();
        page.table_with_legend(table("rung", &rungs), MARKS);
        for table in [steps(self), published(self)].into_iter().filter(|table| !table.is_empty()) {
            page.table(table);
        }
        page.sentence(order(self));
        page.lines(sentences(&rungs));
        page.append(self.summary.page());
        page
    }

    fn illustrated(&self) -> Page {
        illustrated("A ladder, predicted against measured", &comparisons(self), self.page())
    }
}

fn comparisons(climb: &Climb) -> Vec<&Comparison> {
    climb.rungs.iter().map(|rung| &rung.comparison).collect()
}

fn steps(climb: &Climb) -> Table {
    let mut table = Table::new(&[
        ("step", Align::Left),
        ("knob turned", Align::Left),
        ("predicted gain", Align::Right),
        ("measured gain", Align::Right),
        ("order", Align::Left),
    ]);
    for (step, rung) in climb.steps.iter().zip(climb.rungs.iter().skip(1)) {
        table.row([
            format!("{} -> {}", step.from, step.to),
            rung.turned.clone().unwrap_or_else(|| "-".into()),
            gain(step.predicted_gain),
            gain(step.measured_gain),
            match step.right {
                Some(true) => "right",
                Some(false) => "WRONG",
                None => "within noise",
            }
            .into(),
        ]);
    }
    table
}

/// A gain in per cent, or as a multiple where that says more.
fn gain(gain: Option<f64>) -> String {
    match gain {
        None => "-".into(),
        Some(gain) if gain >= 1.0 => format!("{} times", number::significant(gain + 1.0, 3)),
        Some(gain) => number::change(gain),
    }
}

fn published(climb: &Climb) -> Table {
    let mut table = Table::new(&[
        ("rung", Align::Left),
        ("published", Align::Right),
        ("prediction off by", Align::Right),
        ("measurement off by", Align::Right),
        ("", Align::Left),
    ]);
    let row = |rung: &Rung| {
        let figure = rung.published.as_ref()?;
        Some([
            rung.comparison.name.clone(),
            format!("{}/s", number::rate(figure.throughput)),
            number::change(figure.error),
            rung.published_measured.map_or("-".into(), number::change),
            if figure.fitted { "the costs are fitted to it".into() } else { String::new() },
        ])
    };
    climb.rungs.iter().filter_map(row).for_each(|row| table.row(row));
    table
}

/// Whether the ladder goes up and down where it should.
fn order(climb: &Climb) -> String {
    let clear: Vec<&Step> = climb.steps.iter().filter(|step| step.right.is_some()).collect();
    let right = clear.iter().filter(|step| step.right == Some(true)).count();
    match (clear.len(), climb.steps.len()) {
        (_, 0) => "A single rung has no order.".into(),
        (0, _) => "No step differs by more than the noise: there is no order to predict.".into(),
        (clear, all) => {
            let blurred = match all - clear {
                0 => String::new(),
                rest => format!("; {rest} within noise"),
            };
            format!("{right} of {clear} steps go where they were predicted to go{blurred}.")
        }
    }
}
