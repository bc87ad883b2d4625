//! The prediction that pairs with a measurement.
//!
//! Both see the same requests: replication `i` of the prediction and round `i` of the
//! measurement draw from one seed. So there are as many replications as rounds, with the same
//! warm-up and window, and their differences can be judged pair by pair.

use live::machine::Turns;
use live::stack::Target;
use model::costs::{Costs, QueryCost};
use model::read::Resolved;
use model::report::Report;
use model::scenario::{
    Concurrency, DatabaseClient, DriverMode, Engine, Hold, Scenario, Server, Step,
};
use sim::engine::Runaway;
use sim::predict::Experiment;
use sim::replicate::Effort;

use super::platform::Platform;
use crate::calibrate::stack;

/// Most rounds: a prediction tells its replications apart up to as many.
pub(crate) const MOST_ROUNDS: u32 = 10;

/// Predicts what `live` measures of `resolved` in so many `rounds`, on `platform`,
/// as far as that is known. The digest is that of the scenario as it is written.
///
/// A single round has no pair: two replications would know their spread badly and one not at
/// all. It is held against what is to be expected of any round, from as many replications as
/// there can be.
///
/// # Errors
/// A replication does not come to its end.
pub fn predict(
    resolved: &Resolved,
    platform: Option<&Platform>,
    rounds: u32,
) -> Result<Report, Runaway> {
    let mut resolved = resolved.clone();
    if let Some(platform) = platform {
        overlay(&mut resolved, platform);
    }
    let effort = paired_with(rounds);
    // What is full is told by `bottleneck`, of both sides alike: no knob is turned.
    sim::predict::predict(&resolved, &effort, Experiment::None, &mut |_| {})
}

/// Predicts `resolved` in a round for each of `speeds`, on processors that are so many times as fast as those it
/// names.
///
/// # Errors
/// A replication does not come to its end.
pub(crate) fn predict_at(resolved: &Resolved, speeds: &[f64]) -> Result<Report, Runaway> {
    sim::predict::predict_at(resolved, speeds, &paired_with(speeds.len() as u32))
}

/// As many replications as `rounds`.
fn paired_with(rounds: u32) -> Effort {
    let replications = if rounds < 2 { MOST_ROUNDS } else { rounds.min(MOST_ROUNDS) };
    Effort { replications, replications_max: replications, precision: None, ..Effort::default() }
}

/// Predicts `resolved` where nothing is measured that the prediction would pair with: with
/// the effort of `sim scenario`, and so with its numbers.
///
/// # Errors
/// A replication does not come to its end.
pub(crate) fn predict_alone(
    resolved: &Resolved,
    platform: Option<&Platform>,
) -> Result<Report, Runaway> {
    let mut resolved = resolved.clone();
    if let Some(platform) = platform {
        overlay(&mut resolved, platform);
    }
    let effort = Effort { precision: Some(Effort::PRECISION), ..Effort::default() };
    sim::predict::predict(&resolved, &effort, Experiment::None, &mut |_| {})
}

/// Puts `resolved` on `platform`.
pub(crate) fn overlay(resolved: &mut Resolved, platform: &Platform) {
    let scenario = &mut resolved.scenario;
    let costs = costs(scenario, platform);
    scenario.set_costs(costs);
    use_real_client(scenario, platform.target);
    let stack = stack::of(platform.target);
    if let Some(event_loop) = stack.event_loop {
        scenario.service.event_loop = event_loop;
    }
    if stack.burns {
        without_fastapi(scenario);
        call_as_live_does(scenario);
    } else {
        // Handlers compute as long as the scenario says; the libraries cost less elsewhere.
        let scale = scenario.costs.cpu_scale(scenario.service.server);
        for endpoint in &mut scenario.endpoints {
            let steps = endpoint.steps.iter_mut().chain(&mut endpoint.after);
            steps.for_each(|step| scale_handler(step, 1.0 / scale));
        }
    }
    if let Some(turns) = platform.turns {
        take_turns(resolved, turns);
    }
}

/// On axum each pragma of a new connection is a call of its own, and so is what a profile says of closing one,
/// which is burned on the connection's thread before it ends.
fn call_as_live_does(scenario: &mut Scenario) {
    let Some(database) = &scenario.database else { return };
    let pragmas = match &database.engine {
        Engine::Sqlite(sqlite) => sqlite.pragmas,
        Engine::Postgres(_) => return,
    };
    let costs = &mut scenario.costs;
    costs.driver.open_hops += pragmas;
    if !costs.cpu(Concurrency::Async).close.is_zero() && costs.driver.close_hops > 0 {
        costs.driver.close_hops += 1;
    }
}

/// Threads take turns as on this machine, as far as the scenario does not say how.
fn take_turns(resolved: &mut Resolved, turns: Turns) {
    let written = ["cpu.scheduler", "cpu.slice", "cpu.tick"].map(|key| resolved.is_written(key));
    let cpu = &mut resolved.scenario.cpu;
    if !written[0] {
        cpu.scheduler = turns.scheduler;
    }
    if !written[1] {
        cpu.slice = turns.slice;
    }
    if !written[2] {
        cpu.tick = turns.tick;
    }
}

/// A database server is used by the library that the stack has, whichever the scenario means.
fn use_real_client(scenario: &mut Scenario, target: Target) {
    let awaits = scenario.endpoints.iter().any(|endpoint| {
        endpoint.concurrency(&scenario.service) == Concurrency::Async
            && endpoint.all_steps().any(Step::uses_database)
    });
    let Some(database) = &mut scenario.database else { return };
    let client = match target {
        Target::Axum => DatabaseClient::Sqlx,
        Target::Fastapi if awaits && database.driver == DriverMode::Async => {
            DatabaseClient::Asyncpg
        }
        Target::Fastapi => DatabaseClient::Psycopg,
        Target::Own => return,
    };
    if let Engine::Postgres(postgres) = &mut database.engine {
        *postgres = postgres.clone().used_by(client);
        // axum's target is built without TLS, so that its sqlx does not ask for it.
        postgres.open_trips -= u32::from(target == Target::Axum);
    }
}

/// What only follows from FastAPI's defaults, axum leaves out: dependencies, the validation of a
/// response, and a session that outlives its handler.
fn without_fastapi(scenario: &mut Scenario) {
    scenario.service.response_model.get_or_insert(false);
    scenario.service.dependencies.get_or_insert(0);
    let outlives: Vec<bool> =
        scenario.endpoints.iter().map(|one| one.session_outlives_handler(scenario)).collect();
    for (endpoint, outlives) in scenario.endpoints.iter_mut().zip(outlives) {
        if outlives {
            endpoint.hold = Some(Hold::Handler);
        }
    }
}

fn scale_handler(step: &mut Step, factor: f64) {
    match step {
        Step::Cpu(time) => *time = time.scale(factor),
        Step::Session(branches) | Step::Gather(branches) | Step::Lock { steps: branches, .. } => {
            branches.iter_mut().for_each(|branch| scale_handler(branch, factor));
        }
        _ => {}
    }
}

/// The costs of `scenario` on `platform`. A scenario that means the stack itself burns nothing, and
/// on FastAPI each one does; axum burns the costs of any other stack on top of its own.
pub(crate) fn costs(scenario: &Scenario, platform: &Platform) -> Costs {
    let burns = stack::of(platform.target).burns && scenario.service.server != Server::Axum;
    let (own, platform) = (&scenario.costs, &platform.costs);
    if burns {
        let scale = own.cpu_scale(scenario.service.server) / scenario.cpu.speed;
        return own.burned_on(platform, scale);
    }
    // Queries have names in the scenario, which also says how many pages one changes.
    let query = |(name, query): (&String, &QueryCost)| {
        let engine = platform.query(name).map_or(&query.engine, |query| &query.engine).clone();
        (name.clone(), QueryCost { engine, pages: query.pages })
    };
    let mut queries = platform.query.clone();
    queries.extend(own.query.iter().map(query));
    Costs { query: queries, ..platform.clone() }
}

#[cfg(test)]
mod tests {
    use model::read::load_text;
    use model::scenario::{EventLoop, Scheduler};
    use model::units::Span;

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

    fn platform() -> Platform {
        let sets = ["costs.cpu.request=3ms", "costs.interpreter.lock=false"];
        Platform { target: Target::Axum, costs: shop(&sets).scenario.costs, turns: None }
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
    fn what_only_predicts_has_the_numbers_of_sim_scenario() {
        let mut own = Vec::new();
        let file = tempfile::tempdir().expect("a folder");
        let path = file.path().join("shop.toml");
        std::fs::write(&path, SHOP).expect("ours");
        let words = ["sim", "scenario", &path.to_string_lossy(), "--format", "json"];
        let exit = sim::cli::run(words, &mut own, &mut Vec::new());
        assert_eq!(exit, render::Exit::Success);
        let own: Report = serde_json::from_slice(&own).expect("a report");
        let alone = predict_alone(&shop(&[]), None).expect("it ends");
        let json = |report: &Report| serde_json::to_string(&model::sweep::Figures::of(report));
        assert_eq!(json(&alone).expect("JSON"), json(&own).expect("JSON"));
        assert_eq!((alone.run, alone.response_time), (own.run, own.response_time));
    }

    #[test]
    fn the_platform_replaces_the_costs_of_axum_and_lies_under_all_others() {
        let request =
            |sets: &[&str]| costs(&shop(sets).scenario, &platform()).cpu.async_.request.mean();
        let axum = ["service.server=axum", "costs.interpreter.lock=false"];
        assert_eq!(request(&axum), 0.003);
        assert_eq!(request(&["service.server=uvicorn"]), 0.005);
        // A processor twice as fast burns half as much; the stack itself stays as it is.
        let fast = ["service.server=uvicorn", "cpu.speed=2"];
        assert_eq!(request(&fast) / 2.0, 0.001 + 0.003);
    }

    #[test]
    fn axum_is_predicted_without_what_fastapi_adds() {
        let text = r#"
            load = { users = 5, duration = "1s" }
            service.concurrency = "threadpool"
            database.hold = "request"
            [[endpoint]]
            name = "item"
            weight = 1
            steps = [{ read = "item" }]
            [costs]
            cpu.request = "1ms"
            query.default.engine = "1us"
        "#;
        let mut resolved = load_text("shop", text, &[]).expect("a valid scenario");
        let visits = |resolved: &Resolved| {
            let endpoint = &resolved.scenario.endpoints[0];
            let scenario = &resolved.scenario;
            (endpoint.dependencies(scenario), endpoint.validates(scenario), endpoint.hold(scenario))
        };
        assert_eq!(visits(&resolved), (1, true, Some(Hold::Request)));
        overlay(&mut resolved, &platform());
        assert_eq!(visits(&resolved), (0, false, Some(Hold::Handler)));
    }

    #[test]
    fn on_fastapi_nothing_is_burned_and_handlers_compute_as_long_as_written() {
        let sets = [
            "costs.cpu.request=3ms",
            "costs.server.gunicorn.cpu_scale=0.8",
            "costs.server.uvicorn.request=30us",
            "costs.interpreter.lock=true",
        ];
        let costs = shop(&sets).scenario.costs;
        let platform = Platform { target: Target::Fastapi, costs, turns: None };
        let placed = |server: &str| {
            let mut shop = shop(&[&format!("service.server={server}")]);
            let own = shop.scenario.service.event_loop;
            overlay(&mut shop, &platform);
            assert_eq!(shop.scenario.service.event_loop, own);
            shop.scenario
        };
        let uvicorn = placed("uvicorn");
        assert_eq!(uvicorn.costs.cpu.async_.request.mean(), 0.003);
        assert!(uvicorn.costs.interpreter.lock);
        let access_log = |server| uvicorn.costs.server_request(server);
        assert_eq!(access_log(Server::Uvicorn), Span::from_micros(30));
        assert!(access_log(Server::Gunicorn).is_zero());
        // One millisecond, whatever the server: the simulator scales all CPU time.
        let gunicorn = placed("gunicorn");
        let Step::Cpu(time) = &gunicorn.endpoints[0].steps[0] else { panic!("it computes") };
        let scale = gunicorn.costs.cpu_scale(gunicorn.service.server);
        assert!((time.mean() * scale - 0.001).abs() < 1e-9, "{time:?}");
    }

    #[test]
    fn threads_take_turns_as_on_this_machine_unless_the_scenario_says_how() {
        let (slice, tick) = (Span::from_millis(5), Span::from_millis(4));
        let here = Turns { scheduler: Scheduler::Eevdf, slice, tick };
        let turns = |sets: &[&str], here: Option<Turns>| {
            let mut with = shop(sets);
            let of = |resolved: &Resolved| {
                let cpu = &resolved.scenario.cpu;
                Turns { scheduler: cpu.scheduler, slice: cpu.slice, tick: cpu.tick }
            };
            let own = of(&with);
            overlay(&mut with, &Platform { turns: here, ..platform() });
            (own, of(&with))
        };
        let (own, with) = turns(&[], Some(here));
        assert_ne!(own, here);
        assert_eq!(with, here);
        let (own, unknown) = turns(&[], None);
        assert_eq!(own, unknown);
        let sets = ["cpu.scheduler=cfs", "cpu.slice=2ms", "cpu.tick=0s"];
        let (own, written) = turns(&sets, Some(here));
        assert_eq!(own, written);
    }

    #[test]
    fn connections_are_accepted_as_the_scenarios_own_loop_does() {
        for (server, most) in [("uvicorn", 1), ("axum", u32::MAX)] {
            let sets = [format!("service.server={server}"), "costs.interpreter.lock=false".into()];
            let mut shop = shop(&[&sets[0], &sets[1]]);
            overlay(&mut shop, &platform());
            let service = &shop.scenario.service;
            assert_eq!((service.event_loop, service.accept_most), (EventLoop::Tokio, most));
        }
    }

    #[test]
    fn the_digest_is_that_of_the_scenario_as_written() {
        let shop = shop(&[]);
        let report = predict(&shop, Some(&platform()), 2).expect("it ends");
        assert_eq!(report.digest, shop.digest());
        assert_eq!(report, predict(&shop, Some(&platform()), 2).expect("it ends"));
    }
}
