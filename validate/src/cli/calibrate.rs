//! `validate calibrate`: what does the stack cost by itself?

use live::Interrupt;
use render::{Console, Exit, Failure, json};

use super::options::CalibrateOptions;
use super::output::OutputFormat;
use crate::calibrate::{session, told};

/// Measures costs, writes them and tells them.
pub(super) fn run(options: &CalibrateOptions, console: &mut Console<'_>) -> Result<Exit, Failure> {
    live::cli::installation(options.target, &options.place.environment, console)?;
    let interrupt = Interrupt::listen().map_err(|error| Failure::System(error.to_string()))?;
    let calibration = session::run(&options.settings(), &interrupt, console)?;
    console.data(&match options.output.format {
        OutputFormat::Text => told::text(&calibration),
        OutputFormat::Json => json(&calibration),
        OutputFormat::Markdown => told::markdown(&calibration),
    })?;
    Ok(calibration.exit())
}
