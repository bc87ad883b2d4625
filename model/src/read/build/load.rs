//! The load: closed or open, its length, and whether the run can move at all.

use crate::distribution::Distribution;
use crate::read::diagnostic::{Problem, Problems};
use crate::read::value::{Fields, Typed};
use crate::scenario::{
    Connections, Engine, Load, Profile, Scenario, Source, Spacing, Stage, Statement, Step,
};
use crate::units::Span;

/// The longest run: a sum of spans that each are allowed may still be too long.
const LONGEST_RUN: Span = Span::from_secs(1_000_000 * 3600);

pub(super) fn load(root: &Fields, problems: &mut Problems) -> Option<Load> {
    let load = root.table("load")?;
    let closed = load.has("users");
    let stages = stages(load, closed, problems);
    let start =
        if closed { load.integer("users").map(|users| users as f64) } else { load.number("rate") };
    let profile = start.zip(stages).map(|(start, stages)| Profile { start, stages });
    if let Some(profile) = &profile
        && profile.peak() <= 0.0
    {
        let key = if closed { "users" } else { "rate" };
        problems.push(
            Problem::new(load.place(key), format!("`load.{key}` is 0"))
                .allowed("a load above 0, at the start or at the end of a stage")
                .advice(if closed {
                    "write `users = 1` for a single user"
                } else {
                    "write `rate = \"1/s\"`"
                }),
        );
    }
    let warmup = load.span("warmup");
    let duration = match &profile {
        Some(profile) if load.has("stages") => {
            warmup.and_then(|warmup| what_the_warmup_leaves(load, profile, warmup, problems))
        }
        _ => load.span("duration"),
    };
    let source = if closed {
        load.distribution("think_time")
            .zip(profile)
            .map(|(think_time, users)| Source::Closed { users, think_time })
    } else {
        open(load, profile)
    };
    Some(Load {
        source: source?,
        warmup: warmup?,
        duration: duration?,
        timeout: load.limit_span("timeout")?,
        keep_alive: load.flag("keep_alive")?,
    })
}

fn open(load: &Fields, rate: Option<Profile>) -> Option<Source> {
    Some(Source::Open {
        rate: rate?,
        spacing: match load.word("spacing")? {
            "even" => Spacing::Even,
            _ => Spacing::Poisson,
        },
        max_users: load.limit_count("max_users")?,
    })
}

fn stages(load: &Fields, closed: bool, problems: &mut Problems) -> Option<Vec<Stage>> {
    if !load.has("stages") {
        return Some(Vec::new());
    }
    let list = load.list("stages")?;
    if list.is_empty() {
        problems.push(
            Problem::new(load.place("stages"), "`load.stages` is empty")
                .allowed("at least one stage")
                .advice("write `duration` instead for a steady load"),
        );
        return None;
    }
    let stages: Vec<Option<Stage>> = list
        .iter()
        .enumerate()
        .map(|(index, fields)| stage(fields, index, closed, problems))
        .collect();
    stages.into_iter().collect()
}

fn stage(fields: &Fields, index: usize, closed: bool, problems: &mut Problems) -> Option<Stage> {
    let target = match (&fields.get("target")?.value, closed) {
        (Typed::Integer(users), true) => *users as f64,
        (Typed::Rate(rate), false) => *rate,
        (Typed::Broken, _) => return None,
        (found, _) => {
            let path = format!("load.stages[{index}].target");
            let (allowed, advice) = if closed {
                ("users, as in 100: the load is closed", "write `target = 100`")
            } else {
                ("a rate, as in \"200/s\": the load is open", "write `target = \"200/s\"`")
            };
            problems.push(
                Problem::new(fields.place("target"), format!("`{path}` is {}", found.print()))
                    .allowed(allowed)
                    .advice(advice),
            );
            return None;
        }
    };
    Some(Stage { duration: fields.span("duration")?, target })
}

fn what_the_warmup_leaves(
    load: &Fields,
    profile: &Profile,
    warmup: Span,
    problems: &mut Problems,
) -> Option<Span> {
    let total = profile.stages.iter().fold(Span::ZERO, |sum, s| sum.saturating_add(s.duration));
    if total > LONGEST_RUN {
        problems.push(
            Problem::new(load.place("stages"), "the stages of `load` are longer than 1000000h")
                .allowed("a run of at most 1000000h"),
        );
        return None;
    }
    if warmup >= total {
        problems.push(
            Problem::new(
                load.place("warmup").newer(load.place("stages")),
                format!("`load.warmup` is {warmup}, and the stages last {total}"),
            )
            .allowed("a warm-up shorter than the stages together")
            .advice("shorten it, or lengthen the stages"),
        );
        return None;
    }
    Some(total - warmup)
}

/// Closed users whose requests take no time would send the next one at the same instant,
/// and the clock would stand still for ever.
pub(super) fn check_that_time_passes(scenario: &Scenario, root: &Fields, problems: &mut Problems) {
    let Source::Closed { think_time, .. } = &scenario.load.source else { return };
    if !think_time.is_zero() {
        return;
    }
    let advice = "give `costs.cpu.request` a cost, add a step, or set `load.think_time`";
    let list = root.list("endpoint").unwrap_or_default();
    for (endpoint, fields) in scenario.endpoints.iter().zip(list) {
        if endpoint.weight > 0.0 && !takes_time(scenario, endpoint) {
            problems.push(
                Problem::new(
                    fields.at,
                    format!("a request of endpoint `{}` takes no time at all, and its user no time to think", endpoint.name),
                )
                .allowed("closed users only with requests or pauses that take time")
                .advice(advice),
            );
        }
    }
    let refuses_for_free = scenario.endpoints.iter().any(|endpoint| {
        endpoint.weight > 0.0
            && scenario.costs.cpu(endpoint.concurrency(&scenario.service)).reject.is_zero()
    });
    if let Some(service) = root.table("service")
        && scenario.service.limit_concurrency.is_some()
        && refuses_for_free
    {
        problems.push(
            Problem::new(
                service.place("limit_concurrency"),
                "a request beyond `service.limit_concurrency` is refused in no time at all, and its user takes no time to think",
            )
            .allowed("closed users only with refusals or pauses that take time")
            .advice("give `costs.cpu.reject` a cost, or set `load.think_time`"),
        );
    }
}

/// True if each request is sure to take some time, whatever fails on its way.
fn takes_time(scenario: &Scenario, endpoint: &crate::scenario::Endpoint) -> bool {
    let cpu = scenario.costs.cpu(endpoint.concurrency(&scenario.service));
    if !cpu.request.is_zero() {
        return true;
    }
    for step in &endpoint.steps {
        match step_takes_time(scenario, cpu, step) {
            Some(true) => return true,
            Some(false) => {}
            // It may fail in no time, and the rest of the steps never come.
            None => return false,
        }
    }
    false
}

/// None if the step may end the request at once, with an error.
fn step_takes_time(scenario: &Scenario, cpu: &crate::costs::CpuCosts, step: &Step) -> Option<bool> {
    let statement = |query: &str| {
        let engine = scenario.costs.query(query).is_some_and(|cost| !cost.engine.is_zero());
        let trip = match scenario.database.as_ref().map(|database| &database.engine) {
            Some(Engine::Postgres(postgres)) => !postgres.round_trip.is_zero(),
            _ => false,
        };
        engine || trip || !cpu.statement.is_zero()
    };
    let database = |takes_time: bool| {
        let database = scenario.database.as_ref()?;
        let no_patience = match (&database.engine, &database.connections) {
            (_, Connections::Pool { timeout: Some(Span::ZERO), .. }) => true,
            (Engine::Sqlite(sqlite), _) => sqlite.busy_timeout.is_zero(),
            _ => false,
        };
        if no_patience { None } else { Some(takes_time) }
    };
    match step {
        Step::Cpu(d) | Step::Block(d) | Step::Sleep(d) => Some(!Distribution::is_zero(d)),
        Step::Read(query) | Step::Write(query) => database(statement(query)),
        Step::Transaction { statements, .. } => database(statements.iter().any(|s| match s {
            Statement::Read(query) | Statement::Write(query) => statement(query),
        })),
        Step::Call(index) => {
            let upstream = scenario.upstreams.get(*index)?;
            let no_patience =
                upstream.max_connections.is_some() && upstream.pool_timeout == Some(Span::ZERO);
            let takes_time = !upstream.latency.is_zero() || !cpu.call.is_zero();
            if no_patience && cpu.call.is_zero() { None } else { Some(takes_time) }
        }
        Step::Gather(steps) => {
            let branches: Option<Vec<bool>> =
                steps.iter().map(|step| step_takes_time(scenario, cpu, step)).collect();
            branches.map(|branches| branches.contains(&true))
        }
    }
}
