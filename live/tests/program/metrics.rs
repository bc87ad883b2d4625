//! Metrics for other programs, while a service is measured.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use rustix::process::Signal;
use testkit::{Reply, Server, free_port, get};

use crate::shop::Shop;

/// The text at `/metrics` as soon as it has `part`.
fn text_with(shop: &Shop, address: SocketAddr, part: &str) -> String {
    shop.lab.wait_for(part, || {
        let reply = get(address, "/metrics", "").ok()?;
        assert!(reply.starts_with("HTTP/1.1 200 "), "{reply}");
        reply.contains(part).then_some(reply)
    })
}

#[test]
fn prometheus_reads_what_is_measured_while_it_is_measured() {
    let shop = Shop::new();
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let run = shop.start(&format!("--warmup 0s --metrics-listen {address}"));
    let text = text_with(&shop, address, "rung_throughput_per_second{");
    for part in [
        "content-type: text/plain; version=0.0.4",
        "# TYPE http_server_request_duration_seconds histogram\n",
        "rung_scenario=\"shop\",le=\"+Inf\"} ",
        "http_server_active_requests{rung_source=\"measured\",rung_scenario=\"shop\"} ",
        "rung_answers_total{rung_source=\"measured\",rung_scenario=\"shop\",rung_endpoint=\"order\"} ",
        "rung_place_requests{rung_source=\"measured\",rung_scenario=\"shop\",rung_place=\"upstream partner\"} ",
        "rung_counting{rung_source=\"measured\",rung_scenario=\"shop\"} 1.0\n",
    ] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    // What a worker has used is known from its second second on.
    text_with(&shop, address, "process_cpu_time_seconds_total{");
    assert!(!text.contains("predicted"), "{text}");
    assert!(get(address, "/", "").expect("a reply").starts_with("HTTP/1.1 404 "));
    run.signal(Signal::INT);
    let ended = run.ended().with_code(3);
    assert!(ended.err.starts_with(&format!("metrics: http://{address}/metrics\n")), "{ended:?}");
    // What it costs is told apart.
    let kept = shop.lab.kept(&ended);
    let processes = &kept.measurement().processes;
    let names: Vec<&str> = processes.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["worker 0", "mock upstream", "load generator", "metrics exporter"]);
    shop.is_gone(1);
    shop.lab.is_free(address);
}

#[test]
fn a_collector_is_told_each_second_and_at_the_end() {
    let shop = Shop::new();
    let collector = Server::new(|_| Reply::good());
    let run = shop.start(&format!("--warmup 0s --otlp http://{}/base", collector.address));
    // The first message has no metrics: it asks whether the collector answers.
    shop.lab.wait_for("exports", || (collector.requests().len() > 3).then_some(()));
    run.signal(Signal::INT);
    let ended = run.ended().with_code(3);
    assert!(!ended.err.contains("exports"), "{ended:?}");
    let requests = collector.requests();
    for request in &requests {
        assert_eq!((&*request.method, &*request.path), ("POST", "/base/v1/metrics"));
        assert_eq!(request.headers["content-type"], "application/x-protobuf");
    }
    assert!(requests[0].body.contains("service.name") && !requests[0].body.contains("rung.source"));
    let last = &requests.last().expect("requests").body;
    for part in ["http.server.request.duration", "rung.source", "measured", "shop"] {
        assert!(last.contains(part), "{part} in {last}");
    }
    shop.is_gone(1);
}

#[test]
fn a_collector_that_fails_is_told_of_and_does_not_end_the_measurement() {
    let shop = Shop::new();
    let answer = |request: &testkit::Request| match !request.body.contains("rung.source") {
        true => Reply::good(),
        false => Reply::Answer(503, String::new(), Duration::ZERO),
    };
    let collector = Server::new(answer);
    let words = "run shop.toml --warmup 0s --duration 2s --format json";
    let ended = shop.lab.end(&format!("{words} --otlp http://{}", collector.address));
    let ended = ended.with_one_of(&[0, 3]);
    let told =
        format!("exports to http://{}/v1/metrics failed: it answered 503", collector.address);
    assert!(ended.err.contains(&told), "{ended:?}");
    shop.lab.only_runs_are_left(1);
}

#[test]
fn what_cannot_be_shown_is_told_before_anything_is_measured() {
    let shop = Shop::new();
    let refused = |options: &str, words: &[&str]| {
        shop.lab.end(&format!("run shop.toml {options}")).refused(words);
        shop.lab.only_runs_are_left(0);
    };
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    refused(
        &format!("--metrics-listen {address}"),
        &[&address.to_string(), "another program listens there already"],
    );
    let closed = SocketAddr::from(([127, 0, 0, 1], free_port()));
    refused(
        &format!("--otlp http://{closed}"),
        &[
            &format!("no metrics can be sent to http://{closed}/v1/metrics"),
            "Start the collector first",
        ],
    );
    let other = Server::new(|_| Reply::Answer(404, String::new(), Duration::ZERO));
    refused(&format!("--otlp http://{}", other.address), &["it answered 404 Not Found"]);
    refused("--otlp https://127.0.0.1:4318", &["begins with `http://`"]);
    refused("--metrics-listen 9464", &["invalid socket address"]);
}
