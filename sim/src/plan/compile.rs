//! Steps of endpoints become instructions, with an unwind address for each.

use model::costs::{CpuCosts, Work};
use model::distribution::Distribution;
use model::scenario::{
    Begin, Concurrency, DriverMode, Engine, EventLoop, Hold, JournalMode, Scenario, Statement, Step,
};
use model::stream::Purpose;
use model::units::Span;
use model::workload::step_purpose;

use super::op::{ClientId, DrawId, LookCost, Op, Pc};
use super::{Class, Draw};

/// The program of all classes.
pub(super) struct Program {
    pub(super) classes: Vec<Class>,
    pub(super) ops: Vec<Op>,
    pub(super) unwind: Vec<Pc>,
    pub(super) forks: Vec<Vec<Pc>>,
    pub(super) draws: Vec<Draw>,
    pub(super) rejected: Pc,
}

/// Compiles every endpoint of `scenario`.
pub(super) fn program(scenario: &Scenario, seed: u64) -> Program {
    let mut compiler = Compiler::new(scenario, seed);
    let reject = scenario.costs.cpu(scenario.service.concurrency).reject.scale(compiler.scale);
    let rejected = compiler.here();
    compiler.burn(reject);
    compiler.emit(Op::Respond);
    let classes = scenario.endpoints.iter().map(|e| compiler.endpoint(e)).collect();
    let Compiler { ops, unwind, forks, draws, .. } = compiler;
    Program { classes, ops, unwind, forks, draws, rejected }
}

/// What must be undone, innermost last, when an instruction fails.
#[derive(Clone, Copy, PartialEq)]
enum Scope {
    /// The whole request.
    Request,
    /// A branch of a gather.
    Branch,
    /// On a pool thread with a token.
    Token,
    /// Holding a database connection.
    Connection,
    /// In a transaction.
    Transaction,
    /// On the thread of the database connection.
    Driver,
    /// Inside an upstream's semaphore.
    Semaphore(u32),
}

/// An instruction whose unwind address is patched when its scopes are known.
struct Patch {
    at: Pc,
    scopes: Vec<Scope>,
}

struct Compiler<'s> {
    scenario: &'s Scenario,
    seed: u64,
    /// Factor on all CPU time of the worker processes.
    scale: f64,
    ops: Vec<Op>,
    unwind: Vec<Pc>,
    forks: Vec<Vec<Pc>>,
    draws: Vec<Draw>,
    // State of the endpoint that is being compiled.
    endpoint: String,
    concurrency: Concurrency,
    scopes: Vec<Scope>,
    patches: Vec<Patch>,
    /// The request holds a connection from an earlier step.
    holding: bool,
    /// The step that took it, which names its draws.
    path_held: String,
}

impl<'s> Compiler<'s> {
    fn new(scenario: &'s Scenario, seed: u64) -> Compiler<'s> {
        Compiler {
            scenario,
            seed,
            scale: scenario.costs.cpu_scale(scenario.service.server) / scenario.cpu.speed,
            ops: Vec::new(),
            unwind: Vec::new(),
            forks: Vec::new(),
            draws: Vec::new(),
            endpoint: String::new(),
            concurrency: Concurrency::Async,
            scopes: Vec::new(),
            patches: Vec::new(),
            holding: false,
            path_held: String::new(),
        }
    }

    fn here(&self) -> Pc {
        self.ops.len() as Pc
    }

    /// Appends an instruction; if it fails, all scopes that are open now are undone.
    fn emit(&mut self, op: Op) -> Pc {
        let at = self.here();
        self.ops.push(op);
        self.unwind.push(Pc::MAX);
        self.patches.push(Patch { at, scopes: self.scopes.clone() });
        at
    }

    fn burn(&mut self, span: Span) {
        if !span.is_zero() {
            self.emit(Op::Burn { span });
        }
    }

    /// CPU for what the caches have lost since the worker last did `work`.
    fn refill(&mut self, work: Work) {
        let cold = self.scenario.costs.cache.cold(self.concurrency, work).scale(self.scale);
        if !cold.is_zero() {
            self.emit(Op::Refill { work, cold });
        }
    }

    /// CPU on a new connection for what other requests have displaced from the caches.
    fn crowded(&mut self) {
        let span = self.cost(|c| c.crowded_open);
        if !span.is_zero() {
            self.emit(Op::Crowded { span });
        }
    }

    fn draw(&mut self, what: &str, path: &str, distribution: Distribution) -> DrawId {
        let name = step_purpose(what, &self.endpoint, path);
        self.draws.push(Draw { purpose: Purpose::new(self.seed, &name), distribution });
        (self.draws.len() - 1) as DrawId
    }

    fn costs(&self) -> &'s CpuCosts {
        self.scenario.costs.cpu(self.concurrency)
    }

    fn cost(&self, pick: impl Fn(&CpuCosts) -> Span) -> Span {
        pick(self.costs()).scale(self.scale)
    }

    fn endpoint(&mut self, endpoint: &model::scenario::Endpoint) -> Class {
        self.endpoint = endpoint.name.clone();
        self.concurrency = endpoint.concurrency(&self.scenario.service);
        self.scopes = vec![Scope::Request];
        self.patches.clear();
        self.holding = false;

        let start = self.emit(Op::Admit);
        self.refill(Work::Request);
        let more = self.scenario.costs.server_request(self.scenario.service.server);
        self.burn(more.scale(self.scale));
        let request = self.costs().request.scale(self.scale);
        let in_flight = self.cost(|c| c.in_flight);
        if !request.is_zero() || !in_flight.is_zero() {
            let draw = self.draw("request", "-", request);
            self.emit(Op::Request { draw, in_flight });
        }

        let pooled = self.concurrency == Concurrency::Threadpool;
        let hop = self.cost(|c| c.hop);
        if pooled {
            self.emit(Op::TokenAcquire);
            self.scopes.push(Scope::Token);
            self.burn(hop);
        }
        for (index, step) in endpoint.steps.iter().enumerate() {
            self.step(step, &index.to_string());
        }
        if self.holding {
            self.checkin();
        }
        if pooled {
            self.scopes.pop();
            self.emit(Op::ToLoop);
            self.emit(Op::TokenRelease);
            self.burn(hop);
        }
        self.emit(Op::Respond);
        self.finish_unwinding();
        Class { name: endpoint.name.clone(), start, concurrency: self.concurrency }
    }

    fn step(&mut self, step: &Step, path: &str) {
        match step {
            Step::Cpu(time) => {
                let draw = self.draw("cpu", path, time.scale(self.scale));
                self.emit(Op::Cpu { draw });
            }
            Step::Block(time) => {
                let draw = self.draw("block", path, time.clone());
                self.emit(Op::Block { draw });
            }
            Step::Sleep(time) => {
                let draw = self.draw("sleep", path, time.clone());
                self.emit(Op::Sleep { draw });
            }
            Step::Read(query) => {
                self.database(path, &[Statement::Read(query.clone())], None);
            }
            Step::Write(query) => {
                self.database(path, &[Statement::Write(query.clone())], None);
            }
            Step::Transaction { statements, begin } => {
                self.database(path, statements, Some(*begin));
            }
            Step::Call(upstream) => self.call(*upstream as u32, path),
            Step::Gather(branches) => self.gather(branches, path),
        }
    }

    /// Branches run at the same time only where waits are parked; elsewhere in a row.
    fn gather(&mut self, branches: &[Step], path: &str) {
        let path_of = |index: usize| format!("{path}.{index}");
        if self.concurrency != Concurrency::Async {
            for (index, branch) in branches.iter().enumerate() {
                self.step(branch, &path_of(index));
            }
            return;
        }
        let fork = self.forks.len() as u32;
        self.forks.push(Vec::new());
        self.emit(Op::Fork { fork });
        let over = self.emit(Op::Jump { to: 0 });
        // A branch has a connection of its own: one connection serves one query at a time.
        let held = std::mem::replace(&mut self.holding, false);
        let path_held = self.path_held.clone();
        let outer = std::mem::replace(&mut self.scopes, vec![Scope::Branch]);
        for (index, branch) in branches.iter().enumerate() {
            let start = self.here();
            self.forks[fork as usize].push(start);
            self.step(branch, &path_of(index));
            if self.holding {
                self.checkin();
            }
            self.emit(Op::BranchEnd);
        }
        self.scopes = outer;
        self.holding = held;
        self.path_held = path_held;
        self.ops[over as usize] = Op::Jump { to: self.here() };
    }

    fn call(&mut self, upstream: u32, path: &str) {
        let spec = &self.scenario.upstreams[upstream as usize];
        if spec.max_in_flight.is_some() {
            self.emit(Op::SemaphoreAcquire { upstream });
            self.scopes.push(Scope::Semaphore(upstream));
        }
        let latency = self.draw("latency", path, spec.latency.clone());
        let failure = self.draw("failure", path, Distribution::Constant(Span::ZERO));
        let again = self.here();
        self.refill(Work::Call);
        let call = self.cost(|c| c.call);
        self.burn(call);
        let acquire = spec
            .max_connections
            .is_some()
            .then(|| self.emit(Op::ConnectionAcquire { upstream, give_up: 0 }));
        let (connect, miss) = (self.cost(|c| c.connect), self.cost(|c| c.miss));
        let look = LookCost { idle: self.cost(|c| c.look), in_use: self.cost(|c| c.glance) };
        let is_async = self.concurrency == Concurrency::Async;
        let client = 2 * upstream + u32::from(is_async);
        // Threads take theirs without a turn of any loop.
        let locks = if is_async { self.scenario.costs.client.locks } else { 0 };
        // Where choosing and having are one, nobody misses what he has chosen.
        let free = [connect, look.idle, look.in_use].iter().all(|cost| cost.is_zero());
        let chooses = !free || locks > 0;
        if chooses {
            let again = self.emit(Op::Choose { client, look });
            for lock in 0..locks {
                self.lock(client, lock);
            }
            self.emit(Op::Connect { client, span: connect, miss, again });
        }
        self.client_turn();
        self.emit(Op::Exchange { upstream, latency, failure });
        self.client_turn();
        // It is given back under the last of the locks, under which it was had.
        if let Some(last) = locks.checked_sub(1) {
            self.lock(client, last);
        }
        if chooses {
            self.emit(Op::Disconnect { client, look });
        }
        if let Some(acquire) = acquire {
            self.emit(Op::ConnectionRelease { upstream });
            let give_up = self.here();
            self.ops[acquire as usize] = Op::ConnectionAcquire { upstream, give_up };
        }
        let can_fail = acquire.is_some() || spec.timeout.is_some() || spec.failures > 0.0;
        if can_fail {
            self.emit(Op::Retry { upstream, again });
        }
        if spec.max_in_flight.is_some() {
            self.scopes.pop();
            self.emit(Op::SemaphoreRelease { upstream });
        }
    }

    /// What follows at once is done as the lock passes on: whoever has it next runs later.
    fn lock(&mut self, client: ClientId, lock: u32) {
        self.emit(Op::Lock { client, lock });
        self.emit(Op::Unlock { client, lock });
    }

    /// hyper's connection is a task of its own: it is woken to send what a handler asks for,
    /// and wakes the handler when it has read the reply.
    fn client_turn(&mut self) {
        let tokio = self.scenario.service.event_loop == EventLoop::Tokio;
        if tokio && self.concurrency == Concurrency::Async {
            self.emit(Op::Turn);
        }
    }

    /// One operation on the database: a read, or a transaction that `begin`s.
    fn database(&mut self, path: &str, statements: &[Statement], begin: Option<Begin>) {
        let database = self.scenario.database.as_ref().expect("a checked scenario");
        if !self.holding {
            self.path_held = path.to_string();
            self.checkout();
        }
        match &database.engine {
            Engine::Sqlite(_) => self.sqlite(path, statements, begin),
            Engine::Postgres(postgres) => {
                for (index, statement) in statements.iter().enumerate() {
                    self.refill(Work::Statement);
                    let cpu = self.cost(|c| c.statement);
                    self.burn(cpu);
                    let path = format!("{path}.{index}");
                    let engine = self.engine_draw(&path, statement);
                    let round_trip = self.draw("round_trip", &path, postgres.round_trip.clone());
                    self.emit(Op::Server { engine, round_trip });
                }
                if begin.is_some() || matches!(statements, [Statement::Write(_)]) {
                    self.refill(Work::Commit);
                    let commit = self.cost(|c| c.commit);
                    self.burn(commit);
                    let engine = self.draw("commit", path, self.scenario.costs.disk.sync.clone());
                    let round_trip = self.draw("round_trip", path, postgres.round_trip.clone());
                    self.emit(Op::Server { engine, round_trip });
                }
            }
        }
        match database.hold {
            Hold::Operation => self.checkin(),
            Hold::Request => self.holding = true,
        }
    }

    fn sqlite(&mut self, path: &str, statements: &[Statement], begin: Option<Begin>) {
        let driver = &self.scenario.costs.driver;
        let begin = driver.begin(statements, begin);
        if let ([Statement::Write(query)], None) = (statements, begin) {
            return self.sqlite_autocommit(path, query);
        }
        let transaction = begin.is_some();
        if transaction {
            self.scopes.push(Scope::Transaction);
        }
        if begin == Some(Begin::Immediate) {
            self.on_driver(driver.statement_hops, |c| {
                c.emit(Op::BeginWrite);
            });
            self.trips(driver.finish_hops);
        }
        for (index, statement) in statements.iter().enumerate() {
            self.refill(Work::Statement);
            let cpu = self.cost(|c| c.statement);
            self.burn(cpu);
            let draw = self.engine_draw(&format!("{path}.{index}"), statement);
            let pages = self.pages(statement);
            let write = matches!(statement, Statement::Write(_));
            // Who reads holds the lock until the rows have been fetched.
            let fetches = !write && self.connection_threads() && driver.fetch_hops > 0;
            let ends = !write && !transaction;
            self.on_driver(driver.statement_hops, |c| {
                c.emit(if write { Op::BeginWrite } else { Op::BeginRead });
                c.emit(Op::Native { draw });
                if write {
                    c.emit(Op::Change { pages });
                } else if ends && !fetches {
                    c.emit(Op::EndRead);
                }
            });
            if fetches {
                self.on_driver(driver.fetch_hops, |c| {
                    if ends {
                        c.emit(Op::EndRead);
                    }
                });
            }
            self.trips(driver.finish_hops);
        }
        if transaction {
            self.refill(Work::Commit);
            let cpu = self.cost(|c| c.commit);
            self.burn(cpu);
            let disk = self.scenario.costs.disk.sync.clone();
            let sync = self.draw("commit", path, disk.clone());
            let checkpoint = self.draw("checkpoint", path, disk);
            self.on_driver(driver.commit_hops, |c| c.emit_commit(sync, checkpoint));
            self.scopes.pop();
        } else {
            self.trips(driver.rollback_hops);
        }
    }

    /// A statement that is a transaction by itself: one call of the library takes the
    /// lock, writes and commits.
    fn sqlite_autocommit(&mut self, path: &str, query: &str) {
        let statement = Statement::Write(query.to_string());
        self.refill(Work::Statement);
        self.refill(Work::Commit);
        let cpu = self.cost(|c| c.statement) + self.cost(|c| c.commit);
        self.burn(cpu);
        let draw = self.engine_draw(&format!("{path}.0"), &statement);
        let pages = self.pages(&statement);
        let disk = self.scenario.costs.disk.sync.clone();
        let sync = self.draw("commit", path, disk.clone());
        let checkpoint = self.draw("checkpoint", path, disk);
        self.on_driver(self.scenario.costs.driver.statement_hops, |c| {
            c.scopes.push(Scope::Transaction);
            c.emit(Op::BeginWrite);
            c.emit(Op::Native { draw });
            c.emit(Op::Change { pages });
            c.emit_commit(sync, checkpoint);
            c.scopes.pop();
        });
    }

    fn emit_commit(&mut self, sync: DrawId, checkpoint: DrawId) {
        self.emit(Op::CommitLock);
        let span = self.commit_cpu();
        if !span.is_zero() {
            self.emit(Op::CommitCpu { span });
        }
        self.emit(Op::CommitSync { sync });
        self.emit(Op::CommitEnd);
        self.emit(Op::Checkpoint { sync: checkpoint });
        self.emit(Op::CheckpointEnd);
    }

    /// What engine and kernel compute for a commit, the syncs' part included.
    fn commit_cpu(&self) -> Span {
        match self.scenario.database.as_ref().map(|database| &database.engine) {
            Some(Engine::Sqlite(sqlite)) => {
                let costs = &self.scenario.costs;
                costs.commit(sqlite.journal_mode, sqlite.synchronous).scale(self.scale)
            }
            _ => Span::ZERO,
        }
    }

    /// Runs `work` where the driver runs it: on this thread, or under async on the
    /// connection's own thread, after as many round trips as the driver makes.
    fn on_driver(&mut self, hops: u32, work: impl FnOnce(&mut Self)) {
        let threaded = self.connection_threads();
        if !threaded || hops == 0 {
            return work(self);
        }
        self.trips(hops - 1);
        let hop = self.cost(|c| c.hop);
        self.emit(Op::ToDriver);
        self.scopes.push(Scope::Driver);
        self.burn(hop);
        work(self);
        self.scopes.pop();
        self.emit(Op::ToLoop);
        self.burn(hop);
    }

    /// So many round trips to the connection's thread, if it has one, for next to nothing.
    fn trips(&mut self, count: u32) {
        if !self.connection_threads() {
            return;
        }
        let hop = self.cost(|c| c.hop);
        for _ in 0..count {
            self.emit(Op::ToDriver);
            self.burn(hop);
            self.emit(Op::ToLoop);
            self.burn(hop);
        }
    }

    /// Under async SQLite a connection has a thread of its own; a server's driver parks.
    fn connection_threads(&self) -> bool {
        let awaited =
            self.scenario.database.as_ref().is_some_and(|d| d.driver == DriverMode::Async);
        awaited && self.is_sqlite() && self.concurrency == Concurrency::Async
    }

    fn checkout(&mut self) {
        self.emit(Op::Checkout);
        self.scopes.push(Scope::Connection);
        let skip = self.emit(Op::SkipIfOpen { open: 0 });
        let mut open = self.cost(|c| c.open);
        if let Some(Engine::Sqlite(sqlite)) = self.scenario.database.as_ref().map(|d| &d.engine) {
            open += self.cost(|c| c.pragma) * u64::from(sqlite.pragmas);
            if sqlite.journal_mode == JournalMode::Wal {
                open += self.cost(|c| c.log_open);
            }
        }
        self.on_driver(self.scenario.costs.driver.open_hops, |c| {
            c.refill(Work::Open);
            c.crowded();
            c.burn(open);
            c.emit(Op::Opened);
        });
        self.ops[skip as usize] = Op::SkipIfOpen { open: self.here() };
    }

    fn checkin(&mut self) {
        debug_assert!(self.scopes.last() == Some(&Scope::Connection));
        self.scopes.pop();
        self.holding = false;
        self.emit_checkin();
    }

    fn emit_checkin(&mut self) {
        self.trips(self.scenario.costs.driver.release_hops);
        let skip = self.emit(Op::SkipIfKept { keep: 0 });
        let close = self.cost(|c| c.close);
        let sqlite = self.is_sqlite();
        let path = self.path_held.clone();
        let sync = self.draw("last_close", &path, self.scenario.costs.disk.sync.clone());
        self.on_driver(self.scenario.costs.driver.close_hops, |c| {
            c.burn(close);
            if sqlite {
                let span = c.cost(|c| c.last_close);
                if !span.is_zero() {
                    c.emit(Op::LastCloseCpu { span });
                }
                c.emit(Op::LastClose { sync });
            }
            c.emit(Op::Closed);
        });
        self.ops[skip as usize] = Op::SkipIfKept { keep: self.here() };
        self.emit(Op::Checkin);
    }

    fn engine_draw(&mut self, path: &str, statement: &Statement) -> DrawId {
        let (what, name) = match statement {
            Statement::Read(name) => ("read", name),
            Statement::Write(name) => ("write", name),
        };
        let cost = self.scenario.costs.query(name).expect("a checked scenario");
        // SQLite computes on the worker's processors, a database server on its own.
        let scale = if self.is_sqlite() { self.scale } else { 1.0 };
        self.draw(what, path, cost.engine.scale(scale))
    }

    fn is_sqlite(&self) -> bool {
        self.scenario.database.as_ref().is_some_and(|d| matches!(d.engine, Engine::Sqlite(_)))
    }

    fn pages(&self, statement: &Statement) -> u32 {
        let (Statement::Read(name) | Statement::Write(name)) = statement;
        self.scenario.costs.query(name).map_or(0, |cost| cost.pages)
    }

    /// Emits the undoing of every stack of scopes that an instruction may fail under, and
    /// points the instructions at it.
    fn finish_unwinding(&mut self) {
        let mut blocks: Vec<(Vec<Scope>, Pc)> = Vec::new();
        let patches = std::mem::take(&mut self.patches);
        for patch in patches {
            if self.can_fail(patch.at) {
                self.unwind[patch.at as usize] = self.block(&mut blocks, &patch.scopes);
            }
        }
        // Instructions that undo do not fail: they only release.
        self.patches.clear();
    }

    fn can_fail(&self, at: Pc) -> bool {
        matches!(
            self.ops[at as usize],
            Op::Checkout
                | Op::BeginRead
                | Op::BeginWrite
                | Op::CommitLock
                | Op::Retry { .. }
                | Op::Fork { .. }
        )
    }

    /// The address of the code that undoes `scopes`, innermost first.
    fn block(&mut self, blocks: &mut Vec<(Vec<Scope>, Pc)>, scopes: &[Scope]) -> Pc {
        if let Some((_, at)) = blocks.iter().find(|(known, _)| known == scopes) {
            return *at;
        }
        let at = self.here();
        blocks.push((scopes.to_vec(), at));
        let saved = std::mem::take(&mut self.scopes);
        for scope in scopes.iter().rev() {
            self.undo(*scope);
        }
        self.scopes = saved;
        at
    }

    fn undo(&mut self, scope: Scope) {
        match scope {
            Scope::Driver => {
                self.emit(Op::ToLoop);
                let hop = self.cost(|c| c.hop);
                self.burn(hop);
            }
            Scope::Transaction => {
                self.emit(Op::Rollback);
            }
            Scope::Connection => self.emit_checkin(),
            Scope::Semaphore(upstream) => {
                self.emit(Op::SemaphoreRelease { upstream });
            }
            Scope::Token => {
                self.emit(Op::ToLoop);
                self.emit(Op::TokenRelease);
                let hop = self.cost(|c| c.hop);
                self.burn(hop);
            }
            Scope::Branch => {
                self.emit(Op::BranchEnd);
            }
            Scope::Request => {
                self.emit(Op::Respond);
            }
        }
    }
}
