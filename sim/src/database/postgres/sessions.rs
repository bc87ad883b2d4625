//! What the server and the client's library know of one connection.

use model::units::Instant;

use super::{Opening, RowId};
use crate::observe::ErrorKind;

/// The two ends of a connection to a server.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// The server counts it, or the pooler if there is one.
    pub(crate) counted: bool,
    /// It has a connection of the pooler to the server.
    pub(crate) linked: bool,
    /// The server has ended it, and the client does not know yet: the error that it will meet.
    pub(super) lost: Option<ErrorKind>,
    /// A transaction is open.
    pub(crate) begun: bool,
    /// The last transaction was rolled back.
    pub(super) rolled_back: bool,
    /// How far the server is with opening it.
    pub(super) opening: Opening,
    /// How often the server has refused it.
    pub(crate) refusals: u32,
    /// The thread of its process, where the server runs on the service's processors and it has
    /// worked there.
    pub(crate) thread: Option<u32>,
    /// Rows that its transaction has locked.
    pub(crate) rows: Vec<RowId>,
    /// The row that its statement waits for.
    pub(crate) awaits: Option<RowId>,
    /// When the attempt to lock that row began.
    pub(super) attempt: Instant,
    /// It has looked for a deadlock in this attempt.
    pub(super) looked: bool,
    /// Since when it has been idle in a transaction.
    pub(crate) idle_since: Instant,
    /// How often each statement was executed, by its number.
    executions: Vec<u32>,
}

impl Default for Session {
    fn default() -> Session {
        Session {
            counted: false,
            linked: false,
            lost: None,
            begun: false,
            rolled_back: false,
            opening: Opening::Asks,
            refusals: 0,
            thread: None,
            rows: Vec::new(),
            awaits: None,
            attempt: Instant::START,
            looked: false,
            idle_since: Instant::NEVER,
            executions: Vec::new(),
        }
    }
}

impl Session {
    /// The statement is about to be executed. True if it is first prepared, as it has been executed
    /// `after` times.
    pub(super) fn prepares(&mut self, statement: u32, after: u32) -> bool {
        let index = statement as usize;
        if self.executions.len() <= index {
            self.executions.resize(index + 1, 0);
        }
        let before = self.executions[index];
        self.executions[index] = before.saturating_add(1);
        before == after
    }

    /// Something was prepared, by a client that waits for `after` executions.
    pub(super) fn has_prepared(&self, after: u32) -> bool {
        self.executions.iter().any(|&count| count > after)
    }

    /// The client counts anew.
    pub(super) fn forget(&mut self) {
        self.executions.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_prepared_once_after_so_many_executions() {
        let mut session = Session::default();
        let first: Vec<bool> = (0..4).map(|_| session.prepares(1, 2)).collect();
        assert_eq!(first, [false, false, true, false]);
        assert!(session.has_prepared(2) && session.prepares(0, 0), "each by itself");
        session.forget();
        assert!(!session.has_prepared(0) && session.prepares(0, 0));
    }
}
