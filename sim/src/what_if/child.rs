//! The state of a page as a scenario file of its own, which extends the scenario.

use model::objective::Objective;
use model::read::{Resolved, key_parts, load_texts};

use super::{Failure, Question};

/// The text of a file beside the scenario's own.
pub(super) fn text(resolved: &Resolved, question: &Question) -> Result<String, Failure> {
    let key = |set: &String| set.split_once('=').map(|(key, _)| key.trim().to_string());
    let mut keys: Vec<String> = Vec::new();
    for key in question.set.iter().filter_map(key) {
        // One that was set twice has its last value.
        if !keys.iter().any(|known| key_parts(known) == key_parts(&key)) {
            keys.push(key);
        }
    }
    let cannot = || {
        Failure::Other(
            "these changes cannot be written as a file that extends the scenario: use the line \
             of `--set` instead"
                .into(),
        )
    };
    let mut text = resolved.child(&parent(resolved.path()), &keys).ok_or_else(cannot)?;
    if !question.keep.is_empty() {
        for objective in &resolved.scenario.objectives {
            text.push_str(&format!("\n[[objective]]\nkeep = {}\n", quoted(objective)));
        }
    }
    if is_the_same(resolved, &text) { Ok(text) } else { Err(cannot()) }
}

fn quoted(objective: &Objective) -> String {
    model::keys::quote(&objective.to_string())
}

/// The scenario as a file beside it names it; one that is built in, as seen from any folder.
fn parent(path: &str) -> String {
    let is_on_disk = std::path::Path::new(path).exists();
    match path.strip_prefix("scenarios/") {
        Some(built_in) if !is_on_disk => built_in.to_string(),
        _ => path.rsplit('/').next().unwrap_or(path).to_string(),
    }
}

/// Whether what the file would say is what the page says.
fn is_the_same(resolved: &Resolved, text: &str) -> bool {
    let parent = resolved.path();
    let folder = parent.rsplit_once('/').map_or("", |(folder, _)| folder);
    let is_on_disk = std::path::Path::new(parent).exists();
    let folder = if is_on_disk || !parent.starts_with("scenarios/") { folder } else { "scenarios" };
    let path = if folder.is_empty() { NAME.to_string() } else { format!("{folder}/{NAME}") };
    let mut texts = resolved.texts();
    texts.push((path.clone(), text.to_string()));
    let texts: Vec<(&str, &str)> = texts.iter().map(|(path, text)| (&**path, &**text)).collect();
    let Ok(read) = load_texts(&path, &texts, &[]) else { return false };
    let mut read = read.scenario;
    // What a file says about itself.
    read.name.clone_from(&resolved.scenario.name);
    read.question.clone_from(&resolved.scenario.question);
    read.published.clone_from(&resolved.scenario.published);
    read == resolved.scenario
}

/// A name that no file has.
const NAME: &str = "\u{1}.toml";
