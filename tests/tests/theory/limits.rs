//! Places that are all taken: loss, refusal, semaphores, timeouts.

use model::place;
use sim::observe::{ErrorKind, Observations};
use tests::claim::{Ratio, error_share, response_time, throughput};
use tests::closed_form::{Lognormal, erlang_b, mm1k_blocking, mmck};

use crate::case_of;

#[test]
fn erlang_b_does_not_feel_the_distribution() {
    let load = 40.0 * Lognormal::through(0.15, 1.0).service().mean;
    let wanted = erlang_b(10, load);
    case_of("erlang-b", &[])
        .claim("Erlang B at the server: refused", wanted, |o| {
            error_share(&o[0], ErrorKind::Rejected)
        })
        .check();
    case_of("erlang-b-dropped", &[])
        .claim("Erlang B at the load generator: dropped", wanted, |o| dropped_share(&o[0]))
        .check();
}

fn dropped_share(seen: &Observations) -> Ratio {
    Ratio(seen.dropped as f64, (seen.dropped + seen.sent) as f64)
}

#[test]
fn mm1k() {
    let blocking = mm1k_blocking(80.0, 0.01, 5);
    let throughput_wanted = 80.0 * (1.0 - blocking);
    // Little's law on the mean number of an M/M/1/K queue.
    let weights: Vec<f64> = (0..=5).map(|k| 0.8f64.powi(k)).collect();
    let number = weights.iter().zip(0..).map(|(weight, k)| weight * f64::from(k)).sum::<f64>()
        / weights.iter().sum::<f64>();
    case_of("mm1k", &[])
        .claim("M/M/1/K: refused", blocking, |o| error_share(&o[0], ErrorKind::Rejected))
        .claim("M/M/1/K: throughput", throughput_wanted, |o| throughput(&o[0]))
        .claim("M/M/1/K: mean response time", number / throughput_wanted, |o| response_time(&o[0]))
        .check();
}

#[test]
fn an_upstream_of_four_servers_and_six_places() {
    let (refused, response) = mmck(90.0, 0.04, 4, 6);
    case_of("upstream-capacity", &[])
        .claim("M/M/c/K at the upstream: refused", refused, |o| {
            error_share(&o[0], ErrorKind::UpstreamRefused)
        })
        .claim("M/M/c/K at the upstream: mean response time", response, |o| response_time(&o[0]))
        .check();
    // Without a queue it is Erlang's loss formula, which does not feel the distribution.
    let sets =
        ["upstream.partner.queue=0", "upstream.partner.latency={p50=\"30ms\",p99=\"200ms\"}"];
    let wanted = erlang_b(4, 90.0 * Lognormal::through(0.03, 0.2).service().mean);
    case_of("upstream-capacity", &sets)
        .claim("Erlang B at the upstream: refused", wanted, |o| {
            error_share(&o[0], ErrorKind::UpstreamRefused)
        })
        .check();
}

#[test]
fn saturated_semaphore() {
    let wanted = 20.0 / Lognormal::through(0.15, 1.0).service().mean;
    case_of("semaphore", &[])
        .claim("saturated semaphore: throughput", wanted, |o| throughput(&o[0]))
        .check();
}

#[test]
fn retries_are_independent_attempts() {
    let (failures, attempts) = (0.4f64, 3);
    let all_fail = failures.powi(attempts);
    case_of("retries", &[])
        .claim("retries: share that fails", all_fail, |o| {
            error_share(&o[0], ErrorKind::UpstreamFailed)
        })
        .claim("retries: attempts of a request", (1.0 - all_fail) / (1.0 - failures), |o| {
            Ratio(o[0].attempts as f64, o[0].sent as f64)
        })
        .check();
}

/// The same for clients. With k failures before the good answer, 50 ms each, pauses of full jitter
/// are 50 ms and 150 ms on average.
#[test]
fn clients_retry_in_independent_attempts() {
    let (p, attempts) = (0.4f64, 3);
    let all_fail = p.powi(attempts);
    let one = 0.05 + 0.1 / 2.0;
    let two = one + 0.05 + 0.3 / 2.0;
    let before = (1.0 - p) * (p * one + p * p * two) / (1.0 - all_fail);
    case_of("client-retries", &[])
        .claim("clients that retry: share that fails", all_fail, |o| {
            error_share(&o[0], ErrorKind::UpstreamFailed)
        })
        .claim("clients that retry: attempts of a request", (1.0 - all_fail) / (1.0 - p), |o| {
            Ratio(o[0].client.attempts as f64, o[0].sent as f64)
        })
        .claim("clients that retry with full jitter: earlier attempts and pauses", before, |o| {
            let retry = o[0].classes[0].time[place::RETRY.index()];
            Ratio(retry as f64 / 1e9, o[0].good() as f64)
        })
        .check();
}

/// Pauses that are far longer than requests make the retries a Poisson stream of their own: each
/// attempt is refused with the probability B of Erlang's loss formula at the load of all attempts,
/// which is that of the requests times (1 - B^n)/(1 - B).
#[test]
fn retries_come_back_to_a_full_worker() {
    let (places, attempts) = (10, 4);
    let load = 40.0 * Lognormal::through(0.15, 1.0).service().mean;
    let mut refused = 0.0f64;
    for _ in 0..1000 {
        let all = load * (1.0 - refused.powi(attempts)) / (1.0 - refused);
        refused = erlang_b(places, all);
    }
    let sets = ["retries=3", "backoff=20s", "backoff_factor=1", "jitter=full", "warmup=100s"];
    let sets = sets.map(|set| format!("load.{set}"));
    case_of("erlang-b", &sets.each_ref().map(String::as_str))
        .claim(
            "clients that retry at a full worker, M/G/c/c: share of attempts refused",
            refused,
            |o| {
                let failed = o[0].errors()[ErrorKind::Rejected as usize] + o[0].client.retries;
                Ratio(failed as f64, o[0].client.attempts as f64)
            },
        )
        .check();
}

/// Each attempt draws a latency of its own.
#[test]
fn a_retry_after_a_timeout_is_another_attempt() {
    let sets =
        ["timeout=5s", "retries=1", "backoff=0s"].map(|set| format!("upstream.partner.{set}"));
    let wanted = Lognormal::through(4.0, 22.0).tail(5.0).powi(2);
    case_of("timeout", &sets.each_ref().map(String::as_str))
        .claim("timeouts with one retry: share", wanted, |o| {
            error_share(&o[0], ErrorKind::UpstreamTimeout)
        })
        .check();
}

#[test]
fn a_gather_takes_as_long_as_its_slowest_branch() {
    let wanted = 0.1 * (1.0 + 1.0 / 2.0 + 1.0 / 3.0 + 1.0 / 4.0);
    case_of("gather", &[])
        .claim("gather of four exponential calls: mean", wanted, |o| response_time(&o[0]))
        .check();
}

#[test]
fn a_timeout_truncates_the_call() {
    let latency = Lognormal::through(4.0, 22.0);
    let exchange = place::upstream(0).index();
    case_of("timeout", &[])
        .claim("timeout of a lognormal call: share", latency.tail(10.0), |o| {
            error_share(&o[0], ErrorKind::UpstreamTimeout)
        })
        // Little's law at the upstream: its mean number over its rate of attempts.
        .claim("timeout of a lognormal call: mean attempt", latency.mean_capped(10.0), |o| {
            Ratio(o[0].places[exchange].area() as f64 / 1e9, o[0].attempts as f64)
        })
        .check();
}
