//! A service with a Postgres server, whose costs are known, and what a calibration finds of them.

use std::collections::BTreeMap;

use live::stack::Target;
use model::measurement::DatabaseServer;
use model::place::PlaceId;
use model::report::{Part, Report};
use model::scenario::Concurrency;
use proptest::prelude::*;

use super::service::{self, Service};
use super::{BOTH, calibrated};
use crate::calibrate::document::Calibration;
use crate::calibrate::probe::Probe;
use crate::calibrate::profile;
use crate::calibrate::stack::postgres::Clients;
use crate::calibrate::stack::{self, Databases, Stack};
use crate::calibrate::walk::calibrate;

/// A request without the database, in seconds of CPU time.
const BARE: f64 = 0.7e-3;
/// The round trip of the probe of the network.
const ROUND_TRIP: f64 = 0.5e-3;

/// Costs by their keys.
#[derive(Clone, Debug)]
struct Server {
    target: Target,
    costs: BTreeMap<String, f64>,
    /// A report on a probe, whose numbers are replaced.
    blank: Report,
}

/// CPU time of the worker and of the server.
type Both = [f64; 2];

fn plus(one: Both, other: Both) -> Both {
    [one[0] + other[0], one[1] + other[1]]
}

fn times(count: u32, one: Both) -> Both {
    one.map(|cpu| cpu * f64::from(count))
}

fn stack_of(target: Target) -> Stack {
    Databases::Postgres.stack(target)
}

impl Server {
    fn random(target: Target, shares: &[f64]) -> Server {
        let keys = stack_of(target).recipes.into_iter().map(|recipe| recipe.key);
        let most = |key: &str| match key {
            "disk.log_sync.p99" => 5e-3,
            _ => 3e-4,
        };
        let costs = keys.zip(shares).map(|(key, share)| (key.clone(), share * most(&key)));
        let known = stack::of(target).probes.into_iter().find(|one| one.name == "alone");
        let known = known.expect("every stack has it");
        let blank = service::report(&Service::usual(target), &known, Vec::new());
        Server { target, costs: costs.collect(), blank }
    }

    fn cost(&self, key: &str) -> f64 {
        *self.costs.get(key).unwrap_or_else(|| panic!("{key} is a cost"))
    }

    /// What a kind of work costs the worker and the server.
    fn work(&self, of: Concurrency, client: &str, server: &str) -> Both {
        let of = of.as_str();
        let client = match client {
            "trip" => self.cost(&format!("cpu.{of}.trip")),
            "" => 0.0,
            name => self.cost(&format!("postgres_client.{of}.{name}")),
        };
        let server = match (self.target, server) {
            (_, "prepare") | (Target::Axum, _) => self.axum(server),
            (_, name) => self.cost(&format!("postgres.{of}.{name}")),
        };
        [client, server]
    }

    fn axum(&self, name: &str) -> f64 {
        self.cost(&format!("postgres.{name}"))
    }

    /// CPU time of a good answer.
    fn cpu(&self, probe: &Probe) -> Both {
        let of = probe.concurrency;
        // On axum the server does not see the concurrency model.
        let clients = Clients::of(self.target);
        let trip = self.work(of, "trip", "command");
        let bare = [BARE, 0.0];
        let statement = self.work(of, "statement", "statement");
        let beside = times(clients.beside, trip);
        // A connection that is closed is not asked when it goes back.
        let returned = times(clients.returns, trip);
        let alone = plus(plus(bare, statement), beside);
        let read = plus(alone, returned);
        let open = self.work(of, "open", "connect");
        let prepare = [self.cost(&format!("cpu.{}.trip", of.as_str())), self.axum("prepare")];
        let opened = plus(plus(alone, open), times(clients.prepares(of), prepare));
        // BEGIN, the statement and COMMIT.
        let write = plus(plus(plus(bare, statement), trip), self.work(of, "commit", "commit"));
        let write = plus(write, returned);
        let words: Vec<&str> = probe.name.split(' ').collect();
        match words[..] {
            ["request", _] => bare,
            ["postgres", "read", _] => read,
            ["postgres", "ping", _] => plus(read, times(clients.ping_trips(of), trip)),
            ["postgres", "open", _] => opened,
            ["postgres", "write", _] => write,
            ["postgres", "both"] => plus(read, statement),
            ["postgres", "opened", "both"] => plus(plus(opened, statement), prepare),
            ["postgres", "alone", "read"] => read,
            ["postgres", "alone", "write", "on"] => plus(write, [2e-6, 3e-6]),
            ["postgres", "alone", "write", "off"] => write,
            _ => panic!("{probe} is not known"),
        }
    }

    fn report(&self, probe: &Probe) -> Report {
        let mut report = self.blank.clone();
        let [cpu, server] = self.cpu(probe);
        let good = report.run.samples as f64;
        let how = report.measurement.as_mut().expect("it is measured");
        how.processes[0].cpu = cpu * good;
        let utilisation = server * good / report.run.duration;
        how.database = Some(DatabaseServer { utilisation, ..Default::default() });
        let sync = |part: &str| match &*probe.name {
            "postgres alone write on" => self.cost(&format!("disk.log_sync.{part}")),
            _ => 0.0,
        };
        let rest = 1e-3 + cpu + server;
        report.response_time.mean = rest + sync("mean");
        report.response_time.p50 = rest + sync("p50");
        report.response_time.p99 = rest + sync("p99");
        let clients = Clients::of(self.target);
        let trips = f64::from(1 + clients.beside);
        let later = f64::from(clients.returns) * self.work(probe.concurrency, "", "command")[1];
        let seconds = trips * (ROUND_TRIP + self.cost("network.database")) + server - later;
        report.time.push(Part { place: PlaceId::DatabaseServer, seconds });
        report
    }

    fn calibrated(&self) -> Calibration {
        let mut measure = |probe: &Probe, _: u32| -> Result<_, ()> { Ok(self.report(probe)) };
        calibrate(&stack_of(self.target), 2, &mut measure).expect("it measures anything")
    }
}

/// Costs that are all different.
fn usual(target: Target) -> Server {
    let shares: Vec<f64> = (1..50).map(|i| f64::from(i) / 50.0).collect();
    Server::random(target, &shares)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_costs_of_a_server_are_recovered(
        shares in prop::collection::vec(0.01f64..1.0, stack_of(Target::Fastapi).recipes.len())
    ) {
        for target in BOTH {
            let server = Server::random(target, &shares);
            let found = server.calibrated();
            prop_assert_eq!(found.costs.len(), server.costs.len());
            for (key, truth) in &server.costs {
                let value = found.cost(key).map_or(f64::NAN, |cost| cost.value);
                prop_assert!((value - truth).abs() <= 1e-9 + 1e-5 * truth, "{key}: {value} is {truth}");
            }
        }
    }
}

#[test]
fn a_server_without_its_cpu_time_gives_no_cost_of_it() {
    let server = usual(Target::Axum);
    let mut measure = |probe: &Probe, _: u32| -> Result<_, ()> {
        let mut report = server.report(probe);
        report.measurement.as_mut().expect("it is measured").database = None;
        Ok(report)
    };
    let found = calibrate(&stack_of(Target::Axum), 2, &mut measure).expect("it measures anything");
    let known = |key: &str| found.cost(key).is_some_and(|cost| cost.rounds > 0);
    assert!(!known("postgres.connect") && !known("disk.log_sync.p50"));
    assert!(known("postgres_client.async.open") && known("cpu.async.trip"));
}

#[test]
fn the_costs_of_a_server_leave_all_others_as_they_are() {
    for target in BOTH {
        let base = calibrated(&Service::usual(target), 2, |_| 1.0);
        let before = profile::toml(&base);
        let found = usual(target).calibrated();
        let merged = profile::merged(&before, &found).expect("TOML");
        for line in before.lines().filter(|line| line.contains(" = ")) {
            assert!(merged.contains(line), "{line}: {merged}");
        }
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("stack.toml");
        std::fs::write(&file, &merged).expect("the folder is ours");
        let costs = model::read::load_costs(&file).expect("a profile");
        let of = Concurrency::Async;
        let same = |span: model::units::Span, key: &str| {
            let truth = found.cost(key).expect("it is measured").value;
            assert!((span.secs_f64() - truth).abs() <= 2e-9 + 1e-3 * truth, "{key}: {span}");
        };
        same(costs.postgres_client(of).statement, "postgres_client.async.statement");
        same(costs.cpu(of).trip, "cpu.async.trip");
        same(costs.network.database, "network.database");
        same(costs.postgres.of(of).prepare, "postgres.prepare");
        assert!(costs.disk.log_sync.is_some());
        assert_ne!(costs.disk.log_sync(), &costs.disk.sync);
    }
}

#[test]
fn a_calibration_of_the_stack_keeps_what_its_server_costs_here() {
    let target = Target::Axum;
    let base = calibrated(&Service::usual(target), 2, |_| 1.0);
    let mut found = usual(target).calibrated();
    let on = crate::calibrate::about::of_server(&base.about);
    found.about.insert(crate::calibrate::about::POSTGRES.into(), on);
    let before = profile::merged(&profile::toml(&base), &found).expect("TOML");
    let kept = profile::with_server_of(&before, &base).expect("TOML");
    let lines = |text: &str| -> Vec<String> {
        let mut lines: Vec<String> = text
            .lines()
            .filter(|line| line.contains(" = ") && !line.starts_with("measured_since"))
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        lines.sort();
        lines
    };
    assert_eq!(lines(&kept), lines(&before));
    // Measured elsewhere, they are no longer true.
    found.about.insert(crate::calibrate::about::POSTGRES.into(), "another machine".into());
    let before = profile::merged(&profile::toml(&base), &found).expect("TOML");
    assert_eq!(profile::with_server_of(&before, &base).expect("TOML"), profile::toml(&base));
}
