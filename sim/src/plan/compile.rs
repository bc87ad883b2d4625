//! Steps of endpoints become instructions, with an unwind address for each.

use std::collections::BTreeMap;

use model::costs::{CpuCosts, PostgresClientCosts, Work};
use model::distribution::Distribution;
use model::scenario::{Concurrency, Hold, Scenario, Server, Step};
use model::stream::Purpose;
use model::units::Span;
use model::workload::step_purpose;

use super::op::{Basic, DrawId, Op, Pc};
use super::{Class, Draw};
use crate::{database::sqlite, lock, threads, upstream};

/// The program of all classes.
pub(super) struct Program {
    pub(super) classes: Vec<Class>,
    pub(super) ops: Vec<Op>,
    pub(super) unwind: Vec<Pc>,
    pub(super) drop_at: Vec<Pc>,
    pub(super) forks: Vec<Vec<Pc>>,
    pub(super) draws: Vec<Draw>,
    pub(super) locks_held: BTreeMap<Pc, Vec<u32>>,
    pub(super) rejected: Pc,
}

/// Compiles every endpoint of `scenario`.
pub(super) fn program(scenario: &Scenario, seed: u64) -> Program {
    let mut compiler = Compiler::new(scenario, seed);
    let reject = scenario.costs.cpu(scenario.service.concurrency).reject.scale(compiler.scale);
    let rejected = compiler.here();
    compiler.burn(reject);
    compiler.emit(Basic::Respond);
    let classes = scenario.endpoints.iter().map(|e| compiler.endpoint(e)).collect();
    let Compiler { ops, unwind, drop_at, forks, draws, locks_held, .. } = compiler;
    Program { classes, ops, unwind, drop_at, forks, draws, locks_held, rejected }
}

/// What must be undone, innermost last, when an instruction fails.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Scope {
    /// The whole request.
    Request,
    /// The whole request, whose client has gone.
    Gone,
    /// The work after the reply.
    After {
        /// The worker counts the request until its end.
        admitted: bool,
    },
    /// A branch of a gather.
    Branch,
    /// On a pool thread with a token.
    Token,
    /// Holding a database connection.
    Connection,
    /// Holding the connection of a session from a dependency, beyond the handler.
    Session,
    /// In a transaction.
    Transaction,
    /// On the thread of the database connection.
    Driver,
    /// Inside an upstream's semaphore.
    Semaphore(u32),
    /// Holding a lock of the application.
    Lock(u32),
}

/// An instruction whose unwind address is patched when its scopes are known.
struct Patch {
    at: Pc,
    pub(crate) scopes: Vec<Scope>,
    /// The handler may be dropped before it.
    droppable: bool,
}

pub(crate) struct Compiler<'s> {
    pub(crate) scenario: &'s Scenario,
    seed: u64,
    /// Factor on all CPU time of the worker processes.
    pub(crate) scale: f64,
    ops: Vec<Op>,
    unwind: Vec<Pc>,
    drop_at: Vec<Pc>,
    forks: Vec<Vec<Pc>>,
    draws: Vec<Draw>,
    locks_held: BTreeMap<Pc, Vec<u32>>,
    /// Names of the statements that a client prepares.
    pub(crate) queries: Vec<String>,
    // State of the endpoint that is being compiled.
    endpoint: String,
    pub(crate) concurrency: Concurrency,
    pub(crate) scopes: Vec<Scope>,
    patches: Vec<Patch>,
    /// A handler whose client has gone may be dropped here: what it holds is in the scopes.
    pub(crate) droppable: bool,
    /// The request holds a connection from an earlier step.
    pub(crate) holding: bool,
    /// How long a connection is held.
    pub(crate) hold: Hold,
    /// The session is a dependency's: its connection is held until the response was sent.
    pub(crate) session_outside: bool,
    /// That dependency is left on a thread.
    pub(crate) session_on_thread: bool,
    /// The step that took it, which names its draws.
    pub(crate) path_held: String,
}

impl<'s> Compiler<'s> {
    fn new(scenario: &'s Scenario, seed: u64) -> Compiler<'s> {
        Compiler {
            scenario,
            seed,
            scale: scenario.costs.cpu_scale(scenario.service.server) / scenario.cpu.speed,
            ops: Vec::new(),
            unwind: Vec::new(),
            drop_at: Vec::new(),
            forks: Vec::new(),
            draws: Vec::new(),
            locks_held: BTreeMap::new(),
            queries: Vec::new(),
            endpoint: String::new(),
            concurrency: Concurrency::Async,
            scopes: Vec::new(),
            patches: Vec::new(),
            droppable: false,
            holding: false,
            hold: Hold::Operation,
            session_outside: false,
            session_on_thread: false,
            path_held: String::new(),
        }
    }

    pub(crate) fn here(&self) -> Pc {
        self.ops.len() as Pc
    }

    /// Appends an instruction; if it fails, all scopes that are open now are undone.
    pub(crate) fn emit(&mut self, op: impl Into<Op>) -> Pc {
        let at = self.here();
        self.ops.push(op.into());
        self.unwind.push(Pc::MAX);
        self.drop_at.push(Pc::MAX);
        let droppable = self.droppable;
        self.patches.push(Patch { at, scopes: self.scopes.clone(), droppable });
        let locks = self.scopes.iter().filter_map(|scope| match scope {
            Scope::Lock(lock) => Some(*lock),
            _ => None,
        });
        let locks: Vec<u32> = locks.collect();
        if !locks.is_empty() {
            self.locks_held.insert(at, locks);
        }
        at
    }

    /// Puts `op` in the place of the instruction at `at`, which was emitted before its target was
    /// known.
    pub(crate) fn patch(&mut self, at: Pc, op: impl Into<Op>) {
        self.ops[at as usize] = op.into();
    }

    /// What `work` compiles is done to its end, also if the client has gone: it takes or gives back
    /// what no scope knows of.
    pub(crate) fn undropped<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        let before = std::mem::replace(&mut self.droppable, false);
        let result = work(self);
        self.droppable = before;
        result
    }

    /// A fixed amount of CPU, if there is any.
    pub(crate) fn burn(&mut self, span: Span) {
        if !span.is_zero() {
            self.emit(Basic::Burn { span });
        }
    }

    pub(crate) fn draw(&mut self, what: &str, path: &str, distribution: Distribution) -> DrawId {
        let name = step_purpose(what, &self.endpoint, path);
        self.draws.push(Draw { purpose: Purpose::new(self.seed, &name), distribution });
        (self.draws.len() - 1) as DrawId
    }

    fn costs(&self) -> &'s CpuCosts {
        self.scenario.costs.cpu(self.concurrency)
    }

    pub(crate) fn cost(&self, pick: impl Fn(&CpuCosts) -> Span) -> Span {
        pick(self.costs()).scale(self.scale)
    }

    /// CPU time for the database: its server's client has costs of its own.
    pub(crate) fn client_cost(&self, pick: impl Fn(&PostgresClientCosts) -> Span) -> Span {
        pick(&self.scenario.costs.postgres_client(self.concurrency)).scale(self.scale)
    }

    fn endpoint(&mut self, endpoint: &model::scenario::Endpoint) -> Class {
        self.endpoint = endpoint.name.clone();
        self.concurrency = endpoint.concurrency(&self.scenario.service);
        self.scopes = vec![Scope::Request];
        self.patches.clear();
        // hyper drops the handler of a client that has gone; uvicorn lets it run on.
        self.droppable = self.scenario.service.server == Server::Axum;
        self.holding = false;
        self.hold = endpoint.hold(self.scenario).unwrap_or(Hold::Operation);
        self.session_outside = endpoint.session_outlives_handler(self.scenario);
        let dependencies = endpoint.dependencies(self.scenario);
        self.session_on_thread = dependencies > 0 && self.concurrency == Concurrency::Threadpool;

        let start = self.emit(Basic::Admit);
        self.refill(Work::Request);
        let more = self.scenario.costs.server_request(self.scenario.service.server);
        self.burn(more.scale(self.scale));
        // No profile says how the framework's CPU falls before, between and after several visits of
        // the pool: all of it comes first.
        let request = self.costs().request.scale(self.scale);
        let in_flight = self.cost(|c| c.in_flight);
        if !request.is_zero() || !in_flight.is_zero() {
            let draw = self.draw("request", "-", request);
            self.emit(Basic::Request { draw, in_flight });
        }

        let handler = |c: &mut Compiler| {
            c.first_request();
            c.handler(&endpoint.steps, "");
        };
        for _ in 0..dependencies {
            self.on_pool(threads::Op::Dependency, |_| {});
        }
        match self.concurrency {
            Concurrency::Threadpool => self.on_pool(threads::Op::TokenAcquire, handler),
            Concurrency::Blocking | Concurrency::Async => handler(self),
        }
        if endpoint.validates(self.scenario) {
            self.on_pool(threads::Op::Validation, |_| {});
        }
        if self.holding || !endpoint.after.is_empty() {
            self.emit(Basic::Reply);
            // A task of its own goes on with it.
            self.undropped(|c| {
                c.after(&endpoint.after);
                c.emit(Basic::End);
            });
        } else {
            self.emit(Basic::Respond);
        }
        self.finish_unwinding();
        Class { name: endpoint.name.clone(), start, concurrency: self.concurrency }
    }

    /// What the first request of a process costs more than others, if it does.
    fn first_request(&mut self) {
        let span = self.scenario.service.first_request.scale(1.0 / self.scenario.cpu.speed);
        if !span.is_zero() {
            self.emit(Basic::First { span });
        }
    }

    /// Steps in a row, whose draws are named by `prefix` and their number.
    fn handler(&mut self, steps: &[Step], prefix: &str) {
        for (index, step) in steps.iter().enumerate() {
            self.step(step, &format!("{prefix}{index}"));
        }
        if self.holding && !self.session_outside {
            self.checkin();
        }
    }

    /// What the worker does after the reply: the scenario's `steps`, if there are any, in the
    /// endpoint's concurrency model, and then the exit of the session's dependency, which comes
    /// after them.
    fn after(&mut self, steps: &[Step]) {
        // axum's handler has ended when a task that it spawned goes on.
        let admitted = self.scenario.service.server != Server::Axum;
        if !steps.is_empty() {
            self.scopes[0] = Scope::After { admitted };
            self.emit(Basic::After { admitted });
            let work = |c: &mut Compiler| c.handler(steps, "after.");
            match self.concurrency {
                Concurrency::Threadpool => self.on_pool(threads::Op::TokenAcquire, work),
                Concurrency::Blocking | Concurrency::Async => work(self),
            }
        }
        if self.holding {
            self.leave_session();
        }
        if !steps.is_empty() {
            self.emit(Basic::AfterEnd { admitted });
        }
    }

    pub(crate) fn step(&mut self, step: &Step, path: &str) {
        match step {
            Step::Cpu(time) => {
                let draw = self.draw("cpu", path, time.scale(self.scale));
                self.emit(Basic::Cpu { draw });
            }
            Step::Block(time) => {
                let draw = self.draw("block", path, time.clone());
                self.emit(Basic::Block { draw });
            }
            Step::Sleep(time) => {
                let draw = self.draw("sleep", path, time.clone());
                self.emit(Basic::Sleep { draw });
            }
            Step::Statement(statement) => {
                self.database(path, std::slice::from_ref(statement), None);
            }
            Step::Transaction { statements, begin } => {
                self.database(path, statements, Some(*begin));
            }
            Step::Session(steps) => self.session(steps, path),
            Step::Lock { lock, steps } => self.locked(lock, steps, path),
            Step::Call(upstream) => self.call(*upstream as u32, path),
            Step::Gather(branches) => self.gather(branches, path),
        }
    }

    /// Steps with a connection of their own, beside the one that the request may hold.
    fn session(&mut self, steps: &[Step], path: &str) {
        let holding = std::mem::replace(&mut self.holding, false);
        let hold = std::mem::replace(&mut self.hold, Hold::Handler);
        let outside = std::mem::replace(&mut self.session_outside, false);
        let path_held = self.path_held.clone();
        for (index, step) in steps.iter().enumerate() {
            self.step(step, &format!("{path}.{index}"));
        }
        if self.holding {
            self.checkin();
        }
        (self.holding, self.hold, self.session_outside) = (holding, hold, outside);
        self.path_held = path_held;
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
        self.emit(Basic::Fork { fork });
        let over = self.emit(Basic::Jump { to: 0 });
        // A branch has a connection of its own: one connection serves one query at a time.
        let held = std::mem::replace(&mut self.holding, false);
        let path_held = self.path_held.clone();
        let outer = std::mem::replace(&mut self.scopes, vec![Scope::Branch]);
        // Branches are tasks of their own, which run on.
        self.undropped(|c| {
            for (index, branch) in branches.iter().enumerate() {
                let start = c.here();
                c.forks[fork as usize].push(start);
                c.step(branch, &path_of(index));
                if c.holding {
                    c.checkin();
                }
                c.emit(Basic::BranchEnd);
            }
        });
        self.scopes = outer;
        self.holding = held;
        self.path_held = path_held;
        self.patch(over, Basic::Jump { to: self.here() });
    }

    /// Emits the undoing of every stack of scopes that an instruction may fail under, and
    /// points the instructions at it.
    fn finish_unwinding(&mut self) {
        let mut blocks: Vec<(Vec<Scope>, Pc)> = Vec::new();
        let patches = std::mem::take(&mut self.patches);
        self.droppable = false;
        for mut patch in patches {
            if self.ops[patch.at as usize].can_fail() {
                self.unwind[patch.at as usize] = self.block(&mut blocks, &patch.scopes);
            }
            if patch.droppable {
                patch.scopes[0] = Scope::Gone;
                self.drop_at[patch.at as usize] = self.block(&mut blocks, &patch.scopes);
            }
        }
        // Instructions that undo do not fail: they only release.
        self.patches.clear();
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
            Scope::Driver => self.leave_driver(),
            Scope::Transaction => {
                self.emit(sqlite::Op::Rollback);
            }
            Scope::Connection => self.emit_checkin(),
            Scope::Session => self.leave_session(),
            Scope::Semaphore(upstream) => {
                self.emit(upstream::Op::SemaphoreRelease { upstream });
            }
            Scope::Lock(lock) => {
                self.emit(lock::Op::Release { lock });
            }
            Scope::Token => self.leave_pool(),
            Scope::Branch => {
                self.emit(Basic::BranchEnd);
            }
            Scope::Request => {
                self.burn(self.cost(|c| c.error));
                self.emit(Basic::Respond);
            }
            Scope::Gone => {
                self.emit(Basic::Drop);
            }
            Scope::After { admitted } => {
                self.emit(Basic::AfterEnd { admitted });
                self.emit(Basic::End);
            }
        }
    }
}
