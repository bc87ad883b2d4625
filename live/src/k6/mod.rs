//! The load of a scenario as a script for k6, so that people use rung on the stack that they
//! have.
//!
//! The script calls the same endpoints with the same keys in the same order, user by user, as
//! our own load generator does: the keyed draws are small enough to be in it. What k6 does
//! otherwise, the script says itself.

mod executor;
mod loads;
mod notes;
mod pause;
mod refuse;
mod replay;
mod request;
mod testrun;

use model::failure::ErrorKind;
use model::scenario::{Endpoint, Scenario, Source};
use model::stream::Purpose;
use model::workload::{CLASS, PATIENCE, THINK};

use crate::wire;
pub use refuse::refuse;
pub use testrun::{TestRun, users};

/// The script but for what a scenario says.
const TEMPLATE: &str = include_str!("template.js");
/// The lines that send a request to a service that draws by its key.
const SEND: &str = include_str!("send.js");
/// What such a service's replies say.
const FAILURE: &str = include_str!("failure.js");
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
/// How long clients wait, where each load has its own patience.
const EACH_PATIENCE: &str = "// Each of the loads has a patience of its own.";
/// The line with which an iteration ends, where each load has its own pause.
const EACH_PAUSE: &str = "  load.pause(request, kind);\n";
/// The base of all our hexadecimal words.
const WORD: usize = 4;

/// The script that puts the load of `scenario`, read from `file`, on a service.
pub fn script(scenario: &Scenario, file: &str) -> String {
    let load = &scenario.load;
    let name = &scenario.name;
    let stem = wire::label_of(name);
    let pause = pause::Pause::of(&load.source);
    let several = matches!(load.source, Source::Several(_));
    let groups = load.groups();
    let replays = groups.iter().any(|one| matches!(one.load.source, Source::Replay { .. }));
    let sleeps = replays || groups.iter().any(|one| pause::Pause::of(&one.load.source).sleeps());
    let import = if sleeps { "import { sleep } from 'k6';\n" } else { "" };
    let shared = if replays { "import { SharedArray } from 'k6/data';\n" } else { "" };
    let patience = pause::Patience::of(load);
    // Otherwise each request says that its connection ends.
    let no_reuse = groups.iter().all(|group| !group.load.keep_alive);
    let parts = [
        ("import { SharedArray } from 'k6/data';\n", shared.to_string()),
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
        ("{{timeout}}", if several { EACH_PATIENCE.into() } else { patience.constant() }),
        ("{{patience}}", if several { "load.patience(request)" } else { patience.call() }.into()),
        ("{{endpoints}}", lines(scenario.endpoints.iter().map(|one| endpoint(scenario, one)))),
        ("{{loads}}", if several { loads::table(scenario) } else { String::new() }),
        ("{{chosen}}", chosen(several, replays)),
        ("{{more_headers}}", if several { ", ...load.headers" } else { "" }.into()),
        ("{{scenarios}}", loads::scenarios(scenario)),
        ("{{no_reuse}}", no_reuse.to_string()),
        ("{{requests}}", requests(&load.source).to_string() + &loads::traces(scenario)),
        ("{{not_told}}", wire::NOT_TOLD.to_string()),
        ("{{pause}}", if several { EACH_PAUSE.into() } else { pause.call() }),
        ("{{error_header}}", canonical(wire::ERROR)),
        ("{{kinds}}", lines(ErrorKind::ALL.map(|kind| format!("    {},", text(kind.name()))))),
        ("{{name}}", text(name)),
        ("{{seed}}", text(&scenario.seed.to_string())),
        ("{{draws}}", draws(scenario)),
    ];
    let (send, failure) = match request::any(scenario) {
        true => (request::SEND, request::FAILURE),
        false => (SEND, FAILURE),
    };
    let template = TEMPLATE.replace("{{send}}", send.trim_end());
    filled(&template.replace("{{failure}}", failure.trim_end()), &parts)
}

/// `template` with its marks replaced. What takes their places is not searched for marks: it is
/// what a user wrote.
fn filled(template: &str, parts: &[(&str, String)]) -> String {
    let (mut text, mut rest) = (String::new(), template);
    loop {
        let found = parts.iter().filter_map(|(mark, part)| Some((rest.find(mark)?, mark, part)));
        let Some((at, mark, part)) = found.min_by_key(|(at, ..)| *at) else { break };
        text.push_str(&rest[..at]);
        text.push_str(part);
        rest = &rest[at + mark.len()..];
    }
    text + rest
}

fn question(scenario: &Scenario) -> String {
    scenario.question.as_deref().map_or(String::new(), |text| format!(" {}\n//", comment(text)))
}

fn endpoint(scenario: &Scenario, endpoint: &Endpoint) -> String {
    if let Some(request) = &endpoint.request {
        return request::endpoint(scenario.seed, endpoint, request);
    }
    let path = wire::path_of(&endpoint.name);
    let name = text(&wire::label_of(&endpoint.name));
    format!("  {{ name: {name}, path: {}, weight: {} }},", text(&path), endpoint.weight)
}

/// The lines that choose the endpoint of a request.
fn chosen(several: bool, replays: bool) -> String {
    let mut text = String::new();
    if replays {
        text += "  if (!request) return;\n";
    }
    let weights = match several {
        true => {
            text += "  const load = LOADS[exec.scenario.name];\n";
            "load.weights"
        }
        false => "ENDPOINTS.map(({ weight }) => weight)",
    };
    let drawn = format!("choose(request, {weights})");
    let index = match replays {
        true => format!("request.endpoint === undefined ? {drawn} : request.endpoint"),
        false => drawn,
    };
    text + &format!("  const endpoint = ENDPOINTS[{index}];")
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
        Source::Replay { .. } => {
            "// Arrivals are counted together; who carries them makes no difference.
function next() {
  return due(0, TRACE);
}"
        }
        Source::Several(_) => {
            "function next() {
  return LOADS[exec.scenario.name].request();
}

// Each closed user counts its own requests.
let sent = 0;
function numbered(lane) {
  sent += 1;
  return { lane, index: sent - 1 };
}"
        }
        Source::Open { .. } => {
            "// Arrivals are counted together; who carries them makes no difference.
function next() {
  return { lane: 0, index: exec.scenario.iterationInTest };
}"
        }
    }
}

/// The draws and their keys.
fn draws(scenario: &Scenario) -> String {
    let (seed, groups) = (scenario.seed, scenario.load.groups());
    let mut all = DRAWS.trim_end().to_string();
    let pauses: Vec<pause::Pause> =
        groups.iter().map(|group| pause::Pause::of(&group.load.source)).collect();
    let patiences: Vec<pause::Patience> =
        groups.iter().map(|group| pause::Patience::of(&group.load)).collect();
    if pauses.iter().any(pause::Pause::is_normal)
        || patiences.iter().any(pause::Patience::is_normal)
    {
        all += &format!("\n{}", NORMAL.trim_end());
    }
    all += "\n\n// Keys of the draws: the seed, and what they are for.\n";
    all += &key("CLASS", &Purpose::new(seed, CLASS));
    if pauses.iter().any(pause::Pause::is_drawn) {
        all += &key("THINK", &Purpose::new(seed, THINK));
    }
    if patiences.iter().any(|one| matches!(one, pause::Patience::Drawn(_))) {
        all += &key("PATIENCE", &Purpose::new(seed, PATIENCE));
    }
    // Each of several loads has its own function.
    if let [pause::Patience::Drawn(expression)] = &patiences[..]
        && !matches!(scenario.load.source, Source::Several(_))
    {
        all += PATIENCE_OF;
        all += &format!("  const seconds = {expression};\n  return seconds * 1000;\n}}\n");
    }
    if request::any(scenario) {
        let parts = request::PARTS.replace("{{not_told}}", &wire::NOT_TOLD.to_string());
        all = format!("{parts}{all}");
    }
    all.trim_end().to_string()
}

fn key(name: &str, purpose: &Purpose) -> String {
    let words: Vec<String> = purpose.key().chunks_exact(WORD).map(word).collect();
    let rows = lines(words.chunks(WORD).map(|row| format!("    {},", row.join(", "))));
    format!("const {name} = {{\n  key: [\n{rows}\n  ],\n}};\n")
}

/// Four bytes as a number of JavaScript, the least first.
fn word(bytes: &[u8]) -> String {
    let word = bytes.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte));
    format!("0x{word:08x}")
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
    fn what_takes_the_place_of_a_mark_is_not_searched_for_marks() {
        let parts = [("{{a}}", "{{b}}".to_string()), ("{{b}}", "two".to_string())];
        assert_eq!(filled("{{b}} {{a}} {{b}}.", &parts), "two {{b}} two.");
    }

    #[test]
    fn any_text_is_one_string_and_one_comment() {
        assert_eq!(text("it's \"so\"\n\\"), r#"'it\'s "so"\n\\'"#);
        assert_eq!(comment("one\ntwo\u{2028}three"), "one two three");
        assert_eq!(canonical("rung-error"), "Rung-Error");
    }
}
