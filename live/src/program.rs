//! An endpoint's steps with their draws numbered.
//!
//! A service that cannot make the draws itself gets their results with each request
//! ([`crate::wire::DRAWS`]), in the order of the numbers.

use std::fmt::Write as _;

use model::distribution::Distribution;
use model::scenario::{Begin, Endpoint, Scenario, Statement, Step};
use model::stream::{Draws, Purpose};
use model::workload::{RequestKey, step_purpose};
use serde::Serialize;

use crate::dataset::{Named, Table};
use crate::wire;

/// What a handler does.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Task {
    /// Computes.
    Cpu(Length),
    /// Waits in a call that blocks its thread.
    Block(Length),
    /// Waits as the concurrency model waits.
    Sleep(Length),
    /// Uses the database.
    Database {
        /// How the transaction begins, if it does so explicitly.
        begin: Option<Begin>,
        /// There is something to commit.
        commits: bool,
        /// In order.
        statements: Vec<Query>,
    },
    /// Tasks with a database session of their own.
    Session {
        /// In order.
        steps: Vec<Task>,
    },
    /// Calls an upstream.
    Call {
        /// Its index.
        upstream: usize,
        /// Endpoint and path of the step, as in [`crate::wire::Call`].
        name: String,
    },
    /// Tasks under a lock.
    Lock {
        /// Its index.
        lock: usize,
        /// In order.
        steps: Vec<Task>,
    },
    /// Tasks at the same time, where the concurrency model allows that.
    Gather {
        /// The branches.
        steps: Vec<Task>,
    },
}

/// How long a task takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Length {
    /// Nanoseconds, unless it is drawn.
    nanos: u64,
    /// The number of its draw.
    draw: Option<usize>,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Query {
    /// `read` or `write`.
    kind: &'static str,
    /// The number of the draw of its first row.
    row: usize,
    /// Rows that it touches, each on a page of its own.
    pages: u32,
    /// It locks the first one by the name of this number in the scenario.
    locks: Option<usize>,
}

/// What is drawn for a task.
#[derive(Clone, Debug)]
enum Outcome {
    /// A length of time.
    Time(Purpose, Distribution),
    /// A row, of so many.
    Row(Purpose, u64),
    /// The last of several rows of a name, of which no two are the same.
    Named(Vec<Purpose>, Named),
}

impl Outcome {
    fn result(&self, mut draw: impl FnMut(&Purpose) -> u64) -> u64 {
        match self {
            Outcome::Time(purpose, distribution) => distribution.sample(draw(purpose)).nanos(),
            Outcome::Row(purpose, rows) => draw(purpose) % rows + 1,
            Outcome::Named(purposes, named) => {
                let draw = |nth: u32| draw(&purposes[nth as usize - 1]);
                u64::from(named.at(named.rows.row(purposes.len() as u32, draw)))
            }
        }
    }
}

/// The tasks of an endpoint, and its draws by number.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// In order.
    pub tasks: Vec<Task>,
    /// After the reply, in order.
    pub after: Vec<Task>,
    draws: Vec<Outcome>,
}

impl Program {
    /// The program of `endpoint`, whose draws are made from the seed of `scenario`.
    pub(crate) fn new(scenario: &Scenario, endpoint: &Endpoint) -> Program {
        let table = Table::of(scenario);
        let mut writer = Writer { scenario, endpoint, table, draws: Vec::new() };
        let tasks = writer.tasks(&endpoint.steps, "");
        let after = writer.tasks(&endpoint.after, "after.");
        Program { tasks, after, draws: writer.draws }
    }

    /// Something is drawn.
    pub(crate) fn draws_anything(&self) -> bool {
        !self.draws.is_empty()
    }

    /// Writes the results of the draws of the request with `key`, parted by commas.
    pub(crate) fn write_draws(&self, cache: &mut Draws, key: RequestKey, out: &mut String) {
        for (number, outcome) in self.draws.iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            let value = outcome.result(|purpose| cache.draw(purpose, key.lane, key.index));
            write!(out, "{comma}{value}").expect("a string takes what is written to it");
        }
    }

    /// The median result of each draw, for requests that come without draws.
    pub(crate) fn typical(&self) -> Vec<u64> {
        self.draws.iter().map(|outcome| outcome.result(|_| 1 << 63)).collect()
    }
}

struct Writer<'a> {
    scenario: &'a Scenario,
    endpoint: &'a Endpoint,
    table: Table,
    draws: Vec<Outcome>,
}

impl Writer<'_> {
    fn task(&mut self, step: &Step, path: &str) -> Task {
        match step {
            Step::Cpu(time) => Task::Cpu(self.length("cpu", path, time)),
            Step::Block(time) => Task::Block(self.length("block", path, time)),
            Step::Sleep(time) => Task::Sleep(self.length("sleep", path, time)),
            Step::Statement(statement) => {
                self.database(std::slice::from_ref(statement), None, path)
            }
            Step::Transaction { statements, begin } => {
                self.database(statements, Some(*begin), path)
            }
            Step::Call(upstream) => {
                Task::Call { upstream: *upstream, name: wire::step(&self.endpoint.name, path) }
            }
            Step::Session(steps) => Task::Session { steps: self.inside(steps, path) },
            Step::Lock { lock, steps } => {
                let known = self.scenario.locks.iter().position(|one| one.name == *lock);
                Task::Lock { lock: known.unwrap_or_default(), steps: self.inside(steps, path) }
            }
            Step::Gather(branches) => Task::Gather { steps: self.inside(branches, path) },
        }
    }

    fn inside(&mut self, steps: &[Step], path: &str) -> Vec<Task> {
        self.tasks(steps, &format!("{path}."))
    }

    fn tasks(&mut self, steps: &[Step], prefix: &str) -> Vec<Task> {
        let steps = steps.iter().enumerate();
        steps.map(|(index, step)| self.task(step, &format!("{prefix}{index}"))).collect()
    }

    fn length(&mut self, what: &str, path: &str, time: &Distribution) -> Length {
        match time {
            Distribution::Constant(span) => Length { nanos: span.nanos(), draw: None },
            drawn => {
                let purpose = self.purpose(what, path);
                let draw = self.draw(Outcome::Time(purpose, drawn.clone()));
                Length { nanos: 0, draw: Some(draw) }
            }
        }
    }

    fn database(&mut self, statements: &[Statement], begin: Option<Begin>, path: &str) -> Task {
        let writes = statements.iter().any(|one| one.writes);
        let numbered = statements.iter().enumerate();
        let queries = numbered.map(|(index, one)| self.query(one, &format!("{path}.{index}")));
        let statements = queries.collect();
        Task::Database { begin, commits: writes || begin.is_some(), statements }
    }

    fn query(&mut self, statement: &Statement, path: &str) -> Query {
        let costs = &self.scenario.costs;
        let pages = match statement.writes {
            false => 1,
            // What changes no page is no write.
            true => costs.query(&statement.query).map_or(1, |query| query.pages.max(1)),
        };
        let kind = statement.kind();
        let named = statement.locks.as_ref().and_then(|lock| {
            let (number, named) = self.table.named(lock)?;
            let purpose = |nth| Purpose::new(self.scenario.seed, &named.rows.purpose(nth));
            let purposes = (1..=lock.nth).map(purpose).collect();
            Some((number, Outcome::Named(purposes, named.clone())))
        });
        let locks = named.as_ref().map(|(number, _)| *number);
        let row = match named {
            Some((_, outcome)) => outcome,
            None => {
                let starts = u64::from(self.table.free - pages) + 1;
                Outcome::Row(self.purpose("row", path), starts)
            }
        };
        Query { kind, row: self.draw(row), pages, locks }
    }

    fn purpose(&self, what: &str, path: &str) -> Purpose {
        let name = step_purpose(what, &self.endpoint.name, path);
        Purpose::new(self.scenario.seed, &name)
    }

    fn draw(&mut self, outcome: Outcome) -> usize {
        self.draws.push(outcome);
        self.draws.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use model::distribution::unit_interval;

    use super::*;

    #[test]
    fn draws_are_the_model_s_in_the_order_of_their_numbers() {
        let text = r#"
            seed = 7
            costs.cpu.request = "1ms"
            costs.query.default.engine = "50us"
            costs.query.wide = { engine = "50us", pages = 3 }
            load = { users = 1, duration = "1s" }
            service.concurrency = "async"
            database.engine = "sqlite"
            upstream.partner.latency = "1ms"
            endpoint = [{ name = "shop", weight = 1, steps = [
                { cpu = "1ms" },
                { gather = [{ sleep = { low = "1ms", high = "9ms" } }, { call = "partner" }] },
                { transaction = [{ read = "item" }, { write = "wide" }], begin = "immediate" },
            ] }]
        "#;
        let scenario = model::read::load_text("shop", text, &[]).expect("a scenario").scenario;
        let program = Program::new(&scenario, &scenario.endpoints[0]);
        let key = RequestKey { lane: 3, index: 5 };
        let draw = |name: &str| Purpose::new(7, name).draw(key.lane, key.index);
        let sleep = 1_000_000.0 + 8_000_000.0 * unit_interval(draw("sleep@shop/1.0"));
        let rows = [(draw("row@shop/2.0"), 1000), (draw("row@shop/2.1"), 998)];
        let mut out = String::new();
        program.write_draws(&mut Draws::new(), key, &mut out);
        let drawn: Vec<u64> = out.split(',').map(|one| one.parse().expect("a number")).collect();
        assert_eq!(drawn.len(), 3);
        assert!((drawn[0] as f64 - sleep).abs() <= 1.0, "{} {sleep}", drawn[0]);
        assert_eq!(drawn[1..], rows.map(|(draw, count)| draw % count + 1));
        let told = serde_json::to_value(&program.tasks).expect("plain data");
        assert_eq!(told[0], serde_json::json!({ "kind": "cpu", "nanos": 1_000_000, "draw": null }));
        assert_eq!(told[1]["steps"][0]["draw"], 0);
        assert_eq!(told[1]["steps"][1]["name"], "shop/1.1");
        let write = serde_json::json!({ "kind": "write", "row": 2, "pages": 3, "locks": null });
        assert_eq!(told[2]["statements"][1], write);
        assert_eq!((&told[2]["begin"], &told[2]["commits"]), (&"immediate".into(), &true.into()));
    }

    #[test]
    fn rows_that_are_locked_by_name_are_those_of_the_model() {
        let text = r#"
            seed = 7
            costs.query.default.engine = "50us"
            load = { users = 1, duration = "1s" }
            service.concurrency = "async"
            database = { engine = "postgres", row.account.count = 3 }
            endpoint = [{ name = "pay", weight = 1, steps = [{ transaction = [
                { read = "item", locks = "account", nth = 2 },
                { write = "item", locks = "account" },
            ] }] }]
        "#;
        let scenario = model::read::load_text("pay", text, &[]).expect("a scenario").scenario;
        let program = Program::new(&scenario, &scenario.endpoints[0]);
        let (rows, mut cache) = (&scenario.rows()[0], Draws::new());
        let mut seen = std::collections::BTreeSet::new();
        for index in 0..40 {
            let key = RequestKey { lane: 3, index };
            let mut out = String::new();
            program.write_draws(&mut cache, key, &mut out);
            let draw = |nth| Purpose::new(7, &rows.purpose(nth)).draw(key.lane, key.index);
            let wanted = [2, 1].map(|nth| 1001 + rows.row(nth, draw));
            assert_eq!(out, format!("{},{}", wanted[0], wanted[1]));
            seen.insert(wanted);
        }
        assert_eq!(seen.len(), 6, "two different ones of three, in each order");
        let told = serde_json::to_value(&program.tasks).expect("plain data");
        assert_eq!(told[0]["statements"][1]["locks"], 0);
    }
}
