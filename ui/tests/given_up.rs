//! An engine hears that nobody waits for its answer any more.

use std::io::Write as _;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use ui::page::Start;
use ui::{Engine, Server};

/// An engine that answers when it is given up, and tells what it is at.
struct Slow(Mutex<Sender<&'static str>>);

impl Slow {
    fn tell(&self, what: &'static str) {
        self.0.lock().expect("no panic").send(what).expect("the test listens");
    }
}

impl Engine for Slow {
    fn ask(&self, _: &str, stop: &Arc<AtomicBool>) -> String {
        self.tell("asked");
        while !stop.load(Ordering::Relaxed) {
            thread::yield_now();
        }
        self.tell("given up");
        String::new()
    }

    fn save(&self, _: &str) -> String {
        String::new()
    }
}

#[test]
fn a_question_whose_page_is_gone_is_given_up() {
    let server = Server::bind(0).expect("a port");
    let address = server.address();
    let (sender, heard) = channel();
    let start = Start::default();
    // It ends with the test.
    thread::spawn(move || server.run(Arc::new(Slow(Mutex::new(sender))), start));
    let (host, path) = address["http://".len()..].split_once('/').expect("a path");
    let mut page = TcpStream::connect(host).expect("it listens");
    write!(page, "POST /{path}ask HTTP/1.1\r\nhost: {host}\r\ncontent-length: 2\r\n\r\n{{}}")
        .expect("sent");
    // Long: a slow machine passes, and a fault ends the test.
    let limit = Duration::from_secs(120);
    assert_eq!(heard.recv_timeout(limit), Ok("asked"));
    drop(page);
    assert_eq!(heard.recv_timeout(limit), Ok("given up"));
}
