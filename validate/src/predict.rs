//! The prediction that pairs with a measurement.
//!
//! Both see the same requests: replication `i` of the prediction and round `i` of the
//! measurement draw from one seed. So there are as many replications as rounds, with the same
//! warm-up and window, and their differences can be judged pair by pair.

use model::costs::{Costs, QueryCost};
use model::read::Resolved;
use model::report::Report;
use model::scenario::{EventLoop, Scenario, Server};
use sim::engine::Runaway;
use sim::predict::Experiment;
use sim::replicate::Effort;

/// Most rounds: a prediction tells its replications apart up to as many.
pub const MOST_ROUNDS: u32 = 10;

/// Predicts what `live` measures of `resolved` in so many `rounds`, on a stack that costs
/// `platform` by itself, as far as that is known. The digest is that of the scenario as it is written.
///
/// A single round has no pair: two replications would know their spread badly and one not at
/// all. It is held against what is to be expected of any round, from as many replications as
/// there can be.
///
/// # Errors
/// A replication does not come to its end.
pub fn predict(
    resolved: &Resolved,
    platform: Option<&Costs>,
    rounds: u32,
) -> Result<Report, Runaway> {
    let mut resolved = resolved.clone();
    if let Some(platform) = platform {
        resolved.scenario.costs = costs(&resolved.scenario, platform);
        // Whatever the scenario stands for, what runs is tokio's loop.
        resolved.scenario.service.event_loop = EventLoop::Tokio;
    }
    let replications = if rounds < 2 { MOST_ROUNDS } else { rounds.min(MOST_ROUNDS) };
    let effort = Effort {
        replications,
        replications_max: replications,
        precision: None,
        ..Effort::default()
    };
    // What is full is told by `bottleneck`, of both sides alike: no knob is turned.
    sim::predict::predict(&resolved, &effort, Experiment::None, &mut |_| {})
}

/// What `live` costs when it runs `scenario`: where axum itself is meant nothing is burned;
/// elsewhere the profile of the scenario is, on top of what axum costs.
pub fn costs(scenario: &Scenario, platform: &Costs) -> Costs {
    let own = &scenario.costs;
    if scenario.service.server != Server::Axum {
        let scale = own.cpu_scale(scenario.service.server) / scenario.cpu.speed;
        return own.burned_on(platform, scale);
    }
    // Queries have names in the scenario, and what one changes is up to it.
    let query = |(name, query): (&String, &QueryCost)| {
        let engine = platform.query(name).map_or(&query.engine, |query| &query.engine).clone();
        (name.clone(), QueryCost { engine, pages: query.pages })
    };
    let mut queries = platform.queries.clone();
    queries.extend(own.queries.iter().map(query));
    Costs { queries, ..platform.clone() }
}

#[cfg(test)]
mod tests {
    use model::read::load_text;

    use super::*;

    const SHOP: &str = r#"
        load = { users = 5, think_time = { mean = "10ms" }, warmup = "1s", duration = "4s" }
        service.concurrency = "async"
        endpoint = [{ name = "hello", weight = 1, steps = [{ cpu = "1ms" }] }]
        [costs.cpu]
        request = "2ms"
    "#;

    fn shop(sets: &[&str]) -> Resolved {
        let sets: Vec<String> = sets.iter().map(|set| set.to_string()).collect();
        load_text("shop", SHOP, &sets).expect("a valid scenario")
    }

    fn platform() -> Costs {
        shop(&["costs.cpu.request=3ms", "costs.interpreter.lock=false"]).scenario.costs
    }

    #[test]
    fn each_round_has_its_replication_and_a_single_one_an_expectation() {
        for (rounds, replications) in [(1, 10), (2, 2), (3, 3), (10, 10), (12, 10)] {
            let report = predict(&shop(&[]), Some(&platform()), rounds).expect("it ends");
            assert_eq!(report.run.replications, replications, "{rounds}");
            assert!(report.bottleneck.is_none() && report.knobs.is_empty());
        }
    }

    #[test]
    fn the_platform_replaces_the_costs_of_axum_and_lies_under_all_others() {
        let request =
            |sets: &[&str]| costs(&shop(sets).scenario, &platform()).async_.request.mean();
        let axum = ["service.server=axum", "costs.interpreter.lock=false"];
        assert_eq!(request(&axum), 0.003);
        assert_eq!(request(&["service.server=uvicorn"]), 0.005);
        // A processor twice as fast burns half as much; the stack itself stays as it is.
        let fast = ["service.server=uvicorn", "cpu.speed=2"];
        assert_eq!(request(&fast) / 2.0, 0.001 + 0.003);
    }

    #[test]
    fn the_digest_is_that_of_the_scenario_as_written() {
        let shop = shop(&[]);
        let report = predict(&shop, Some(&platform()), 2).expect("it ends");
        assert_eq!(report.digest, shop.digest());
        assert_eq!(report, predict(&shop, Some(&platform()), 2).expect("it ends"));
    }
}
