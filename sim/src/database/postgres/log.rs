//! The write-ahead log: one sync at a time, for all commits that wait for it to begin.
//!
//! `XLogFlush` writes and syncs all that is in the log when it gets its lock, and those who waited
//! for the lock find that their part is on the disk (`LWLockAcquireOrWait`).

use model::units::Span;

/// Commits at the log.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// A sync is under way.
    busy: bool,
    /// Those that it is for.
    syncing: Vec<u32>,
    /// Those that came meanwhile, and how long a sync for each takes.
    waiting: Vec<(u32, Span)>,
}

impl Log {
    /// A commit needs a sync that takes `span`. True if it begins now.
    pub(super) fn sync(&mut self, task: u32, span: Span) -> bool {
        if self.busy {
            self.waiting.push((task, span));
            return false;
        }
        self.busy = true;
        self.syncing.push(task);
        true
    }

    /// A sync is done: those that it was for, and how long the next one takes, if there is one. All
    /// that wait share it; it takes as long as the first of them says.
    pub(super) fn synced(&mut self) -> (Vec<u32>, Option<Span>) {
        let done = std::mem::take(&mut self.syncing);
        let next = self.waiting.first().map(|(_, span)| *span);
        self.busy = next.is_some();
        self.syncing =
            std::mem::take(&mut self.waiting).into_iter().map(|(task, _)| task).collect();
        (done, next)
    }

    /// Ends all commits, and returns them; the sync that is under way ends with them.
    pub(super) fn end_all(&mut self) -> Vec<u32> {
        self.busy = false;
        let waiting = std::mem::take(&mut self.waiting).into_iter().map(|(task, _)| task);
        std::mem::take(&mut self.syncing).into_iter().chain(waiting).collect()
    }

    /// Forgets the commits of `gone` tasks; the sync that is under way goes on.
    pub(crate) fn abandon(&mut self, gone: impl Fn(u32) -> bool) {
        self.syncing.retain(|&task| !gone(task));
        self.waiting.retain(|&(task, _)| !gone(task));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_that_come_during_a_sync_share_the_next_one() {
        let mut log = Log::default();
        let span = Span::from_millis;
        assert!(log.sync(1, span(5)));
        assert!(!log.sync(2, span(3)) && !log.sync(3, span(9)));
        assert_eq!(log.synced(), (vec![1], Some(span(3))));
        assert!(!log.sync(4, span(1)));
        assert_eq!(log.synced(), (vec![2, 3], Some(span(1))));
        log.abandon(|task| task == 4);
        assert_eq!(log.synced(), (vec![], None));
        assert!(log.sync(5, span(1)), "it is idle again");
    }
}
