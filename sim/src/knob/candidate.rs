//! What could be changed: each change that the owner of a service can make, with what it costs.

use model::keys;
use model::report::{KnobKind, Setting};
use model::scenario::{Begin, Concurrency, Endpoint, Scenario, Statement, Step, WorkerClass};
use model::units::Span;

use crate::observe::Limit;
use crate::{client, cpu, database, event_loop, lock, process, upstream};

/// What it takes to make a change, in the order in which changes are advised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Price {
    /// A line of configuration.
    Line,
    /// A change of the code.
    Code,
    /// More processes, and their memory.
    Process,
    /// Other machines.
    Hardware,
    /// Nothing but patience: what fails now may be answered late instead. That mends nothing, and
    /// is advice only where nothing else helps.
    Patience,
}

impl Price {
    /// A setting or hardware.
    pub fn kind(self) -> KnobKind {
        match self {
            Price::Line | Price::Code | Price::Process | Price::Patience => KnobKind::Setting,
            Price::Hardware => KnobKind::Hardware,
        }
    }
}

/// A change that may help: the keys that `--set` takes, their values and better ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// One key, or several that only make sense together.
    pub changes: Vec<Setting>,
    /// What it costs.
    pub price: Price,
    /// The limits of which a run must have reached one for the change to matter at all; it may
    /// matter always if there are none.
    pub limits: Vec<Limit>,
}

impl Candidate {
    /// A line of configuration.
    pub(crate) fn of(key: &str, from: String, to: String) -> Candidate {
        let changes = vec![Setting { key: key.to_string(), from, to }];
        Candidate { changes, price: Price::Line, limits: Vec::new() }
    }

    /// It costs something else.
    pub(crate) fn price(self, price: Price) -> Candidate {
        Candidate { price, ..self }
    }

    /// It matters only if a run reached `limit`.
    pub(crate) fn at(mut self, limit: Limit) -> Candidate {
        self.limits.push(limit);
        self
    }

    /// Both changes together.
    pub(crate) fn and(&self, other: &Candidate) -> Candidate {
        let changes = self.changes.iter().chain(&other.changes).cloned().collect();
        // One of the two may be reached only after the other is out of the way.
        Candidate { changes, price: self.price.max(other.price), limits: Vec::new() }
    }

    /// The keys, as a report names the knob.
    pub fn name(&self) -> String {
        let keys: Vec<&str> = self.changes.iter().map(|change| change.key.as_str()).collect();
        keys.join(" + ")
    }

    /// The values before, or after.
    pub(crate) fn values(&self, pick: impl Fn(&Setting) -> &str) -> String {
        let mut values: Vec<&str> = self.changes.iter().map(pick).collect();
        // The same change in many places is said once.
        values.dedup();
        values.join(" + ")
    }
}

/// Every change that the owner of `scenario` could make. The load and the upstream's latency are
/// left out: they are not the owner's to turn.
pub fn candidates(scenario: &Scenario) -> Vec<Candidate> {
    let mut all = Vec::new();
    for of in [
        upstream::candidates,
        database::candidates,
        lock::candidates,
        event_loop::candidates,
        process::candidates,
        endpoints,
        cpu::candidates,
        client::candidates,
    ] {
        of(scenario, &mut all);
    }
    all
}

/// The concurrency of single endpoints, and how their transactions begin.
fn endpoints(scenario: &Scenario, all: &mut Vec<Candidate>) {
    // gunicorn's other workers serve all endpoints alike.
    if scenario.service.worker_class == WorkerClass::Uvicorn {
        for endpoint in &scenario.endpoints {
            all.extend(other_concurrency(scenario, endpoint));
        }
    }
    all.extend(immediate(scenario));
}

/// A blocking step belongs on a thread, and a handler without one needs none. Left out where there
/// is only one endpoint: `service.concurrency` says the same.
fn other_concurrency(scenario: &Scenario, endpoint: &Endpoint) -> Option<Candidate> {
    if scenario.endpoints.len() < 2 {
        return None;
    }
    let now = endpoint.concurrency(&scenario.service);
    let to = match (now, endpoint.all_steps().any(blocks)) {
        (Concurrency::Async, true) => Concurrency::Threadpool,
        (Concurrency::Threadpool, false) => Concurrency::Async,
        _ => return None,
    };
    let key = keys::path(&["endpoint", &endpoint.name, "concurrency"]);
    let change = Candidate::of(&key, now.as_str().into(), to.as_str().into()).price(Price::Code);
    // On threads that are free an endpoint gains nothing by leaving them.
    Some(if to == Concurrency::Async { change.at(Limit::Threads) } else { change })
}

/// A step waits in a call that blocks its thread.
pub(crate) fn blocks(step: &Step) -> bool {
    match step {
        Step::Block(_) => true,
        other => other.inside().iter().any(blocks),
    }
}

/// Transactions that read before they write take the write lock first: then none of them finds
/// that another one wrote in between.
fn immediate(scenario: &Scenario) -> Option<Candidate> {
    let mut changes = Vec::new();
    for endpoint in &scenario.endpoints {
        for (key, steps) in [("steps", &endpoint.steps), ("after", &endpoint.after)] {
            let path = keys::path(&["endpoint", &endpoint.name, key]);
            deferred(steps, &path, &mut changes);
        }
    }
    (!changes.is_empty()).then_some(Candidate { changes, price: Price::Code, limits: Vec::new() })
}

fn deferred(steps: &[Step], path: &str, changes: &mut Vec<Setting>) {
    for (index, step) in steps.iter().enumerate() {
        let path = format!("{path}[{index}]");
        match step {
            Step::Transaction { statements, begin: Begin::Deferred } if reads_first(statements) => {
                let (from, to) =
                    (Begin::Deferred.as_str().into(), Begin::Immediate.as_str().into());
                changes.push(Setting { key: format!("{path}.begin"), from, to });
            }
            Step::Gather(steps) => deferred(steps, &format!("{path}.gather"), changes),
            Step::Lock { steps, .. } => deferred(steps, &format!("{path}.steps"), changes),
            _ => {}
        }
    }
}

fn reads_first(statements: &[Statement]) -> bool {
    let writes = |statement: &Statement| statement.writes;
    statements.iter().any(writes) && !statements.first().is_some_and(writes)
}

pub(crate) fn double(n: u32) -> String {
    (u64::from(n) * 2).to_string()
}

pub(crate) fn twice(span: Span) -> String {
    (span + span).to_string()
}
