//! Rows that transactions of this worker have locked, as far as the worker sees it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::stack::GaugeReading;
use crate::stack::axum::worker::gauge::Gauge;

/// A row: the number of its name in the scenario, and its own.
pub(super) type Row = (usize, u32);

/// Who holds which row. The end of a transaction is noticed when the server's answer is read: if
/// another transaction has the row by then, it was given back at that instant.
#[derive(Debug)]
pub(super) struct Rows {
    gauges: Vec<Gauge>,
    holders: Mutex<BTreeMap<Row, u64>>,
    transactions: AtomicU64,
}

impl Rows {
    /// No row of so many `names` is locked.
    pub(super) fn new(names: usize) -> Rows {
        let gauges = (0..names).map(|_| Gauge::new()).collect();
        Rows { gauges, holders: Mutex::default(), transactions: AtomicU64::new(0) }
    }

    /// A number for a transaction.
    pub(super) fn transaction(&self) -> u64 {
        self.transactions.fetch_add(1, Ordering::Relaxed)
    }

    /// A statement of the `transaction` has locked `row`.
    pub(super) fn lock(&self, row: Row, transaction: u64) {
        let mut holders = self.holders();
        match holders.insert(row, transaction) {
            Some(before) if before == transaction => return,
            Some(_) => self.gauges[row.0].leave(),
            None => {}
        }
        self.gauges[row.0].enter();
    }

    /// All rows of the `transaction` are free.
    pub(super) fn unlock(&self, transaction: u64) {
        self.holders().retain(|row, holder| {
            let frees = *holder == transaction;
            if frees {
                self.gauges[row.0].leave();
            }
            !frees
        });
    }

    /// Rows that are locked, by name.
    pub(super) fn read(&self) -> Vec<GaugeReading> {
        self.gauges.iter().map(Gauge::read).collect()
    }

    fn holders(&self) -> MutexGuard<'_, BTreeMap<Row, u64>> {
        self.holders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_one_holder_at_a_time() {
        let rows = Rows::new(2);
        let (one, other) = (rows.transaction(), rows.transaction());
        let seen = || rows.read().iter().map(|one| (one.value, one.entries)).collect::<Vec<_>>();
        rows.lock((0, 1), one);
        rows.lock((0, 1), one);
        rows.lock((1, 1), one);
        assert_eq!(seen(), [(1, 1), (1, 1)]);
        rows.lock((0, 1), other);
        assert_eq!(seen(), [(1, 2), (1, 1)], "it was passed on");
        rows.unlock(one);
        assert_eq!(seen(), [(1, 2), (0, 1)]);
        rows.unlock(other);
        assert_eq!(seen(), [(0, 2), (0, 1)]);
    }
}
