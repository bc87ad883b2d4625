//! The page of the cheapest setting that holds.

use model::objective::State;
use model::report::{Attempt, Choice, Level};

use crate::beside::Headline;
use crate::page::{Align, Page, Table};
use crate::{Answer, number};

/// Settings that are listed: the dearest that were tried.
const LISTED: usize = 12;

impl Answer for Choice {
    fn page(&self) -> Page {
        let mut page = Page::new();
        page.title(format!("{}: the cheapest setting that holds {}", self.scenario, self.load));
        page.sentence(answer(self));
        page.lines(more(self));
        page.heading(match self.tried.len() > LISTED {
            true => format!("The last {LISTED} of {} settings that were tried:", self.tried.len()),
            false => "Settings that were tried, the cheapest first:".to_string(),
        });
        page.table(tried(self));
        page.warnings(&self.warnings);
        page
    }
}

impl Headline for Choice {
    fn headline(&self) -> String {
        answer(self)
    }
}

fn answer(choice: &Choice) -> String {
    let keep = choice.objectives.join(", ");
    if let Some(chosen) = &choice.chosen {
        let confidence = number::percent(choice.confidence);
        return format!(
            "The cheapest that keeps {keep}: {} (cost {}, with {confidence} confidence).",
            choice.words(chosen),
            chosen.cost
        );
    }
    let mut sentence = match (choice.untried, choice.undecided.len()) {
        (0, 0) => format!("No setting keeps {keep}."),
        (0, some) => format!("No setting surely keeps {keep}; of {some} runs cannot tell."),
        _ => format!("No setting that was tried surely keeps {keep}."),
    };
    if let Some(nearest) = &choice.nearest {
        sentence += &format!(
            " The nearest that breaks one is {}: {}.",
            choice.words(&nearest.setting),
            nearest.breaks.sentence
        );
    }
    sentence
}

/// The check, what a lost worker does, and what could not be told.
fn more(choice: &Choice) -> Vec<String> {
    let mut all = Vec::new();
    if let Some(chosen) = &choice.chosen {
        let runs = chosen.level.replications;
        all.push(format!("✓ kept in {runs} runs with other seeds; {}.", found(&chosen.level)));
    }
    if let Some(less) = &choice.one_worker_less {
        let found = found(&less.level);
        all.push(match (less.level.kept, less.level.sure) {
            (true, true) => format!("✓ With one worker lost it still holds; {found}."),
            (false, true) => format!("✗ With one worker lost it does not hold; {found}."),
            _ => format!("? With one worker lost it may or may not hold; {found}."),
        });
    }
    match &choice.undecided[..] {
        [] => {}
        some => {
            let named: Vec<String> = some.iter().take(5).map(|one| choice.words(one)).collect();
            let rest = some.len() - named.len();
            let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
            let cheaper = if choice.chosen.is_some() { "cheaper " } else { "" };
            all.push(format!(
                "? Of {} {cheaper}settings runs cannot tell, since a limit lies in the interval of a \
                 number: {}{rest}.",
                some.len(),
                named.join("; ")
            ));
        }
    }
    all
}

fn found(level: &Level) -> String {
    let mut all: Vec<String> = level
        .objectives
        .iter()
        .map(|judged| format!("{}: {}", judged.objective, judged.found))
        .collect();
    if level.falls_behind {
        all.push("requests come faster than they are served".into());
    }
    all.join(", ")
}

fn tried(choice: &Choice) -> Table {
    let mut columns: Vec<(&str, Align)> =
        choice.keys.iter().map(|axis| (axis.key.as_str(), Align::Right)).collect();
    columns.push(("cost", Align::Right));
    columns.extend(choice.objectives.iter().map(|objective| (objective.as_str(), Align::Left)));
    columns.extend([("", Align::Left), ("runs", Align::Right)]);
    let mut table = Table::new(&columns);
    let from = choice.tried.len().saturating_sub(LISTED);
    for attempt in &choice.tried[from..] {
        table.row(row(attempt));
    }
    table.indented(2)
}

fn row(attempt: &Attempt) -> Vec<String> {
    let level = &attempt.level;
    let mut row = attempt.values.clone();
    row.push(attempt.cost.to_string());
    row.extend(level.objectives.iter().map(|judged| {
        let sign = match judged.state {
            State::Kept => "✓",
            State::Broken => "✗",
            State::Unknown => "?",
        };
        format!("{sign} {}", judged.found)
    }));
    let state = level.words();
    row.extend([state.to_string(), level.replications.to_string()]);
    row
}
