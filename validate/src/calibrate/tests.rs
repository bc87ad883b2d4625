//! Costs that are put into reports come out of a calibration.

mod postgres;
mod predicted;
mod service;

use live::stack::Target;
use model::report::Report;
use model::scenario::{Concurrency, Server};
use proptest::prelude::*;
use render::Exit;

use super::document::{Calibration, Cost, CostUnit};
use super::probe::{CALLING, Probe, REQUEST};
use render::{Answer, Paint};

use super::profile;
use super::reading::Reading;
use super::recipe::Recipe;
use super::stack::{self, Stack};
use super::walk::{Laboratory, calibrate};

use service::{Service, report};

const BOTH: [Target; 2] = [Target::Axum, Target::Fastapi];

/// A calibration of `service`, whose costs vary by `noise(round)`.
fn calibrated(service: &Service, rounds: u32, noise: impl Fn(u32) -> f64) -> Calibration {
    let mut measure = |probe: &Probe, round: u32| -> Result<_, ()> {
        Ok(report(&service.scaled(noise(round)), probe, Vec::new()))
    };
    calibrate(&stack::of(service.target), rounds, &mut measure).expect("it measures anything")
}

fn cost<'a>(calibration: &'a Calibration, key: &str) -> &'a Cost {
    calibration.cost(key).unwrap_or_else(|| panic!("{key} is a cost"))
}

proptest! {
    #[test]
    fn the_costs_of_a_service_are_recovered(
        shares in prop::collection::vec(0.01f64..1.0, stack::of(Target::Fastapi).recipes.len())
    ) {
        for target in BOTH {
            let service = Service::random(target, &shares);
            let calibration = calibrated(&service, 2, |_| 1.0);
            for (key, truth) in service.costs() {
                let found = cost(&calibration, key);
                let off = (found.value - truth).abs();
                // A byte is one, or none.
                let least = match found.unit {
                    CostUnit::Bytes => 1.0,
                    CostUnit::Time => 1e-9,
                };
                prop_assert!(off <= least + 1e-6 * truth, "{key}: {} is {truth}", found.value);
            }
        }
    }
}

#[test]
fn every_cost_is_known_to_the_service_and_the_other_way_round() {
    for target in BOTH {
        let mut keys: Vec<String> =
            stack::of(target).recipes.into_iter().map(|recipe| recipe.key).collect();
        let service = Service::usual(target);
        let known: Vec<&str> = service.costs().map(|(key, _)| key).collect();
        keys.sort();
        assert_eq!(keys, known);
    }
}

#[test]
fn rounds_give_a_mean_and_its_interval() {
    let service = Service::usual(Target::Axum);
    let calibration = calibrated(&service, 3, |round| 0.9 + 0.1 * f64::from(round));
    let found = cost(&calibration, "cpu.async.request");
    let truth = service.cost("cpu.async.request");
    let interval = found.interval.expect("three rounds");
    assert!((found.value - truth).abs() < 1e-9, "{found:?}");
    // Student's t with two degrees of freedom, of 0.9, 1.0 and 1.1.
    let half = 4.3027 * 0.1 * truth / 3f64.sqrt();
    assert!((interval.half_width() / half - 1.0).abs() < 1e-3, "{found:?}");
    assert_eq!((found.rounds, found.sound, calibration.exit()), (3, true, Exit::Success));
}

#[test]
fn half_of_the_rounds_are_before_the_interlude() {
    #[derive(Default)]
    struct Logged(Vec<String>);
    impl Laboratory<()> for Logged {
        fn measure(&mut self, probe: &Probe, round: u32) -> Result<Report, ()> {
            if probe.name == "accept" {
                self.0.push(format!("round {round}"));
            }
            Ok(report(&Service::usual(Target::Axum), probe, Vec::new()))
        }
        fn half_time(&mut self) -> Result<(), ()> {
            self.0.push("scenarios".into());
            Ok(())
        }
    }
    let order = |rounds| {
        let mut log = Logged::default();
        calibrate(&stack::of(Target::Axum), rounds, &mut log).expect("it has an answer for all");
        log.0
    };
    assert_eq!(order(2), ["round 0", "scenarios", "round 1"]);
    assert_eq!(order(3), ["round 0", "scenarios", "round 1", "round 2"]);
    assert_eq!(order(4), ["round 0", "round 1", "scenarios", "round 2", "round 3"]);
}

#[test]
fn one_round_has_no_interval_and_proves_nothing() {
    let calibration = calibrated(&Service::usual(Target::Axum), 1, |_| 1.0);
    assert!(calibration.costs.iter().all(|cost| cost.interval.is_none() && !cost.sound));
    assert_eq!(calibration.exit(), Exit::Inconclusive);
    assert!(profile::toml(&calibration).contains("# NOT SOUND, one round: "));
}

/// Three rounds; `probe` is in doubt in those of `doubtful`, and costs twice as much there.
fn doubted(probe: &str, doubtful: &[u32]) -> Calibration {
    let service = Service::usual(Target::Axum);
    let mut measure = |this: &Probe, round: u32| -> Result<_, ()> {
        if this.name == probe && doubtful.contains(&round) {
            return Ok(report(&service.scaled(2.0), this, vec!["others used it".into()]));
        }
        Ok(report(&service, this, Vec::new()))
    };
    calibrate(&stack::of(Target::Axum), 3, &mut measure).expect("it measures anything")
}

#[test]
fn a_round_in_doubt_does_not_count_and_is_named() {
    let calibration = doubted("accept", &[1]);
    let found = cost(&calibration, "cpu.accept");
    let truth = Service::usual(Target::Axum).cost("cpu.accept");
    assert!(found.sound && found.rounds == 2 && (found.value - truth).abs() < 1e-9, "{found:?}");
    // Nothing else is made of that probe but refusals.
    assert!(calibration.costs.iter().all(|cost| cost.sound));
    assert_eq!(cost(&calibration, "cpu.reject").rounds, 2);
    assert_eq!(cost(&calibration, "cpu.in_flight").rounds, 3);
    assert_eq!(calibration.exit(), Exit::Success);
    assert_eq!(calibration.doubts.len(), 1);
    let text = calibration.page().text(Paint::default());
    assert!(text.contains("\nround 2, accept: others used it\n"), "{text}");
}

#[test]
fn a_probe_in_doubt_is_repeated_where_a_cost_needs_it() {
    let service = Service::usual(Target::Axum);
    let truth = service.cost("cpu.accept");
    let mut runs = Vec::new();
    let mut measure = |probe: &Probe, round: u32| -> Result<_, ()> {
        let again = runs.contains(&(probe.name.clone(), round));
        runs.push((probe.name.clone(), round));
        // All of the first two rounds are disturbed, and one probe of the third.
        let disturbed = !again && (round < 2 || probe.name == "accept");
        Ok(match disturbed {
            true => report(&service.scaled(2.0), probe, vec!["others used it".into()]),
            false => report(&service, probe, Vec::new()),
        })
    };
    let stack = stack::of(Target::Axum);
    let calibration = calibrate(&stack, 3, &mut measure).expect("it measures anything");
    let repeated = &runs[3 * stack.probes.len()..];
    // As many as the stack has, from the first round on.
    assert_eq!(repeated.len(), stack.probes.len());
    assert!(repeated.iter().all(|(_, round)| *round == 0));
    let found = cost(&calibration, "cpu.in_flight");
    assert!(found.sound && found.rounds == 2, "{found:?}");
    let found = cost(&calibration, "cpu.accept");
    assert!(!found.sound && found.rounds == 1, "{found:?}");
    assert!((found.value - truth).abs() < 1e-9, "{found:?}");
    let doubts = |round| calibration.doubts.iter().filter(|doubt| doubt.round == round).count();
    assert_eq!([1, 2, 3].map(doubts), [0, stack.probes.len(), 1]);
}

#[test]
fn a_cost_in_doubt_is_written_and_marked() {
    let truth = Service::usual(Target::Axum).cost("cpu.accept");
    // The one round that stands counts for more than two that do not.
    let cases: [(&[u32], u32, bool, &str); 2] = [
        (&[0, 2], 1, true, "# NOT SOUND, one round: CPU"),
        (&[0, 1, 2], 3, false, "# NOT SOUND, 3 rounds in doubt: ±0 s: CPU"),
    ];
    for (doubtful, rounds, right, said) in cases {
        let calibration = doubted("accept", doubtful);
        let found = cost(&calibration, "cpu.accept");
        assert!(!found.sound && found.rounds == rounds, "{found:?}");
        assert_eq!((found.value - truth).abs() < 1e-9, right, "{found:?}");
        assert_eq!(calibration.exit(), Exit::Inconclusive);
        let toml = profile::toml(&calibration);
        let line = toml.lines().find(|line| line.starts_with("accept = ")).expect("it is written");
        assert!(line.contains(said), "{line}");
        let text = calibration.page().text(Paint::default());
        assert!(text.contains("\n? 2 of "), "{text}");
    }
}

#[test]
fn a_negative_cost_is_written_as_zero() {
    let mut service = Service::usual(Target::Axum);
    service.set("cpu.in_flight", -1e-6);
    let calibration = calibrated(&service, 3, |_| 1.0);
    let found = cost(&calibration, "cpu.in_flight");
    assert_eq!(found.value, 0.0);
    assert!(found.interval.is_some_and(|interval| interval.value < 0.0));
}

#[test]
fn a_probe_without_an_answer_gives_no_number() {
    let mut measure = |probe: &Probe, _: u32| -> Result<_, ()> {
        let mut report = report(&Service::usual(Target::Axum), probe, Vec::new());
        if probe.name == "many in flight" {
            report.run.samples = 0;
        }
        Ok(report)
    };
    let calibration =
        calibrate(&stack::of(Target::Axum), 3, &mut measure).expect("it measures anything");
    let found = cost(&calibration, "cpu.in_flight");
    assert_eq!((found.value, found.rounds, found.sound), (0.0, 0, false));
    assert!(profile::toml(&calibration).contains("in_flight = \"0s\""));
    assert!(profile::toml(&calibration).contains("NOT KNOWN, no round gave a number"));
}

#[test]
fn a_stack_of_any_probes_and_recipes_is_calibrated() {
    let mine = |name: &str, works| {
        Probe::new(name, Server::Axum, Concurrency::Async, works).upstream("0s")
    };
    let stack = Stack {
        probes: vec![mine("with call", CALLING), mine("without", REQUEST)],
        recipes: vec![Recipe::new("cpu.call", ["with call", "without"], "a difference", |round| {
            round.more("with call", "without", Reading::cpu_per_request)
        })],
        facts: Vec::new(),
        ..stack::of(Target::Axum)
    };
    let mut measure = |probe: &Probe, _: u32| -> Result<Report, ()> {
        let known = stack::of(Target::Axum).probes.into_iter().find(|p| p.name == "alone");
        let mut report =
            report(&Service::usual(Target::Axum), &known.expect("it has one"), Vec::new());
        let how = report.measurement.as_mut().expect("it is measured");
        how.processes[0].cpu = if probe.name == "without" { 0.1 } else { 0.3 };
        Ok(report)
    };
    let found = calibrate(&stack, 2, &mut measure).expect("it measures anything");
    let [call] = &found.costs[..] else { panic!("{:?}", found.costs) };
    assert_eq!((&*call.key, call.value, call.sound), ("cpu.call", 0.001, true));
}

#[test]
fn some_costs_alone_need_few_probes_and_leave_all_others_as_they_are() {
    for (target, others) in [
        (Target::Axum, "scenarios/costs/axum.toml"),
        (Target::Fastapi, "scenarios/costs/fastapi.toml"),
    ] {
        let only = ["cpu.async.request".to_string()];
        let stack = stack::of(target).only(&only).expect("it is a cost of both");
        let mut probes = Vec::new();
        let mut measure = |probe: &Probe, _: u32| -> Result<_, ()> {
            probes.push(probe.name.clone());
            Ok(report(&Service::usual(target), probe, Vec::new()))
        };
        let found = calibrate(&stack, 1, &mut measure).expect("it measures anything");
        assert!(probes.len() <= 2, "{probes:?}");
        assert_eq!(found.costs.len(), 1);
        let others = format!("{}/../{others}", env!("CARGO_MANIFEST_DIR"));
        let others = std::fs::read_to_string(others).expect("it comes with the program");
        let merged = profile::merged(&others, &found).expect("TOML");
        let differs = |line: &&str| !others.contains(*line);
        let fresh: Vec<&str> = merged.lines().filter(differs).collect();
        let keys: Vec<&str> = fresh.iter().filter_map(|line| line.split(" =").next()).collect();
        let of_itself = ["written_by", "measured_since", "in_doubt"];
        let about = keys.iter().filter(|key| of_itself.contains(*key));
        assert_eq!((about.count() + 1, keys.last()), (keys.len(), Some(&"request")), "{fresh:?}");
        assert!(profile::is_calibrated(&merged), "{merged}");
    }
}

#[test]
fn a_cost_that_is_not_measured_is_refused_by_its_nearest_name() {
    let refused = |name: &str| {
        let refused =
            stack::of(Target::Axum).only(&[name.to_string()]).err().map(|error| error.to_string());
        refused.unwrap_or_default()
    };
    assert_eq!(
        refused("cpu.async.requst"),
        "`cpu.async.requst` is no cost that is measured on axum; did you mean `cpu.async.request`?"
    );
    assert_eq!(refused("commit.wal"), "");
    assert_eq!(refused("disk.sync.p50"), "");
}

#[test]
fn an_error_ends_it() {
    let mut count = 0;
    let mut measure = |probe: &Probe, _: u32| {
        count += 1;
        match count {
            3 => Err("enough"),
            _ => Ok(report(&Service::usual(Target::Axum), probe, Vec::new())),
        }
    };
    assert_eq!(calibrate(&stack::of(Target::Axum), 3, &mut measure), Err("enough"));
    assert_eq!(count, 3);
}

#[test]
fn the_kernels_work_for_syncs_is_part_of_a_commit() {
    let (commit, read) = ("commit wal full", "cold statement async");
    let key = "commit.wal.full";
    let service = Service::usual(Target::Axum);
    let mut measure = |probe: &Probe, _: u32| -> Result<Report, ()> {
        let mut report = report(&service, probe, Vec::new());
        // What it does beside a service that only reads, it does for others.
        if [commit, read].contains(&&*probe.name) {
            let how = report.measurement.as_mut().expect("it is measured");
            (how.kernel, how.service_cpus) = (0.1, vec![1]);
        }
        Ok(report)
    };
    let found = calibrate(&stack::of(Target::Axum), 2, &mut measure).expect("it measures anything");
    let statement = cost(&found, "cache.statement").value - service.cost("cache.statement");
    assert!(statement.abs() < 1e-9, "{statement}");
    // A tenth of two seconds, over all that was written in them.
    let of_kernel = 0.1 * service::SECONDS / service::GOOD as f64;
    let (found, truth) = (cost(&found, key).value, service.cost(key) + of_kernel);
    assert!((found - truth).abs() < 1e-9, "{found} is {truth}");
}

#[test]
fn the_answer_is_printed_in_every_form() {
    let mut calibration = calibrated(&Service::usual(Target::Axum), 3, |_| 1.0);
    calibration.file = Some("costs/axum.toml".into());
    let text = calibration.page().text(Paint::default());
    assert!(text.starts_with("What axum costs by itself, from 3 rounds\n"), "{text}");
    assert!(text.ends_with("written to costs/axum.toml\n"), "{text}");
    let json = render::json(&calibration);
    assert_eq!(serde_json::from_str::<Calibration>(&json).expect("the same"), calibration);
    let markdown = calibration.page().markdown();
    for cost in &calibration.costs {
        assert!(text.contains(&format!("\n{} ", cost.key)), "{text}");
        assert!(markdown.contains(&format!("\n| {} |", cost.key)), "{markdown}");
    }
}
