//! Clients that come and go at random, and a server that stands still or is killed meanwhile: a good answer
//! always has the bytes of the command, each reply that was read is in the numbers of the server, its
//! workers are free afterwards, and nothing is left behind.
//!
//! Each seed is one schedule. `RUNG_CHAOS=7` runs the seed 7 alone, as often as one likes.
#![allow(clippy::print_stderr, reason = "a schedule that fails is told with its seed")]

use std::collections::BTreeMap;
use std::io::{Result as IoResult, Write as _};
use std::net::TcpStream;
use std::thread::{JoinHandle, sleep};
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use rustix::process::Signal;
use serde_json::json;

use crate::server::{ENDLESS, Reply, SHOP, Server};

/// Schedules that are tried.
const SEEDS: u64 = 6;
/// What happens in each of them.
const EVENTS: usize = 40;
/// Small limits, so that they are met.
const WORDS: &str =
    "--workers 2 --per-client 2 --queue 3 --time 500ms --patience 300ms --connections 24";

/// What happens.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// A question that is answered soon.
    Short,
    /// A question that takes more time than there is.
    Endless,
    /// A question that cannot be understood.
    Wrong,
    /// A question whose client goes away after a time.
    Leaves(Duration),
    /// A part of a question, and no more.
    Part(usize),
    /// The server stands still for a time.
    Paused(Duration),
}

struct Random(ChaCha8Rng);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0.next_u64() % most
    }

    fn event(&mut self) -> Event {
        match self.below(8) {
            0..3 => Event::Short,
            3 => Event::Endless,
            4 => Event::Wrong,
            5 => Event::Leaves(Duration::from_millis(self.below(80))),
            6 => Event::Part(self.below(400) as usize),
            _ => Event::Paused(Duration::from_millis(self.below(400))),
        }
    }
}

/// A question as it goes over the wire.
fn written(server: &Server, scenario: &str) -> String {
    let (host, body) = (server.host(), json!({ "scenario": scenario }).to_string());
    let length = body.len();
    format!(
        "POST /predict HTTP/1.1\r\n{host}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// Carries out the schedule of `seed`.
fn outlives(seed: u64) {
    let mut random = Random(ChaCha8Rng::seed_from_u64(seed));
    let server = Server::with(WORDS);
    server.lab.write("scenario.toml", SHOP);
    let wanted = server.lab.end("scenario scenario.toml --format json").with_code(0).out;
    let mut replies: Vec<JoinHandle<IoResult<Reply>>> = Vec::new();
    // Connections with a part of a question stay for as long as the server has patience with them.
    let mut parts = Vec::new();
    let ask =
        |scenario: &str| server.post_meanwhile("/predict", "", &json!({ "scenario": scenario }));
    for _ in 0..EVENTS {
        let event = random.event();
        eprintln!("seed {seed}: {event:?}");
        match event {
            Event::Short => replies.push(ask(SHOP)),
            Event::Endless => replies.push(ask(ENDLESS)),
            Event::Wrong => replies.push(ask("load = 5")),
            Event::Leaves(after) => {
                let mut stream = TcpStream::connect(server.address).expect("it listens");
                stream.write_all(written(&server, ENDLESS).as_bytes()).expect("sent");
                sleep(after);
            }
            Event::Part(most) => {
                let mut stream = TcpStream::connect(server.address).expect("it listens");
                let text = written(&server, SHOP);
                stream.write_all(&text.as_bytes()[..most.min(text.len())]).expect("sent");
                parts.push(stream);
            }
            Event::Paused(lasts) => {
                server.running.signal(Signal::STOP);
                sleep(lasts);
                server.running.signal(Signal::CONT);
            }
        }
        sleep(Duration::from_millis(random.below(30)));
    }
    let counts = settled(replies, &wanted);
    // All that has begun comes to its end, and the workers are free.
    server.wait_for_work(0.0, 0.0, "");
    server.lab.wait_for("a whole answer", || {
        let reply = server.post("/predict", &json!({ "scenario": SHOP }));
        (reply.status == 200 && reply.body == wanted).then_some(())
    });
    let told = server.get("/metrics").body;
    for (status, count) in counts {
        let head = format!(r#"rung_serve_requests_total{{path="/predict",status="{status}"}} "#);
        let line = told.lines().find_map(|line| line.strip_prefix(&head));
        let counted: u64 = line.and_then(|number| number.parse().ok()).unwrap_or(0);
        assert!(counted >= count, "seed {seed}: {counted} of {count} replies {status}: {told}");
    }
    ends(server, random.below(2) == 0);
}

/// Replies that were read, by status. A connection may have been refused or ended by the server.
fn settled(replies: Vec<JoinHandle<IoResult<Reply>>>, wanted: &str) -> BTreeMap<u16, u64> {
    let mut counts = BTreeMap::new();
    for reply in replies {
        let Ok(reply) = reply.join().expect("no panic") else { continue };
        *counts.entry(reply.status).or_default() += 1;
        match reply.status {
            200 => assert_eq!(reply.body, wanted),
            // Too slow a body, a wrong scenario, a full queue, no time left.
            408 | 422 | 429 | 503 => drop(reply.json()),
            _ => panic!("{reply:?}"),
        }
    }
    assert!(counts.values().sum::<u64>() > 0, "no reply at all");
    counts
}

/// It ends as it should, or is killed; another one has its port at once.
fn ends(server: Server, politely: bool) {
    let Server { lab, running, address } = server;
    if politely {
        running.signal(Signal::TERM);
        running.ended().with_code(0);
    } else {
        running.signal(Signal::KILL);
        running.ended();
    }
    lab.no_process_is_left();
    let mut again = lab.start(&format!("serve --listen {address}"));
    assert_eq!(again.address(), address);
    again.signal(Signal::TERM);
    again.ended().with_code(0);
}

#[test]
fn a_server_outlives_clients_and_pauses_at_any_moment() {
    if let Some(seed) = std::env::var("RUNG_CHAOS").ok().and_then(|seed| seed.parse().ok()) {
        return outlives(seed);
    }
    (1..=SEEDS).for_each(outlives);
}
