//! SQLite's locks: the rollback journal's five states, and the write-ahead log.
//!
//! Locks have no queue. A connection that finds one taken sleeps and tries again, see
//! [`busy_delay`]; one that already holds a transaction gets an error at once.

use model::scenario::JournalMode;
use model::units::Span;

/// The lock that a connection holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// None.
    #[default]
    Unlocked,
    /// Reads. Under a write-ahead log: a snapshot.
    Shared,
    /// Will write; readers still come and go.
    Reserved,
    /// Waits for readers to leave; none may come.
    Pending,
    /// Alone.
    Exclusive,
}

/// A connection's part in the locking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hold {
    /// The lock that it holds.
    pub level: Level,
    /// The log's version that it reads.
    snapshot: u64,
    /// Pages that its transaction changed.
    pages: u32,
}

/// Why a lock was not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Another connection has it: sleep and try again.
    Busy,
    /// Waiting could not help, so SQLite does not wait: the transaction must roll back.
    Upgrade,
}

/// The lock state of the database file.
#[derive(Debug)]
pub(crate) struct Locks {
    wal: bool,
    /// Connections at [`Level::Shared`] or above.
    readers: u32,
    /// The one connection above [`Level::Shared`], by its id.
    writer: Option<u32>,
    /// The writer excludes new readers.
    pending: bool,
    /// Commits so far.
    version: u64,
    /// Frames in the log, and how many of them a checkpoint has copied.
    frames: u32,
    copied: u32,
    checkpointing: bool,
    /// Connections that are open.
    open: u32,
}

impl Locks {
    /// An unlocked file.
    pub(crate) fn new(mode: JournalMode) -> Locks {
        Locks {
            wal: mode == JournalMode::Wal,
            readers: 0,
            writer: None,
            pending: false,
            version: 0,
            frames: 0,
            copied: 0,
            checkpointing: false,
            open: 0,
        }
    }

    /// A connection opens.
    pub(crate) fn open(&mut self) {
        self.open += 1;
    }

    /// A connection closes; true if it was the last.
    pub(crate) fn close(&mut self) -> bool {
        self.open -= 1;
        self.open == 0
    }

    /// True if one connection is open.
    pub(crate) fn is_last(&self) -> bool {
        self.open == 1
    }

    /// The connection begins to read, unless it reads already.
    ///
    /// # Errors
    /// [`Refusal::Busy`] while a rollback-journal writer drains or excludes readers.
    pub(crate) fn read(&mut self, hold: &mut Hold) -> Result<(), Refusal> {
        if hold.level >= Level::Shared {
            return Ok(());
        }
        if self.pending && !self.wal {
            return Err(Refusal::Busy);
        }
        self.readers += 1;
        *hold = Hold { level: Level::Shared, snapshot: self.version, pages: 0 };
        Ok(())
    }

    /// The connection takes the write lock.
    ///
    /// # Errors
    /// [`Refusal::Busy`] if another has it and this one holds nothing;
    /// [`Refusal::Upgrade`] if this one reads already and another writes, or (under a
    /// write-ahead log) has committed since.
    pub(crate) fn write(&mut self, connection: u32, hold: &mut Hold) -> Result<(), Refusal> {
        if hold.level >= Level::Reserved {
            return Ok(());
        }
        let fresh = hold.level == Level::Unlocked;
        let refusal = if fresh { Refusal::Busy } else { Refusal::Upgrade };
        let stale = self.wal && !fresh && hold.snapshot != self.version;
        if self.writer.is_some() || stale {
            return Err(refusal);
        }
        if fresh {
            self.read(hold)?;
        }
        self.writer = Some(connection);
        hold.level = Level::Reserved;
        Ok(())
    }

    /// The writer excludes readers before it writes the database file. A write-ahead log
    /// needs no exclusion.
    ///
    /// # Errors
    /// [`Refusal::Busy`] while readers remain; no new ones come meanwhile.
    pub(crate) fn exclude(&mut self, hold: &mut Hold) -> Result<(), Refusal> {
        if self.wal || hold.level < Level::Reserved {
            return Ok(());
        }
        self.pending = true;
        if self.readers > 1 {
            hold.level = Level::Pending;
            return Err(Refusal::Busy);
        }
        hold.level = Level::Exclusive;
        Ok(())
    }

    /// The transaction changed pages.
    pub(crate) fn change(&mut self, hold: &mut Hold, pages: u32) {
        hold.pages += pages;
    }

    /// True if the connection has something to commit.
    pub(crate) fn writes(&self, hold: &Hold) -> bool {
        hold.level >= Level::Reserved
    }

    /// Releases what the connection holds; `commit` keeps its changes.
    pub(crate) fn release(&mut self, hold: &mut Hold, commit: bool) {
        if hold.level == Level::Unlocked {
            return;
        }
        if hold.level >= Level::Reserved {
            self.writer = None;
            self.pending = false;
            if commit {
                self.version += 1;
                self.frames += if self.wal { hold.pages } else { 0 };
            }
        }
        self.readers -= 1;
        self.restart_log();
        *hold = Hold::default();
    }

    /// Starts a checkpoint if the log has `threshold` frames and none is running; returns
    /// the frames to copy. A passive one waits for no reader.
    pub(crate) fn begin_checkpoint(&mut self, threshold: u32) -> Option<u32> {
        let due = self.wal && threshold > 0 && self.frames >= threshold;
        if !due || self.checkpointing {
            return None;
        }
        self.checkpointing = true;
        let pages = self.frames - self.copied;
        self.copied = self.frames;
        Some(pages)
    }

    /// The checkpoint is done.
    pub(crate) fn end_checkpoint(&mut self) {
        self.checkpointing = false;
        self.restart_log();
    }

    /// The last connection copies what is left and removes the log; returns the frames.
    pub(crate) fn drain_log(&mut self) -> Option<u32> {
        if !self.wal {
            return None;
        }
        let pages = self.frames - self.copied;
        (self.frames, self.copied) = (0, 0);
        Some(pages)
    }

    /// A log that is copied whole starts anew once no connection reads it.
    fn restart_log(&mut self) {
        if self.readers == 0 && !self.checkpointing && self.copied == self.frames {
            (self.frames, self.copied) = (0, 0);
        }
    }

    /// Connections that read or write.
    pub(crate) fn readers(&self) -> u32 {
        self.readers
    }

    /// The writing connection.
    pub(crate) fn writer(&self) -> Option<u32> {
        self.writer
    }
}

/// How long SQLite's busy handler sleeps before its `attempt`-th retry (from 0), or none
/// once `timeout` is used up. The last sleep is cut so that the sum is the timeout.
///
/// Table of `sqliteDefaultBusyCallback`, SQLite 3.46.
pub(crate) fn busy_delay(attempt: u32, timeout: Span) -> Option<Span> {
    const DELAYS: [u64; 12] = [1, 2, 5, 10, 15, 20, 25, 25, 25, 50, 50, 100];
    const SLEPT: [u64; 12] = [0, 1, 3, 8, 18, 33, 53, 78, 103, 128, 178, 228];
    let last = DELAYS.len() as u32 - 1;
    let known = attempt.min(last) as usize;
    let slept = Span::from_millis(SLEPT[known] + 100 * u64::from(attempt.saturating_sub(last)));
    let left = timeout.saturating_sub(slept);
    (!left.is_zero()).then(|| Span::from_millis(DELAYS[known]).min(left))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delete() -> Locks {
        Locks::new(JournalMode::Delete)
    }

    #[test]
    fn the_busy_handler_sleeps_59_times_for_5_seconds() {
        let timeout = Span::from_secs(5);
        let sleeps: Vec<Span> = (0..).map_while(|attempt| busy_delay(attempt, timeout)).collect();
        assert_eq!(sleeps.len(), 59);
        assert_eq!(sleeps.iter().copied().sum::<Span>(), timeout);
        assert_eq!(busy_delay(0, Span::ZERO), None);
    }

    #[test]
    fn readers_enter_while_reserved_and_wait_while_pending() {
        let (mut locks, mut writer) = (delete(), Hold::default());
        let mut readers = [Hold::default(); 2];
        assert_eq!(locks.write(1, &mut writer), Ok(()));
        assert_eq!(locks.read(&mut readers[0]), Ok(()));
        assert_eq!(locks.exclude(&mut writer), Err(Refusal::Busy), "a reader is inside");
        assert_eq!(locks.read(&mut readers[1]), Err(Refusal::Busy), "pending keeps it out");
        locks.release(&mut readers[0], false);
        assert_eq!(locks.exclude(&mut writer), Ok(()));
        assert_eq!(locks.read(&mut readers[1]), Err(Refusal::Busy));
        locks.release(&mut writer, true);
        assert_eq!(locks.read(&mut readers[1]), Ok(()));
    }

    #[test]
    fn one_writer_at_a_time_and_an_upgrade_does_not_wait() {
        for mode in [JournalMode::Delete, JournalMode::Wal] {
            let mut locks = Locks::new(mode);
            let (mut first, mut second, mut third) = Default::default();
            assert_eq!(locks.read(&mut second), Ok(()));
            assert_eq!(locks.write(1, &mut first), Ok(()));
            assert_eq!(locks.write(3, &mut third), Err(Refusal::Busy));
            assert_eq!(locks.write(2, &mut second), Err(Refusal::Upgrade));
        }
    }

    #[test]
    fn a_stale_snapshot_cannot_write() {
        let mut locks = Locks::new(JournalMode::Wal);
        let (mut reader, mut writer) = Default::default();
        assert_eq!(locks.read(&mut reader), Ok(()));
        assert_eq!(locks.write(1, &mut writer), Ok(()));
        assert_eq!(locks.exclude(&mut writer), Ok(()), "readers do not block a log");
        locks.release(&mut writer, true);
        assert_eq!(locks.write(2, &mut reader), Err(Refusal::Upgrade));
        locks.release(&mut reader, false);
        assert_eq!(locks.write(2, &mut reader), Ok(()));
    }

    #[test]
    fn readers_keep_a_checkpointed_log_from_starting_anew() {
        let mut locks = Locks::new(JournalMode::Wal);
        let (mut reader, mut writer) = (Hold::default(), Hold::default());
        let mut commit = |locks: &mut Locks| {
            assert_eq!(locks.write(1, &mut writer), Ok(()));
            locks.change(&mut writer, 600);
            locks.release(&mut writer, true);
        };
        commit(&mut locks);
        assert_eq!(locks.begin_checkpoint(1000), None);
        commit(&mut locks);
        assert_eq!(locks.read(&mut reader), Ok(()));
        assert_eq!(locks.begin_checkpoint(1000), Some(1200));
        assert_eq!(locks.begin_checkpoint(1000), None, "one at a time");
        locks.end_checkpoint();
        commit(&mut locks);
        assert_eq!(locks.begin_checkpoint(1000), Some(600), "the log went on growing");
        locks.end_checkpoint();
        locks.release(&mut reader, false);
        commit(&mut locks);
        assert_eq!(locks.begin_checkpoint(1000), None, "the log started anew");
    }

    #[test]
    fn the_last_connection_is_known() {
        let mut locks = delete();
        locks.open();
        locks.open();
        assert!(!locks.close());
        assert!(locks.is_last());
        assert!(locks.close());
    }
}
