//! How it ends: what it works on is answered, and nothing else.

use std::net::TcpStream;

use rustix::process::Signal;
use serde_json::json;
use testkit::in_time;

use crate::server::{ENDLESS, Server};

#[test]
fn what_is_worked_on_is_answered_before_it_ends() {
    for signal in [Signal::TERM, Signal::INT] {
        in_time(|seconds| {
            let server = Server::with(&format!("--workers 1 --time {seconds}s"));
            let question = json!({ "scenario": ENDLESS });
            let worked_on = server.post_meanwhile("/predict", "", &question);
            let worked = || server.metric("rung_serve_working", "") == 1.0;
            // On a slow machine it may have ended before it was seen.
            server.lab.wait_for("work", || (worked() || worked_on.is_finished()).then_some(()));
            let waits = server.post_meanwhile("/predict", "", &question);
            let waiting = || server.metric("rung_serve_waiting", "") == 1.0;
            server.lab.wait_for("a queue", || (waiting() || worked_on.is_finished()).then_some(()));
            if worked_on.is_finished() {
                return None;
            }
            server.running.signal(signal);
            // One that waits is told at once, one that is worked on gets its answer.
            let told = waits.join().expect("no panic").expect("a reply");
            told.is_problem(503, "ending");
            assert!(told.head.contains("connection: close"), "{told:?}");
            // The port is free at once, while the other still works.
            server.lab.is_free(server.address);
            assert!(TcpStream::connect(server.address).is_err());
            worked_on.join().expect("no panic").expect("a reply").is_problem(503, "time");
            server.running.ended().with_code(0);
            Some(())
        });
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let server = Server::with("--time 9000h");
    let worked_on = server.post_meanwhile("/predict", "", &json!({ "scenario": ENDLESS }));
    server.wait_for_work(1.0, 0.0, "");
    server.running.signal(Signal::TERM);
    server.lab.is_free(server.address);
    server.running.signal(Signal::TERM);
    let Server { lab, running, .. } = server;
    running.ended().with_code(130);
    assert!(worked_on.join().expect("no panic").is_err());
    lab.no_process_is_left();
}

#[test]
fn without_work_it_ends_at_once() {
    let server = Server::with("");
    // An idle connection does not keep it.
    let _idle = TcpStream::connect(server.address).expect("it listens");
    server.running.signal(Signal::INT);
    let ended = server.running.ended().with_code(0);
    assert_eq!(ended.out, format!("http://{}\n", server.address));
}
