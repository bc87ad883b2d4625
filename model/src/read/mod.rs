//! Reading scenario files: text -> keys -> checked keys -> [`Scenario`].
//!
//! All problems are reported at once, each with its place, what is allowed and what to do.
//! Nothing that a file or a `--set` can say makes this module panic.
//!
//! [`Scenario`]: crate::scenario::Scenario

mod builtin;
mod check;
mod child;
mod controls;
mod derive;
mod describe;
mod diagnostic;
mod distribution;
mod extends;
mod files;
mod item;
mod ladder;
mod learned;
mod manual;
mod merge;
mod notes;
mod path;
mod print;
mod profile;
mod requests;
mod resolved;
mod rules;
mod schema;
mod set;
mod source;
mod trace;
mod tree;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

pub use builtin::builtin;
pub use controls::{Control, Form};
pub use diagnostic::{Diagnostic, Diagnostics, nearest};
pub use item::{Part, parts as key_parts};
pub use ladder::{Change, Rung, ladder};
pub use learned::{Interval, Known};
pub use manual::manual;
pub use profile::load_costs;
pub use requests::load_requests;
pub use resolved::Resolved;
pub use schema::{costs_schema, scenario_schema};

use diagnostic::Problems;
use extends::read_chain;
use files::{Disk, Files, Memory, Sent, find_scenario};
use ladder::ladder_of;
use resolved::resolve;
pub(crate) use rules::contradiction;
use source::Sources;

/// Reads a scenario file with `sets` such as `service.workers=4` over it.
///
/// The path is taken as given, or else looked for under `scenarios/` and among the built-in
/// scenarios; the ending `.toml` may be left out.
///
/// # Errors
/// Every problem of the file, the files that it names, and the sets.
pub fn load(path: &Path, sets: &[String]) -> Result<Resolved, Diagnostics> {
    let files: Arc<dyn Files> = Arc::new(Disk);
    let path = find_scenario(path, &*files);
    load_from(&files, &path, sets)
}

/// Reads a scenario from memory. `name` is what it is called; it can name no other file,
/// so its costs are a table `[costs]`.
///
/// ```
/// let text = r#"
///     costs.cpu.request = "2ms"
///     load = { users = 10, duration = "60s" }
///     service.concurrency = "async"
///     endpoint = [{ name = "hello", weight = 1 }]
/// "#;
/// let resolved = model::read::load_text("hello", text, &["load.users=20".into()])?;
/// assert_eq!(resolved.get("load.users").as_deref(), Some("20"));
/// assert_eq!(resolved.get("service.workers").as_deref(), Some("1"));
///
/// let wrong = model::read::load_text("hello", text, &["service.worker=2".into()]);
/// assert!(wrong.unwrap_err().to_string().contains("did you mean `workers`?"));
/// # Ok::<(), model::read::Diagnostics>(())
/// ```
///
/// # Errors
/// Every problem of the text and the sets.
pub fn load_text(name: &str, text: &str, sets: &[String]) -> Result<Resolved, Diagnostics> {
    load_texts(name, &[(name, text)], sets)
}

/// Reads the scenario `name` from a set of files in memory, given as path and text.
///
/// # Errors
/// Every problem of the text, the files that it names, and the sets.
pub fn load_texts(
    name: &str,
    texts: &[(&str, &str)],
    sets: &[String],
) -> Result<Resolved, Diagnostics> {
    load_from(&memory(texts), name, sets)
}

/// Reads the scenario `name` from a set of files that another program has sent, given as path and text.
/// It may also name the built-in files, as a file on a disk may, and nothing else: no disk is read.
///
/// ```
/// let texts = [("mine.toml".into(), "extends = \"v6.toml\"\nservice.workers = 4")];
/// let resolved = model::read::load_sent("mine.toml", &texts, &[])?;
/// assert_eq!(resolved.get("service.workers").as_deref(), Some("4"));
///
/// let texts = [("mine.toml".into(), "extends = \"/etc/passwd\"")];
/// let refused = model::read::load_sent("mine.toml", &texts, &[]).unwrap_err();
/// assert!(refused.to_string().contains("there is no such file"));
/// # Ok::<(), model::read::Diagnostics>(())
/// ```
///
/// # Errors
/// Every problem of the text, the files that it names, and the sets.
pub fn load_sent(
    name: &str,
    texts: &[(String, &str)],
    sets: &[String],
) -> Result<Resolved, Diagnostics> {
    load_from(&sent(texts), name, sets)
}

/// Reads the scenario `name` and all that it extends, root first, from files that another program has
/// sent; see [`load_sent`].
///
/// # Errors
/// Every problem of any rung.
pub fn ladder_sent(
    name: &str,
    texts: &[(String, &str)],
    sets: &[String],
) -> Result<Vec<Rung>, Diagnostics> {
    ladder_of(&sent(texts), name, sets)
}

fn sent(texts: &[(String, &str)]) -> Arc<dyn Files> {
    let pair = |(path, text): &(String, &str)| (path.clone(), Arc::from(*text));
    Arc::new(Sent(Memory(texts.iter().map(pair).collect())))
}

fn memory(texts: &[(&str, &str)]) -> Arc<dyn Files> {
    let texts: BTreeMap<String, Arc<str>> =
        texts.iter().map(|&(path, text)| (path.to_string(), text.into())).collect();
    Arc::new(Memory(texts))
}

fn load_from(files: &Arc<dyn Files>, path: &str, sets: &[String]) -> Result<Resolved, Diagnostics> {
    let (mut sources, mut problems) = (Sources::default(), Problems::default());
    let resolved = read_chain(&**files, path, &mut sources, &mut problems).and_then(|chain| {
        resolve(&chain.layers, sets, files, &mut sources, &mut problems, chain.complete)
    });
    resolved.filter(|_| problems.is_empty()).ok_or_else(|| problems.finish(&sources))
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod misplaced;

#[cfg(test)]
mod properties;
