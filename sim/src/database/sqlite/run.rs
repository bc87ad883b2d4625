//! What the instructions of SQLite do: locks, commits, checkpoints.

use model::place;
use model::scenario::{JournalMode, Synchronous};
use model::units::Span;

use super::locks::{self, Hold, Locks, Refusal};
use super::{Op, Plan};
use crate::database;
use crate::engine::{Engine, Event, Flow, Trace};
use crate::event_loop::Via;
use crate::observe::{ErrorKind, Limit};
use crate::plan::{self, DrawId};

/// Files that the last connection to a write-ahead log removes: the log and its index.
const LOG_FILES: u64 = 2;

impl<T: Trace> Engine<'_, T> {
    #[inline]
    pub(crate) fn sqlite(&mut self, thread: u32, task: u32, op: Op) -> Flow {
        match op {
            Op::LastCloseCpu { span } => self.last_close_cpu(span),
            Op::LastClose { sync } => self.last_close(thread, task, sync),
            Op::BeginRead | Op::BeginWrite | Op::CommitLock => self.lock(thread, task, op),
            Op::Native { draw } => {
                let span = self.sample(task, draw);
                if span.is_zero() { Flow::Continue } else { Flow::Work { span, native: true } }
            }
            Op::EndRead => self.unlock(task, false),
            Op::Change { pages } => self.change(task, pages),
            Op::CommitCpu { span } => self.commit_cpu(task, span),
            Op::CommitSync { sync } => self.commit_sync(thread, task, sync),
            Op::CommitEnd => self.unlock(task, true),
            Op::Checkpoint { sync } => self.checkpoint(thread, task, sync),
            Op::CheckpointEnd => self.checkpoint_end(task),
            Op::Rollback => self.unlock(task, false),
        }
    }

    pub(crate) fn sqlite_plan(&self) -> &Plan {
        let database = self.plan.database.as_ref().expect("planned with a database");
        database.sqlite.as_ref().expect("planned with SQLite")
    }

    pub(crate) fn locks(&mut self) -> &mut Locks {
        self.database.locks.as_mut().expect("planned with SQLite")
    }

    /// The lock state, and what the connection of `task` holds of it.
    pub(crate) fn locks_and_hold(&mut self, task: u32) -> (&mut Locks, &mut Hold, u32) {
        let id = self.tasks[task].database.connection;
        let hold = &mut self.database.connections[id].hold;
        (self.database.locks.as_mut().expect("planned with SQLite"), hold, id)
    }

    /// What the only connection to a write-ahead log computes for the log's files.
    pub(crate) fn last_close_cpu(&mut self, span: Span) -> Flow {
        let wal = self.sqlite_plan().settings.journal_mode == JournalMode::Wal;
        let last = wal && self.locks().is_last();
        if last { Flow::Work { span, native: true } } else { Flow::Continue }
    }

    /// The last connection to a write-ahead log copies what is left of it and removes it.
    pub(crate) fn last_close(&mut self, thread: u32, task: u32, sync: DrawId) -> Flow {
        if !self.locks().is_last() {
            return Flow::Continue;
        }
        let Some(pages) = self.locks().drain_log() else { return Flow::Continue };
        let plan = self.sqlite_plan();
        let unlink = plan.log_unlink * LOG_FILES;
        let copy = plan.checkpoint_page * u64::from(pages);
        let syncs = if pages > 0 { last_close_syncs(plan.settings.synchronous) } else { 0 };
        let span = self.syncs(task, sync, syncs) + copy + unlink;
        self.wait_in_driver(thread, task, span, place::DISK)
    }

    /// Tries for the lock that `op` needs; polls for it if that can help.
    pub(crate) fn lock(&mut self, thread: u32, task: u32, op: Op) -> Flow {
        self.tasks[task].database.polls = 0;
        self.seen.sqlite.tries += 1;
        match self.try_lock(task, op) {
            Ok(()) => Flow::Continue,
            Err(Refusal::Upgrade) => self.fail(task, ErrorKind::DatabaseBusy),
            Err(Refusal::Busy) => match self.next_poll(task) {
                Some(delay) => {
                    self.agenda.push(self.now + delay, Event::Poll { task });
                    self.suspend_in_driver(thread, task, place::LOCK)
                }
                None => self.fail(task, ErrorKind::DatabaseBusy),
            },
        }
    }

    pub(crate) fn try_lock(&mut self, task: u32, op: Op) -> Result<(), Refusal> {
        let (locks, hold, id) = self.locks_and_hold(task);
        let was_writing = locks.writes(hold);
        let result = match op {
            Op::BeginRead => locks.read(hold),
            Op::BeginWrite => locks.write(id, hold),
            Op::CommitLock => locks.exclude(hold),
            other => unreachable!("{other:?} takes no lock"),
        };
        if !was_writing && self.database.locks.as_ref().is_some_and(|l| l.writer() == Some(id)) {
            self.seen.sqlite.writer.enter(self.now);
        }
        result
    }

    /// How long the busy handler sleeps now, or none if its time is up.
    pub(crate) fn next_poll(&mut self, task: u32) -> Option<Span> {
        let timeout = self.sqlite_plan().settings.busy_timeout;
        let polls = self.tasks[task].database.polls;
        let delay = locks::busy_delay(polls, timeout);
        if delay != locks::busy_delay(polls, Span::MAX) {
            self.seen.reach(Limit::BusyTimeout);
        }
        self.tasks[task].database.polls += 1;
        delay
    }

    /// The busy handler wakes and tries again. Its thread needs no interpreter for that.
    pub(crate) fn poll(&mut self, task: u32) {
        let op = match self.plan.ops[self.tasks[task].pc as usize - 1] {
            plan::Op::Database(database::Op::Sqlite(op)) => op,
            other => unreachable!("{other:?} takes no lock"),
        };
        match self.try_lock(task, op) {
            Ok(()) => self.resume(task, Via::Poll),
            Err(_) => match self.next_poll(task) {
                Some(delay) => self.agenda.push(self.now + delay, Event::Poll { task }),
                None => {
                    self.fail(task, ErrorKind::DatabaseBusy);
                    self.resume(task, Via::Poll);
                }
            },
        }
    }

    pub(crate) fn unlock(&mut self, task: u32, commit: bool) -> Flow {
        let now = self.now;
        let (locks, hold, _) = self.locks_and_hold(task);
        let wrote = locks.writes(hold);
        locks.release(hold, commit);
        if wrote {
            self.seen.sqlite.writer.leave(now);
        }
        Flow::Continue
    }

    pub(crate) fn change(&mut self, task: u32, pages: u32) -> Flow {
        let (locks, hold, _) = self.locks_and_hold(task);
        locks.change(hold, pages);
        Flow::Continue
    }

    /// The CPU of a commit, if there is anything to commit.
    pub(crate) fn commit_cpu(&mut self, task: u32, span: Span) -> Flow {
        let (locks, hold, _) = self.locks_and_hold(task);
        if locks.writes(hold) { Flow::Work { span, native: true } } else { Flow::Continue }
    }

    /// The syncs of a commit, if there is anything to commit.
    pub(crate) fn commit_sync(&mut self, thread: u32, task: u32, sync: DrawId) -> Flow {
        let (locks, hold, id) = self.locks_and_hold(task);
        if !locks.writes(hold) {
            return Flow::Continue;
        }
        let plan = self.sqlite_plan();
        let (mut syncs, unlink) = (plan.commit_syncs, plan.unlink);
        let wal = plan.settings.journal_mode == JournalMode::Wal;
        if wal
            && plan.settings.synchronous >= Synchronous::Full
            && self.database.connections[id].fresh
        {
            // The first commit of a connection also syncs the directory of the log.
            syncs += 1;
        }
        self.database.connections[id].fresh = false;
        let span = self.syncs(task, sync, syncs) + unlink;
        self.wait_in_driver(thread, task, span, place::DISK)
    }

    /// The sum of `count` syncs, each drawn for itself.
    pub(crate) fn syncs(&mut self, task: u32, sync: DrawId, count: u32) -> Span {
        (0..count).map(|nth| self.sample_attempt(task, sync, nth)).sum()
    }

    pub(crate) fn checkpoint(&mut self, thread: u32, task: u32, sync: DrawId) -> Flow {
        let plan = self.sqlite_plan();
        let (threshold, syncs, page) =
            (plan.settings.wal_autocheckpoint, plan.checkpoint_syncs, plan.checkpoint_page);
        let Some(pages) = self.locks().begin_checkpoint(threshold) else { return Flow::Continue };
        self.tasks[task].database.checkpointing = true;
        let span = self.syncs(task, sync, syncs) + page * u64::from(pages);
        self.wait_in_driver(thread, task, span, place::DISK)
    }

    pub(crate) fn checkpoint_end(&mut self, task: u32) -> Flow {
        if std::mem::take(&mut self.tasks[task].database.checkpointing) {
            self.locks().end_checkpoint();
        }
        Flow::Continue
    }
}

/// Syncs when the last connection copies the log: what a checkpoint syncs, and at NORMAL
/// the log itself, which no commit has synced.
fn last_close_syncs(level: Synchronous) -> u32 {
    match level {
        Synchronous::Off => 0,
        Synchronous::Normal => 4,
        Synchronous::Full | Synchronous::Extra => 3,
    }
}
