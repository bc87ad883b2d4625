//! `validate calibrate`: what does the stack cost by itself?

use live::Interrupt;
use render::{Console, Exit, Failure};

use super::options::CalibrateOptions;
use crate::calibrate::session;

/// Measures costs, writes them and tells them.
pub(super) fn run(options: &CalibrateOptions, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let settings = options.settings();
    live::cli::installation(&settings.on, console)?;
    let interrupt = Interrupt::listen().map_err(|error| Failure::System(error.to_string()))?;
    let calibration = session::run(&settings, &interrupt, console)?;
    options.output.answer(&calibration, console)?;
    Ok(calibration.exit())
}
