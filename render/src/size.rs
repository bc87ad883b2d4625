//! The page of how much load a service takes.

use model::objective::State;
use model::report::{Bottleneck, Breaks, Headroom, Level, Size, Turned};

use crate::beside::Headline;
use crate::page::{Align, Page, Table};
use crate::{Answer, illustrated, number};

impl Answer for Size {
    fn page(&self) -> Page {
        let mut page = Page::new();
        page.title(format!("{}: how much it takes", self.scenario));
        page.sentence(answer(self));
        if let Some(check) = &self.check {
            page.lines(vec![checked(self, check)]);
        }
        page.lines(first(self).into_iter().collect());
        if !self.headroom.is_empty() {
            page.heading("Headroom, each by itself under the load of the scenario:");
            page.table(headroom(self));
            page.lines(below_zero(self));
        }
        page.heading("Loads that were tried:");
        page.table(levels(self));
        page.warnings(&self.warnings);
        let of = |one: &Headroom| -> Vec<String> {
            one.warnings.iter().map(|warning| format!("{}: {warning}", one.what)).collect()
        };
        let warnings: Vec<String> = self.headroom.iter().flat_map(of).collect();
        page.warnings(&warnings);
        page
    }

    fn illustrated(&self) -> Page {
        let check = self.check.as_ref().map(|check| checked(self, check));
        let more = check.into_iter().chain(first(self)).collect();
        illustrated::size(self, answer(self), more, self.page())
    }
}

impl Headline for Size {
    fn headline(&self) -> String {
        answer(self)
    }
}

/// What to change first, how, and what that gives.
fn first(size: &Size) -> Option<String> {
    let Bottleneck { sentence, how, kind, .. } = &size.first.as_ref()?.change;
    // No kind: nothing that was tried helps.
    if kind.is_none() {
        return Some(sentence.clone());
    }
    let how = how.as_ref().map_or(String::new(), |how| format!(" How: {how}."));
    let gain = gain_of_first(size).map_or(String::new(), |gain| format!(" {gain}"));
    Some(format!("To change first: {sentence}{how}{gain}"))
}

/// How much load is taken with the first change, in a sentence; none if there is no change to make.
pub fn gain_of_first(size: &Size) -> Option<String> {
    let first = size.first.as_ref().filter(|first| first.change.kind.is_some())?;
    Some(match (&first.holds, first.unbroken) {
        (Some(holds), _) => format!(
            "With it the service holds {} ({} to {}).",
            size.load.words(holds.value),
            size.load.number(holds.low),
            size.load.number(holds.high)
        ),
        (None, Some(most)) => {
            format!(
                "With it nothing breaks up to {}, the most that was tried.",
                size.load.words(most)
            )
        }
        (None, None) => "No load that was tried keeps all with it alone.".to_string(),
    })
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

/// How far each thing may go.
fn headroom(size: &Size) -> Table {
    let mut table = Table::new(&[
        ("", Align::Left),
        ("key", Align::Left),
        ("now", Align::Right),
        ("may become", Align::Left),
        ("change", Align::Left),
        ("then breaks", Align::Left),
    ]);
    for one in &size.headroom {
        let breaks = one.breaks.as_ref().map_or("-".to_string(), breaks_first);
        let (becomes, change) = match (&one.holds, &one.unbroken) {
            (Some(holds), _) => (
                format!("{} ({} to {})", holds.about.value, holds.kept.value, holds.broken.value),
                format!(
                    "{} ({} to {})",
                    more(&holds.about),
                    more(&holds.kept),
                    more(&holds.broken)
                ),
            ),
            (None, Some(most)) => {
                (format!("{}, or more", most.value), format!("{}, or more", more(most)))
            }
            (None, None) => (nothing(one).to_string(), "-".to_string()),
        };
        table.row([one.what.clone(), one.key.clone(), one.now.clone(), becomes, change, breaks]);
    }
    table.indented(2)
}

/// Why there is no value.
pub(crate) fn nothing(of: &Headroom) -> &'static str {
    if of.breaks.is_some() { "nothing keeps all" } else { "cannot tell" }
}

fn more(turned: &Turned) -> String {
    number::change(turned.times - 1.0)
}

/// The objective and what is full, in a few words.
fn breaks_first(breaks: &Breaks) -> String {
    let what = breaks.objective.as_ref().map_or("served too slowly", |one| one.objective.as_str());
    match breaks.full.first() {
        Some(full) => format!("{what}; {} is full", full.id.words()),
        None => what.to_string(),
    }
}

/// What a negative change means.
fn below_zero(size: &Size) -> Vec<String> {
    let broken = size.headroom.iter().any(|one| {
        one.holds.as_ref().is_some_and(|holds| holds.about.times < 1.0)
            || (one.holds.is_none() && one.unbroken.is_none() && one.breaks.is_some())
    });
    let told = "An objective is broken under the load of the scenario: what is below zero has to \
                become better by so much.";
    broken.then(|| told.to_string()).into_iter().collect()
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
        let state = level.words();
        row.extend([state.to_string(), level.replications.to_string()]);
        table.row(row);
    }
    table.indented(2)
}
