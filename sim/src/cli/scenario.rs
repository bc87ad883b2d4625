//! `sim scenario`: what would happen?

use render::{Console, Failure};

use super::options::Predict;
use super::progress::Progress;
use crate::predict::{Experiment, predict};

/// Half width of the throughput's interval that is aimed at.
const PRECISION: f64 = 0.02;

/// Replications on which each knob is tried: enough to tell a limit from noise, since the
/// same random numbers are on both sides.
const KNOB_REPLICATIONS: u32 = 3;

/// Predicts one scenario.
pub(super) fn run(options: &Predict, console: &mut Console<'_>) -> Result<(), Failure> {
    let resolved = options.source.load(&[])?;
    let name = &resolved.scenario.name;
    let effort = options.effort.effort(PRECISION);
    let mut progress = Progress::new(console, effort.confidence);
    let experiment = Experiment::First(KNOB_REPLICATIONS);
    let report = predict(&resolved, &effort, experiment, &mut |stage| progress.report(name, stage))
        .map_err(|runaway| Failure::run(name, runaway))?;
    drop(progress);
    Ok(console.answer(&report, options.output.format)?)
}
