//! Requests to a service of one's own in the script: the same method, path, headers and body with
//! the same drawn parts as our own load generator sends.

use model::request::{Part, Template};
use model::scenario::{Endpoint, Request, Scenario};
use model::stream::Purpose;
use model::workload::request_purpose;

use super::{WORD, lines, text, word};
use crate::wire;

/// The lines that send a request.
pub(super) const SEND: &str = include_str!("send.js");
/// What replies say.
pub(super) const FAILURE: &str = include_str!("failure.js");
/// Requests and their parts.
pub(super) const PARTS: &str = include_str!("parts.js");
/// Largest whole number of which JavaScript's numbers tell it and its neighbours apart.
const LARGEST_NUMBER: u64 = (1 << 53) - 1;
/// Where the hash of a purpose begins in its key: before it stands what all purposes share.
const HASH: usize = 24;

/// Some endpoint says how it is asked for.
pub(super) fn any(scenario: &Scenario) -> bool {
    scenario.endpoints.iter().any(|endpoint| endpoint.request.is_some())
}

/// The lines of `endpoint`, which is asked for by `request`.
pub(super) fn endpoint(seed: u64, endpoint: &Endpoint, request: &Request) -> String {
    let parts = |template: &Template, part: &str| {
        let purpose = |number| request_purpose(seed, &endpoint.name, part, number);
        list(template, purpose)
    };
    let mut fields = vec![format!("method: {},", text(&request.method))];
    // A scenario that was read has a path that can be sent.
    let path = Template::path(&request.path).unwrap_or_else(|_| Template::body(&request.path));
    fields.push(format!("path: {},", parts(&path, "path")));
    let own = request.headers.iter().map(|(name, value)| {
        let value = parts(&Template::body(value), &format!("header.{name}"));
        format!("{}: {value}", text(name))
    });
    let usual = request.usual_headers();
    let usual = usual.iter().map(|(name, value)| format!("{}: [{}]", text(name), text(value)));
    let headers: Vec<String> = usual.chain(own).collect();
    fields.push(match headers.is_empty() {
        true => "headers: {},".into(),
        false => format!("headers: {{ {} }},", headers.join(", ")),
    });
    if let Some(body) = &request.body {
        fields.push(format!("body: {},", parts(&Template::body(body), "body")));
    }
    let fields = lines(fields.iter().map(|field| format!("      {field}")));
    let name = text(&wire::label_of(&endpoint.name));
    format!(
        "  {{\n    name: {name},\n    weight: {},\n    request: {{\n{fields}\n    }},\n  }},",
        endpoint.weight
    )
}

/// The parts of a template as a list of JavaScript.
fn list(template: &Template, purpose: impl Fn(usize) -> Purpose) -> String {
    let mut number = 0;
    let parts: Vec<String> = template
        .parts()
        .iter()
        .map(|part| {
            let first = number;
            number += part.draws();
            let hash = |index: usize| hash(&purpose(first + index));
            match part {
                Part::Text(constant) => text(constant),
                Part::Number { low, high, width } => {
                    format!("whole({}, {}, {width}, {})", whole(*low), whole(*high), hash(0))
                }
                Part::Uuid => format!("uuid({}, {})", hash(0), hash(1)),
                Part::Word(words) => {
                    let words: Vec<String> = words.iter().map(|word| text(word)).collect();
                    format!("word([{}], {})", words.join(", "), hash(0))
                }
            }
        })
        .collect();
    format!("[{}]", parts.join(", "))
}

/// The hash of what a draw is for, as the two words that end its key.
fn hash(purpose: &Purpose) -> String {
    let words: Vec<String> = purpose.key()[HASH..].chunks_exact(WORD).map(word).collect();
    format!("[{}]", words.join(", "))
}

/// A whole number that JavaScript reads exactly.
fn whole(number: u64) -> String {
    match number <= LARGEST_NUMBER {
        true => number.to_string(),
        false => format!("'{number}'"),
    }
}
