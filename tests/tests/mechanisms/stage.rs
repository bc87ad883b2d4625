//! Runs a scenario and gives what happened as text that a test can compare.

use model::stream::Draws;
use model::units::{Instant, Span};
use model::workload::{RequestKey, Workload};
use sim::engine::Engine;
use sim::engine::Event;
use sim::engine::{Record, Recorder};
use sim::observe::Observations;
use sim::plan::{Op, Plan};

const EVENTS_MAX: u64 = 20_000_000;
const RECORDS_MAX: usize = 20_000_000;
/// Far beyond what any test needs: an order of n out of k classes comes once in k^n seeds.
const SEEDS_MAX: u64 = 2_000_000;

/// What happened in one run.
pub(crate) struct Run {
    pub(crate) seen: Observations,
    plan: Plan,
    records: Vec<(Instant, Record)>,
}

/// A request that the client has an answer to, or gave up.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) endpoint: String,
    pub(crate) lane: u64,
    pub(crate) index: u64,
    pub(crate) sent: Span,
    pub(crate) settled: Span,
    pub(crate) error: Option<&'static str>,
}

impl Outcome {
    /// From the client's send to its answer.
    pub(crate) fn response_time(&self) -> Span {
        self.settled - self.sent
    }
}

/// Runs a scenario under its own seed.
pub(crate) fn run(text: &str) -> Run {
    run_in_order(text, &[])
}

/// Runs a scenario under a seed that makes the first requests of these endpoints: request
/// i is the first one of user i, or the i-th open arrival.
pub(crate) fn run_in_order(text: &str, endpoints: &[&str]) -> Run {
    run_with(text, endpoints, &[])
}

/// The same with keys set, such as `service.workers=2`.
pub(crate) fn run_with(text: &str, endpoints: &[&str], sets: &[&str]) -> Run {
    let sets: Vec<String> = sets.iter().map(|set| set.to_string()).collect();
    let resolved = model::read::load_text("test", text, &sets);
    let scenario = resolved.unwrap_or_else(|problems| panic!("{problems}")).scenario;
    let closed = matches!(scenario.load.source, model::scenario::Source::Closed { .. });
    let key = |i: u64| match closed {
        true => RequestKey { lane: i, index: 0 },
        false => RequestKey { lane: 0, index: i },
    };
    let in_order = |seed: u64| {
        let workload = Workload::new(seed, &scenario.load, &scenario.endpoints);
        let mut draws = Draws::new();
        (0..).zip(endpoints).all(|(i, wanted)| {
            scenario.endpoints[workload.class(&mut draws, key(i))].name == *wanted
        })
    };
    let seed = match endpoints {
        [] => scenario.seed,
        _ => (1..SEEDS_MAX).find(|&seed| in_order(seed)).expect("a seed with this order"),
    };
    let plan = Plan::new(&scenario, seed);
    let silent = Engine::observe(&plan, EVENTS_MAX).unwrap();
    let (seen, recorder) = Engine::new(&plan, Recorder::new(RECORDS_MAX)).run(EVENTS_MAX).unwrap();
    assert_eq!(silent.good(), seen.good(), "a trace changes nothing");
    Run { seen, records: recorder.records, plan }
}

/// Open load of `count` requests, one each `gap_ms` milliseconds from the start, for runs
/// of a minute.
pub(crate) fn arrivals(count: u32, gap_ms: u32) -> String {
    let span_us = u64::from(count) * u64::from(gap_ms) * 1000 - u64::from(gap_ms) * 500;
    let rate = 1000.0 / f64::from(gap_ms);
    format!(
        "[load]\n\
         rate = \"{rate}/s\"\n\
         spacing = \"even\"\n\
         timeout = \"never\"\n\
         stages = [\n\
           {{ duration = \"{span_us}us\", target = \"{rate}/s\" }},\n\
           {{ duration = \"1ns\", target = \"0/s\" }},\n\
           {{ duration = \"60s\", target = \"0/s\" }},\n\
         ]\n"
    )
}

/// Closed load of `count` users who send at the start and never again.
pub(crate) fn burst(count: u32) -> String {
    format!(
        "[load]\n\
         users = {count}\n\
         think_time = \"1h\"\n\
         timeout = \"never\"\n\
         duration = \"60s\"\n"
    )
}

impl Run {
    /// Requests in the order in which they were settled.
    pub(crate) fn outcomes(&self) -> Vec<Outcome> {
        let mut sent = std::collections::BTreeMap::new();
        let mut outcomes = Vec::new();
        for &(at, record) in &self.records {
            match record {
                Record::Sent { lane, index, class } => {
                    sent.insert((lane, index), (at, class));
                }
                Record::Settled { lane, index, error } => {
                    let (sent, class) = sent[&(lane, index)];
                    outcomes.push(Outcome {
                        endpoint: self.plan.classes[class as usize].name.clone(),
                        lane,
                        index,
                        sent: sent - Instant::START,
                        settled: at - Instant::START,
                        error: error.map(|kind| kind.name()),
                    });
                }
                _ => {}
            }
        }
        outcomes
    }

    /// The same, one line each: `quote 12ms`, or `quote 5s timeout`, with the instant at
    /// which the client had its answer.
    pub(crate) fn log(&self) -> Vec<String> {
        let line = |outcome: &Outcome| {
            let Outcome { endpoint, settled, error, .. } = outcome;
            let error = error.map(|error| format!(" {error}")).unwrap_or_default();
            format!("{endpoint} {settled}{error}")
        };
        self.outcomes().iter().map(line).collect()
    }

    /// Instants at which clients had their answers, in order.
    pub(crate) fn instants(&self) -> Vec<String> {
        self.outcomes().iter().map(|outcome| outcome.settled.to_string()).collect()
    }

    /// Instants at which requests were sent, in order.
    pub(crate) fn sent(&self) -> Vec<Span> {
        let sent = self.records.iter().filter(|(_, r)| matches!(r, Record::Sent { .. }));
        sent.map(|&(at, _)| at - Instant::START).collect()
    }

    /// Instants at which an instruction was executed.
    pub(crate) fn executed(&self, wanted: impl Fn(&Op) -> bool) -> Vec<String> {
        let steps = self.records.iter().filter_map(|&(at, record)| match record {
            Record::Step { op, .. } if wanted(&op) => Some((at - Instant::START).to_string()),
            _ => None,
        });
        steps.collect()
    }

    /// Everything that happened.
    pub(crate) fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.iter().map(|(_, record)| record)
    }

    /// Instants of events of the agenda.
    pub(crate) fn events(&self, wanted: impl Fn(&Event) -> bool) -> Vec<Span> {
        let events = self.records.iter().filter_map(|&(at, record)| match record {
            Record::Event(event) if wanted(&event) => Some(at - Instant::START),
            _ => None,
        });
        events.collect()
    }

    /// How often a thread executed an instruction. The loop of worker i is thread i.
    pub(crate) fn executed_on(&self, wanted: u32, is_wanted: impl Fn(&Op) -> bool) -> usize {
        let steps = self.records.iter().filter(|(_, record)| match record {
            Record::Step { thread, op, .. } => *thread == wanted && is_wanted(op),
            _ => false,
        });
        steps.count()
    }

    /// Nanoseconds that good answers of all endpoints spent at a place, in sum.
    pub(crate) fn time_at(&self, place: &str) -> u128 {
        let index = self.plan.places.iter().position(|id| id.to_string() == place);
        let index = index.unwrap_or_else(|| panic!("no place {place} in {:?}", self.plan.places));
        self.seen.classes.iter().map(|class| class.time[index]).sum()
    }

    /// The places where good answers spent time, in the order of the plan.
    pub(crate) fn places(&self) -> Vec<(String, u128)> {
        let names = self.plan.places.iter().map(ToString::to_string);
        let times = names.map(|name| (name.clone(), self.time_at(&name)));
        times.filter(|&(_, nanos)| nanos > 0).collect()
    }

    /// Requests of all endpoints that ended in this error.
    pub(crate) fn errors(&self, kind: sim::observe::ErrorKind) -> u64 {
        self.seen.errors()[kind as usize]
    }
}
