//! `sim ui`: what-ifs in a browser.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use model::read::{Diagnostic, Diagnostics};
use render::{Console, Failure, Format};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ui::page::Start;
use ui::{Engine, Server};

use super::export;
use super::options::Ui;
use crate::stop;
use crate::what_if::Subject;

/// Where the page is, for programs.
#[derive(Serialize)]
struct Address<'a> {
    address: &'a str,
}

/// Serves the page until the user ends it, or writes it.
pub(super) fn run(options: &Ui, console: &mut Console<'_>) -> Result<(), Failure> {
    match &options.export {
        Some(folder) => export::run(options, folder, console),
        None => serve(options, console),
    }
}

fn serve(options: &Ui, console: &mut Console<'_>) -> Result<(), Failure> {
    let subject = Subject::File(options.source.file().to_path_buf());
    let start = Start {
        version: env!("CARGO_PKG_VERSION"),
        set: options.source.sets(),
        keep: options.keep.texts().to_vec(),
        saves: true,
        without_server: None,
    };
    if let Err(problems) = subject.load(&start.set, &start.keep) {
        refuse_what_no_page_shows(problems, console)?;
    }
    let server = Server::bind(options.port).map_err(|error| {
        Failure::System(format!(
            "cannot listen on port {} of this machine: {error}. Leave --port out for a free one",
            options.port
        ))
    })?;
    let address = server.address();
    console.data(&match options.output.format {
        Format::Json => render::json(&Address { address: &address }),
        Format::Text | Format::Markdown => format!("{address}\n"),
    })?;
    if options.output.format != Format::Json {
        console.talk("Open this address in a browser on this machine. Ctrl-C ends it.\n");
    }
    server
        .run(Arc::new(Local(subject)), start)
        .map_err(|error| Failure::System(format!("the server ended: {error}")))
}

/// A mistake in a line of a file is shown in the page, where it goes away when the line is right. What
/// is wrong with the command itself ends it.
fn refuse_what_no_page_shows(
    problems: Diagnostics,
    console: &mut Console<'_>,
) -> Result<(), Failure> {
    if problems.diagnostics.iter().any(|problem| problem.line.is_none()) {
        return Err(problems.into());
    }
    console.talk(&format!("{problems}\n\nThe page shows this until the file is right.\n"));
    Ok(())
}

/// The engine of this process.
struct Local(Subject);

/// What became of a file.
#[derive(Serialize)]
#[serde(tag = "answer", rename_all = "lowercase")]
enum Outcome {
    Saved { file: String },
    Refused { problems: Vec<Diagnostic> },
    Failed { why: String },
}

/// The part of an answer that is a file's text.
#[derive(Deserialize)]
struct Child {
    answer: String,
    text: Option<String>,
}

impl Engine for Local {
    fn ask(&self, question: &str, stop: &Arc<AtomicBool>) -> String {
        stop::unless(stop, || self.0.ask(question)).unwrap_or_else(|error| {
            render::json(&Outcome::Failed { why: format!("cannot start threads: {error}") })
        })
    }

    fn save(&self, question: &str) -> String {
        let Ok(Value::Object(mut question)) = serde_json::from_str(question) else {
            return render::json(&Outcome::Failed { why: "this is no question".into() });
        };
        let name = question.remove("name");
        let name = name.as_ref().and_then(Value::as_str).unwrap_or_default();
        let answer = self.0.ask(&Value::Object(question).to_string());
        let text = match serde_json::from_str::<Child>(&answer) {
            Ok(Child { answer, text: Some(text) }) if answer == "child" => text,
            // Why there is none.
            _ => return answer,
        };
        render::json(&self.keep(name.trim(), &text).unwrap_or_else(|failure| match failure {
            Failure::Refused(refused) => Outcome::Refused { problems: refused.diagnostics },
            failure => Outcome::Failed { why: failure.text(Format::Text).trim().to_string() },
        }))
    }
}

impl Local {
    fn keep(&self, name: &str, text: &str) -> Result<Outcome, Failure> {
        let file = self.folder()?.join(file_name(name)?);
        render::keep_new(&file, text)?;
        Ok(Outcome::Saved { file: file.display().to_string() })
    }

    /// That of the scenario; the current one for a scenario that is built in.
    fn folder(&self) -> Result<PathBuf, Failure> {
        let resolved = self.0.load(&[], &[])?;
        let path = Path::new(resolved.path());
        let folder = path.parent().filter(|_| path.exists());
        Ok(folder.map_or(PathBuf::new(), Path::to_path_buf))
    }
}

/// A name for a file beside the scenario, and in no other folder.
fn file_name(name: &str) -> Result<String, Failure> {
    let stem = name.strip_suffix(".toml").unwrap_or(name);
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ');
    if stem.is_empty() || stem.starts_with('.') || stem.len() > 100 || !stem.chars().all(plain) {
        let problem = Diagnostic::of_file(
            "name",
            format!("the name is {name:?}"),
            "letters, digits, `-`, `_`, `.` and blanks, of which the first is no `.`",
            "give the file a name without a folder, as in what-if.toml",
        );
        return Err(Failure::Refused(problem.into()));
    }
    Ok(format!("{stem}.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_that_of_a_file_beside_the_scenario() {
        for (name, file) in
            [("a.toml", "a.toml"), ("a", "a.toml"), ("my what-if.2", "my what-if.2.toml")]
        {
            assert_eq!(file_name(name).ok().as_deref(), Some(file));
        }
        for name in ["", ".toml", "..", "../a", "a/b", "a\\b", "a\nb", "/etc/x", ".hidden"] {
            assert!(file_name(name).is_err(), "{name:?}");
        }
    }
}
