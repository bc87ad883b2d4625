//! Costs as a profile, with how each was measured beside it.

use model::units::Span;
use toml_edit::{DocumentMut, InlineTable, Item, Table, TomlError, Value};

use super::about::{self, COMMA, IN_DOUBT, POSTGRES, PROGRAM, WRITTEN_BY};
use super::document::{Calibration, Cost, CostUnit};
use super::page::margin;
use super::stack::{self, Databases, Fact, LOGNORMALS};

/// Tables in the order in which people read them; others come after these.
const TABLES: [&str; 29] = [
    "about",
    "cpu",
    "cpu.async",
    "cpu.threadpool",
    "cpu.blocking",
    "server.uvicorn",
    "interpreter",
    "query.default",
    "driver",
    "client",
    "commit.wal",
    "commit.delete",
    "commit.truncate",
    "commit.persist",
    "postgres",
    "postgres.async",
    "postgres.threadpool",
    "postgres.blocking",
    "postgres_client.async",
    "postgres_client.threadpool",
    "postgres_client.blocking",
    "cache",
    "cache.async",
    "cache.threadpool",
    "cache.blocking",
    "network",
    "machine",
    "disk",
    "memory",
];

/// The profile as TOML.
pub(crate) fn toml(calibration: &Calibration) -> String {
    let mut lines = about_lines(calibration);
    lines.extend(measured(calibration));
    lines.extend(stack::of(calibration.target).facts);
    let place = |line: &Fact| TABLES.iter().position(|table| *table == line.table);
    lines.sort_by_key(|line| place(line).unwrap_or(TABLES.len()));
    let mut document = DocumentMut::new();
    for table in lines.chunk_by(|one, other| one.table == other.table) {
        add(document.as_item_mut(), table);
    }
    let (target, rounds) = (calibration.target.name(), calibration.rounds);
    format!(
        "# What {target} costs by itself on this machine: nothing is burned.\n\
         #\n\
         # Measured and written by `{PROGRAM} {target}`, which replaces this file when it is run\n\
         # again. Behind each cost: half of its 95 % interval over {rounds} rounds, and how it\n\
         # was measured.\n\n{document}"
    )
}

/// The profile `others` with the measured costs in their places. What it says of itself stays, as
/// it is true of all other costs; beside it stands which are new, and since when.
///
/// # Errors
/// `others` is no TOML.
pub(crate) fn merged(others: &str, calibration: &Calibration) -> Result<String, TomlError> {
    let mut document: DocumentMut = others.parse()?;
    let fact = |key: &str| calibration.about.get(key).map_or("", String::as_str);
    let keys: Vec<&str> = calibration.costs.iter().map(|cost| &*cost.key).collect();
    let fresh = format!("{}, {}: {}", fact("date"), fact("method"), keys.join(", "));
    let about = [(WRITTEN_BY, fact(WRITTEN_BY)), ("measured_since", &fresh)].map(|(key, text)| {
        Fact { table: "about".into(), key: key.into(), value: text.into(), comment: String::new() }
    });
    let of_server = calibration.about.get(POSTGRES).map(|on| Fact {
        table: "about".into(),
        key: POSTGRES.into(),
        value: on.into(),
        comment: String::new(),
    });
    let doubted = doubted(&document, calibration);
    for line in about.into_iter().chain(of_server).chain(doubted).chain(measured(calibration)) {
        add(document.as_item_mut(), &[line]);
    }
    Ok(document.to_string())
}

/// The profile of `calibration`, with the costs of Postgres of the profile `before` if that has
/// some, measured here and on this build.
///
/// # Errors
/// `before` is no TOML.
pub(crate) fn with_server_of(before: &str, calibration: &Calibration) -> Result<String, TomlError> {
    let (fresh, before): (String, DocumentMut) = (toml(calibration), before.parse()?);
    let on = before.get("about").and_then(|about| about.get(POSTGRES)).and_then(Item::as_str);
    if on != Some(&about::of_server(&calibration.about)) {
        return Ok(fresh);
    }
    let mut document: DocumentMut = fresh.parse()?;
    let stack = Databases::Postgres.stack(calibration.target);
    let keys = stack.recipes.iter().map(|recipe| recipe.key.as_str());
    let of_whole = |key: &&str| !LOGNORMALS.iter().any(|whole| key.starts_with(whole));
    for key in keys.filter(of_whole).chain(LOGNORMALS).chain(["about.postgres_on"]) {
        let (table, key) = key.rsplit_once('.').unwrap_or(("", key));
        let kept = find(&before, table, key).and_then(Item::as_value);
        if let Some(value) = kept.filter(|_| find(&document, table, key).is_none()).cloned() {
            let (table, key, comment) = (table.into(), key.into(), String::new());
            add(document.as_item_mut(), &[Fact { table, key, value, comment }]);
        }
    }
    Ok(document.to_string())
}

/// The costs in doubt of a profile with those of `calibration` in their places; none if the
/// profile has never had any.
fn doubted(profile: &DocumentMut, calibration: &Calibration) -> Option<Fact> {
    let earlier = profile.get("about").and_then(|about| about.get(IN_DOUBT)).and_then(Item::as_str);
    let measured = |key: &&str| calibration.cost(key).is_some();
    let others = earlier.unwrap_or_default().split(COMMA).filter(|key| !key.is_empty());
    let all: Vec<&str> =
        others.filter(|key| !measured(key)).chain(calibration.in_doubt()).collect();
    (earlier.is_some() || !all.is_empty()).then(|| in_doubt(&all))
}

fn in_doubt(keys: &[&str]) -> Fact {
    Fact {
        table: "about".into(),
        key: IN_DOUBT.into(),
        value: keys.join(COMMA).into(),
        comment: String::new(),
    }
}

/// True for the text of a profile that a calibration wrote, and may replace.
pub(crate) fn is_calibrated(text: &str) -> bool {
    let Ok(document) = text.parse::<DocumentMut>() else { return false };
    let by = document.get("about").and_then(|about| about.get(WRITTEN_BY)).and_then(Item::as_str);
    by.is_some_and(|by| by.starts_with(PROGRAM))
}

/// What stands under `key` of `table`.
fn find<'a>(document: &'a DocumentMut, table: &str, key: &str) -> Option<&'a Item> {
    table.split('.').try_fold(document.as_item(), |item, part| item.get(part))?.get(key)
}

/// Adds lines of one table, their comments below each other.
fn add(root: &mut Item, lines: &[Fact]) {
    let mut item = root;
    let path: Vec<&str> = lines[0].table.split('.').collect();
    for (depth, part) in path.iter().enumerate() {
        let fresh = || {
            let mut table = Table::new();
            // Tables that only hold others have no heading.
            table.set_implicit(depth + 1 < path.len());
            Item::Table(table)
        };
        let table = item.as_table_like_mut().expect("the root is a table, and so is each part");
        item = table.entry(part).or_insert_with(fresh);
        if !item.is_table_like() {
            // A profile may have a value where another has a table.
            *item = fresh();
        }
    }
    if let Some(table) = item.as_table_mut() {
        table.set_implicit(false);
    }
    let table = item.as_table_like_mut().expect("it was made one");
    let text = |line: &Fact| format!("{} = {}", line.key, line.value);
    let width = lines.iter().map(|line| text(line).chars().count()).max().unwrap_or(0);
    for line in lines {
        let mut value = line.value.clone();
        if !line.comment.is_empty() {
            let blanks = width - text(line).chars().count() + 2;
            value.decor_mut().set_suffix(format!("{}# {}", " ".repeat(blanks), line.comment));
        }
        table.insert(&line.key, Item::Value(value));
    }
}

fn about_lines(calibration: &Calibration) -> Vec<Fact> {
    let line = |(key, value): (&String, &String)| Fact {
        table: "about".into(),
        key: key.clone(),
        value: value.into(),
        comment: String::new(),
    };
    let doubted: Vec<&str> = calibration.in_doubt().collect();
    let doubted = (!doubted.is_empty()).then(|| in_doubt(&doubted));
    calibration.about.iter().map(line).chain(doubted).collect()
}

/// All costs, and those that are taken as others.
fn measured(calibration: &Calibration) -> Vec<Fact> {
    let mut all: Vec<Fact> =
        calibration.costs.iter().filter_map(|cost| line(calibration, cost)).collect();
    let as_truncate: Vec<Fact> = all
        .iter()
        .filter(|line| line.table == "commit.truncate")
        .map(|line| Fact {
            table: "commit.persist".into(),
            comment: "not measured: as truncate".into(),
            ..line.clone()
        })
        .collect();
    all.extend(as_truncate);
    let as_full: Vec<Fact> = all
        .iter()
        .filter(|line| line.table.starts_with("commit.") && line.key == "full")
        .map(|line| Fact {
            key: "extra".into(),
            comment: "not measured: as full".into(),
            ..line.clone()
        })
        .collect();
    all.extend(as_full);
    all
}

/// The line of a cost; none of one that is part of a value.
fn line(calibration: &Calibration, cost: &Cost) -> Option<Fact> {
    let (table, key) = cost.key.rsplit_once('.')?;
    match LOGNORMALS.iter().find(|whole| **whole == table) {
        Some(whole) if key == "p50" => Some(sync(calibration, whole)),
        Some(_) => None,
        None => Some(Fact {
            table: table.into(),
            key: key.into(),
            value: value(cost),
            comment: comment(cost),
        }),
    }
}

/// A lognormal through two quantiles; the mean if there is none.
fn sync(calibration: &Calibration, whole: &str) -> Fact {
    let (table, key) = whole.rsplit_once('.').unwrap_or(("", whole));
    let cost = |name: &str| calibration.cost(&format!("{whole}.{name}"));
    let line = |value, comment| Fact { table: table.into(), key: key.into(), value, comment };
    let (Some(p50), Some(p99), Some(mean)) = (cost("p50"), cost("p99"), cost("mean")) else {
        return line("0s".into(), "not measured".into());
    };
    let (low, high) = (span(p50.value), span(p99.value));
    if low.is_zero() || high <= low {
        return line(value(mean), comment(mean));
    }
    let mut both = InlineTable::new();
    both.insert("p50", low.to_string().into());
    both.insert("p99", high.to_string().into());
    line(both.into(), format!("{}; P99 {}", comment(p50), comment(p99)))
}

/// The comment on a cost.
fn comment(cost: &Cost) -> String {
    let margin = margin(cost);
    let doubt = match (cost.sound, cost.rounds) {
        (true, _) => String::new(),
        (false, 0) => "NOT KNOWN, no round gave a number: ".to_string(),
        (false, 1) => "NOT SOUND, one round: ".to_string(),
        (false, rounds) => format!("NOT SOUND, {rounds} rounds in doubt: "),
    };
    let margin = if margin.is_empty() { margin } else { format!("{margin}: ") };
    format!("{doubt}{margin}{}", cost.how)
}

/// The value as a profile has it.
fn value(cost: &Cost) -> Value {
    match cost.unit {
        CostUnit::Time => span(cost.value).to_string().into(),
        CostUnit::Bytes => format!("{}KiB", (cost.value / 1024.0).round()).into(),
    }
}

/// So many seconds with four digits: more are noise.
fn span(seconds: f64) -> Span {
    Span::from_secs_f64(rounded(seconds.max(0.0)))
}

fn rounded(number: f64) -> f64 {
    format!("{number:.3e}").parse().unwrap_or(0.0)
}
