//! Rows of the database that statements lock.

use crate::keys::entry_name;

section! {
    /// Rows of the database, one of which a statement locks until its transaction ends.
    #[section("row")]
    pub struct Rows {
        /// Their name in `locks`.
        #[key(computed(entry_name))]
        pub name: String,
        /// How many there are: a request's is any of them, equally likely. 1 is a hot row.
        #[key(within(1, 1_000_000))]
        pub count: u32 = 1,
    }
}

impl Rows {
    /// What the request's row number `nth` is drawn for. The draw of all statements that lock it is
    /// the same.
    pub fn purpose(&self, nth: u32) -> String {
        format!("row.{}.{nth}", self.name)
    }

    /// The request's row number `nth`, from 1, given the draws for its rows up to this one: of those
    /// that it has not drawn before, each is equally likely. Rows count from 0.
    pub fn row(&self, nth: u32, mut draw: impl FnMut(u32) -> u64) -> u32 {
        let mut before: Vec<u32> = Vec::new();
        loop {
            let number = before.len() as u32 + 1;
            let left = u64::from(self.count - (number - 1));
            let mut row = (draw(number) % left) as u32;
            // Those that are taken are left out, in order.
            for taken in &before {
                row += u32::from(row >= *taken);
            }
            if number == nth {
                return row;
            }
            let at = before.partition_point(|taken| *taken < row);
            before.insert(at, row);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_one_request_are_different_and_equally_likely() {
        let rows = Rows { name: "account".into(), count: 4 };
        let mut seen = [0; 64];
        for draws in 0..4 * 3 * 2_u64 {
            let draw = |number| [draws % 4, draws / 4 % 3, draws / 12][number as usize - 1];
            let all: Vec<u32> = (1..=3).map(|nth| rows.row(nth, draw)).collect();
            assert!(all[0] != all[1] && all[1] != all[2] && all[0] != all[2], "{all:?}");
            seen[(all[0] * 16 + all[1] * 4 + all[2]) as usize] += 1;
        }
        assert_eq!(seen.iter().filter(|count| **count == 1).count(), 24, "each order once");
        assert_eq!(Rows { name: "hot".into(), count: 1 }.row(1, |_| u64::MAX), 0);
    }
}
