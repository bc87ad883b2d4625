//! The pool of connections to the database, from how many were in use in bursts.

use super::session::Session;
use crate::learned::{Figure, Pool};
use crate::process::Facts;

/// A burst of so many more than the pool has connections must leave some waiting.
const BEYOND: usize = 4;
/// Bursts in which the same number was in use.
const AGREE: usize = 3;
/// A smaller number may be what the processors let through.
const LEAST: usize = 3;
/// SQLAlchemy's `pool_size` and `max_overflow`.
const SQLALCHEMY: [u32; 2] = [5, 10];
/// sqlx's `max_connections`.
const SQLX: [u32; 2] = [10, 0];

/// The pool of each worker: what every burst that was large enough stopped at, else what is usual.
/// `threads` are those of a worker that wait for it, if they are limited.
pub(super) fn of(session: &Session<'_>, facts: &Facts, threads: Option<&Figure<u32>>) -> Pool {
    let bursts: Vec<(usize, usize)> =
        session.measured.iter().flat_map(|one| one.connections.iter().copied()).collect();
    let workers = session.workers.max(1);
    let threads = threads.map(|threads| (threads.value * workers) as usize);
    match limit(&bursts).filter(|most| threads.is_none_or(|threads| *most < threads)) {
        Some(most) => found(most as u32, workers, session.kept, bursts.len()),
        None => usual(facts, bursts.iter().map(|(_, busy)| *busy).max()),
    }
}

/// The number of connections that every burst beyond it had in use; none if there is no such one.
/// `bursts` are pairs of requests at once and connections in use at most.
fn limit(bursts: &[(usize, usize)]) -> Option<usize> {
    let most = bursts.iter().map(|(_, busy)| *busy).max()?;
    let beyond = bursts.iter().filter(|(depth, _)| *depth >= most + BEYOND);
    let agree = beyond.filter(|(_, busy)| *busy == most).count();
    (most >= LEAST && agree >= AGREE).then_some(most)
}

fn found(most: u32, workers: u32, kept: Option<usize>, bursts: usize) -> Pool {
    let each = most.div_ceil(workers);
    let kept = kept.map_or(each, |kept| (kept as u32).div_ceil(workers).clamp(1, each));
    let how = format!("no more than {most} connections were in use at once in {bursts} bursts");
    let size = format!("{how}; {kept} for each worker stayed open");
    Pool {
        size: Figure::measured(kept, [kept; 2], size),
        overflow: Figure::measured(each - kept, [each - kept; 2], how),
    }
}

fn usual(facts: &Facts, most: Option<usize>) -> Pool {
    let ([size, overflow], whose) =
        if facts.python { (SQLALCHEMY, "SQLAlchemy") } else { (SQLX, "sqlx") };
    let seen = most.map_or(String::new(), |most| {
        format!("; up to {most} connections were in use at once, and no limit was seen")
    });
    let assumed = |value| {
        Figure::assumed(
            value,
            format!("the default of {whose}{seen}"),
            "read the size of the pool in the code of the service",
        )
    };
    Pool { size: assumed(size), overflow: assumed(overflow) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_what_bursts_beyond_it_stop_at() {
        let deep = [(2, 2), (8, 8), (64, 15), (64, 15), (64, 15)];
        assert_eq!(limit(&deep), Some(15));
        assert_eq!(limit(&deep[..4]), None, "two bursts may agree by chance");
        let by_chance = [(8, 5), (64, 14), (64, 16), (64, 15)];
        assert_eq!(limit(&by_chance), None);
        assert_eq!(limit(&[(8, 8), (8, 8), (8, 8)]), None, "nothing had to wait");
        assert_eq!(limit(&[(64, 1), (64, 1), (64, 1)]), None, "one processor does so too");
        // Endpoints without a database say nothing.
        assert_eq!(limit(&[(64, 0), (64, 15), (64, 15), (64, 15)]), Some(15));
    }

    #[test]
    fn a_pool_that_closes_what_is_beyond_its_size_has_an_overflow() {
        let pool = found(15, 1, Some(5), 6);
        assert_eq!((pool.size.value, pool.overflow.value), (5, 10));
        let pool = found(20, 2, Some(20), 6);
        assert_eq!((pool.size.value, pool.overflow.value), (10, 0));
        let pool = found(9, 2, None, 6);
        assert_eq!((pool.size.value, pool.overflow.value), (5, 0));
    }
}
