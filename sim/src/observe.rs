//! What is observed during the counted window: counts, time-weighted areas, histograms.

use hdrhistogram::Histogram;
pub use model::failure::ErrorKind;
use model::place::{Place, PlaceId};
use model::units::{Instant, Span};
use serde::{Deserialize, Serialize};

use crate::plan::Plan;
use crate::{
    after, client, cpu, database, event_loop, interpreter, lock, process, standstill, threads,
    upstream,
};

/// Shortest and longest response time that the histograms tell apart; three digits.
const SHORTEST: u64 = 1_000;
const LONGEST: u64 = 1_000_000 * 1_000_000_000;
const DIGITS: u8 = 3;
/// Memory of a histogram: 2048 counts up to its first power of two, and 1024 for each further one.
pub(crate) const HISTOGRAM_BYTES: u64 =
    4 * (2048 + 1024 * (LONGEST.ilog2() - SHORTEST.ilog2()) as u64);

/// A number that changes over time, and its integral over the window.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Gauge {
    value: u64,
    since: Instant,
    /// Integral of the value, in nanoseconds.
    area: u128,
    peak: u64,
    /// Times that it rose by one.
    entries: u64,
}

impl Default for Gauge {
    fn default() -> Self {
        Gauge::new()
    }
}

impl Gauge {
    /// Zero, from the start.
    pub fn new() -> Gauge {
        Gauge { value: 0, since: Instant::START, area: 0, peak: 0, entries: 0 }
    }

    #[inline]
    fn settle(&mut self, now: Instant) {
        let elapsed = now.nanos() - self.since.nanos();
        if elapsed > 0 {
            self.area += u128::from(self.value) * u128::from(elapsed);
            self.since = now;
        }
    }

    /// One more.
    #[inline]
    pub fn enter(&mut self, now: Instant) {
        self.settle(now);
        self.value += 1;
        self.entries += 1;
        self.peak = self.peak.max(self.value);
    }

    /// One fewer.
    #[inline]
    pub fn leave(&mut self, now: Instant) {
        self.settle(now);
        self.value -= 1;
    }

    /// Forgets what was before `now`, but not the value.
    pub fn reset(&mut self, now: Instant) {
        (self.since, self.area, self.peak, self.entries) = (now, 0, self.value, 0);
    }

    /// Brings the area up to `now`.
    pub fn close(&mut self, now: Instant) {
        self.settle(now);
    }

    /// The value now.
    pub fn value(&self) -> u64 {
        self.value
    }

    /// Integral over the window, in nanoseconds.
    pub fn area(&self) -> u128 {
        self.area
    }

    /// Highest value in the window.
    pub fn peak(&self) -> u64 {
        self.peak
    }

    /// Entries in the window.
    pub fn entries(&self) -> u64 {
        self.entries
    }
}

/// A limit that a run may or may not come up against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Limit {
    /// A handshake was dropped.
    Backlog,
    /// A client gave up.
    Patience,
    /// The retry budget was used up.
    RetryBudget,
    /// A request was refused with 503.
    Concurrency,
    /// A request waited for a thread-pool token.
    Threads,
    /// A request waited for a database connection.
    Pool,
    /// A request gave up waiting for one.
    PoolTimeout,
    /// The database server refused a connection.
    MaxConnections,
    /// A command waited for a connection of the pooler to the database server.
    Pooler,
    /// A command gave up waiting for one.
    QueryWait,
    /// The pooler refused a connection.
    MaxClientConn,
    /// A commit waited for the log of the database server.
    LogSync,
    /// A statement waited for one of these rows.
    Row(u32),
    /// A statement gave up waiting for a row.
    DatabaseLockTimeout,
    /// A statement was in the database server for too long.
    StatementTimeout,
    /// A session was idle in a transaction for too long.
    IdleInTransaction,
    /// A statement's sleep was cut short, or it gave up.
    BusyTimeout,
    /// A call waited for the semaphore of this upstream.
    Semaphore(u32),
    /// A call waited for a client connection to it.
    Connections(u32),
    /// A call gave up waiting for one.
    ConnectionTimeout(u32),
    /// This upstream refused a call.
    Refused(u32),
    /// An attempt was given up.
    UpstreamTimeout(u32),
    /// A request was sent into a connection that the service had closed.
    KeepAlive,
    /// A worker was killed for its silence.
    WorkerTimeout,
    /// A worker ended after as many requests as it was to answer.
    MaxRequests,
    /// A request waited for this lock of the application.
    Lock(u32),
    /// A request gave up waiting for it.
    LockTimeout(u32),
    /// An arrival found every user busy.
    Users,
    /// The CPU quota of a period was used up.
    Quota,
}

/// Observations of one class.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClassObservations {
    /// Good answers.
    pub good: u64,
    /// Sum of their response times, in nanoseconds.
    pub sum: u128,
    /// Longest of them.
    pub max: Span,
    /// Others by kind.
    pub errors: [u64; ErrorKind::ALL.len()],
    /// Where the time of good answers went, by place, in nanoseconds.
    pub time: Vec<u128>,
}

impl ClassObservations {
    fn new(places: usize) -> ClassObservations {
        ClassObservations {
            good: 0,
            sum: 0,
            max: Span::ZERO,
            errors: [0; ErrorKind::ALL.len()],
            time: vec![0; places],
        }
    }

    fn reset(&mut self) {
        (self.good, self.sum, self.max) = (0, 0, Span::ZERO);
        self.errors = Default::default();
        self.time.fill(0);
    }

    #[inline]
    fn count(&mut self, response_time: Span) {
        self.good += 1;
        self.sum += u128::from(response_time.nanos());
        self.max = self.max.max(response_time);
    }

    /// Counts an error.
    pub fn fail(&mut self, kind: ErrorKind) {
        self.errors[kind as usize] += 1;
    }
}

/// Observations of one of several loads at once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GroupObservations {
    /// Its answers; where their time went is not kept.
    pub answers: ClassObservations,
    /// Requests sent.
    pub sent: u64,
    /// Arrivals that found every user busy.
    pub dropped: u64,
}

/// Response times of good answers, in nanoseconds.
pub type Histograms = Vec<Histogram<u32>>;

/// An empty histogram of response times.
pub fn empty_histogram() -> Histogram<u32> {
    Histogram::new_with_bounds(SHORTEST, LONGEST, DIGITS).expect("valid constant bounds")
}

/// Everything that is observed in one replication. Each resource has a part of its own.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Observations {
    /// By class.
    pub classes: Vec<ClassObservations>,
    /// By load, where there are several at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupObservations>,
    /// Response times by class and then by load, those of earlier runs included if it began with theirs.
    #[serde(skip)]
    pub histograms: Histograms,
    /// The window is open.
    counting: bool,
    /// Requests at each place.
    pub places: Vec<Gauge>,
    /// Requests sent and neither answered nor given up.
    pub in_flight: Gauge,
    /// The clients.
    pub client: client::Observed,
    /// The processors.
    pub cpu: cpu::Observed,
    /// The event loops.
    pub event_loop: event_loop::Observed,
    /// The thread pools.
    pub threads: threads::Observed,
    /// The interpreter locks.
    pub interpreter: interpreter::Observed,
    /// The database connections.
    pub database: database::Observed,
    /// SQLite.
    pub sqlite: database::sqlite::Observed,
    /// The database server.
    pub postgres: database::postgres::Observed,
    /// Each upstream.
    pub upstreams: Vec<upstream::Observed>,
    /// Each lock of the application.
    pub locks: Vec<lock::Observed>,
    /// Work after replies.
    pub after: after::Observed,
    /// Worker processes that end.
    pub process: process::Observed,
    /// Standstills, those of the warm-up included.
    pub standstill: standstill::Observed,
    /// Requests sent.
    pub sent: u64,
    /// Arrivals that found every user busy.
    pub dropped: u64,
    /// Attempts of upstream calls.
    pub attempts: u64,
    /// Events of the whole run.
    pub events: u64,
    /// Limits that the run came up against, the warm-up included.
    pub reached: Vec<Limit>,
    /// Requests in flight when the window began.
    pub in_flight_at_start: u64,
    /// Requests in queues half-way through the window, and at its end.
    pub queued: [u64; 2],
    /// Length of the window.
    pub window: Span,
    /// For tests: time in the system, each request's cut to the window, in nanoseconds.
    pub sojourn: u128,
}

impl Observations {
    /// Nothing seen yet.
    ///
    /// `histograms` are those of earlier runs, to be added to, or none.
    pub(crate) fn new(plan: &Plan, histograms: Histograms) -> Observations {
        let (classes, places) = (plan.classes.len(), plan.place_count());
        let mut histograms = histograms;
        let groups = if plan.groups.len() > 1 { plan.groups.len() } else { 0 };
        histograms.resize_with(classes + groups, empty_histogram);
        Observations {
            histograms,
            counting: false,
            classes: (0..classes).map(|_| ClassObservations::new(places)).collect(),
            groups: (0..groups)
                .map(|_| GroupObservations {
                    answers: ClassObservations::new(0),
                    sent: 0,
                    dropped: 0,
                })
                .collect(),
            places: vec![Gauge::new(); places],
            in_flight: Gauge::new(),
            client: client::Observed::new(&plan.scenario.load),
            cpu: Default::default(),
            event_loop: event_loop::Observed::new(plan.scenario.service.workers),
            threads: Default::default(),
            interpreter: Default::default(),
            database: Default::default(),
            sqlite: Default::default(),
            postgres: database::postgres::Observed::new(plan.scenario.rows().len()),
            upstreams: vec![Default::default(); plan.scenario.upstreams.len()],
            locks: vec![Default::default(); plan.scenario.locks.len()],
            after: after::Observed::new(places),
            process: Default::default(),
            standstill: Default::default(),
            sent: 0,
            dropped: 0,
            attempts: 0,
            events: 0,
            reached: Vec::new(),
            in_flight_at_start: 0,
            queued: [0; 2],
            window: Span::ZERO,
            sojourn: 0,
        }
    }

    /// Requests at `place`.
    pub fn at(&self, place: Place) -> &Gauge {
        &self.places[place.index()]
    }

    /// The run comes up against a limit.
    pub fn reach(&mut self, limit: Limit) {
        if !self.reached.contains(&limit) {
            self.reached.push(limit);
        }
    }

    /// Counts a good answer of a class.
    #[inline]
    pub fn record(&mut self, class: u32, response_time: Span) {
        self.classes[class as usize].count(response_time);
        if self.counting {
            self.histograms[class as usize].saturating_record(response_time.nanos());
        }
    }

    /// Counts something of a load, if there are several.
    #[inline]
    pub(crate) fn group(&mut self, group: u32, count: impl FnOnce(&mut GroupObservations)) {
        if let Some(seen) = self.groups.get_mut(group as usize) {
            count(seen);
        }
    }

    /// Counts a good answer of a load, if there are several.
    #[inline]
    pub(crate) fn record_of_group(&mut self, group: u32, response_time: Span) {
        let classes = self.classes.len();
        if let Some(seen) = self.groups.get_mut(group as usize) {
            seen.answers.count(response_time);
            if self.counting {
                let histogram = &mut self.histograms[classes + group as usize];
                histogram.saturating_record(response_time.nanos());
            }
        }
    }

    fn gauges(&mut self) -> impl Iterator<Item = &mut Gauge> {
        (self.places.iter_mut())
            .chain([&mut self.in_flight, &mut self.after.at_work])
            .chain(self.cpu.gauges())
            .chain(self.event_loop.gauges())
            .chain(self.process.gauges())
            .chain(self.threads.gauges())
            .chain(self.interpreter.gauges())
            .chain(self.database.gauges())
            .chain(self.sqlite.gauges())
            .chain(self.postgres.gauges())
            .chain(self.upstreams.iter_mut().flat_map(upstream::Observed::gauges))
            .chain(self.locks.iter_mut().flat_map(lock::Observed::gauges))
    }

    /// The window opens: what was before does not count.
    pub fn open_window(&mut self, now: Instant) {
        for gauge in self.gauges() {
            gauge.reset(now);
        }
        self.classes.iter_mut().for_each(ClassObservations::reset);
        for group in &mut self.groups {
            group.answers.reset();
            (group.sent, group.dropped) = (0, 0);
        }
        self.counting = true;
        self.in_flight_at_start = self.in_flight.value();
        (self.sent, self.dropped, self.attempts, self.sojourn) = (0, 0, 0, 0);
        self.client.reset();
        self.cpu.reset();
        self.event_loop.reset();
        self.process.reset();
        self.sqlite.reset();
        self.postgres.reset();
        self.after.reset();
    }

    /// Requests that may be waiting for others.
    fn queued_now(&self, places: &[PlaceId]) -> u64 {
        let queues = places.iter().zip(&self.places).filter(|(place, _)| place.is_queue());
        queues.map(|(_, gauge)| gauge.value()).sum()
    }

    /// Half of the window is over.
    pub fn halve_window(&mut self, places: &[PlaceId]) {
        self.queued[0] = self.queued_now(places);
    }

    /// The window closes.
    pub fn close_window(&mut self, now: Instant, window: Span, places: &[PlaceId]) {
        self.queued[1] = self.queued_now(places);
        for gauge in self.gauges() {
            gauge.close(now);
        }
        self.window = window;
    }

    /// Good answers of all classes.
    pub fn good(&self) -> u64 {
        self.classes.iter().map(|class| class.good).sum()
    }

    /// Errors of all classes, by kind.
    pub fn errors(&self) -> [u64; ErrorKind::ALL.len()] {
        let mut sum = [0; ErrorKind::ALL.len()];
        for class in &self.classes {
            for (total, count) in sum.iter_mut().zip(class.errors) {
                *total += count;
            }
        }
        sum
    }

    /// Good answers per second of the window.
    pub fn throughput(&self) -> f64 {
        self.good() as f64 / self.window.secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gauge_integrates_its_value_over_the_window() {
        let at = Instant::from_nanos;
        let mut gauge = Gauge::new();
        gauge.enter(at(10));
        gauge.enter(at(20));
        gauge.reset(at(30));
        gauge.leave(at(50));
        gauge.close(at(100));
        assert_eq!(gauge.area(), 2 * 20 + 50);
        assert_eq!((gauge.peak(), gauge.entries(), gauge.value()), (2, 0, 1));
    }
}
