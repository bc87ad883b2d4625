//! Several loads at once, each with its own users or arrivals.

use sim::observe::Observations;
use tests::claim::{Ratio, group_response_time, group_throughput, theory_scenario};
use tests::closed_form::mean_value_analysis_of_classes;

use crate::{case, case_of};

const PAGE: usize = 0;
const POLLER: usize = 1;

#[test]
fn two_classes_of_users_in_one_queue() {
    let wanted = mean_value_analysis_of_classes(&[(20, 0.01, 0.4), (30, 0.01, 2.0)]);
    case_of("two-loads", &[])
        .claim("two loads, one queue, page: throughput", wanted[PAGE].0, |o| {
            group_throughput(&o[0], PAGE)
        })
        .claim("two loads, one queue, poller: throughput", wanted[POLLER].0, |o| {
            group_throughput(&o[0], POLLER)
        })
        .claim("two loads, one queue, page: mean response time", wanted[PAGE].1, |o| {
            group_response_time(&o[0], PAGE)
        })
        .claim("two loads, one queue, poller: mean response time", wanted[POLLER].1, |o| {
            group_response_time(&o[0], POLLER)
        })
        .check();
}

/// A page comes back to the queue after 100 ms: twice the demand of a poll, in two visits of the
/// same service time, as first come first served asks for.
#[test]
fn two_classes_of_users_of_which_one_comes_twice() {
    let wanted = mean_value_analysis_of_classes(&[(12, 0.02, 0.1 + 0.2), (15, 0.01, 1.0)]);
    case_of("two-loads-visits", &[])
        .claim("two loads, two visits, page: throughput", wanted[PAGE].0, |o| {
            group_throughput(&o[0], PAGE)
        })
        .claim("two loads, two visits, poller: throughput", wanted[POLLER].0, |o| {
            group_throughput(&o[0], POLLER)
        })
        .claim("two loads, two visits, page: mean response time", wanted[PAGE].1 + 0.1, |o| {
            group_response_time(&o[0], PAGE)
        })
        .claim("two loads, two visits, poller: mean response time", wanted[POLLER].1, |o| {
            group_response_time(&o[0], POLLER)
        })
        .check();
}

/// Threads that share a processor: to first order in the slice, see `sharing`.
#[test]
fn two_classes_of_users_that_share_the_processor() {
    let wanted = mean_value_analysis_of_classes(&[(6, 0.01, 0.1), (4, 0.04, 0.3)]);
    let limit = |seen: &[Observations], pick: fn(&Observations, usize) -> Ratio, group| {
        let (coarse, fine) = (pick(&seen[0], group), pick(&seen[1], group));
        Ratio(2.0 * fine.0 / fine.1 - coarse.0 / coarse.1, 1.0)
    };
    let slices = ["cpu.slice=400us", "cpu.slice=200us"];
    case(slices.map(|slice| theory_scenario("two-loads-sharing", &[slice])).into())
        .claim("two loads, processor sharing, page: throughput", wanted[PAGE].0, |o| {
            limit(o, group_throughput, PAGE)
        })
        .claim("two loads, processor sharing, poller: throughput", wanted[POLLER].0, |o| {
            limit(o, group_throughput, POLLER)
        })
        .claim("two loads, processor sharing, page: mean response time", wanted[PAGE].1, |o| {
            limit(o, group_response_time, PAGE)
        })
        .claim("two loads, processor sharing, poller: mean response time", wanted[POLLER].1, |o| {
            limit(o, group_response_time, POLLER)
        })
        .check();
}

/// A mixed network: arrivals leave the users the rest of the processor, `D / (1 - rho)`, and find
/// the users' queue before them.
#[test]
fn users_beside_arrivals() {
    let (rate, demand) = (30.0, 0.01);
    let rest = 1.0 - rate * demand;
    let (throughput, response_time) =
        mean_value_analysis_of_classes(&[(10, demand / rest, 0.3)])[0];
    let arrivals = demand * (1.0 + throughput * response_time) / rest;
    let sets = ["load.group.page.users=10", "load.group.page.think_time={ mean = \"300ms\" }"];
    let poller = "load.group.poller={ rate = \"30/s\", mix = [{ endpoint = \"poll\" }] }";
    case_of("two-loads", &[sets[0], sets[1], poller])
        .claim("users beside arrivals: throughput of the users", throughput, |o| {
            group_throughput(&o[0], PAGE)
        })
        .claim("users beside arrivals: mean of the users", response_time, |o| {
            group_response_time(&o[0], PAGE)
        })
        .claim("users beside arrivals: mean of the arrivals", arrivals, |o| {
            group_response_time(&o[0], POLLER)
        })
        .check();
}
