//! `sim size`: how much does it take?

use render::{Console, Exit, Failure};

use super::options::Size;
use crate::size::{BUDGET, check, size};

/// Finds the highest load that keeps the objectives.
pub(super) fn run(options: &Size, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let open: &[String] = if options.open { &["load.rate=1/s".to_string()] } else { &[] };
    let mut resolved = options.source.load(open)?;
    options.keep.apply(&mut resolved)?;
    check(&resolved)?;
    let found = size(&resolved, options.max_events, BUDGET)
        .map_err(|runaway| Failure::run(&resolved.scenario.name, runaway))?;
    console.answer(&found, options.output.format)?;
    let met = found.holds.is_some() || found.unbroken.is_some();
    Ok(if met { Exit::Success } else { Exit::Broken })
}
