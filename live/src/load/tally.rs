//! What the load generator has counted.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use model::failure::ErrorKind;
use model::recovery::Aftermath;

use crate::times;

use super::LoadError;

/// What the load generator has counted. Times are in nanoseconds, instants on the machine's
/// monotonic clock.
///
/// Numbers are those of the window unless they say otherwise. A request belongs to it as
/// *sent* if it was intended in it, and as good answer or error if it was settled in it.
#[derive(Clone, Debug)]
pub struct Tally {
    /// When the load began.
    pub started: u64,
    /// When the window opened, as the scenario has it.
    pub opened: u64,
    /// When it closed: as the scenario has it, or when the run was stopped. A run that was
    /// stopped in its warm-up has an empty window.
    pub closed: u64,
    /// The run was stopped before its time.
    pub interrupted: bool,
    /// By class, in the scenario's order of endpoints.
    pub classes: Vec<ClassTally>,
    /// By load, where the scenario has several at once.
    pub groups: Vec<GroupTally>,
    /// Requests sent.
    pub sent: u64,
    /// Arrivals that found every user busy.
    pub dropped: u64,
    /// Requests sent and not settled.
    pub in_flight: InFlight,
    /// The generator's connections.
    pub connections: Connections,
    /// How late each request was sent: how long its user took to get round to it. For one
    /// that was never sent, how late it was at the end.
    pub lateness: Histogram<u64>,
    /// Attempts of the requests.
    pub retried: Retried,
    /// The requests after a peak of the load, those of the warm-up included.
    pub aftermath: Aftermath,
    /// CPU time of the generator's thread.
    pub cpu: u64,
    /// Second by second, from the start of the load.
    pub seconds: Vec<Second>,
    /// The whole run, warm-up included.
    pub whole: Account,
}

/// What was counted of one class.
#[derive(Clone, Debug)]
pub struct ClassTally {
    /// Good answers.
    pub good: u64,
    /// Sum of their response times.
    pub sum: u128,
    /// The longest of them.
    pub max: u64,
    /// Their response times, from the intended instant to the last byte of the reply.
    pub response_times: Histogram<u64>,
    /// Answers that were not good, by kind.
    pub errors: [u64; ErrorKind::ALL.len()],
    /// Where the time of the timed good answers went, by place: their response times in all.
    pub time: Vec<u128>,
    /// Good answers whose service said where the time went.
    pub timed: u64,
    /// Good answers whose service said nothing of it.
    pub untimed: u64,
    /// Good answers whose service said what cannot be: no such place, not the time that has
    /// passed, not from this clock.
    pub malformed: u64,
    /// Answers of a service of the user's own by their status.
    pub statuses: BTreeMap<u16, u64>,
}

/// The counts of one group of a load that has several.
#[derive(Clone, Debug)]
pub struct GroupTally {
    /// Its answers; where their time went is counted by class only.
    pub answers: ClassTally,
    /// Requests sent.
    pub sent: u64,
    /// Arrivals that found every user busy.
    pub dropped: u64,
}

impl ClassTally {
    pub(super) fn new(places: usize) -> ClassTally {
        ClassTally {
            good: 0,
            sum: 0,
            max: 0,
            response_times: times::histogram(),
            errors: Default::default(),
            time: vec![0; places],
            timed: 0,
            untimed: 0,
            malformed: 0,
            statuses: BTreeMap::new(),
        }
    }
}

/// Requests sent and not settled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InFlight {
    /// When the window opened.
    pub at_open: u64,
    /// When it closed.
    pub at_close: u64,
    /// Most at a time.
    pub peak: u64,
    /// Integral over the window.
    pub area: u128,
}

/// Attempts of the requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retried {
    /// Attempts on the wire, the first of each request included.
    pub attempts: u64,
    /// Failed attempts that were followed by another.
    pub retries: u64,
    /// Failed attempts that were not, for want of budget.
    pub refused: u64,
}

/// The generator's connections over the whole run. One that the server has closed counts as
/// open until its user needs it again and finds out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connections {
    /// Connections that were made.
    pub made: u64,
    /// Those of them that replaced one which the server had closed while it was idle.
    pub remade: u64,
    /// Most open at a time.
    pub peak: u64,
}

/// One second of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Second {
    /// Its number, from 0 at the start of the load.
    pub index: u64,
    /// How long it is: less than a second if the run ended in it.
    pub length: u64,
    /// Requests begun.
    pub sent: u64,
    /// Arrivals that found every user busy.
    pub dropped: u64,
    /// Good answers.
    pub good: u64,
    /// Others.
    pub errors: u64,
    /// Median response time of the good answers; zero if there are none.
    pub p50: u64,
    /// 99 of 100 are shorter.
    pub p99: u64,
    /// Requests in flight at its end.
    pub in_flight: u64,
}

/// One second of the run, with the response times in it.
#[derive(Clone, Debug)]
pub struct LoadSecond {
    /// Its numbers.
    pub second: Second,
    /// Response times of its good answers, in nanoseconds.
    pub times: Histogram<u64>,
    /// Its good answers by class.
    pub good: Vec<u64>,
    /// Its other answers by kind.
    pub errors: [u64; ErrorKind::ALL.len()],
    /// Where the time of its timed good answers went, by place, in nanoseconds.
    pub time: Vec<u64>,
}

/// Where every request of the run is: sent = good + errors + in flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Requests sent.
    pub sent: u64,
    /// Arrivals that found every user busy; they were not sent.
    pub dropped: u64,
    /// Good answers.
    pub good: u64,
    /// Others, by kind.
    pub errors: [u64; ErrorKind::ALL.len()],
    /// Neither answered nor given up at the end.
    pub in_flight: u64,
}

impl Tally {
    /// Length of the window.
    pub fn window(&self) -> u64 {
        self.closed - self.opened
    }

    /// Good answers of all classes.
    pub fn good(&self) -> u64 {
        self.classes.iter().map(|class| class.good).sum()
    }

    /// Errors of all classes, by kind.
    pub fn errors(&self) -> [u64; ErrorKind::ALL.len()] {
        let mut sum = [0; ErrorKind::ALL.len()];
        for class in &self.classes {
            sum.iter_mut().zip(class.errors).for_each(|(total, count)| *total += count);
        }
        sum
    }

    /// Mean number of requests in flight; zero if the window is empty.
    pub fn in_flight_mean(&self) -> f64 {
        match self.window() {
            0 => 0.0,
            window => self.in_flight.area as f64 / window as f64,
        }
    }

    /// Every request is somewhere: in the whole run, and in the window.
    pub(super) fn balance(&self) -> Result<(), LoadError> {
        let whole = &self.whole;
        let settled = whole.good + whole.errors.iter().sum::<u64>();
        equal("the run", whole.sent, settled + whole.in_flight)?;
        let settled = self.good() + self.errors().iter().sum::<u64>();
        let InFlight { at_open, at_close, .. } = self.in_flight;
        equal("the window", at_open + self.sent, settled + at_close)?;
        equal("the lateness", self.sent, self.lateness.len())
    }
}

fn equal(of: &'static str, came: u64, accounted: u64) -> Result<(), LoadError> {
    if came == accounted {
        return Ok(());
    }
    Err(LoadError::Accounting { of, came, accounted })
}
