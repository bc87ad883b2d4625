//! `validate calibrate`: probes are run on the real service and the profile is written.

use std::fs;
use std::path::{Path, PathBuf};

use live::Interrupt;
use live::cli::On;
use live::load::opening_times;
use live::stack::Target;
use live::temporary;
use model::read::builtin;
use model::report::Report;
use model::statistics::Estimate;
use render::{Console, Failure};

use super::bench::{Bench, interrupted};
use super::document::{CONFIDENCE, Calibration, Cost, CostUnit};
use super::probe::{Lengths, Probe};
use super::stack::{Databases, Stack};
use super::walk::{Laboratory, calibrate};
use super::{about, profile, profile_file};

/// Moves the cursor to the beginning of the line and clears it.
const AGAIN: &str = "\r\x1b[K";

/// How to calibrate.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The stack, and where its environment is.
    pub on: On,
    /// How often every probe is run.
    pub rounds: u32,
    /// Where the profile goes: on the disk that is measured.
    pub file: PathBuf,
    /// A profile that no calibration wrote may be replaced.
    pub force: bool,
    /// How long each probe runs.
    pub lengths: Lengths,
    /// The costs to measure, by their keys or tables; all if none is named. The others stay as
    /// they are in the profile that is replaced or, without one, in the one that this program has.
    pub only: Vec<String>,
    /// The database whose costs are measured.
    pub databases: Databases,
}

impl Settings {
    /// The defaults.
    pub(crate) fn usual(on: On) -> Settings {
        Settings {
            rounds: 3,
            file: file(on.target()),
            on,
            force: false,
            lengths: Lengths::default(),
            only: Vec::new(),
            databases: Databases::Sqlite,
        }
    }

    /// The costs that are not measured stay as they are.
    fn keeps_others(&self) -> bool {
        !self.only.is_empty() || self.databases == Databases::Postgres
    }

    /// The stack with the costs that are to be measured, and whether [`OPENING`] is among them.
    ///
    /// # Errors
    /// A cost is named that is not one of them.
    fn stack(&self) -> Result<(Stack, bool), Failure> {
        let stack = self.databases.stack(self.on.target());
        if self.only.is_empty() {
            return Ok((stack, !self.keeps_others()));
        }
        let probed: Vec<String> =
            self.only.iter().filter(|name| *name != OPENING).cloned().collect();
        let timed = probed.len() < self.only.len();
        let stack = stack.only(&probed).map_err(|error| Failure::System(error.to_string()))?;
        Ok((stack, timed))
    }

    /// The profile that is written: the measured costs, and those of the profile before that were
    /// not measured and hold here.
    ///
    /// # Errors
    /// The profile before is no TOML.
    fn profile(&self, calibration: &Calibration) -> Result<String, Failure> {
        let before = fs::read_to_string(&self.file).ok();
        let text = match (self.keeps_others(), &before) {
            (true, before) => {
                let others = before.as_deref().unwrap_or(built_in(self.on.target()));
                profile::merged(others, calibration)
            }
            (false, Some(before)) if self.databases == Databases::Sqlite => {
                profile::with_server_of(before, calibration)
            }
            (false, _) => Ok(profile::toml(calibration)),
        };
        text.map_err(|error| Failure::System(error.to_string()))
    }
}

/// Where the profile of a stack is kept, below the current folder.
pub(crate) fn file(target: Target) -> PathBuf {
    PathBuf::from(format!("costs/{}.toml", target.name()))
}

/// Something to measure between the two halves of a calibration.
pub(crate) type Interlude<'a> = &'a mut dyn FnMut(&mut Console<'_>) -> Result<(), Failure>;

/// Measures the costs and writes them.
///
/// # Errors
/// The file may not be replaced, a probe cannot be measured, or the user stopped. No file is
/// written then.
pub(crate) fn run(
    settings: &Settings,
    interrupt: &Interrupt,
    console: &mut Console<'_>,
) -> Result<Calibration, Failure> {
    around(settings, interrupt, console, &mut |_| Ok(()))
}

/// The same with an `interlude` when half of the rounds are done.
///
/// # Errors
/// Those of [`run`], and those of the interlude.
pub(crate) fn around(
    settings: &Settings,
    interrupt: &Interrupt,
    console: &mut Console<'_>,
    interlude: Interlude<'_>,
) -> Result<Calibration, Failure> {
    let system = |error: &dyn std::fmt::Display| Failure::System(error.to_string());
    let (stack, timed) = settings.stack()?;
    profile_file::may_write(&settings.file, settings.force)?;
    let opening = if timed { Some(opening()?) } else { None };
    let around = profile_file::folder_of(&settings.file);
    temporary::prepare(around).map_err(|error| system(&error))?;
    let folder = temporary::temporary(around).map_err(|error| system(&error))?;
    write_probes(folder.path(), &stack, &settings.lengths)?;
    // What other programs wrote before should not go to the disk while the probes run.
    rustix::fs::sync();
    let bench = Bench { on: &settings.on, folder: folder.path(), interrupt };
    let total = settings.rounds as usize * stack.probes.len();
    let mut laboratory = LiveLaboratory { bench, console, interlude, done: 0, total };
    let calibrated = calibrate(&stack, settings.rounds, &mut laboratory);
    laboratory.clear_line();
    let mut calibration = calibrated?;
    if interrupt.is_set() {
        return Err(interrupted());
    }
    calibration.costs.extend(opening);
    if settings.databases != Databases::Sqlite {
        let of_server = about::of_server(&calibration.about);
        calibration.about.insert(about::POSTGRES.into(), of_server);
    }
    let text = settings.profile(&calibration)?;
    profile_file::write(&settings.file, &text)?;
    calibration.file = Some(settings.file.display().to_string());
    Ok(calibration)
}

/// The profile of another machine that is built into this program; an empty one if there is none.
fn built_in(target: Target) -> &'static str {
    let path = format!("costs/{}.toml", target.name());
    builtin().find(|(name, _)| *name == path).map_or("", |(_, text)| text)
}

/// The cost that is timed outside the probes.
const OPENING: &str = "network.connect";

/// The load generator's time to open a connection, which no probe shows: it is timed outside the
/// probes. A repeated handshake makes its margin wide, and the cost unsound.
fn opening() -> Result<Cost, Failure> {
    let times = opening_times(BURSTS)
        .map_err(|error| Failure::System(format!("cannot open connections: {error}")))?;
    let seconds: Vec<f64> = times.iter().map(|time| time.secs_f64()).collect();
    let estimate = Estimate::of_mean(&seconds, CONFIDENCE).rounded();
    Ok(Cost {
        key: OPENING.into(),
        unit: CostUnit::Time,
        value: estimate.value,
        interval: Some(estimate),
        rounds: BURSTS,
        sound: estimate.half_width() < estimate.value / 2.0,
        how: format!("the load generator opens many connections at once, {BURSTS} times: each"),
    })
}

/// Bursts of connections that are timed: each takes a few milliseconds.
const BURSTS: u32 = 30;

/// A calibration under way.
struct LiveLaboratory<'a, 'c> {
    bench: Bench<'a>,
    console: &'a mut Console<'c>,
    interlude: Interlude<'a>,
    /// Probes that have begun, of so many.
    done: usize,
    total: usize,
}

impl LiveLaboratory<'_, '_> {
    fn clear_line(&mut self) {
        if self.console.err_is_terminal {
            self.console.talk(AGAIN);
        }
    }
}

impl Laboratory<Failure> for LiveLaboratory<'_, '_> {
    fn measure(&mut self, probe: &Probe, round: u32) -> Result<Report, Failure> {
        self.done += 1;
        if self.console.err_is_terminal {
            let (round, done, total) = (round + 1, self.done, self.total);
            self.console.talk(&format!("{AGAIN}round {round}: {probe} ({done} of {total})"));
        }
        self.bench.measure(&probe.name, &self.bench.folder.join(probe.file_name()))
    }

    fn half_time(&mut self) -> Result<(), Failure> {
        self.clear_line();
        (self.interlude)(self.console)
    }
}

/// The scenarios of all probes.
fn write_probes(folder: &Path, stack: &Stack, lengths: &Lengths) -> Result<(), Failure> {
    for probe in &stack.probes {
        let file = folder.join(probe.file_name());
        fs::write(&file, probe.text(stack.lock, lengths)).map_err(|error| {
            Failure::System(format!("cannot write {}: {error}", file.display()))
        })?;
    }
    Ok(())
}
