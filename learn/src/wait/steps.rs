//! Requests become the steps of their endpoints.

use std::collections::{BTreeMap, BTreeSet};

use super::apart::tell_apart;
use super::fit;
use super::gaps::Gaps;
use super::names::{Names, Role, Times, is_in_process};
use super::requests::{Asked, Operation, Request};
use super::shape::{Block, Shape, Stage};
use super::sometimes::Sometimes;
use super::sql::Commit;
use crate::learned::{Database, Figure, Hold, Step, Upstream};

/// What at least this share of the requests do, all do.
const ALWAYS: f64 = 0.98;
/// What fewer do is left out, and said.
const SELDOM: f64 = 0.005;
/// Fewer good requests show no order.
const FEW: usize = 20;

/// CPU of one request of an endpoint.
#[derive(Clone, Debug)]
pub struct Cpu {
    /// Without any instrumentation: what the scenario gets.
    pub alone: Figure,
    /// In the pass that the requests are from, in seconds: what their times are made of.
    pub here: f64,
    /// What else takes time beside calls and queries and is no wait of the service, in seconds: no
    /// processor was free, and the way of request and reply.
    pub beside: f64,
}

/// What the endpoints of a service wait for.
#[derive(Clone, Debug, Default)]
pub struct Waits {
    /// The endpoints by name.
    pub endpoints: Vec<Steps>,
    /// What they call.
    pub upstreams: Vec<Upstream>,
    /// What they query.
    pub database: Option<Database>,
    /// How long endpoints keep a connection to the database, where that was seen.
    pub holds: BTreeMap<String, Figure<Hold>>,
    /// Observations that no step can express, in whole sentences.
    pub notes: Vec<String>,
}

/// What an endpoint does.
#[derive(Clone, Debug)]
pub struct Steps {
    /// Its name.
    pub endpoint: String,
    /// Good requests that it was seen in.
    pub requests: usize,
    /// What its handler does, in order.
    pub steps: Vec<Step>,
    /// Seconds from begin to end.
    pub response_time: Figure,
    /// Seconds of it that no call and no query covers.
    pub uncovered: Figure,
}

/// The steps of each endpoint, given the CPU of those where it is known. Where it is not, all time
/// that nothing covers is taken as CPU, and marked as assumed.
pub fn steps(requests: &[Request], cpu: &BTreeMap<String, Cpu>) -> Waits {
    let mut requests: Vec<Request> = requests.iter().map(with_commits).collect();
    tell_apart(&mut requests);
    let mut endpoints: BTreeMap<&str, Vec<&Request>> = BTreeMap::new();
    for request in &requests {
        endpoints.entry(&request.endpoint).or_default().push(request);
    }
    let mut notes = Vec::new();
    let mut shapes = Vec::new();
    let mut times = Times::new();
    for (name, all) in endpoints {
        let good: Vec<&Request> = all.iter().copied().filter(|request| request.good).collect();
        note_errors(name, all.len(), good.len(), &mut notes);
        if good.is_empty() {
            continue;
        }
        let shape = Shape::of(&good);
        let inside = client_cpu(&good, cpu.get(name));
        for operation in good.iter().flat_map(|request| &request.operations) {
            let seconds = times.entry(operation.asked.clone()).or_default();
            seconds.push(without(operation, inside));
        }
        shapes.push((name, good, shape));
    }
    let mut writer = Writer { names: Names::of(&times), notes, used: BTreeSet::new() };
    let endpoints = shapes
        .iter()
        .map(|(name, good, shape)| writer.endpoint(name, good, shape, cpu.get(*name)))
        .collect();
    let Writer { mut names, mut notes, used } = writer;
    names.keep(&used);
    notes.append(&mut names.notes);
    let (upstreams, database) = (names.upstreams, names.database);
    Waits { endpoints, upstreams, database, holds: BTreeMap::new(), notes }
}

fn note_errors(name: &str, all: usize, good: usize, notes: &mut Vec<String>) {
    if good < all {
        notes.push(format!(
            "{name}: {} of {all} requests ended in errors, and are not in its steps.",
            all - good
        ));
    }
    if (1..FEW).contains(&good) {
        notes.push(format!("{name}: its steps are known from {good} requests only."));
    }
}

/// The end of a transaction that wrote becomes what it is.
fn with_commits(request: &Request) -> Request {
    let mut request = request.clone();
    // The statements that wrote since the transaction began.
    let mut wrote: Vec<usize> = Vec::new();
    for index in 0..request.operations.len() {
        let Asked::Query { system, statement } = &request.operations[index].asked else { continue };
        match statement.operation.as_str() {
            "commit" | "end" if !wrote.is_empty() => {
                request.operations[index].asked = Asked::Commit { system: system.clone() };
                committed(&mut request, &std::mem::take(&mut wrote), Commit::Next);
            }
            "rollback" | "abort" => {
                committed(&mut request, &std::mem::take(&mut wrote), Commit::Later);
            }
            _ if statement.writes() => wrote.push(index),
            _ => {}
        }
    }
    request
}

/// Notes that these statements were written in one transaction, and how the last was committed.
fn committed(request: &mut Request, wrote: &[usize], last: Commit) {
    for (number, &index) in wrote.iter().enumerate() {
        if let Asked::Query { statement, .. } = &mut request.operations[index].asked {
            statement.commit = if number + 1 == wrote.len() { last } else { Commit::Later };
        }
    }
}

/// CPU seconds of the client inside of each operation that the service itself timed: what of the
/// CPU does not fit into the time that nothing covers.
fn client_cpu(good: &[&Request], cpu: Option<&Cpu>) -> f64 {
    let Some(cpu) = cpu else { return 0.0 };
    let count = good.len() as f64;
    let uncovered = good.iter().map(|request| uncovered(request)).sum::<f64>() / count;
    let computed = good.iter().map(|request| in_process(request)).sum::<f64>() / count;
    let timed = good.iter().flat_map(|request| &request.operations).filter(|one| !apart(one));
    let timed = timed.count() as f64 / count;
    if timed > 0.0 { ((cpu.here - computed - uncovered) / timed).max(0.0) } else { 0.0 }
}

/// None of the client's CPU is to be taken off its time.
fn apart(operation: &Operation) -> bool {
    operation.outside || is_local(&operation.asked)
}

fn is_local(asked: &Asked) -> bool {
    matches!(asked, Asked::Query { system, .. } | Asked::Commit { system } if is_in_process(system))
}

fn without(operation: &Operation, client: f64) -> f64 {
    let seconds = operation.seconds();
    if apart(operation) { seconds } else { (seconds - client).max(seconds / 10.0) }
}

/// Seconds that a database in the process of the service took.
fn in_process(request: &Request) -> f64 {
    request.operations.iter().filter(|one| is_local(&one.asked)).map(Operation::seconds).sum()
}

fn uncovered(request: &Request) -> f64 {
    let mut covered = request.start;
    let mut nanos = 0;
    for operation in &request.operations {
        nanos += operation.start.saturating_sub(covered);
        covered = covered.max(operation.end);
    }
    (nanos + request.end.saturating_sub(covered)) as f64 / 1e9
}

/// Writes the steps of one endpoint after the other.
struct Writer {
    names: Names,
    notes: Vec<String>,
    used: BTreeSet<String>,
}

impl Writer {
    fn endpoint(
        &mut self,
        name: &str,
        good: &[&Request],
        shape: &Shape,
        cpu: Option<&Cpu>,
    ) -> Steps {
        self.note_shape(name, shape);
        let times = |of: fn(&Request) -> f64| good.iter().map(|one| of(one)).collect::<Vec<_>>();
        let how = format!("{} requests", good.len());
        let local = fit::mean(&times(in_process), &how).value;
        let response_time = fit::mean(&times(seconds), &how);
        let mut gaps = Gaps::new(shape, cpu, local, response_time.value);
        let mut steps = Vec::new();
        let mut sometimes = Sometimes::default();
        let mut asked = Vec::new();
        for (index, block) in shape.blocks.iter().enumerate() {
            steps.extend(gaps.before(index));
            match self.only_some_ask(block) {
                Some((query, share, seconds)) => {
                    asked.push(format!("{query} ({:.0} %)", share * 100.0));
                    sometimes.add(&query, share, seconds);
                    steps.extend(sometimes.step(&mut self.names).map(|query| self.uses(query)));
                }
                None => self.block(name, block, &mut steps),
            }
        }
        steps.extend(sometimes.rest(&mut self.names).map(|query| self.uses(query)));
        steps.extend(gaps.before(shape.blocks.len()));
        self.note_some(name, &asked);
        let uncovered = fit::mean(&times(uncovered), &how);
        Steps { endpoint: name.to_owned(), requests: good.len(), steps, response_time, uncovered }
    }

    /// The one query of a block that only some requests have, its share of the requests, and how long it
    /// takes.
    fn only_some_ask(&self, block: &Block) -> Option<(String, f64, f64)> {
        let share = block.share();
        let once = block.times.iter().all(|times| *times <= 1);
        let [stage] = block.stages.as_slice() else { return None };
        let (asked, _) = stage.first_key_value().filter(|(_, width)| **width < 1.5)?;
        if !once || stage.len() > 1 || !(SELDOM..ALWAYS).contains(&share) {
            return None;
        }
        let (query, seconds) = self.names.reads(self.names.roles.get(asked)?)?;
        Some((query.to_owned(), share, seconds))
    }

    fn uses(&mut self, query: String) -> Step {
        self.used.insert(query.clone());
        Step::Query(query)
    }

    fn note_some(&mut self, endpoint: &str, asked: &[String]) {
        if !asked.is_empty() {
            self.notes.push(format!(
                "{endpoint}: only some requests ask {}. Steps have no chances: one step stands for as many \
                 of them as a request asks on average, and takes the time of all.",
                asked.join(", ")
            ));
        }
    }

    fn note_shape(&mut self, name: &str, shape: &Shape) {
        if shape.left_out > 0 {
            self.notes.push(format!(
                "{name}: {} of {} requests do things in an order of their own, and are not in its \
                 steps.",
                shape.left_out,
                shape.left_out + shape.requests()
            ));
        }
        if shape.rounds {
            self.notes.push(format!(
                "{name}: branches that run at the same time ask several times each; the steps have \
                 them in rounds, each of which ends when its slowest call does."
            ));
        }
    }

    fn block(&mut self, endpoint: &str, block: &Block, steps: &mut Vec<Step>) {
        let count = block.times.len() as f64;
        let present = block.times.iter().filter(|times| **times > 0).count() as f64;
        let share = block.share();
        let times = block.times.iter().sum::<usize>() as f64 / present.max(1.0);
        if share < SELDOM {
            self.note(endpoint, block, &format!("in {present} of {count} requests: left out"));
            return;
        }
        let repeats = times.round().max(1.0);
        let spread = block.times.iter().filter(|times| **times > 0);
        if let (Some(least), Some(most)) = (spread.clone().min(), spread.max())
            && least != most
        {
            let text = format!(
                "{least} to {most} times a request, {times:.1} at the mean; the steps have it \
                 {repeats} times"
            );
            self.note(endpoint, block, &text);
        }
        if share < ALWAYS {
            let percent = share * 100.0;
            self.note(endpoint, block, &format!(
                "in {percent:.0} % of the requests only. Steps have no chances: the call takes no \
                 time in the other requests, a query its share of its time"
            ));
        }
        for _ in 0..repeats as usize {
            for stage in &block.stages {
                steps.extend(self.stage(endpoint, stage, share));
            }
        }
    }

    fn stage(&mut self, endpoint: &str, stage: &Stage, share: f64) -> Option<Step> {
        let mut branches = Vec::new();
        for (asked, width) in stage {
            let mut role = self.names.roles.get(asked)?.clone();
            if share < ALWAYS {
                role = self.names.in_a_share(&role, share, endpoint);
            }
            let step = match role {
                Role::Query(name) => Step::Query(name),
                Role::Call(name) => Step::Call(name),
                Role::Commit => continue,
            };
            if let Step::Query(name) | Step::Call(name) = &step {
                self.used.insert(name.clone());
            }
            let width = width.round().max(1.0) as usize;
            branches.extend(std::iter::repeat_n(step, width));
        }
        match branches.len() {
            0 | 1 => branches.pop(),
            _ => Some(Step::Parallel(branches)),
        }
    }

    fn note(&mut self, endpoint: &str, block: &Block, text: &str) {
        let mut names = BTreeSet::new();
        for asked in block.stages.iter().flat_map(BTreeMap::keys) {
            match self.names.roles.get(asked) {
                Some(Role::Query(name) | Role::Call(name)) => names.insert(name.as_str()),
                _ => names.insert("commit"),
            };
        }
        let names = names.into_iter().collect::<Vec<_>>().join(", ");
        self.notes.push(format!("{endpoint}: {names}: {text}."));
    }
}

fn seconds(request: &Request) -> f64 {
    request.end.saturating_sub(request.start) as f64 / 1e9
}

#[cfg(test)]
mod tests;
