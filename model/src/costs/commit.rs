//! What a commit costs: CPU time by journal mode and level, and how many syncs it waits for.

use crate::units::Span;
use crate::words::{JournalMode, Synchronous};

section! {
    /// CPU time of the engine and the kernel for a commit, by journal mode.
    #[section("commit")]
    pub struct CommitCosts {
        /// Under a journal that is deleted.
        pub delete: CommitLevels = {},
        /// Under a journal that is cut to zero length.
        pub truncate: CommitLevels = {},
        /// Under a journal whose header is overwritten.
        pub persist: CommitLevels = {},
        /// Under a write-ahead log.
        pub wal: CommitLevels = {},
    }
}

section! {
    /// CPU time of the engine and the kernel for a commit, by synchronous level.
    #[section("commit")]
    pub struct CommitLevels {
        /// At synchronous = "off".
        #[key(usually(Span::from_secs(1)))]
        pub off: Span = "0s",
        /// At synchronous = "normal".
        #[key(usually(Span::from_secs(1)))]
        pub normal: Span = "0s",
        /// At synchronous = "full".
        #[key(usually(Span::from_secs(1)))]
        pub full: Span = "0s",
        /// At synchronous = "extra".
        #[key(usually(Span::from_secs(1)))]
        pub extra: Span = "0s",
    }
}

impl CommitCosts {
    /// Those under `mode`.
    pub fn of(&self, mode: JournalMode) -> &CommitLevels {
        match mode {
            JournalMode::Delete => &self.delete,
            JournalMode::Truncate => &self.truncate,
            JournalMode::Persist => &self.persist,
            JournalMode::Wal => &self.wal,
        }
    }

    /// The same with every CPU time as `own` has it.
    pub(super) fn each(&self, own: &dyn Fn(Span) -> Span) -> CommitCosts {
        let of = |levels: &CommitLevels| CommitLevels {
            off: own(levels.off),
            normal: own(levels.normal),
            full: own(levels.full),
            extra: own(levels.extra),
        };
        CommitCosts {
            delete: of(&self.delete),
            truncate: of(&self.truncate),
            persist: of(&self.persist),
            wal: of(&self.wal),
        }
    }
}

impl CommitLevels {
    /// That at `level`.
    pub fn of(&self, level: Synchronous) -> Span {
        match level {
            Synchronous::Off => self.off,
            Synchronous::Normal => self.normal,
            Synchronous::Full => self.full,
            Synchronous::Extra => self.extra,
        }
    }
}

/// Syncs that one commit waits for in the middle of a load, other connections open.
///
/// Counted with strace on SQLite 3.40 for DELETE, TRUNCATE and WAL at their levels;
/// PERSIST counts as TRUNCATE. Levels that were not counted follow SQLite's pager: NORMAL
/// leaves out one journal sync, EXTRA adds one of the directory, OFF syncs nothing.
pub fn syncs_per_commit(mode: JournalMode, level: Synchronous) -> u32 {
    match (mode, level) {
        (_, Synchronous::Off) => 0,
        (JournalMode::Wal, Synchronous::Normal) => 0,
        (JournalMode::Wal, _) => 1,
        (JournalMode::Delete, Synchronous::Normal) => 3,
        (JournalMode::Delete, Synchronous::Full) => 4,
        (JournalMode::Delete, Synchronous::Extra) => 5,
        (_, Synchronous::Normal) => 4,
        (_, Synchronous::Full) => 5,
        (_, Synchronous::Extra) => 6,
    }
}

/// Syncs of one checkpoint cycle: log, database, log header at the restart. None at OFF.
pub fn syncs_per_checkpoint(level: Synchronous) -> u32 {
    if level == Synchronous::Off { 0 } else { 3 }
}
