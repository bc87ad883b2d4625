//! The program of each endpoint in words.
//!
//! Instructions are finer than what a person would call a step. They are folded here: a
//! statement, its thread hops and the library's CPU become one line.

use model::distribution::Distribution;
use model::scenario::{Connections, Endpoint, Engine, JournalMode, Scenario, Statement, Step};
use model::statistics::round_significant;
use model::units::Span;
use render::number;
use render::table::{Align, Table};
use serde::Serialize;

use crate::plan::{Class, Op, Pc, Plan};

/// What an endpoint's requests do.
#[derive(Clone, Debug, Serialize)]
pub struct Program {
    /// The endpoint's name.
    pub endpoint: String,
    /// Its share of the requests.
    pub share: f64,
    /// Its concurrency model.
    pub concurrency: &'static str,
    /// Its steps, in order.
    pub steps: Vec<Line>,
    /// Seconds of CPU of all steps.
    pub cpu: f64,
}

/// One step.
#[derive(Clone, Debug, Default, Serialize)]
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
            share: round_significant(endpoint.weight / weights),
            concurrency: class.concurrency.as_str(),
            steps,
            cpu,
        }
    };
    plan.classes.iter().zip(&scenario.endpoints).map(program).collect()
}

impl Program {
    /// A heading and a line per step.
    pub fn text(&self) -> String {
        let mut table = Table::new(&[("", Align::Left), ("", Align::Left), ("", Align::Left)]);
        for line in &self.steps {
            let told = |seconds: f64, what: &str| {
                if seconds > 0.0 {
                    format!("{what} {}", number::time(seconds))
                } else {
                    String::new()
                }
            };
            let indent = "  ".repeat(line.depth + 2);
            table.row([
                format!("{indent}{}", line.what),
                told(line.cpu, "CPU"),
                told(line.wait, "waits"),
            ]);
        }
        format!(
            "  {}: {} of requests, {} handler, {} of CPU in all\n{}",
            self.endpoint,
            number::percent(self.share),
            self.concurrency,
            number::time(self.cpu),
            table.text()
        )
    }
}

/// Reads a program along the path of a request that meets no failure.
struct Reader<'a> {
    scenario: &'a Scenario,
    plan: &'a Plan,
    lines: Vec<Line>,
    depth: usize,
    /// Names of the statements to come.
    statements: std::vec::IntoIter<String>,
    /// CPU that belongs to the next line.
    ahead: f64,
    /// The instruction before hands work back: the hand-over's CPU belongs to that line.
    closing: bool,
    /// CPU of a hand-over between threads.
    hop: Span,
    /// A semaphore that the next call goes through, in words.
    slots: String,
    /// A connection is opened and closed for each use.
    reopens: bool,
}

impl<'a> Reader<'a> {
    fn new(scenario: &'a Scenario, plan: &'a Plan, endpoint: &Endpoint) -> Reader<'a> {
        let costs = &scenario.costs;
        let scale = costs.cpu_scale(scenario.service.server) / scenario.cpu.speed;
        let mut names = Vec::new();
        endpoint.steps.iter().for_each(|step| statement_names(step, scenario, &mut names));
        let reopens =
            plan.database.as_ref().is_some_and(|d| d.connections == Connections::PerOperation);
        Reader {
            scenario,
            plan,
            lines: Vec::new(),
            depth: 0,
            statements: names.into_iter(),
            ahead: 0.0,
            closing: false,
            hop: costs.cpu(endpoint.concurrency(&scenario.service)).hop.scale(scale),
            slots: String::new(),
            reopens,
        }
    }

    fn read(&mut self, mut pc: Pc, depth: usize) {
        self.depth = depth;
        loop {
            let op = self.plan.ops[pc as usize];
            pc += 1;
            match op {
                Op::Respond => return self.line("send the reply".into()),
                Op::BranchEnd => return,
                Op::Jump { to } => pc = to,
                Op::Fork { fork } => self.branches(fork, depth),
                Op::SkipIfOpen { open } if !self.reopens => pc = open,
                Op::SkipIfKept { keep } if !self.reopens => pc = keep,
                other => self.step(other),
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

    fn line(&mut self, what: String) {
        let cpu = std::mem::take(&mut self.ahead);
        self.lines.push(Line { depth: self.depth, what, cpu, wait: 0.0 });
    }

    /// Adds to the line that is being told.
    fn more(&mut self, add: impl FnOnce(&mut Line)) {
        if let Some(line) = self.lines.last_mut() {
            add(line);
        }
    }

    fn mean(&self, draw: u32) -> f64 {
        self.plan.draws[draw as usize].distribution.mean()
    }

    fn told(&self, draw: u32) -> String {
        distribution(&self.plan.draws[draw as usize].distribution)
    }

    fn step(&mut self, op: Op) {
        let closing = std::mem::replace(&mut self.closing, closes(&op));
        match op {
            Op::Burn { span } if closing && span == self.hop => {
                self.more(|line| line.cpu += span.secs_f64())
            }
            Op::Burn { span } => self.ahead += span.secs_f64(),
            Op::Admit | Op::TokenRelease | Op::ToLoop | Op::ToDriver => {}
            Op::Request { draw, .. } => {
                self.ahead += self.mean(draw);
                self.line(self.admission());
            }
            Op::Cpu { draw } => {
                self.line(format!("compute {}", self.told(draw)));
                let mean = self.mean(draw);
                self.more(|line| line.cpu += mean);
            }
            Op::Block { draw } => {
                self.wait(format!("block the thread for {}", self.told(draw)), self.mean(draw));
            }
            Op::Sleep { draw } => self.wait(format!("sleep {}", self.told(draw)), self.mean(draw)),
            Op::TokenAcquire => {
                self.line(format!(
                    "move to a thread of the pool ({} per worker)",
                    self.plan.service.threads
                ));
            }
            Op::SemaphoreAcquire { .. } | Op::ConnectionAcquire { .. } | Op::Exchange { .. } => {
                self.call(op);
            }
            other => self.database(other),
        }
    }

    fn wait(&mut self, what: String, seconds: f64) {
        self.line(what);
        self.more(|line| line.wait += seconds);
    }

    fn admission(&self) -> String {
        match self.plan.service.limit_concurrency {
            Some(limit) => {
                format!("read and route the request; from {limit} at a time on, refuse it with 503")
            }
            None => "read and route the request".into(),
        }
    }

    fn call(&mut self, op: Op) {
        let name = |upstream: u32| &self.scenario.upstreams[upstream as usize].name;
        match op {
            Op::SemaphoreAcquire { upstream } => {
                let slots = self.plan.upstreams[upstream as usize].max_in_flight.unwrap_or(0);
                self.slots = format!(", under a semaphore of {slots} per worker");
            }
            Op::ConnectionAcquire { upstream, .. } => {
                let spec = &self.plan.upstreams[upstream as usize];
                let (slots, name) = (spec.max_connections.unwrap_or(0), name(upstream));
                let patience = patience(spec.pool_timeout);
                self.line(format!(
                    "wait for one of {slots} connections to {name} per worker{patience}"
                ));
            }
            Op::Exchange { upstream, latency, .. } => {
                let spec = &self.plan.upstreams[upstream as usize];
                let slots = std::mem::take(&mut self.slots);
                let mut what = format!("call {}{slots}: {}", name(upstream), self.told(latency));
                what += &patience(spec.timeout);
                if spec.failures > 0.0 {
                    what += &format!(", {} fail", number::percent(spec.failures));
                }
                if spec.retries > 0 {
                    what += &format!(", up to {} retries", spec.retries);
                }
                let latency = &self.plan.draws[latency as usize].distribution;
                let mean = spec.timeout.map_or(latency.mean(), |cap| latency.mean_capped(cap));
                self.wait(what, mean);
            }
            _ => {}
        }
    }

    fn database(&mut self, op: Op) {
        match op {
            Op::Checkout => self.line(self.checkout()),
            Op::Opened => {
                let cpu = std::mem::take(&mut self.ahead);
                self.more(|line| line.cpu += cpu);
            }
            Op::SkipIfKept { .. } => self.line("close the connection".into()),
            Op::Closed => {
                let cpu = std::mem::take(&mut self.ahead);
                self.more(|line| line.cpu += cpu);
            }
            Op::Checkin if !self.reopens => self.line("give the connection back".into()),
            Op::BeginRead => self.line("read".into()),
            Op::BeginWrite => {
                let busy = self.sqlite().map_or(Span::ZERO, |(_, busy)| busy);
                self.line(format!("take the write lock, polling for up to {}", exact(busy)));
            }
            Op::Native { draw } => self.query(self.mean(draw)),
            Op::Change { pages } => self.more(|line| {
                line.what +=
                    &format!("; {pages} {} change", if pages == 1 { "page" } else { "pages" });
            }),
            Op::CommitLock => {
                let what = match self.sqlite() {
                    Some((JournalMode::Wal, _)) => "commit",
                    _ => "commit, when no reader is left",
                };
                self.line(what.into());
            }
            Op::CommitSync { sync } => self.commit(self.mean(sync)),
            Op::Server { engine, round_trip } => {
                let statement = self.statements.next().unwrap_or_else(|| "a statement".into());
                let seconds = self.mean(engine) + self.mean(round_trip);
                self.wait(format!("{statement} on the database server"), seconds);
            }
            _ => {}
        }
    }

    fn sqlite(&self) -> Option<(JournalMode, Span)> {
        let sqlite = self.plan.database.as_ref()?.sqlite.as_ref()?;
        Some((sqlite.journal_mode, sqlite.busy_timeout))
    }

    fn checkout(&self) -> String {
        let pragmas = match self.scenario.database.as_ref().map(|database| &database.engine) {
            Some(Engine::Sqlite(sqlite)) if sqlite.pragmas > 0 => {
                format!(" and run {} pragmas on it", sqlite.pragmas)
            }
            _ => String::new(),
        };
        match self.plan.database.as_ref().map(|database| database.connections) {
            Some(Connections::Pool { size, overflow, timeout }) => {
                let patience = patience(timeout);
                format!(
                    "wait for one of {size} + {overflow} pooled connections per worker{patience}"
                )
            }
            _ => format!("open a database connection{pragmas}"),
        }
    }

    /// The engine's own part of a statement belongs to the line that took its lock.
    fn query(&mut self, seconds: f64) {
        let statement = self.statements.next().unwrap_or_else(|| "a statement".into());
        self.more(|line| {
            line.cpu += seconds;
            line.what = match line.what.as_str() {
                "read" => statement,
                lock => format!("{lock}; {statement}"),
            };
        });
    }

    fn commit(&mut self, sync: f64) {
        let Some(sqlite) = self.plan.database.as_ref().and_then(|d| d.sqlite.as_ref()) else {
            return;
        };
        let (syncs, unlink) = (sqlite.commit_syncs, sqlite.unlink.secs_f64());
        let log = match (sqlite.journal_mode, sqlite.wal_autocheckpoint) {
            (JournalMode::Wal, pages) if pages > 0 => {
                format!("; every {pages} pages, copy the log into the database")
            }
            _ => String::new(),
        };
        self.more(|line| {
            line.what += &match syncs {
                0 => ", without waiting for the disk".to_string(),
                1 => ", once the disk has synced".to_string(),
                n => format!(", once the disk has synced {n} times"),
            };
            line.what += &log;
            line.wait += f64::from(syncs) * sync + unlink;
        });
    }
}

/// CPU right after these is the other half of a hand-over that began before them.
fn closes(op: &Op) -> bool {
    matches!(op, Op::ToLoop | Op::TokenAcquire | Op::TokenRelease)
}

fn patience(timeout: Option<Span>) -> String {
    timeout.map_or(String::new(), |span| format!(", give up after {}", exact(span)))
}

/// A span as it is, with a blank before its unit: `30 s`.
fn exact(span: Span) -> String {
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
fn statement_names(step: &Step, scenario: &Scenario, names: &mut Vec<String>) {
    let server =
        scenario.database.as_ref().is_some_and(|d| matches!(d.engine, Engine::Postgres(_)));
    match step {
        Step::Read(query) => names.push(format!("read `{query}`")),
        Step::Write(query) => {
            names.push(format!("write `{query}`"));
            names.extend(server.then(|| "commit".to_string()));
        }
        Step::Transaction { statements, .. } => {
            names.extend(statements.iter().map(|statement| match statement {
                Statement::Read(query) => format!("read `{query}`"),
                Statement::Write(query) => format!("write `{query}`"),
            }));
            names.extend(server.then(|| "commit".to_string()));
        }
        Step::Gather(steps) => {
            steps.iter().for_each(|step| statement_names(step, scenario, names));
        }
        Step::Cpu(_) | Step::Block(_) | Step::Sleep(_) | Step::Call(_) => {}
    }
}
