//! All records of a service together describe it.

use std::collections::BTreeMap;

use model::scenario::{Concurrency, Server};

use super::answer::{EndpointAnswer, FromAnswer, interval};
use super::input::Input;
use super::metered::Metered;
use super::windows::{Cut, cut};
use super::{Records, align};
use crate::demand::{self, Demands, Windows};
use crate::learned::{Endpoint, Figure, Latency, Learned, Load, Request as Asked, Service, Step};
use crate::paths::{Found, Settled};
use crate::records::cpu::Cpu;
use crate::traffic::{Shape, Traffic, describe};
use crate::wait::steps::{self, Waits};

/// Waiting that is shorter than this is not told from computing…
const SHORTEST_WAIT: f64 = 0.5e-3;
/// …and so is waiting that is shorter than this share of the CPU.
const SMALLEST_WAIT: f64 = 0.25;
/// Response times without which nothing is said of waiting.
const RESPONSES: usize = 20;
const TRACES: &str =
    "traces (`--otlp`), or `learn probe` with proxies in front of what it waits for";

/// Requests, CPU and load, side by side.
struct Seen {
    endpoints: Vec<Found>,
    windows: Windows,
    /// Per endpoint: others under way when a request came, and seconds until it was answered.
    responses: Vec<Vec<(u32, f32)>>,
    traffic: Option<Traffic>,
}

pub(super) fn assemble(records: &Records, mut input: Input) -> (Learned, FromAnswer) {
    let mut notes = std::mem::take(&mut input.notes);
    let mut cpu = input.cpu.take();
    if let Some(cpu) = &mut cpu {
        notes.append(&mut cpu.notes);
        if cpu.sources.len() > 1 {
            let names: Vec<&str> = cpu.sources.keys().take(6).map(String::as_str).collect();
            notes.push(format!(
                "CPU is that of {} sources together: {}. `--process NAME` takes those of this name alone.",
                cpu.sources.len(),
                names.join(", ")
            ));
        }
    }
    let cores = cores(records, cpu.as_ref());
    let sources = std::mem::take(&mut input.sources);
    let traces = std::mem::take(&mut input.traces);
    let seen = seen(input, &mut cpu, cores.value, records.most, &mut notes);
    let demands = demand::estimate(&seen.windows);
    notes.extend(demands.notes.iter().cloned());
    let waits = waits(&traces.requests, &seen, &demands);
    if let Some(waits) = &waits {
        notes.extend(waits.notes.iter().cloned());
    }
    let total: f64 = seen.endpoints.iter().map(|found| found.requests as f64).sum();
    let mut endpoints = Vec::new();
    let mut answers = Vec::new();
    for (class, found) in seen.endpoints.iter().enumerate() {
        let traced = waits.as_ref().and_then(|waits| {
            waits.endpoints.iter().find(|steps| same(&steps.endpoint, &found.name))
        });
        let demand = demands.classes.get(class).cloned().flatten();
        let steps = match traced {
            Some(traced) => traced.steps.clone(),
            None => steps_of(demand.as_ref(), seen.responses.get(class), cpu.is_some()),
        };
        let weight = weight(found, total);
        answers.push(EndpointAnswer::new(found, &weight, demand.as_ref()));
        let request = found.request.clone().map(|path| Asked {
            method: found.method.clone(),
            path,
            headers: Vec::new(),
            body: None,
        });
        let name = found.name.clone();
        endpoints.push(Endpoint { name, request, weight, concurrency: None, hold: None, steps });
    }
    let load = load(&seen, &mut notes);
    let answer = FromAnswer::new(
        sources.clone(),
        &seen.windows,
        &demands,
        seen.traffic.as_ref(),
        answers,
        notes.clone(),
    );
    let learned = Learned {
        name: records.name.clone(),
        about: BTreeMap::from([(
            "method".to_owned(),
            format!("learn from {}", sources.join("; ")),
        )]),
        service: service(records, cores),
        endpoints,
        upstreams: waits.as_ref().map(|waits| waits.upstreams.clone()).unwrap_or_default(),
        database: waits.and_then(|waits| waits.database),
        load,
        notes,
    };
    (learned, answer)
}

/// Requests beside CPU, whose clock is moved where it differs.
fn seen(
    input: Input,
    cpu: &mut Option<Cpu>,
    cores: u32,
    most: usize,
    notes: &mut Vec<String>,
) -> Seen {
    if let Some(metered) = input.metered {
        let windows = metered.windows(cpu.as_ref(), cores);
        let responses = vec![Vec::new(); metered.endpoints.len()];
        return Seen { endpoints: metered.endpoints, windows, responses, traffic: None };
    }
    let (every, untimed) = (input.requests.every, input.requests.untimed);
    let (all, elsewhere) = (input.requests.all, input.requests.elsewhere);
    let ends_only = input.requests.ends_only;
    let (settled, requests) = input.requests.settle(most);
    let Settled { endpoints, .. } = settled;
    if elsewhere > 0 {
        notes.push(format!(
            "{elsewhere} of {all} requests never came to the service, or a proxy answered them itself: they count for no endpoint."
        ));
    }
    if untimed > 0 {
        notes.push(format!(
            "{untimed} of {all} requests have no time: they count for the mix alone. A log with times tells \
             the load and the costs."
        ));
    }
    if ends_only {
        notes.push("The log has no durations: requests count when they were answered.".into());
    }
    if every > 1 {
        notes.push(format!("Of so many requests one minute out of {every} was looked at."));
    }
    if let Some(counters) = cpu
        && let Some((offset, why)) = align::offset(&requests, counters)
    {
        notes.push(why);
        let sources = std::mem::take(&mut counters.sources);
        counters.sources =
            sources.into_iter().map(|(name, counter)| (name, counter.moved(offset))).collect();
    }
    let names = endpoints.iter().map(|found| found.name.clone()).collect();
    let Cut { windows, responses } = cut(&requests, names, cpu.as_ref(), cores, every);
    if cpu.is_some() && windows.windows.is_empty() {
        notes.push(
            "Requests and CPU have no time in common, so that CPU says nothing: are both of the same run?".into(),
        );
    }
    let traffic = (!requests.is_empty()).then(|| describe(&requests, input.population));
    Seen { endpoints, windows, responses, traffic }
}

/// Steps from traces, with the CPU that was estimated without them.
fn waits(
    requests: &[crate::wait::requests::Request],
    seen: &Seen,
    demands: &Demands,
) -> Option<Waits> {
    if requests.is_empty() {
        return None;
    }
    let mut cpu = BTreeMap::new();
    for request in requests {
        if cpu.contains_key(&request.endpoint) {
            continue;
        }
        let class = seen.endpoints.iter().position(|found| same(&found.name, &request.endpoint));
        if let Some(alone) = class.and_then(|class| demands.classes.get(class).cloned().flatten()) {
            let here = alone.value;
            cpu.insert(request.endpoint.clone(), steps::Cpu { alone, here, beside: 0.0 });
        }
    }
    Some(steps::steps(requests, &cpu))
}

/// Two names of one endpoint, which may name their placeholders differently.
fn same(a: &str, b: &str) -> bool {
    let part = |part: &str| if part.starts_with('{') { "{}".to_owned() } else { part.to_owned() };
    a == b || a.split('/').map(part).eq(b.split('/').map(part))
}

/// CPU, and waiting of unknown kind where response times say that there is some.
fn steps_of(
    demand: Option<&Figure>,
    responses: Option<&Vec<(u32, f32)>>,
    cpu_known: bool,
) -> Vec<Step> {
    let mut steps: Vec<Step> =
        demand.cloned().map(|cpu| Step::Cpu(Latency::Constant(cpu))).into_iter().collect();
    // Without CPU, response times were taken for it already.
    let Some(responses) = responses.filter(|all| cpu_known && all.len() >= RESPONSES) else {
        return steps;
    };
    let mut found: Vec<u32> = responses.iter().map(|(found, _)| *found).collect();
    found.sort_unstable();
    let few = found[found.len() / 4];
    let mut quiet: Vec<f32> =
        responses.iter().filter(|(found, _)| *found <= few).map(|(_, stay)| *stay).collect();
    quiet.sort_unstable_by(f32::total_cmp);
    let quantile = |share: f64| f64::from(quiet[((quiet.len() - 1) as f64 * share) as usize]);
    let cpu = demand.map_or(0.0, |figure| figure.value);
    let p50 = quantile(0.5) - cpu;
    if p50 < SHORTEST_WAIT.max(SMALLEST_WAIT * cpu) {
        return steps;
    }
    let p99 = quantile(0.99) - cpu;
    let how = format!(
        "response times of {} requests that found at most {few} others under way, less the CPU",
        quiet.len()
    );
    let figure =
        |value: f64| Figure { better: TRACES.to_owned(), ..Figure::derived(value, how.clone()) };
    steps.push(Step::Wait(match p99 > 1.05 * p50 {
        true => Latency::Lognormal { p50: figure(p50), p99: figure(p99) },
        false => Latency::Constant(figure(p50)),
    }));
    steps
}

/// Requests in a hundred, with the interval of a count.
fn weight(found: &Found, total: f64) -> Figure {
    let share = |count: f64| 100.0 * count / total.max(1.0);
    let count = found.requests as f64;
    let half = 1.96 * (count * (1.0 - count / total.max(1.0))).max(0.0).sqrt();
    let how = format!("{} of {total} requests", found.requests);
    Figure::measured(share(count), [share((count - half).max(0.0)), share(count + half)], how)
}

/// Processors of the service: as the user says, else as many as were ever busy.
fn cores(records: &Records, cpu: Option<&Cpu>) -> Figure<u32> {
    if let Some(cores) = records.cores {
        return Figure::measured(cores, [cores; 2], "--cores");
    }
    let better = "`--cores N`, as the service is limited to";
    let most = cpu.map_or(0.0, |cpu| {
        let rate = |pair: &[(f64, f64)]| (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0);
        let peak = |points: &[(f64, f64)]| {
            let mut rates: Vec<f64> = points.windows(2).map(rate).collect();
            rates.sort_by(f64::total_cmp);
            rates.get(rates.len().saturating_sub(1 + rates.len() / 20)).copied().unwrap_or(0.0)
        };
        cpu.sources.values().map(|counter| peak(counter.points())).sum::<f64>()
    });
    let cores = most.ceil().clamp(1.0, 1024.0) as u32;
    match most > 0.0 {
        true => Figure::assumed(cores, format!("at most {most:.2} processors were busy"), better),
        false => Figure::assumed(1, "nothing tells it", better),
    }
}

fn service(records: &Records, cores: Figure<u32>) -> Service {
    let given = "as the command line says";
    let workers = match records.workers {
        Some(workers) => Figure::measured(workers, [workers; 2], given),
        None => Figure::assumed(1, "one process", "`--workers N`, or `learn probe`"),
    };
    let server = match records.server {
        Some(server) => Figure::derived(server, given),
        None => Figure::assumed(Server::Uvicorn, "a usual server", "`--server`, or `learn probe`"),
    };
    let concurrency = match records.concurrency {
        Some(concurrency) => Figure::derived(concurrency, given),
        None => Figure::assumed(
            Concurrency::Async,
            "records do not tell how handlers run",
            "`--concurrency`, or `learn probe`, which finds out by experiment",
        ),
    };
    Service {
        server,
        worker_class: None,
        concurrency,
        workers,
        threads: None,
        keep_alive: None,
        first_request: None,
        cores,
        turns: None,
        process_switch: None,
        open: None,
    }
}

/// The load that the records show. What a scenario cannot say about it is written into `notes`.
fn load(seen: &Seen, notes: &mut Vec<String>) -> Load {
    let Some(traffic) = &seen.traffic else {
        let windows = &seen.windows;
        if windows.windows.is_empty() {
            let better = "a record with times";
            return Load::Open { rate: Figure::assumed(1.0, "no record has times", better) };
        }
        let rate = Metered::rate(windows);
        let how = format!("requests counted in {} windows", windows.windows.len());
        return Load::Open { rate: Figure::measured(rate.value, [rate.low, rate.high], how) };
    };
    notes.extend(traffic.remarks());
    let rate = traffic.rate.map_or_else(
        || Figure::assumed(1.0, "too few requests for a rate", "a longer record"),
        |rate| {
            let how = format!("{} requests in {:.0} s", traffic.requests, traffic.seconds);
            Figure::measured(rate.value, [rate.low, rate.high], how)
        },
    );
    match traffic.shape {
        Shape::Closed { users, think } => Load::Closed {
            users: Figure::derived(users, traffic.why.clone()),
            think_time: Figure::derived(think, traffic.why.clone()),
        },
        Shape::Open => Load::Open { rate },
    }
}

impl FromAnswer {
    fn new(
        sources: Vec<String>,
        windows: &Windows,
        demands: &Demands,
        traffic: Option<&Traffic>,
        endpoints: Vec<EndpointAnswer>,
        notes: Vec<String>,
    ) -> FromAnswer {
        FromAnswer {
            sources,
            windows: windows.windows.len(),
            window_seconds: windows.length,
            estimator: format!("{:?}", demands.method),
            why: demands.why.clone(),
            background: demands.background.as_ref().map(|figure| figure.value),
            rate: traffic
                .and_then(|traffic| traffic.rate)
                .map(|rate| [rate.value, rate.low, rate.high]),
            load: traffic.map(|traffic| traffic.in_words()),
            mean_cpu: demands.mean.as_ref().map(interval),
            endpoints,
            notes,
            written: None,
        }
    }
}
