//! `live upstream`: the mock upstream alone.

use std::sync::Arc;

use render::{Console, Exit, Failure};

use super::options::Upstream;
use crate::interrupt::Interrupt;
use crate::supervisor::bind;
use crate::{upstream, wire};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 4096;

/// Runs the mock upstream of a scenario until it is interrupted.
pub(super) fn run(options: &Upstream, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let resolved = options.source.load(&[])?;
    let scenario = resolved.scenario;
    let name = scenario.name.clone();
    let fail = |error: &dyn std::fmt::Display| Failure::run(&name, error);
    if scenario.upstreams.is_empty() {
        return Err(Failure::run(&name, "the scenario has no upstream"));
    }
    // Before the address is printed: its reader may end this at once.
    let interrupt = Interrupt::listen().map_err(|error| fail(&error))?;
    let listener = bind(options.port, BACKLOG, false).map_err(|error| fail(&error))?;
    let address = listener.local_addr().map_err(|error| fail(&error))?;
    let mut text = format!("the upstreams of {name} answer on http://{address}\n");
    for upstream in &scenario.upstreams {
        text += &format!("  curl -i http://{address}{}\n", wire::path_of(&upstream.name));
    }
    console.data(&text)?;
    let counted = upstream::run_alone(listener, Arc::new(scenario), interrupt.receiver());
    let counted = counted.map_err(|error| fail(&error))?;
    for upstream in counted.upstreams {
        console.talk(&format!(
            "{}: {} calls, {} failed, {} refused, {} abandoned\n",
            upstream.name, upstream.calls, upstream.failures, upstream.refused, upstream.abandoned
        ));
    }
    Ok(Exit::Success)
}
