use super::*;

fn read(text: &str) -> Objective {
    text.parse().unwrap_or_else(|refused| panic!("{text}: {refused:?}"))
}

#[test]
fn objectives_are_read_in_rung_s_words_and_in_those_of_k6() {
    for (text, wanted) in [
        ("p99 < 800ms", "p99 < 800ms"),
        ("p99<0.8s", "p99 < 800ms"),
        ("p(99)<800", "p99 < 800ms"),
        ("http_req_duration: p(99.9) <= 1500", "p99.9 <= 1.5s"),
        ("p999 < 2s", "p99.9 < 2s"),
        ("med<200", "p50 < 200ms"),
        ("avg<200", "mean < 200ms"),
        ("max < 3s", "max < 3s"),
        ("rate<0.01", "errors < 1%"),
        ("http_req_failed:rate<0.001", "errors < 0.1%"),
        ("http_reqs:rate>100", "throughput > 100/s"),
        ("errors < 0.1%", "errors < 0.1%"),
        ("throughput >= 6000/m", "throughput >= 100/s"),
        ("endpoint:checkout.p99.9 < 1s", "endpoint:checkout.p99.9 < 1s"),
        ("endpoint:a.b.errors <= 0%", "endpoint:a.b.errors <= 0%"),
        ("endpoint:GET /items.throughput > 1/s", "endpoint:GET /items.throughput > 1/s"),
        ("utilisation:database_pool < 80%", "utilisation:database pool < 80%"),
        ("in_flight < 50", "in_flight < 50"),
        ("in_flight.peak < 90", "in_flight.peak < 90"),
        ("memory < 0.5GiB", "memory < 512MiB"),
    ] {
        let objective = read(text);
        assert_eq!(objective.to_string(), wanted, "{text}");
        assert_eq!(read(wanted), objective);
    }
}

#[test]
fn what_is_no_objective_is_refused_with_what_is_allowed() {
    for (text, found, allowed) in [
        ("p99", "is no objective", "p99 < 800ms"),
        ("p99 < 800", "limit of `p99 < 800`", "a time with its unit"),
        ("p99 < 5%", "`5%`", "a time with its unit"),
        ("p101 < 1s", "no number `p101`", "any quantile"),
        ("p0 < 1s", "no number `p0`", "any quantile"),
        ("errors < 3", "`3`", "0%"),
        ("rate<100", "`100`", "throughput > 100/s"),
        ("throughput > 100", "`100`", "a rate with its unit"),
        ("memory < 5", "`5`", "a size with its unit"),
        ("in_flight < 1s", "`1s`", "a number of requests"),
        ("errors < 0%", "cannot hold", "`<=`"),
        ("endpoint:checkout < 1s", "names no number", "endpoint:NAME."),
        ("utilisation < 80%", "no number `utilisation`", "utilisation:cpu"),
    ] {
        let refused = text.parse::<Objective>().expect_err(text);
        assert!(refused.found.contains(found), "{text}: {refused:?}");
        assert!(refused.allowed.contains(allowed), "{text}: {refused:?}");
    }
    let misspelt = "througput > 1/s".parse::<Objective>().expect_err("no such number");
    assert_eq!(misspelt.advice.as_deref(), Some("did you mean `throughput`?"));
}

#[test]
fn two_that_cannot_both_hold_contradict_each_other() {
    for (one, other, wanted) in [
        ("p99 < 1s", "p99 > 2s", true),
        ("p99 < 1s", "p99 >= 1s", true),
        ("p99 <= 1s", "p99 >= 1s", false),
        ("p99 < 1s", "p50 > 2s", true),
        ("p50 < 1s", "p99 > 2s", false),
        ("max < 1s", "p50 > 2s", true),
        ("p99 < 1s", "endpoint:a.p99 > 2s", false),
        ("p99 < 1s", "p99 < 2s", false),
        ("throughput > 10/s", "throughput < 5/s", true),
    ] {
        assert_eq!(read(one).contradicts(&read(other)), wanted, "{one}, {other}");
        assert_eq!(read(other).contradicts(&read(one)), wanted, "{other}, {one}");
    }
}

#[test]
fn the_margin_is_a_share_of_the_limit() {
    assert_eq!(read("p99 < 800ms").margin(0.4), 0.5);
    assert_eq!(read("throughput > 100/s").margin(125.0), 0.25);
    assert!(read("throughput > 100/s").margin(75.0) < 0.0);
    assert!(read("errors <= 0%").margin(0.1) < 0.0);
    assert_eq!(read("errors <= 0%").show(0.0), "0%");
    assert_eq!(read("p99 < 1s").show(0.0), "0us");
}
