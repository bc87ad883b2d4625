//! Distributions as they are written: a time, or a table of quantiles, of a mean, of
//! bounds.

use super::describe::{describe, show};
use super::diagnostic::{Problem, Problems, brief, did_you_mean};
use super::path::KeyPath;
use super::tree::{Entry, Node, Table, Value};
use crate::keys::{DISTRIBUTION_FORMS, KeyKind, Position, WrittenDistribution};
use crate::units::Span;

/// Checks a distribution; none if there is a problem, which is reported.
pub(super) fn check(
    problems: &mut Problems,
    node: &Node,
    name: &KeyPath,
) -> Option<WrittenDistribution> {
    match &node.value {
        Value::Table(table) => from_table(problems, table, node.at, name),
        Value::Text(_) => span(problems, node, name).map(WrittenDistribution::Constant),
        Value::Integer(n @ 0..) => {
            let key = name.last();
            problems.push(
                wrong(node, name)
                    .advice(format!("write the unit: `{key} = \"{n}ms\"` or `{key} = \"{n}s\"`")),
            );
            None
        }
        _ => {
            problems.push(wrong(node, name));
            None
        }
    }
}

fn wrong(node: &Node, name: &KeyPath) -> Problem {
    Problem::new(node.at, format!("`{name}` is {}", show(&node.value)))
        .allowed(describe(&KeyKind::Distribution))
}

fn span(problems: &mut Problems, node: &Node, name: &KeyPath) -> Option<Span> {
    let problem = match &node.value {
        Value::Text(text) => match Span::parse(text) {
            Ok(span) => return Some(span),
            Err(allowed) => {
                Problem::new(node.at, format!("`{name}` is {}", show(&node.value))).allowed(allowed)
            }
        },
        other => Problem::new(node.at, format!("`{name}` is {}", show(other)))
            .allowed("a time with its unit, as in \"250ms\""),
    };
    problems.push(problem);
    None
}

fn from_table(
    problems: &mut Problems,
    table: &Table,
    at: Position,
    name: &KeyPath,
) -> Option<WrittenDistribution> {
    let known = |key: &str| DISTRIBUTION_FORMS.iter().any(|form| form.contains(&key));
    let mut good = true;
    for entry in table.entries.iter().filter(|entry| !known(&entry.key)) {
        let names = DISTRIBUTION_FORMS.iter().flat_map(|form| form.iter().copied());
        let names = names.filter(|name| !table.has(name));
        let advice = did_you_mean(&entry.key, names);
        let found = format!("unknown key `{}`", brief(&name.key(&entry.key).to_string()));
        problems.push(
            Problem::new(entry.at, found)
                .allowed(describe(&KeyKind::Distribution))
                .maybe_advice(advice),
        );
        good = false;
    }
    let form = whole_form(problems, table, at, name, good)?;
    let form = match form {
        ["p50", "p99"] => lognormal(problems, table, name),
        ["mean"] => time(problems, table, "mean", name)
            .map(|mean| WrittenDistribution::Exponential { mean }),
        ["low", "high"] => uniform(problems, table, name),
        _ => empirical(problems, table, name),
    };
    form.filter(|_| good)
}

/// The one form all of whose keys are there.
fn whole_form(
    problems: &mut Problems,
    table: &Table,
    at: Position,
    name: &KeyPath,
    good: bool,
) -> Option<&'static [&'static str]> {
    let begun: Vec<&'static [&'static str]> = DISTRIBUTION_FORMS
        .into_iter()
        .filter(|form| form.iter().any(|key| table.has(key)))
        .collect();
    let problem = match begun[..] {
        [form] => {
            let missing = form.iter().find(|key| !table.has(key));
            let Some(missing) = missing else { return Some(form) };
            Problem::new(at, format!("`{}` is missing", name.key(missing)))
                .allowed(format!("a table {{ {} }}", form.join(", ")))
        }
        [] if !good => return None,
        [] => Problem::new(at, format!("`{name}` is an empty table"))
            .allowed(describe(&KeyKind::Distribution)),
        [..] => {
            let keys: Vec<String> = table.keys().map(|key| format!("`{key}`")).collect();
            Problem::new(at, format!("`{name}` has {} together", keys.join(", ")))
                .allowed(describe(&KeyKind::Distribution))
                .advice("keep the keys of one form")
        }
    };
    problems.push(problem);
    None
}

fn time(problems: &mut Problems, table: &Table, key: &'static str, name: &KeyPath) -> Option<Span> {
    let entry = table.get(key)?;
    span(problems, &entry.node, &name.key(key))
}

fn lognormal(
    problems: &mut Problems,
    table: &Table,
    name: &KeyPath,
) -> Option<WrittenDistribution> {
    let (p50, p99) = (time(problems, table, "p50", name), time(problems, table, "p99", name));
    let (p50, p99) = (p50?, p99?);
    if p50.is_zero() {
        let at = table.get("p50")?.node.at;
        problems.push(
            Problem::new(at, format!("`{}` is 0s", name.key("p50")))
                .allowed("a time above 0s: a lognormal has no zero")
                .advice(format!("write `{} = \"0s\"` for no time at all", name.last())),
        );
        return None;
    }
    if p99 < p50 {
        let at = table.get("p50")?.node.at.newer(table.get("p99")?.node.at);
        problems.push(
            Problem::new(at, format!("`{}` is {p99}, below p50 = {p50}", name.key("p99")))
                .allowed("a P99 that is not below the P50")
                .advice("swap them, or set both"),
        );
        return None;
    }
    Some(WrittenDistribution::Lognormal { p50, p99 })
}

fn uniform(problems: &mut Problems, table: &Table, name: &KeyPath) -> Option<WrittenDistribution> {
    let (low, high) = (time(problems, table, "low", name), time(problems, table, "high", name));
    let (low, high) = (low?, high?);
    if high < low {
        let at = table.get("low")?.node.at.newer(table.get("high")?.node.at);
        problems.push(
            Problem::new(at, format!("`{}` is {high}, below low = {low}", name.key("high")))
                .allowed("a high end that is not below the low end")
                .advice("swap them, or set both"),
        );
        return None;
    }
    Some(WrittenDistribution::Uniform { low, high })
}

fn empirical(
    problems: &mut Problems,
    table: &Table,
    name: &KeyPath,
) -> Option<WrittenDistribution> {
    let entry = table.get("quantiles")?;
    let name = name.key("quantiles");
    let Value::Table(points) = &entry.node.value else {
        problems.push(
            Problem::new(entry.node.at, format!("`{name}` is {}", show(&entry.node.value)))
                .allowed("a table such as { p0 = \"1ms\", p50 = \"5ms\", p100 = \"90ms\" }"),
        );
        return None;
    };
    // Every point is read before giving up, so that every problem is reported.
    let read: Vec<Option<(String, f64, Span)>> =
        points.entries.iter().map(|entry| point(problems, entry, &name)).collect();
    let mut read: Vec<(String, f64, Span)> = read.into_iter().collect::<Option<_>>()?;
    read.sort_by(|a, b| a.1.total_cmp(&b.1));
    let form = WrittenDistribution::Empirical(read);
    if let (WrittenDistribution::Empirical(read), None) = (&form, form.distribution()) {
        let pairs: Vec<(f64, Span)> = read.iter().map(|&(_, p, v)| (p, v)).collect();
        let allowed = crate::distribution::Quantiles::new(&pairs).err().unwrap_or_default();
        problems.push(
            Problem::new(entry.node.at, format!("`{name}` is no table of quantiles"))
                .allowed(allowed)
                .advice("write as in { p0 = \"1ms\", p50 = \"5ms\", p100 = \"90ms\" }"),
        );
        return None;
    }
    Some(form)
}

fn point(problems: &mut Problems, entry: &Entry, name: &KeyPath) -> Option<(String, f64, Span)> {
    let key = name.key(&entry.key);
    let percent = entry
        .key
        .strip_prefix('p')
        .filter(|digits| digits.chars().all(|c| c.is_ascii_digit() || c == '.'))
        .and_then(|digits| digits.parse::<f64>().ok())
        .filter(|percent| (0.0..=100.0).contains(percent));
    if percent.is_none() {
        problems.push(
            Problem::new(entry.at, format!("unknown key `{}`", brief(&key.to_string())))
                .allowed("percentiles from p0 to p100, as in p50 or \"p99.9\""),
        );
    }
    let value = span(problems, &entry.node, &key);
    Some((entry.key.to_string(), percent? / 100.0, value?))
}
