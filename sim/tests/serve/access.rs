//! Who may ask.

use serde_json::json;
use testkit::Lab;

use crate::server::{SHOP, Server};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

#[test]
fn without_tokens_it_answers_this_machine_alone() {
    let server = Server::with("");
    let port = server.address.port();
    let json = "content-type: application/json\r\n";
    let body = json!({ "scenario": SHOP }).to_string();
    for headers in [
        format!("host: evil.example:{port}\r\n{json}"),
        format!("{}origin: http://evil.example\r\n{json}", server.host()),
        format!("{}sec-fetch-site: cross-site\r\n{json}", server.host()),
    ] {
        server.reply("POST", "/predict", &headers, &body).is_problem(403, "foreign");
    }
    let named = format!("host: localhost:{port}\r\n{json}");
    assert_eq!(server.reply("POST", "/predict", &named, &body).status, 200);
}

#[test]
fn with_tokens_one_must_be_shown() {
    let lab = Lab::new(env!("CARGO_BIN_EXE_sim"));
    lab.write("tokens.txt", &format!("# the team\nci {TOKEN}\n"));
    let server = Server::in_lab(lab, "--tokens tokens.txt");
    let question = json!({ "scenario": SHOP });
    assert_eq!(server.post_as("/predict", TOKEN, &question).status, 200);
    for token in ["", "0123456789abcdef", &format!("{TOKEN}0")] {
        let reply = server.post_as("/predict", token, &question);
        reply.is_problem(401, "token");
        assert!(reply.head.contains("www-authenticate: bearer"), "{reply:?}");
        assert_eq!(server.reply("GET", "/metrics", &server.host(), "").status, 401);
    }
    // A load balancer has none.
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn other_paths_and_methods_are_named() {
    let server = Server::with("");
    let problem = server.get("/predictions").is_problem(404, "path");
    assert!(
        problem["detail"].as_str().is_some_and(|d| d.contains("/predict, /explain")),
        "{problem}"
    );
    let reply = server.get("/predict");
    reply.is_problem(405, "method");
    assert!(reply.head.contains("allow: post"), "{reply:?}");
    for reply in [server.get("/healthz"), server.get("/openapi.json"), server.get("/metrics")] {
        assert_eq!(reply.status, 200);
        assert!(reply.head.contains("cache-control: no-store"), "{reply:?}");
    }
}

#[test]
fn wrong_words_end_it_at_once() {
    let lab = Lab::new(env!("CARGO_BIN_EXE_sim"));
    lab.write("empty.txt", "# none\n");
    lab.write("short.txt", "ci 123\n");
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let taken = taken.local_addr().expect("an address").to_string();
    for (words, told) in [
        ("--listen 0.0.0.0:0", "no token is asked for"),
        ("--listen [::]:0", "no token is asked for"),
        ("--tokens nothing.txt", "cannot be read"),
        ("--tokens empty.txt", "there is no token"),
        ("--tokens short.txt", "line 1: the token is too short"),
        ("--time 0s", "a time above 0s"),
        ("--memory lots", "--memory"),
        ("--workers 0", "--workers"),
        (&format!("--listen {taken}"), "cannot listen on"),
    ] {
        lab.end(&format!("serve {words}")).refused(&[told]);
    }
}
