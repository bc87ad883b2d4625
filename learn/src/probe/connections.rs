//! Where connections to the database come from: each request opens its own, or a pool keeps them,
//! whose size is seen from how many were in use in bursts.

use super::session::Session;
use crate::learned::{Connections, Figure, Hold, Pool, Step};
use crate::process::Facts;

/// A connection for each request, if so large a share of the requests opened one.
const EACH: f64 = 0.9;
/// More for each request, and one does not serve all of its statements.
const ONE: f64 = 1.5;

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

/// Where they come from. `threads` are those of a worker that wait for a pool, if they are limited.
pub(super) fn of(
    session: &Session<'_>,
    facts: &Facts,
    threads: Option<&Figure<u32>>,
) -> Connections {
    match own(session) {
        Some(opened) => Connections::Own(opened),
        None => Connections::Pool(pool(session, facts, threads)),
    }
}

/// How long a connection is held that serves one request; none if it is not so.
pub(super) fn hold(session: &Session<'_>) -> Option<Figure<Hold>> {
    own(session).filter(|opened| opened.value < ONE).map(|opened| {
        let how = format!("{}, and all of its statements go over that", opened.how);
        Figure::derived(Hold::Request, how)
    })
}

/// How long the server takes to open a connection, in seconds; none if none was opened.
///
/// Of those that requests one at a time opened it is the median. Of others it is the shortest: a
/// client that is busy, as when it starts, answers late.
pub(super) fn opening(session: &Session<'_>) -> Option<Figure> {
    let [mut alone, others] = session.openings.clone();
    let count = alone.len();
    if count >= LEAST {
        alone.sort_by(f64::total_cmp);
        let how = format!("median time until the server took statements, of {count} connections");
        return Some(Figure::derived(alone[count / 2], how));
    }
    let shortest = alone.iter().chain(&others).copied().min_by(f64::total_cmp)?;
    let count = count + others.len();
    let how = format!("shortest time until the server took statements, of {count} connections");
    Some(Figure::derived(shortest, how))
}

/// Connections that a request opens in the mean, if most open one.
fn own(session: &Session<'_>) -> Option<Figure> {
    let asks = session.asks.iter().zip(&session.measured);
    let counted: Vec<(f64, f64)> = asks
        .filter(|(ask, _)| {
            let seen = session.seen.as_ref().and_then(|seen| seen.endpoints.get(&ask.name));
            seen.is_some_and(|seen| seen.steps.iter().any(|step| matches!(step, Step::Query(_))))
        })
        .filter_map(|(ask, measured)| Some((ask.weight, measured.opened?)))
        .collect();
    opened_by_most(&counted)
}

/// From pairs of weight and connections that a request opens.
fn opened_by_most(counted: &[(f64, f64)]) -> Option<Figure> {
    let weight: f64 = counted.iter().map(|(weight, _)| weight).sum();
    let each = counted.iter().filter(|(_, opened)| *opened >= EACH);
    let open: f64 = each.map(|(weight, _)| weight).sum();
    if weight <= 0.0 || open <= weight / 2.0 {
        return None;
    }
    let mean = counted.iter().map(|(weight, opened)| weight * opened).sum::<f64>() / weight;
    let how = format!("each request opened {mean:.1} connections in the mean, one at a time");
    Some(Figure::measured(mean, [mean; 2], how))
}

/// The pool of each worker: what every burst that was large enough stopped at, else what is usual.
fn pool(session: &Session<'_>, facts: &Facts, threads: Option<&Figure<u32>>) -> Pool {
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
    fn most_requests_decide_whether_each_opens_a_connection() {
        let opened = opened_by_most(&[(80.0, 1.0), (20.0, 0.0)]).expect("most do");
        assert!((opened.value - 0.8).abs() < 1e-9, "{opened:?}");
        assert!(opened_by_most(&[(80.0, 0.05), (20.0, 1.0)]).is_none(), "a pool grew");
        assert!(opened_by_most(&[]).is_none(), "nothing was counted");
    }

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
