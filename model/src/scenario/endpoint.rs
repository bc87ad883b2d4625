//! The request classes and what their handlers do.

use super::Scenario;
use super::database::Hold;
use super::request::Request;
use super::service::Service;
use crate::distribution::Distribution;
use crate::keys::{Fields, Key, Keys, Section, TableType};
use crate::units::Span;
use crate::words::{Begin, Concurrency, RowLock, Server, Statement, WorkerClass};

section! {
    /// A class of requests.
    #[section("endpoint")]
    pub struct Endpoint {
        /// Its name in the report.
        pub name: String,
        /// Its share of the requests, relative to the other weights.
        #[key(between(0.0, 1e9))]
        pub weight: f64 = 1,
        /// Overrides the service's concurrency.
        #[key(or("inherit"))]
        pub concurrency: Option<Concurrency>,
        /// Overrides `service.response_model`.
        #[key(or("inherit"))]
        pub response_model: Option<bool>,
        /// Overrides `service.dependencies`.
        #[key(within(0, 100), or("inherit"))]
        pub dependencies: Option<u32>,
        /// Overrides `database.hold`.
        #[key(or("inherit"))]
        pub hold: Option<Hold>,
        /// How it is asked for, where the service is your own; a prediction does not need it.
        pub request: Option<Request>,
        /// What its handler does, in order.
        pub steps: Vec<Step> = [],
        /// Work after the reply, in order: a background task. It runs as the handler does, on the
        /// loop or on a thread of the pool, and only if the handler did not fail.
        pub after: Vec<Step> = [],
    }
}

section! {
    /// One step of a handler.
    #[section("step")]
    #[one_of(cpu, block, sleep, read, write, transaction, session, call, lock, gather)]
    struct StepKeys {
        /// Computes.
        #[key(usually(Span::from_secs(10)))]
        cpu: Option<Distribution>,
        /// Waits in a call that blocks its thread, whatever the concurrency: the bug.
        #[key(usually(Span::from_secs(120)))]
        block: Option<Distribution>,
        /// Waits as the concurrency model waits: parked in async, blocking elsewhere.
        #[key(usually(Span::from_secs(120)))]
        sleep: Option<Distribution>,
        /// A query that reads; the name selects its cost.
        read: Option<String>,
        /// A query that writes, in a transaction of its own.
        write: Option<String>,
        /// The rows, by their name in `database.row`, of which the query locks one until its
        /// transaction ends: `SELECT ... FOR UPDATE`, or an UPDATE.
        #[key(with_either("read", "write"))]
        locks: Option<String>,
        /// Which of the request's rows of that name: the same number is the same row, another
        /// number another row.
        #[key(within(1, MOST_ROWS), with("locks"))]
        nth: Option<u32> = 1,
        /// Several statements in one transaction.
        transaction: Option<Vec<Statement>>,
        /// How the transaction begins.
        #[key(with("transaction"))]
        begin: Option<Begin> = "deferred",
        /// Steps with a session of their own: one more connection, from the first statement inside
        /// to the last step inside, while the request keeps the one that it may hold already.
        session: Option<Vec<Step>>,
        /// A call of the upstream of this name.
        call: Option<String>,
        /// Takes the lock of this name, and holds it during `steps`.
        lock: Option<String>,
        /// The steps during which the lock is held, in order.
        #[key(with("lock"))]
        steps: Option<Vec<Step>>,
        /// Steps at the same time; the slowest decides. One after the other where the
        /// concurrency model blocks.
        gather: Option<Vec<Step>>,
    }
}

section! {
    /// One statement of a transaction.
    #[section("statement")]
    #[one_of(read, write)]
    struct StatementKeys {
        /// A query that reads.
        read: Option<String>,
        /// A query that writes.
        write: Option<String>,
        /// The rows, by their name in `database.row`, of which the query locks one until the
        /// transaction ends: `SELECT ... FOR UPDATE`, or an UPDATE.
        locks: Option<String>,
        /// Which of the request's rows of that name: the same number is the same row, another
        /// number another row.
        #[key(within(1, MOST_ROWS), with("locks"))]
        nth: Option<u32> = 1,
    }
}

/// Most rows of one name that a request locks.
const MOST_ROWS: u64 = 100;

/// One step of a handler.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Computes.
    Cpu(Distribution),
    /// Waits in a call that blocks its thread, whatever the concurrency: the bug.
    Block(Distribution),
    /// Waits as the concurrency model waits: parked in async, blocking elsewhere.
    Sleep(Distribution),
    /// A query that reads, or one that writes in a transaction of its own.
    Statement(Statement),
    /// Several statements in one transaction.
    Transaction {
        /// Statements in order.
        statements: Vec<Statement>,
        /// How the transaction begins.
        begin: Begin,
    },
    /// Steps with a session of their own, and so with a connection of their own.
    Session(Vec<Step>),
    /// A call of the upstream with this index in [`Scenario::upstreams`].
    ///
    /// [`Scenario::upstreams`]: super::Scenario::upstreams
    Call(usize),
    /// Steps under a lock of the application.
    Lock {
        /// The name of the lock.
        lock: String,
        /// The steps during which it is held, in order.
        steps: Vec<Step>,
    },
    /// Steps at the same time; the slowest decides. One after the other where the
    /// concurrency model blocks.
    Gather(Vec<Step>),
}

impl Step {
    /// It runs a statement, or a step inside does.
    pub fn uses_database(&self) -> bool {
        match self {
            Step::Statement(_) | Step::Transaction { .. } => true,
            Step::Cpu(_) | Step::Block(_) | Step::Sleep(_) | Step::Call(_) => false,
            Step::Session(_) | Step::Gather(_) | Step::Lock { .. } => {
                self.inside().iter().any(Step::uses_database)
            }
        }
    }

    /// The statements that it runs itself; none of the steps inside.
    pub fn statements(&self) -> &[Statement] {
        match self {
            Step::Statement(statement) => std::slice::from_ref(statement),
            Step::Transaction { statements, .. } => statements,
            _ => &[],
        }
    }

    /// The steps that it is made of; none of a simple one.
    pub fn inside(&self) -> &[Step] {
        match self {
            Step::Session(steps) | Step::Gather(steps) | Step::Lock { steps, .. } => steps,
            _ => &[],
        }
    }

    /// It is this lock, or a step inside is.
    pub fn takes(&self, name: &str) -> bool {
        matches!(self, Step::Lock { lock, .. } if lock == name)
            || self.inside().iter().any(|step| step.takes(name))
    }
}

impl Keys for Step {
    const KEYS: &'static [Key] = StepKeys::KEYS;

    fn read(fields: &Fields, upstreams: &[&str]) -> Option<Step> {
        let StepKeys {
            cpu,
            block,
            sleep,
            read,
            write,
            locks,
            nth,
            transaction,
            begin,
            session,
            call,
            lock,
            steps,
            gather,
        } = StepKeys::read(fields, upstreams)?;
        let index = |name: String| upstreams.iter().position(|known| *known == name);
        cpu.map(Step::Cpu)
            .or(block.map(Step::Block))
            .or(sleep.map(Step::Sleep))
            .or(statement(read, write, locks, nth).map(Step::Statement))
            .or(transaction
                .zip(begin)
                .map(|(statements, begin)| Step::Transaction { statements, begin }))
            .or(session.map(Step::Session))
            .or(call.and_then(index).map(Step::Call))
            .or(lock.zip(steps).map(|(lock, steps)| Step::Lock { lock, steps }))
            .or(gather.map(Step::Gather))
    }
}

impl TableType for Step {
    fn section() -> &'static Section {
        StepKeys::section()
    }
}

impl Keys for Statement {
    const KEYS: &'static [Key] = StatementKeys::KEYS;

    fn read(fields: &Fields, upstreams: &[&str]) -> Option<Statement> {
        let StatementKeys { read, write, locks, nth } = StatementKeys::read(fields, upstreams)?;
        statement(read, write, locks, nth)
    }
}

fn statement(
    read: Option<String>,
    write: Option<String>,
    locks: Option<String>,
    nth: Option<u32>,
) -> Option<Statement> {
    let locks = locks.zip(nth).map(|(rows, nth)| RowLock { rows, nth });
    let statement = read.map(Statement::read).or(write.map(Statement::write))?;
    Some(Statement { locks, ..statement })
}

impl TableType for Statement {
    fn section() -> &'static Section {
        StatementKeys::section()
    }
}

impl Endpoint {
    /// The concurrency that this endpoint runs under.
    pub fn concurrency(&self, service: &Service) -> Concurrency {
        self.concurrency.unwrap_or(service.concurrency)
    }

    /// What its handler does, and then the work after its reply.
    pub fn all_steps(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().chain(&self.after)
    }

    /// Its session is a dependency's, whose exit comes after the reply and the work after that.
    pub fn session_outlives_handler(&self, scenario: &Scenario) -> bool {
        let waits = self.concurrency(&scenario.service) == Concurrency::Threadpool
            || !self.after.is_empty();
        waits
            && self.hold(scenario) == Some(Hold::Request)
            && scenario.service.server != Server::Axum
            && scenario.service.worker_class == WorkerClass::Uvicorn
    }

    /// How long its requests hold a connection; none without a database.
    pub fn hold(&self, scenario: &Scenario) -> Option<Hold> {
        let database = scenario.database.as_ref()?;
        Some(self.hold.unwrap_or(database.hold))
    }

    /// `def` dependencies that run before the handler, each on a thread of the pool.
    pub fn dependencies(&self, scenario: &Scenario) -> u32 {
        self.dependencies.or(scenario.service.dependencies).unwrap_or_else(|| {
            u32::from(self.has_session(scenario) && self.hold(scenario) == Some(Hold::Request))
        })
    }

    /// Its response is validated on a thread of the pool.
    pub fn validates(&self, scenario: &Scenario) -> bool {
        self.concurrency(&scenario.service) == Concurrency::Threadpool
            && self.response_model.or(scenario.service.response_model).unwrap_or_else(|| {
                self.has_session(scenario) && self.hold(scenario) != Some(Hold::Operation)
            })
    }

    /// A `def` endpoint of FastAPI whose handler works with a session.
    fn has_session(&self, scenario: &Scenario) -> bool {
        self.concurrency(&scenario.service) == Concurrency::Threadpool
            && scenario.service.server != Server::Axum
            && scenario.service.worker_class == WorkerClass::Uvicorn
            && self.all_steps().any(Step::uses_database)
    }
}

#[cfg(test)]
mod tests {
    use crate::read::load_text;

    #[test]
    fn an_endpoint_without_a_weight_has_the_weight_one() {
        let text = "load = { users = 1, think_time = '1s', duration = '1s' }\nservice.concurrency = 'async'\n\
                    endpoint = [{ name = 'a' }, { name = 'b', weight = 3 }]\ncosts = {}";
        let resolved = load_text("shop", text, &[]).expect("a scenario");
        let weights: Vec<f64> = resolved.scenario.endpoints.iter().map(|e| e.weight).collect();
        assert_eq!(weights, [1.0, 3.0]);
        let notes = resolved.notes();
        assert!(notes.iter().any(|note| note.contains("`endpoint.a.weight` is not written")));
        let none = text.replace(", weight = 3", "");
        let notes = load_text("shop", &none, &[]).expect("a scenario").notes();
        assert_eq!(notes, [""; 0]);
    }
}
