//! The canonical trace: everything that happens, in order, for eyes and for tests.

use std::fmt::{self, Write as _};

use model::units::{Instant, Span};

use super::Event;
use crate::cpu::Host;
use crate::observe::ErrorKind;
use crate::plan::Op;

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Record {
    /// An event of the agenda.
    Event(Event),
    /// A core's timer rang.
    CoreTimer {
        /// On which machine.
        host: Host,
        /// Which core.
        core: u32,
        /// The thread on it.
        thread: u32,
    },
    /// A request is sent.
    Sent {
        /// Whose.
        lane: u64,
        /// Which one of theirs.
        index: u64,
        /// Its class.
        class: u32,
    },
    /// A task executes an instruction.
    Step {
        /// The task.
        task: u32,
        /// The thread that carries it.
        thread: u32,
        /// The instruction.
        op: Op,
    },
    /// No request of a worker that holds a connection can go on.
    StandstillBegins {
        /// Which worker.
        worker: u32,
        /// Connections held by requests that wait for a thread.
        for_thread: u32,
        /// Connections held by requests that wait for another one.
        for_connection: u32,
        /// Threads held by requests that wait for a connection.
        threads: u32,
        /// Locks held by requests that wait.
        locks: u32,
    },
    /// One of them gave up.
    StandstillEnds {
        /// Which worker.
        worker: u32,
        /// Since it began.
        lasted: Span,
    },
    /// The supervisor kills a worker that gave no sign of life for too long.
    WorkerKilled {
        /// Which worker.
        worker: u32,
        /// Since its last sign.
        silent: Span,
    },
    /// A worker has answered its last request but those that it has.
    WorkerDrains {
        /// Which worker.
        worker: u32,
    },
    /// The process that took the place of another is ready.
    WorkerServes {
        /// Which worker.
        worker: u32,
    },
    /// A client sends a request again.
    Retried {
        /// Whose request.
        lane: u64,
        /// Which one.
        index: u64,
        /// Which attempt, from 0 for the first.
        attempt: u32,
    },
    /// A client has its answer or gives up.
    Settled {
        /// Whose request.
        lane: u64,
        /// Which one.
        index: u64,
        /// None for a good answer.
        error: Option<ErrorKind>,
    },
}

/// Receives the records of a run.
pub trait Trace {
    /// True if the engine is to check all its invariants after every event. Slow.
    const AUDITS: bool = false;

    /// Something happened at `now`.
    fn record(&mut self, now: Instant, record: Record);
}

/// Keeps nothing, costs nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Trace for Silent {
    #[inline(always)]
    fn record(&mut self, _: Instant, _: Record) {}
}

/// Keeps every record, up to a limit.
#[derive(Clone, Debug)]
pub struct Recorder {
    /// The records with their instants.
    pub records: Vec<(Instant, Record)>,
    limit: usize,
}

impl Recorder {
    /// Keeps the first `limit` records.
    pub fn new(limit: usize) -> Recorder {
        Recorder { records: Vec::new(), limit }
    }

    /// One line per record: nanoseconds, then what happened.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (at, record) in &self.records {
            let _ = writeln!(text, "{:>14} {record}", at.nanos());
        }
        text
    }
}

impl Trace for Recorder {
    fn record(&mut self, now: Instant, record: Record) {
        if self.records.len() < self.limit {
            self.records.push((now, record));
        }
    }
}

impl fmt::Display for Record {
    /// What happened, on one line.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The ticket tells timers apart, and says nothing of what happened.
            Record::Event(Event::Resume { task, .. }) => {
                write!(out, "event Resume {{ task: {task} }}")
            }
            Record::Event(event) => write!(out, "event {event:?}"),
            Record::CoreTimer { host, core, thread } => {
                if *host == Host::Database {
                    write!(out, "database server, ")?;
                }
                write!(out, "core {core}: timer of thread {thread}")
            }
            Record::Sent { lane, index, class } => write!(out, "sent {lane}.{index} class {class}"),
            Record::Step { task, thread, op } => {
                write!(out, "task {task} on thread {thread}: {} {op:?}", op.verb())
            }
            Record::StandstillBegins { worker, for_thread, for_connection, threads, locks } => {
                write!(
                    out,
                    "worker {worker} stands still: {for_thread} connections held by requests that \
                     wait for a thread, {for_connection} by requests that wait for another \
                     connection, {threads} threads by requests that wait for a connection"
                )?;
                if *locks > 0 {
                    write!(out, ", {locks} locks by requests that wait")?;
                }
                Ok(())
            }
            Record::StandstillEnds { worker, lasted } => {
                write!(out, "worker {worker} goes on after {lasted}: a request gave up waiting")
            }
            Record::WorkerKilled { worker, silent } => {
                write!(out, "worker {worker} is killed: no sign of life for {silent}")
            }
            Record::WorkerDrains { worker } => {
                write!(out, "worker {worker} accepts nothing more, and ends with its last request")
            }
            Record::WorkerServes { worker } => write!(out, "worker {worker} serves again"),
            Record::Retried { lane, index, attempt } => {
                write!(out, "sent {lane}.{index} again, attempt {attempt}")
            }
            Record::Settled { lane, index, error: None } => write!(out, "answered {lane}.{index}"),
            Record::Settled { lane, index, error: Some(kind) } => {
                write!(out, "failed {lane}.{index}: {}", kind.name())
            }
        }
    }
}
