//! The thread pool of each worker: a bounded number of handlers at a time.

mod answer;
mod compile;
mod explain;
mod run;

pub(crate) use answer::Observed;
pub(crate) use answer::{bounds, candidates, stations, visit};
pub(crate) use explain::explain;

use crate::slots::Slots;

/// Instructions of the thread pool.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Op {
    /// Takes a token of the pool, then moves to one of its threads.
    TokenAcquire,
    /// The same, to run a `def` dependency.
    Dependency,
    /// The same, to validate the response.
    Validation,
    /// Moves to a thread without a token: the exit of a dependency has a limiter of its own.
    Exit,
    /// Gives the token back.
    TokenRelease,
}

impl Op {
    pub(crate) fn verb(&self) -> &'static str {
        match self {
            Op::TokenAcquire => "wait for a pool thread",
            Op::Dependency => "wait for a pool thread for a dependency",
            Op::Validation => "wait for a pool thread to validate the response",
            Op::Exit => "leave a dependency on a thread beside the pool",
            Op::TokenRelease => "give the pool thread back",
        }
    }
}

impl From<Op> for crate::plan::Op {
    fn from(op: Op) -> crate::plan::Op {
        crate::plan::Op::Threads(op)
    }
}

/// The pool of one worker.
#[derive(Debug)]
pub(crate) struct ThreadPool {
    /// As many handlers as may run at a time.
    pub(crate) tokens: Slots,
    /// Threads without work; the latest is reused first.
    pub(crate) idle: Vec<u32>,
}

impl ThreadPool {
    pub(crate) fn new(threads: u32) -> ThreadPool {
        ThreadPool { tokens: Slots::new(threads), idle: Vec::new() }
    }
}
