//! `sim ask`: answers one question about one scenario, both from standard input. It is how a page
//! without a server asks the engine, which it has as WebAssembly.

use std::io::{self, Read as _};

use render::{Console, Failure};
use serde::Deserialize;
use serde_json::Value;

use crate::sweep::part::SOURCES;
use crate::what_if::{Subject, Texts};

/// What is read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// What the page's writer was built from.
    sources: String,
    scenario: Texts,
    question: Value,
}

/// Prints the answer as JSON.
pub(super) fn run(console: &mut Console<'_>) -> Result<(), Failure> {
    let mut text = String::new();
    io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| Failure::System(format!("cannot read the question: {error}")))?;
    let asked: Asked = serde_json::from_str(&text)
        .map_err(|error| Failure::System(format!("this is no question: {error}")))?;
    if asked.sources != SOURCES {
        // `--export` looks for the engine's name in its bytes: this text keeps it there.
        return Err(Failure::System(format!(
            "the page is of another build ({}) than the engine ({SOURCES}): write both anew with \
             `sim ui FILE --export FOLDER`",
            asked.sources
        )));
    }
    let answer = Subject::Texts(asked.scenario).ask(&asked.question.to_string());
    Ok(console.data(&format!("{answer}\n"))?)
}
