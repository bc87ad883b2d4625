//! The page of how much load a service takes.

use model::objective::State;
use model::report::{Level, Size};

use crate::beside::Headline;
use crate::page::{Align, Page, Table};
use crate::{Answer, number};

impl Answer for Size {
    fn page(&self) -> Page {
        let mut page = Page::new();
        page.title(format!("{}: how much it takes", self.scenario));
        page.sentence(answer(self));
        if let Some(check) = &self.check {
            page.lines(vec![checked(self, check)]);
        }
        page.heading("Loads that were tried:");
        page.table(levels(self));
        page.warnings(&self.warnings);
        page
    }
}

impl Headline for Size {
    fn headline(&self) -> String {
        answer(self)
    }
}

/// The answer in a sentence.
fn answer(size: &Size) -> String {
    let keep = size.objectives.join(", ");
    if let Some(holds) = &size.holds {
        let interval =
            format!("{} to {}", size.load.number(holds.low), size.load.number(holds.high));
        let rate = match (size.load, &size.throughput) {
            (model::report::LoadKind::Users, Some(rate)) => {
                format!(", {} good answers/s", number::rate(rate.value))
            }
            _ => String::new(),
        };
        let breaks = size.breaks.as_ref().map_or(String::new(), |breaks| {
            format!(" At {} {}.", size.load.words(breaks.load), breaks.sentence)
        });
        let confidence = number::percent(size.confidence);
        return format!(
            "Holds {} ({interval} with {confidence} confidence{rate}).{breaks}",
            size.load.words(holds.value)
        );
    }
    if let Some(most) = size.unbroken {
        return format!("Holds {}, the most that was tried: {keep}.", size.load.words(most));
    }
    match &size.breaks {
        Some(breaks) => format!(
            "No load keeps {keep}. The nearest is {}: {}.",
            size.load.words(breaks.load),
            breaks.sentence
        ),
        None => format!("No load keeps {keep}."),
    }
}

/// The runs with other seeds.
fn checked(size: &Size, check: &Level) -> String {
    let found: Vec<String> = check
        .objectives
        .iter()
        .map(|judged| format!("{}: {}", judged.objective, judged.found))
        .collect();
    let kept = if check.kept { "✓ kept" } else { "✗ broken" };
    format!(
        "{kept} at {} in {} runs with other seeds; {}.",
        size.load.words(check.load),
        check.replications,
        found.join(", ")
    )
}

fn levels(size: &Size) -> Table {
    let mut columns = vec![(
        match size.load {
            model::report::LoadKind::Rate => "requests/s",
            model::report::LoadKind::Users => "users",
        },
        Align::Right,
    )];
    columns.extend(size.objectives.iter().map(|objective| (objective.as_str(), Align::Left)));
    columns.extend([("", Align::Left), ("runs", Align::Right)]);
    let mut table = Table::new(&columns);
    for level in &size.levels {
        let mut row = vec![size.load.number(level.load)];
        row.extend(level.objectives.iter().map(|judged| {
            let sign = match judged.state {
                State::Kept => "✓",
                State::Broken => "✗",
                State::Unknown => "?",
            };
            format!("{sign} {}", judged.found)
        }));
        let state = match (level.kept, level.sure, level.falls_behind) {
            (_, _, true) => "broken: falls behind",
            (true, true, _) => "kept",
            (true, false, _) => "kept, not sure",
            (false, true, _) => "broken",
            (false, false, _) => "broken, not sure",
        };
        row.extend([state.to_string(), level.replications.to_string()]);
        table.row(row);
    }
    table.indented(2)
}
