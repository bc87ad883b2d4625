//! A ladder on both sides.

use render::table::{Align, Table};
use render::{Paint, number};

use super::many::{lines, sentences, table};
use super::tables::MARKS;
use super::{summary_markdown, summary_text};
use crate::judge::comparison::Comparison;
use crate::ladder::{Climb, Rung, Step};

/// For people: the rungs, what each step gains, what others published, all together.
pub fn climb_text(climb: &Climb, paint: Paint) -> String {
    let rungs = comparisons(climb);
    let mut out = format!("{}{MARKS}\n", table("rung", &rungs).text());
    for table in more(climb) {
        out += &format!("\n{}", table.text());
    }
    out += &format!("\n{}\n\n", paint.bold(&order(climb)));
    out + &lines(&sentences(&rungs), "") + &summary_text(&climb.summary, paint)
}

/// The same for a document.
pub fn climb_markdown(climb: &Climb) -> String {
    let rungs = comparisons(climb);
    let mut out = format!("{}\n{MARKS}\n", table("rung", &rungs).markdown());
    for table in more(climb) {
        out += &format!("\n{}", table.markdown());
    }
    out += &format!("\n**{}**\n\n", order(climb));
    out + &lines(&sentences(&rungs), "- ") + &summary_markdown(&climb.summary)
}

fn comparisons(climb: &Climb) -> Vec<&Comparison> {
    climb.rungs.iter().map(|rung| &rung.comparison).collect()
}

/// The tables below the first, those that are not empty.
fn more(climb: &Climb) -> impl Iterator<Item = Table> {
    [steps(climb), published(climb)].into_iter().filter(|table| !table.is_empty())
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
    let told: Vec<&Step> = climb.steps.iter().filter(|step| step.right.is_some()).collect();
    let right = told.iter().filter(|step| step.right == Some(true)).count();
    match (told.len(), climb.steps.len()) {
        (_, 0) => "A single rung has no order.".into(),
        (0, _) => "No step differs by more than the noise: there is no order to predict.".into(),
        (told, all) => {
            let blurred = match all - told {
                0 => String::new(),
                rest => format!("; {rest} within noise"),
            };
            format!("{right} of {told} steps go where they were predicted to go{blurred}.")
        }
    }
}
