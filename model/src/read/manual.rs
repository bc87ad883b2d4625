//! The manual of scenario files and cost profiles, as Markdown: one table for each table of keys.

use std::fmt::Write;

use crate::keys::{Fallback, Key, KeyKind, Only, Section};
use crate::{costs, scenario};

const INTRODUCTION: &str = "\
# Keys of a scenario and of a cost profile

This page is made from the declarations of the keys (`model/src/scenario/`, `model/src/costs/`);
a test compares it with them. `sim schema scenario` and `sim schema costs` print the same as JSON
Schemas, for editors. `sim check FILE` prints a scenario with every default filled in, and
`--set KEY=VALUE` changes a key for one run: `--set service.workers=2`,
`--set upstream.partner.latency.p50=4s`, `--set endpoint.quote.weight=3`.

A file that `extends` another changes some of its keys. Tables merge key by key; endpoints merge
by name; every other list replaces the parent's. A word for \"no limit\" takes away a limit that
the parent sets.

## How values are written

| kind | as in |
|---|---|
| time | `\"250ms\"`; units ns, us, ms, s, m or min, h |
| rate | `\"200/s\"`, `\"600/m\"` |
| size | `\"64KiB\"`; units B, kB, MB, GB, KiB, MiB, GiB |
| share | `\"5%\"` |
| distribution | a time such as `\"5ms\"` for a constant; `{ p50 = \"200ms\", p99 = \"1s\" }` for a lognormal through both points; `{ mean = \"5ms\" }` for an exponential; `{ low = \"1ms\", high = \"3ms\" }` for a uniform; `{ quantiles = { p0 = \"1ms\", p50 = \"5ms\", p100 = \"90ms\" } }` for measured quantiles, joined by straight lines |
";

/// The manual.
pub fn manual() -> String {
    let mut page = INTRODUCTION.to_string();
    page.push_str("\n## Scenario\n");
    table(&mut page, scenario::keys(), "");
    page.push_str("\n## Cost profile\n\nThe table `[costs]` of a scenario, or a file of its own, in which no key begins with `costs`.\n");
    table(&mut page, costs::keys(), "costs");
    page
}

/// The keys of a table, and then those of the tables in it.
fn table(page: &mut String, section: &'static Section, path: &str) {
    for group in section.one_of {
        let keys: Vec<String> = group.iter().map(|key| format!("`{key}`")).collect();
        let or_none = match section.implied {
            Some((key, by)) if group.contains(&key) => format!(", or none beside `{by}`"),
            _ => String::new(),
        };
        let _ = write!(page, "\nExactly one of {}{or_none}.\n", keys.join(", "));
    }
    page.push_str("\n| key | value | default | meaning |\n|---|---|---|---|\n");
    for key in section.keys {
        let (value, default) = (cell(&value(key)), cell(&default(key)));
        let _ =
            writeln!(page, "| `{}` | {value} | {default} | {} |", key.name, cell(&meaning(key)));
    }
    let mut chapters: Vec<(&'static Section, Vec<String>)> = Vec::new();
    for key in section.keys {
        // A cost profile has a chapter of its own; a gather has steps, which are above it.
        let below = key.kind.section().filter(|below| {
            !matches!(key.kind, KeyKind::Profile(_)) && !std::ptr::eq(*below, section)
        });
        let Some(below) = below else { continue };
        let path = below_path(path, key);
        match chapters.iter_mut().find(|(known, _)| std::ptr::eq(*known, below)) {
            Some((_, paths)) => paths.push(path),
            None => chapters.push((below, vec![path])),
        }
    }
    for (below, paths) in chapters {
        let headings: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
        let _ = write!(page, "\n### {}\n\n{}\n", headings.join(", "), below.doc);
        if below.keys.iter().all(|key| matches!(key.fallback, Fallback::Derived(_))) {
            let keys: Vec<String> =
                below.keys.iter().map(|key| format!("`{}`", key.name)).collect();
            let _ = write!(
                page,
                "\n{}: each like the key of `{path}`, and by default the same.\n",
                keys.join(", ")
            );
        } else {
            table(page, below, &paths[0]);
        }
    }
}

/// What a table is called: `endpoint[].steps[]`, `upstream.NAME`.
fn below_path(path: &str, key: &Key) -> String {
    let dot = if path.is_empty() { "" } else { "." };
    let entry = match key.kind {
        KeyKind::Named(_) => ".NAME",
        KeyKind::List(_) => "[]",
        _ => "",
    };
    format!("{path}{dot}{}{entry}", key.name)
}

fn value(key: &Key) -> String {
    let value = match key.kind {
        KeyKind::Flag => "`true` or `false`".into(),
        KeyKind::Integer(low, high) if high == i64::MAX as u64 => format!("integer from {low}"),
        KeyKind::Integer(low, high) => format!("integer from {low} to {high}"),
        KeyKind::Number(low, high) => format!("number from {low} to {high}"),
        KeyKind::Text => "text".into(),
        KeyKind::Texts => "list of texts".into(),
        KeyKind::TextMap => "table of texts".into(),
        KeyKind::Span(low) if low.is_zero() => "time".into(),
        KeyKind::Span(low) if low.nanos() == 1 => "time above 0s".into(),
        KeyKind::Span(low) => format!("time from {low}"),
        KeyKind::Rate => "rate".into(),
        KeyKind::Size => "size".into(),
        KeyKind::Share => "share".into(),
        KeyKind::Distribution => "distribution".into(),
        KeyKind::Target => "users or rate".into(),
        KeyKind::Choice(words) => {
            let words: Vec<String> =
                words.iter().map(|word| format!("`\"{}\"`", word.word)).collect();
            words.join(", ")
        }
        KeyKind::Choices(words) => {
            let words: Vec<String> =
                words.iter().map(|word| format!("`\"{}\"`", word.word)).collect();
            format!("list of {}", words.join(", "))
        }
        KeyKind::Table(_) => "table".into(),
        KeyKind::Named(section) => format!("tables, one for each {}, by name", section().noun),
        KeyKind::List(section) => format!("list of tables, one for each {}", section().noun),
        KeyKind::Trace => "path of a file, or its lines".into(),
        KeyKind::Profile(_) => "path of a file, or table".into(),
    };
    match key.word {
        Some(word) => format!("{value}, or `\"{word}\"`"),
        None => value,
    }
}

fn default(key: &Key) -> String {
    match (key.fallback, key.word) {
        (Fallback::Required, _) => "**required**".into(),
        (Fallback::Value("{}" | "[]"), _) | (Fallback::Absent, None) => String::new(),
        (Fallback::Value(text), _) => format!("`{text}`"),
        (Fallback::Derived(how), _) => how.into(),
        (Fallback::Absent, Some(word)) => format!("`\"{word}\"`"),
    }
}

fn meaning(key: &Key) -> String {
    let mut text = key.doc.to_string();
    match key.only {
        Only::Always => {}
        Only::With(other) => {
            let _ = write!(text, " Only with `{other}`.");
        }
        Only::WithEither(one, other) => {
            let _ = write!(text, " Only with `{one}` or `{other}`.");
        }
        Only::When(other, word) => {
            let _ = write!(text, " Only with `{other} = \"{word}\"`.");
        }
    }
    if let Some(most) = key.usual {
        let _ = write!(text, " Seldom more than {most}: more is noted.");
    }
    if let KeyKind::Choice(words) | KeyKind::Choices(words) = key.kind {
        for word in words {
            let _ = write!(text, "<br>`{}`: {}", word.word, word.meaning);
        }
    }
    text
}

/// A text as a cell of a table has it.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
