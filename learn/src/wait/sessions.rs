//! How long a request keeps its connection to the database, from where its transactions begin and
//! end.
//!
//! A session that a framework closes after the reply, as FastAPI does with a dependency that has a
//! `yield`, rolls its transaction back when the next request may already be under way. What ends a
//! transaction or resets a connection belongs to the request that used this connection last.

use std::collections::{BTreeMap, HashMap};

use super::requests::{Asked, Operation, Request};
use super::spans::{Span, Work};
use super::sql::Statement;
use super::traffic::Sent;
use crate::learned::{Figure, Hold};

/// A session that ends after the reply is no longer waited for. So it may end as quickly as the
/// client hears of the reply, and few that come later tell it: fewer than this share are chance.
const LATE: f64 = 0.04;
/// What at least this share of the requests do, all do.
const USUALLY: f64 = 0.9;

/// Takes out of `passed` what ends a session after the reply to its request, and says of each
/// request whether there was something of that kind.
pub(super) fn take_late_ends(sent: &[Sent], passed: &mut Vec<Span>) -> Vec<bool> {
    let mut late = vec![false; sent.len()];
    // The request that used each connection last.
    let mut users: HashMap<u128, Option<usize>> = HashMap::new();
    passed.sort_by_key(|span| (span.start, span.end));
    drop_pings_of_the_pool(sent, passed);
    passed.retain(|span| {
        let Work::Query { statement: Some(text), .. } = &span.work else { return true };
        let statement = Statement::new(text);
        let during = under_way(sent, span.start);
        if !is_end(&statement) && !is_reset(&statement) {
            users.insert(span.trace, during);
            return true;
        }
        match users.get(&span.trace) {
            Some(&Some(user)) if during != Some(user) => {
                late[user] = true;
                false
            }
            // What came before the first request.
            None | Some(None) => during.is_none(),
            _ => true,
        }
    });
    late
}

/// The request that was under way at this moment.
fn under_way(sent: &[Sent], at: u64) -> Option<usize> {
    let next = sent.partition_point(|one| one.start <= at);
    next.checked_sub(1).filter(|&index| at <= sent[index].end)
}

/// Takes out pings that no statement of the same request follows on their connection: with those
/// a pool looks after a connection that was given back, as sqlx does, and no request waits for it.
fn drop_pings_of_the_pool(sent: &[Sent], passed: &mut Vec<Span>) {
    // What comes next on each connection: the request that asks, and whether it is more than a ping.
    let mut next: HashMap<u128, (Option<usize>, bool)> = HashMap::new();
    let mut kept: Vec<bool> = passed
        .iter()
        .rev()
        .map(|span| {
            let Work::Query { statement: Some(text), .. } = &span.work else { return true };
            let (request, asks) = (under_way(sent, span.start), !Statement::new(text).is_ping());
            let after = next.insert(span.trace, (request, asks));
            asks || after.is_some_and(|after| after == (request, true))
        })
        .collect();
    passed.retain(|_| kept.pop().unwrap_or(true));
}

/// How long each endpoint keeps its connection, where that was seen; `late` as
/// [`take_late_ends`] says. Where the session usually ends after the reply, its end is taken out
/// of the requests that it was quicker in.
pub(super) fn holds(late: &[bool], requests: &mut [Request]) -> BTreeMap<String, Figure<Hold>> {
    let mut endpoints: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, request) in requests.iter().enumerate() {
        endpoints.entry(request.endpoint.clone()).or_default().push(index);
    }
    let mut holds = BTreeMap::new();
    let any_late = endpoints.values().any(|indices| is_late(late, indices));
    for (name, indices) in endpoints {
        // What comes after the last request of all was not waited for.
        let seen = indices.iter().filter(|&&index| index + 1 < requests.len()).count();
        let ended_late = indices.iter().filter(|&&index| late[index]).count();
        let hold = if is_late(late, &indices) {
            let how =
                format!("in {ended_late} of {seen} requests the session ended after the reply");
            Some(Figure::measured(Hold::Request, [Hold::Request; 2], how))
        } else {
            inside(requests, &indices).map(|hold| match hold.value {
                // Sessions of a service come from one place.
                Hold::Handler if any_late => Figure::derived(
                    Hold::Request,
                    "sessions of other endpoints ended after the reply, and so this one's may",
                ),
                _ => hold,
            })
        };
        let Some(hold) = hold else { continue };
        if hold.value == Hold::Request {
            indices.iter().for_each(|&index| drop_rollback(&mut requests[index]));
        }
        holds.insert(name, hold);
    }
    holds
}

fn is_late(late: &[bool], indices: &[usize]) -> bool {
    let ended_late = indices.iter().filter(|&&index| late[index]).count();
    ended_late as f64 > LATE * indices.len() as f64
}

/// A session that begins and ends before the reply, or none at all.
fn inside(requests: &[Request], indices: &[usize]) -> Option<Figure<Hold>> {
    let queries = |index: usize| requests[index].operations.iter().filter_map(statement);
    let asking: Vec<usize> =
        indices.iter().copied().filter(|&index| queries(index).next().is_some()).collect();
    let usually = |count: usize| count > 0 && count as f64 >= USUALLY * asking.len() as f64;
    let whole = |index: &&usize| {
        queries(**index).any(is_begin) && queries(**index).next_back().is_some_and(is_end)
    };
    let count = asking.iter().filter(whole).count();
    if usually(count) {
        let how = format!(
            "in {count} of {} requests a transaction was open until the last statement",
            asking.len()
        );
        return Some(Figure::measured(Hold::Handler, [Hold::Handler; 2], how));
    }
    let alone = asking.iter().filter(|&&index| !queries(index).any(is_begin)).count();
    usually(alone).then(|| {
        let how = format!(
            "in {alone} of {} requests each statement was a transaction by itself",
            asking.len()
        );
        let better = "see in the code whether a connection is kept between statements";
        Figure::derived(Hold::Operation, how).better(better)
    })
}

fn drop_rollback(request: &mut Request) {
    let rolls_back = |one: &Operation| {
        statement(one).is_some_and(|statement| {
            matches!(statement.operation.as_str(), "rollback" | "abort") || is_reset(statement)
        })
    };
    while request.operations.last().is_some_and(rolls_back) {
        request.operations.pop();
    }
}

fn statement(operation: &Operation) -> Option<&Statement> {
    match &operation.asked {
        Asked::Query { statement, .. } => Some(statement),
        Asked::Call { .. } | Asked::Commit { .. } => None,
    }
}

fn is_begin(statement: &Statement) -> bool {
    matches!(statement.operation.as_str(), "begin" | "start")
}

fn is_end(statement: &Statement) -> bool {
    matches!(statement.operation.as_str(), "rollback" | "abort" | "commit" | "end")
}

/// What a pool makes a connection forget before the next one uses it.
fn is_reset(statement: &Statement) -> bool {
    matches!(statement.operation.as_str(), "discard" | "reset")
        || statement.text.to_ascii_lowercase().starts_with("select pg_advisory_unlock_all")
}

#[cfg(test)]
mod tests {
    use super::super::spans::Kind;
    use super::super::traffic::traffic;
    use super::*;

    fn span(connection: u128, text: &str, start: u64) -> Span {
        let work = Work::Query {
            system: "postgresql".into(),
            statement: Some(text.into()),
            operation: None,
            table: None,
        };
        let (service, name) = (String::new(), String::new());
        let (kind, end) = (Kind::Client, start + 1);
        let (id, parent, failed) = (start, None, false);
        Span { trace: connection, id, parent, service, kind, start, end, name, work, failed }
    }

    /// Requests of 50 ns, one every 100 ns, and what passed: connection, begin and statement.
    fn settled(
        count: u64,
        passed: &[(u128, u64, &str)],
    ) -> (Vec<Vec<String>>, BTreeMap<String, Figure<Hold>>) {
        let sent: Vec<Sent> = (0..count)
            .map(|number| {
                let (start, end) = (100 * number, 100 * number + 50);
                Sent { endpoint: "items".into(), start, end, good: true }
            })
            .collect();
        let mut passed: Vec<Span> =
            passed.iter().map(|&(connection, start, text)| span(connection, text, start)).collect();
        let late = take_late_ends(&sent, &mut passed);
        let mut requests = traffic(&sent, &passed, &[]);
        let holds = holds(&late, &mut requests);
        let texts = |request: &Request| {
            request.operations.iter().filter_map(statement).map(|one| one.text.clone()).collect()
        };
        (requests.iter().map(texts).collect(), holds)
    }

    #[test]
    fn what_ends_a_session_after_the_reply_is_not_the_next_request_s() {
        let (texts, holds) = settled(
            4,
            &[
                (7, 10, "BEGIN"),
                (7, 20, "select a"),
                // Between the two requests.
                (7, 60, "ROLLBACK"),
                (7, 110, "BEGIN"),
                (7, 120, "select a"),
                // While the next request uses another connection.
                (8, 210, "BEGIN"),
                (7, 215, "ROLLBACK"),
                (8, 220, "select a"),
                // As quick as the reply.
                (8, 240, "ROLLBACK"),
                (8, 310, "BEGIN"),
                (8, 320, "select a"),
            ],
        );
        assert!(texts.iter().all(|texts| *texts == ["BEGIN", "select a"]), "{texts:?}");
        assert_eq!(holds["items"].value, Hold::Request);
        assert!(holds["items"].how.starts_with("in 2 of 3 "), "{}", holds["items"].how);
    }

    #[test]
    fn few_late_ends_tell_of_all_sessions() {
        let mut passed = Vec::new();
        for number in 0..20 {
            let start = 100 * number;
            passed.extend([(1, start + 10, "BEGIN"), (1, start + 20, "select a")]);
            // Only one of twenty comes later than the reply is there.
            passed.push((1, start + if number == 3 { 60 } else { 45 }, "ROLLBACK"));
        }
        let (texts, holds) = settled(20, &passed);
        assert!(texts.iter().all(|texts| *texts == ["BEGIN", "select a"]), "{texts:?}");
        assert_eq!(holds["items"].value, Hold::Request);
    }

    #[test]
    fn a_ping_counts_where_a_statement_follows_it() {
        let (texts, holds) = settled(
            2,
            &[
                (1, 10, "-- ping"),
                (1, 20, "select a"),
                (1, 30, ""),
                // That of the pool came late, and then that of the request.
                (1, 105, ""),
                (1, 110, ""),
                (1, 120, "select a"),
                (1, 160, ""),
            ],
        );
        assert!(texts.iter().all(|texts| *texts == ["", "select a"]), "{texts:?}");
        assert_eq!(holds["items"].value, Hold::Operation);
    }

    #[test]
    fn a_session_of_the_handler_ends_before_the_reply() {
        let (texts, holds) = settled(
            2,
            &[
                (1, 10, "BEGIN"),
                (1, 20, "select a"),
                (1, 30, "COMMIT"),
                (1, 110, "BEGIN"),
                (1, 120, "select a"),
                (1, 130, "ROLLBACK"),
            ],
        );
        assert_eq!(holds["items"].value, Hold::Handler);
        assert_eq!(texts[1].len(), 3, "its end is a part of the request");
    }

    #[test]
    fn statements_by_themselves_hold_nothing() {
        let (_, holds) =
            settled(2, &[(1, 10, "select a"), (1, 20, "select b"), (1, 110, "select a")]);
        assert_eq!(holds["items"].value, Hold::Operation);
        let (_, holds) =
            settled(2, &[(1, 10, "select a"), (1, 110, "BEGIN"), (1, 120, "select a")]);
        assert!(holds.is_empty(), "neither is usual");
        assert!(settled(2, &[]).1.is_empty(), "nothing was asked");
    }
}
