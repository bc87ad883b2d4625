//! What the mock counts, so that a measurement can tell whether it kept its promises.

use std::sync::{Arc, Mutex, PoisonError};

use hdrhistogram::Histogram;
use model::scenario::Scenario;
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::machine::Holdings;
use crate::times;

/// Counts, shared by the mock and the thread that answers the parent.
#[derive(Clone, Debug)]
pub struct Counters(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    upstreams: Vec<UpstreamCounts>,
    refused: u64,
    accept_errors: u64,
    /// Nanoseconds by which replies were late, since the last snapshot.
    lateness: Histogram<u64>,
}

/// The counts of one upstream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpstreamCounts {
    /// Its name.
    pub name: String,
    /// Calls that have come, since the start.
    pub calls: u64,
    /// Calls that were answered, since the start: well or with a failure.
    pub answered: u64,
    /// Those of them that failed, as drawn.
    pub failures: u64,
    /// Calls that were refused because the queue was full, since the start.
    #[serde(default)]
    pub refused: u64,
    /// Calls whose caller went away before the answer, since the start.
    pub abandoned: u64,
    /// Calls that wait for their answer now.
    pub in_flight: u64,
    /// The most that waited at once since the last snapshot.
    pub in_flight_peak: u64,
}

/// How much later than drawn replies were sent, in nanoseconds, since the last snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lateness {
    /// Replies.
    pub count: u64,
    /// Mean.
    pub mean: u64,
    /// Half were less late.
    pub p50: u64,
    /// 99 of 100 were less late.
    pub p99: u64,
    /// The latest.
    pub max: u64,
}

/// What the mock has counted. Totals are since its start; peaks and lateness since the
/// snapshot before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// When, on the machine's monotonic clock, in nanoseconds.
    pub at: u64,
    /// CPU time of the process, in nanoseconds.
    pub cpu: u64,
    /// Memory of the process.
    pub holdings: Holdings,
    /// Every upstream, in the order of the scenario.
    pub upstreams: Vec<UpstreamCounts>,
    /// Requests for a path that is no upstream's, and requests that make no sense.
    pub refused: u64,
    /// Connections that could not be accepted.
    pub accept_errors: u64,
    /// How much later than drawn replies were sent.
    pub lateness: Lateness,
}

impl Counters {
    /// Counters for the upstreams of `scenario`, all zero.
    pub fn new(scenario: &Scenario) -> Counters {
        let counts = |name: &String| UpstreamCounts { name: name.clone(), ..Default::default() };
        Counters(Arc::new(Mutex::new(State {
            upstreams: scenario.upstreams.iter().map(|upstream| counts(&upstream.name)).collect(),
            refused: 0,
            accept_errors: 0,
            lateness: times::histogram(),
        })))
    }

    /// Counts up to now. Begins a new period for peaks and lateness.
    pub fn snapshot(&self) -> Snapshot {
        let holdings = Holdings::own();
        self.with(|state| {
            let upstreams = state.upstreams.clone();
            for upstream in &mut state.upstreams {
                upstream.in_flight_peak = upstream.in_flight;
            }
            let times = &mut state.lateness;
            let lateness = Lateness {
                count: times.len(),
                mean: times.mean() as u64,
                p50: times.value_at_quantile(0.5),
                p99: times.value_at_quantile(0.99),
                max: times.max(),
            };
            times.reset();
            Snapshot {
                at: clock::now(),
                cpu: clock::process_cpu(),
                holdings,
                upstreams,
                refused: state.refused,
                accept_errors: state.accept_errors,
                lateness,
            }
        })
    }

    /// A call of the upstream with this index has come. It counts as abandoned if the value
    /// is dropped without an answer.
    pub(super) fn call(&self, upstream: usize) -> InFlight {
        self.with(|state| {
            let counts = &mut state.upstreams[upstream];
            counts.calls += 1;
            counts.in_flight += 1;
            counts.in_flight_peak = counts.in_flight_peak.max(counts.in_flight);
        });
        InFlight { counters: self.clone(), upstream, answered: false }
    }

    pub(super) fn refused(&self) {
        self.with(|state| state.refused += 1);
    }

    pub(super) fn accept_error(&self) {
        self.with(|state| state.accept_errors += 1);
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A call that waits for its answer.
#[derive(Debug)]
pub(super) struct InFlight {
    counters: Counters,
    upstream: usize,
    answered: bool,
}

impl InFlight {
    /// It is answered, `late` nanoseconds after the time drawn.
    pub(super) fn answered(mut self, fails: bool, late: u64) {
        self.answered = true;
        self.counters.with(|state| {
            let counts = &mut state.upstreams[self.upstream];
            counts.answered += 1;
            counts.failures += u64::from(fails);
            state.lateness.saturating_record(late);
        });
    }
}

impl InFlight {
    /// It is refused: the queue is full.
    pub(super) fn refused(mut self) {
        self.answered = true;
        self.counters.with(|state| state.upstreams[self.upstream].refused += 1);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let abandoned = u64::from(!self.answered);
        self.counters.with(|state| {
            let counts = &mut state.upstreams[self.upstream];
            counts.in_flight -= 1;
            counts.abandoned += abandoned;
        });
    }
}
