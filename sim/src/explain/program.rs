//! The program of each endpoint in words.
//!
//! Instructions are finer than what a person would call a step. They are folded here: a
//! statement, its thread hops and the library's CPU become one line.

use model::distribution::Distribution;
use model::scenario::{Endpoint, Scenario, Statement, Step};
use model::statistics::round_significant;
use model::units::Span;
use render::number;
use render::page::{Align, Page, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::{Basic, Class, DrawId, Op, Pc, Plan};
use crate::{database, lock, threads, upstream};

/// What an endpoint's requests do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Program {
    /// The endpoint's name.
    pub endpoint: String,
    /// Its share of the requests; not known ahead where groups of the load have a mix of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// Its concurrency model.
    pub concurrency: String,
    /// Its steps, in order.
    pub steps: Vec<Line>,
    /// Seconds of CPU of all steps.
    pub cpu: f64,
}

/// One step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ProgramLine")]
pub struct Line {
    /// How deep it is among parallel branches.
    pub depth: usize,
    /// What is done.
    pub what: String,
    /// Mean seconds of CPU.
    pub cpu: f64,
    /// Mean seconds of waiting for what is outside: disk, upstream, database server.
    pub wait: f64,
}

/// The programs of all endpoints, in the scenario's order.
pub fn programs(scenario: &Scenario, plan: &Plan) -> Vec<Program> {
    let weights: f64 = scenario.endpoints.iter().map(|endpoint| endpoint.weight).sum();
    let mixed = scenario.load.groups().iter().any(|group| !group.mix.is_empty());
    let program = |(class, endpoint): (&Class, &Endpoint)| {
        let mut reader = Reader::new(scenario, plan, endpoint);
        reader.read(class.start, 0);
        let mut steps = reader.lines;
        let cpu = round_significant(steps.iter().map(|line| line.cpu).sum());
        for line in &mut steps {
            line.cpu = round_significant(line.cpu);
            line.wait = round_significant(line.wait);
        }
        Program {
            endpoint: endpoint.name.clone(),
            share: (!mixed).then(|| round_significant(endpoint.weight / weights)),
            concurrency: class.concurrency.as_str().into(),
            steps,
            cpu,
        }
    };
    plan.classes.iter().zip(&scenario.endpoints).map(program).collect()
}

impl Program {
    /// A heading and a line per step.
    pub(super) fn write(&self, page: &mut Page) {
        let mut table = Table::new(&[("", Align::Left), ("", Align::Left), ("", Align::Left)]);
        for line in &self.steps {
            let seconds = |what: &str, seconds: f64| match seconds > 0.0 {
                true => format!("{what} {}", number::time(seconds)),
                false => String::new(),
            };
            table.row([
                format!("{}{}", "  ".repeat(line.depth), line.what),
                seconds("CPU", line.cpu),
                seconds("waits", line.wait),
            ]);
        }
        let share = |share| format!("{} of requests, ", number::percent(share));
        page.caption(format!(
            "  {}: {}{} handler, {} of CPU in all",
            self.endpoint,
            self.share.map_or(String::new(), share),
            self.concurrency,
            number::time(self.cpu)
        ));
        page.table(table.indented(4));
    }
}

/// Reads a program along the path of a request that meets no failure.
pub(crate) struct Reader<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) plan: &'a Plan,
    lines: Vec<Line>,
    pub(crate) depth: usize,
    /// A transaction is open on the database server.
    pub(crate) in_transaction: bool,
    /// Names of the statements to come.
    statements: std::vec::IntoIter<String>,
    /// CPU that belongs to the next line.
    ahead: f64,
    /// The instruction before hands work back: the hand-over's CPU belongs to that line.
    closing: bool,
    /// CPU of a hand-over between threads.
    hop: Span,
    /// A semaphore that the next call goes through, in words.
    pub(crate) semaphore: String,
}

impl<'a> Reader<'a> {
    fn new(scenario: &'a Scenario, plan: &'a Plan, endpoint: &Endpoint) -> Reader<'a> {
        let costs = &scenario.costs;
        let scale = costs.cpu_scale(scenario.service.server) / scenario.cpu.speed;
        let mut names = Vec::new();
        endpoint.all_steps().for_each(|step| statement_names(step, &mut names));
        Reader {
            scenario,
            plan,
            lines: Vec::new(),
            depth: 0,
            in_transaction: false,
            statements: names.into_iter(),
            ahead: 0.0,
            closing: false,
            hop: costs.cpu(endpoint.concurrency(&scenario.service)).hop.scale(scale),
            semaphore: String::new(),
        }
    }

    fn read(&mut self, mut pc: Pc, depth: usize) {
        self.depth = depth;
        loop {
            let op = self.plan.ops[pc as usize];
            pc += 1;
            match op {
                Op::Basic(Basic::Respond) => return self.line("send the reply".into()),
                Op::Basic(Basic::BranchEnd | Basic::End) => return,
                Op::Basic(Basic::Jump { to }) => pc = to,
                Op::Basic(Basic::Fork { fork }) => self.branches(fork, depth),
                other => pc = self.step(other).unwrap_or(pc),
            }
        }
    }

    fn branches(&mut self, fork: u32, depth: usize) {
        self.line("at the same time:".into());
        for &start in &self.plan.forks[fork as usize] {
            self.read(start, depth + 1);
        }
        self.depth = depth;
    }

    pub(crate) fn line(&mut self, what: String) {
        let cpu = std::mem::take(&mut self.ahead);
        self.lines.push(Line { depth: self.depth, what, cpu, wait: 0.0 });
    }

    /// CPU that was to come belongs to the last line.
    pub(crate) fn ahead_to_line(&mut self) {
        let cpu = std::mem::take(&mut self.ahead);
        self.more(|line| line.cpu += cpu);
    }

    /// The statement that comes next.
    pub(crate) fn statement(&mut self) -> String {
        self.statements.next().unwrap_or_else(|| "a statement".into())
    }

    /// Adds to the last line.
    pub(crate) fn more(&mut self, add: impl FnOnce(&mut Line)) {
        if let Some(line) = self.lines.last_mut() {
            add(line);
        }
    }

    pub(crate) fn mean(&self, draw: DrawId) -> f64 {
        self.plan.draws[draw as usize].distribution.mean()
    }

    pub(crate) fn draw_in_words(&self, draw: DrawId) -> String {
        distribution(&self.plan.draws[draw as usize].distribution)
    }

    /// Where the reading goes on, if not at the next instruction.
    fn step(&mut self, op: Op) -> Option<Pc> {
        let closing = std::mem::replace(&mut self.closing, closes(&op));
        match op {
            Op::Basic(Basic::Burn { span }) if closing && span == self.hop => {
                self.more(|line| line.cpu += span.secs_f64());
            }
            Op::Basic(op) => self.basic(op),
            Op::Cache(_) => {}
            Op::Threads(op) => threads::explain(self, op),
            Op::Database(op) => return database::explain(self, op),
            Op::Upstream(op) => upstream::explain(self, op),
            Op::Lock(op) => lock::explain(self, op),
        }
        None
    }

    fn basic(&mut self, op: Basic) {
        match op {
            Basic::Burn { span } => self.ahead += span.secs_f64(),
            Basic::Request { draw, .. } => {
                self.ahead += self.mean(draw);
                self.line(self.admission());
            }
            Basic::First { span } => {
                let span = span.secs_f64();
                self.line(format!("once in each process, compute {} more", number::time(span)));
            }
            Basic::Cpu { draw } => {
                self.line(format!("compute {}", self.draw_in_words(draw)));
                let mean = self.mean(draw);
                self.more(|line| line.cpu += mean);
            }
            Basic::Block { draw } => {
                self.wait(
                    format!("block the thread for {}", self.draw_in_words(draw)),
                    self.mean(draw),
                );
            }
            Basic::Sleep { draw } => {
                self.wait(format!("sleep {}", self.draw_in_words(draw)), self.mean(draw));
            }
            Basic::Reply => self.line("send the reply".into()),
            Basic::After { .. } => {
                self.line("after the reply:".into());
                self.depth += 1;
            }
            Basic::AfterEnd { .. }
            | Basic::Admit
            | Basic::ToLoop
            | Basic::Turn
            | Basic::Fork { .. }
            | Basic::BranchEnd
            | Basic::Jump { .. }
            | Basic::Respond
            | Basic::End
            | Basic::Drop => {}
        }
    }

    pub(crate) fn wait(&mut self, what: String, seconds: f64) {
        self.line(what);
        self.more(|line| line.wait += seconds);
    }

    fn admission(&self) -> String {
        match self.scenario.service.limit_concurrency {
            Some(limit) => {
                format!("read and route the request; from {limit} at a time on, refuse it with 503")
            }
            None => "read and route the request".into(),
        }
    }
}

/// CPU right after these is the other half of a hand-over that began before them.
fn closes(op: &Op) -> bool {
    matches!(op, Op::Basic(Basic::ToLoop) | Op::Threads(_))
}

pub(crate) fn patience(timeout: Option<Span>) -> String {
    timeout.map_or(String::new(), |span| format!(", give up after {}", exact(span)))
}

/// A span as it is, with a blank before its unit: `30 s`.
pub(crate) fn exact(span: Span) -> String {
    let text = span.to_string();
    let unit = text.find(|c: char| c.is_alphabetic()).unwrap_or(text.len());
    format!("{} {}", &text[..unit], &text[unit..])
}

/// A distribution as a person would say it.
fn distribution(distribution: &Distribution) -> String {
    let at = |p: f64| number::time(distribution.quantile(p).secs_f64());
    match distribution {
        Distribution::Constant(span) => number::time(span.secs_f64()),
        Distribution::Exponential { .. } => {
            format!("{} on average, exponential", number::time(distribution.mean()))
        }
        Distribution::Uniform { .. } => format!("between {} and {}", at(0.0), at(1.0)),
        Distribution::Lognormal { .. } | Distribution::Empirical(_) => {
            format!("P50 {}, P99 {}", at(0.5), at(0.99))
        }
    }
}

/// The statements of a step in the order in which they are compiled.
fn statement_names(step: &Step, names: &mut Vec<String>) {
    match step {
        Step::Statement(_) | Step::Transaction { .. } => {
            names.extend(step.statements().iter().map(statement_name));
        }
        Step::Session(steps) | Step::Gather(steps) | Step::Lock { steps, .. } => {
            steps.iter().for_each(|step| statement_names(step, names));
        }
        Step::Cpu(_) | Step::Block(_) | Step::Sleep(_) | Step::Call(_) => {}
    }
}

fn statement_name(statement: &Statement) -> String {
    let name = format!("{} `{}`", statement.kind(), statement.query);
    match &statement.locks {
        None => name,
        Some(lock) if lock.nth == 1 => format!("{name}, locking a row of `{}`,", lock.rows),
        Some(lock) => format!("{name}, locking row {} of `{}`,", lock.nth, lock.rows),
    }
}
