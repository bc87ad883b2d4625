//! `live setup`: what a target needs, made once.

use std::path::Path;

use render::{Console, Exit, Failure};

use super::options::{Setup, SetupOf};
use super::progress::Line;
use crate::target::fastapi::environment::{Environment, EnvironmentError, PYTHON, State};
use crate::target::{Stack, Target};

/// Makes what a target needs.
pub(super) fn run(options: &Setup, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let SetupOf::Fastapi(options) = &options.target;
    let folder = &options.place.environment;
    let done = State::of(folder) == State::Complete && !options.again;
    let environment = if done {
        Environment::open(folder).map_err(|error| Failure::System(error.to_string()))?
    } else {
        make(folder, &options.python, options.again, console)?
    };
    let versions = environment.versions();
    let text: Vec<String> = ["python", "fastapi", "uvicorn", "gunicorn", "sqlalchemy", "httpx"]
        .into_iter()
        .filter_map(|name| Some(format!("{name} {}", versions.get(name)?)))
        .collect();
    console.data(&format!("{} is ready: {}\n", folder.display(), text.join(", ")))?;
    Ok(Exit::Success)
}

/// The stack of `target`, whose environment in `folder` is made if it is missing.
///
/// # Errors
/// It does not work, or cannot be made.
pub fn stack(target: Target, folder: &Path, console: &mut Console<'_>) -> Result<Stack, Failure> {
    match target {
        Target::Axum => Ok(Stack::Axum),
        Target::Fastapi if State::of(folder) == State::Complete => {
            let environment = Environment::open(folder);
            environment.map(Stack::Fastapi).map_err(|error| Failure::System(error.to_string()))
        }
        Target::Fastapi => make(folder, PYTHON, false, console).map(Stack::Fastapi),
    }
}

fn make(
    folder: &Path,
    python: &str,
    again: bool,
    console: &mut Console<'_>,
) -> Result<Environment, Failure> {
    console.talk(&format!(
        "installing FastAPI and its libraries into {}, once; delete the folder to be rid of them\n",
        folder.display()
    ));
    let mut line = Line::new(console);
    let made = Environment::make(folder, python, again, &mut |what| line.write(what));
    made.map_err(|error: EnvironmentError| Failure::System(error.to_string()))
}
