//! What `run` and `ladder` have in common: scenarios that take turns.

use std::path::{Path, PathBuf};

use model::read::{Diagnostics, Resolved};
use model::report::Report;
use model::stream::replication_seed;
use render::{Console, Exit, Failure, Format, objectives};

use super::failure;
use super::on::On;
use super::options::Measuring;
use super::progress::{Progress, Turn};
use super::setup;
use super::watch::{self, Shown};
use crate::interrupt::Interrupt;
use crate::machine::Facts;
use crate::machine::raise_open_files;
use crate::machine::{Cpus, Split};
use crate::run::{
    self, Failed, MeasuredOn, Offer, Round, RunError, Setting, doubt, one_service, refuse,
};
use crate::stack::{Installation, Target};
use crate::temporary;
use crate::watch::{Came, Message};

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
    // Before anything else, which may take minutes.
    let expected = measuring.audience.prepare(console)?;
    let bench = Bench::new(scenarios, out, &measuring.on, console)?;
    let mut rounds: Vec<Vec<Round>> = scenarios.iter().map(|_| Vec::new()).collect();
    let mut shown = Shown::open(&expected, measuring.tell, &bench, console)?;
    let decider = match measuring.ask && measuring.tell.is_none() {
        true => Some(watch::parent("--ask")?),
        false => None,
    };
    if let Some(shown) = &mut shown {
        let (target, sets) = (measuring.on.target.word(), watch::sets(scenarios, bench.target));
        shown.tell(Message::Plan(watch::plan(scenarios, repeat, &target, sets)));
    }
    let mut progress = Progress::new(console, shown, decider);
    let course = Course { bench: &bench, scenarios, repeat, more: measuring.ask, out, port };
    let ended = course.run(&mut rounds, &mut progress);
    progress.end();
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

/// Scenarios that are measured in turns.
struct Course<'a> {
    bench: &'a Bench,
    scenarios: &'a [&'a Resolved],
    /// So many rounds of each.
    repeat: u32,
    /// Then more of them, as the parent process decides.
    more: bool,
    out: &'a Path,
    port: Option<u16>,
}

impl Course<'_> {
    /// Measures. Each round that there is comes into `rounds`.
    ///
    /// # Errors
    /// Which scenario failed, and how; or that the user wants to end.
    fn run(
        &self,
        rounds: &mut [Vec<Round>],
        progress: &mut Progress<'_, '_>,
    ) -> Result<(), (String, RunError)> {
        let count = self.scenarios.len();
        let total = count * self.repeat as usize;
        for number in 0..total {
            self.round(number % count, [number + 1, total], rounds, progress)?;
            if self.bench.interrupted() {
                return Ok(());
            }
        }
        match self.more {
            true => self.as_decided(rounds, progress),
            false => Ok(()),
        }
    }

    /// Measures one round after the other, of the scenarios that the parent process names.
    ///
    /// # Errors
    /// As above.
    fn as_decided(
        &self,
        rounds: &mut [Vec<Round>],
        progress: &mut Progress<'_, '_>,
    ) -> Result<(), (String, RunError)> {
        let count = self.scenarios.len();
        let mut came: Vec<usize> = (0..count).collect();
        loop {
            let reports = came.iter().map(|&scenario| Came {
                scenario,
                report: self.bench.report(self.scenarios[scenario], &rounds[scenario]),
            });
            let next = progress.ask(&reports.collect::<Vec<_>>());
            let Some(next) = next.filter(|&next| next < count) else { return Ok(()) };
            self.round(next, [0, 0], rounds, progress)?;
            if self.bench.interrupted() {
                return Ok(());
            }
            came = vec![next];
        }
    }

    /// Measures a scenario once more; `number` of `total`, or none of these.
    fn round(
        &self,
        index: usize,
        [number, total]: [usize; 2],
        rounds: &mut [Vec<Round>],
        progress: &mut Progress<'_, '_>,
    ) -> Result<(), (String, RunError)> {
        let bench = self.bench;
        let (resolved, round) = (self.scenarios[index], rounds[index].len() as u32);
        let name = &resolved.scenario.name;
        let split = bench.split(resolved);
        let total = (total > 0).then_some(total);
        progress.begin(&Turn { scenario: index, name, round, number, total, cpus: &split.load });
        let onlooker = progress.onlooker();
        let setting = Setting {
            split: &split,
            stack: &*bench.installation,
            directory: self.out,
            port: self.port,
            // As the replications of a prediction have it.
            seed: replication_seed(resolved.scenario.seed, round),
            interrupt: &bench.interrupt,
            onlooker: onlooker.as_ref(),
        };
        match run::run_round(resolved, &setting, &mut |what| progress.report(what)) {
            Ok(round) => rounds[index].push(round),
            Err(Failed { error, round }) => {
                rounds[index].extend(round.map(|round| *round));
                return Err((name.clone(), error));
            }
        }
        Ok(())
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
