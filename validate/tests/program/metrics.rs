//! Metrics for other programs: the prediction beside the measurement.

use std::net::SocketAddr;

use rustix::process::Signal;
use testkit::{free_port, get};

use super::lab::Lab;

#[test]
fn both_sides_are_there_under_the_same_names() {
    let lab = Lab::new();
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let words = format!(
        "run shop.toml --warmup 0s --duration 5m --costs platform.toml --format json \
         --metrics-listen {address}"
    );
    let run = lab.start(&words);
    let text = lab.wait_for("the CPU of a second", || {
        let reply = get(address, "/metrics", "").ok()?;
        reply.contains("process_cpu_utilization_ratio{rung_source=\"measured\"").then_some(reply)
    });
    let metrics: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    // These are of the measurement alone: nothing went wrong that was not predicted.
    let alone = ["rung_round", "rung_counting"];
    let both = metrics.iter().filter_map(|line| line.split(' ').next());
    for name in both.filter(|name| !alone.contains(name)) {
        for source in ["measured", "predicted"] {
            let series = |line: &&str| {
                line.starts_with(name) && line.contains(&format!("rung_source=\"{source}\""))
            };
            assert!(text.lines().any(|line| series(&line)), "{name} {source} in\n{text}");
        }
    }
    assert!(metrics.len() > 8, "{metrics:?}");
    run.signal(Signal::INT);
    let ended = run.ended().with_code(3);
    let kept = lab.files("runs").into_iter().next().expect("a run");
    let report = std::fs::read_to_string(kept.join("report.json")).expect("a report");
    assert!(report.contains("metrics exporter"), "{report}");
    assert!(ended.err.contains(&format!("metrics: http://{address}/metrics")), "{ended:?}");
    lab.only_runs_are_left(1);
    lab.is_free(address);
}

#[test]
fn an_address_that_is_taken_is_told_before_costs_are_measured() {
    let lab = Lab::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    // Without --costs, they would be measured first.
    let words = format!("run shop.toml --metrics-listen {address}");
    lab.end(&words).refused(&["another program listens there already"]);
    assert!(!lab.path("costs").exists() && !lab.path("runs").exists(), "nothing was measured");
}
