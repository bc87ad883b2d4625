//! The keys of a scenario as a page offers them to be changed: each with its value, what it may be
//! and what it means, in the order of the table of keys.

use serde::Serialize;

use super::check::applies;
use super::path::KeyPath;
use crate::keys::{
    Checked, Fallback, Fields, Key, KeyKind, Origin, Section, Typed, WrittenDistribution,
};
use crate::scenario;
use crate::units::Span;

/// A key that `--set` takes, and its value in the scenario.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Control {
    /// As `--set` has it.
    pub key: String,
    /// Its table, or the endpoint, upstream or other thing that it is about: `load`,
    /// `upstream.partner`.
    pub group: String,
    /// The value as `--set` takes it; none if the key is absent.
    pub value: Option<String>,
    /// The value as a number in the unit of its form: seconds, per second, bytes or percent.
    pub amount: Option<f64>,
    /// What it may be.
    #[serde(flatten)]
    pub form: Form,
    /// A word that may stand in the place of a value.
    pub word: Option<&'static str>,
    /// It stands in a file or in a `--set`: it is no default.
    pub written: bool,
    /// What it means.
    pub about: String,
}

/// What a key may be.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "form", rename_all = "lowercase")]
pub enum Form {
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Integer {
        /// The least.
        low: f64,
        /// The largest.
        high: f64,
    },
    /// Any number.
    Number {
        /// The least.
        low: f64,
        /// The largest.
        high: f64,
    },
    /// A length of time, in seconds.
    Time {
        /// The shortest.
        low: f64,
    },
    /// Events per second.
    Rate,
    /// Bytes.
    Size,
    /// A percentage.
    Share,
    /// One of a few words, each with its meaning.
    Choice {
        /// Them.
        words: Vec<(&'static str, String)>,
    },
    /// A text, or a value as TOML has it.
    Text,
}

/// Every key of the checked scenario that a page can offer.
pub(super) fn controls(root: &Fields) -> Vec<Control> {
    let mut all = Vec::new();
    for key in scenario::keys().keys.iter().filter(|key| !key.about_file) {
        let path = KeyPath::Root.key(key.name);
        match root.get(key.name) {
            Some(checked) => walk(&mut all, key, checked, &path, key.name),
            None => continue,
        }
    }
    all
}

/// The keys of one table.
fn table(
    all: &mut Vec<Control>,
    fields: &Fields,
    section: &'static Section,
    path: &KeyPath,
    group: &str,
) {
    for key in section.keys.iter().filter(|key| key.name != "name") {
        let path = path.key(key.name);
        let is_choice = section.one_of.iter().any(|keys| keys.contains(&key.name));
        match fields.get(key.name) {
            // It follows from the one that is written in its place.
            Some(checked) if is_choice && checked.origin == Origin::Implied => {}
            Some(checked) => walk(all, key, checked, &path, group),
            // One of several keys of which another one is there has no place beside it.
            None if is_choice => {}
            None if applies(key, fields) => absent(all, key, &path, group),
            None => {}
        }
    }
}

/// A key and all that is below it.
fn walk(all: &mut Vec<Control>, key: &Key, checked: &Checked, path: &KeyPath, group: &str) {
    match (&checked.value, key.kind) {
        // What a concurrency model costs is that of all, unless a profile says otherwise.
        _ if checked.origin == Origin::Implied && group.starts_with("costs") => {}
        (Typed::Table(named), KeyKind::Named(section)) => {
            for field in &named.fields {
                if let Typed::Table(below) = &field.value.value {
                    let path = path.key(&field.key);
                    table(all, below, section(), &path, &path.to_string());
                }
            }
        }
        (Typed::Table(below), KeyKind::Table(section) | KeyKind::Profile(section)) => {
            let own = path.to_string();
            // A small table inside of another one belongs to it.
            let inside = own.starts_with(&format!("{group}.")) && !own.starts_with("costs.");
            table(all, below, section(), path, if inside { group } else { &own });
        }
        (Typed::List(entries), KeyKind::List(section)) => {
            for (index, entry) in entries.iter().enumerate() {
                let by_index = path.index(index);
                let name = entry.text("name").filter(|_| section().is_named());
                match name {
                    Some(name) => {
                        let path = path.key(name);
                        table(all, entry, section(), &path, &path.to_string());
                    }
                    None => table(all, entry, section(), &by_index, group),
                }
            }
        }
        (Typed::Distribution(written), KeyKind::Distribution) => {
            distribution(all, key, checked, written, path, group);
        }
        (Typed::Trace(_) | Typed::Broken | Typed::Table(_) | Typed::List(_), _) => {}
        (value, _) => {
            all.extend(control(key, path, group).map(|control| Control {
                value: Some(value.plain()),
                amount: amount(value),
                written: checked.origin == Origin::Written,
                ..control
            }));
        }
    }
}

/// Each of the points that a distribution goes through; a table of quantiles is one text.
fn distribution(
    all: &mut Vec<Control>,
    key: &Key,
    checked: &Checked,
    written: &WrittenDistribution,
    path: &KeyPath,
    group: &str,
) {
    let written_in_file = checked.origin == Origin::Written;
    let mut point = |path: &KeyPath, span: Span, point: &str| {
        let about = match point {
            "" => key.doc.to_string(),
            point => format!("{} Here: {point}.", key.doc),
        };
        all.push(Control {
            key: path.to_string(),
            group: group.to_string(),
            value: Some(span.to_string()),
            amount: Some(span.secs_f64()),
            form: Form::Time { low: 0.0 },
            word: None,
            written: written_in_file,
            about,
        });
    };
    match written {
        WrittenDistribution::Constant(span) => point(path, *span, ""),
        WrittenDistribution::Lognormal { p50, p99 } => {
            point(&path.key("p50"), *p50, "the time that half of them take at most");
            point(&path.key("p99"), *p99, "the time that 99 of 100 take at most");
        }
        WrittenDistribution::Exponential { mean } => point(&path.key("mean"), *mean, "the mean"),
        WrittenDistribution::Uniform { low, high } => {
            point(&path.key("low"), *low, "the shortest");
            point(&path.key("high"), *high, "the longest");
        }
        WrittenDistribution::Empirical(_) => {
            all.extend(control(key, path, group).map(|control| Control {
                value: Some(checked.value.plain()),
                form: Form::Text,
                written: written_in_file,
                ..control
            }));
        }
    }
}

/// A key that is not there, and could be.
fn absent(all: &mut Vec<Control>, key: &Key, path: &KeyPath, group: &str) {
    let is_scalar = !matches!(
        key.kind,
        KeyKind::Table(_)
            | KeyKind::Named(_)
            | KeyKind::List(_)
            | KeyKind::Profile(_)
            | KeyKind::TextMap
            | KeyKind::Trace
    );
    if is_scalar && !group.starts_with("costs") {
        all.extend(control(key, path, group));
    }
}

/// The control of a key without a value.
fn control(key: &Key, path: &KeyPath, group: &str) -> Option<Control> {
    let mut about = key.doc.to_string();
    if let Fallback::Derived(how) = key.fallback {
        about.push_str(&format!(" If it is not written: {how}."));
    }
    Some(Control {
        key: path.to_string(),
        group: group.to_string(),
        value: None,
        amount: None,
        form: form(key)?,
        word: key.word,
        written: false,
        about,
    })
}

fn form(key: &Key) -> Option<Form> {
    Some(match key.kind {
        KeyKind::Flag => Form::Flag,
        KeyKind::Integer(low, high) => Form::Integer { low: low as f64, high: high as f64 },
        KeyKind::Number(low, high) => Form::Number { low, high },
        KeyKind::Span(low) => Form::Time { low: low.secs_f64() },
        KeyKind::Distribution => Form::Time { low: 0.0 },
        KeyKind::Rate => Form::Rate,
        KeyKind::Size => Form::Size,
        KeyKind::Share => Form::Share,
        KeyKind::Choice(words) => {
            let word = |word: &crate::keys::Word| (word.word, word.meaning.to_string());
            Form::Choice { words: words.iter().map(word).collect() }
        }
        KeyKind::Text | KeyKind::Texts | KeyKind::Choices(_) | KeyKind::Target => Form::Text,
        KeyKind::TextMap
        | KeyKind::Table(_)
        | KeyKind::Named(_)
        | KeyKind::List(_)
        | KeyKind::Profile(_)
        | KeyKind::Trace => return None,
    })
}

fn amount(value: &Typed) -> Option<f64> {
    match value {
        Typed::Integer(integer) | Typed::Size(integer) => Some(*integer as f64),
        Typed::Number(number) | Typed::Rate(number) | Typed::Percent(number) => Some(*number),
        Typed::Span(span) => Some(span.secs_f64()),
        _ => None,
    }
}
