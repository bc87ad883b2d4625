//! The load: closed or open, its length, and whether the run can move at all.

use super::groups;
use crate::distribution::Distribution;
use crate::keys::{Fields, Keys, Origin, Typed, path, read_field};
use crate::read::diagnostic::{Problem, Problems};
use crate::read::trace::check_names;
use crate::scenario::{Alone, Connections, Engine, OnOff, Profile, Scenario, Source, Step};
use crate::trace::Trace;
use crate::units::Span;
use crate::workload::LEAST_PATIENCE;

/// The longest run: a sum of spans that each are allowed may still be too long.
const LONGEST_RUN: Span = Span::from_secs(1_000_000 * 3600);
/// The shortest on or off time, on average.
const SHORTEST_PHASE: Span = Span::from_millis(1);

pub(super) fn check(root: &Fields, problems: &mut Problems) {
    let Some(load) = root.table("load") else { return };
    kept_connections(load, problems);
    if let Some(groups) = load.list("group") {
        return groups::check(root, load, groups, problems);
    }
    if !check_source(load, "load", problems) {
        return;
    }
    // Broken where one of its keys is, which is reported.
    let Some(Alone(source)) = Alone::read(load, &[]) else { return };
    if let Some(profile) = source.profile() {
        length(load, profile, problems);
    }
    if let Source::Replay { trace, .. } = &source {
        length_of_trace(load, trace, problems);
    }
}

/// What the traces of the load call is there.
pub(super) fn check_traces(scenario: &Scenario, root: &Fields, problems: &mut Problems) {
    let Some(load) = root.table("load") else { return };
    let groups = load.list("group").unwrap_or_default();
    for (fields, group) in [load].into_iter().chain(groups).map(|one| (one, one.text("name"))) {
        let Some(Typed::Trace(written)) = fields.get("trace").map(|one| &one.value) else {
            continue;
        };
        let path = group.map_or("load".into(), |name| path(&["load", "group", name]));
        check_names(written, &path, &scenario.endpoints, problems);
    }
}

/// Arrivals that were recorded have a length, and no stages.
fn length_of_trace(load: &Fields, trace: &Trace, problems: &mut Problems) {
    let Some(warmup) = read_field::<Span>(load, "warmup", &[]) else { return };
    let length = trace.length();
    let implied = load.get("duration").is_none_or(|checked| checked.origin == Origin::Implied);
    if implied && warmup >= length {
        problems.push(
            Problem::new(
                load.position("warmup").newer(load.position("trace")),
                format!("`load.warmup` is {warmup}, and `load.trace` lasts {length}"),
            )
            .allowed("a warm-up shorter than the trace")
            .advice("shorten it, or write `duration`"),
        );
    }
}

/// The keys of one load, which stands at `path`. False if its stages are broken.
pub(super) fn check_source(load: &Fields, path: &str, problems: &mut Problems) -> bool {
    if load.has("trace") && load.has("stages") {
        problems.push(
            Problem::new(load.position("stages"), format!("`{path}.stages` beside `{path}.trace`"))
                .allowed("`stages` only beside `users` or `rate`")
                .advice("remove `stages`: a trace has its own length, and `duration` cuts it"),
        );
        return false;
    }
    let closed = load.has("users");
    if !stages(load, path, closed, problems) {
        return false;
    }
    patience(load, path, problems);
    let Some(Alone(source)) = Alone::read(load, &[]) else { return true };
    if source.profile().is_some_and(|profile| profile.peak() <= 0.0) {
        let (key, advice) = match source.is_open() {
            false => ("users", "write `users = 1` for a single user"),
            true => ("rate", "write `rate = \"1/s\"`"),
        };
        problems.push(
            Problem::new(load.position(key), format!("`{path}.{key}` is 0"))
                .allowed("a load above 0, at the start or at the end of a stage")
                .advice(advice),
        );
    }
    if let Source::Open { on_off: Some(on_off), .. } = &source {
        phases(load, path, on_off, problems);
    }
    true
}

/// Connections that are not kept are never idle.
fn kept_connections(load: &Fields, problems: &mut Problems) {
    if load.has("keep_alive_timeout") && read_field(load, "keep_alive", &[]) == Some(false) {
        problems.push(
            Problem::new(
                load.position("keep_alive_timeout").newer(load.position("keep_alive")),
                "`load.keep_alive_timeout` with `keep_alive = false`",
            )
            .allowed("a time for idle connections only where connections are kept")
            .advice("remove one of the two"),
        );
    }
}

/// A client that waits for no time at all gets no answer.
fn patience(load: &Fields, path: &str, problems: &mut Problems) {
    let timeout: Option<Option<Distribution>> = read_field(load, "timeout", &[]);
    let Some(Some(timeout)) = timeout else { return };
    if timeout.mean() < LEAST_PATIENCE.secs_f64() {
        let text = load.get("timeout").map_or(String::new(), |checked| checked.value.print());
        problems.push(
            Problem::new(load.position("timeout"), format!("`{path}.timeout` is {text}"))
                .allowed(format!("at least {LEAST_PATIENCE}, or \"never\""))
                .advice("write the unit and a time in which an answer may come"),
        );
    }
}

/// On and off times so short that there would be no end of them are refused.
fn phases(load: &Fields, path: &str, on_off: &OnOff, problems: &mut Problems) {
    let Some(fields) = load.table("on_off") else { return };
    for (key, times) in [("on", &on_off.on), ("off", &on_off.off)] {
        if times.mean() < SHORTEST_PHASE.secs_f64() {
            problems.push(
                Problem::new(
                    fields.position(key),
                    format!("`{path}.on_off.{key}` is less than {SHORTEST_PHASE} on average"),
                )
                .allowed(format!("at least {SHORTEST_PHASE}, as in \"2s\" or {{ mean = \"2s\" }}"))
                .advice("without `on_off` arrivals come all the time"),
            );
        }
    }
}

/// False if a stage is broken.
fn stages(load: &Fields, path: &str, closed: bool, problems: &mut Problems) -> bool {
    let Some(list) = load.list("stages") else { return true };
    if list.is_empty() {
        problems.push(
            Problem::new(load.position("stages"), format!("`{path}.stages` is empty"))
                .allowed("at least one stage")
                .advice("write `duration` instead for a steady load"),
        );
    }
    let each = list.iter().enumerate();
    let sound = each
        .map(|(index, fields)| stage(fields, &format!("{path}.stages[{index}]"), closed, problems));
    sound.fold(!list.is_empty(), |all, one| all & one)
}

fn stage(fields: &Fields, path: &str, closed: bool, problems: &mut Problems) -> bool {
    let Some(target) = fields.get("target") else { return false };
    match (&target.value, closed) {
        (Typed::Integer(_), true) | (Typed::Rate(_), false) => return true,
        (Typed::Broken, _) => return false,
        _ => {}
    }
    let path = format!("{path}.target");
    let (allowed, advice) = if closed {
        ("users, as in 100: the load is closed", "write `target = 100`")
    } else {
        ("a rate, as in \"200/s\": the load is open", "write `target = \"200/s\"`")
    };
    problems.push(
        Problem::new(fields.position("target"), format!("`{path}` is {}", target.value.print()))
            .allowed(allowed)
            .advice(advice),
    );
    false
}

/// The stages leave something to count, and end some day.
fn length(load: &Fields, profile: &Profile, problems: &mut Problems) {
    let Some(warmup) = read_field::<Span>(load, "warmup", &[]) else { return };
    if profile.stages.is_empty() {
        return;
    }
    let total = profile.stages.iter().fold(Span::ZERO, |sum, s| sum.saturating_add(s.duration));
    if total > LONGEST_RUN {
        problems.push(
            Problem::new(load.position("stages"), "the stages of `load` are longer than 1000000h")
                .allowed("a run of at most 1000000h"),
        );
    } else if warmup >= total {
        problems.push(
            Problem::new(
                load.position("warmup").newer(load.position("stages")),
                format!("`load.warmup` is {warmup}, and the stages last {total}"),
            )
            .allowed("a warm-up shorter than the stages together")
            .advice("shorten it, or lengthen the stages"),
        );
    }
}

/// Closed users whose requests take no time would send the next one at the same instant,
/// and the clock would stand still for ever.
pub(super) fn check_that_time_passes(scenario: &Scenario, root: &Fields, problems: &mut Problems) {
    let groups = scenario.load.groups();
    let weights = groups.iter().filter(|group| never_thinks(&group.load.source));
    let weights: Vec<Vec<f64>> = weights.map(|group| group.weights(&scenario.endpoints)).collect();
    if weights.is_empty() {
        return;
    }
    let called = |index: usize| weights.iter().any(|weights| weights[index] > 0.0);
    let advice = "give `costs.cpu.request` a cost, add a step, or set `load.think_time`";
    let list = root.list("endpoint").unwrap_or_default();
    for (index, (endpoint, fields)) in scenario.endpoints.iter().zip(list).enumerate() {
        if called(index) && !takes_time(scenario, endpoint) {
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
    let refuses_for_free = scenario.endpoints.iter().enumerate().any(|(index, endpoint)| {
        called(index)
            && scenario.costs.cpu(endpoint.concurrency(&scenario.service)).reject.is_zero()
    });
    if let Some(service) = root.table("service")
        && scenario.service.limit_concurrency.is_some()
        && refuses_for_free
    {
        problems.push(
            Problem::new(
                service.position("limit_concurrency"),
                "a request beyond `service.limit_concurrency` is refused in no time at all, and its user takes no time to think",
            )
            .allowed("closed users only with refusals or pauses that take time")
            .advice("give `costs.cpu.reject` a cost, or set `load.think_time`"),
        );
    }
}

/// Its users send the next request as soon as they have a reply.
fn never_thinks(source: &Source) -> bool {
    matches!(source, Source::Closed { think_time, .. } if think_time.is_zero())
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
        Step::Statement(one) => database(statement(&one.query)),
        Step::Transaction { statements, .. } => {
            database(statements.iter().any(|one| statement(&one.query)))
        }
        Step::Call(index) => {
            let upstream = scenario.upstreams.get(*index)?;
            let no_patience =
                upstream.max_connections.is_some() && upstream.pool_timeout == Some(Span::ZERO);
            let takes_time = !upstream.latency.is_zero() || !cpu.call.is_zero();
            if no_patience && cpu.call.is_zero() { None } else { Some(takes_time) }
        }
        // It may not get the lock in no time.
        Step::Lock { lock, .. }
            if scenario
                .locks
                .iter()
                .any(|one| one.name == *lock && one.timeout == Some(Span::ZERO)) =>
        {
            None
        }
        Step::Session(steps) | Step::Gather(steps) | Step::Lock { steps, .. } => {
            let branches: Option<Vec<bool>> =
                steps.iter().map(|step| step_takes_time(scenario, cpu, step)).collect();
            branches.map(|branches| branches.contains(&true))
        }
    }
}
