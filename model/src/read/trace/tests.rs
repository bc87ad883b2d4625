use super::super::{load_text, load_texts};
use super::*;
use crate::scenario::{Scenario, Source};

/// The times of a file in milliseconds, or its problems.
fn times(text: &str) -> Result<Vec<u64>, String> {
    let (mut sources, mut problems) = (Sources::default(), Problems::default());
    let at = sources.add("t.csv", Some(text.into()));
    match read(text, at, &mut problems) {
        Some((trace, _)) => Ok((0..trace.len())
            .filter_map(|index| trace.at(index as u64))
            .map(|at| at.nanos() / 1_000_000)
            .collect()),
        None => Err(problems.finish(&sources).to_string()),
    }
}

#[test]
fn each_form_of_time_is_read() {
    let told = Ok(vec![0, 250, 250, 2000]);
    assert_eq!(times("0\n.25\n0.250\n2\n"), told);
    assert_eq!(times("time\n0\n0.25\n\n# a note\n0.25\r\n2"), told);
    assert_eq!(times("1795888448\n1795888448.25\n1795888448.25\n1795888450\n"), told);
    assert_eq!(
        times(
            "2026-11-28T17:54:08Z\n2026-11-28 17:54:08.25\n2026-11-28T19:54:08.25+02:00\n\
             2026-11-28T17:54:10Z\n"
        ),
        told
    );
    // Times from the start are from the start, not from the first arrival.
    assert_eq!(times("3\n4.5"), Ok(vec![3000, 4500]));
}

#[test]
fn the_requests_of_one_second_of_a_log_are_spread_over_it() {
    let line = |second: u32, path: &str| {
        format!(
            "1.2.3.4 - - [28/Feb/2028:23:59:{second} +0000] \"GET {path} HTTP/1.1\" 200 5 \"-\" \"x [y]\"\n"
        )
    };
    let log = line(58, "/a") + &line(58, "/b?c=d") + &line(59, "/a") + &line(59, "/a");
    let after = "1.2.3.4 - - [29/Feb/2028:00:00:00 +0000] \"-\" 400 0\n";
    assert_eq!(times(&(log + after)), Ok(vec![0, 500, 1000, 1500, 2000]));
}

#[test]
fn every_bad_line_is_named_up_to_ten_of_them() {
    let told = times("0.5\nsoon\n0.4\n2026-11-28T17:54:08Z\n-1\n0.6,a,b\n1795888448123\n")
        .expect_err("six bad lines");
    for part in [
        "t.csv:2:1: \"soon\" is no time",
        "t.csv:3:1: \"0.4\" is earlier than the line before",
        "t.csv:4:1: \"2026-11-28T17:54:08Z\" has another form",
        "t.csv:5:1: \"-1\" is no time",
        "t.csv:6:1: \"a,b\" is more than one name",
        "t.csv:7:1: \"1795888448123\" is no time",
        "divide milliseconds by 1000",
    ] {
        assert!(told.contains(part), "{part} in\n{told}");
    }
    let many: String = (0..25).map(|line| format!("{}\n", 100 - line)).collect();
    let told = times(&many).expect_err("24 bad lines");
    assert_eq!(told.matches("is earlier").count(), 10, "{told}");
    assert!(told.contains("t.csv:12:1: 14 more lines are wrong"), "{told}");
    let told = times("time,endpoint\n\n").expect_err("no arrival");
    assert!(told.contains("t.csv:1:1: there is no arrival in it"), "{told}");
    for wrong in ["2026-02-30T00:00:00Z", "2026-1-1", "12:30", "1e3", "2026-01-01T25:00:00", "."] {
        assert!(times(wrong).is_err(), "{wrong}");
    }
}

/// A scenario with two endpoints whose load has `trace` in the file `load/t`.
fn scenario(load: &str, trace: &str) -> Result<super::super::Resolved, String> {
    let text = format!(
        r#"
        load = {{ {load} }}
        service.concurrency = "async"
        endpoint = [{{ name = "GET /items/{{id}}", weight = 3 }}, {{ name = "GET /", weight = 1 }}]
        costs.cpu.request = "1ms"
        "#
    );
    load_texts("s/shop.toml", &[("s/shop.toml", &text), ("s/load/t", trace)], &[])
        .map_err(|problems| problems.to_string())
}

fn trace(scenario: &Scenario) -> &Trace {
    let Source::Replay { trace, .. } = &scenario.load.source else { panic!("no trace") };
    trace
}

#[test]
fn a_trace_is_read_beside_its_scenario_and_ends_the_run() {
    let resolved = scenario("trace = \"load/t\"", "0\n0.5\n7.25").expect("sound");
    assert_eq!(trace(&resolved.scenario).len(), 3);
    assert_eq!(resolved.get("load.duration").as_deref(), Some("8s"));
    assert_eq!(resolved.get("load.trace").as_deref(), Some("s/load/t (3 arrivals)"));
    let cut = scenario("trace = \"load/t\", warmup = \"1s\", duration = \"2s\"", "0\n0.5\n7.25");
    let cut = cut.expect("sound").scenario;
    assert_eq!(trace(&cut).count(cut.load.total()), 2);
    let warm = scenario("trace = \"load/t\", warmup = \"3s\"", "0\n0.5\n7.25").expect("sound");
    assert_eq!(warm.get("load.duration").as_deref(), Some("5s"));
}

#[test]
fn a_printed_trace_is_read_back() {
    for text in [
        "0\n0.5\n7.25",
        "time,endpoint\n0.000000001,\"GET /\"\n2,\n3,GET /items/{id}\n",
        "x [28/Nov/2026:17:54:08 +0000] \"GET /items/7 HTTP/1.1\" 200 1\n",
    ] {
        let resolved = scenario("trace = \"load/t\"", text).expect(text);
        let printed = resolved.to_toml();
        let again = load_text("shop", &printed, &[]).unwrap_or_else(|e| panic!("{e}\n{printed}"));
        assert_eq!(again.scenario, resolved.scenario, "{printed}");
        assert_eq!(again.digest(), resolved.digest());
        // As files of their own too.
        let files = resolved.to_files("shop.toml");
        let files: Vec<(&str, &str)> =
            files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        assert_eq!(files.len(), 2);
        let again = load_texts("shop.toml", &files, &[]).expect("sound");
        assert_eq!(again.scenario, resolved.scenario);
        // The service's side knows of no arrivals.
        let service = load_text("shop", &resolved.to_service_toml(), &[]).expect("sound").scenario;
        assert!(matches!(service.load.source, Source::Open { .. }));
        assert_eq!(service.load.duration, resolved.scenario.load.duration);
    }
    let [one, other] = ["0\n1", "0\n1.5"].map(|text| scenario("trace = \"load/t\"", text));
    assert_ne!(one.expect("sound").digest(), other.expect("sound").digest());
}

#[test]
fn requests_of_a_log_call_the_endpoints_whose_paths_fit() {
    let log =
        |path: &str| format!("x [28/Nov/2026:17:54:08 +0000] \"GET {path} HTTP/1.1\" 200 1\n");
    let text = log("/items/7?x=1") + &log("/") + &log("/items/8") + &log("/items/7");
    let found = scenario("trace = \"load/t\"", &text).expect("sound").scenario;
    let calls = trace(&found).calls(&found.endpoints, found.load.total());
    assert_eq!(calls, (vec![3, 1], 0));
    let told = scenario("trace = \"load/t\"", &(text + &log("/favicon.ico"))).expect_err("no such");
    assert!(told.contains("s/load/t:5:1: `load.trace` calls `GET /favicon.ico`"), "{told}");
}

#[test]
fn what_a_reader_should_know_of_a_trace_is_noted() {
    let notes = |load: &str, trace: &str| scenario(load, trace).expect("sound").notes();
    assert_eq!(notes("trace = \"load/t\"", "0\n0.5"), [""; 0]);
    let late = notes("trace = \"load/t\", duration = \"9s\"", "0\n0.5");
    assert_eq!(late, ["`load.trace` ends after 1s: nothing comes from then on until 9s"]);
    let text = r#"
        load.trace = "time,request\n0,GET /a\n"
        service.concurrency = "async"
        endpoint = [{ name = "list", weight = 1 }]
        costs.cpu.request = "1ms"
    "#;
    let unknown = load_text("shop", text, &[]).expect("sound").notes();
    assert_eq!(unknown.len(), 1, "{unknown:?}");
    assert!(unknown[0].contains("`load.trace` has requests such as `GET /a`"), "{unknown:?}");
}

#[test]
fn what_a_trace_cannot_have_beside_it_is_refused() {
    for (load, part) in [
        ("trace = \"load/t\", rate = \"5/s\"", "`load` has `rate` and `trace` together"),
        ("trace = \"load/t\", spacing = \"even\"", "`load.spacing` beside `trace`"),
        (
            "trace = \"load/t\", on_off = { on = \"1s\", off = \"1s\" }",
            "`load.on_off` beside `trace`",
        ),
        ("trace = \"load/t\", think_time = \"1s\"", "`load.think_time` beside `trace`"),
        (
            "trace = \"load/t\", stages = [{ duration = \"1s\", target = 5 }]",
            "`load.stages` beside `load.trace`",
        ),
        ("trace = \"load/u\"", "`load.trace` is \"load/u\": there is no such file"),
        ("trace = 5", "`load.trace` is 5"),
        ("trace = \"load/t\", warmup = \"9s\"", "`load.warmup` is 9s, and `load.trace` lasts 8s"),
    ] {
        let told = scenario(load, "0\n0.5\n7.25").expect_err(part);
        assert!(told.contains(part), "{part} in\n{told}");
    }
    let told =
        scenario("trace = \"load/t\"", "time,endpoint\n0,GET /\n1,GET \n").expect_err("name");
    assert!(told.contains("s/load/t:3:1: `load.trace` calls `GET`"), "{told}");
    assert!(told.contains("did you mean `GET /`?"), "{told}");
}
