//! The request classes and what their handlers do.

use super::service::Service;
use crate::distribution::Distribution;
use crate::keys::{Fields, Key, Keys, Section, TableType};
use crate::units::Span;
use crate::words::{Begin, Concurrency, Statement};

section! {
    /// A class of requests.
    #[section("endpoint")]
    pub struct Endpoint {
        /// Its name in the report.
        pub name: String,
        /// Its share of the requests, relative to the other weights.
        #[key(between(0.0, 1e9))]
        pub weight: f64,
        /// Overrides the service's concurrency.
        #[key(or("inherit"))]
        pub concurrency: Option<Concurrency>,
        /// What its handler does, in order.
        pub steps: Vec<Step> = [],
    }
}

section! {
    /// One step of a handler.
    #[section("step")]
    #[one_of(cpu, block, sleep, read, write, transaction, call, gather)]
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
        /// Several statements in one transaction.
        transaction: Option<Vec<Statement>>,
        /// How the transaction begins.
        #[key(with("transaction"))]
        begin: Option<Begin> = "deferred",
        /// A call of the upstream of this name.
        call: Option<String>,
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
    }
}

/// One step of a handler.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Computes.
    Cpu(Distribution),
    /// Waits in a call that blocks its thread, whatever the concurrency: the bug.
    Block(Distribution),
    /// Waits as the concurrency model waits: parked in async, blocking elsewhere.
    Sleep(Distribution),
    /// A query that reads; the name selects its cost.
    Read(String),
    /// A query that writes, in a transaction of its own.
    Write(String),
    /// Several statements in one transaction.
    Transaction {
        /// Statements in order.
        statements: Vec<Statement>,
        /// How the transaction begins.
        begin: Begin,
    },
    /// A call of the upstream with this index in [`Scenario::upstreams`].
    ///
    /// [`Scenario::upstreams`]: super::Scenario::upstreams
    Call(usize),
    /// Steps at the same time; the slowest decides. One after the other where the
    /// concurrency model blocks.
    Gather(Vec<Step>),
}

impl Keys for Step {
    const KEYS: &'static [Key] = StepKeys::KEYS;

    fn read(fields: &Fields, upstreams: &[&str]) -> Option<Step> {
        let StepKeys { cpu, block, sleep, read, write, transaction, begin, call, gather } =
            StepKeys::read(fields, upstreams)?;
        let index = |name: String| upstreams.iter().position(|known| *known == name);
        cpu.map(Step::Cpu)
            .or(block.map(Step::Block))
            .or(sleep.map(Step::Sleep))
            .or(read.map(Step::Read))
            .or(write.map(Step::Write))
            .or(transaction
                .zip(begin)
                .map(|(statements, begin)| Step::Transaction { statements, begin }))
            .or(call.and_then(index).map(Step::Call))
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
        let StatementKeys { read, write } = StatementKeys::read(fields, upstreams)?;
        read.map(Statement::Read).or(write.map(Statement::Write))
    }
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
}
