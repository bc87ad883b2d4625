//! `live export`: a scenario's load for another load generator.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use model::read::{Diagnostic, Diagnostics, Resolved};
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
    let Some(file) = &script.out else {
        console.data(&text)?;
        return Ok(Exit::Success);
    };
    let Some(parallelism) = script.parallelism else {
        keep(file, &text, script)?;
        return Ok(Exit::Success);
    };
    enough_users(&resolved, parallelism)?;
    let (beside, run) = test_run(&resolved, file, script, parallelism)?;
    // Both or none.
    if !script.force && beside.exists() {
        return Err(Failure::Refused(there(&beside)));
    }
    keep(file, &text, script)?;
    keep(&beside, &run, script)?;
    Ok(Exit::Success)
}

/// Each instance needs a user: the operator refuses others.
fn enough_users(resolved: &Resolved, parallelism: u32) -> Result<(), Failure> {
    let users = k6::users(&resolved.scenario);
    if users >= u64::from(parallelism) {
        return Ok(());
    }
    let diagnostic = Diagnostic::of_file(
        format!("--parallelism {parallelism}"),
        format!("the load has {users} users, so that some instances would have nothing to do"),
        format!("1 to {}", users.max(1)),
        "name fewer instances",
    );
    Err(Failure::Refused(diagnostic.into()))
}

/// The file beside the script `file`, and what it has.
fn test_run(
    resolved: &Resolved,
    file: &Path,
    script: &Script,
    parallelism: u32,
) -> Result<(PathBuf, String), Failure> {
    let beside = file.with_extension("yaml");
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let (Some(script_name), Some(own_name)) = (name(file), name(&beside)) else {
        return Err(Failure::System(format!("{} is no name of a file", file.display())));
    };
    if beside == file {
        let why = "a script and the TestRun beside it have names that differ in their endings: \
                   name the script .js";
        return Err(Failure::System(format!("--out {}: {why}", file.display())));
    }
    let run = k6::TestRun {
        scenario: &resolved.scenario.name,
        script: &script_name,
        file: &own_name,
        parallelism,
        // The command line has it where it has the number of instances.
        base_url: script.base_url.as_deref().unwrap_or_default(),
    };
    Ok((beside, run.text()))
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
