//! Costs as a profile, with how each was measured beside it.

use model::scenario::{JournalMode, Synchronous};
use model::units::Span;
use toml_edit::{DocumentMut, InlineTable, Item, Table, TomlError, Value};

use super::about::{PROGRAM, WRITTEN_BY};
use super::cache::{DISPLACED_BY, shape};
use super::document::{Cost, Unit};
use super::probe::{KEPT, MODELS, journal, model, synchronous};
use super::recipe::hops;
use super::told::margin;
use super::{Calibration, Target};

/// A key, its value and what is said of it.
struct Line {
    key: String,
    value: Value,
    comment: String,
}

/// A table of the profile.
struct Section {
    /// Its name, with dots.
    name: String,
    lines: Vec<Line>,
}

/// The profile as TOML.
pub(crate) fn toml(calibration: &Calibration) -> String {
    let mut document = DocumentMut::new();
    for section in sections(calibration) {
        add(document.as_item_mut(), &section);
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

/// The profile `others` with what was measured in its place. What it says of itself stays, as
/// it is true of all other costs; which are new, and since when, is said beside it.
///
/// # Errors
/// `others` is no TOML.
pub(crate) fn merged(others: &str, calibration: &Calibration) -> Result<String, TomlError> {
    let mut document: DocumentMut = others.parse()?;
    let fact = |key: &str| calibration.about.get(key).map_or("", String::as_str);
    let keys: Vec<&str> = calibration.costs.iter().map(|cost| &*cost.key).collect();
    let fresh = format!("{}, {}: {}", fact("date"), fact("method"), keys.join(", "));
    let about = vec![note(WRITTEN_BY, fact(WRITTEN_BY), ""), note("measured_since", &fresh, "")];
    add(document.as_item_mut(), &section("about", about));
    for cost in &calibration.costs {
        let (table, key) = cost.key.rsplit_once('.').expect("a cost has a table");
        let (table, line) = match table {
            "disk.sync" => ("disk", sync(calibration)),
            _ => (table, Line { key: key.into(), value: value(cost), comment: comment(cost) }),
        };
        add(document.as_item_mut(), &section(table, vec![line]));
    }
    Ok(document.to_string())
}

/// True for the text of a profile that a calibration wrote, and may replace.
pub(crate) fn is_calibrated(text: &str) -> bool {
    let Ok(document) = text.parse::<DocumentMut>() else { return false };
    let by = document.get("about").and_then(|about| about.get(WRITTEN_BY)).and_then(Item::as_str);
    by.is_some_and(|by| by.starts_with(PROGRAM))
}

fn add(root: &mut Item, section: &Section) {
    let mut item = root;
    let path: Vec<&str> = section.name.split('.').collect();
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
    let text = |line: &Line| format!("{} = {}", line.key, line.value);
    let width = section.lines.iter().map(|line| text(line).chars().count()).max().unwrap_or(0);
    for line in &section.lines {
        let mut value = line.value.clone();
        if !line.comment.is_empty() {
            let blanks = width - text(line).chars().count() + 2;
            value.decor_mut().set_suffix(format!("{}# {}", " ".repeat(blanks), line.comment));
        }
        table.insert(&line.key, Item::Value(value));
    }
}

fn sections(calibration: &Calibration) -> Vec<Section> {
    let measured = |name: &str| section(name, measured_lines(calibration, name));
    let mut all = vec![section("about", about(calibration)), measured("cpu")];
    for of in MODELS {
        let mut table = measured(&format!("cpu.{}", model(of)));
        table.lines.push(note("close", "0s", "inside open"));
        all.push(table);
    }
    all.extend(measured_table(calibration, "server.uvicorn"));
    let (lock, why) = match calibration.target {
        Target::Axum => (false, "threads compute side by side"),
        Target::Fastapi => (true, "CPython's: one thread at a time"),
    };
    let lock = Line { key: "lock".into(), value: lock.into(), comment: why.into() };
    all.push(section("interpreter", vec![lock]));
    all.push(section(
        "query.default",
        vec![
            note("engine", "0s", "inside statement"),
            number("pages", 1, "as the probes write: one row, which has a page of its own"),
        ],
    ));
    let hops = hops(calibration.target);
    let trips = "to the thread of the connection and back";
    let mut driver = vec![autocommit(calibration.target)];
    if calibration.target == Target::Fastapi {
        let key = "overtaking".to_string();
        let comment = "its pool tells who waits, and lets others come first".to_string();
        driver.push(Line { key, value: true.into(), comment });
    }
    driver.extend([
        number("statement_hops", hops.statement.into(), trips),
        number("fetch_hops", hops.fetch.into(), "for the rows of a read"),
        number("finish_hops", hops.finish.into(), "at the end of a statement"),
        number("commit_hops", hops.commit.into(), trips),
        number("rollback_hops", hops.rollback.into(), "at the end of a read"),
        number("release_hops", hops.release.into(), "for a connection that goes back"),
        number("open_hops", hops.open.into(), trips),
        number("close_hops", hops.close.into(), trips),
    ]);
    all.push(section("driver", driver));
    if calibration.target == Target::Fastapi {
        all.push(section(
            "client",
            vec![
                number("kept", KEPT.into(), "httpx's own limit"),
                note("expiry", "5s", "httpx's own"),
                number(
                    "locks",
                    2,
                    "of a connection, which httpcore takes, each with a turn of the loop",
                ),
            ],
        ));
    }
    let modes = [JournalMode::Wal, JournalMode::Delete, JournalMode::Truncate];
    all.extend(modes.map(|mode| commits(calibration, mode, mode)));
    all.push(commits(calibration, JournalMode::Persist, JournalMode::Truncate));
    let mut cache = measured("cache");
    let shape = Line {
        key: "shape".into(),
        value: shape(calibration.target).into(),
        comment: "seen apart".into(),
    };
    cache.lines.insert(1, shape);
    if calibration.target == Target::Fastapi {
        cache.lines.insert(2, number("crowd", DISPLACED_BY.into(), "seen apart"));
    }
    all.push(cache);
    all.extend(
        MODELS
            .iter()
            .filter_map(|&of| measured_table(calibration, &format!("cache.{}", model(of)))),
    );
    all.push(measured("network"));
    let mut machine = measured("machine");
    machine.lines.push(note("context_switch", "0s", "inside hop and statement"));
    all.push(machine);
    let mut disk = measured("disk");
    disk.lines.insert(0, sync(calibration));
    disk.lines.push(note("checkpoint_page", "0s", "inside commit: it is CPU time"));
    all.push(disk);
    let mut memory = measured("memory");
    memory.lines.push(note("connection", "0B", "inside request"));
    memory.lines.push(note("thread", "100KiB", "not measured"));
    all.push(memory);
    all
}

/// Whether a write by itself is one call.
fn autocommit(target: Target) -> Line {
    let (is, why) = match target {
        Target::Axum => (true, "a write by itself is one call"),
        Target::Fastapi => (false, "SQLAlchemy begins a transaction, and commits it"),
    };
    Line { key: "autocommit".into(), value: is.into(), comment: why.into() }
}

fn section(name: &str, lines: Vec<Line>) -> Section {
    Section { name: name.into(), lines }
}

fn about(calibration: &Calibration) -> Vec<Line> {
    let line = |(key, value): (&String, &String)| note(key, value, "");
    calibration.about.iter().map(line).collect()
}

/// A table of costs, if any of it is measured.
fn measured_table(calibration: &Calibration, name: &str) -> Option<Section> {
    let lines = measured_lines(calibration, name);
    (!lines.is_empty()).then(|| section(name, lines))
}

/// The costs of one table, without those that are part of a value.
fn measured_lines(calibration: &Calibration, table: &str) -> Vec<Line> {
    let inside = |cost: &&Cost| cost.key.rsplit_once('.').is_some_and(|(of, _)| of == table);
    let line = |cost: &Cost| {
        let (_, key) = cost.key.rsplit_once('.').expect("it lies in this table");
        Line { key: key.into(), value: value(cost), comment: comment(cost) }
    };
    calibration.costs.iter().filter(inside).map(line).collect()
}

/// The commits of `mode`, measured under the mode `like`.
fn commits(calibration: &Calibration, mode: JournalMode, like: JournalMode) -> Section {
    let mut lines = measured_lines(calibration, &format!("commit.{}", journal(like)));
    if mode != like {
        for line in &mut lines {
            line.comment = format!("not measured: as {}", journal(like));
        }
    }
    let full = synchronous(Synchronous::Full);
    if let Some(value) = lines.iter().find(|line| line.key == full).map(|line| line.value.clone()) {
        let comment = format!("not measured: as {full}");
        lines.push(Line { key: synchronous(Synchronous::Extra).into(), value, comment });
    }
    section(&format!("commit.{}", journal(mode)), lines)
}

/// A lognormal through two quantiles; the mean if there is none.
fn sync(calibration: &Calibration) -> Line {
    let cost = |name: &str| calibration.cost(&format!("disk.sync.{name}"));
    let key = "sync".to_string();
    let (Some(p50), Some(p99), Some(mean)) = (cost("p50"), cost("p99"), cost("mean")) else {
        return note(&key, "0s", "not measured");
    };
    let (low, high) = (span(p50.value), span(p99.value));
    if low.is_zero() || high <= low {
        return Line { key, value: value(mean), comment: comment(mean) };
    }
    let mut table = InlineTable::new();
    table.insert("p50", low.to_string().into());
    table.insert("p99", high.to_string().into());
    let comment = format!("{}; P99 {}", comment(p50), comment(p99));
    Line { key, value: table.into(), comment }
}

fn note(key: &str, value: &str, comment: &str) -> Line {
    Line { key: key.into(), value: value.into(), comment: comment.into() }
}

fn number(key: &str, value: i64, comment: &str) -> Line {
    Line { key: key.into(), value: value.into(), comment: comment.into() }
}

/// What is said of a cost.
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
        Unit::Time => span(cost.value).to_string().into(),
        Unit::Bytes => format!("{}KiB", (cost.value / 1024.0).round()).into(),
    }
}

/// So many seconds with four digits: more are noise.
fn span(seconds: f64) -> Span {
    Span::from_secs_f64(rounded(seconds.max(0.0)))
}

fn rounded(number: f64) -> f64 {
    format!("{number:.3e}").parse().unwrap_or(0.0)
}
