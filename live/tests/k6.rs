//! Scripts for k6, as they are written.

use std::path::Path;

use model::read::load_text;

/// The script of a scenario with this `load`.
fn script(load: &str) -> String {
    let text = format!(
        r#"
        load = {load}
        seed = 7
        service.concurrency = "async"
        costs.cpu.request = "1ms"
        upstream.partner.latency = {{ p50 = "20ms", p99 = "60ms" }}
        endpoint = [
            {{ name = "status", weight = 3 }},
            {{ name = "get item", weight = 1.5, steps = [{{ call = "partner" }}] }},
        ]
        "#
    );
    let resolved = load_text("shop", &text, &[]).expect("a valid scenario");
    live::k6::script(&resolved.scenario, "shop.toml")
}

/// Lines of `base` that are not in `other`, and then those that are only in `other`.
fn changes(base: &str, other: &str) -> String {
    let only = |one: &str, other: &str, mark: &str| -> String {
        let mut shared: Vec<&str> = other.lines().collect();
        let is_new = |line: &&str| match shared.iter().position(|it| it == line) {
            Some(index) => {
                shared.remove(index);
                false
            }
            None => true,
        };
        one.lines().filter(is_new).map(|line| format!("{mark}{line}\n")).collect()
    };
    only(base, other, "-") + &only(other, base, "+")
}

#[test]
fn scripts_are_as_in_their_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/k6");
    let base = script(r#"{ users = 8, warmup = "1s", duration = "4s", timeout = "10s" }"#);
    testkit::golden(folder.join("closed.js"), &base);
    for (name, load) in [
        (
            "pauses",
            r#"{ users = 8, think_time = { p50 = "20ms", p99 = "100ms" }, warmup = "1s",
                 duration = "4s", timeout = "10s" }"#,
        ),
        (
            "stages",
            r#"{ users = 0, warmup = "2s", keep_alive = false, timeout = "5s",
                 stages = [{ duration = "2s", target = 20 }, { duration = "8s", target = 20 },
                           { duration = "1500ms", target = 5 }] }"#,
        ),
        (
            "arrivals",
            r#"{ rate = "33.5/s", max_users = 40, warmup = "1s", duration = "4s",
                 timeout = "10s" }"#,
        ),
        (
            "bursts",
            r#"{ rate = "20/s", on_off = { on = "1s", off = { mean = "2s" } }, warmup = "1s",
                 duration = "4s", timeout = { p50 = "1s", p99 = "4s" } }"#,
        ),
        (
            "trace",
            r#"{ trace = "time,endpoint\n0,status\n0.25,get item\n0.25\n3.000000001,status\n7\n",
                 duration = "4s", timeout = "2s" }"#,
        ),
        (
            "groups",
            r#"{ warmup = "1s", duration = "4s", timeout = "10s", group = [
                 { name = "page", users = 8, think_time = { mean = "2s" } },
                 { name = "probe", rate = "5/s", spacing = "even", keep_alive = false,
                   mix = [{ endpoint = "status" }], timeout = { mean = "1s" } },
                 { name = "recorded", trace = "0\n1.5,status\n" }] }"#,
        ),
    ] {
        testkit::golden(folder.join(format!("{name}.diff")), &changes(&base, &script(load)));
    }
}

#[test]
fn groups_with_names_that_k6_does_not_take_are_numbered() {
    let text = script(
        r#"{ duration = "4s", group = [{ name = "the page", users = 1 },
             { name = "probe", rate = "5/s" }] }"#,
    );
    for part in ["    // the page\n    'load-1': {", "    // probe\n    'load-2': {"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("{{"), "a mark is left: {text}");
}

#[test]
fn arrivals_in_stages() {
    let text = script(
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
        let text = script(&load);
        assert!(text.contains(wanted), "{think}: {text}");
        assert!(!text.contains("{{"), "a mark is left: {text}");
    }
}

/// Two endpoints that say how they are asked for, and one that does not.
const OWN: &str = r#"
    load = { users = 8, warmup = "1s", duration = "4s", timeout = "10s" }
    seed = 7
    service.concurrency = "async"
    costs.cpu.request = "1ms"
    endpoint = [
        { name = "status", weight = 1 },
        { name = "item", weight = 3,
          request = { path = "/items/{1..5000}?full={yes|no}&text={{kinds}}" } },
        { name = "order", weight = 1.5,
          request = { method = "POST", path = "/orders", headers = { x-key = "{uuid}" },
                      body = '{"id": {18446744073709551000..18446744073709551615}, "by": "{{seed}}"}' } },
    ]
"#;

#[test]
fn requests_of_endpoints_are_in_the_script() {
    let resolved = load_text("shop", OWN, &[]).expect("a valid scenario");
    let text = live::k6::script(&resolved.scenario, "shop.toml");
    testkit::golden(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/k6/own.js"), &text);
}
