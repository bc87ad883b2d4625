//! `learn update`: what a later run found, added to what a file knows.

mod combine;
mod edit;

use std::path::Path;

use model::read::{Known, Resolved, load};
use model::scenario::Origin;
use render::page::{Align, Note, Page, Table};
use render::{Answer, Failure};
use serde::Serialize;

use crate::learned::replace;
use combine::combine;
use edit::{Edit, Entry};

/// What became of each number that both files know.
#[derive(Debug, Serialize)]
pub struct Update {
    /// The file that was changed.
    file: String,
    /// The file that it was compared with.
    with: String,
    /// Each number, in the order of the file.
    numbers: Vec<Change>,
    /// What was left alone, and why, in sentences.
    notes: Vec<String>,
}

/// A number that both files know.
#[derive(Debug, Serialize)]
struct Change {
    key: String,
    before: String,
    found: String,
    after: String,
    outcome: Outcome,
    #[serde(skip)]
    written: Option<Known>,
}

/// What was done with a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    /// Both agree: the interval is that of both together.
    Agrees,
    /// They cannot both be right: the interval holds both.
    Contradicts,
    /// The file had no interval, or a usual value only.
    Learned,
    /// The other file knows no more.
    Kept,
}

impl Outcome {
    fn words(self) -> &'static str {
        match self {
            Outcome::Agrees => "agrees",
            Outcome::Contradicts => "contradicts: widened to hold both",
            Outcome::Learned => "was not known before",
            Outcome::Kept => "as before",
        }
    }
}

/// Adds what `with` knows to the file at `path`, which keeps its comments. With `dry` nothing is
/// written.
///
/// # Errors
/// One of the files cannot be read, or the file cannot be written.
pub fn update(path: &Path, with: &Path, dry: bool) -> Result<Update, Failure> {
    let (ours, theirs) = (load(path, &[])?, load(with, &[])?);
    let file = Path::new(ours.path());
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::System(format!("cannot read {}: {error}", file.display())))?;
    let mut edit = Edit::new(&text)
        .ok_or_else(|| Failure::System(format!("{} is no TOML any more", file.display())))?;
    let mut update = compare(&ours, &theirs, &mut edit);
    let values: Vec<(String, String)> = (update.numbers.iter())
        .filter_map(|change| change.written.as_ref())
        .map(|known| (known.key.clone(), known.value.clone()))
        .collect();
    // Numbers that are right by themselves may contradict each other, as a P99 below its P50.
    ours.with(&values)?;
    for known in update.numbers.iter().filter_map(|change| change.written.as_ref()) {
        let Some(value) = known.number else { continue };
        let entry = Entry {
            low: known.interval.map(|interval| interval.low.to_string()),
            high: known.interval.map(|interval| interval.high.to_string()),
            origin: known.origin.as_str(),
            how: &known.how,
            better: known.better.as_deref(),
        };
        if edit.write(&known.key, value, &entry).is_none() {
            update.notes.push(format!("`{}` is not written as it is read", known.key));
        }
    }
    if !dry && edit.text() != text {
        replace(file, &edit.text(), true)?;
    }
    Ok(update)
}

fn compare(ours: &Resolved, theirs: &Resolved, edit: &mut Edit) -> Update {
    let mut numbers = Vec::new();
    let mut notes = Vec::new();
    let others = theirs.known();
    let known = ours.known();
    for old in &known {
        let same =
            |new: &&Known| model::read::key_parts(&new.key) == model::read::key_parts(&old.key);
        let Some(new) = others.iter().find(same) else { continue };
        // What was sent says nothing about what the service costs.
        if old.key.starts_with("load.") {
            continue;
        }
        if old.number.is_none() || new.number.is_none() {
            if old.value != new.value {
                notes.push(format!(
                    "`{}` is {} here and {} there: it is left as it is",
                    old.key, old.value, new.value
                ));
            }
            continue;
        }
        if !edit.has(&old.key) {
            notes.push(format!(
                "`{}` stands in another file, which is left as it is: update that one",
                old.key
            ));
            continue;
        }
        numbers.push(change(old, new));
    }
    let unknown = |new: &&Known| !known.iter().any(|old| old.key == new.key);
    for new in others.iter().filter(unknown) {
        notes.push(match ours.get(&new.key) {
            Some(value) => format!(
                "`{}` is {value} here by your own word, and {} there: it is left as it is",
                new.key, new.value
            ),
            None => format!("`{}` is only in the other file", new.key),
        });
    }
    let path = |resolved: &Resolved| resolved.path().to_string();
    Update { file: path(ours), with: path(theirs), numbers, notes }
}

fn change(old: &Known, new: &Known) -> Change {
    let (outcome, written) = match (old.interval, new.interval) {
        (Some(ours), Some(theirs)) => {
            let both = combine(&ours, &theirs);
            let outcome = if both.contradicts { Outcome::Contradicts } else { Outcome::Agrees };
            let written = Known {
                value: both.interval.value.to_string(),
                number: Some(both.interval.value),
                interval: Some(both.interval),
                how: how(old, new, both.contradicts),
                better: if both.contradicts {
                    Some("find out what differed between the runs, and learn again".into())
                } else {
                    new.better.clone()
                },
                origin: old.origin.min(new.origin),
                key: old.key.clone(),
            };
            (outcome, Some(written))
        }
        // It is seen now, or at least bounded.
        (None, Some(_)) => (Outcome::Learned, Some(new.clone())),
        (None, None) if old.origin == Origin::Assumed && new.origin != Origin::Assumed => {
            (Outcome::Learned, Some(new.clone()))
        }
        (_, None) => (Outcome::Kept, None),
    };
    let written = written.map(|known| Known { key: old.key.clone(), ..known });
    Change {
        key: old.key.clone(),
        before: shown(old),
        found: shown(new),
        after: shown(written.as_ref().unwrap_or(old)),
        outcome,
        written,
    }
}

/// How the two were found, in one text.
fn how(old: &Known, new: &Known, contradict: bool) -> String {
    if contradict {
        return format!(
            "two runs contradict each other: {} ({}), then {} ({})",
            shown(old),
            brief(&old.how),
            shown(new),
            brief(&new.how)
        );
    }
    if old.how == new.how || old.how.ends_with(&new.how) {
        return old.how.clone();
    }
    format!("{}; then {}", brief(&old.how), brief(&new.how))
}

/// As much of a text as a line may have.
fn brief(text: &str) -> String {
    const MOST: usize = 200;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_string(),
    }
}

/// A value with its interval.
fn shown(known: &Known) -> String {
    match &known.interval {
        Some(interval) => format!("{}, {} to {}", known.value, interval.low, interval.high),
        None => known.value.clone(),
    }
}

impl Answer for Update {
    fn page(&self) -> Page {
        let mut page = Page::new();
        let contradictions =
            self.numbers.iter().filter(|one| one.outcome == Outcome::Contradicts).count();
        page.title(format!(
            "{}: {} numbers that {} knows too, {contradictions} of which contradict it",
            self.file,
            self.numbers.len(),
            self.with
        ));
        let mut table = Table::new(&[
            ("key", Align::Left),
            ("before", Align::Right),
            ("found", Align::Right),
            ("after", Align::Right),
            ("", Align::Left),
        ]);
        for one in &self.numbers {
            table.row([
                one.key.clone(),
                one.before.clone(),
                one.found.clone(),
                one.after.clone(),
                one.outcome.words().to_string(),
            ]);
        }
        if !self.numbers.is_empty() {
            page.table(table);
        }
        let note = |text: &String| Note { kind: "note", text: text.clone(), strong: false };
        page.notes(self.notes.iter().map(note).collect());
        page
    }
}
