//! The load generator against servers that behave, and servers that do not.
#![forbid(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Barrier, mpsc};
use std::time::Duration;

use live::load::{self, Event, Plan, Second, Tally};
use live::wire::{Key, path_of};
use live::{clock, wire};
use model::failure::ErrorKind;
use model::place;
use model::scenario::Scenario;
use model::stream::Draws;
use model::workload::{RequestKey, Workload};
use testkit::{Reply, Request, Server, free_port, wait_for};
use tokio::sync::watch;

#[path = "load/retries.rs"]
mod retries;

const MILLISECOND: u64 = 1_000_000;

/// A scenario with this `[load]`, and endpoints of these names and weights.
fn scenario(load: &str, endpoints: &[(&str, u32)]) -> Arc<Scenario> {
    let mut text = format!("[costs]\n[load]\n{load}\n[service]\nconcurrency = \"async\"\n");
    for (name, weight) in endpoints {
        text += &format!("[[endpoint]]\nname = \"{name}\"\nweight = {weight}\n");
        text += "steps = [{ cpu = \"1us\" }]\n";
    }
    let resolved = model::read::load_text("test", &text, &[]);
    Arc::new(resolved.expect("a scenario that is right").scenario)
}

fn run(target: SocketAddr, load: &str) -> Tally {
    run_scenario(target, scenario(load, &[("job", 1)]))
}

fn run_scenario(target: SocketAddr, scenario: Arc<Scenario>) -> Tally {
    let (_stop, stopped) = watch::channel(false);
    load::run(&Plan { scenario, target, own: None }, stopped, mpsc::channel().0).expect("a tally")
}

fn errors(tally: &Tally, kind: ErrorKind) -> u64 {
    tally.whole.errors[kind as usize]
}

/// Runs `load`, which has no end of its own, until its requests so far are `enough`.
fn run_until(server: &Server, load: &str, enough: impl Fn(&[Asked]) -> bool) -> Tally {
    let load = format!("{load}\nduration = \"1h\"");
    let plan = Plan { scenario: scenario(&load, &[("job", 1)]), target: server.address, own: None };
    let (stop, stopped) = watch::channel(false);
    let running = std::thread::spawn(move || load::run(&plan, stopped, mpsc::channel().0));
    let progress = || server.requests().len() as u64;
    let done = || running.is_finished() || enough(&asked(server));
    wait_for("enough requests", progress, || done().then_some(()));
    // It may have ended by itself, and then the test fails.
    let _ = stop.send(true);
    running.join().expect("no panic").expect("a tally")
}

/// A request as the server saw it.
struct Asked {
    path: String,
    key: Key,
    /// It asked for the connection to be closed.
    close: bool,
    connection: usize,
}

/// All requests so far, in the order in which they came.
fn asked(server: &Server) -> Vec<Asked> {
    let all = server.requests().into_iter().map(|request| Asked {
        key: key(&request),
        close: request.headers.get("connection").is_some_and(|value| value == "close"),
        path: request.path,
        connection: request.connection,
    });
    all.collect()
}

fn key(request: &Request) -> Key {
    Key::parse(&request.headers["rung-key"]).expect("a key of a request")
}

/// What the server does to a request, and how the request then fails.
type Fate = (fn() -> Reply, Option<ErrorKind>);

/// The fates of the requests of a user, in turn.
const FATES: [Fate; 11] = [
    (Reply::good, None),
    (|| Reply::Answer(200, String::new(), Duration::from_millis(3)), None),
    (|| answer(500, ""), Some(ErrorKind::ServiceFailed)),
    (|| answer(503, ""), Some(ErrorKind::Rejected)),
    (|| answer(503, "rung-error: pool_timeout\r\n"), Some(ErrorKind::PoolTimeout)),
    (|| Reply::Broken(""), Some(ErrorKind::Disconnected)),
    (
        || Reply::Broken("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhal"),
        Some(ErrorKind::Disconnected),
    ),
    (|| Reply::Never, Some(ErrorKind::Timeout)),
    (|| Reply::Broken("What do you want?\r\n\r\n"), Some(ErrorKind::ServiceFailed)),
    (|| answer(200, "connection: close\r\n"), None),
    (|| Reply::AnswerAndClose, None),
];

fn answer(status: u16, headers: &str) -> Reply {
    Reply::Answer(status, headers.to_string(), Duration::ZERO)
}

#[test]
fn every_request_is_accounted_for_however_it_ends() {
    let fate = |key: RequestKey| FATES[key.index as usize % FATES.len()];
    let server = Server::new(move |request| fate(key(request).request).0());
    // Every user meets every fate several times, and some requests come after the warm-up.
    let enough = |asked: &[Asked]| {
        let often =
            |user| asked.iter().any(|it| it.key.request.lane == user && it.key.request.index > 40);
        let warm = asked.iter().any(|it| it.key.sent > asked[0].key.sent + 300 * MILLISECOND);
        warm && (0..6).all(often)
    };
    let tally = run_until(&server, "users = 6\nwarmup = \"200ms\"\ntimeout = \"40ms\"", enough);
    let keys: BTreeSet<RequestKey> = asked(&server).iter().map(|it| it.key.request).collect();
    let mut expected: BTreeMap<Option<ErrorKind>, u64> = BTreeMap::new();
    keys.iter().for_each(|&key| *expected.entry(fate(key).1).or_default() += 1);
    let mut missing = 0;
    for (kind, count) in expected {
        let found = kind.map_or(tally.whole.good, |kind| errors(&tally, kind));
        // On a slow machine any request may run into the timeout.
        assert!(found > 0 && (found <= count || kind == Some(ErrorKind::Timeout)), "{kind:?}");
        missing += count as i64 - found as i64;
    }
    assert!(missing.unsigned_abs() <= tally.whole.in_flight, "{missing}");
    assert_eq!(tally.whole.dropped, 0);
    assert!(tally.sent < tally.whole.sent, "the warm-up does not count");
}

#[test]
fn the_requests_are_those_that_the_workload_draws() {
    let endpoints = [("list items", 3), ("never", 0), ("buy", 1)];
    for load in ["users = 3\nthink_time = { mean = \"1ms\" }", "rate = \"500/s\""] {
        let server = Server::new(|_| Reply::good());
        let load = format!("{load}\nwarmup = \"0s\"\nduration = \"400ms\"");
        let scenario = scenario(&load, &endpoints);
        let tally = run_scenario(server.address, Arc::clone(&scenario));

        let workload = Workload::new(scenario.seed, &scenario.load, &scenario.endpoints);
        let mut draws = Draws::new();
        let mut lanes: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
        for Asked { path, key, .. } in asked(&server) {
            let class = workload.class(&mut draws, key.request);
            assert_eq!(path, path_of(endpoints[class].0));
            assert!(lanes.entry(key.request.lane).or_default().insert(key.request.index));
            assert!((tally.started..clock::now()).contains(&key.sent));
        }
        let users = if load.contains("users") { 3 } else { 1 };
        assert_eq!(lanes.len(), users);
        for (lane, indices) in lanes {
            // Requests of open users may overtake each other just before the end.
            let gaps = indices.last().map_or(0, |last| last + 1) - indices.len() as u64;
            assert!(gaps <= tally.whole.in_flight, "lane {lane}: {indices:?}");
        }
        assert!(tally.classes[0].good > 0 && tally.classes[2].good > 0);
        assert_eq!(tally.classes[1].good, 0);
    }
}

#[test]
fn recorded_arrivals_are_sent_when_they_are_due() {
    let server = Server::new(|_| Reply::good());
    let at: Vec<u64> = (0..200).map(|i| (i / 4 * 8 + i % 4 / 2) * MILLISECOND + i % 2).collect();
    let names = ["list items", "buy"];
    let line = |(index, at): (usize, &u64)| {
        let name = if index % 5 == 4 { "" } else { names[index % 2] };
        format!("0.{at:09},{name}\\n")
    };
    let lines: String = at.iter().enumerate().map(line).collect();
    let load = format!("trace = \"{lines}\"\nwarmup = \"100ms\"");
    let scenario = scenario(&load, &[("list items", 0), ("buy", 1)]);
    let tally = run_scenario(server.address, scenario);
    // Counts are exact, whatever the machine is doing: due after the warm-up, or before.
    let counted = at.iter().filter(|&&at| at >= 100 * MILLISECOND).count() as u64;
    assert_eq!((tally.sent, tally.dropped), (counted, 0));
    assert_eq!(tally.whole.sent, 200);
    assert_eq!(tally.window(), 900 * MILLISECOND);
    let asked = asked(&server);
    assert_eq!(asked.len() as u64 + tally.whole.in_flight, 200);
    for Asked { path, key, .. } in asked {
        let index = key.request.index as usize;
        assert_eq!(key.request.lane, 0);
        assert!(key.sent >= tally.started + at[index], "arrival {index} is too early");
        let name = if index % 5 == 4 { "buy" } else { names[index % 2] };
        assert_eq!(path, path_of(name), "arrival {index}");
    }
}

#[test]
fn open_arrivals_beyond_the_cap_are_dropped_and_counted() {
    let server = Server::new(|_| Reply::Answer(200, String::new(), Duration::from_millis(50)));
    let load = "rate = \"200.0001/s\"\nspacing = \"even\"\nmax_users = 2\nwarmup = \"500ms\"\n\
                duration = \"1s\"";
    let tally = run(server.address, load);
    // Arrival i comes just before 5 i ms: 101 to 300 are in the window, however late the
    // machine is. The last one comes less than a microsecond before the window closes.
    assert_eq!(tally.sent + tally.dropped, 200);
    // Two users with 50 ms for each request, and their requests in flight at the start.
    assert!((1..=42).contains(&tally.sent), "{}", tally.sent);
    assert!(tally.whole.sent + tally.whole.dropped >= 300);
    assert!(tally.in_flight.peak <= 2);
    assert!(tally.connections.peak <= 2);
    assert!(!tally.interrupted && tally.window() == 1000 * MILLISECOND);
    assert_eq!(tally.connections.made, 2, "both connections serve again and again");
}

#[test]
fn the_open_user_that_has_been_idle_longest_is_next() {
    // No one of the first five is answered before all of them have come; one user would be
    // enough for the rest.
    let five = Barrier::new(5);
    let server = Server::new(move |request| {
        if key(request).request.index < 5 {
            five.wait();
        }
        Reply::good()
    });
    let load = "rate = \"100/s\"\nspacing = \"even\"\nwarmup = \"0s\"\nduration = \"700ms\"";
    let tally = run(server.address, load);
    let asked = asked(&server);
    let late: BTreeSet<usize> = asked.iter().rev().take(30).map(|a| a.connection).collect();
    assert!(late.len() >= 5, "{late:?}");
    assert_eq!(tally.connections.remade, 0);
}

#[test]
fn ramped_users_begin_when_they_are_due() {
    let server = Server::new(|_| Reply::good());
    let load = "users = 0\nthink_time = \"5ms\"\nwarmup = \"0s\"\n\
                stages = [{ duration = \"400ms\", target = 4 }, \
                          { duration = \"400ms\", target = 0 }]";
    let tally = run(server.address, load);
    let asked = asked(&server);
    assert!(!asked.is_empty());
    for Asked { key, .. } in asked {
        // User k is due when the line rises above k: 100 k ms after the start.
        let due = tally.started + key.request.lane * 100 * MILLISECOND;
        assert!(key.sent >= due, "user {} is {} ns early", key.request.lane, due - key.sent);
    }
    assert_eq!(tally.good() + tally.in_flight.at_close, tally.sent);
}

#[test]
fn connections_that_are_opened_ahead_are_all_there_before_the_first_request() {
    let server = Server::new(|_| Reply::good());
    let load = "users = 5\nthink_time = \"1h\"\nwarmup = \"0s\"\npreconnect = true";
    let tally = run_until(&server, load, |asked| asked.len() >= 5);
    let asked = asked(&server);
    let connections: BTreeSet<usize> = asked.iter().map(|asked| asked.connection).collect();
    assert_eq!((asked.len(), connections.len()), (5, 5));
    // They were opened one after the other, and the requests went out together afterwards.
    assert!(connections.iter().all(|connection| *connection < 5));
    assert_eq!((tally.connections.made, tally.connections.remade), (5, 0));
    assert!(asked.iter().all(|asked| asked.key.sent >= tally.started));
}

#[test]
fn without_keep_alive_every_request_has_a_connection_of_its_own() {
    let server = Server::new(|_| Reply::good());
    let load = "users = 2\nthink_time = \"2ms\"\nkeep_alive = false\nwarmup = \"0s\"";
    let tally = run_until(&server, load, |asked| asked.len() >= 40);
    let asked = asked(&server);
    let connections: BTreeSet<usize> = asked.iter().map(|asked| asked.connection).collect();
    assert_eq!(connections.len(), asked.len());
    assert!(asked.iter().all(|asked| asked.close));
    assert!(tally.connections.made >= tally.whole.good && tally.whole.good > 0);
    assert!(tally.connections.peak <= 2);
    assert_eq!(tally.whole.errors, [0; ErrorKind::ALL.len()]);
}

#[test]
fn a_server_that_closes_idle_connections_causes_no_errors() {
    for think_time in ["5ms", "0s"] {
        let server = Server::new(|request| match key(request).request.index % 3 {
            2 => Reply::AnswerAndClose,
            _ => Reply::good(),
        });
        let load = format!("users = 4\nthink_time = \"{think_time}\"\nwarmup = \"0s\"");
        let tally = run_until(&server, &load, |asked| asked.len() >= 100);
        assert_eq!(tally.whole.errors, [0; ErrorKind::ALL.len()]);
        assert!(tally.connections.remade > 0);
        assert_eq!(tally.connections.made, 4 + tally.connections.remade);
    }
}

#[test]
fn a_request_is_sent_again_once_and_only_on_a_connection_that_was_kept() {
    let server = Server::new(|request| match key(request).request.index {
        0 | 2 => Reply::Broken(""),
        _ => Reply::good(),
    });
    let load = "users = 1\nthink_time = \"1ms\"\nwarmup = \"0s\"";
    let tally = run_until(&server, load, |asked| asked.iter().any(|it| it.key.request.index > 4));
    let asked = asked(&server);
    let times = |index| asked.iter().filter(|it| it.key.request.index == index).count();
    // The first came on a new connection, the third on one that had carried the second.
    assert_eq!((times(0), times(1), times(2)), (1, 1, 2));
    assert_eq!(errors(&tally, ErrorKind::Disconnected), 2);
}

#[test]
fn a_request_into_a_closed_connection_is_an_error_of_a_client_with_its_own_keep_alive() {
    // The server closes a connection when it has the second request of it.
    let server = Server::new(|request| match key(request).request.index % 3 {
        1 => Reply::Broken(""),
        _ => Reply::good(),
    });
    let load = "users = 1\nthink_time = \"1ms\"\nwarmup = \"0s\"\nkeep_alive_timeout = \"1h\"";
    let tally = run_until(&server, load, |asked| asked.iter().any(|it| it.key.request.index > 30));
    let asked = asked(&server);
    let mut indices: Vec<u64> = asked.iter().map(|it| it.key.request.index).collect();
    let lost = indices.iter().filter(|&&index| index % 3 == 1).count() as u64;
    // The last one may have been abandoned with the run.
    let counted = errors(&tally, ErrorKind::ConnectionClosed);
    assert!(counted >= 10 && lost - counted <= 1, "{counted} of {lost}");
    assert_eq!(errors(&tally, ErrorKind::Disconnected), 0, "they are no others");
    indices.dedup();
    assert_eq!(indices.len(), asked.len(), "none is sent again");
}

#[test]
fn a_client_closes_a_connection_that_it_has_not_used_for_too_long() {
    let server = Server::new(|_| Reply::good());
    let load = |timeout: &str| {
        format!("users = 2\nthink_time = \"20ms\"\nwarmup = \"0s\"\nkeep_alive_timeout = {timeout}")
    };
    let short = run_until(&server, &load("\"5ms\""), |asked| asked.len() >= 10);
    assert_eq!(short.connections.made, short.whole.good + short.whole.in_flight);
    assert_eq!(short.whole.errors, [0; ErrorKind::ALL.len()]);
    let server = Server::new(|_| Reply::good());
    let long = run_until(&server, &load("\"1h\""), |asked| asked.len() >= 10);
    assert_eq!(long.connections.made, 2);
}

#[test]
fn a_service_that_is_not_there_is_not_hammered() {
    let tally = run(
        SocketAddr::from(([127, 0, 0, 1], free_port())),
        "users = 3\nwarmup = \"0s\"\nduration = \"300ms\"",
    );
    let refused = errors(&tally, ErrorKind::Disconnected);
    assert_eq!(refused + tally.whole.in_flight, tally.whole.sent);
    // Each pauses 10 ms after each.
    assert!((3..=3 * 31).contains(&refused), "{refused}");
    assert_eq!(tally.connections.made, 0);
}

#[test]
fn requests_in_flight_at_the_end_are_counted() {
    let server = Server::new(|_| Reply::Never);
    let load = "users = 3\nwarmup = \"1s\"\nduration = \"200ms\"\ntimeout = \"never\"";
    let tally = run(server.address, load);
    assert_eq!((tally.whole.sent, tally.whole.in_flight), (3, 3));
    let in_flight = tally.in_flight;
    assert_eq!((in_flight.at_open, in_flight.at_close, in_flight.peak), (3, 3, 3));
    // They came at the start of the load: three were in flight all the time.
    assert_eq!(in_flight.area, 3 * u128::from(tally.window()));
    assert_eq!(tally.in_flight_mean(), 3.0);
    assert_eq!((tally.sent, tally.good()), (0, 0));
}

/// Stops a run of an hour with this warm-up once `enough` of its events have come.
fn stop_early(warmup: &str, enough: fn(&Event) -> bool) -> (Tally, Vec<Second>) {
    let server = Server::new(|_| Reply::good());
    let load = format!("users = 2\nthink_time = \"1ms\"\nwarmup = \"{warmup}\"\nduration = \"1h\"");
    let plan = Plan { scenario: scenario(&load, &[("job", 1)]), target: server.address, own: None };
    let (stop, stopped) = watch::channel(false);
    let (events, heard) = mpsc::channel();
    let running = std::thread::spawn(move || load::run(&plan, stopped, events));
    let mut seconds = Vec::new();
    for event in heard {
        if enough(&event) {
            // It may have ended by itself, and then the test fails.
            let _ = stop.send(true);
        }
        if let Event::Second(told) = event {
            assert_eq!(told.good.iter().sum::<u64>(), told.second.good);
            assert_eq!(told.times.len(), told.second.good);
            seconds.push(told.second);
        }
    }
    (running.join().expect("no panic").expect("a tally"), seconds)
}

#[test]
fn a_run_that_is_stopped_keeps_what_it_has_measured() {
    let second = |event: &Event| matches!(event, Event::Second(_));
    let (tally, seconds) = stop_early("200ms", second);
    assert!(tally.interrupted);
    assert_eq!(tally.opened, tally.started + 200 * MILLISECOND);
    assert!(tally.closed >= tally.started + 1000 * MILLISECOND);
    assert!(tally.good() > 0 && tally.good() < tally.whole.good);
    assert_eq!(tally.seconds, seconds);
    assert_eq!(seconds.iter().map(|s| s.length).sum::<u64>(), tally.closed - tally.started);
    assert_eq!(seconds.iter().map(|s| s.sent).sum::<u64>(), tally.whole.sent);
    assert_eq!(seconds.iter().map(|s| s.good).sum::<u64>(), tally.whole.good);
    assert!(seconds.iter().all(|s| s.p50 <= s.p99 && s.errors == 0));
    assert!(seconds.iter().zip(0..).all(|(second, index)| second.index == index));
}

#[test]
fn a_run_that_is_stopped_in_its_warmup_has_measured_nothing() {
    let started = |event: &Event| matches!(event, Event::Started { .. });
    let (tally, _) = stop_early("1h", started);
    assert!(tally.interrupted);
    assert_eq!((tally.window(), tally.sent, tally.good()), (0, 0, 0));
    assert_eq!(tally.in_flight_mean(), 0.0);
}

/// A reply whose header says where the time went.
fn timed(header: &str) -> Reply {
    answer(200, &format!("rung-time: {header}\r\n"))
}

/// The reply of a service that spent 1 us on its loop and the rest computing.
fn honest(sent: u64) -> Reply {
    let done = clock::now();
    let parts = vec![(place::LOOP, 1000), (place::CPU, done - sent - 1000)];
    timed(&wire::Times { done, parts }.to_string())
}

#[test]
fn the_parts_of_the_time_add_up_to_the_response_times() {
    let server = Server::new(|request| honest(key(request).sent));
    let load = "users = 3\nthink_time = \"1ms\"\nwarmup = \"100ms\"\nduration = \"300ms\"\n\
                keep_alive = false";
    let tally = run(server.address, load);
    let class = &tally.classes[0];
    assert!(class.good > 0);
    assert_eq!((class.timed, class.untimed, class.malformed), (class.good, 0, 0));
    assert_eq!(class.time.iter().sum::<u128>(), class.sum);
    assert_eq!(class.time[place::LOOP.index()], u128::from(class.good) * 1000);
    for place in [place::CONNECT, place::CPU, place::REPLY] {
        assert!(class.time[place.index()] > 0, "place {place}");
    }
    assert_eq!(class.response_times.len(), class.good);
}

#[test]
fn impossible_times_are_counted_and_left_out() {
    let lies: [fn(u64) -> String; 5] = [
        |_| "yesterday".into(),
        |sent| format!("{};3:5", clock::now().max(sent + 6)),
        |sent| format!("{};200:{}", sent + 9, 9),
        |sent| format!("{};3:{}", sent - 1, u64::MAX),
        |sent| format!("{0};3:{1}", u64::MAX, u64::MAX - sent),
    ];
    let server = Server::new(move |request| {
        let Key { request, sent } = key(request);
        lies.get(request.index as usize % 6).map_or(Reply::good(), |lie| timed(&lie(sent)))
    });
    let load = "users = 2\nthink_time = \"1ms\"\nwarmup = \"0s\"";
    let tally = run_until(&server, load, |asked| asked.len() >= 30);
    let class = &tally.classes[0];
    assert!(class.malformed >= 5 && class.untimed >= 1, "{class:?}");
    assert_eq!(class.malformed + class.untimed, class.good);
    assert_eq!(class.time.iter().sum::<u128>(), 0);
    assert_eq!(class.response_times.len(), class.good);
}
