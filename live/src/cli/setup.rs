//! `live setup`: what a target needs, made once.

use std::path::Path;

use render::{Console, Exit, Failure};

use super::on::On;
use super::options::{Setup, SetupOf};
use super::progress::Line;
use crate::stack::{ENVIRONMENT_FOLDER, Install, Installation, OwnDatabase, OwnService, Target};

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

/// What scenarios are to run on. The environment of a stack is made if it is missing and its
/// folder is the usual one: another folder may be a slip, and an environment is large. A service
/// of the user's own is there, unless it is to be started.
///
/// # Errors
/// It does not work, or cannot be made; or it is missing in a folder of the user's own. The
/// service is on a machine that may get no load, or does not run.
pub fn installation(on: &On, console: &mut Console<'_>) -> Result<Box<dyn Installation>, Failure> {
    if let Some(url) = on.own() {
        let service = OwnService::new(url.clone(), &on.hosts.allowed, on.start.clone());
        let service = service.map_err(|error| Failure::System(error.to_string()))?;
        return Ok(match on.database_pid {
            None => Box::new(service),
            Some(pid) => Box::new(service.with(OwnDatabase::of(pid).map_err(Failure::System)?)),
        });
    }
    let of_own = [
        (on.start.is_some(), "`--start` starts a service of your own"),
        (on.database_pid.is_some(), "`--database-pid` is the database of a service of your own"),
    ];
    if let Some((_, what)) = of_own.iter().find(|(given, _)| *given) {
        let where_to = "name where the service listens with `--target URL`";
        return Err(Failure::System(format!("{what}: {where_to}")));
    }
    let (target, folder) = (on.target(), on.environment.folder.as_path());
    let install = Install { folder, program: None, again: false };
    let own = folder != Path::new(ENVIRONMENT_FOLDER);
    if own && !folder.exists() && target.stack().missing(&install).is_some() {
        let (name, folder) = (target.name(), folder.display());
        return Err(Failure::System(format!(
            "there is no folder {folder}, the environment of the target {name}: correct \
             --environment, or make it with `live setup {name} --environment {folder}`"
        )));
    }
    install_on(target, &install, console)
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
