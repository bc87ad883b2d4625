//! Shows a measurement while it runs.

use clap::Args;
use model::failure::ErrorKind;
use model::place;
use model::read::Resolved;
use model::scenario::Scenario;
use model::station::StationId;
use render::{Console, Failure};
use rustix::process::getppid;

use super::audience::{Audience, Expected};
use super::measure::Bench;
use crate::run::{Display, Onlooker, Runs, Seen, WorkerReading};
use crate::stack::Target;
use crate::watch::{Message, Plan, Planned, Sample, Slots, Socket, When, WorkerSample, unsuitable};

/// How to show what is measured.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct WatchOptions {
    /// Show throughput, response times, stations, errors and workers on the whole terminal, second
    /// by second; q stops early and keeps what was measured, ? explains the rest. Without a
    /// terminal, and under NO_COLOR or CI unless it is `always`, a line of progress is written as
    /// usual
    #[arg(long, value_name = "WHEN", value_enum, num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "auto")]
    watch: Option<When>,
}

impl WatchOptions {
    /// The terminal is wanted and can be had. If it is wanted and cannot be had, the console says
    /// why.
    pub(super) fn is_shown(self, console: &mut Console<'_>) -> bool {
        let Some(when) = self.watch else { return false };
        match unsuitable(when) {
            // A caller inside of the process has no terminal.
            None => console.is_of_process && console.err_is_terminal,
            Some(why) => {
                console.talk(&format!("--watch: the live terminal is not shown, since {why}\n"));
                false
            }
        }
    }
}

/// Where a measurement is shown, if it is.
#[derive(Debug)]
pub(super) enum Shown {
    /// The user at this terminal, and other programs.
    Here(Audience),
    /// The process that has started this one, which shows it so.
    Parent(Socket, Display),
}

impl Shown {
    /// Opens the socket to the parent process if that one shows the numbers; else the terminal and the
    /// metrics that the user asked for. None if nothing shows them.
    ///
    /// # Errors
    /// There is no such way, or the terminal cannot be taken.
    pub(super) fn open(
        expected: &Expected,
        told: Option<Display>,
        bench: &Bench,
        console: &mut Console<'_>,
    ) -> Result<Option<Shown>, Failure> {
        if let Some(display) = told {
            return Ok(Some(Shown::Parent(parent("--tell")?, display)));
        }
        let audience = expected.begin(&[], bench.interrupt(), console)?;
        Ok((!audience.is_empty()).then_some(Shown::Here(audience)))
    }

    /// Tells what happened.
    pub(super) fn tell(&mut self, message: Message) {
        match self {
            Shown::Here(audience) => audience.tell(message),
            Shown::Parent(socket, _) => socket.tell(&message),
        }
    }

    /// The way to the parent, if there is one.
    pub(super) fn parent(&mut self) -> Option<&mut Socket> {
        match self {
            Shown::Here(_) => None,
            Shown::Parent(socket, _) => Some(socket),
        }
    }

    /// The display that runs during a round. Its CPU time is counted apart.
    pub(super) fn onlooker(&self) -> Option<Onlooker> {
        match self {
            Shown::Here(audience) => {
                let runs = Runs::Threads(audience.cpu());
                Some(Onlooker { display: audience.display()?, runs })
            }
            Shown::Parent(_, display) => {
                let parent = getppid()?.as_raw_nonzero().get();
                let runs = Runs::Process(parent.unsigned_abs());
                Some(Onlooker { display: *display, runs })
            }
        }
    }

    /// The terminal is taken.
    pub(super) fn has_screen(&self) -> bool {
        matches!(self, Shown::Here(audience) if audience.has_screen())
    }

    /// Gives the terminal back, and tells on the console what other programs were not shown.
    pub(super) fn end(self, console: &mut Console<'_>) {
        if let Shown::Here(audience) = self {
            audience.end(console);
        }
    }
}

/// The way to the process that has started this one with `option`.
///
/// # Errors
/// There is none.
pub(super) fn parent(option: &str) -> Result<Socket, Failure> {
    Socket::from_stdin().map_err(|error| {
        Failure::System(format!(
            "standard input is no socket to `validate`, which starts this command with {option}: it \
             is not for a person to use ({error})"
        ))
    })
}

/// What is going to be measured.
pub(super) fn plan(scenarios: &[&Resolved], repeat: u32, target: &str, sets: u32) -> Plan {
    let scenarios = scenarios.iter().map(|resolved| planned(&resolved.scenario, sets)).collect();
    Plan { target: target.to_string(), rounds: repeat, scenarios }
}

/// A scenario whose workers have so many `sets` of each limit.
fn planned(scenario: &Scenario, sets: u32) -> Planned {
    let limits = u64::from(scenario.service.workers) * u64::from(sets);
    let slots = scenario.upstreams.iter().zip(0..).flat_map(|(upstream, index)| {
        let place = place::upstream(index).index();
        let name = || upstream.name.clone();
        let limit = |station, most: u32| Slots { station, most: limits * u64::from(most), place };
        let semaphore =
            upstream.max_in_flight.map(|most| limit(StationId::Semaphore(name()), most));
        let connections =
            upstream.max_connections.map(|most| limit(StationId::Connections(name()), most));
        semaphore.into_iter().chain(connections)
    });
    Planned {
        name: scenario.name.clone(),
        warmup: scenario.load.warmup.nanos(),
        duration: scenario.load.duration.nanos(),
        endpoints: scenario.endpoints.iter().map(|endpoint| endpoint.name.clone()).collect(),
        places: place::ids(scenario),
        slots: slots.collect(),
    }
}

/// How many sets of each limit a worker on `target` has, the most of any of `scenarios`.
pub(super) fn sets(scenarios: &[&Resolved], target: Target) -> u32 {
    let of = |resolved: &&Resolved| target.stack().resource_sets(&resolved.scenario);
    scenarios.iter().map(of).max().unwrap_or(1)
}

/// A second of load as it is shown.
pub(super) fn sample(seen: &Seen<'_>) -> Sample {
    let second = &seen.second.second;
    let kinds = ErrorKind::ALL.into_iter().zip(seen.second.errors);
    let worker = |reading: &WorkerReading| WorkerSample {
        name: reading.process.name.clone(),
        process: reading.process.pid,
        cpu: reading.cpu,
        memory: reading.memory,
    };
    let times = seen.second.times.iter_recorded();
    Sample {
        index: second.index,
        length: second.length,
        sent: second.sent,
        dropped: second.dropped,
        good: seen.second.good.clone(),
        errors: kinds
            .filter(|(_, count)| *count > 0)
            .map(|(kind, count)| (kind.name().to_string(), count))
            .collect(),
        in_flight: second.in_flight,
        times: times.map(|bin| (bin.value_iterated_to(), bin.count_at_value())).collect(),
        places: seen.second.time.clone(),
        cores: seen.cores,
        busy: seen.busy,
        workers: seen.workers.iter().map(worker).collect(),
    }
}
