//! Every key against the table of keys: unknown names, wrong kinds, values out of range,
//! missing keys. What passes comes out typed, with the defaults filled in.

use super::describe::{advice, allowed, describe, elsewhere, show, some_keys, with_article};
use super::diagnostic::{Problem, Problems, brief, nearest, one_of};
use super::path::KeyPath;
use super::tree::{Entry, Node, Table, Value};
use super::{distribution, merge};
use crate::keys::{
    Checked, Fallback, Fields, Key, KeyKind, MOST_ENTRIES, MOST_USERS, Only, Origin, Position,
    Section, Typed,
};
use crate::units::{Span, parse_percent, parse_rate, parse_size};
use crate::{costs, scenario};

/// Checks a whole tree.
///
/// With `partial`, keys that are missing are no problem: a file that may have them could
/// not be read.
pub(crate) fn check(table: &Table, at: Position, partial: bool, problems: &mut Problems) -> Fields {
    Checker { problems, partial }.table(table, at, scenario::keys(), &KeyPath::Root)
}

/// Checks a cost profile that is a file of its own: the table `costs` of a tree that has
/// nothing else.
pub(crate) fn check_profile(table: &Table, at: Position, problems: &mut Problems) -> Fields {
    let path = KeyPath::Key(&KeyPath::Root, "costs");
    let fields = Checker { problems, partial: false }.table(table, at, costs::keys(), &path);
    let mut root = Fields::new(at);
    root.push("costs".into(), written(Typed::Table(fields), at));
    root
}

/// Checks a file whose keys are those of `section`.
pub(crate) fn check_section(
    table: &Table,
    at: Position,
    section: &'static Section,
    problems: &mut Problems,
) -> Fields {
    Checker { problems, partial: false }.table(table, at, section, &KeyPath::Root)
}

fn written(value: Typed, at: Position) -> Checked {
    Checked { value, at, origin: Origin::Written }
}

struct Checker<'a> {
    problems: &'a mut Problems,
    partial: bool,
}

impl Checker<'_> {
    fn table(
        &mut self,
        table: &Table,
        at: Position,
        section: &'static Section,
        path: &KeyPath,
    ) -> Fields {
        let meant = self.unknown_keys(table, section, path);
        self.choices(table, at, section, path, &meant);
        let mut fields = Fields::new(at);
        for key in section.keys {
            let value = match table.get(key.name) {
                Some(entry) => self.written(entry, key, section, &fields, path),
                // A misspelt key is one problem, not two.
                None if meant.contains(&key.name) => None,
                None => self.missing(key, &fields, at, path),
            };
            if let Some(value) = value {
                fields.push(key.name.into(), value);
            }
        }
        fields
    }

    /// Reports keys that the table does not have; answers the keys that were probably meant.
    fn unknown_keys(
        &mut self,
        table: &Table,
        section: &'static Section,
        path: &KeyPath,
    ) -> Vec<&'static str> {
        let names = || section.keys.iter().map(|key| key.name);
        let mut meant = Vec::new();
        for entry in table.entries.iter().filter(|entry| section.key(&entry.key).is_none()) {
            let key = path.key(&entry.key).to_string();
            let near = nearest(&entry.key, names());
            meant.extend(near);
            let advice = near
                .map(|name| format!("did you mean `{name}`?"))
                .or_else(|| elsewhere(&entry.key))
                .unwrap_or_else(|| "remove it: `sim check` prints all keys of a scenario".into());
            self.problems.push(
                Problem::new(entry.at, format!("unknown key `{}`", brief(&key)))
                    .allowed(some_keys(section))
                    .advice(advice),
            );
        }
        meant
    }

    /// Groups of keys of which exactly one has to be written.
    fn choices(
        &mut self,
        table: &Table,
        at: Position,
        section: &'static Section,
        path: &KeyPath,
        meant: &[&str],
    ) {
        for group in section.one_of {
            let found: Vec<&Entry> = group.iter().filter_map(|key| table.get(key)).collect();
            let allowed = format!("exactly one of {}", one_of(group.iter().copied()));
            match found[..] {
                [_] => {}
                [] if self.partial || group.iter().any(|key| meant.contains(key)) => {}
                [] if section
                    .implied
                    .is_some_and(|(key, by)| group.contains(&key) && table.has(by)) => {}
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
        path: &KeyPath,
    ) -> Option<Checked> {
        let name = path.key(key.name);
        if let Some(problem) = out_of_place(entry, key, section, so_far, &name) {
            self.problems.push(problem);
            return None;
        }
        let value = self.value(&entry.node, key, &name);
        Some(written(value, entry.node.at))
    }

    fn missing(
        &mut self,
        key: &'static Key,
        so_far: &Fields,
        at: Position,
        path: &KeyPath,
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

    fn value(&mut self, node: &Node, key: &'static Key, name: &KeyPath) -> Typed {
        if let (Value::Text(text), Some(word)) = (&node.value, key.word)
            && **text == *word
        {
            return Typed::Word(word);
        }
        if let Value::Broken = node.value {
            return Typed::Broken;
        }
        if let Some(at) = one_too_many(&node.value) {
            let found = format!("`{name}` has more than {MOST_ENTRIES} entries");
            let allowed = format!("at most {MOST_ENTRIES}, those of the extended files included");
            self.problems.push(Problem::new(at, found).allowed(allowed));
            return Typed::Broken;
        }
        match (&key.kind, &node.value) {
            (KeyKind::Table(section) | KeyKind::Profile(section), Value::Table(table)) => {
                Typed::Table(self.table(table, node.at, section(), name))
            }
            (KeyKind::Named(section), Value::Table(table)) => {
                Typed::Table(self.named(table, node.at, section(), name))
            }
            (KeyKind::List(section), Value::List(nodes)) => {
                Typed::List(self.list(nodes, section(), name))
            }
            (KeyKind::TextMap, Value::Table(table)) => self.texts_by_name(table, node.at, name),
            (KeyKind::Distribution, _) => distribution::check(self.problems, node, name)
                .map_or(Typed::Broken, Typed::Distribution),
            _ => self.scalar(node, key, name),
        }
    }

    fn scalar(&mut self, node: &Node, key: &'static Key, name: &KeyPath) -> Typed {
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
        at: Position,
        section: &'static Section,
        path: &KeyPath,
    ) -> Fields {
        let mut fields = Fields::new(at);
        for entry in &table.entries {
            let name = path.key(&entry.key);
            self.check_name(&entry.key, entry.at, section);
            let value = match &entry.node.value {
                Value::Table(table) => {
                    let mut fields = self.table(table, entry.node.at, section, &name);
                    fields.name = Some(entry.key.to_string());
                    Typed::Table(fields)
                }
                other => {
                    self.problems.push(not_a_table(other, entry.node.at, section, &name));
                    Typed::Broken
                }
            };
            fields.push(entry.key.to_string().into(), written(value, entry.node.at));
        }
        fields
    }

    fn list(&mut self, nodes: &[Node], section: &'static Section, path: &KeyPath) -> Vec<Fields> {
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

    fn check_name(&mut self, name: &str, at: Position, section: &'static Section) {
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

    fn texts_by_name(&mut self, table: &Table, at: Position, path: &KeyPath) -> Typed {
        let mut fields = Fields::new(at);
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
            fields.push(entry.key.to_string().into(), written(value, entry.node.at));
        }
        Typed::Table(fields)
    }
}

/// Where the first entry stands that is one too many. Each file has no more than are allowed, but
/// files that extend each other may have them together.
fn one_too_many(value: &Value) -> Option<Position> {
    match value {
        Value::Table(table) => table.entries.get(MOST_ENTRIES).map(|entry| entry.at),
        Value::List(nodes) => nodes.get(MOST_ENTRIES).map(|node| node.at),
        _ => None,
    }
}

/// The problem with a key that means nothing beside its siblings.
fn out_of_place(
    entry: &Entry,
    key: &'static Key,
    section: &'static Section,
    so_far: &Fields,
    name: &KeyPath,
) -> Option<Problem> {
    if applies(key, so_far) {
        return None;
    }
    match key.only {
        Only::Always => None,
        Only::With(_) | Only::WithEither(..) => {
            let (other, beside) = match key.only {
                Only::WithEither(one, other) => (one, format!("`{one}` or `{other}`")),
                Only::With(other) => (other, format!("`{other}`")),
                _ => return None,
            };
            let Some(group) = section.one_of.iter().find(|group| group.contains(&other)) else {
                return Some(
                    Problem::new(entry.at, format!("`{name}` without {beside}"))
                        .allowed(format!("`{}` only beside {beside}", key.name))
                        .advice(format!("add `{other}`, or remove it")),
                );
            };
            // If no key of the group is there, that problem is reported elsewhere.
            let instead = group.iter().find(|key| so_far.has(key))?;
            Some(
                Problem::new(entry.at, format!("`{name}` beside `{instead}`"))
                    .allowed(format!("`{}` only beside {beside}", key.name))
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
pub(crate) fn applies(key: &Key, so_far: &Fields) -> bool {
    match key.only {
        Only::Always => true,
        Only::With(other) => so_far.has(other),
        Only::WithEither(one, other) => so_far.has(one) || so_far.has(other),
        Only::When(other, word) => so_far.word(other).is_none_or(|found| found == word),
    }
}

fn not_a_table(found: &Value, at: Position, section: &Section, name: &KeyPath) -> Problem {
    Problem::new(at, format!("`{name}` is {}", show(found)))
        .allowed(format!("a table: the keys of one {}", section.noun))
}

/// A value that is neither table nor list of tables; else what is allowed.
fn scalar(value: &Value, kind: &KeyKind) -> Result<Typed, String> {
    let wrong = || Err(describe(kind));
    match (kind, value) {
        (KeyKind::Flag, Value::Flag(flag)) => Ok(Typed::Flag(*flag)),
        (KeyKind::Integer(low, high), Value::Integer(integer)) => match u64::try_from(*integer) {
            Ok(integer) if (*low..=*high).contains(&integer) => Ok(Typed::Integer(integer)),
            _ => wrong(),
        },
        (KeyKind::Number(low, high), Value::Integer(_) | Value::Number(_)) => {
            let number = match value {
                Value::Number(number) => *number,
                Value::Integer(integer) => *integer as f64,
                _ => f64::NAN,
            };
            // The absolute value turns minus zero into zero.
            if (*low..=*high).contains(&number) { Ok(Typed::Number(number.abs())) } else { wrong() }
        }
        (KeyKind::Trace, Value::Trace(written)) => Ok(Typed::Trace(written.clone())),
        (KeyKind::Text, Value::Text(text)) => Ok(Typed::Text(text.to_string())),
        (KeyKind::Texts, Value::List(nodes)) => nodes
            .iter()
            .map(|node| match &node.value {
                Value::Text(text) => Ok(text.to_string()),
                _ => Err(describe(kind)),
            })
            .collect::<Result<_, _>>()
            .map(Typed::Texts),
        (KeyKind::Choices(words), Value::List(nodes)) => nodes
            .iter()
            .map(|node| match &node.value {
                Value::Text(text) if words.iter().any(|known| *known.word == **text) => {
                    Ok(text.to_string())
                }
                _ => Err(describe(kind)),
            })
            .collect::<Result<_, _>>()
            .map(Typed::Texts),
        (KeyKind::Span(low), Value::Text(text)) => match Span::parse(text)? {
            span if span >= *low => Ok(Typed::Span(span)),
            _ => wrong(),
        },
        (KeyKind::Rate, Value::Text(text)) => parse_rate(text).map(|rate| Typed::Rate(rate.abs())),
        (KeyKind::Size, Value::Text(text)) => parse_size(text).map(Typed::Size),
        (KeyKind::Share, Value::Text(text)) => parse_percent(text).map(Typed::Percent),
        (KeyKind::Target, Value::Text(text)) => {
            parse_rate(text).map(|rate| Typed::Rate(rate.abs()))
        }
        (KeyKind::Target, Value::Integer(_)) => scalar(value, &KeyKind::Integer(0, MOST_USERS)),
        (KeyKind::Choice(words), Value::Text(text)) => words
            .iter()
            .find(|known| *known.word == **text)
            .map(|known| Typed::Word(known.word))
            .ok_or_else(|| describe(kind)),
        _ => wrong(),
    }
}

/// The default of a key as a value. Defaults are a small part of TOML, read a great many
/// times, so they do without its parser.
fn default_node(text: &'static str, at: Position) -> Node {
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
                    let node = default_node(text, Position::default());
                    let name = KeyPath::Root;
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
        visit(scenario::keys(), 6);
    }

    /// A condition is read off the keys before it, so they have to come before it.
    #[test]
    fn conditions_come_after_what_they_depend_on() {
        fn visit(section: &'static Section, depth: u32) {
            for (index, key) in section.keys.iter().enumerate() {
                let others = match key.only {
                    Only::Always => Vec::new(),
                    Only::With(other) | Only::When(other, _) => vec![other],
                    Only::WithEither(one, other) => vec![one, other],
                };
                for other in others {
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
        visit(scenario::keys(), 6);
    }
}
