//! One round: start, warm up, count, stop.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use model::measurement::MeasuredMemory;
use model::read::Resolved;
use model::scenario::Scenario;
use tokio::sync::watch;

use super::error::RunError;
use super::onlooker::{Display, Onlooker};
use super::stage::{Counts, Setting, Stage};
use super::stations::Span;
use super::worker::{WorkerReading, Workers};
use crate::clock;
use crate::load::{self, Event, LoadError, LoadSecond, Tally};
use crate::machine::{ClockTrouble, Cpus, Holdings, MachineReading, Noise, Split};
use crate::postgres::Reading;
use crate::stack::ServiceUrl;

/// Longest pause between two looks at the children.
const LOOK: Duration = Duration::from_millis(200);
/// The last readings are taken this long before the window closes, in nanoseconds: once the
/// load has gone, so have the requests that it had parked.
const BEFORE_CLOSE: u64 = 10_000_000;

/// What one round has measured, as it came.
#[derive(Clone, Debug)]
pub(crate) struct Round {
    /// Seconds since 1970 when it began.
    pub started: u64,
    /// What the load generator counted.
    pub tally: Tally,
    /// Second by second, with the response times of each.
    pub seconds: Vec<LoadSecond>,
    /// What the children had counted when the window opened.
    pub open: Counts,
    /// And when it closed.
    pub close: Counts,
    /// The database server, if there was one.
    pub server: Option<ServerFacts>,
    /// CPU time of this process in the window, in nanoseconds: the load generator's, without that
    /// of a thread that draws what is measured.
    pub load_cpu: u64,
    /// What showed the numbers meanwhile, and its CPU time in the window in nanoseconds; none if
    /// nothing did.
    pub onlooker: Option<(Display, u64)>,
    /// What else ran on the service's processors.
    pub noise: Option<Noise>,
    /// What else ran on the load's.
    pub load_noise: Option<Noise>,
    /// What was wrong with the clock.
    pub clock: Vec<ClockTrouble>,
    /// Memory of the workers.
    pub memory: MeasuredMemory,
    /// What each worker held at the end of the window.
    pub holdings: Vec<Holdings>,
    /// Memory of this process.
    pub load_memory: u64,
    /// Children that failed.
    pub troubles: Vec<String>,
}

impl Round {
    /// A round of which only the load generator was ours, and which began at `started`.
    pub(crate) fn of_load(started: u64, tally: Tally, seconds: Vec<LoadSecond>) -> Round {
        Round {
            started,
            load_cpu: tally.cpu,
            onlooker: None,
            tally,
            seconds,
            open: Counts::default(),
            close: Counts::default(),
            server: None,
            noise: None,
            load_noise: None,
            clock: Vec::new(),
            memory: MeasuredMemory::default(),
            holdings: Vec::new(),
            load_memory: Holdings::own().resident.unwrap_or(0),
            troubles: Vec::new(),
        }
    }

    /// Length of the counted window, in seconds.
    pub(crate) fn seconds_counted(&self) -> f64 {
        self.tally.window() as f64 / 1e9
    }

    /// It came to its end and has a window to count in.
    pub(crate) fn is_complete(&self) -> bool {
        !self.tally.interrupted && self.tally.window() > 0
    }
}

/// Version and processors of a database server.
#[derive(Clone, Debug)]
pub(crate) struct ServerFacts {
    /// Its version; none of one that is not ours.
    pub version: Option<String>,
    /// Its processors.
    pub cpus: Cpus,
}

/// A round that did not come to its end by a failure of ours.
#[derive(Debug)]
pub(crate) struct Failed {
    /// What failed.
    pub error: RunError,
    /// What was measured until then; none if the load had not begun or is lost.
    pub round: Option<Box<Round>>,
}

impl<E: Into<RunError>> From<E> for Failed {
    fn from(error: E) -> Failed {
        Failed { error: error.into(), round: None }
    }
}

/// Seconds since 1970.
pub(crate) fn now_in_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

/// What happens while a round runs.
#[derive(Debug)]
pub(crate) enum Progress<'a> {
    /// Processes and data are being made.
    Starting,
    /// The load begins.
    Load,
    /// A second of load is over.
    Second(Seen<'a>),
    /// The load has ended.
    Ended,
}

/// What is known of a second of load that is over.
#[derive(Debug)]
pub(crate) struct Seen<'a> {
    /// What the load generator counted.
    pub second: &'a LoadSecond,
    /// Processors that the service may run on.
    pub cores: u32,
    /// Share of the service's processors in use, where the kernel tells.
    pub busy: Option<f64>,
    /// The processes of the service that can be seen, if somebody looks on.
    pub workers: Vec<WorkerReading>,
}

/// Readings at one edge of the window.
#[derive(Clone, Debug)]
struct Edge {
    counts: Counts,
    machine: MachineReading,
    load_cpu: u64,
    /// CPU time of what shows it meanwhile.
    onlooker: u64,
    memory: Vec<Holdings>,
}

impl Edge {
    fn take(stage: &mut Stage, onlooker: Option<&Onlooker>) -> Edge {
        let (counts, memory) = (stage.count(), stage.memory());
        let drawn = onlooker.map_or(0, Onlooker::cpu);
        let inside = if onlooker.is_some_and(Onlooker::is_inside) { drawn } else { 0 };
        Edge {
            counts,
            machine: MachineReading::take(),
            load_cpu: clock::process_cpu().saturating_sub(inside),
            onlooker: drawn,
            memory,
        }
    }
}

/// Runs one round of `resolved`.
///
/// # Errors
/// Something does not start, or the load generator fails, or a worker that died cannot be
/// replaced. Services and upstreams that fail under load are results.
pub(crate) fn run_round(
    resolved: &Resolved,
    setting: &Setting<'_>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Round, Failed> {
    progress(Progress::Starting);
    let started = now_in_seconds();
    let mut stage = Stage::start(resolved, setting)?;
    stage.start_witness(setting)?;
    setting.interrupt.check()?;
    let idle = resident(&stage.memory());
    let scenario = Arc::new(Scenario { seed: setting.seed, ..resolved.scenario.clone() });
    let own = setting.stack.own().map(ServiceUrl::authority);
    let plan = load::Plan { scenario, target: stage.address(), own };
    let (tell, events) = channel();
    let (halt, stop) = watch::channel(false);
    let generator = thread::Builder::new()
        .name("load".into())
        .spawn(move || load::run(&plan, stop, tell))
        .map_err(RunError::System)?;
    let mut watch = Watch::new(stage, events, halt, &resolved.scenario);
    let watched = watch.until_the_end(setting, progress);
    progress(Progress::Ended);
    // Should it not have come to its end, there is nothing left to wait for.
    watch.halt.send_replace(true);
    let tally: Result<Tally, LoadError> = generator.join().map_err(|_| RunError::Generator)?;
    match (watched, tally) {
        (Ok(()), Ok(tally)) => Ok(watch.round(setting, started, idle, tally)),
        (Ok(()), Err(error)) => Err(error.into()),
        (Err(error), Ok(tally)) => {
            let mut round = watch.round(setting, started, idle, tally);
            round.troubles.push(error.to_string());
            Err(Failed { error, round: Some(Box::new(round)) })
        }
        (Err(error), Err(_)) => Err(error.into()),
    }
}

fn resident(memory: &[Holdings]) -> u64 {
    memory.iter().filter_map(|holdings| holdings.resident).sum()
}

/// Memory of all workers, of which `idle` was there before the load.
fn memory(idle: u64, close: &Edge) -> MeasuredMemory {
    /// With fewer, the allocator's moods are larger than the requests.
    const ENOUGH: u64 = 100;
    let loaded = resident(&close.memory);
    let gauges = || close.counts.workers.iter().map(|worker| worker.stations.requests);
    let requests: u64 = gauges().map(|gauge| gauge.value).sum();
    let peak: u64 = gauges().map(|gauge| gauge.peak).sum();
    let telling = requests >= ENOUGH && 2 * requests >= peak;
    let per_request = telling.then(|| loaded.saturating_sub(idle) as f64 / requests as f64);
    MeasuredMemory { idle, loaded, requests, per_request }
}

/// What else ran on the processors of the service and of the load between two edges. A database server
/// may run on `on`.
fn noises(
    open: &Edge,
    close: &Edge,
    split: &Split,
    on: Option<&Cpus>,
) -> (Option<Noise>, Option<Noise>) {
    let workers = Span::all(&open.counts.workers, &close.counts.workers);
    let service: u64 = workers.iter().map(Span::cpu).sum();
    let mock = |edge: &Edge| edge.counts.upstream.as_ref().map_or(0, |mock| mock.cpu);
    // One that has died takes its account along.
    let database = |pick: fn(&Reading) -> u64| {
        let at = |edge: &Edge| edge.counts.database.as_ref().map_or(0, pick);
        at(close).saturating_sub(at(open))
    };
    let (server, network) = (database(|one| one.cpu + one.watching), database(|one| one.network));
    // It runs on the service's processors, and is neither the service nor another program.
    let witness = |edge: &Edge| edge.counts.witness.as_ref().map_or(0, |one| one.cpu);
    let service = service + witness(close).saturating_sub(witness(open));
    let load = close.load_cpu.saturating_sub(open.load_cpu)
        + close.onlooker.saturating_sub(open.onlooker)
        + mock(close).saturating_sub(mock(open))
        + network
        + database(|one| one.pooler.map_or(0, |pooler| pooler.cpu));
    let within = |cpus: &Cpus| on.is_none_or(|on| on.is_within(cpus));
    let (beside_service, beside_load) = (within(&split.service), within(&split.load));
    let noise = |cpus: &Cpus, ours| open.machine.noise(&close.machine, cpus, ours);
    if split.separate && (beside_service || beside_load) {
        let of_service = if beside_load { 0 } else { server };
        let load = load + server - of_service;
        (noise(&split.service, service + of_service), noise(&split.load, load))
    } else {
        // All run on the same ones, or the server on any of them.
        let all = [split.service.numbers(), split.load.numbers()].concat();
        let both = noise(&Cpus::new(all), service + load + server);
        (both, both)
    }
}

/// Watches over a round while the load runs.
struct Watch {
    stage: Stage,
    events: Receiver<Event>,
    /// Ends the load.
    halt: watch::Sender<bool>,
    seconds: Vec<LoadSecond>,
    /// Lengths of warm-up and window, in nanoseconds.
    lengths: (u64, u64),
    open: Option<Edge>,
    close: Option<Edge>,
    /// The machine when the last second was reported.
    told: MachineReading,
    /// The processes of the service, for the screen.
    workers: Workers,
    server: Option<ServerFacts>,
}

impl Watch {
    fn new(
        stage: Stage,
        events: Receiver<Event>,
        halt: watch::Sender<bool>,
        scenario: &Scenario,
    ) -> Watch {
        let load = &scenario.load;
        let server = stage.server();
        Watch {
            stage,
            server,
            events,
            halt,
            seconds: Vec::new(),
            lengths: (load.warmup.nanos(), load.duration.nanos()),
            open: None,
            close: None,
            told: MachineReading::take(),
            workers: Workers::default(),
        }
    }

    /// Takes the readings at both edges of the window, tells of progress, looks after the
    /// children and passes on the wish to end; until the load generator has nothing more to
    /// say.
    fn until_the_end(
        &mut self,
        setting: &Setting<'_>,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), RunError> {
        let mut started = None;
        loop {
            let wait = started.map_or(LOOK, |at| self.take_edges(at, setting.onlooker));
            if setting.interrupt.is_set() {
                self.halt.send_replace(true);
            }
            match self.events.recv_timeout(wait) {
                Ok(Event::Started { at }) => {
                    started = Some(at);
                    self.stage.load_began(at);
                    progress(Progress::Load);
                }
                Ok(Event::Second(second)) => {
                    progress(Progress::Second(self.seen(setting, &second)));
                    self.seconds.push(*second);
                }
                Err(RecvTimeoutError::Timeout) => match self.stage.replace_dead() {
                    // The round ends without the worker that is missing.
                    Ok(()) | Err(RunError::Interrupted(_)) => {}
                    Err(error) => return Err(error),
                },
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    }

    /// What is known of a second that is over.
    fn seen<'s>(&mut self, setting: &Setting<'_>, second: &'s LoadSecond) -> Seen<'s> {
        let now = MachineReading::take();
        let noise = self.told.noise(&now, &setting.split.service, 0);
        self.told = now;
        let workers = match setting.onlooker {
            Some(_) => self.workers.look(self.stage.processes()),
            None => Vec::new(),
        };
        let cores = setting.split.service.count() as u32;
        Seen { second, cores, busy: noise.map(|noise| noise.busy), workers }
    }

    /// The round, when the load has ended with `tally`.
    fn round(mut self, setting: &Setting<'_>, started: u64, idle: u64, tally: Tally) -> Round {
        // A run that was ended early closes here; one that never opened is empty.
        let close =
            self.close.take().unwrap_or_else(|| Edge::take(&mut self.stage, setting.onlooker));
        let open = self.open.take().unwrap_or_else(|| close.clone());
        for event in self.events.try_iter() {
            if let Event::Second(second) = event {
                self.seconds.push(*second);
            }
        }
        let server = self.server.as_ref().map(|server| &server.cpus);
        let (noise, load_noise) = noises(&open, &close, setting.split, server);
        Round {
            started,
            seconds: self.seconds,
            load_cpu: close.load_cpu.saturating_sub(open.load_cpu),
            onlooker: setting
                .onlooker
                .map(|onlooker| (onlooker.display, close.onlooker.saturating_sub(open.onlooker))),
            server: self.server,
            noise,
            load_noise,
            clock: open.machine.clock_troubles(&close.machine),
            memory: memory(idle, &close),
            holdings: close.memory,
            load_memory: Holdings::own().resident.unwrap_or(0),
            troubles: self.stage.troubles().to_vec(),
            open: open.counts,
            close: close.counts,
            tally,
        }
    }

    /// Takes the readings whose time has come in a load that started at `at`. Returns how
    /// long nothing needs to be done.
    fn take_edges(&mut self, at: u64, onlooker: Option<&Onlooker>) -> Duration {
        let (warmup, window) = self.lengths;
        let (opens, closes) = (at + warmup, at + warmup + window.saturating_sub(BEFORE_CLOSE));
        if self.open.is_none() && clock::now() >= opens {
            self.open = Some(Edge::take(&mut self.stage, onlooker));
        }
        if self.open.is_some() && self.close.is_none() && clock::now() >= closes {
            self.close = Some(Edge::take(&mut self.stage, onlooker));
        }
        let next = match (&self.open, &self.close) {
            (None, _) => opens,
            (Some(_), None) => closes,
            (Some(_), Some(_)) => return LOOK,
        };
        Duration::from_nanos(next.saturating_sub(clock::now())).min(LOOK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::Snapshot;
    use crate::witness;

    /// A worker's memory with so many requests in it, of which there were once `peak`.
    fn per_request(requests: u64, peak: u64) -> Option<f64> {
        let mut worker = Snapshot::default();
        worker.stations.requests.value = requests;
        worker.stations.requests.peak = peak;
        let resident = Some(3_000_000);
        let close = Edge {
            counts: Counts { workers: vec![worker], ..Counts::default() },
            machine: MachineReading::take(),
            load_cpu: 0,
            onlooker: 0,
            memory: vec![Holdings { resident, ..Holdings::default() }],
        };
        memory(1_000_000, &close).per_request
    }

    /// CPU time that belongs neither to the service nor to `live` counts as another program's. That of the
    /// witness does not, nor that of a database server there.
    #[cfg(target_os = "linux")]
    #[test]
    fn the_witness_and_the_database_are_no_other_programs() {
        let cpus = Cpus::allowed();
        let elsewhere = Cpus::new(vec![usize::MAX]);
        let split = Split {
            service: cpus.clone(),
            load: elsewhere.clone(),
            separate: true,
            room: false,
            note: None,
        };
        let edge = |cpu: u64| {
            let seen = witness::Snapshot { cpu, samples: Vec::new() };
            Edge {
                counts: Counts { witness: Some(seen), ..Counts::default() },
                machine: MachineReading::take(),
                load_cpu: 0,
                onlooker: 0,
                memory: Vec::new(),
            }
        };
        let (open, began) = (edge(0), clock::now());
        // Ticks are counted in hundredths of a second.
        let enough = clock::thread_cpu() + 100_000_000;
        while clock::thread_cpu() < enough {
            std::hint::black_box(0);
        }
        let close = edge(0);
        let all = (clock::now() - began) * cpus.count() as u64;
        let mut witnessed = close.clone();
        witnessed.counts.witness = Some(witness::Snapshot { cpu: all, samples: Vec::new() });
        let others = |close, on| noises(&open, close, &split, on).0.map(|noise| noise.others);
        assert!(others(&close, None) > Some(0.0));
        assert_eq!(others(&witnessed, None), Some(0.0));
        let (mut open, mut stored) = (open.clone(), close.clone());
        open.counts.database = Some(Reading::default());
        stored.counts.database = Some(Reading { cpu: all, ..Reading::default() });
        let others = |on| noises(&open, &stored, &split, Some(on)).0.map(|noise| noise.others);
        assert_eq!(others(&cpus), Some(0.0));
        assert!(others(&elsewhere) > Some(0.0));
    }

    #[test]
    fn memory_of_requests_is_told_only_if_it_is_theirs() {
        assert_eq!(per_request(200, 200), Some(10_000.0));
        assert_eq!(per_request(200, 400), Some(10_000.0));
        // What is resident is that of the four hundred who were there.
        assert_eq!(per_request(200, 401), None);
        assert_eq!(per_request(99, 99), None);
    }
}
