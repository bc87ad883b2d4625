//! Scripts for k6, as they are written.

use std::path::Path;

use model::read::load_text;

const SERVICE: &str = r#"
    seed = 7
    service.concurrency = "async"
    costs.cpu.request = "1ms"
    upstream.partner.latency = { p50 = "20ms", p99 = "60ms" }
    endpoint = [
        { name = "status", weight = 3 },
        { name = "get item", weight = 1.5, steps = [{ call = "partner" }] },
    ]
"#;

fn script(name: &str, load: &str) -> String {
    let text = format!("load = {load}\n{SERVICE}");
    let resolved = load_text(name, &text, &[]).expect("a valid scenario");
    live::k6::script(&resolved.scenario, &format!("{name}.toml"))
}

/// The script of `load` is the one in the file.
fn is_golden(name: &str, load: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/k6/{name}.js"));
    testkit::golden(file, &script(name, load));
}

#[test]
fn closed_users() {
    is_golden(
        "closed",
        r#"{ users = 8, think_time = { p50 = "20ms", p99 = "100ms" }, warmup = "1s",
             duration = "4s", timeout = "10s" }"#,
    );
}

#[test]
fn users_in_stages() {
    is_golden(
        "staged",
        r#"{ users = 0, warmup = "2s", keep_alive = false, timeout = "5s",
             stages = [{ duration = "2s", target = 20 }, { duration = "8s", target = 20 },
                       { duration = "1500ms", target = 5 }] }"#,
    );
}

#[test]
fn open_arrivals() {
    is_golden(
        "open",
        r#"{ rate = "33.5/s", max_users = 40, warmup = "1s", duration = "4s", timeout = "10s" }"#,
    );
}

#[test]
fn arrivals_in_stages() {
    let text = script(
        "ramp",
        r#"{ rate = "10/s", spacing = "even", warmup = "2s", timeout = "never",
             stages = [{ duration = "10s", target = "100/s" }] }"#,
    );
    for part in [
        "executor: 'ramping-arrival-rate',",
        "startRate: 10,",
        "{ duration: '10s', target: 100 },",
        "const TIMEOUT = '24h';",
        "preAllocatedVUs: 1000,",
        "iterationInTest",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("Poisson") && !text.contains("sleep"), "{text}");
}

#[test]
fn every_pause_has_an_expression() {
    for (think, wanted) in [
        (r#""0s""#, "if (kind === 'disconnected') sleep(0.01);"),
        (r#""250ms""#, "const seconds = 0.25;"),
        (r#"{ mean = "1s" }"#, "const seconds = -1 * Math.log1p(-u);"),
        (r#"{ low = "1s", high = "3s" }"#, "const seconds = 1 + (3 - 1) * u;"),
    ] {
        let load = format!(r#"{{ users = 2, think_time = {think}, duration = "4s" }}"#);
        let text = script("pause", &load);
        assert!(text.contains(wanted), "{think}: {text}");
        assert!(!text.contains("{{"), "a mark is left: {text}");
    }
}
