//! What it costs to open a connection to the database, from bursts that opened some.
//!
//! A pool that lends more connections than it keeps, such as SQLAlchemy's with `max_overflow`, closes the others
//! when they are given back. So each burst opens some, and asyncpg, which derives the key of SCRAM in Python,
//! needs many milliseconds for one.

use model::statistics::Estimate;
use render::number;

use super::decide::Burst;
use super::median::median;
use super::session::{Measured, Session, Turn};
use crate::learned::{Connections, Figure};

/// So many bursts have to have opened connections.
const BURSTS_LEAST: usize = 6;
/// Less is not told from the noise of a burst, in seconds.
const LEAST: f64 = 0.2e-3;
/// Requests one at a time that open more connections than this in the mean have the cost in their own.
const ALONE_MOST: f64 = 0.1;

/// CPU time to open a connection; none where too few bursts opened some, or it cannot be seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Opening {
    /// Of the service.
    pub(super) service: Option<Figure>,
    /// Of the database's server.
    pub(super) server: Option<Figure>,
}

impl Opening {
    pub(super) fn of(session: &Session<'_>) -> Opening {
        let all = &session.measured;
        let server = session.database().and_then(|number| {
            let alone = |turn: &Turn| turn.others.get(number).copied();
            cost(all, alone, |burst| burst.others.get(number).copied())
        });
        Opening {
            service: cost(all, |turn| Some(turn.cpu), |burst| Some(burst.cpu)).map(written),
            server: server.map(written),
        }
    }

    /// Of the service and of the server; none costs nothing.
    pub(super) fn seconds(&self) -> [f64; 2] {
        [&self.service, &self.server].map(|cost| cost.as_ref().map_or(0.0, |cost| cost.value))
    }

    /// A note for the file where the pool closes some connections after each use and opens them again: how many
    /// requests at once cause that, and what it costs. None for any other pool.
    pub(super) fn note(&self, connections: Option<&Connections>) -> Option<String> {
        let cost = self.service.as_ref()?;
        let Connections::Pool(pool) = connections? else { return None };
        let (size, most) = (pool.size.value, pool.size.value + pool.overflow.value);
        (most > size).then(|| {
            format!(
                "The pool keeps {size} connections to the database and lends up to {most}: those beyond \
                 {size} are opened for a request and closed after it, and each takes {} of the service's \
                 CPU time. With {} to {most} requests at once it may do so all the time, more often than \
                 the prediction says, which does not know how requests bunch in the real loop. A pool of \
                 {most} without overflow avoids that.",
                number::time(cost.value),
                size + 1,
            )
        })
    }
}

/// CPU seconds of a burst beyond those of as many requests one at a time, divided by the connections that it
/// opened: the median over all bursts.
fn cost(
    measured: &[Measured],
    alone: impl Fn(&Turn) -> Option<f64>,
    burst: impl Fn(&Burst) -> Option<f64>,
) -> Option<Estimate> {
    let mut each = Vec::new();
    for one in measured.iter().filter(|one| one.opened.unwrap_or(0.0) <= ALONE_MOST) {
        let known: Vec<f64> = one.turns.iter().filter_map(&alone).collect();
        if known.is_empty() {
            continue;
        }
        let usual = median(&known).value;
        let opened = one.bursts.iter().filter(|burst| burst.opened > 0);
        each.extend(opened.filter_map(|those| {
            let more = burst(those)? - usual * those.times.len() as f64;
            Some(more / those.opened as f64)
        }));
    }
    let found = (each.len() >= BURSTS_LEAST).then(|| median(&each))?;
    (found.low > 0.0 && found.value >= LEAST).then_some(found)
}

fn written(cost: Estimate) -> Figure {
    let how =
        "what bursts cost more than requests one at a time, for each connection that they opened";
    Figure::measured(cost.value, [cost.low, cost.high], how)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learned::Pool;

    /// Requests of 4 ms, in bursts that each open so many connections of 18 ms.
    fn measured(opened: usize, bursts: usize) -> Measured {
        let turn = Turn {
            times: vec![0.01; 10],
            cpu: 4e-3,
            each: Vec::new(),
            delayed: 0.0,
            off_main: 0.0,
            others: Vec::new(),
        };
        let burst = Burst {
            times: vec![0.01; 8],
            cpu: 8.0 * 4e-3 + opened as f64 * 18e-3,
            opened,
            ..Burst::default()
        };
        Measured { turns: vec![turn; 3], bursts: vec![burst; bursts], ..Measured::default() }
    }

    fn of(all: &[Measured]) -> Option<f64> {
        cost(all, |turn| Some(turn.cpu), |burst| Some(burst.cpu)).map(|cost| cost.value)
    }

    #[test]
    fn what_a_burst_costs_more_is_of_the_connections_that_it_opened() {
        let found = of(&[measured(3, 4), measured(5, 4), measured(0, 4)]).expect("eight bursts");
        assert!((found - 18e-3).abs() < 1e-9, "{found}");
    }

    #[test]
    fn nothing_is_said_where_too_little_was_seen() {
        assert_eq!(of(&[measured(0, 20)]), None, "none was opened");
        assert_eq!(of(&[measured(3, 5)]), None, "too few bursts");
        let own = Measured { opened: Some(1.0), ..measured(3, 20) };
        assert_eq!(of(&[own]), None, "requests one at a time open some too");
    }

    #[test]
    fn a_pool_that_opens_connections_all_the_time_is_told() {
        let count = |value: u32| Figure::measured(value, [value; 2], "seen");
        let pool = |overflow| Connections::Pool(Pool { size: count(5), overflow: count(overflow) });
        let cost = Figure::measured(18e-3, [17e-3, 19e-3], "seen");
        let opening = Opening { service: Some(cost), server: None };
        let note = opening.note(Some(&pool(10))).expect("a note");
        assert!(
            note.contains("With 6 to 15 requests at once") && note.contains("18.0 ms"),
            "{note}"
        );
        assert_eq!(opening.note(Some(&pool(0))), None);
        assert_eq!(Opening::default().note(Some(&pool(10))), None);
    }
}
