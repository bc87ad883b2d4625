//! When a measurement proves nothing, and why: each guard is a sentence in the report.

use model::measurement::{DatabaseServer, Measurement, Process};
use model::place::PlaceId;
use model::report::{OTHER_STATIONS, Report, STATIONS};

use super::onlooker::Display;

/// Share of the service's processors that the hypervisor may take away.
const STEAL: f64 = 0.02;
/// Share of the service's processors that other programs may use.
const OTHERS: f64 = 0.05;
/// Share of the load's processors that the hypervisor may take away, and that other programs
/// may use: that delays requests without a trace in the service.
const LOAD_STEAL: f64 = 0.02;
const LOAD_OTHERS: f64 = 0.10;
/// Share of a processor that the load generator or the mock upstream may need, and that both
/// may need of all of the load's. Beyond it, requests queue for them and not for the service.
const LOAD_CPU: f64 = 0.8;
/// Share of processors that service and load may need of those that both may run on.
const SHARED_CPU: f64 = 0.9;
/// How late one request in a hundred may be sent, or one upstream reply, in seconds.
const LATE: f64 = 0.010;
/// The same relative to the median response time, where that is longer.
const LATE_SHARE: f64 = 0.05;
/// How long replies may lie before the load generator reads them, on average in seconds...
const REPLY: f64 = 0.001;
/// ... and relative to the mean response time. Both must be exceeded.
const REPLY_SHARE: f64 = 0.05;
/// How late a fault may be, in seconds.
const FAULT_LATE: f64 = 0.1;
/// Good answers without which no number means anything.
const GOOD: u64 = 10;

/// The reasons why `report` is inconclusive, beyond those that are known already.
pub(super) fn reasons(report: &Report, measurement: &Measurement) -> Vec<String> {
    let mut reasons = Vec::new();
    if measurement.interrupted {
        reasons.push("the run was interrupted before its end".to_string());
    }
    if !measurement.pinned {
        reasons.push(
            "the service shares its processor with the load: it needs one to itself".to_string(),
        );
    }
    if report.run.samples < GOOD {
        reasons.push(format!(
            "only {} good answers were counted: lengthen --duration",
            report.run.samples
        ));
    }
    crowded(measurement, &mut reasons);
    machine(report, measurement, &mut reasons);
    load(measurement, &mut reasons);
    late(report, measurement, &mut reasons);
    faults(measurement, &mut reasons);
    if measurement.malformed > 0 {
        reasons.push(format!(
            "{} answers said what cannot be of where their time went",
            measurement.malformed
        ));
    }
    if measurement.unaccepted > 0 {
        reasons.push(format!(
            "the mock upstream failed to accept connections, {} times: its callers waited for it",
            measurement.unaccepted
        ));
    }
    reasons
}

/// Service and load may run on the same processors, where there is room for both.
fn crowded(measurement: &Measurement, reasons: &mut Vec<String>) {
    if !measurement.pinned || !shares(measurement) {
        return;
    }
    let used: f64 = measurement.processes.iter().map(|process| process.utilisation).sum();
    let used = used + server_on(measurement, &measurement.service_cpus);
    let share = used / measurement.service_cpus.len() as f64;
    if share > SHARED_CPU {
        reasons.push(format!(
            "service and load together used {} of the processors that both may run on (at most \
             {}): they slowed each other down",
            percent(share),
            percent(SHARED_CPU)
        ));
    }
}

/// What other programs may use of the processors of the service, and of those of the load. Some of
/// them may belong to a service of the user's own, as its database does: they may use what is left
/// where the service has no processors to itself.
fn others_allowed(report: &Report, measurement: &Measurement) -> (f64, f64) {
    if is_known(report) || measurement.load_cpus.is_empty() {
        return (OTHERS, LOAD_OTHERS);
    }
    let used = |all: bool| -> f64 {
        let processes = measurement.processes.iter().filter(|one| all || !one.is_worker());
        processes.map(|process| process.utilisation).sum()
    };
    let left = |used: f64, cpus: &[u32]| {
        SHARED_CPU - (used + server_on(measurement, cpus)) / cpus.len().max(1) as f64
    };
    match shares(measurement) {
        true => {
            let left = left(used(true), &measurement.service_cpus);
            (left.max(OTHERS), left.max(LOAD_OTHERS))
        }
        false => (OTHERS, left(used(false), &measurement.load_cpus).max(LOAD_OTHERS)),
    }
}

/// What the service does inside is known: it is not the user's own.
fn is_known(report: &Report) -> bool {
    report.tells(STATIONS) && report.tells(OTHER_STATIONS)
}

/// What a database server that runs on some of `cpus` alone has used, as a share of one processor.
fn server_on(measurement: &Measurement, cpus: &[u32]) -> f64 {
    let there = |one: &&DatabaseServer| one.cpus.iter().all(|cpu| cpus.contains(cpu));
    let server = measurement.database.as_ref().filter(there);
    server.map_or(0.0, |one| one.utilisation + one.watching)
}

/// Service and load may run on the same processors.
fn shares(measurement: &Measurement) -> bool {
    measurement.service_cpus.iter().any(|cpu| measurement.load_cpus.contains(cpu))
}

/// What others took of the processors of both sides.
fn machine(report: &Report, measurement: &Measurement, reasons: &mut Vec<String>) {
    let others = others_allowed(report, measurement);
    let unnamed = !is_known(report) && measurement.database.is_none();
    let hint = match unnamed {
        true => ": if the service's database is one of them, name it with --database-pid",
        false => "",
    };
    let sides = [
        ("service's", measurement.steal, STEAL, measurement.others, others.0),
        ("load's", measurement.load_steal, LOAD_STEAL, measurement.load_others, others.1),
    ];
    for (whose, steal, steal_most, others, others_most) in sides {
        if steal > steal_most {
            reasons.push(format!(
                "the hypervisor took {} of the {whose} processors away (at most {})",
                percent(steal),
                percent(steal_most)
            ));
        }
        if others > others_most {
            reasons.push(format!(
                "other programs used {} of the {whose} processors (at most {}){hint}",
                percent(others),
                percent(others_most)
            ));
        }
    }
}

/// What the load generator and the mock upstream took of theirs.
fn load(measurement: &Measurement, reasons: &mut Vec<String>) {
    // The threads that show what is measured have the lowest priority: nothing waits for them.
    let serves = |process: &&Process| !process.is_worker() && !Display::has_name(&process.name);
    let of_load = || measurement.processes.iter().filter(serves);
    let busy: Vec<&Process> = of_load().filter(|process| process.utilisation > LOAD_CPU).collect();
    for process in &busy {
        reasons.push(format!(
            "the {} used {} of a processor (at most {}): requests queued for it",
            process.name,
            percent(process.utilisation),
            percent(LOAD_CPU)
        ));
    }
    let cpus = measurement.load_cpus.len().max(1) as f64;
    let server = server_on(measurement, &measurement.load_cpus);
    let all = of_load().map(|process| process.utilisation).sum::<f64>() + server;
    let share = all / cpus;
    if busy.is_empty() && share > LOAD_CPU {
        let server = if server > 0.0 { ", database server" } else { "" };
        reasons.push(format!(
            "load generator{server} and mock upstream used {} of the load's processors (at most \
             {}): requests queued for them",
            percent(share),
            percent(LOAD_CPU)
        ));
    }
}

/// Faults that came at another time than the scenario has them.
fn faults(measurement: &Measurement, reasons: &mut Vec<String>) {
    let all = measurement.database.iter().flat_map(|server| &server.faults);
    for fault in all.filter(|fault| fault.late > FAULT_LATE) {
        reasons.push(format!(
            "the database server was {} {:.0} ms too late (at most {:.0} ms)",
            fault.database,
            fault.late * 1e3,
            FAULT_LATE * 1e3
        ));
    }
}

fn late(report: &Report, measurement: &Measurement, reasons: &mut Vec<String>) {
    let most = (report.response_time.p50 * LATE_SHARE).max(LATE);
    let sides = [
        ("requests were sent", measurement.lateness),
        ("the mock upstream replied", measurement.upstream_lateness),
    ];
    for (what, spread) in sides {
        if spread.p99 > most {
            reasons.push(format!(
                "{what} late: P99 {:.1} ms (at most {:.1} ms)",
                spread.p99 * 1e3,
                most * 1e3
            ));
        }
    }
    let replies = report.time.iter().filter(|part| part.place == PlaceId::Reply);
    let reply: f64 = replies.map(|part| part.seconds).sum();
    let most = (report.response_time.mean * REPLY_SHARE).max(REPLY);
    if reply > most {
        reasons.push(format!(
            "replies were read late: {:.1} ms on average (at most {:.1} ms)",
            reply * 1e3,
            most * 1e3
        ));
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use model::measurement::{DatabaseServer, MeasuredFault, Spread};
    use model::report::Part;

    use super::*;
    use crate::run::sample;

    /// The reasons against a report that is sound but for what `spoil` does to it.
    fn reasons_if(spoil: impl FnOnce(&mut Report, &mut Measurement)) -> Vec<String> {
        let mut report = sample::report(&[sample::round(1)]);
        let mut measurement = report.measurement.take().unwrap_or_default();
        measurement.inconclusive.clear();
        spoil(&mut report, &mut measurement);
        reasons(&report, &measurement)
    }

    /// `spoil` makes `word` the only reason.
    fn only(word: &str, spoil: impl FnOnce(&mut Report, &mut Measurement)) {
        let found = reasons_if(spoil);
        assert!(found.len() == 1 && found[0].contains(word), "{word}: {found:?}");
    }

    fn none(spoil: impl FnOnce(&mut Report, &mut Measurement)) {
        assert_eq!(reasons_if(spoil), [""; 0]);
    }

    fn used(measurement: &mut Measurement, name: &str, share: f64) {
        let mut named = measurement.processes.iter_mut().filter(|process| process.name == name);
        named.next().expect("the sample has it").utilisation = share;
    }

    fn p99(seconds: f64) -> Spread {
        Spread { p99: seconds, ..Spread::default() }
    }

    #[test]
    fn a_sound_measurement_stands() {
        none(|_, _| ());
        // A worker may use all of its processor.
        none(|_, how| used(how, "worker 0", 1.0));
    }

    #[test]
    fn what_was_cut_shared_or_small_proves_nothing() {
        only("interrupted", |_, how| how.interrupted = true);
        only("to itself", |_, how| how.pinned = false);
        only("only 9 good answers", |report, _| report.run.samples = 9);
        none(|report, _| report.run.samples = 10);
    }

    #[test]
    fn a_load_that_shares_processors_needs_room_on_them() {
        let share = |share: f64| {
            move |_: &mut Report, how: &mut Measurement| {
                how.processes.retain(|process| process.is_worker());
                used(how, "worker 0", share);
                how.service_cpus = vec![0, 1];
                how.load_cpus = vec![0];
            }
        };
        only("together used 95.0 %", share(1.9));
        none(share(1.7));
    }

    #[test]
    fn others_on_the_processors_of_either_side_are_noticed() {
        only("hypervisor took 2.1 % of the service's", |_, how| how.steal = 0.021);
        only("other programs used 5.1 % of the service's", |_, how| how.others = 0.051);
        only("hypervisor took 2.1 % of the load's", |_, how| how.load_steal = 0.021);
        only("other programs used 10.1 % of the load's", |_, how| how.load_others = 0.101);
        none(|_, how| {
            (how.steal, how.others) = (0.02, 0.05);
            (how.load_steal, how.load_others) = (0.02, 0.10);
        });
    }

    #[test]
    fn programs_beside_a_service_of_ones_own_may_be_its_database() {
        let beside = |others: f64, together: bool| {
            move |report: &mut Report, how: &mut Measurement| {
                report.untold.insert(OTHER_STATIONS.to_string());
                how.processes.retain(Process::is_worker);
                used(how, "worker 0", 0.8);
                (how.others, how.load_others) =
                    if together { (others, others) } else { (0.0, others) };
                (how.service_cpus, how.load_cpus) =
                    if together { (vec![0, 1], vec![0]) } else { (vec![1], vec![0]) };
            }
        };
        none(beside(0.45, true));
        let found = reasons_if(beside(0.55, true));
        assert!(found.iter().any(|told| told.contains("other programs used 55.0 %")), "{found:?}");
        assert!(found.iter().any(|told| told.contains("--database-pid")), "{found:?}");
        // One that is known is none of the other programs, and uses what is left.
        let known = |share: f64, cpus: Vec<u32>| {
            move |report: &mut Report, how: &mut Measurement| {
                beside(0.45, true)(report, how);
                let server = DatabaseServer { utilisation: share, cpus, ..Default::default() };
                how.database = Some(server);
            }
        };
        none(known(0.0, vec![0, 1]));
        let found = reasons_if(known(0.2, vec![0, 1]));
        assert!(found.iter().all(|told| !told.contains("--database-pid")), "{found:?}");
        assert!(!found.is_empty(), "together they use more than there is");
        none(beside(0.85, false));
        only("other programs used 95.0 % of the load's", beside(0.95, false));
    }

    #[test]
    fn a_load_that_needs_its_processors_is_noticed() {
        only("the load generator used 81.0 %", |_, how| used(how, "load generator", 0.81));
        only("the mock upstream used 81.0 %", |_, how| used(how, "mock upstream", 0.81));
        // Neither alone, but both together on one processor.
        let both = |_: &mut Report, how: &mut Measurement| {
            used(how, "load generator", 0.45);
            used(how, "mock upstream", 0.45);
        };
        only("load generator and mock upstream used 90.0 %", both);
        none(|report, how| {
            both(report, how);
            how.load_cpus = vec![2, 3];
        });
        none(|_, how| {
            used(how, "load generator", 0.4);
            used(how, "mock upstream", 0.4);
        });
    }

    #[test]
    fn what_was_late_is_noticed() {
        only("requests were sent late", |_, how| how.lateness = p99(0.011));
        only("upstream replied late", |_, how| how.upstream_lateness = p99(0.011));
        none(|_, how| how.lateness = p99(0.010));
        // Late is relative to what is measured.
        none(|report, how| {
            report.response_time.p50 = 1.0;
            how.lateness = p99(0.05);
        });
    }

    #[test]
    fn a_fault_that_came_late_is_noticed() {
        let late = |seconds: f64| {
            move |_: &mut Report, how: &mut Measurement| {
                let fault = MeasuredFault { late: seconds, ..MeasuredFault::default() };
                how.database = Some(DatabaseServer { faults: vec![fault], ..Default::default() });
            }
        };
        only("101 ms too late (at most 100 ms)", late(0.101));
        none(late(0.1));
    }

    #[test]
    fn replies_that_lay_unread_are_noticed() {
        let unread = |mean: f64, seconds: f64| {
            move |report: &mut Report, _: &mut Measurement| {
                report.response_time.mean = mean;
                report.time = vec![Part { place: PlaceId::Reply, seconds }];
            }
        };
        only("replies were read late", unread(0.010, 0.0011));
        only("replies were read late", unread(0.100, 0.0051));
        // A large share of a short time, and a long time that is a small share.
        none(unread(0.010, 0.0009));
        none(unread(0.100, 0.0049));
    }

    #[test]
    fn accounts_that_cannot_be_and_a_mock_that_is_overrun_are_noticed() {
        only("3 answers said what cannot be", |_, how| how.malformed = 3);
        only("2 times", |_, how| how.unaccepted = 2);
    }
}
