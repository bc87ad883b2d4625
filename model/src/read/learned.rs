//! Entries `[[learned]]`: they stay as long as the value that they are about, and each is about a
//! number that is there.

use super::diagnostic::{Problem, Problems, brief, did_you_mean};
use super::item::{Part, find, parts, place};
use super::tree::{Node, Table, Value};
use crate::keys::{Fields, Position, Typed};
use crate::quantity::Quantity;
use crate::scenario::{self, Learned, Origin};

/// A value of a scenario, where it comes from, and how sure it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// The key, as `--set` writes it.
    pub key: String,
    /// The value as text.
    pub value: String,
    /// The value, if it is a number.
    pub number: Option<Quantity>,
    /// The number and its 95 % interval; none where no interval is known.
    pub interval: Option<Interval>,
    /// How it is known.
    pub origin: Origin,
    /// How it was found, in words.
    pub how: String,
    /// What would make it certain, in words.
    pub better: Option<String>,
}

/// A number between the ends of its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: Quantity,
    /// The number itself.
    pub value: Quantity,
    /// Upper end.
    pub high: Quantity,
}

impl Interval {
    /// Its width relative to the number; infinite about zero.
    pub fn relative_width(&self) -> f64 {
        let width = self.high.number() - self.low.number();
        if width == 0.0 { 0.0 } else { width / self.value.number() }
    }
}

/// Changes `tree`, and takes away the entries about values that it has replaced.
pub(crate) fn keep(tree: &mut Table, change: impl FnOnce(&mut Table)) {
    let Some(old) = tree.remove("learned") else { return change(tree) };
    let Value::List(entries) = old.node.value else {
        tree.entries.push(old);
        return change(tree);
    };
    let before: Vec<(Option<Vec<Part>>, Option<Position>)> = entries
        .iter()
        .map(|entry| {
            let parts = key(entry).and_then(parts);
            let place = parts.as_ref().and_then(|parts| place(tree, parts));
            (parts, place)
        })
        .collect();
    change(tree);
    let own: Vec<Node> = match tree.remove("learned").map(|entry| entry.node.value) {
        Some(Value::List(own)) => own,
        // Refused by the checker.
        Some(_) => Vec::new(),
        None => Vec::new(),
    };
    let again: Vec<Vec<Part>> = own.iter().filter_map(|entry| parts(key(entry)?)).collect();
    let stays = |(parts, at): &(Option<Vec<Part>>, Option<Position>)| {
        // One whose key is broken is refused by the checker.
        let Some(parts) = parts else { return true };
        place(tree, parts) == *at && !again.contains(parts)
    };
    let inherited = entries.into_iter().zip(&before).filter(|(_, before)| stays(before));
    let entries: Vec<Node> = inherited.map(|(entry, _)| entry).chain(own).collect();
    let node = Node { value: Value::List(entries), at: old.node.at };
    tree.entries.push(super::tree::Entry { node, ..old });
}

fn key(entry: &Node) -> Option<&str> {
    entry.table()?.word("key")
}

/// Refuses entries about no number of this file, and intervals that do not hold the number.
pub(crate) fn check(root: &Fields, problems: &mut Problems) {
    let mut seen: Vec<(Vec<Part>, String)> = Vec::new();
    for entry in root.list("learned").unwrap_or_default() {
        let Some(key) = entry.text("key") else { continue };
        let at = entry.position("key");
        let Some((way, value)) =
            parts(key).and_then(|way| Some((find(root, &way)?, way))).map(swap)
        else {
            // A number that another key has replaced, such as users by a rate, is none any more.
            if !scenario::keys().paths().iter().any(|path| path == key) {
                problems.push(no_such_key(key, at));
            }
            continue;
        };
        if seen.iter().any(|(other, _)| *other == way) {
            problems.push(
                Problem::new(at, format!("a second entry about `{}`", shown(key)))
                    .allowed("one entry of each key")
                    .advice("keep the one that is right"),
            );
            continue;
        }
        seen.push((way, key.to_string()));
        interval(entry, key, &value, problems);
    }
}

/// A key on one line. Keys with the names of endpoints are long, so more of it than `brief` shows.
fn shown(key: &str) -> String {
    key.chars().filter(|c| !c.is_control()).take(160).collect()
}

fn swap<A, B>((a, b): (A, B)) -> (B, A) {
    (b, a)
}

fn no_such_key(key: &str, at: Position) -> Problem {
    let paths = scenario::keys().paths();
    Problem::new(at, format!("`{}` is no key of this scenario", shown(key)))
        .allowed(
            "a key that the scenario has, as `--set` writes it: `endpoint.quote.steps[0].cpu`, \
             `costs.query.items.engine`",
        )
        .advice("`sim check FILE` prints all keys; remove the entry if its number is gone")
        .maybe_advice(did_you_mean(key, paths.iter().map(String::as_str)))
}

fn interval(entry: &Fields, key: &str, value: &Typed, problems: &mut Problems) {
    let ends = [("low", entry.text("low")), ("high", entry.text("high"))];
    if *value == Typed::Broken {
        return;
    }
    let Some(number) = Quantity::of(value) else {
        if let Some((end, _)) = ends.iter().find(|(_, text)| text.is_some()) {
            problems.push(
                Problem::new(
                    entry.position(end),
                    format!("`{end}` of `{}`, which is no number", shown(key)),
                )
                .allowed("an interval only about a number")
                .advice(
                    "remove `low` and `high`, or name a number of it, as in \
                     `upstream.partner.latency.p50`",
                ),
            );
        }
        return;
    };
    if let (Some(_), None) = (ends[0].1, ends[1].1) {
        problems.push(
            Problem::new(entry.position("low"), "`low` without `high`")
                .allowed("both ends of an interval, or neither")
                .advice("add `high`, or remove `low`"),
        );
    }
    for (end, text) in ends {
        let Some(text) = text else { continue };
        match number.parse_like(text) {
            Err(allowed) => problems.push(
                Problem::new(entry.position(end), format!("`{end}` is \"{}\"", brief(text)))
                    .allowed(format!("{allowed}: `{}` is {number}", shown(key))),
            ),
            Ok(found) => {
                let wrong = match end {
                    "low" => found.number() > number.number(),
                    _ => found.number() < number.number(),
                };
                if wrong {
                    problems.push(
                        Problem::new(
                            entry.position(end),
                            format!("`{end}` is {found}, and `{}` is {number}", shown(key)),
                        )
                        .allowed("an interval that holds the number itself")
                        .advice(
                            "correct the interval, or remove the entry if the number is now yours",
                        ),
                    );
                }
            }
        }
    }
}

/// The entries with the values that they are about.
pub(crate) fn known(entries: &[Learned], root: &Fields) -> Vec<Known> {
    let one = |entry: &Learned| {
        let value = find(root, &parts(&entry.key)?)?;
        let number = Quantity::of(&value);
        let interval = number.and_then(|value| {
            let end = |text: &Option<String>| value.parse_like(text.as_ref()?).ok();
            Some(Interval { low: end(&entry.low)?, value, high: end(&entry.high)? })
        });
        Some(Known {
            key: entry.key.clone(),
            value: value.plain(),
            number,
            interval,
            origin: entry.origin,
            how: entry.how.clone(),
            better: entry.better.clone(),
        })
    };
    entries.iter().filter_map(one).collect()
}

#[cfg(test)]
mod tests;
