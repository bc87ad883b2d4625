//! Retries of clients as the server sees them: how many attempts, with which keys and pauses.

use std::collections::BTreeMap;

use model::failure::ErrorKind;
use model::workload::RequestKey;
use testkit::{Reply, Server};

use super::{MILLISECOND, answer, asked, errors, key, run, run_until};

/// Attempts of the request with this number of the first user, and when each was sent.
fn attempts(server: &Server, index: u64) -> Vec<u64> {
    let first = RequestKey { lane: 0, index };
    let number = |key: RequestKey| (0..=20).find(|&attempt| first.attempt(attempt) == key);
    let sent: BTreeMap<u32, u64> = asked(server)
        .iter()
        .filter_map(|it| Some((number(it.key.request)?, it.key.sent)))
        .collect();
    assert!(sent.keys().copied().eq(0..sent.len() as u32), "one after the other: {sent:?}");
    sent.into_values().collect()
}

/// The second request of the user has come: its first is over.
fn first_is_over(server: &Server, load: &str) -> live::load::Tally {
    run_until(server, load, |asked| asked.iter().any(|it| it.key.request.index == 1))
}

#[test]
fn a_request_has_so_many_attempts_after_pauses_that_grow() {
    let server = Server::new(|_| answer(500, ""));
    let tally = first_is_over(&server, "users = 1\nretries = 3\nbackoff = \"5ms\"");
    let sent = attempts(&server, 0);
    assert_eq!(sent.len(), 4);
    for (number, pair) in sent.windows(2).enumerate() {
        let pause = (5 << number) * MILLISECOND;
        assert!(pair[1] - pair[0] >= pause, "{sent:?}");
    }
    // It counts once, however often it was tried.
    assert_eq!(errors(&tally, ErrorKind::ServiceFailed), tally.whole.sent - tally.whole.in_flight);
}

#[test]
fn a_request_whose_second_attempt_is_answered_is_good() {
    let fails = |key: RequestKey| key.lane == 0;
    let server = Server::new(move |request| match fails(key(request).request) {
        true => answer(503, ""),
        false => Reply::good(),
    });
    let tally = first_is_over(&server, "users = 1\nretries = 1\nbackoff = \"1ms\"");
    assert_eq!(attempts(&server, 0).len(), 2);
    assert!(tally.whole.good > 0);
    assert_eq!(tally.whole.good, tally.whole.sent - tally.whole.in_flight);
}

#[test]
fn what_is_not_named_is_not_retried() {
    let server = Server::new(|_| answer(503, ""));
    let load = "users = 1\nretries = 3\nbackoff = \"1ms\"\nretry_on = [\"timeout\", \"error\"]";
    let tally = first_is_over(&server, load);
    assert_eq!(attempts(&server, 0).len(), 1);
    assert!(errors(&tally, ErrorKind::Rejected) > 0);
}

#[test]
fn an_attempt_that_is_abandoned_is_followed_by_one_on_another_connection() {
    let server = Server::new(|_| Reply::Never);
    let load =
        "users = 1\ntimeout = \"20ms\"\nretries = 20\nbackoff = \"1ms\"\ngive_up = \"100ms\"";
    let tally = first_is_over(&server, load);
    let sent = attempts(&server, 0).len();
    // Each attempt takes 20 ms at least.
    assert!((2..=5).contains(&sent), "{sent} attempts in 100 ms");
    let first = asked(&server).into_iter().filter(|it| it.key.request.index == 0);
    let connections: std::collections::BTreeSet<usize> = first.map(|it| it.connection).collect();
    assert_eq!(connections.len(), sent);
    assert!(errors(&tally, ErrorKind::Timeout) > 0);
}

#[test]
fn retries_stay_within_their_budget() {
    let server = Server::new(|_| answer(500, ""));
    let load = "rate = \"200/s\"\nwarmup = \"0s\"\nduration = \"1s\"\nretries = 3\n\
                backoff = \"1ms\"\nretry_budget = \"20%\"\nretry_floor = \"0/s\"";
    let tally = run(server.address, load);
    let (requests, attempts) = (tally.whole.sent as f64, asked(&server).len() as f64);
    assert!(attempts > requests && attempts <= 1.2 * requests, "{attempts} for {requests}");
    assert!(tally.retried.refused > 0);
}
