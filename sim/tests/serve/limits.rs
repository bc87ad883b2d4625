//! No question, no client and no connection keeps the others waiting.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::json;
use testkit::Lab;

use crate::server::{ENDLESS, SHOP, Server, read};

const ANN: &str = "token-of-ann-0123456789";
const BEN: &str = "token-of-ben-0123456789";

/// A server that tells two clients apart.
fn for_two(words: &str) -> Server {
    let lab = Lab::new(env!("CARGO_BIN_EXE_sim"));
    lab.write("tokens", &format!("ann {ANN}\nben {BEN}\n"));
    Server::in_lab(lab, &format!("--tokens tokens {words}"))
}

#[test]
fn a_question_ends_when_its_events_are_used_up() {
    let server = Server::with("--events 1000000");
    for path in ["/predict", "/explain", "/ladder"] {
        let problem = server.post(path, &json!({ "scenario": ENDLESS })).is_problem(422, "limit");
        assert_eq!(problem["errors"], json!([{ "limit": "events", "allowed": 1_000_000 }]));
    }
    // Runs that are short, but many.
    let question = json!({ "scenario": SHOP, "replications": 1000 });
    server.post("/predict", &question).is_problem(422, "limit");
    assert_eq!(server.post("/predict", &json!({ "scenario": SHOP })).status, 200);
}

#[test]
fn a_question_ends_when_its_time_is_over() {
    let server = Server::with("--time 300ms");
    let reply = server.post("/predict", &json!({ "scenario": ENDLESS }));
    reply.is_problem(503, "time");
    assert!(reply.head.contains("retry-after: "), "{reply:?}");
    // Its worker is free again.
    server.wait_for_work(0.0, 0.0, "");
}

#[test]
fn a_question_that_needs_much_memory_is_refused() {
    let server = Server::with("--memory 64MiB --time 10min");
    let endpoints: Vec<_> = (0..900)
        .map(|n| json!({ "name": format!("e{n}"), "weight": 1, "steps": [{ "sleep": "1ms" }] }))
        .collect();
    let locks: serde_json::Map<_, _> =
        (0..900).map(|n| (format!("l{n}"), json!({ "scope": "service" }))).collect();
    for set in [
        vec!["load.users=10000000"],
        vec!["load.users=10000000", "load.think_time=1h"],
        vec!["load.rate=1000000/s", "endpoint.hello.steps=[{ sleep = \"1h\" }]"],
    ] {
        let problem = server.post("/predict", &json!({ "scenario": ENDLESS, "set": set }));
        let problem = problem.is_problem(422, "limit");
        assert_eq!(problem["errors"][0]["limit"], "memory", "{problem}");
    }
    for (key, value) in [("endpoint", json!(endpoints)), ("lock", json!(locks))] {
        let mut scenario = json!({
            "costs": {}, "load": { "users": 1, "duration": "1s" },
            "service": { "concurrency": "async", "workers": 64 },
            "endpoint": [{ "name": "hello", "weight": 1, "steps": [{ "sleep": "1ms" }] }],
        });
        scenario[key] = value;
        let problem = server.post("/predict", &json!({ "scenario": scenario }));
        let problem = problem.is_problem(422, "limit");
        assert_eq!(problem["errors"][0]["limit"], "memory", "{key}: {problem}");
    }
    let peak = peak(server.running.pid().as_raw_nonzero().get());
    assert!(peak < 256 << 20, "{} MiB", peak >> 20);
}

/// Most resident memory of a process so far, in bytes.
fn peak(process: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line");
    line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).expect("a number") << 10
}

#[test]
fn a_client_that_asks_for_much_keeps_no_other_waiting() {
    let server = for_two("--workers 2 --time 1h --queue 3");
    let endless = json!({ "scenario": ENDLESS });
    let asked = [(); 4].map(|()| server.post_meanwhile("/predict", ANN, &endless));
    // One of two workers is all that it gets.
    server.wait_for_work(1.0, 3.0, ANN);
    for _ in 0..3 {
        assert_eq!(server.post_as("/predict", BEN, &json!({ "scenario": SHOP })).status, 200);
    }
    // The queue is full of its own questions.
    let reply = server.post_as("/predict", ANN, &endless);
    reply.is_problem(429, "busy");
    assert!(reply.head.contains("retry-after: "), "{reply:?}");
    server.wait_for_work(1.0, 3.0, ANN);
    drop(asked);
}

#[test]
fn a_question_whose_client_is_gone_is_given_up() {
    let server = Server::with("--workers 1 --time 1h");
    let body = json!({ "scenario": ENDLESS }).to_string();
    let ask = || {
        let mut stream = TcpStream::connect(server.address).expect("it listens");
        let (host, length) = (server.host(), body.len());
        write!(
            stream,
            "POST /predict HTTP/1.1\r\n{host}content-type: application/json\r\n\
             content-length: {length}\r\n\r\n{body}"
        )
        .expect("sent");
        stream
    };
    let worked_on = ask();
    server.wait_for_work(1.0, 0.0, "");
    let waits = ask();
    server.wait_for_work(1.0, 1.0, "");
    drop(waits);
    server.wait_for_work(1.0, 0.0, "");
    drop(worked_on);
    server.wait_for_work(0.0, 0.0, "");
}

#[test]
fn a_body_is_short_and_json() {
    let server = Server::with("--body 1kB");
    let long = json!({ "scenario": "#".repeat(2000) });
    server.post("/predict", &long).is_problem(413, "body");
    let reply = server.reply("POST", "/predict", &server.host(), "{}");
    reply.is_problem(415, "type");
    let plain = format!("{}content-type: text/plain\r\n", server.host());
    server.reply("POST", "/predict", &plain, "{}").is_problem(415, "type");
}

#[test]
fn a_client_that_is_slow_is_given_up() {
    let server = Server::with("--patience 200ms");
    let send = |text: &str| {
        let mut stream = TcpStream::connect(server.address).expect("it listens");
        stream.write_all(text.as_bytes()).expect("sent");
        let mut reply = String::new();
        // The server ends it; a connection that it resets has ended too.
        let _ = stream.read_to_string(&mut reply);
        reply
    };
    // Half a head, a head without its body, and no more than a connection.
    assert!(read(&send("POST /predict HTTP/1.1\r\nhost:")).is_none_or(|reply| reply.status == 408));
    let host = server.host();
    let head = format!(
        "POST /predict HTTP/1.1\r\n{host}content-type: application/json\r\ncontent-length: 9\r\n\r\n{{"
    );
    read(&send(&head)).expect("a reply").is_problem(408, "slow");
    assert_eq!(send(""), "");
}
