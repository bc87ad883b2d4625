//! Where the time of each task went so far, by place.

use model::place::Place;
use model::units::Span;

/// A row of times for each task.
#[derive(Debug)]
pub(crate) struct Accounts {
    places: usize,
    /// Nanoseconds, a row of so many places for each task.
    rows: Vec<u64>,
}

impl Accounts {
    /// Of tasks that may be at so many places.
    pub(crate) fn new(places: usize) -> Accounts {
        Accounts { places, rows: Vec::new() }
    }

    /// `task` begins with an empty account.
    #[inline]
    pub(crate) fn open(&mut self, task: u32) {
        let start = task as usize * self.places;
        match self.rows.get_mut(start..start + self.places) {
            Some(row) => row.fill(0),
            None => self.rows.resize(start + self.places, 0),
        }
    }

    /// `task` was at `place` for `stay`.
    #[inline]
    pub(crate) fn add(&mut self, task: u32, place: Place, stay: Span) {
        self.rows[task as usize * self.places + place.index()] += stay.nanos();
    }

    /// The account of `task`: nanoseconds by place.
    #[inline]
    pub(crate) fn of(&self, task: u32) -> &[u64] {
        &self.rows[task as usize * self.places..][..self.places]
    }

    /// Adds the account of `from` to that of `to`.
    pub(crate) fn merge(&mut self, to: u32, from: u32) {
        let (to, from) = (to as usize * self.places, from as usize * self.places);
        for place in 0..self.places {
            self.rows[to + place] += self.rows[from + place];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_what_was_added_to_it_and_nothing_of_an_earlier_task() {
        let mut accounts = Accounts::new(3);
        (0..2).for_each(|task| accounts.open(task));
        for (task, place, nanos) in [(1, 0, 5), (1, 2, 7), (1, 0, 2), (0, 2, 1)] {
            accounts.add(task, Place::new(place), Span::from_nanos(nanos));
        }
        assert_eq!((accounts.of(0), accounts.of(1)), (&[0, 0, 1][..], &[7, 0, 7][..]));
        accounts.merge(0, 1);
        assert_eq!(accounts.of(0), [7, 0, 8]);
        accounts.open(1);
        assert_eq!((accounts.of(0), accounts.of(1)), (&[7, 0, 8][..], &[0, 0, 0][..]));
    }
}
