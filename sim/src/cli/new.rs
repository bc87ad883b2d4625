//! `sim new`: a scenario to start from.

use std::io;

use render::{Console, Failure};

use super::options::New;
use crate::starter::{Starter, ask};

/// Prints a commented scenario of a service on the stack that was named, or asked for.
pub(super) fn run(options: &New, console: &mut Console<'_>) -> Result<(), Failure> {
    let mut starter = Starter::of(options.stack, options.database);
    if options.ask {
        starter = ask(starter, &mut io::stdin().lock(), console)
            .map_err(|error| Failure::System(format!("cannot read an answer: {error}")))?;
    }
    Ok(console.data(&starter.text())?)
}
