//! How a measurement was made, and whether it stands.

use std::fmt::Write as _;

use model::measurement::{
    Connections, DatabaseServer, MeasuredFault, Measurement, ServerCounts, Spread, UpstreamCalls,
};

use model::speed::Speed;

use crate::number;
use crate::page::{Fields, Note, Page};

/// What a reader needs to judge the numbers.
pub(crate) fn conditions(page: &mut Page, measurement: &Measurement) {
    let mut fields = Fields::new(2, 18);
    let mut line = |name: &str, text: String| fields.text(name, text);
    line("on", place(measurement));
    for process in &measurement.processes {
        let used = number::percent(process.utilisation);
        let memory = match process.memory {
            0 => String::new(),
            bytes => format!(", {} of memory", number::bytes(bytes as f64)),
        };
        line(&process.name, format!("{used} of a CPU{memory}"));
    }
    if let Some(server) = &measurement.database {
        line("database server", server_of(server));
        if server.looks > 0 {
            line("its sessions", sessions(server));
        }
        if let Some(counts) = &server.counts {
            line("its counts", counts_of(counts));
        }
        for fault in &server.faults {
            line("its fault", fault_of(fault));
        }
    }
    if let Some(each) = measurement.memory.per_request {
        let requests = measurement.memory.requests;
        let each = number::bytes(each);
        line("parked requests", format!("{requests} in the service at the end, {each} each"));
    }
    let spreads = [
        ("event loop lag", measurement.loop_lag),
        ("sent late by", measurement.lateness),
        ("upstream late by", measurement.upstream_lateness),
    ];
    for (name, spread) in spreads.into_iter().filter(|(_, spread)| spread.count > 0) {
        line(name, quantiles(&spread));
    }
    let sides = [
        ("service's CPU", measurement.others, measurement.steal),
        ("load's CPU", measurement.load_others, measurement.load_steal),
    ];
    // Nothing is known of the processors beside a service that was started by others.
    let known = !measurement.service_cpus.is_empty();
    for (side, others, steal) in sides.into_iter().filter(|_| known) {
        let (others, steal) = (number::percent(others), number::percent(steal));
        line(side, format!("other programs {others}, hypervisor {steal}"));
    }
    if let Some(speed) = &measurement.speed {
        line("machine's speed", speed_of(speed));
    }
    line("all requests", accounting(measurement));
    let connections = &measurement.connections;
    if connections.remade > 0 {
        let Connections { opened, remade, peak } = connections;
        line(
            "connections",
            format!(
                "{opened} opened, {peak} at most at a time; {remade} requests sent again, as the \
                 server had closed theirs"
            ),
        );
    }
    for upstream in
        measurement.upstreams.iter().filter(|upstream| upstream.abandoned + upstream.refused > 0)
    {
        let UpstreamCalls { name, calls, failures, refused, abandoned } = upstream;
        let refused = if *refused > 0 { format!(", {refused} refused") } else { String::new() };
        line(
            "upstream calls",
            format!("{name}: {calls}, {failures} failed as drawn{refused}, {abandoned} abandoned"),
        );
    }
    page.heading("How it was measured:");
    page.fields(fields);
}

/// Why the numbers prove nothing; no note if they stand.
pub(crate) fn doubts(page: &mut Page, measurement: &Measurement) {
    for reason in &measurement.inconclusive {
        page.notes(vec![Note { kind: "INCONCLUSIVE", text: reason.clone(), strong: true }]);
    }
}

fn place(measurement: &Measurement) -> String {
    let list = |cpus: &[u32]| cpus.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    let about = |name: &str| measurement.machine.get(name).cloned();
    let machine = [about("cpu"), about("kernel"), about("file system")];
    let machine = machine.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let cpus = match (measurement.service_cpus.as_slice(), measurement.pinned) {
        ([], _) => String::new(),
        (service, true) => {
            format!(
                "; service on CPU {}, load on CPU {}",
                list(service),
                list(&measurement.load_cpus)
            )
        }
        (service, false) => format!("; service and load share CPU {}", list(service)),
    };
    format!("{}{cpus} ({machine})", measurement.target)
}

fn server_of(server: &DatabaseServer) -> String {
    let cpus = match server.cpus.as_slice() {
        [] => String::new(),
        cpus => {
            format!(" on CPU {}", cpus.iter().map(u32::to_string).collect::<Vec<_>>().join(", "))
        }
    };
    let (used, memory) = (number::percent(server.utilisation), number::bytes(server.memory as f64));
    if server.version.is_empty() {
        return format!("your own{cpus}: {used} of a CPU, {memory} of memory");
    }
    let watching = number::percent(server.watching);
    let version = &server.version;
    format!(
        "Postgres {version}{cpus}: {used} of a CPU, {memory} of memory; looking at it {watching}"
    )
}

fn sessions(server: &DatabaseServer) -> String {
    let mean = |x| number::significant(x, 3);
    format!(
        "{} active, {} idle in a transaction, {} idle on average, {} at most; {} waiting for a \
         lock ({} looks)",
        mean(server.sessions_active),
        mean(server.sessions_idle_in_transaction),
        mean(server.sessions_idle),
        server.sessions_peak,
        mean(server.lock_waits),
        server.looks
    )
}

fn fault_of(fault: &MeasuredFault) -> String {
    let MeasuredFault { database, at, late, lasted } = fault;
    let back = match lasted {
        Some(lasted) => format!("back after {}", number::time(*lasted)),
        None => "not back before the end".to_string(),
    };
    format!("{database} at {}, {} late; {back}", number::time(*at), number::time(*late))
}

fn counts_of(counts: &ServerCounts) -> String {
    let rate = |x| number::significant(x, 3);
    format!(
        "{} commits/s, {} rollbacks/s, {} deadlocks/s, {} WAL syncs/s, {}/s of WAL",
        rate(counts.commits),
        rate(counts.rollbacks),
        rate(counts.deadlocks),
        rate(counts.wal_syncs),
        number::bytes(counts.wal_bytes)
    )
}

/// The speed of the service's processors, and what it took to find out.
fn speed_of(speed: &Speed) -> String {
    let two = |speed: f64| format!("{speed:.2}");
    let (mean, low, high) = (two(speed.mean), two(speed.low), two(speed.high));
    format!(
        "{mean} of the reference ({low} to {high}); the witness took {} of a CPU",
        number::percent(speed.share)
    )
}

fn quantiles(spread: &Spread) -> String {
    let (mean, p99, max) =
        (number::time(spread.mean), number::time(spread.p99), number::time(spread.max));
    format!("{mean} on average, P99 {p99}, at most {max}")
}

fn accounting(measurement: &Measurement) -> String {
    let account = &measurement.accounting;
    let mut text = format!(
        "{} sent = {} good + {} errors + {} in flight at the end",
        account.sent,
        account.good,
        account.failed(),
        account.in_flight
    );
    if account.dropped > 0 {
        let _ = write!(text, "; {} not sent", account.dropped);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use model::measurement::{Accounting, MeasuredMemory, Process};

    use super::*;
    use crate::Paint;

    #[test]
    fn a_reader_learns_how_the_numbers_were_measured() {
        let worker =
            Process { name: "worker 0".into(), cpu: 4.2, utilisation: 0.84, memory: 30 << 20 };
        let late = Spread { count: 10, mean: 0.0001, p50: 0.0001, p99: 0.0005, max: 0.002 };
        let measurement = Measurement {
            target: "axum".into(),
            service_cpus: vec![1],
            load_cpus: vec![0],
            pinned: true,
            others: 0.004,
            load_steal: 0.01,
            speed: Some(Speed {
                mean: 0.931,
                low: 0.88,
                high: 0.97,
                share: 0.008,
                ..Speed::default()
            }),
            processes: vec![worker],
            lateness: late,
            memory: MeasuredMemory {
                idle: 10 << 20,
                loaded: 20 << 20,
                requests: 1000,
                per_request: Some(10_485.76),
            },
            accounting: Accounting {
                sent: 10,
                good: 6,
                errors: BTreeMap::from([("timeout".into(), 1)]),
                in_flight: 3,
                dropped: 2,
            },
            connections: Connections { opened: 14, remade: 4, peak: 9 },
            upstreams: ["partner", "quiet"]
                .map(|name| UpstreamCalls {
                    name: name.into(),
                    calls: 40,
                    failures: 2,
                    refused: 0,
                    abandoned: if name == "partner" { 3 } else { 0 },
                })
                .into(),
            machine: BTreeMap::from([("cpu".into(), "Some CPU".into())]),
            inconclusive: vec!["the run was interrupted before its end".into()],
            ..Measurement::default()
        };
        let expected = "\
How it was measured:
  on                axum; service on CPU 1, load on CPU 0 (Some CPU)
  worker 0          84 % of a CPU, 30.0 MiB of memory
  parked requests   1000 in the service at the end, 10.2 KiB each
  sent late by      100 µs on average, P99 500 µs, at most 2.00 ms
  service's CPU     other programs 0.4 %, hypervisor 0 %
  load's CPU        other programs 0 %, hypervisor 1.0 %
  machine's speed   0.93 of the reference (0.88 to 0.97); the witness took 0.8 % of a CPU
  all requests      10 sent = 6 good + 1 errors + 3 in flight at the end; 2 not sent
  connections       14 opened, 9 at most at a time; 4 requests sent again, as the server had \
closed theirs
  upstream calls    partner: 40, 2 failed as drawn, 3 abandoned

INCONCLUSIVE: the run was interrupted before its end
";
        let mut page = Page::new();
        conditions(&mut page, &measurement);
        doubts(&mut page, &measurement);
        assert_eq!(page.text(Paint::default()), expected);
    }
}
