//! A fixed number of users, or of workers that block.

use sim::observe::Observations;
use tests::claim::{Ratio, response_time, theory_scenario, throughput};
use tests::closed_form::{machine_repairman_throughput, mean_value_analysis};

use crate::{FAMILY, case, case_of};

#[test]
fn mean_value_analysis_of_1_to_500_users() {
    for users in [1, 2, 5, 10, 20, 50, 100, 200, 500] {
        let (wanted, wait) = mean_value_analysis(users, 0.01, 0.2);
        let plural = if users == 1 { "" } else { "s" };
        let name = format!("closed, {users} user{plural}: throughput");
        let name_of_wait = format!("closed, {users} user{plural}: mean response time");
        let both = FAMILY.contains(&name_of_wait.as_str());
        let case = case_of("closed", &[&format!("load.users={users}")])
            .claim(&name, wanted, |o| throughput(&o[0]));
        let case =
            if both { case.claim(&name_of_wait, wait, |o| response_time(&o[0])) } else { case };
        case.check();
    }
}

#[test]
fn machine_repairman_of_1_to_8_workers() {
    for workers in [1, 2, 4, 8] {
        let wanted = machine_repairman_throughput(workers, 0.1, 0.02);
        let plural = if workers == 1 { "" } else { "s" };
        let name = format!("repairman, {workers} worker{plural}: throughput");
        case_of("repairman", &[&format!("service.workers={workers}")])
            .claim(&name, wanted, |o| throughput(&o[0]))
            .check();
    }
}

#[test]
fn poisson_arrivals_hit_their_rate() {
    case_of("arrivals", &[])
        .claim("Poisson arrivals: rate", 1000.0, |o| {
            Ratio(o[0].sent as f64, o[0].window.secs_f64())
        })
        .check();
}

/// Twenty users leave the processor no time to idle: 2 ms in the service and 3 ms in the database server
/// are 5 ms of it for each answer.
#[test]
fn one_processor_for_the_service_and_its_database_server() {
    case(vec![theory_scenario("one-processor", &[])])
        .claim("one processor for service and server: throughput", 1.0 / 0.005, |o| {
            throughput(&o[0])
        })
        .check();
}

#[test]
fn utilisation_law() {
    let busy_by_answer = |o: &Observations| Ratio(o.cpu.cores.area() as f64 / 1e9, o.good() as f64);
    let demand = 0.5 * 0.002 + 0.3 * 0.006 + 0.2 * 0.01;
    case(vec![theory_scenario("laws", &[])])
        .claim("utilisation law: CPU demand", demand, |o| busy_by_answer(&o[0]))
        .check();
}
