//! `sim merge`: parts of a sweep become its answer.

use std::path::{Path, PathBuf};

use model::read::{Diagnostic, Diagnostics};
use render::{Console, Exit, Failure};

use super::options::Merge;
use crate::sweep::part::merge::Merged;

/// What the name of a part ends with.
const ENDING: &str = "jsonl";

/// Merges the parts and writes what one process would have written.
pub(super) fn run(options: &Merge, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let parts = files(&options.parts)?;
    let wanted = options.form.wanted();
    wanted.check()?;
    let merged = Merged::of(&parts)?;
    wanted.refuse_too_many(merged.len())?;
    wanted.write(merged.sweep(), merged.points(), console)?;
    Ok(Exit::Success)
}

/// The files that are named, and those of folders that are named.
fn files(named: &[PathBuf]) -> Result<Vec<PathBuf>, Diagnostics> {
    let mut all = Vec::new();
    for path in named {
        if !path.is_dir() {
            all.push(path.clone());
            continue;
        }
        let found = in_folder(path).map_err(|error| {
            let name = path.display().to_string();
            let found = format!("cannot be read: {error}");
            Diagnostic::of_file(name, found, "a folder of parts", "name the parts themselves")
        })?;
        all.extend(found);
    }
    Ok(all)
}

fn in_folder(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == ENDING) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
