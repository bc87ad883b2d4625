//! `live export`: a scenario's load for another load generator.

use std::io::{self, Write as _};
use std::path::Path;

use model::read::{Diagnostic, Diagnostics};
use render::{Console, Exit, Failure};

use super::options::{Export, Generator, Script};
use crate::k6;

/// Writes the script.
pub(super) fn run(options: &Export, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let Generator::K6(script) = &options.to;
    let resolved = script.source.load(&[])?;
    k6::refuse(&resolved)?;
    if resolved.scenario.load.retry.retries > 0 {
        let refusal = resolved.refusal(
            "load.retries",
            "`load.retries` cannot be exported: the script sends each request once",
            "0 in a script for k6",
            "export with --set load.retries=0, or put this load on the service with `live`",
        );
        return Err(Failure::Refused(refusal.into()));
    }
    let text = k6::script(&resolved.scenario, resolved.path());
    match &script.out {
        None => console.data(&text)?,
        Some(file) => keep(file, &text, script)?,
    }
    Ok(Exit::Success)
}

/// Writes `file`, whole or not at all. A file that exists is kept: it may have been edited.
fn keep(file: &Path, text: &str, Script { force, .. }: &Script) -> Result<(), Failure> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let failed =
        |error: io::Error| Failure::System(format!("cannot write {}: {error}", file.display()));
    let mut fresh =
        tempfile::Builder::new().prefix(".script-").tempfile_in(folder).map_err(failed)?;
    fresh.write_all(text.as_bytes()).map_err(failed)?;
    let kept = match force {
        true => fresh.persist(file),
        false => fresh.persist_noclobber(file),
    };
    match kept {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            Err(Failure::Refused(there(file)))
        }
        Err(error) => Err(failed(error.error)),
    }
}

fn there(file: &Path) -> Diagnostics {
    Diagnostic::of_file(
        file.display().to_string(),
        "is there already",
        "a new file: a script that exists may have been edited by hand",
        "name another file with --out, or replace it with --force",
    )
    .into()
}
