//! `sim scenarios`: what is built into the program.

use std::path::Path;

use model::read::{builtin, load, nearest};
use render::page::{Align, Page, Table};
use render::{Answer, Console, Failure};
use serde::Serialize;
use toml_edit::{DocumentMut, Formatted, Item, Value};

use super::options::Scenarios;

/// A built-in scenario.
#[derive(Serialize)]
struct BuiltIn {
    file: &'static str,
    question: Option<String>,
}

/// All that are listed.
#[derive(Serialize)]
struct BuiltIns(Vec<BuiltIn>);

impl Answer for BuiltIns {
    fn page(&self) -> Page {
        let mut table = Table::new(&[("file", Align::Left), ("its question", Align::Left)]);
        for BuiltIn { file, question } in &self.0 {
            table.row([file.to_string(), question.clone().unwrap_or_default()]);
        }
        let mut page = Page::new();
        page.table(table);
        page
    }
}

/// Lists the built-in scenarios with their questions, or prints one file.
pub(super) fn run(options: &Scenarios, console: &mut Console<'_>) -> Result<(), Failure> {
    if let Some(wanted) = &options.show {
        return Ok(console.data(&text(wanted)?)?);
    }
    let all: Vec<BuiltIn> = builtin()
        .map(|(file, _)| file)
        .filter(|file| !file.starts_with("costs/") && (options.all || !file.contains('/')))
        .map(|file| BuiltIn { file, question: question(file) })
        .collect();
    options.output.answer(&BuiltIns(all), console)
}

/// The text of a built-in file, to start from in any folder: the files that it names are named as
/// they are seen from `scenarios/`.
fn text(wanted: &str) -> Result<String, Failure> {
    let (file, text) = file(wanted)?;
    let Some((folder, _)) = file.rsplit_once('/') else { return Ok(text.to_string()) };
    let mut document: DocumentMut = text
        .parse()
        .map_err(|error| Failure::System(format!("the built-in `{file}` is not TOML: {error}")))?;
    for key in ["extends", "costs"] {
        let Some(Item::Value(Value::String(named))) = document.get_mut(key) else { continue };
        let path = below(folder, named.value());
        *named = Formatted::new(path);
        named.decor_mut().set_prefix(" ");
    }
    Ok(document.to_string())
}

/// `name` as seen from `folder`: `theory` and `../costs/x.toml` make `costs/x.toml`.
fn below(folder: &str, name: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').collect();
    for part in name.split('/') {
        match part {
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// A built-in file; its ending may be left out.
fn file(wanted: &str) -> Result<(&'static str, &'static str), Failure> {
    let named = |file: &str| file == wanted || file.strip_suffix(".toml") == Some(wanted);
    builtin().find(|(file, _)| named(file)).ok_or_else(|| {
        let names = builtin().map(|(file, _)| file.strip_suffix(".toml").unwrap_or(file));
        let stem = wanted.strip_suffix(".toml").unwrap_or(wanted);
        let near = nearest(stem, names)
            .map_or(String::new(), |name| format!("; did you mean `{name}.toml`?"));
        Failure::System(format!(
            "no scenario or cost profile `{wanted}` is built in: `sim scenarios --all` lists \
             them{near}"
        ))
    })
}

/// The question of a built-in scenario, which is a parent only where it cannot be read alone.
fn question(file: &str) -> Option<String> {
    load(Path::new(file), &[]).ok()?.scenario.question
}
