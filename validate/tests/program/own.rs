//! A service of the user's own: predicted as its scenario says, measured where it runs.

use std::time::Duration;

use serde_json::Value;
use testkit::{Reply, Server};

use super::lab::Lab;

/// A scenario of a service that answers after 20 ms.
const SHOP: &str = r#"
    load = { users = 4, think_time = "20ms", warmup = "300ms", duration = "1s" }
    service = { concurrency = "threadpool" }
    endpoint = [{ name = "item", weight = 1, steps = [{ sleep = "20ms" }],
        request = { path = "/items/{1..9}" } }]
    costs.cpu.request = "0.3ms"
"#;

fn lab() -> (Lab, Server) {
    let lab = Lab::empty();
    lab.write("shop.toml", &SHOP.replace(",\n        request", ", request"));
    lab.write("busier.toml", "extends = \"shop.toml\"\nload.users = 8\n");
    let pause = Duration::from_millis(20);
    (lab, Server::new(move |_| Reply::Answer(200, String::new(), pause)))
}

#[test]
fn a_service_of_ones_own_is_predicted_measured_and_judged() {
    let (lab, server) = lab();
    let url = format!("http://{}", server.address);
    let words = format!("run shop.toml --target {url} --set load.users=6 --repeat 2");
    let ended = lab.answers(&format!("{words} --format json"));
    let comparison = &ended.json::<Value>()["comparisons"][0];
    assert_eq!(comparison["predicted"]["digest"], comparison["measured"]["digest"]);
    assert!(comparison["measured"]["samples"].as_u64() > Some(0), "{comparison}");
    let rows = comparison["rows"].as_array().expect("rows");
    let of_stations: Vec<&Value> =
        rows.iter().filter(|row| row["scope"].to_string().contains("station")).collect();
    // How much the CPU was in use is judged; what cannot be seen has no row.
    assert!(of_stations.len() == 1 && of_stations[0]["metric"] == "utilisation", "{of_stations:?}");
    assert!(of_stations[0]["measured"].is_object(), "{of_stations:?}");
    assert!(server.requests().iter().all(|request| request.path.starts_with("/items/")));
    // No costs of a stack were looked for.
    assert!(!lab.path("costs").exists() && !ended.err.contains("alibrat"), "{ended:?}");
    lab.only_runs_are_left(1);
}

#[test]
fn the_load_may_be_varied_and_what_would_change_the_service_is_refused() {
    let (lab, server) = lab();
    let on = format!("--target http://{} --repeat 1", server.address);
    lab.answers(&format!("sweep shop.toml --vary load.users=2,4 {on}"));
    lab.answers(&format!("ladder busier.toml {on}"));
    for (words, told) in [
        ("sweep shop.toml --vary service.workers=1,2", "differ in `service`"),
        ("run shop.toml --costs platform.toml", "--costs is for the stacks"),
        ("run shop.toml --calibrate", "--calibrate is for the stacks"),
        ("run shop.toml --set service.event_loop=tokio --allow-host", "--allow-host"),
    ] {
        let ended = lab.end(&format!("{words} {on}")).refused(&[]);
        assert!(ended.err.contains(told), "{words}: {ended:?}");
    }
    let ended = lab.end("run shop.toml --target http://192.0.2.1").refused(&[]);
    assert!(ended.err.contains("--allow-host 192.0.2.1"), "{ended:?}");
}
