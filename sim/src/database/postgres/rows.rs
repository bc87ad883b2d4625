//! Rows that transactions lock: who holds each, and who waits for it, in the order of the server.
//!
//! Those that wait for a row get it in the order in which they came, as long as transactions only
//! lock it or take their changes back: each waits for the lock of the tuple, and its first holder
//! waits for the transaction (PostgreSQL, src/backend/access/heap/README.tuplock). A change that is
//! committed leaves another version of the row: all that wait go over to it, and it is a matter of
//! chance which of them is the first there (`heap_update`, TM_Updated; `ExecUpdate`). The draw here
//! is uniform. Either way an attempt to lock begins anew for those that go on waiting, and with it
//! `lock_timeout` and `deadlock_timeout`: for all of them after a change, else for the next in line,
//! which waits for the new holder's transaction from then on.

use std::collections::{BTreeMap, VecDeque};

/// One of the rows that statements lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RowId {
    /// Which rows of the scenario.
    pub(crate) rows: u32,
    /// Which of them, from 0.
    pub(crate) row: u32,
}

/// All rows that are locked.
#[derive(Debug, Default)]
pub(crate) struct Rows(BTreeMap<RowId, Row>);

/// A locked row.
#[derive(Debug)]
struct Row {
    /// The connection whose transaction holds it, and the task that the connection is held by.
    connection: u32,
    task: u32,
    /// That transaction has changed it.
    changed: bool,
    /// Tasks whose statements wait for it.
    queue: VecDeque<u32>,
}

/// What a statement that locks a row got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lock {
    /// The row.
    Taken,
    /// The row, which its transaction held before.
    Held,
    /// A place in the queue.
    Waits,
}

/// A row that is given back: who gets it, and whose attempts to lock it begin anew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Released {
    pub(super) next: Option<u32>,
    pub(super) anew: Vec<u32>,
}

impl Rows {
    /// A statement of `task` on `connection` locks `row`, and `changes` it or not.
    pub(super) fn lock(&mut self, row: RowId, task: u32, connection: u32, changes: bool) -> Lock {
        let Some(locked) = self.0.get_mut(&row) else {
            let queue = VecDeque::new();
            self.0.insert(row, Row { connection, task, changed: changes, queue });
            return Lock::Taken;
        };
        if locked.connection == connection {
            locked.changed |= changes;
            return Lock::Held;
        }
        locked.queue.push_back(task);
        Lock::Waits
    }

    /// The transaction that holds `row` ends; if it is `committed`, its changes stay. `pick` chooses
    /// one of so many.
    pub(super) fn release(
        &mut self,
        row: RowId,
        committed: bool,
        pick: impl FnOnce(usize) -> usize,
    ) -> Released {
        let Some(locked) = self.0.get_mut(&row) else { return Released::default() };
        let changed = std::mem::take(&mut locked.changed) && committed;
        let at = if changed && locked.queue.len() > 1 { pick(locked.queue.len()) } else { 0 };
        let Some(next) = locked.queue.remove(at) else {
            self.0.remove(&row);
            return Released::default();
        };
        let anew = if changed { locked.queue.len() } else { 1 };
        Released { next: Some(next), anew: locked.queue.iter().copied().take(anew).collect() }
    }

    /// The row passes to `task`, whose transaction on `connection` `changes` it or not.
    pub(super) fn pass(&mut self, row: RowId, task: u32, connection: u32, changes: bool) {
        if let Some(locked) = self.0.get_mut(&row) {
            (locked.task, locked.connection, locked.changed) = (task, connection, changes);
        }
    }

    /// `task` waits for `row` no longer.
    pub(super) fn abandon(&mut self, row: RowId, task: u32) {
        if let Some(locked) = self.0.get_mut(&row) {
            locked.queue.retain(|&waiting| waiting != task);
        }
    }

    /// Nobody holds a row, or waits for one. Returns those that waited.
    pub(super) fn end_all(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.0).into_values().flat_map(|row| row.queue).collect()
    }

    /// The connection that holds `row`, and the task that the connection is held by.
    pub(crate) fn holder(&self, row: RowId) -> Option<(u32, u32)> {
        self.0.get(&row).map(|locked| (locked.connection, locked.task))
    }

    /// Those that wait for `row`.
    pub(crate) fn waiting(&self, row: RowId) -> impl Iterator<Item = u32> {
        self.0.get(&row).into_iter().flat_map(|locked| locked.queue.iter().copied())
    }

    /// All rows that are locked, the connection that holds each, and how many wait for it.
    pub(crate) fn locked(&self) -> impl Iterator<Item = (RowId, u32, usize)> {
        self.0.iter().map(|(&row, locked)| (row, locked.connection, locked.queue.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: RowId = RowId { rows: 0, row: 7 };

    /// Four tasks want the row, each on the connection of its number times ten.
    fn four(changes: bool) -> Rows {
        let mut rows = Rows::default();
        assert_eq!(rows.lock(ROW, 1, 10, changes), Lock::Taken);
        let others: Vec<Lock> =
            (2..=4).map(|task| rows.lock(ROW, task, task * 10, changes)).collect();
        assert_eq!(others, [Lock::Waits; 3]);
        assert_eq!(rows.lock(ROW, 1, 10, false), Lock::Held);
        rows
    }

    #[test]
    fn a_row_that_is_only_locked_or_not_changed_in_the_end_passes_on_in_order() {
        for (changes, committed) in [(false, true), (true, false)] {
            let mut rows = four(changes);
            let pick = |_| panic!("nothing is left to chance");
            let first = rows.release(ROW, committed, pick);
            assert_eq!(first, Released { next: Some(2), anew: vec![3] });
            rows.pass(ROW, 2, 20, changes);
            assert_eq!(rows.holder(ROW), Some((20, 2)));
            rows.abandon(ROW, 3);
            assert_eq!(rows.release(ROW, committed, pick).next, Some(4));
            assert_eq!(rows.release(ROW, committed, pick), Released::default());
            assert_eq!(rows.locked().count(), 0);
        }
    }

    #[test]
    fn after_a_change_any_of_those_that_wait_may_be_the_next() {
        let mut rows = four(true);
        let first = rows.release(ROW, true, |among| among - 1);
        assert_eq!(first, Released { next: Some(4), anew: vec![2, 3] });
        // The next holder only locks it: those that wait keep their order.
        rows.pass(ROW, 4, 40, false);
        assert_eq!(rows.release(ROW, true, |_| panic!("in order")).next, Some(2));
    }
}
