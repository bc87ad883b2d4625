//! `sim show`: an answer that was saved, in another form.

use std::io::{self, Read as _};
use std::path::Path;

use model::read::Diagnostic;
use model::report::{Choice, Report, Size};
use model::sweep::Sweep;
use render::beside::Beside;
use render::ladder::Document;
use render::sweep::Shown;
use render::{Answer, Console, Failure, saved};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::options::Show;
use crate::explain::Explanation;

/// Prints the answer that the file holds.
pub(super) fn run(options: &Show, console: &mut Console<'_>) -> Result<(), Failure> {
    let text = read(&options.file)?;
    let document: Value =
        serde_json::from_str(&text).map_err(|error| no_answer(&options.file, &error))?;
    if let Some(found) = saved::other_version(&text) {
        return Err(refuse(&options.file, found, None));
    }
    let has = |key: &str| document.get(key).is_some();
    let of_choice = |document: &Value| document.get("settings").is_some();
    if has("rungs") {
        return show::<Document>(&text, options, console);
    }
    if has("programs") {
        return show::<Explanation>(&text, options, console);
    }
    if has("axes") {
        let sweep: Sweep = parse(&text, options)?;
        let shown = Shown { sweep: &sweep, show: Default::default() };
        return options.output.answer(&shown, console);
    }
    if of_choice(&document) {
        return show::<Choice>(&text, options, console);
    }
    if has("levels") {
        return show::<Size>(&text, options, console);
    }
    match document.pointer("/answers/0/answer") {
        Some(first) if of_choice(first) => show::<Beside<Choice>>(&text, options, console),
        Some(_) => show::<Beside<Size>>(&text, options, console),
        None => show::<Report>(&text, options, console),
    }
}

fn show<A: Answer + DeserializeOwned>(
    text: &str,
    options: &Show,
    console: &mut Console<'_>,
) -> Result<(), Failure> {
    options.output.answer(&parse::<A>(text, options)?, console)
}

fn parse<A: DeserializeOwned>(text: &str, options: &Show) -> Result<A, Failure> {
    serde_json::from_str(text).map_err(|error| no_answer(&options.file, &error))
}

fn read(file: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = match file.to_str() {
        Some("-") => io::stdin().lock().read_to_string(&mut text).map(|_| text),
        _ => std::fs::read_to_string(file),
    };
    read.map_err(|error| refuse(file, format!("cannot be read: {error}"), None))
}

fn no_answer(file: &Path, error: &serde_json::Error) -> Failure {
    let place = (error.line() > 0).then_some((error.line() as u32, error.column() as u32));
    refuse(file, format!("is no answer: {error}"), place)
}

fn refuse(file: &Path, found: String, place: Option<(u32, u32)>) -> Failure {
    let file =
        if file == Path::new("-") { "standard input".into() } else { file.display().to_string() };
    let diagnostic = Diagnostic {
        file,
        line: place.map(|(line, _)| line),
        column: place.map(|(_, column)| column),
        found,
        allowed: Some(
            "the JSON of sim scenario, explain, ladder, size or sweep, or of live run".into(),
        ),
        advice: Some("save one: sim explain v6.toml --format json > v6.json".into()),
    };
    Failure::Refused(diagnostic.into())
}
