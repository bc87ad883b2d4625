//! The handler's side of the database.

use model::place::{self, Place};
use model::scenario::{Begin, Concurrency, Statement};
use model::units::Span;

use super::context::{Context, Fault};
use super::database::{Failure, Handler};

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Fault {
        Fault { kind: failure.kind(), text: Some(failure.to_string()) }
    }
}

impl Handler for Context {
    fn concurrency(&self) -> Concurrency {
        self.concurrency
    }

    fn burn(&mut self, span: Span) {
        Context::burn(self, span);
    }

    fn spend(&mut self, place: Place, nanos: u64) {
        // A visit of the lock counts, whether it waited or not.
        if nanos > 0 || place == place::LOCK {
            Context::spend(self, place, nanos);
        }
    }

    fn wrote(&mut self, nanos: u64) {
        self.worker.stations.writer.add(nanos);
    }

    fn draw(&self, what: &str, path: &str) -> u64 {
        Context::draw(self, what, path)
    }

    fn draw_named(&self, name: &str) -> u64 {
        Context::draw_named(self, name)
    }
}

impl Context {
    /// One operation on the database.
    pub(super) async fn database(
        &mut self,
        statements: &[Statement],
        begin: Option<Begin>,
        path: &str,
    ) -> Result<(), Fault> {
        self.computed();
        let worker = self.worker.clone();
        // A scenario with such a step has a database.
        let Some(database) = &worker.database else { return Ok(()) };
        let mut held = self.held.take();
        let result = database.perform(self, &mut held, statements, begin, path, self.hold).await;
        self.held = held;
        Ok(result?)
    }

    /// Gives back the database connection, if the request holds one.
    pub(super) async fn release(&mut self) {
        let worker = self.worker.clone();
        if let (Some(database), Some(held)) = (&worker.database, self.held.take()) {
            self.computed();
            database.release(self, held).await;
        }
    }
}
