//! Every key against the table of keys: unknown names, wrong kinds, values out of range,
//! missing keys. What passes comes out typed, with the defaults filled in.

use super::diagnostic::{Problem, Problems, brief, did_you_mean, nearest, one_of};
use super::form;
use super::keys::{COSTS, Fallback, Key, Kind, MOST_USERS, Only, SCENARIO, Section};
use super::merge;
use super::path::Path;
use super::source::Place;
use super::tree::{Entry, Node, Table, Value};
use super::value::{Checked, Field, Fields, Origin, Typed};
use crate::units::{Span, parse_rate, parse_share, parse_size};

/// Checks a whole tree.
///
/// With `partial`, keys that are missing are no problem: a file that may have them could
/// not be read.
pub(crate) fn check(table: &Table, at: Place, partial: bool, problems: &mut Problems) -> Fields {
    Checker { problems, partial }.table(table, at, &SCENARIO, &Path::Root)
}

/// Checks a cost profile that is a file of its own: the table `costs` of a tree that has
/// nothing else.
pub(crate) fn check_profile(table: &Table, at: Place, problems: &mut Problems) -> Fields {
    let path = Path::Key(&Path::Root, "costs");
    let fields = Checker { problems, partial: false }.table(table, at, &COSTS, &path);
    let value = Checked { value: Typed::Table(fields), at, origin: Origin::Written };
    Fields { fields: vec![Field { key: "costs".into(), value }], at }
}

pub(super) struct Checker<'a> {
    pub(super) problems: &'a mut Problems,
    partial: bool,
}

impl Checker<'_> {
    fn table(
        &mut self,
        table: &Table,
        at: Place,
        section: &'static Section,
        path: &Path,
    ) -> Fields {
        let meant = self.unknown_keys(table, section, path);
        self.choices(table, at, section, path, &meant);
        let mut fields = Fields { fields: Vec::with_capacity(section.keys.len()), at };
        for key in section.keys {
            let value = match table.get(key.name) {
                Some(entry) => self.written(entry, key, section, &fields, path),
                // A misspelt key is one problem, not two.
                None if meant.contains(&key.name) => None,
                None => self.missing(key, &fields, at, path),
            };
            if let Some(value) = value {
                fields.fields.push(Field { key: key.name.into(), value });
            }
        }
        fields
    }

    /// Tells the keys that the table does not have; the keys that were probably meant.
    fn unknown_keys(
        &mut self,
        table: &Table,
        section: &'static Section,
        path: &Path,
    ) -> Vec<&'static str> {
        let names = || section.keys.iter().map(|key| key.name);
        let mut meant = Vec::new();
        for entry in table.entries.iter().filter(|entry| section.key(&entry.key).is_none()) {
            let key = path.key(&entry.key).to_string();
            let near = nearest(&entry.key, names());
            meant.extend(near);
            let advice = near
                .map(|name| format!("did you mean `{name}`?"))
                .or_else(|| elsewhere(&entry.key).filter(|_| !path.is_in_a_list()));
            self.problems.push(
                Problem::new(entry.at, format!("unknown key `{}`", brief(&key)))
                    .allowed(some_keys(section))
                    .maybe_advice(advice),
            );
        }
        meant
    }

    /// Groups of keys of which exactly one has to be written.
    fn choices(
        &mut self,
        table: &Table,
        at: Place,
        section: &'static Section,
        path: &Path,
        meant: &[&str],
    ) {
        for group in section.one_of {
            let found: Vec<&Entry> = group.iter().filter_map(|key| table.get(key)).collect();
            let allowed = format!("exactly one of {}", one_of(group.iter().copied()));
            match found[..] {
                [_] => {}
                [] if self.partial || group.iter().any(|key| meant.contains(key)) => {}
                [] => self
                    .problems
                    .push(Problem::new(at, format!("`{path}` lacks a key")).allowed(allowed)),
                [.., last] => {
                    let names: Vec<String> =
                        found.iter().map(|entry| format!("`{}`", entry.key)).collect();
                    self.problems.push(
                        Problem::new(
                            last.at,
                            format!("`{path}` has {} together", names.join(" and ")),
                        )
                        .allowed(allowed)
                        .advice("keep one of them"),
                    );
                }
            }
        }
    }

    fn written(
        &mut self,
        entry: &Entry,
        key: &'static Key,
        section: &'static Section,
        so_far: &Fields,
        path: &Path,
    ) -> Option<Checked> {
        let name = path.key(key.name);
        if let Some(problem) = out_of_place(entry, key, section, so_far, &name) {
            self.problems.push(problem);
            return None;
        }
        let value = self.value(&entry.node, key, &name);
        Some(Checked { value, at: entry.node.at, origin: Origin::Written })
    }

    fn missing(
        &mut self,
        key: &'static Key,
        so_far: &Fields,
        at: Place,
        path: &Path,
    ) -> Option<Checked> {
        if !applies(key, so_far) {
            return None;
        }
        let name = path.key(key.name);
        match key.fallback {
            Fallback::Absent => {
                let value = Typed::Word(key.word?);
                Some(Checked { value, at, origin: Origin::Default })
            }
            Fallback::Derived(_) => None,
            Fallback::Required if self.partial => None,
            Fallback::Value(text) => {
                let value = self.value(&default_node(text, at), key, &name);
                Some(Checked { value, at, origin: Origin::Default })
            }
            Fallback::Required => {
                let problem = Problem::new(at, format!("`{name}` is missing"))
                    .allowed(allowed(key))
                    .maybe_advice(key.hint.map(str::to_string));
                self.problems.push(problem);
                Some(Checked { value: Typed::Broken, at, origin: Origin::Default })
            }
        }
    }

    fn value(&mut self, node: &Node, key: &'static Key, name: &Path) -> Typed {
        if let (Value::Text(text), Some(word)) = (&node.value, key.word)
            && **text == *word
        {
            return Typed::Word(word);
        }
        if let Value::Broken = node.value {
            return Typed::Broken;
        }
        match (&key.kind, &node.value) {
            (Kind::Table(section) | Kind::Profile(section), Value::Table(table)) => {
                Typed::Table(self.table(table, node.at, section, name))
            }
            (Kind::Named(section), Value::Table(table)) => {
                Typed::Table(self.named(table, node.at, section, name))
            }
            (Kind::List(section), Value::List(nodes)) => {
                Typed::List(self.list(nodes, section, name))
            }
            (Kind::TextMap, Value::Table(table)) => self.texts_by_name(table, node.at, name),
            (Kind::Distribution, _) => {
                form::check(self, node, name).map_or(Typed::Broken, Typed::Form)
            }
            _ => self.scalar(node, key, name),
        }
    }

    fn scalar(&mut self, node: &Node, key: &'static Key, name: &Path) -> Typed {
        scalar(&node.value, &key.kind).unwrap_or_else(|allowed_here| {
            let allowed = match key.word {
                Some(word) => format!("{allowed_here}, or \"{word}\""),
                None => allowed_here,
            };
            let problem = Problem::new(node.at, format!("`{name}` is {}", show(&node.value)))
                .allowed(allowed)
                .maybe_advice(advice(&node.value, key));
            self.problems.push(problem);
            Typed::Broken
        })
    }

    fn named(
        &mut self,
        table: &Table,
        at: Place,
        section: &'static Section,
        path: &Path,
    ) -> Fields {
        let mut fields = Fields { fields: Vec::with_capacity(table.entries.len()), at };
        for entry in &table.entries {
            let name = path.key(&entry.key);
            self.check_name(&entry.key, entry.at, section);
            let value = match &entry.node.value {
                Value::Table(table) => {
                    Typed::Table(self.table(table, entry.node.at, section, &name))
                }
                other => {
                    self.problems.push(not_a_table(other, entry.node.at, section, &name));
                    Typed::Broken
                }
            };
            let value = Checked { value, at: entry.node.at, origin: Origin::Written };
            fields.fields.push(Field { key: entry.key.to_string().into(), value });
        }
        fields
    }

    fn list(&mut self, nodes: &[Node], section: &'static Section, path: &Path) -> Vec<Fields> {
        let mut list = Vec::with_capacity(nodes.len());
        for (index, node) in nodes.iter().enumerate() {
            let by_index = path.index(index);
            let by_name = merge::name(node).filter(|_| section.is_named());
            let name = by_name.map_or(by_index, |name| path.key(name));
            if let Some(text) = by_name {
                self.check_name(text, node.at, section);
            }
            match &node.value {
                Value::Table(table) => list.push(self.table(table, node.at, section, &name)),
                other => self.problems.push(not_a_table(other, node.at, section, &name)),
            }
        }
        list
    }

    fn check_name(&mut self, name: &str, at: Place, section: &'static Section) {
        if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
            self.problems.push(
                Problem::new(
                    at,
                    format!("\"{}\" is the name of {}", brief(name), with_article(section.noun)),
                )
                .allowed("a name of 1 to 100 characters, on one line"),
            );
        }
    }

    fn texts_by_name(&mut self, table: &Table, at: Place, path: &Path) -> Typed {
        let mut fields = Fields { fields: Vec::new(), at };
        for entry in &table.entries {
            let name = path.key(&entry.key);
            let value = match &entry.node.value {
                Value::Text(text) => Typed::Text(text.to_string()),
                // A date without quotes is as good a note as any.
                Value::Date(date) => Typed::Text(date.to_string()),
                other => {
                    self.problems.push(
                        Problem::new(entry.node.at, format!("`{name}` is {}", show(other)))
                            .allowed("a text in quotes"),
                    );
                    Typed::Broken
                }
            };
            let value = Checked { value, at: entry.node.at, origin: Origin::Written };
            fields.fields.push(Field { key: entry.key.to_string().into(), value });
        }
        Typed::Table(fields)
    }
}

/// The problem with a key that means nothing beside its siblings.
fn out_of_place(
    entry: &Entry,
    key: &'static Key,
    section: &'static Section,
    so_far: &Fields,
    name: &Path,
) -> Option<Problem> {
    if applies(key, so_far) {
        return None;
    }
    match key.only {
        Only::Always => None,
        Only::With(other) => {
            // If no key of the group is there, that is the problem, and told.
            let group = section.one_of.iter().find(|group| group.contains(&other))?;
            let instead = group.iter().find(|key| so_far.has(key))?;
            Some(
                Problem::new(entry.at, format!("`{name}` beside `{instead}`"))
                    .allowed(format!("`{}` only beside `{other}`", key.name))
                    .advice(format!("remove it, or write `{other}` instead of `{instead}`")),
            )
        }
        Only::When(other, word) => {
            let found = so_far.word(other)?;
            let advice = match key.hint {
                Some(hint) => format!("remove it; {hint}"),
                None => format!("remove it, or write `{other} = \"{word}\"`"),
            };
            Some(
                Problem::new(entry.at, format!("`{name}` with `{other} = \"{found}\"`"))
                    .allowed(format!("`{}` only with `{other} = \"{word}\"`", key.name))
                    .advice(advice),
            )
        }
    }
}

/// True if the key means something beside the keys read so far. A broken choice rules
/// nothing out.
fn applies(key: &Key, so_far: &Fields) -> bool {
    match key.only {
        Only::Always => true,
        Only::With(other) => so_far.has(other),
        Only::When(other, word) => so_far.word(other).is_none_or(|found| found == word),
    }
}

fn not_a_table(found: &Value, at: Place, section: &Section, name: &Path) -> Problem {
    Problem::new(at, format!("`{name}` is {}", show(found)))
        .allowed(format!("a table: the keys of one {}", section.noun))
}

/// A value that is neither table nor list of tables; else what is allowed.
fn scalar(value: &Value, kind: &Kind) -> Result<Typed, String> {
    let wrong = || Err(describe(kind));
    match (kind, value) {
        (Kind::Flag, Value::Flag(flag)) => Ok(Typed::Flag(*flag)),
        (Kind::Integer(low, high), Value::Integer(integer)) => match u64::try_from(*integer) {
            Ok(integer) if (*low..=*high).contains(&integer) => Ok(Typed::Integer(integer)),
            _ => wrong(),
        },
        (Kind::Number(low, high), Value::Integer(_) | Value::Number(_)) => {
            let number = match value {
                Value::Number(number) => *number,
                Value::Integer(integer) => *integer as f64,
                _ => f64::NAN,
            };
            // The absolute value turns minus zero into zero.
            if (*low..=*high).contains(&number) { Ok(Typed::Number(number.abs())) } else { wrong() }
        }
        (Kind::Text, Value::Text(text)) => Ok(Typed::Text(text.to_string())),
        (Kind::Texts, Value::List(nodes)) => nodes
            .iter()
            .map(|node| match &node.value {
                Value::Text(text) => Ok(text.to_string()),
                _ => Err(describe(kind)),
            })
            .collect::<Result<_, _>>()
            .map(Typed::Texts),
        (Kind::Span(low), Value::Text(text)) => match Span::parse(text)? {
            span if span >= *low => Ok(Typed::Span(span)),
            _ => wrong(),
        },
        (Kind::Rate, Value::Text(text)) => parse_rate(text).map(|rate| Typed::Rate(rate.abs())),
        (Kind::Size, Value::Text(text)) => parse_size(text).map(Typed::Size),
        (Kind::Share, Value::Text(text)) => parse_percent(text).map(Typed::Percent),
        (Kind::Target, Value::Text(text)) => parse_rate(text).map(|rate| Typed::Rate(rate.abs())),
        (Kind::Target, Value::Integer(_)) => scalar(value, &Kind::Integer(0, MOST_USERS)),
        (Kind::Choice(words), Value::Text(text)) => words
            .iter()
            .find(|(word, _)| **word == **text)
            .map(|(word, _)| Typed::Word(word))
            .ok_or_else(|| describe(kind)),
        _ => wrong(),
    }
}

fn parse_percent(text: &str) -> Result<f64, String> {
    parse_share(text)?;
    let number = text.trim().trim_end_matches('%').trim();
    number.parse().map(f64::abs).map_err(|_| "a share between \"0%\" and \"100%\"".to_string())
}

/// What a key of this kind may be, for a reader who has just been told that it is not.
pub(super) fn describe(kind: &Kind) -> String {
    match kind {
        Kind::Flag => "true or false".into(),
        Kind::Integer(low, high) if *high == i64::MAX as u64 => {
            format!("an integer of at least {low}")
        }
        Kind::Integer(low, high) => format!("an integer from {low} to {high}"),
        Kind::Number(low, high) => format!("a number from {low} to {high}"),
        Kind::Text => "a text in quotes".into(),
        Kind::Texts => "a list of texts in quotes".into(),
        Kind::TextMap => "a table of texts in quotes".into(),
        Kind::Span(low) if low.is_zero() => "a time with its unit, as in \"250ms\"".into(),
        Kind::Span(low) if low.nanos() == 1 => "a time above 0s, as in \"250ms\"".into(),
        Kind::Span(low) => format!("a time of at least {low}, as in \"250ms\""),
        Kind::Rate => "a rate with its unit, as in \"200/s\" or \"600/m\"".into(),
        Kind::Size => "a size with its unit, as in \"64KiB\"".into(),
        Kind::Share => "a share between \"0%\" and \"100%\"".into(),
        Kind::Distribution => {
            "a time such as \"5ms\", or a table { p50, p99 }, { mean }, { low, high } or { quantiles }".into()
        }
        Kind::Target => "users as in 100, or a rate as in \"200/s\"".into(),
        Kind::Choice(words) => one_of(words.iter().map(|(word, _)| *word)),
        Kind::Table(section) => format!("a table with the keys of {}", with_article(section.noun)),
        Kind::Named(section) => format!("tables, one for each {}, by name", section.noun),
        Kind::List(section) => format!("a list of tables, one for each {}", section.noun),
        Kind::Profile(_) => "the path of a cost profile, or a table with its keys".into(),
    }
}

fn with_article(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {noun}")
}

fn allowed(key: &Key) -> String {
    match key.word {
        Some(word) => format!("{}, or \"{word}\"", describe(&key.kind)),
        None => describe(&key.kind),
    }
}

/// What to write instead, where the intention can be guessed.
fn advice(found: &Value, key: &'static Key) -> Option<String> {
    let name = key.name;
    match (&key.kind, found) {
        (Kind::Span(_), Value::Integer(n @ 0..)) => {
            Some(format!("write the unit: `{name} = \"{n}s\"` or `{name} = \"{n}ms\"`"))
        }
        (Kind::Rate, Value::Integer(n @ 0..)) => {
            Some(format!("write the unit: `{name} = \"{n}/s\"`"))
        }
        (Kind::Size, Value::Integer(n @ 0..)) => {
            Some(format!("write the unit: `{name} = \"{n}KiB\"` or `{name} = \"{n}B\"`"))
        }
        (Kind::Share, Value::Integer(n @ 0..=100)) => {
            Some(format!("write the unit: `{name} = \"{n}%\"`"))
        }
        (Kind::Share, Value::Number(n)) if (0.0..=1.0).contains(n) => {
            Some(format!("write it in percent: `{name} = \"{}%\"`", n * 100.0))
        }
        (Kind::Integer(..) | Kind::Number(..), Value::Text(text))
            if text.parse::<f64>().is_ok() =>
        {
            Some(format!("write it without quotes: `{name} = {text}`"))
        }
        (Kind::Flag, Value::Text(text)) if matches!(&**text, "true" | "false") => {
            Some(format!("write it without quotes: `{name} = {text}`"))
        }
        (Kind::Choice(words), Value::Text(text)) => {
            let words = words.iter().map(|(word, _)| *word).chain(key.word);
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
        Value::List(_) => "a list".into(),
        Value::Broken => "unreadable".into(),
        Value::Table(_) => "a table".into(),
    }
}

/// The default of a key as a value. Defaults are a small part of TOML, read a great many
/// times, so they do without its parser.
fn default_node(text: &'static str, at: Place) -> Node {
    let value = match text {
        "{}" => Value::Table(Table::default()),
        "[]" => Value::List(Vec::new()),
        "true" | "false" => Value::Flag(text == "true"),
        _ => match text.parse() {
            Ok(integer) => Value::Integer(integer),
            Err(_) => Value::Text(text.trim_matches('"').into()),
        },
    };
    Node { value, at }
}

/// The keys of a table, or the first few of many.
fn some_keys(section: &Section) -> String {
    let names = || section.keys.iter().map(|key| key.name);
    match section.keys.len() {
        0..=8 => one_of(names()),
        count => format!(
            "the {count} keys of {}, such as {}",
            with_article(section.noun),
            one_of(names().take(4))
        ),
    }
}

/// A key of this very name in another table.
fn elsewhere(name: &str) -> Option<String> {
    fn search(section: &'static Section, prefix: &str, name: &str, depth: u32) -> Option<String> {
        section.keys.iter().find_map(|key| {
            let path = format!("{prefix}{}", key.name);
            if key.name == name && !prefix.is_empty() {
                return Some(path);
            }
            let below = key.kind.section().filter(|_| depth > 0)?;
            let dots = match key.kind {
                Kind::Named(_) => format!("{path}.NAME."),
                Kind::List(_) => return None,
                _ => format!("{path}."),
            };
            search(below, &dots, name, depth - 1)
        })
    }
    search(&SCENARIO, "", name, 3).map(|path| format!("did you mean `{path}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every default passes its own check.
    #[test]
    fn every_default_is_allowed() {
        fn visit(section: &'static Section, depth: u32) {
            for key in section.keys {
                if let Fallback::Value(text) = key.fallback {
                    let mut problems = Problems::default();
                    let node = default_node(text, Place::default());
                    let name = Path::Root;
                    // Tables have required keys of their own only where they are absent
                    // by default.
                    Checker { problems: &mut problems, partial: false }.value(&node, key, &name);
                    assert!(problems.is_empty(), "{}: {problems:?}", key.name);
                }
                if let Some(below) = key.kind.section().filter(|_| depth > 0) {
                    visit(below, depth - 1);
                }
            }
        }
        visit(&SCENARIO, 6);
    }

    /// A condition is read off the keys before it, so they have to come before it.
    #[test]
    fn conditions_come_after_what_they_depend_on() {
        fn visit(section: &'static Section, depth: u32) {
            for (index, key) in section.keys.iter().enumerate() {
                if let Only::With(other) | Only::When(other, _) = key.only {
                    assert!(
                        section.keys[..index].iter().any(|key| key.name == other),
                        "{}",
                        key.name
                    );
                }
                if let Some(below) = key.kind.section().filter(|_| depth > 0) {
                    visit(below, depth - 1);
                }
            }
        }
        visit(&SCENARIO, 6);
    }
}
