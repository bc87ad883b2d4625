//! What was found, what is allowed and what to write instead, in the words of a message.

use super::diagnostic::{brief, did_you_mean, one_of};
use super::tree::Value;
use crate::keys::{Key, KeyKind, Only, Section};
use crate::scenario;

/// What a key of this kind may be.
pub(super) fn describe(kind: &KeyKind) -> String {
    match kind {
        KeyKind::Flag => "true or false".into(),
        KeyKind::Integer(low, high) if *high == i64::MAX as u64 => {
            format!("an integer of at least {low}")
        }
        KeyKind::Integer(low, high) => format!("an integer from {low} to {high}"),
        KeyKind::Number(low, high) => format!("a number from {low} to {high}"),
        KeyKind::Text => "a text in quotes".into(),
        KeyKind::Texts => "a list of texts in quotes".into(),
        KeyKind::TextMap => "a table of texts in quotes".into(),
        KeyKind::Span(low) if low.is_zero() => "a time with its unit, as in \"250ms\"".into(),
        KeyKind::Span(low) if low.nanos() == 1 => "a time above 0s, as in \"250ms\"".into(),
        KeyKind::Span(low) => format!("a time of at least {low}, as in \"250ms\""),
        KeyKind::Rate => "a rate with its unit, as in \"200/s\" or \"600/m\"".into(),
        KeyKind::Size => "a size with its unit, as in \"64KiB\"".into(),
        KeyKind::Share => "a share between \"0%\" and \"100%\"".into(),
        KeyKind::Distribution => {
            "a time such as \"5ms\", or a table { p50, p99 }, { mean }, { low, high } or { quantiles }".into()
        }
        KeyKind::Target => "users as in 100, or a rate as in \"200/s\"".into(),
        KeyKind::Choice(words) => one_of(words.iter().map(|word| word.word)),
        KeyKind::Choices(words) => {
            format!("a list of {}", one_of(words.iter().map(|word| word.word)))
        }
        KeyKind::Table(section) => {
            format!("a table with the keys of {}", with_article(section().noun))
        },
        KeyKind::Named(section) => format!("tables, one for each {}, by name", section().noun),
        KeyKind::List(section) => format!("a list of tables, one for each {}", section().noun),
        KeyKind::Trace => "the path of a file with one arrival on each line, or these lines".into(),
        KeyKind::Profile(_) => "the path of a cost profile, or a table with its keys".into(),
    }
}

pub(super) fn with_article(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {noun}")
}

pub(super) fn allowed(key: &Key) -> String {
    match key.word {
        Some(word) => format!("{}, or \"{word}\"", describe(&key.kind)),
        None => describe(&key.kind),
    }
}

/// What to write instead, where the intention can be guessed.
pub(super) fn advice(found: &Value, key: &'static Key) -> Option<String> {
    let name = key.name;
    match (&key.kind, found) {
        (KeyKind::Span(_), Value::Integer(n @ 0..)) => {
            Some(format!("write the unit: `{name} = \"{n}s\"` or `{name} = \"{n}ms\"`"))
        }
        (KeyKind::Rate, Value::Integer(n @ 0..)) => {
            Some(format!("write the unit: `{name} = \"{n}/s\"`"))
        }
        (KeyKind::Size, Value::Integer(n @ 0..)) => {
            Some(format!("write the unit: `{name} = \"{n}KiB\"` or `{name} = \"{n}B\"`"))
        }
        (KeyKind::Share, Value::Integer(n @ 0..=100)) => {
            Some(format!("write the unit: `{name} = \"{n}%\"`"))
        }
        (KeyKind::Share, Value::Number(n)) if (0.0..=1.0).contains(n) => {
            Some(format!("write it in percent: `{name} = \"{}%\"`", n * 100.0))
        }
        (KeyKind::Integer(..) | KeyKind::Number(..), Value::Text(text))
            if text.parse::<f64>().is_ok() =>
        {
            Some(format!("write it without quotes: `{name} = {text}`"))
        }
        (KeyKind::Flag, Value::Text(text)) if matches!(&**text, "true" | "false") => {
            Some(format!("write it without quotes: `{name} = {text}`"))
        }
        (KeyKind::Choice(words), Value::Text(text)) => {
            let words = words.iter().map(|word| word.word).chain(key.word);
            did_you_mean(text, words)
        }
        (_, Value::Text(text)) if key.word.is_some() => did_you_mean(text, key.word),
        _ => None,
    }
    // The hint of a key that depends on another is about that other key.
    .or_else(|| key.hint.filter(|_| matches!(key.only, Only::Always)).map(str::to_string))
}

/// A value as a problem shows it.
pub(super) fn show(value: &Value) -> String {
    match value {
        Value::Flag(flag) => flag.to_string(),
        Value::Integer(integer) => integer.to_string(),
        Value::Number(number) => format!("{number:?}"),
        Value::Text(text) => format!("\"{}\"", brief(text)),
        Value::Date(date) => format!("the date {}", brief(date)),
        Value::Trace(_) => "a trace".into(),
        Value::List(_) => "a list".into(),
        Value::Broken => "unreadable".into(),
        Value::Table(_) => "a table".into(),
    }
}

/// The keys of a table, or the first few of many.
pub(super) fn some_keys(section: &Section) -> String {
    let names = || section.keys.iter().map(|key| key.name);
    match section.keys.len() {
        0..=8 => one_of(names()),
        _ => format!(
            "the keys of {}, such as {}",
            with_article(section.noun),
            one_of(names().take(4))
        ),
    }
}

/// A key of this very name in another table.
pub(super) fn elsewhere(name: &str) -> Option<String> {
    fn search(section: &'static Section, prefix: &str, name: &str, depth: u32) -> Option<String> {
        section.keys.iter().find_map(|key| {
            let path = format!("{prefix}{}", key.name);
            if key.name == name {
                return Some(path);
            }
            let below = key.kind.section().filter(|_| depth > 0)?;
            let dots = match key.kind {
                KeyKind::Named(_) => format!("{path}.NAME."),
                KeyKind::List(_) => format!("{path}[]."),
                _ => format!("{path}."),
            };
            search(below, &dots, name, depth - 1)
        })
    }
    search(scenario::keys(), "", name, 3).map(|path| match path.rsplit_once("[].") {
        Some((list, _)) => format!("did you mean `{name}` of an entry of `{list}`?"),
        None if path == name => {
            format!("write `{name}` at the top of the file, before the first table")
        }
        None => format!("did you mean `{path}`?"),
    })
}
