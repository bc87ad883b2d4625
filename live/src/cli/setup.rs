//! `live setup`: what a target needs, made once.

use std::path::Path;

use render::{Console, Exit, Failure};

use super::options::{Setup, SetupOf};
use super::progress::Line;
use crate::stack::{Install, Installation, Target};

/// Makes what a target needs.
pub(super) fn run(options: &Setup, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let SetupOf::Fastapi(options) = &options.target;
    let folder = &options.environment.folder;
    let install = Install { folder, program: Some(&options.python), again: options.again };
    let versions = install_on(Target::Fastapi, &install, console)?.versions();
    let text: Vec<String> = ["python", "fastapi", "uvicorn", "gunicorn", "sqlalchemy", "httpx"]
        .into_iter()
        .filter_map(|name| Some(format!("{name} {}", versions.get(name)?)))
        .collect();
    console.data(&format!("{} is ready: {}\n", folder.display(), text.join(", ")))?;
    Ok(Exit::Success)
}

/// The installation of `target`, which is made in `folder` if it is missing.
///
/// # Errors
/// It does not work, or cannot be made.
pub fn installation(
    target: Target,
    folder: &Path,
    console: &mut Console<'_>,
) -> Result<Box<dyn Installation>, Failure> {
    install_on(target, &Install { folder, program: None, again: false }, console)
}

fn install_on(
    target: Target,
    install: &Install<'_>,
    console: &mut Console<'_>,
) -> Result<Box<dyn Installation>, Failure> {
    let stack = target.stack();
    if let Some(missing) = stack.missing(install) {
        console.talk(&format!("{missing}\n"));
    }
    let mut line = Line::new(console);
    let installed = stack.install(install, &mut |what| line.write(what));
    installed.map_err(|error| Failure::System(error.to_string()))
}
