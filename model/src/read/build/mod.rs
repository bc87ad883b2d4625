//! Checked keys -> [`Scenario`]: what the keys mean together.
//!
//! Every part is built before giving up on any, so that the problems of all of them are
//! told at once. A part that is none has told its problem.

mod costs;
mod load;
mod steps;

use super::diagnostic::{Problem, Problems};
use super::path::Path;
use super::value::{Fields, Typed};
use crate::costs::Costs;
use crate::scenario::{
    Concurrency, Connections, Cpu, Database, DriverMode, Endpoint, Engine, EventLoop, Hold,
    JournalMode, Postgres, Published, Quota, Scenario, Server, Service, Spread, Sqlite,
    Synchronous, Upstream,
};
use crate::units::Span;

/// Builds a cost profile.
pub(crate) fn build_costs(profile: &Fields) -> Option<Costs> {
    costs::costs(profile)
}

/// Builds the scenario `name`; none if there is a problem.
pub(crate) fn build(name: &str, root: &Fields, problems: &mut Problems) -> Option<Scenario> {
    let load = load::load(root, problems);
    let cpu = cpu(root);
    let service = service(root);
    let upstreams = upstreams(root);
    let costs = root.table("costs").and_then(costs::costs);
    let endpoints = endpoints(root, problems);
    let database = database(root);
    check_axum(root, problems);

    let scenario = Scenario {
        name: name.to_string(),
        question: root.text("question").map(str::to_string),
        seed: root.integer("seed")?,
        load: load?,
        cpu: cpu?,
        service: service?,
        database: if root.has("database") { Some(database?) } else { None },
        upstreams: upstreams?,
        endpoints: endpoints?,
        published: if root.has("published") { Some(published(root)?) } else { None },
        costs: costs?,
    };
    load::check_that_time_passes(&scenario, root, problems);
    problems.is_empty().then_some(scenario)
}

fn cpu(root: &Fields) -> Option<Cpu> {
    let cpu = root.table("cpu")?;
    Some(Cpu {
        cores: cpu.count("cores")?,
        speed: cpu.number("speed")?,
        slice: cpu.span("slice")?,
        tick: cpu.span("tick")?,
        quota: match cpu.get("quota").map(|quota| &quota.value) {
            Some(Typed::Table(quota)) => {
                Some(Quota { budget: quota.span("budget")?, period: quota.span("period")? })
            }
            _ => None,
        },
    })
}

fn service(root: &Fields) -> Option<Service> {
    let service = root.table("service")?;
    Some(Service {
        server: match service.word("server")? {
            "gunicorn" => Server::Gunicorn,
            "axum" => Server::Axum,
            _ => Server::Uvicorn,
        },
        concurrency: concurrency(service.word("concurrency")?)?,
        workers: service.count("workers")?,
        threads: service.count("threads")?,
        limit_concurrency: service.limit_count("limit_concurrency")?,
        backlog: service.count("backlog")?,
        keep_alive: service.limit_span("keep_alive")?.unwrap_or(Span::MAX),
        spread: match service.word("spread")? {
            "hash" => Spread::Hash,
            "round-robin" => Spread::RoundRobin,
            _ => Spread::Lifo,
        },
        accept_most: if service.word("event_loop")? == "uvloop" { 1 } else { u32::MAX },
        event_loop: match service.word("event_loop")? {
            "asyncio" => EventLoop::Asyncio,
            "tokio" => EventLoop::Tokio,
            _ => EventLoop::Uvloop,
        },
    })
}

fn concurrency(word: &str) -> Option<Concurrency> {
    [Concurrency::Blocking, Concurrency::Threadpool, Concurrency::Async]
        .into_iter()
        .find(|concurrency| concurrency.as_str() == word)
}

/// No Rust service has an interpreter lock, so the profile is one of another stack.
fn check_axum(root: &Fields, problems: &mut Problems) {
    let locked = root
        .table("costs")
        .and_then(|costs| costs.table("interpreter"))
        .and_then(|interpreter| interpreter.flag("lock"));
    let Some(service) = root.table("service") else { return };
    if service.word("server") == Some("axum") && locked == Some(true) {
        problems.push(
            Problem::new(
                service.place("server"),
                "`service.server` is \"axum\" with an interpreter lock",
            )
            .allowed("axum only with `interpreter.lock = false` in the cost profile")
            .advice(
                "name the cost profile of a Rust stack, or set `costs.interpreter.lock = false`",
            ),
        );
    }
}

fn database(root: &Fields) -> Option<Database> {
    let database = root.table("database")?;
    let engine = match database.word("engine")? {
        "postgres" => Engine::Postgres(Postgres {
            round_trip: database.distribution("round_trip")?,
            cores: database.count("cores")?,
        }),
        _ => Engine::Sqlite(sqlite(database)?),
    };
    let connections = database.table("connections")?;
    Some(Database {
        engine,
        connections: match connections.word("kind")? {
            "pool" => Connections::Pool {
                size: connections.count("size")?,
                overflow: connections.count("overflow")?,
                timeout: connections.limit_span("timeout")?,
            },
            _ => Connections::PerOperation,
        },
        hold: match database.word("hold")? {
            "request" => Hold::Request,
            _ => Hold::Operation,
        },
        driver: match database.word("driver")? {
            "sync" => DriverMode::Sync,
            _ => DriverMode::Async,
        },
    })
}

fn sqlite(database: &Fields) -> Option<Sqlite> {
    Some(Sqlite {
        journal_mode: match database.word("journal_mode")? {
            "truncate" => JournalMode::Truncate,
            "persist" => JournalMode::Persist,
            "wal" => JournalMode::Wal,
            _ => JournalMode::Delete,
        },
        synchronous: match database.word("synchronous")? {
            "off" => Synchronous::Off,
            "normal" => Synchronous::Normal,
            "extra" => Synchronous::Extra,
            _ => Synchronous::Full,
        },
        busy_timeout: database.span("busy_timeout")?,
        pragmas: database.count("pragmas")?,
        wal_autocheckpoint: database.count("wal_autocheckpoint")?,
    })
}

fn upstreams(root: &Fields) -> Option<Vec<Upstream>> {
    let Some(named) = root.get("upstream") else { return Some(Vec::new()) };
    let Typed::Table(named) = &named.value else { return None };
    named
        .fields
        .iter()
        .map(|field| {
            let Typed::Table(upstream) = &field.value.value else { return None };
            Some(Upstream {
                name: field.key.to_string(),
                latency: upstream.distribution("latency")?,
                failures: upstream.number("failures")?,
                max_connections: upstream.limit_count("max_connections")?,
                pool_timeout: upstream.limit_span("pool_timeout")?,
                max_in_flight: upstream.limit_count("max_in_flight")?,
                timeout: upstream.limit_span("timeout")?,
                retries: upstream.count("retries")?,
                backoff: upstream.span("backoff")?,
                backoff_factor: upstream.number("backoff_factor")?,
            })
        })
        .collect()
}

fn endpoints(root: &Fields, problems: &mut Problems) -> Option<Vec<Endpoint>> {
    let list = root.list("endpoint")?;
    let at = root.place("endpoint");
    if list.is_empty() {
        problems.push(
            Problem::new(at, "there is no endpoint")
                .allowed("at least one endpoint")
                .advice("add a table such as `[[endpoint]]` with `name`, `weight` and `steps`"),
        );
    }
    check_names(list, problems);
    let names = steps::Names::new(root);
    let endpoints: Vec<Option<Endpoint>> =
        list.iter().map(|fields| endpoint(fields, &names, problems)).collect();
    let weights: Option<Vec<f64>> = list.iter().map(|fields| fields.number("weight")).collect();
    if weights.is_some_and(|weights| !weights.is_empty() && weights.iter().all(|&w| w == 0.0)) {
        let at = list.first().map_or(at, |first| first.place("weight"));
        problems.push(
            Problem::new(at, "the weights of all endpoints sum to 0")
                .allowed("at least one weight above 0")
                .advice("give the endpoints their shares of the requests: `weight = 1`"),
        );
    }
    endpoints.into_iter().collect()
}

fn check_names(list: &[Fields], problems: &mut Problems) {
    let mut seen = std::collections::BTreeSet::new();
    for fields in list {
        let Some(name) = fields.text("name") else { continue };
        if !seen.insert(name) {
            problems.push(
                Problem::new(fields.place("name"), format!("a second endpoint `{name}`"))
                    .allowed("one endpoint of each name")
                    .advice("rename one of them, or join them"),
            );
        }
    }
}

fn endpoint(fields: &Fields, names: &steps::Names, problems: &mut Problems) -> Option<Endpoint> {
    let name = fields.text("name");
    let root = Path::Root;
    let list = root.key("endpoint");
    let path = list.key(name.unwrap_or("?"));
    let path = path.key("steps");
    let steps = fields.list("steps").map(|list| steps::steps(list, names, &path, problems));
    Some(Endpoint {
        name: name?.to_string(),
        weight: fields.number("weight")?,
        concurrency: fields.word("concurrency").and_then(concurrency),
        steps: steps??,
    })
}

fn published(root: &Fields) -> Option<Published> {
    let published = root.table("published")?;
    Some(Published {
        throughput: published.number("throughput")?,
        fitted: published.flag("fitted")?,
        note: published.text("note")?.to_string(),
    })
}
