//! `sim check`: is the file right?

use model::keys::path;
use model::scenario::{Filled, Upstream};
use render::{Console, Failure, Format};
use serde::Serialize;
use serde_json::Value;

use super::options::Check;

/// The answer for a scenario without errors.
#[derive(Serialize)]
struct Checked<'a> {
    ok: bool,
    scenario: &'a str,
    question: Option<&'a str>,
    /// Files, from the root of the ladder to the scenario's own.
    chain: &'a [String],
    digest: String,
    /// What the clients of upstreams give keys that are not written.
    filled_in: Vec<OfClient<'a>>,
    /// The scenario as one document, in the form of `sim schema scenario`.
    resolved: Value,
    /// What is allowed but probably a mistake, in whole sentences.
    notes: Vec<String>,
}

/// A key that a client has filled in, and where its value comes from.
#[derive(Serialize)]
struct OfClient<'a> {
    key: &'a str,
    value: &'a str,
    from: &'a str,
}

/// Checks one scenario and prints it with every default filled in.
pub(super) fn run(options: &Check, console: &mut Console<'_>) -> Result<(), Failure> {
    let resolved = options.source.load(&[])?;
    let toml = resolved.to_toml();
    let filled = resolved.filled_in();
    let text = match options.output.format {
        Format::Text | Format::Markdown => toml,
        Format::Json => render::json(&Checked {
            ok: true,
            scenario: &resolved.scenario.name,
            question: resolved.scenario.question.as_deref(),
            chain: resolved.chain(),
            digest: resolved.digest(),
            filled_in: filled
                .iter()
                .map(|one| OfClient { key: &one.key, value: &one.value, from: one.from })
                .collect(),
            resolved: document(&toml)?,
            notes: resolved.notes(),
        }),
    };
    for note in resolved.notes() {
        console.talk(&format!("note: {note}\n"));
    }
    for Filled { key, value, from } in &filled {
        console.talk(&format!("note: `{key}` is {value}: the default of {from}\n"));
    }
    for upstream in resolved.scenario.upstreams.iter().filter(|one| one.client.is_none()) {
        if let Some(assumed) = assumed(upstream) {
            console.talk(&format!("note: {assumed}\n"));
        }
    }
    Ok(console.data(&text)?)
}

/// What is assumed of an upstream whose client is not named.
fn assumed(upstream: &Upstream) -> Option<String> {
    let limit = upstream.max_connections.is_none().then_some("no limit of connections");
    let timeout = upstream.timeout.is_none().then_some("no timeout");
    let missing: Vec<&str> = limit.into_iter().chain(timeout).collect();
    let key = path(&["upstream", &upstream.name]);
    (!missing.is_empty()).then(|| {
        format!(
            "`{key}` names no `client`: {} assumed; `client = \"httpx\"` fills in what httpx does",
            missing.join(" and ") + if missing.len() > 1 { " are" } else { " is" }
        )
    })
}

/// A TOML text as JSON.
fn document(toml: &str) -> Result<Value, Failure> {
    let table: toml_edit::DocumentMut = toml
        .parse()
        .map_err(|error| Failure::System(format!("the printed scenario is not TOML: {error}")))?;
    Ok(item(table.as_item()))
}

fn item(toml: &toml_edit::Item) -> Value {
    match toml {
        toml_edit::Item::None => Value::Null,
        toml_edit::Item::Value(toml) => value(toml),
        toml_edit::Item::Table(table) => {
            table.iter().map(|(key, below)| (key.to_string(), item(below))).collect()
        }
        toml_edit::Item::ArrayOfTables(tables) => {
            let table = |table: &toml_edit::Table| {
                table.iter().map(|(key, below)| (key.to_string(), item(below))).collect()
            };
            Value::Array(tables.iter().map(table).collect())
        }
    }
}

fn value(toml: &toml_edit::Value) -> Value {
    match toml {
        toml_edit::Value::String(text) => Value::from(text.value().as_str()),
        toml_edit::Value::Integer(number) => Value::from(*number.value()),
        toml_edit::Value::Float(number) => Value::from(*number.value()),
        toml_edit::Value::Boolean(truth) => Value::from(*truth.value()),
        toml_edit::Value::Datetime(date) => Value::from(date.value().to_string()),
        toml_edit::Value::Array(array) => array.iter().map(value).collect(),
        toml_edit::Value::InlineTable(table) => {
            table.iter().map(|(key, below)| (key.to_string(), value(below))).collect()
        }
    }
}
