//! SQLite: a file that is locked by the connections to it, in the process of the worker.

mod answer;
mod compile;
mod explain;
mod locks;
mod run;

pub(crate) use answer::Observed;
pub(crate) use answer::{bounds, candidates, stations, visit};
pub(crate) use explain::explain;
pub(crate) use locks::{Hold, Level, Locks};

use model::costs::{self, DiskCosts};
use model::scenario::{JournalMode, Sqlite};
use model::units::Span;

use crate::plan::DrawId;

/// Instructions of SQLite. They run outside the interpreter lock, from the start of a statement
/// to its end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Op {
    /// CPU of the engine.
    Native { draw: DrawId },
    /// CPU of the last connection to a write-ahead log.
    LastCloseCpu { span: Span },
    /// The last connection to a write-ahead log copies it into the database.
    LastClose { sync: DrawId },
    /// Begins to read: shared lock, or snapshot.
    BeginRead,
    /// Ends a read outside a transaction.
    EndRead,
    /// Takes the write lock; after a read in the same transaction, without waiting.
    BeginWrite,
    /// Counts pages changed.
    Change { pages: u32 },
    /// Excludes readers, as a rollback journal must before it writes the database.
    CommitLock,
    /// CPU of the engine and the kernel for a commit, if there is anything to commit.
    CommitCpu { span: Span },
    /// Waits for the syncs of a commit.
    CommitSync { sync: DrawId },
    /// The commit is done: locks are released.
    CommitEnd,
    /// Checkpoints the write-ahead log if it has grown long enough.
    Checkpoint { sync: DrawId },
    /// The checkpoint is done.
    CheckpointEnd,
    /// Gives up a transaction: locks are released.
    Rollback,
}

impl Op {
    pub(crate) fn can_fail(&self) -> bool {
        matches!(self, Op::BeginRead | Op::BeginWrite | Op::CommitLock)
    }

    pub(crate) fn verb(&self) -> &'static str {
        match self {
            Op::Native { .. } => "engine CPU, interpreter lock released",
            Op::LastCloseCpu { .. } => "if it is the last connection, remove the log: CPU",
            Op::LastClose { .. } => "if it is the last connection, copy the log back",
            Op::BeginRead => "take the shared lock or a snapshot",
            Op::EndRead => "release it",
            Op::BeginWrite => "take the write lock",
            Op::Change { .. } => "change pages",
            Op::CommitLock => "exclude readers",
            Op::CommitCpu { .. } => "commit CPU, interpreter lock released",
            Op::CommitSync { .. } => "wait for the commit's syncs",
            Op::CommitEnd => "release the locks",
            Op::Checkpoint { .. } => "if the log is long, copy it back",
            Op::CheckpointEnd => "the log is copied",
            Op::Rollback => "roll back",
        }
    }
}

impl From<Op> for crate::plan::Op {
    fn from(op: Op) -> crate::plan::Op {
        super::Op::Sqlite(op).into()
    }
}

/// SQLite as the engine needs it.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) settings: Sqlite,
    /// Syncs of a commit.
    pub(crate) commit_syncs: u32,
    /// Syncs of a checkpoint.
    pub(crate) checkpoint_syncs: u32,
    /// File removal of a commit. The other modes keep the journal's file, cut or overwritten.
    pub(crate) unlink: Span,
    /// Removing one of the log's files at the last close.
    pub(crate) log_unlink: Span,
    /// Copying one page at a checkpoint.
    pub(crate) checkpoint_page: Span,
}

impl Plan {
    pub(crate) fn new(sqlite: &Sqlite, disk: &DiskCosts) -> Plan {
        let unlinks = sqlite.journal_mode == JournalMode::Delete;
        Plan {
            settings: sqlite.clone(),
            commit_syncs: costs::syncs_per_commit(sqlite.journal_mode, sqlite.synchronous),
            checkpoint_syncs: costs::syncs_per_checkpoint(sqlite.synchronous),
            unlink: if unlinks { disk.unlink } else { Span::ZERO },
            log_unlink: disk.unlink,
            checkpoint_page: disk.checkpoint_page,
        }
    }
}
