//! `live serve`: the service alone.

use std::time::Duration;

use render::{Console, Exit, Failure};

use super::failure;
use super::measure::Bench;
use super::options::Serve;
use crate::run::{RunError, Setting, Stage};
use crate::wire;

/// Pause between two looks at the children.
const LOOK: Duration = Duration::from_millis(200);

/// Runs the service, its upstream and its database until it is interrupted.
pub(super) fn run(options: &Serve, console: &mut Console<'_>) -> Result<Exit, Failure> {
    if let Some(url) = options.on.own() {
        return Err(Failure::System(format!(
            "serve starts a service of this program, and {url} is one of your own: name a stack, \
             or leave out --target"
        )));
    }
    let resolved = options.source.load(&[])?;
    let name = &resolved.scenario.name;
    let out = &options.files.out;
    let bench = Bench::new(&[&resolved], out, &options.on, console)?;
    let fail = |error| failure(name, error);
    let setting = Setting {
        split: &bench.split(&resolved),
        stack: bench.installation(),
        directory: out,
        port: options.port,
        seed: resolved.scenario.seed,
        interrupt: bench.interrupt(),
        onlooker: None,
    };
    let mut stage = Stage::start(&resolved, &setting).map_err(fail)?;
    let address = stage.address();
    let mut text = format!("{name} listens on http://{address}\n");
    for endpoint in &resolved.scenario.endpoints {
        text += &format!("  curl -i http://{address}{}\n", wire::path_of(&endpoint.name));
    }
    if let Some(upstream) = stage.upstream_address() {
        text += &format!("its upstreams answer on http://{upstream}\n");
    }
    console.data(&text)?;
    let mut told = 0;
    while !bench.interrupted() {
        std::thread::sleep(LOOK);
        match stage.replace_dead() {
            Ok(()) | Err(RunError::Interrupted(_)) => {}
            Err(error) => return Err(fail(error)),
        }
        for trouble in &stage.troubles()[told..] {
            console.talk(&format!("{trouble}\n"));
        }
        told = stage.troubles().len();
    }
    Ok(Exit::Success)
}
