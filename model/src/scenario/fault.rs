//! What fails at a set time.

use crate::units::{Instant, Span};

section! {
    /// A part of the system that fails at a set time, and is back after another.
    #[section("fault")]
    #[derive(Copy)]
    pub struct Fault {
        /// When it fails, counted from the start of the load with its warm-up, as
        /// `load.stages` are.
        pub at: Span,
        /// What happens to the database server. Only with `engine = "postgres"`.
        pub database: DatabaseFault,
        /// How long until it is back: until it is started again, or goes on.
        #[key(at_least(Span::from_nanos(1)))]
        pub for_: Span,
    }
}

words! {
    /// What happens to a database server.
    pub enum DatabaseFault {
        /// it is shut down at once: its sessions end, and it takes no connections until it is
        /// started again
        Down = "down",
        /// its processes are killed: the same, and it recovers from its log when it is started
        Killed = "killed",
        /// its processes stand still, and all who ask it wait
        Paused = "paused",
    }
}

impl Fault {
    /// When it begins, with the load starting at 0.
    pub fn begin(&self) -> Instant {
        Instant::START + self.at
    }

    /// When it ends.
    pub fn end(&self) -> Instant {
        self.begin() + self.for_
    }
}
