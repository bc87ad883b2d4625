//! The load of a scenario as a script for k6, so that people use rung on the stack that they
//! have.
//!
//! The script calls the same endpoints with the same keys in the same order, user by user, as
//! our own load generator does: the keyed draws are small enough to be in it. What k6 does
//! otherwise, the script says itself.

mod executor;
mod notes;
mod pause;
mod refuse;

use model::failure::ErrorKind;
use model::scenario::{Endpoint, Scenario, Source};
use model::stream::Purpose;
use model::workload::{CLASS, PATIENCE, THINK};

use crate::wire;
pub use refuse::refuse;

/// The script but for what a scenario says.
const TEMPLATE: &str = include_str!("template.js");
/// The draws of the load.
const DRAWS: &str = include_str!("draws.js");
/// The normal distribution's quantile, for pauses that need it.
const NORMAL: &str = include_str!("normal.js");
/// The head of the function that draws how long a client waits.
const PATIENCE_OF: &str = "
// How long the client of a request waits, in milliseconds.
function patience(request) {
  const u = uniform(PATIENCE, request.lane, request.index);
";
/// The base of all our hexadecimal words.
const WORD: usize = 4;

/// The script that puts the load of `scenario`, read from `file`, on a service.
pub fn script(scenario: &Scenario, file: &str) -> String {
    let load = &scenario.load;
    let name = &scenario.name;
    let stem = wire::label_of(name);
    let pause = pause::Pause::of(&load.source);
    let import = if pause.sleeps() { "import { sleep } from 'k6';\n" } else { "" };
    let patience = pause::Patience::of(load);
    let parts = [
        ("import { sleep } from 'k6';\n", import.to_string()),
        ("{{title}}", comment(&format!("The load of {name}, from {file}."))),
        ("{{question}}", question(scenario)),
        ("{{script}}", format!("{stem}.js")),
        ("{{summary}}", format!("{stem}-k6.json")),
        ("{{file}}", comment(file)),
        ("{{notes}}", notes::notes(scenario)),
        ("{{summary_text}}", text(&format!("{stem}-k6.json"))),
        ("{{warmup}}", load.warmup.secs_f64().to_string()),
        ("{{duration}}", load.duration.secs_f64().to_string()),
        ("{{timeout}}", patience.constant()),
        ("{{patience}}", patience.call().into()),
        ("{{endpoints}}", lines(scenario.endpoints.iter().map(endpoint))),
        ("{{executor}}", executor::executor(scenario)),
        ("{{no_reuse}}", (!load.keep_alive).to_string()),
        ("{{requests}}", requests(&load.source).to_string()),
        ("{{not_told}}", wire::NOT_TOLD.to_string()),
        ("{{pause}}", pause.call()),
        ("{{error_header}}", canonical(wire::ERROR)),
        ("{{kinds}}", lines(ErrorKind::ALL.map(|kind| format!("    {},", text(kind.name()))))),
        ("{{name}}", text(name)),
        ("{{seed}}", text(&scenario.seed.to_string())),
        ("{{draws}}", draws(scenario.seed, &pause, &patience)),
    ];
    parts.into_iter().fold(TEMPLATE.to_string(), |all, (mark, part)| all.replace(mark, &part))
}

fn question(scenario: &Scenario) -> String {
    scenario.question.as_deref().map_or(String::new(), |text| format!(" {}\n//", comment(text)))
}

fn endpoint(endpoint: &Endpoint) -> String {
    let path = wire::path_of(&endpoint.name);
    let name = text(&wire::label_of(&endpoint.name));
    format!("  {{ name: {name}, path: {}, weight: {} }},", text(&path), endpoint.weight)
}

/// Where the key of the next request comes from.
fn requests(source: &Source) -> &'static str {
    match source {
        Source::Closed { .. } => {
            "// Each user counts its own requests.
let index = 0;
function next() {
  index += 1;
  return { lane: exec.vu.idInTest - 1, index: index - 1 };
}"
        }
        Source::Open { .. } | Source::Several(_) => {
            "// Arrivals are counted together; who carries them makes no difference.
function next() {
  return { lane: 0, index: exec.scenario.iterationInTest };
}"
        }
    }
}

/// The draws and their keys.
fn draws(seed: u64, pause: &pause::Pause, patience: &pause::Patience) -> String {
    let mut all = DRAWS.trim_end().to_string();
    if pause.is_normal() || patience.is_normal() {
        all += &format!("\n{}", NORMAL.trim_end());
    }
    all += "\n\n// Keys of the draws: the seed, and what they are for.\n";
    all += &key("CLASS", &Purpose::new(seed, CLASS));
    if pause.is_drawn() {
        all += &key("THINK", &Purpose::new(seed, THINK));
    }
    if let pause::Patience::Drawn(expression) = patience {
        all += &key("PATIENCE", &Purpose::new(seed, PATIENCE));
        all += PATIENCE_OF;
        all += &format!("  const seconds = {expression};\n  return seconds * 1000;\n}}\n");
    }
    all.trim_end().to_string()
}

fn key(name: &str, purpose: &Purpose) -> String {
    let words = purpose.key().chunks_exact(WORD).map(|bytes| {
        let word = bytes.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte));
        format!("0x{word:08x}")
    });
    let words: Vec<String> = words.collect();
    let rows = lines(words.chunks(WORD).map(|row| format!("    {},", row.join(", "))));
    format!("const {name} = {{\n  key: [\n{rows}\n  ],\n}};\n")
}

/// `text` in JavaScript, in single quotes.
fn text(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    let inner = json[1..json.len() - 1].replace("\\\"", "\"").replace('\'', "\\'");
    format!("'{inner}'")
}

/// `text` where it may not end its line.
fn comment(text: &str) -> String {
    let ends = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    text.chars().map(|c| if ends(c) { ' ' } else { c }).collect()
}

fn lines(all: impl IntoIterator<Item = String>) -> String {
    all.into_iter().collect::<Vec<_>>().join("\n")
}

/// A header's name as k6 shows it: `Rung-Error`.
fn canonical(name: &str) -> String {
    let part = |part: &str| {
        let (first, rest) = part.split_at(part.len().min(1));
        first.to_uppercase() + rest
    };
    name.split('-').map(part).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_is_one_string_and_one_comment() {
        assert_eq!(text("it's \"so\"\n\\"), r#"'it\'s "so"\n\\'"#);
        assert_eq!(comment("one\ntwo\u{2028}three"), "one two three");
        assert_eq!(canonical("rung-error"), "Rung-Error");
    }
}
