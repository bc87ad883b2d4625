//! What the scheduler knows of a thread.

use model::units::Instant;

/// A thread in the scheduler's accounts. Virtual times are nanoseconds: all threads weigh the same, so
/// that a thread's virtual time is the time for which it has run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entity {
    pub(super) state: State,
    /// Its virtual time.
    pub(super) virtual_time: i64,
    /// Virtual time at which its request of a slice is served.
    pub(super) deadline: i64,
    /// Virtual time until which it is protected from others.
    pub(super) protected: i64,
    /// What it was owed when it left the queue.
    pub(super) lag: i64,
    /// When it was charged last; it runs.
    pub(super) since: Instant,
    /// When its turn began.
    pub(super) began: Instant,
    /// When the kernel looks next whether its turn is over.
    pub(super) due: Instant,
    /// Its turn is to end.
    pub(super) ends: bool,
}

/// Where a thread is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It has never been there.
    New,
    /// It sleeps.
    Asleep,
    /// It sleeps, but stays in the queue until it has paid back what it got too much.
    Delayed,
    Ready,
    Running,
}

impl Entity {
    pub(super) const NEW: Entity = Entity {
        state: State::New,
        virtual_time: 0,
        deadline: 0,
        protected: 0,
        lag: 0,
        since: Instant::START,
        began: Instant::START,
        due: Instant::START,
        ends: false,
    };

    /// It is in the queue, ready or delayed.
    pub(super) fn is_queued(&self) -> bool {
        matches!(self.state, State::Ready | State::Delayed)
    }
}
