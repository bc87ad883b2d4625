//! Operations on the database become instructions.

use model::costs::Work;
use model::scenario::{Begin, Concurrency, DriverMode, Engine, Hold, JournalMode, Statement};
use model::units::Span;

use super::{Op, sqlite};
use crate::plan::{Basic, Compiler, DrawId, Scope};

impl Compiler<'_> {
    /// One operation on the database: a read, or a transaction that `begin`s.
    pub(crate) fn database(&mut self, path: &str, statements: &[Statement], begin: Option<Begin>) {
        let database = self.scenario.database.as_ref().expect("a checked scenario");
        if !self.holding {
            self.path_held = path.to_string();
            self.checkout();
        }
        match &database.engine {
            Engine::Sqlite(_) => self.sqlite(path, statements, begin),
            Engine::Postgres(postgres) => self.postgres(path, postgres, statements, begin),
        }
        match self.hold {
            Hold::Operation => self.checkin(),
            Hold::Handler | Hold::Request => self.holding = true,
        }
    }

    /// Runs `work` where the driver runs it: on this thread, or under async on the
    /// connection's own thread, after as many round trips as the driver makes.
    pub(crate) fn on_driver(&mut self, hops: u32, work: impl FnOnce(&mut Self)) {
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
        self.leave_driver();
    }

    /// Back to the loop.
    pub(crate) fn leave_driver(&mut self) {
        let hop = self.cost(|c| c.hop);
        self.emit(Basic::ToLoop);
        self.burn(hop);
    }

    /// So many round trips to the connection's thread, if it has one, for next to nothing.
    pub(crate) fn trips(&mut self, count: u32) {
        if !self.connection_threads() {
            return;
        }
        let hop = self.cost(|c| c.hop);
        for _ in 0..count {
            self.emit(Op::ToDriver);
            self.burn(hop);
            self.emit(Basic::ToLoop);
            self.burn(hop);
        }
    }

    /// Under async SQLite a connection has a thread of its own; a server's driver parks.
    pub(crate) fn connection_threads(&self) -> bool {
        let awaited =
            self.scenario.database.as_ref().is_some_and(|d| d.driver == DriverMode::Async);
        awaited && self.is_sqlite() && self.concurrency == Concurrency::Async
    }

    pub(crate) fn checkout(&mut self) {
        self.emit(Op::Checkout);
        self.open_connection_scope();
        let skip = self.undropped(|c| c.emit(Op::SkipIfOpen { open: 0 }));
        let mut open = match self.is_sqlite() {
            true => self.cost(|c| c.open),
            false => self.client_cost(|c| c.open),
        };
        if let Some(Engine::Sqlite(sqlite)) = self.scenario.database.as_ref().map(|d| &d.engine) {
            open += self.cost(|c| c.pragma) * u64::from(sqlite.pragmas);
            if sqlite.journal_mode == JournalMode::Wal {
                open += self.cost(|c| c.log_open);
            }
        }
        let hops = self.scenario.costs.driver.open_hops;
        self.undropped(|c| {
            c.on_driver(hops, |c| {
                c.refill(Work::Open);
                c.crowded();
                c.open_at_server(open);
                c.introduce();
                c.emit(Op::Opened);
            });
            c.ping_if_kept(skip);
        });
    }

    /// What holds a dependency's session surrounds the handler's thread, and is undone after it.
    fn open_connection_scope(&mut self) {
        let token = self.scopes.iter().position(|scope| *scope == Scope::Token);
        match token.filter(|_| self.session_outside) {
            Some(at) => self.scopes.insert(at, Scope::Session),
            None => self.scopes.push(Scope::Connection),
        }
    }

    pub(crate) fn checkin(&mut self) {
        debug_assert!(self.scopes.last() == Some(&Scope::Connection));
        self.scopes.pop();
        self.holding = false;
        self.emit_checkin();
    }

    pub(crate) fn emit_checkin(&mut self) {
        self.undropped(Self::give_back);
    }

    fn give_back(&mut self) {
        self.trips(self.scenario.costs.driver.release_hops);
        self.reset_connection();
        let returns = self.begin_return();
        let skip = self.emit(Op::SkipIfKept { keep: 0 });
        let sqlite = self.is_sqlite();
        let close = if sqlite { self.cost(|c| c.close) } else { self.client_cost(|c| c.close) };
        let path = self.path_held.clone();
        let sync = self.draw("last_close", &path, self.scenario.costs.disk.sync.clone());
        self.on_driver(self.scenario.costs.driver.close_hops, |c| {
            c.burn(close);
            if sqlite {
                let span = c.cost(|c| c.last_close);
                if !span.is_zero() {
                    c.emit(sqlite::Op::LastCloseCpu { span });
                }
                c.emit(sqlite::Op::LastClose { sync });
            }
            c.emit(Op::Closed);
        });
        let Some(returns) = returns else {
            self.patch(skip, Op::SkipIfKept { keep: self.here() });
            self.emit(Op::Checkin);
            return;
        };
        let over = self.emit(Basic::Jump { to: 0 });
        self.patch(skip, Op::SkipIfKept { keep: self.here() });
        self.test_connection();
        self.patch(over, Basic::Jump { to: self.here() });
        self.emit(Op::Checkin);
        self.end_return(returns);
    }

    /// The CPU time of a statement in the engine, and `beside` it what a server does for any.
    pub(crate) fn engine_draw(
        &mut self,
        path: &str,
        statement: &Statement,
        beside: Span,
    ) -> DrawId {
        let cost = self.scenario.costs.query(&statement.query).expect("a checked scenario");
        // SQLite computes on the worker's processors, a database server may have its own.
        let scale = if self.is_sqlite() { self.scale } else { self.server_scale() };
        self.draw(statement.kind(), path, cost.engine.later(beside).scale(scale))
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        self.scenario.database.as_ref().is_some_and(|d| matches!(d.engine, Engine::Sqlite(_)))
    }
}
