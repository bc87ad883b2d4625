//! A calibration from the first probe to the profile's file.

use std::fs;
use std::path::{Path, PathBuf};

use live::cli::On;
use live::run::folder;
use live::run::interrupt::Interrupt;
use model::report::Report;
use render::{Console, Failure};

use super::bench::{Bench, interrupted};
use super::probe::{Lengths, Probe};
use super::{Calibration, Target, calibrate, keep, profile};

/// Back to the beginning of the line, and clear it.
const AGAIN: &str = "\r\x1b[K";

/// What to calibrate.
#[derive(Clone, Debug)]
pub struct Order {
    /// Whose costs.
    pub on: On,
    /// How often every probe is run.
    pub rounds: u32,
    /// Where the profile goes: on the disk that is measured.
    pub file: PathBuf,
    /// A profile that no calibration wrote may be replaced.
    pub force: bool,
    /// How long each probe runs.
    pub lengths: Lengths,
}

impl Order {
    /// What is asked for where nobody asks for more.
    pub fn usual(on: On) -> Order {
        Order { rounds: 3, file: file(on.target), on, force: false, lengths: Lengths::default() }
    }
}

/// Where the profile of a stack is kept, below the current folder.
pub fn file(target: Target) -> PathBuf {
    PathBuf::from(format!("costs/{}.toml", target.name()))
}

/// What is done between two halves of a calibration.
pub type Interlude<'a> = &'a mut dyn FnMut(&mut Console<'_>) -> Result<(), Failure>;

/// Measures the costs and writes them.
///
/// # Errors
/// The file is not ours to replace, a probe cannot be measured, or the user does not want to
/// wait. No file is written then.
pub fn run(
    order: &Order,
    interrupt: &Interrupt,
    console: &mut Console<'_>,
) -> Result<Calibration, Failure> {
    around(order, interrupt, console, &mut |_| Ok(()))
}

/// The same with an `interlude` when half of the rounds are done: if the machine becomes slower
/// or quicker all the while, the mean of both halves is what it was in between.
///
/// # Errors
/// Those of [`run`], and those of the interlude.
pub fn around(
    order: &Order,
    interrupt: &Interrupt,
    console: &mut Console<'_>,
    interlude: Interlude<'_>,
) -> Result<Calibration, Failure> {
    keep::may_write(&order.file, order.force)?;
    let system = |error: &dyn std::fmt::Display| Failure::System(error.to_string());
    let around = keep::folder_of(&order.file);
    folder::prepare(around).map_err(|error| system(&error))?;
    let folder = folder::temporary(around).map_err(|error| system(&error))?;
    let target = order.on.target;
    write_probes(folder.path(), target, &order.lengths)?;
    let bench = Bench { on: &order.on, folder: folder.path(), interrupt };
    let probes = Probe::all(target).len();
    let (half, total) = ((order.rounds / 2) as usize * probes, order.rounds as usize * probes);
    let mut done = 0;
    let mut measure = |probe: Probe, round: u32| -> Result<Report, Failure> {
        if done == half {
            if console.err_is_terminal {
                console.talk(AGAIN);
            }
            interlude(console)?;
        }
        done += 1;
        if console.err_is_terminal {
            let round = round + 1;
            console.talk(&format!("{AGAIN}round {round}: {probe} ({done} of {total})"));
        }
        bench.measure(&probe.to_string(), &folder.path().join(probe.file_name()))
    };
    let calibrated = calibrate(target, order.rounds, &mut measure);
    if console.err_is_terminal {
        console.talk(AGAIN);
    }
    let mut calibration = calibrated?;
    if interrupt.is_set() {
        return Err(interrupted());
    }
    keep::write(&order.file, &profile::toml(&calibration))?;
    calibration.file = Some(order.file.display().to_string());
    Ok(calibration)
}

/// The scenarios of all probes.
fn write_probes(folder: &Path, target: Target, lengths: &Lengths) -> Result<(), Failure> {
    for probe in Probe::all(target) {
        let file = folder.join(probe.file_name());
        fs::write(&file, probe.text(target, lengths)).map_err(|error| {
            Failure::System(format!("cannot write {}: {error}", file.display()))
        })?;
    }
    Ok(())
}
