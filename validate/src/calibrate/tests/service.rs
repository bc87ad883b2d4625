//! A service whose costs are known, and the reports that it would get.

use std::collections::BTreeMap;

use live::stack::Target;
use model::costs::{Work, syncs_per_commit};
use model::report::Report;
use model::scenario::{Concurrency, JournalMode, Synchronous};
use serde_json::json;

use crate::calibrate::cache::kind;
use crate::calibrate::probe::{HANDLER, MANY, Probe};
use crate::calibrate::stack::fastapi::{self, DISPLACING, LEFT, LIMIT, PRAGMA_HOPS, QUEUES};
use crate::calibrate::stack::shared_probes::{FREQUENT, HARDLY, LATENCY, PRAGMAS, RARELY, SELDOM};
use crate::calibrate::stack::{self, Hops, axum};

/// Seconds of each window, and good answers in it.
pub(super) const SECONDS: f64 = 2.0;
pub(super) const GOOD: u64 = 1000;
const REFUSED: f64 = 5000.0;
const FAILED: f64 = 3000.0;

/// A stack with its costs by their keys.
#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) target: Target,
    costs: BTreeMap<String, f64>,
}

impl Service {
    /// Costs that are all different.
    pub(super) fn usual(target: Target) -> Service {
        let count = stack::of(target).recipes.len();
        let shares: Vec<f64> = (0..count).map(|i| (i as f64 + 1.0) / count as f64).collect();
        Service::random(target, &shares)
    }

    /// Costs of the order of a real service's.
    pub(super) fn plausible(target: Target) -> Service {
        let mut service = Service::usual(target);
        for (key, cost) in &mut service.costs {
            *cost = match key.as_str() {
                "cpu.in_flight" => 40e-9,
                "cpu.threadpool.hop" => 3e-6,
                "cpu.look" => 7e-6,
                "cpu.glance" => 0.5e-6,
                "cpu.async.crowded_open" => 0.1e-3,
                "disk.sync.p50" => 0.15e-3,
                "disk.sync.p99" => 0.6e-3,
                "disk.sync.mean" => 0.18e-3,
                "network.upstream" | "network.client" => 70e-6,
                "cache.decay" => 20e-3,
                _ if key.starts_with("memory.") => *cost,
                _ => *cost / 5.0,
            };
        }
        service.shares();
        service
    }

    /// Costs that are not measured are shares of others.
    fn shares(&mut self) {
        if self.costs.contains_key("cpu.look") {
            let connection = self.connection();
            self.set("cpu.accept", connection * 0.35);
            self.set("cpu.hang_up", connection * 0.65);
            self.set("cpu.async.miss", self.cost("cpu.async.call") / 5.0);
        }
    }

    /// Each cost is its share of what is plausible.
    pub(super) fn random(target: Target, shares: &[f64]) -> Service {
        let most = |key: &str| match key {
            "disk.sync.p99" => 5e-3,
            "cpu.glance" => 1e-6,
            _ if key.starts_with("memory.") => 1e7,
            _ => 3e-4,
        };
        let keys = stack::of(target).recipes.into_iter().map(|recipe| recipe.key);
        let mut costs: BTreeMap<String, f64> =
            keys.zip(shares).map(|(key, share)| (key.clone(), share * most(&key))).collect();
        // Without an end or without a beginning there is no decay to be seen.
        costs.insert("cache.decay".into(), 5e-3 + 0.19 * costs["cache.decay"] / 3e-4);
        for key in ["cache.request", "cache.async.request"] {
            costs.entry(key.into()).and_modify(|cost| *cost += 2e-5);
        }
        // A handler on the pool costs what an async one does.
        let request = costs["cpu.async.request"];
        costs.insert("cpu.threadpool.request".into(), request);
        // A pragma that is awaited costs the ways to the connection's thread more.
        if let Some(hop) = costs.get("cpu.async.hop") {
            let ways = f64::from(2 * PRAGMA_HOPS) * hop / f64::from(PRAGMAS);
            costs.insert("cpu.async.pragma".into(), costs["cpu.blocking.pragma"] + ways);
        }
        let mut service = Service { target, costs };
        service.shares();
        service
    }

    /// All of its costs times `factor`.
    pub(super) fn scaled(&self, factor: f64) -> Service {
        let scaled = |(key, cost): (&String, &f64)| (key.clone(), cost * factor);
        Service { target: self.target, costs: self.costs.iter().map(scaled).collect() }
    }

    pub(super) fn set(&mut self, key: &str, cost: f64) {
        self.costs.insert(key.to_string(), cost);
    }

    pub(super) fn cost(&self, key: &str) -> f64 {
        self.costs[key]
    }

    /// All of them, by their keys.
    pub(super) fn costs(&self) -> impl Iterator<Item = (&str, f64)> {
        self.costs.iter().map(|(key, cost)| (key.as_str(), *cost))
    }

    /// CPU time of a client's connection.
    fn connection(&self) -> f64 {
        self.cost("cpu.accept") + self.costs.get("cpu.hang_up").copied().unwrap_or(0.0)
    }

    fn of(&self, concurrency: Concurrency, name: &str) -> f64 {
        self.cost(&format!("cpu.{}.{name}", concurrency.as_str()))
    }

    /// A request and its handler, without anything else.
    fn request(&self, of: Concurrency) -> f64 {
        let hops = if of == Concurrency::Threadpool { 2.0 } else { 0.0 };
        let server = self.costs.get("server.uvicorn.request").copied().unwrap_or(0.0);
        HANDLER + server + self.of(of, "request") + hops * self.cost("cpu.threadpool.hop")
    }

    /// CPU time per good answer, as far as it is the same for each.
    fn cpu(&self, probe: &Probe) -> f64 {
        self.warm(probe) + self.refill(probe) + self.displacement(probe)
    }

    /// The cost of displaced data.
    fn displacement(&self, probe: &Probe) -> f64 {
        let users = match &*probe.name {
            "crowded open" => DISPLACING,
            "open log" | "open async" | "pragma async" => MANY,
            _ => 1,
        };
        let displaced = 1.0 - (-f64::from(users - 1) / 90.0).exp();
        self.costs.get("cpu.async.crowded_open").map_or(0.0, |cost| cost * displaced)
    }

    /// The cost of data that the caches have lost between two requests.
    fn refill(&self, probe: &Probe) -> f64 {
        let elapsed = SECONDS / good(probe) as f64;
        let ages = (elapsed / self.cost("cache.decay")).powf(stack::of(self.target).caches.shape);
        let lost = 1.0 - (-ages).exp();
        let cold = |work: &Work| self.cold(probe.concurrency, *work);
        lost * probe.works.iter().map(cold).sum::<f64>()
    }

    /// The cost of `work` when the caches have lost all of its data, beyond that with warm caches.
    fn cold(&self, of: Concurrency, work: Work) -> f64 {
        let (shared, own) =
            (format!("cache.{}", kind(work)), format!("cache.{}.{}", of.as_str(), kind(work)));
        self.costs.get(&own).copied().unwrap_or_else(|| self.cost(&shared))
    }

    fn warm(&self, probe: &Probe) -> f64 {
        let of = probe.concurrency;
        let plain = self.request(Concurrency::Async);
        let words: Vec<&str> = probe.name.split(' ').collect();
        match *words {
            ["request", _] | ["cold", "request", _] => self.request(of),
            ["statement", _] | ["cold", "statement", _] => self.read(of),
            ["open", "log"] => self.opened_log(),
            ["alone", "open", "wal"] => self.opened_log() + self.cost("cpu.last_close"),
            ["open", _] | ["cold", "open", _] | ["alone", "open", _] => self.opened(of),
            ["pragma", _] => self.opened(of) + f64::from(PRAGMAS) * self.of(of, "pragma"),
            ["call", _] | ["cold", "call", _] | ["alone", "call"] => self.called(of),
            ["queue", _] => {
                let glances = 2.0 * f64::from(LIMIT) * queue(probe) * self.cost("cpu.glance");
                let others = (queue(probe) - 1.0) * self.cost("cpu.in_flight");
                self.called(of) - HANDLER + glances + others
            }
            ["look"] => self.called(Concurrency::Async) - HANDLER,
            ["crowded", "open"] => {
                let others = f64::from(DISPLACING - MANY) * self.cost("cpu.in_flight");
                self.opened(Concurrency::Async) + others
            }
            ["connect", _] => {
                // anyio's pool has 40 threads.
                let others = if of == Concurrency::Threadpool { 39.0 } else { 49.0 };
                let glances = 2.0 * others * self.cost("cpu.glance");
                self.called(of) - self.looks(1) + self.of(of, "connect") + glances
            }
            ["commit", mode, level] => self.written(mode, level),
            ["alone", "write", level] => self.written("wal", level),
            ["cold", "commit", _] => self.written("wal", "normal"),
            ["accept"] => plain + self.connection(),
            [_, "in", "flight"] => {
                let pausing = GOOD as f64 / SECONDS * self.pause(probe);
                plain + pausing * self.cost("cpu.in_flight")
            }
            ["reject" | "alone" | "frequent" | "resting" | "parked"] => plain,
            ["gunicorn"] => plain - self.cost("server.uvicorn.request"),
            // See `cpu_of_all`.
            ["error"] => 0.0,
            _ => panic!("{probe} is not known"),
        }
    }

    fn called(&self, of: Concurrency) -> f64 {
        self.request(of) + self.of(of, "call") + self.looks(1)
    }

    fn opened_log(&self) -> f64 {
        self.opened(Concurrency::Async) + self.cost("cpu.log_open")
    }

    fn written(&self, mode: &str, level: &str) -> f64 {
        self.read(Concurrency::Blocking) + self.commit(mode, level)
    }

    /// A call that looks at so many idle connections, before and after.
    fn looks(&self, at: u32) -> f64 {
        2.0 * f64::from(at) * self.costs.get("cpu.look").copied().unwrap_or(0.0)
    }

    fn read(&self, of: Concurrency) -> f64 {
        let statement = self.of(of, "statement");
        self.request(of) + statement + self.trips(of, hops(self.target).read())
    }

    fn opened(&self, of: Concurrency) -> f64 {
        let hops = hops(self.target);
        self.read(of) + self.of(of, "open") + self.trips(of, hops.open + hops.close)
    }

    /// So many ways to the thread of a connection and back, where that has a cost of its own.
    fn trips(&self, of: Concurrency, count: u32) -> f64 {
        match (self.target, of) {
            (Target::Fastapi, Concurrency::Async) => {
                2.0 * f64::from(count) * self.cost("cpu.async.hop")
            }
            _ => 0.0,
        }
    }

    fn commit(&self, mode: &str, level: &str) -> f64 {
        self.cost(&format!("commit.{}.{}", mode, level))
    }

    /// CPU time of the whole window.
    fn cpu_of_all(&self, probe: &Probe) -> f64 {
        if probe.name == "error" {
            let bare = self.request(Concurrency::Threadpool) - HANDLER;
            return (good(probe) as f64 + FAILED) * bare + FAILED * self.cost("cpu.error");
        }
        if probe.name != "reject" {
            return good(probe) as f64 * self.cpu(probe);
        }
        let served = good(probe) as f64 * self.request(Concurrency::Async);
        served + REFUSED * (self.cost("cpu.reject") + self.connection())
    }

    fn pause(&self, probe: &Probe) -> f64 {
        match &*probe.name {
            "few in flight" => 0.01,
            "many in flight" => 0.1,
            _ => 0.0,
        }
    }

    /// A time at the disk by the name of its quantile.
    fn disk(&self, sync: &str, probe: &Probe) -> f64 {
        let sync = self.cost(&format!("disk.sync.{sync}"));
        match &*probe.name {
            "alone write full" => sync,
            "commit delete full" => {
                let syncs = syncs_per_commit(JournalMode::Delete, Synchronous::Full);
                f64::from(syncs) * sync + self.cost("disk.unlink")
            }
            _ => 0.0,
        }
    }

    /// A response time: the mean or a quantile.
    fn response_time(&self, name: &str, probe: &Probe) -> f64 {
        let idle_exit = self.cost("machine.idle_exit");
        let alone = self.cost("network.client") + idle_exit + self.cpu(probe);
        match &*probe.name {
            "alone" => alone,
            "alone call" => alone + idle_exit + LATENCY + self.cost("network.upstream"),
            "alone write full" => self.cpu(probe) + self.disk(name, probe) + idle_exit,
            "look" if name == "p90" => self.cpu(probe) + self.looks(LEFT),
            _ => self.cpu(probe),
        }
    }
}

/// Round trips to the thread of a connection.
pub(super) fn hops(target: Target) -> Hops {
    match target {
        Target::Axum => axum::HOPS,
        Target::Fastapi | Target::Own => fastapi::HOPS,
    }
}

/// Calls that wait for a connection.
fn queue(probe: &Probe) -> f64 {
    let known = QUEUES.iter().find(|(name, _)| *name == probe.name);
    known.map_or(0.0, |(_, users)| f64::from(users - LIMIT))
}

/// Good answers to `probe` in a window.
fn good(probe: &Probe) -> u64 {
    match probe.name.split(' ').next().expect("it has a name") {
        "alone" => u64::from(SELDOM) * 2,
        "frequent" => u64::from(FREQUENT) * 2,
        "cold" => u64::from(RARELY) * 2,
        "resting" => u64::from(HARDLY) * 2,
        // Slower, so that the caches lose more in between.
        "crowded" => GOOD * 2 / 3,
        _ => GOOD,
    }
}

/// The report that `live` would give on `service` under `probe`.
pub(super) fn report(service: &Service, probe: &Probe, doubts: Vec<String>) -> Report {
    let exact = |value: f64| json!({ "value": value, "low": value, "high": value });
    let time = |name: &str| service.response_time(name, probe);
    // No recipe uses that of another probe.
    let p90 = if probe.name == "look" { time("p90") } else { 0.0 };
    let client = service.cost("network.client");
    let refused = if probe.name == "reject" { REFUSED } else { 0.0 };
    let failed = if probe.name == "error" { FAILED } else { 0.0 };
    let document = json!({
        "schema": model::report::SCHEMA, "kind": "measured", "scenario": probe.to_string(),
        "seed": 1, "digest": "0",
        "run": {
            "replications": 1, "confidence": 0.95, "warmup": 1.0, "duration": SECONDS,
            "samples": good(probe),
        },
        "throughput": exact(good(probe) as f64 / SECONDS),
        "response_time": {
            "mean": time("mean"), "p50": time("p50"), "p90": p90, "p95": 0.0,
            "p99": time("p99"), "p999": 0.0, "max": 0.0,
        },
        "response_time_intervals": {},
        "errors": { "rejected": refused, "pool_timeout": failed },
        "error_share": 0.0,
        "in_flight": { "mean": exact(1.0), "peak": 1 },
        "arrivals": { "sent": 0.0, "dropped": 0.0, "rate": 0.0 },
        "classes": [], "stations": [], "bounds": [], "bottleneck": null,
        "time": [
            { "place": "connect", "seconds": client * 0.3 },
            {
                "place": "upstream partner connections", "kind": "connections",
                "upstream": "partner", "seconds": queue(probe) * SECONDS / good(probe) as f64,
            },
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
