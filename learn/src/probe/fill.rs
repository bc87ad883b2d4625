//! From what was measured to what is known.

use std::collections::BTreeMap;
use std::path::Path;

use live::machine::{self, Turns};
use model::scenario::{Concurrency, ServerCpu, WorkerClass};
use model::statistics::Estimate;
use render::number;

use super::decide::{Alone, Decision, Manner};
use super::mix::Mixed;
use super::opening::Opening;
use super::session::{DATABASE, Session};
use super::spread::Spread;
use super::unproxied::Unproxied;
use super::witness::{Seen, SeenEndpoint};
use super::{connections, cpu, handler, mix, queries, speed};
use crate::learned::{
    Database, Endpoint, Figure, Hold, Latency, Learned, Load, Service, Step, Upstream,
};
use crate::process::Facts;

/// Where and when a service was probed.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The name of the scenario.
    pub name: String,
    /// The day, as 2026-11-28.
    pub date: String,
    /// The machine, in short.
    pub machine: String,
    /// Its address.
    pub address: String,
    /// What was found before anything was sent, in whole sentences.
    pub notes: Vec<String>,
    /// Why it ended before its end.
    pub stopped: Option<String>,
}

/// The threads of AnyIO's pool, which runs the `def` handlers of Starlette and FastAPI.
const ANYIO_THREADS: u32 = 40;
/// Users of the scenario, until the user says how many there are.
const USERS: u32 = 10;
/// Waits that spread less than this are taken as always the same: the 90 % point relative to the
/// 10 % point.
const CONSTANT: f64 = 1.1;

/// The service as `session` measured it, of a server with these `facts`. None if no endpoint was
/// measured.
pub fn fill(session: &Session<'_>, facts: &Facts, origin: &Origin) -> Option<Learned> {
    let known: Vec<usize> = (0..session.asks.len())
        .filter(|&index| !session.measured[index].turns.is_empty())
        .collect();
    if known.is_empty() {
        return None;
    }
    let facts = &facts.as_replies_say(session.closes());
    let decided: Vec<(usize, Decision)> =
        known.iter().map(|&index| (index, session.decide(index))).collect();
    let manners: Vec<(usize, Option<Figure<Concurrency>>)> = decided
        .iter()
        .map(|(index, decision)| {
            (*index, handler::concurrency(decision, &session.measured[*index], facts))
        })
        .collect();
    let usual = usual(session, &manners, facts);
    let mut notes = origin.notes.clone();
    notes.extend(session.remarks.iter().cloned());
    if let Some(why) = &origin.stopped {
        notes.push(format!(
            "The probe ended before its end: {why}. What stands here was measured until then."
        ));
    }
    notes.extend(
        session.measured.iter().filter_map(|one| Some(format!("{}.", one.left_out.clone()?))),
    );
    let threads = threads(session, &decided, &usual, facts);
    let opening = Opening::of(session);
    let (upstreams, database) = waited_for(session, facts, threads.as_ref(), &opening, &mut notes);
    notes.extend(opening.note(database.as_ref().map(|database| &database.connections)));
    let unproxied = Unproxied::of(session);
    let database = database.map(|database| unproxied.database(database));
    let trip =
        database.as_ref().and_then(|one| one.round_trip.as_ref()).map_or(0.0, |trip| trip.value);
    let usual_hold = database.as_ref().and_then(|one| one.hold.as_ref()).map(|hold| hold.value);
    let one_connection = connections::hold(session).is_some();
    let costs = costs(session, &known, &opening);
    let mut endpoints = Vec::new();
    for (((index, manner), (_, decision)), cpu) in manners.iter().zip(&decided).zip(&costs) {
        let ask = &session.asks[*index];
        let own = manner.clone().filter(|own| own.value != usual.value);
        endpoints.push(Endpoint {
            name: ask.name.clone(),
            request: Some(ask.learned()),
            weight: weight(ask.weight),
            concurrency: own,
            hold: seen_of(session, *index)
                .and_then(|seen| seen.hold.clone())
                .filter(|hold| !one_connection && Some(hold.value) != usual_hold),
            steps: unproxied.steps(*index, steps(session, *index, cpu), trip),
        });
        notes.push(format!("{}: {}.", ask.name, decision.evidence));
        notes.extend(remarks(session, *index, decision, facts));
    }
    Some(Learned {
        name: origin.name.clone(),
        about: about(session, facts, origin, &known),
        service: Service {
            server: facts.server.clone(),
            worker_class: facts.worker_class.clone(),
            concurrency: usual,
            workers: facts.workers.clone(),
            threads,
            keep_alive: keep_alive(session, facts),
            first_request: cpu::of_first(&session.measured, opening.seconds()[0]),
            cores: cores(session),
            turns: turns(),
            open: opening.service,
            process_switch: process_switch(facts, session.database_shares),
        },
        endpoints,
        upstreams,
        database,
        load: Load::Closed {
            users: Figure::assumed(USERS, "no load was seen", "say how many users there are"),
            think_time: Figure::assumed(1.0, "no load was seen", "say how long they think"),
        },
        notes,
    })
}

/// What a change of processes costs one of Python's, in seconds: the value, and what it may be.
///
/// Two and four uvicorn processes on one processor of an Intel Xeon, with a FastAPI handler of 0.7 ms
/// that waits three times, in turns with one process under the same load, on 30 November 2026: the
/// median of eight turns is 0.14 and 0.17 ms more CPU time for each change, with single turns from
/// 0.02 to 0.35 ms.
const PROCESS_SWITCH: [f64; 3] = [0.14e-3, 0.02e-3, 0.35e-3];

/// What a change of processes costs, where the service has one process and so has shown nothing of
/// it. With several, what they cost each other is part of each request's CPU time already; and so it is where
/// sessions of a database share its processors, since a processor changes from the service to a session and
/// back with each statement.
fn process_switch(facts: &Facts, database_shares: bool) -> Option<Figure> {
    if !facts.python || facts.workers.value > 1 || database_shares {
        return None;
    }
    let [value, low, high] = PROCESS_SWITCH;
    let how = "a usual value: the service has one process, so that nothing was seen of it; it matters \
               with more workers than processors";
    let better = "probe it with as many workers as it will have";
    let figure = Figure::assumed(value, how, better);
    Some(Figure { low: Some(low), high: Some(high), ..figure })
}

/// A service that closes each connection with its reply; a `sync` worker does so by itself.
fn keep_alive(session: &Session<'_>, facts: &Facts) -> Option<Figure> {
    let sync = facts.worker_class.as_ref().is_some_and(|class| class.value == WorkerClass::Sync);
    let how = "each reply closed its connection";
    (session.closes() == Some(true) && !sync).then(|| Figure::measured(0.0, [0.0, 0.0], how))
}

fn about(
    session: &Session<'_>,
    facts: &Facts,
    origin: &Origin,
    known: &[usize],
) -> BTreeMap<String, String> {
    let method = format!(
        "learn probe {}: {} requests in {}, one at a time and up to {} at once",
        origin.address,
        session.sent(),
        number::time(session.elapsed()),
        session.budget.depths.last().copied().unwrap_or(1),
    );
    let pairs = [
        ("date", origin.date.clone()),
        ("machine", origin.machine.clone()),
        ("stack", facts.command.clone()),
        ("method", method),
    ];
    let mut about: BTreeMap<String, String> =
        pairs.map(|(name, text)| (name.to_string(), text)).into();
    if let Some(speed) = speed::of(session, known) {
        about.extend(speed.written());
    }
    about
}

fn weight(weight: f64) -> Figure {
    let better = "give the share of each request in the list, or learn it from an access log";
    Figure::assumed(weight, "the weight of the list of requests", better)
}

fn cores(session: &Session<'_>) -> Figure<u32> {
    let cores = session.cores;
    Figure::measured(cores, [cores, cores], "processors that the service's processes may run on")
}

/// How threads take turns here.
fn turns() -> Option<Figure<Turns>> {
    let facts = machine::Facts::gather(Path::new("."));
    let turns = machine::turns(&facts)?;
    let how = format!("Linux {}: its scheduler, base slice and tick", facts.kernel?);
    Some(Figure::measured(turns, [turns; 2], how))
}

/// What something saw of an endpoint.
fn seen_of<'a>(session: &'a Session<'_>, index: usize) -> Option<&'a SeenEndpoint> {
    session.seen.as_ref()?.endpoints.get(&session.asks[index].name)
}

/// What something saw of all endpoints together.
fn waited_for(
    session: &Session<'_>,
    facts: &Facts,
    threads: Option<&Figure<u32>>,
    opening: &Opening,
    notes: &mut Vec<String>,
) -> (Vec<Upstream>, Option<Database>) {
    let Some(seen) = &session.seen else { return (Vec::new(), None) };
    notes.extend(seen.notes.iter().cloned());
    let cores = session.database_cores.map(|cores| {
        Figure::measured(cores, [cores; 2], "processors that the database's processes may run on")
    });
    let database = seen.database.clone().map(|database| Database {
        cores: database.cores.as_ref().map(|assumed| cores.unwrap_or(assumed.clone())),
        cpu: database.cores.as_ref().and_then(|_| shared(session)),
        connections: connections::of(session, facts, threads),
        hold: connections::hold(session).or(usual_hold(session, seen)),
        ..of_server(with_connect(database, session), session, seen, opening)
    });
    (seen.upstreams.clone(), database)
}

/// Whose processors the database's server runs on, where they are the service's.
fn shared(session: &Session<'_>) -> Option<Figure<ServerCpu>> {
    let how =
        "the database's processes may run on the processors of the service's, and on no other";
    let better = "if its server is to have a machine of its own, write `own`, and `cores`";
    let shared = || Figure::derived(ServerCpu::Shared, how).better(better);
    session.database_shares.then(shared)
}

/// The `database` with the time to open a connection, which a server needs processors for.
fn with_connect(database: Database, session: &Session<'_>) -> Database {
    Database { connect: connections::opening(session), ..database }
}

/// The `database` with what its server computes, where its CPU time is known.
fn of_server(
    database: Database,
    session: &Session<'_>,
    seen: &Seen,
    opening: &Opening,
) -> Database {
    let Some(number) = session.database() else { return database };
    let known = session.asks.iter().zip(&session.measured).enumerate();
    let asked = known.filter_map(|(endpoint, (ask, measured))| {
        let steps = &seen.endpoints.get(&ask.name)?.steps;
        let opened = measured.opened.unwrap_or(0.0);
        let cpu = cpu::of_other(measured, number, opening.seconds()[1])?;
        queries::Asked::new(endpoint, steps, opened, cpu)
    });
    let asked: Vec<queries::Asked> = asked.collect();
    let database = queries::computed(database, &asked);
    let database = queries::together(database, &asked, &session.mixed, number);
    Database { connect: opening.server.clone().or(database.connect), ..database }
}

/// How long most requests keep a connection, by weight.
fn usual_hold(session: &Session<'_>, seen: &Seen) -> Option<Figure<Hold>> {
    let weight_of = |hold: Hold| {
        let those = session.asks.iter().filter_map(|ask| {
            let known = seen.endpoints.get(&ask.name)?.hold.as_ref()?;
            (known.value == hold).then_some((ask.weight, known))
        });
        let weight: f64 = those.clone().map(|(weight, _)| weight).sum();
        those.map(|(_, known)| known.clone()).next().map(|known| (weight, known))
    };
    let all = [Hold::Operation, Hold::Handler, Hold::Request].into_iter().filter_map(weight_of);
    all.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, hold)| hold)
}

/// CPU time of a request of each of the endpoints `known`, apart and together.
fn costs(session: &Session<'_>, known: &[usize], opening: &Opening) -> Vec<Figure> {
    let [opening, _] = opening.seconds();
    let of = |&index: &usize| cpu::of_service(&session.measured[index], opening);
    let apart: Vec<Figure> = known.iter().map(of).collect();
    let counts = |turn: &Mixed| known.iter().map(|&index| turn.answered[index] as f64).collect();
    mix::corrected(&apart, &session.mixed, counts, |turn| turn.cpu)
}

/// CPU and waiting of an endpoint as steps.
fn steps(session: &Session<'_>, index: usize, cpu: &Figure) -> Vec<Step> {
    let measured = &session.measured[index];
    let steps = match seen_of(session, index) {
        Some(seen) if !seen.steps.is_empty() => {
            seen.steps.iter().map(|step| with_cpu(step, cpu)).collect()
        }
        _ => {
            let waiting = waiting(&session.alone(index)).map(Step::Wait);
            [Step::Cpu(Latency::Constant(cpu.clone()))].into_iter().chain(waiting).collect()
        }
    };
    match Spread::of(measured) {
        Some(spread) => spread.over(steps),
        None => steps,
    }
}

/// A share of the CPU time becomes seconds.
fn with_cpu(step: &Step, cpu: &Figure) -> Step {
    let Step::Cpu(Latency::Constant(share)) = step else { return step.clone() };
    Step::Cpu(Latency::Constant(cpu.times(share.value)))
}

/// What an endpoint waits for, of unknown kind; none if that is too little to be seen.
fn waiting(alone: &Alone) -> Option<Latency> {
    let known = alone.cpu + alone.delayed + alone.overhead;
    let rest = alone.times.iter().sum::<f64>() / alone.times.len().max(1) as f64 - known;
    if rest < 0.3e-3 || rest < 0.1 * alone.cpu {
        return None;
    }
    let mut waits: Vec<f64> = alone.times.iter().map(|time| (time - known).max(0.0)).collect();
    waits.sort_by(f64::total_cmp);
    let mean = Estimate::of_mean(&waits, 0.95);
    let at = |share: f64| waits[((waits.len() as f64 * share) as usize).min(waits.len() - 1)];
    let how = format!(
        "response time without CPU time of {} requests one at a time; the kind is not known",
        waits.len()
    );
    let better = "let the service send OpenTelemetry spans, or put a proxy in front of what it \
                  waits for";
    let figure = |value: f64, low: f64, high: f64| {
        let figure = Figure::measured(value, [low.max(0.0), high], how.clone());
        Figure { better: better.into(), ..figure }
    };
    if at(0.9) <= CONSTANT * at(0.1) || waits.len() < 10 {
        return Some(Latency::Constant(figure(mean.value, mean.low, mean.high)));
    }
    let logs: Vec<f64> = waits.iter().map(|wait| libm::log(wait.max(1e-6))).collect();
    let centre = Estimate::of_mean(&logs, 0.95);
    let variance = logs.iter().map(|log| (log - centre.value) * (log - centre.value)).sum::<f64>();
    let sigma = libm::sqrt(variance / (logs.len() - 1) as f64);
    // Of 99 %: the normal distribution's 2.326.
    let (p50, p99) = (centre.value, centre.value + 2.326 * sigma);
    // The spread is known to about 1.96 / sqrt(2 n) of itself.
    let error = centre.half_width() + 2.326 * sigma * 1.96 / libm::sqrt(2.0 * logs.len() as f64);
    Some(Latency::Lognormal {
        p50: figure(libm::exp(p50), libm::exp(centre.low), libm::exp(centre.high)),
        p99: figure(libm::exp(p99), libm::exp(p99 - error), libm::exp(p99 + error)),
    })
}

/// How most requests run.
fn usual(
    session: &Session<'_>,
    manners: &[(usize, Option<Figure<Concurrency>>)],
    facts: &Facts,
) -> Figure<Concurrency> {
    let kinds = [Concurrency::Async, Concurrency::Threadpool, Concurrency::Blocking];
    let of = |kind: Concurrency| {
        let those = manners
            .iter()
            .filter(move |(_, one)| one.as_ref().is_some_and(|figure| figure.value == kind));
        let weight: f64 = those.clone().map(|(index, _)| session.asks[*index].weight).sum();
        (weight, those.filter_map(|(_, one)| one.clone()).next())
    };
    let most = kinds.map(of).into_iter().max_by(|(a, _), (b, _)| a.total_cmp(b));
    let assumed = || {
        let better = "probe an endpoint that waits for something, with more --budget-time";
        Figure::assumed(Concurrency::Async, "it cannot be told from outside", better)
    };
    facts.concurrency.clone().or(most.and_then(|(_, figure)| figure)).unwrap_or_else(assumed)
}

/// Threads of the pool, where handlers run on threads.
fn threads(
    session: &Session<'_>,
    decided: &[(usize, Decision)],
    usual: &Figure<Concurrency>,
    facts: &Facts,
) -> Option<Figure<u32>> {
    if facts.threads.is_some() || facts.worker_class.is_some() {
        return facts.threads.clone();
    }
    let found = decided.iter().find_map(|(index, decision)| match decision.manner {
        Manner::Limited { at_once, low, high }
            if handler::on_threads(&session.measured[*index]) || !facts.python =>
        {
            let workers = session.workers.max(1);
            // Each worker has a pool; connections spread over them unevenly.
            let share = |count: u32| count.div_ceil(workers);
            let ends = [share(low), if workers > 1 { high } else { share(high) }];
            // What is usual is taken where nothing speaks against it.
            let usual = ANYIO_THREADS >= ends[0] && ANYIO_THREADS <= ends[1] && facts.python;
            let value = if usual { ANYIO_THREADS } else { share(at_once) };
            Some(Figure::measured(value, ends, decision.evidence.clone()))
        }
        _ => None,
    });
    found.or_else(|| {
        let is_pool = usual.value == Concurrency::Threadpool && facts.python;
        is_pool.then(|| {
            let how = "AnyIO's default; more than that many would have to wait at once to see it";
            let better = "probe with --at-once 64 an endpoint that waits longer than it computes";
            Figure::assumed(ANYIO_THREADS, how, better)
        })
    })
}

/// What is worth knowing of an endpoint and has no place in a scenario.
fn remarks(session: &Session<'_>, index: usize, decision: &Decision, facts: &Facts) -> Vec<String> {
    let (ask, measured) = (&session.asks[index], &session.measured[index]);
    let alone = session.alone(index);
    let mut remarks = Vec::new();
    if let Some((seconds, cpu)) = measured.cold {
        let usual = alone.times.iter().sum::<f64>() / alone.times.len().max(1) as f64;
        if seconds > 2.0 * usual {
            remarks.push(format!(
                "{}: the first request took {} with {} of CPU time, later ones {}; it is not \
                 in the steps.",
                ask.name,
                number::time(seconds),
                number::time(cpu),
                number::time(usual),
            ));
        }
    }
    if alone.delayed > 0.5 * alone.cpu {
        remarks.push(format!(
            "{}: no processor was free for {} of each request, since other programs computed too; \
             probe again on a quiet machine.",
            ask.name,
            number::time(alone.delayed),
        ));
    }
    if let Some((_, why)) = &measured.too_many {
        remarks.push(why.clone());
    }
    if let Manner::Limited { at_once, .. } = decision.manner
        && facts.python
        && !handler::on_threads(measured)
    {
        remarks.push(format!(
            "{}: {at_once} wait at a time, and no threads are made for them: it is a pool of \
             connections or a semaphore, which the scenario does not have yet. Write it as the \
             `max_in_flight` or `max_connections` of an upstream, or as the size of the \
             database's pool.",
            ask.name
        ));
    }
    let database = session.seen.as_ref().is_some_and(|seen| seen.database.is_some());
    let others = session.others.iter().enumerate();
    for (number, (name, _)) in others.filter(|(_, (name, _))| name != DATABASE || !database) {
        let values: Vec<f64> =
            measured.turns.iter().filter_map(|turn| turn.others.get(number).copied()).collect();
        let used = Estimate::of_mean(&values, 0.95);
        remarks.push(format!(
            "{}: {name} used {} of CPU time for a request ({} to {}), which is not in the steps.",
            ask.name,
            number::time(used.value),
            number::time(used.low.max(0.0)),
            number::time(used.high),
        ));
    }
    remarks
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_change_of_processes_is_assumed_only_where_nothing_has_shown_it() {
        let lone = Facts { python: true, ..crate::process::facts(&BTreeSet::new(), 0) };
        let two = Figure::measured(2, [2, 2], "seen");
        let several = Facts { workers: two, ..lone.clone() };
        assert!(process_switch(&lone, false).is_some_and(|figure| figure.is_assumed()));
        assert_eq!(process_switch(&several, false), None);
        assert_eq!(process_switch(&lone, true), None, "each statement has shown it");
    }
}
