//! Threads and processes that share one core: processor sharing in the limit of short
//! slices, first come first served with long ones.

use sim::observe::Observations;
use tests::claim::{Case, Ratio, class_response_time, response_time, theory_scenario, throughput};
use tests::closed_form::{
    Lognormal, mg1_response_time, mmc_response_time, processor_sharing_response_time,
};

use crate::{case, case_of};

/// The scenario at two slices. To first order a mean response time is linear in the slice,
/// so that the line through both gives the limit: twice the finer less the coarser.
fn two_slices<'a>(name: &str) -> Case<'a> {
    case(vec![
        theory_scenario(name, &["cpu.slice=400us"]),
        theory_scenario(name, &["cpu.slice=200us"]),
    ])
}

fn at_slice_zero(seen: &[Observations], pick: impl Fn(&Observations) -> Ratio) -> Ratio {
    let (coarse, fine) = (pick(&seen[0]), pick(&seen[1]));
    Ratio(2.0 * fine.0 / fine.1 - coarse.0 / coarse.1, 1.0)
}

#[test]
fn processor_sharing_by_threads() {
    let wanted = processor_sharing_response_time(50.0, 0.01, 0.01);
    two_slices("processor-sharing-threads")
        .claim("processor sharing, threads: mean", wanted, |o| at_slice_zero(o, response_time))
        .check();
}

#[test]
fn processor_sharing_does_not_feel_the_variance_of_the_work() {
    let mean = Lognormal::through(0.005, 0.05).service().mean;
    let wanted = processor_sharing_response_time(60.0, mean, mean);
    two_slices("processor-sharing")
        .claim("processor sharing, lognormal: mean", wanted, |o| at_slice_zero(o, response_time))
        .check();
}

#[test]
fn processor_sharing_slows_all_jobs_by_the_same_factor() {
    let mean = (2.0 * 0.005 + 0.015) / 3.0;
    let short = processor_sharing_response_time(60.0, mean, 0.005);
    let long = processor_sharing_response_time(60.0, mean, 0.015);
    two_slices("processor-sharing-by-length")
        .claim("processor sharing: short jobs", short, |o| {
            at_slice_zero(o, |o| class_response_time(o, 1))
        })
        .claim("processor sharing: long jobs", long, |o| {
            at_slice_zero(o, |o| class_response_time(o, 2))
        })
        .check();
}

#[test]
fn processes_whose_slice_never_ends_are_served_in_order() {
    let wanted = mg1_response_time(60.0, Lognormal::through(0.005, 0.05).service());
    case_of("processor-sharing", &["cpu.slice=1h"])
        .claim("processes with a long slice: M/G/1 mean", wanted, |o| response_time(&o[0]))
        .check();
}

#[test]
fn an_interpreter_lock_makes_one_processor_of_four() {
    case_of("interpreter-lock", &[])
        .claim("interpreter lock on four cores: throughput", 100.0, |o| throughput(&o[0]))
        .check();
    case_of("interpreter-lock", &["costs.interpreter.lock=false"])
        .claim("no interpreter lock on four cores: throughput", 400.0, |o| throughput(&o[0]))
        .check();
}

#[test]
fn sessions_of_a_database_server_share_its_processor() {
    let mean = Lognormal::through(0.005, 0.05).service().mean;
    let wanted = processor_sharing_response_time(60.0, mean, mean);
    two_slices("database-server-sharing")
        .claim("sessions on a server's own processor: mean response time", wanted, |o| {
            at_slice_zero(o, response_time)
        })
        .check();
    let in_order = mg1_response_time(60.0, Lognormal::through(0.005, 0.05).service());
    case_of("database-server-sharing", &["cpu.slice=1h"])
        .claim("sessions with a long slice: M/G/1 mean", in_order, |o| response_time(&o[0]))
        .check();
}

/// The service computes nothing, so that its two processors are the server's.
#[test]
fn a_database_server_on_the_processors_of_the_service() {
    let name = "database server on the service's processors, M/M/2: mean response time";
    two_slices("database-server-shared")
        .claim(name, mmc_response_time(140.0, 0.01, 2), |o| at_slice_zero(o, response_time))
        .check();
}
