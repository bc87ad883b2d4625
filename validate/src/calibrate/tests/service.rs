//! A service whose costs are known, and the reports that it would get.

use std::collections::BTreeMap;

use model::costs::syncs_per_commit;
use model::report::Report;
use model::scenario::{Concurrency, JournalMode, Synchronous};
use serde_json::json;

use crate::calibrate::probe::{
    CALLS, HANDLER, LATENCY, OPENS, PRAGMAS, Probe, READS, WRITES, journal, model, synchronous,
};
use crate::calibrate::recipe::recipes;

/// Seconds of each window, and good answers in it.
const SECONDS: f64 = 2.0;
const GOOD: u64 = 1000;
const REFUSED: f64 = 5000.0;

/// Costs by their keys.
#[derive(Clone, Debug)]
pub(super) struct Service(BTreeMap<String, f64>);

impl Service {
    /// Costs that are all different.
    pub(super) fn usual() -> Service {
        let count = recipes().len();
        let shares: Vec<f64> = (0..count).map(|i| (i as f64 + 1.0) / count as f64).collect();
        Service::random(&shares)
    }

    /// Costs of the order of a real service's.
    pub(super) fn plausible() -> Service {
        let mut service = Service::usual();
        for (key, cost) in &mut service.0 {
            *cost = match key.as_str() {
                "cpu.in_flight" => 40e-9,
                "cpu.threadpool.hop" => 3e-6,
                "disk.sync.p50" => 0.15e-3,
                "disk.sync.p99" => 0.6e-3,
                "disk.sync.mean" => 0.18e-3,
                "network.upstream" | "network.client" => 70e-6,
                _ if key.starts_with("memory.") => *cost,
                _ => *cost / 5.0,
            };
        }
        service
    }

    /// Each cost is its share of what is plausible.
    pub(super) fn random(shares: &[f64]) -> Service {
        let most = |key: &str| match key {
            "(background)" => 0.05,
            "disk.sync.p99" => 5e-3,
            _ if key.starts_with("memory.") => 1e7,
            _ => 3e-4,
        };
        let keys = recipes().into_iter().map(|recipe| recipe.key);
        let mut costs: BTreeMap<String, f64> =
            keys.zip(shares).map(|(key, share)| (key.clone(), share * most(&key))).collect();
        // A handler on the pool costs what an async one does.
        let request = costs["cpu.async.request"];
        costs.insert("cpu.threadpool.request".into(), request);
        Service(costs)
    }

    /// All of its costs times `factor`.
    pub(super) fn scaled(&self, factor: f64) -> Service {
        Service(self.0.iter().map(|(key, cost)| (key.clone(), cost * factor)).collect())
    }

    pub(super) fn set(&mut self, key: &str, cost: f64) {
        self.0.insert(key.to_string(), cost);
    }

    pub(super) fn cost(&self, key: &str) -> f64 {
        self.0[key]
    }

    /// All of them, by their keys.
    pub(super) fn costs(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(key, cost)| (key.as_str(), *cost))
    }

    fn of(&self, concurrency: Concurrency, name: &str) -> f64 {
        self.cost(&format!("cpu.{}.{name}", model(concurrency)))
    }

    /// A request and its handler, without anything else.
    fn request(&self, of: Concurrency) -> f64 {
        let hops = if of == Concurrency::Threadpool { 2.0 } else { 0.0 };
        HANDLER + self.of(of, "request") + hops * self.cost("cpu.threadpool.hop")
    }

    /// CPU time per good answer, as far as it is the same for each.
    fn cpu(&self, probe: Probe) -> f64 {
        let plain = self.request(Concurrency::Async);
        match probe {
            Probe::Request(of) => self.request(of),
            Probe::Statement(of) => self.request(of) + f64::from(READS) * self.of(of, "statement"),
            Probe::Open(of) => {
                let read = self.of(of, "open") + self.of(of, "statement");
                self.request(of) + f64::from(OPENS) * read
            }
            Probe::Pragma(of) => {
                self.cpu(Probe::Open(of)) + f64::from(OPENS * PRAGMAS) * self.of(of, "pragma")
            }
            Probe::Call(of) => self.request(of) + f64::from(CALLS) * self.of(of, "call"),
            Probe::Commit(mode, level) => {
                let write = self.of(Concurrency::Blocking, "statement") + self.commit(mode, level);
                self.request(Concurrency::Blocking) + f64::from(WRITES) * write
            }
            Probe::Accept => plain + self.cost("cpu.accept"),
            Probe::FewInFlight | Probe::ManyInFlight => {
                let pausing = GOOD as f64 / SECONDS * self.pause(probe);
                plain + pausing * self.cost("cpu.in_flight")
            }
            Probe::Alone | Probe::Rest => plain + self.cost("cpu.wake_up"),
            Probe::AloneWrite(level) => plain + self.commit(JournalMode::Wal, level),
            Probe::AloneOpen(mode) => {
                let last = if mode == JournalMode::Wal { self.cost("cpu.last_close") } else { 0.0 };
                plain + last + self.of(Concurrency::Async, "open")
            }
            Probe::Reject | Probe::Parked | Probe::AloneCall => plain,
        }
    }

    fn commit(&self, mode: JournalMode, level: Synchronous) -> f64 {
        self.cost(&format!("commit.{}.{}", journal(mode), synchronous(level)))
    }

    /// CPU time of the whole window.
    fn cpu_of_all(&self, probe: Probe) -> f64 {
        let all = GOOD as f64 * self.cpu(probe);
        match probe {
            Probe::Reject => all + REFUSED * (self.cost("cpu.reject") + self.cost("cpu.accept")),
            Probe::Rest => all + SECONDS * self.cost("(background)"),
            _ => all,
        }
    }

    fn pause(&self, probe: Probe) -> f64 {
        match probe {
            Probe::FewInFlight => 0.01,
            Probe::ManyInFlight => 0.1,
            _ => 0.0,
        }
    }

    /// A time at the disk by the name of its quantile.
    fn disk(&self, sync: &str, probe: Probe) -> f64 {
        let sync = self.cost(&format!("disk.sync.{sync}"));
        match probe {
            Probe::AloneWrite(Synchronous::Full) => sync,
            Probe::Commit(JournalMode::Delete, Synchronous::Full) => {
                let syncs = syncs_per_commit(JournalMode::Delete, Synchronous::Full);
                let commit = f64::from(syncs) * sync + self.cost("disk.unlink");
                f64::from(WRITES) * commit
            }
            _ => 0.0,
        }
    }

    /// A response time: the mean or a quantile.
    fn response_time(&self, name: &str, probe: Probe) -> f64 {
        let idle_exit = self.cost("machine.idle_exit");
        let alone = self.cost("network.client") + idle_exit + self.cpu(Probe::Alone);
        match probe {
            Probe::Alone => alone,
            Probe::AloneCall => {
                let call = self.cost("cpu.async.call") + self.cost("cpu.wake_up");
                alone + call + idle_exit + LATENCY + self.cost("network.upstream")
            }
            Probe::AloneWrite(Synchronous::Full) => {
                self.cpu(probe) + self.disk(name, probe) + idle_exit
            }
            _ => self.cpu(probe),
        }
    }
}

/// What `live` would say of `service` under `probe`.
pub(super) fn report(service: &Service, probe: Probe, doubts: Vec<String>) -> Report {
    let exact = |value: f64| json!({ "value": value, "low": value, "high": value });
    let time = |name: &str| service.response_time(name, probe);
    let client = service.cost("network.client");
    let refused = if probe == Probe::Reject { REFUSED } else { 0.0 };
    let document = json!({
        "schema": model::report::SCHEMA, "kind": "measured", "scenario": probe.to_string(),
        "seed": 1, "digest": "0",
        "run": {
            "replications": 1, "confidence": 0.95, "warmup": 1.0, "duration": SECONDS,
            "samples": GOOD,
        },
        "throughput": exact(GOOD as f64 / SECONDS),
        "response_time": {
            "mean": time("mean"), "p50": time("p50"), "p90": 0.0, "p95": 0.0,
            "p99": time("p99"), "p999": 0.0, "max": 0.0,
        },
        "response_time_intervals": {},
        "errors": { "rejected": refused },
        "error_share": 0.0,
        "in_flight": { "mean": exact(1.0), "peak": 1 },
        "arrivals": { "sent": 0.0, "dropped": 0.0, "rate": 0.0 },
        "classes": [], "stations": [], "bounds": [], "bottleneck": null,
        "time": [
            { "place": "connect", "seconds": client * 0.3 },
            { "place": "disk", "seconds": service.disk("mean", probe) },
            { "place": "sleep", "seconds": service.pause(probe) },
            { "place": "reply", "seconds": client * 0.7 },
        ],
        "memory": { "mean": 0.0, "peak": 0.0 },
        "measurement": null,
    });
    let mut report: Report = serde_json::from_value(document).expect("a report");
    let worker = model::measurement::Process {
        name: "worker 0".into(),
        cpu: service.cpu_of_all(probe),
        ..Default::default()
    };
    let load = model::measurement::Process {
        name: "load generator".into(),
        cpu: 1.0,
        ..Default::default()
    };
    report.measurement = Some(model::measurement::Measurement {
        processes: vec![worker, load],
        inconclusive: doubts,
        memory: model::measurement::MeasuredMemory {
            idle: service.cost("memory.worker").round() as u64,
            per_request: Some(service.cost("memory.request")),
            ..Default::default()
        },
        ..Default::default()
    });
    report
}
