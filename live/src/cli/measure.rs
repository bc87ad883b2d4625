//! What `run` and `ladder` have in common: scenarios that take turns.

use std::path::{Path, PathBuf};

use model::read::{Diagnostics, Resolved};
use model::report::Report;
use model::stream::replication_seed;
use render::{Console, Exit, Failure, Format, objectives};

use super::failure;
use super::on::On;
use super::options::Measuring;
use super::progress::Progress;
use super::setup;
use crate::interrupt::Interrupt;
use crate::machine::Facts;
use crate::machine::raise_open_files;
use crate::machine::{Cpus, Split};
use crate::run::{
    self, Failed, MeasuredOn, Offer, Round, RunError, Setting, doubt, one_service, refuse,
};
use crate::stack::{Installation, Target};
use crate::temporary;

/// A scenario that was measured.
pub(super) struct Measured {
    /// What came out.
    pub(super) report: Report,
    /// Where it is kept; none if that failed.
    folder: Option<PathBuf>,
}

/// What came of measuring scenarios.
pub(super) struct Session {
    /// Those of which there is something to tell: the first of the scenarios, in order.
    pub(super) measured: Vec<Measured>,
    /// It was ended before all were measured.
    interrupted: bool,
    /// What failed. Whatever was measured is told first.
    failures: Vec<Failure>,
}

/// The machine, made ready for measuring.
pub(super) struct Bench {
    facts: Facts,
    interrupt: Interrupt,
    allowed: Cpus,
    offer: Offer,
    target: Target,
    installation: Box<dyn Installation>,
}

/// Measures every scenario as often as `measuring` says, in turns, and keeps each. An
/// interrupt or a failure ends it early, with what there is.
///
/// # Errors
/// There is nothing.
pub(super) fn measure(
    scenarios: &[&Resolved],
    measuring: &Measuring,
    port: Option<u16>,
    console: &mut Console<'_>,
) -> Result<Session, Failure> {
    let (repeat, out) = (measuring.repeat, measuring.files.out.as_path());
    let bench = Bench::new(scenarios, out, &measuring.on, console)?;
    let mut rounds: Vec<Vec<Round>> = scenarios.iter().map(|_| Vec::new()).collect();
    let ended = bench.turns(scenarios, repeat, out, port, &mut rounds, console);
    let mut session =
        Session { measured: Vec::new(), interrupted: bench.interrupted(), failures: Vec::new() };
    match ended {
        // What was measured before is told.
        Err((_, RunError::Interrupted(_))) if !rounds[0].is_empty() => {}
        Err((name, error)) if rounds[0].is_empty() => return Err(failure(&name, error)),
        Err((name, error)) => session.failures.push(failure(&name, error)),
        Ok(()) => {}
    }
    let some = scenarios.iter().zip(&rounds).filter(|(_, rounds)| !rounds.is_empty());
    for (resolved, rounds) in some {
        let report = bench.report(resolved, rounds);
        let kept = run::keep(out, resolved, rounds, &report, &bench.facts);
        let kept = kept.map_err(|error| failure(&resolved.scenario.name, error));
        let folder = kept.map_err(|failure| session.failures.push(failure)).ok();
        session.measured.push(Measured { report, folder });
    }
    Ok(session)
}

impl Session {
    /// Says where the measurements are kept and what failed, when they have been told.
    ///
    /// # Errors
    /// The last of the failures.
    pub(super) fn end(
        mut self,
        console: &mut Console<'_>,
        format: Format,
    ) -> Result<Exit, Failure> {
        let folders = self.measured.iter().filter_map(|measured| measured.folder.as_ref());
        let folders: Vec<String> = folders.map(|folder| folder.display().to_string()).collect();
        if !folders.is_empty() {
            console.talk(&format!("kept in {}\n", folders.join(", ")));
        }
        if let Some(last) = self.failures.pop() {
            for failure in self.failures {
                console.talk(&failure.text(format));
            }
            return Err(last);
        }
        let exit = exit(self.measured.iter().map(|measured| &measured.report));
        // Rungs or rounds that are missing allow no answer to what was asked.
        Ok(if self.interrupted { Exit::Inconclusive } else { exit })
    }
}

impl Bench {
    /// Sees to it that all of the scenarios can be measured before any of them is.
    pub(super) fn new(
        scenarios: &[&Resolved],
        out: &Path,
        on: &On,
        console: &mut Console<'_>,
    ) -> Result<Bench, Failure> {
        let allowed = Cpus::allowed();
        let files = raise_open_files().unwrap_or(u64::MAX);
        let offer = Offer { cpus: allowed.count().max(1), files };
        let refused: Vec<_> = scenarios
            .iter()
            .filter_map(|resolved| refuse(resolved, offer, on.target()).err())
            .chain(one_service(scenarios, on.target()).err())
            .flat_map(|refused| refused.diagnostics)
            .collect();
        if !refused.is_empty() {
            let mut diagnostics = refused;
            diagnostics.dedup();
            return Err(Failure::Refused(Diagnostics { diagnostics }));
        }
        let installation = setup::installation(on, console)?;
        let system = |error: RunError| Failure::System(error.to_string());
        // From here on an interrupt removes what was begun.
        let interrupt = Interrupt::listen().map_err(|error| system(RunError::System(error)))?;
        temporary::prepare(out).map_err(|error| system(error.into()))?;
        let facts = Facts { versions: installation.versions(), ..Facts::gather(out) };
        Ok(Bench { facts, interrupt, allowed, offer, target: on.target(), installation })
    }

    /// Measures the scenarios in turns. Each round that there is comes into `rounds`.
    ///
    /// # Errors
    /// Which scenario failed, and how; or that the user wants to end.
    fn turns(
        &self,
        scenarios: &[&Resolved],
        repeat: u32,
        out: &Path,
        port: Option<u16>,
        rounds: &mut [Vec<Round>],
        console: &mut Console<'_>,
    ) -> Result<(), (String, RunError)> {
        let mut progress = Progress::new(console);
        let total = scenarios.len() * repeat as usize;
        for turn in 0..repeat {
            for (index, resolved) in scenarios.iter().enumerate() {
                let name = &resolved.scenario.name;
                progress.begin(name, turn as usize * scenarios.len() + index + 1, total);
                let setting = Setting {
                    split: &self.split(resolved),
                    stack: &*self.installation,
                    directory: out,
                    port,
                    // As the replications of a prediction have it.
                    seed: replication_seed(resolved.scenario.seed, turn),
                    interrupt: &self.interrupt,
                };
                match run::run_round(resolved, &setting, &mut |what| progress.report(what)) {
                    Ok(round) => rounds[index].push(round),
                    Err(Failed { error, round }) => {
                        rounds[index].extend(round.map(|round| *round));
                        return Err((name.clone(), error));
                    }
                }
                if self.interrupted() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// What of `resolved` runs where.
    pub(super) fn split(&self, resolved: &Resolved) -> Split {
        self.installation.split(&self.allowed, resolved.scenario.cpu.cores)
    }

    /// The user wants to end.
    pub(super) fn interrupted(&self) -> bool {
        self.interrupt.is_set()
    }

    /// The stack that the scenarios run on.
    pub(super) fn installation(&self) -> &dyn Installation {
        &*self.installation
    }

    /// Whether the user wants to end.
    pub(super) fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    fn report(&self, resolved: &Resolved, rounds: &[Round]) -> Report {
        let on = MeasuredOn {
            target: self.target,
            own: self.installation.own().map(ToString::to_string),
            split: &self.split(resolved),
            facts: &self.facts,
            notes: doubt(resolved, self.offer).into_iter().chain(resolved.notes()).collect(),
        };
        run::report(resolved, rounds, &on)
    }
}

/// Inconclusive if any of the measurements is, or else broken if an objective is.
pub(super) fn exit<'a>(reports: impl IntoIterator<Item = &'a Report>) -> Exit {
    let doubtful = |report: &Report| {
        report.measurement.as_ref().is_some_and(|how| !how.inconclusive.is_empty())
    };
    let reports: Vec<&Report> = reports.into_iter().collect();
    match reports.iter().any(|report| doubtful(report)) {
        true => Exit::Inconclusive,
        false => objectives::exit(reports.iter().flat_map(|report| &report.objectives)),
    }
}
