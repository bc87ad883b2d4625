//! Rules about keys that belong together, once each key by itself is right.
//!
//! Every rule is tried before giving up, so that all problems are reported at once. A key that
//! is broken has its problem reported already.

mod clients;
mod databases;
mod faults;
mod groups;
mod knob;
mod load;
mod locks;
mod objectives;
mod requests;
mod steps;

pub(crate) use objectives::contradiction;

use super::diagnostic::{Problem, Problems};
use crate::keys::{Fields, Typed, read_field};
use crate::read::learned;
use crate::scenario::{Concurrency, Scenario, Server, WorkerClass};
use crate::units::Span;

/// The scenario `name`; none if there is a problem.
pub(crate) fn scenario(name: &str, root: &Fields, problems: &mut Problems) -> Option<Scenario> {
    knob::check(root, problems);
    load::check(root, problems);
    endpoints(root, problems);
    interpreter_lock(root, problems);
    visits(root, problems);
    worker_class(root, problems);
    supervision(root, problems);
    learned::check(root, problems);
    objectives::check(root, problems);
    let upstreams = names(root, "upstream").unwrap_or_default();
    let scenario = Scenario::read(name, root, &upstreams)?;
    load::check_traces(&scenario, root, problems);
    clients::check(&scenario, root, problems);
    databases::check(&scenario, root, problems);
    faults::check(&scenario, root, problems);
    load::check_that_time_passes(&scenario, root, problems);
    locks::check(&scenario, root, problems);
    objectives::check_names(&scenario, root, problems);
    problems.is_empty().then_some(scenario)
}

/// The names in a table of names; none if the table is broken.
fn names<'a>(table: &'a Fields, key: &str) -> Option<Vec<&'a str>> {
    match table.get(key).map(|checked| &checked.value) {
        None => Some(Vec::new()),
        Some(Typed::Table(named)) => Some(named.fields.iter().map(|field| &*field.key).collect()),
        Some(_) => None,
    }
}

/// No Rust service has an interpreter lock, so the profile is one of another stack.
fn interpreter_lock(root: &Fields, problems: &mut Problems) {
    let locked = root
        .table("costs")
        .and_then(|costs| costs.table("interpreter"))
        .and_then(|interpreter| read_field(interpreter, "lock", &[]));
    let Some(service) = root.table("service") else { return };
    if read_field(service, "server", &[]) == Some(Server::Axum) && locked == Some(true) {
        problems.push(
            Problem::new(
                service.position("server"),
                "`service.server` is \"axum\" with an interpreter lock",
            )
            .allowed("axum only with `interpreter.lock = false` in the cost profile")
            .advice(
                "name the cost profile of a Rust stack, or set `costs.interpreter.lock = false`",
            ),
        );
    }
}

/// Only gunicorn waits for a sign of life of the event loop, and axum replaces no worker.
fn supervision(root: &Fields, problems: &mut Problems) {
    let Some(service) = root.table("service") else { return };
    let server: Option<Server> = read_field(service, "server", &[]);
    let timeout: Option<Option<Span>> = read_field(service, "worker_timeout", &[]);
    let most: Option<Option<u32>> = read_field(service, "max_requests", &[]);
    let mut refuse = |key: &str, name: &str, allowed: &str, advice: &str| {
        problems.push(
            Problem::new(
                service.position(key).newer(service.position("server")),
                format!("`service.{key}` with `server = \"{name}\"`"),
            )
            .allowed(allowed.to_string())
            .advice(advice.to_string()),
        );
    };
    let name = server.map_or("", |server| server.as_str());
    if server.is_some_and(|server| server != Server::Gunicorn) && timeout.flatten().is_some() {
        refuse(
            "worker_timeout",
            name,
            "`worker_timeout` only on gunicorn",
            "set `service.server = \"gunicorn\"`, or remove `worker_timeout`",
        );
    }
    if server == Some(Server::Axum) && most.flatten().is_some() {
        refuse(
            "max_requests",
            name,
            "`max_requests` only on uvicorn or gunicorn",
            "remove `max_requests`",
        );
    }
}

/// The workers of gunicorn's own classes serve in one way each.
fn worker_class(root: &Fields, problems: &mut Problems) {
    let Some(service) = root.table("service") else { return };
    let Some(class) = read_field::<WorkerClass>(service, "worker_class", &[]) else { return };
    let way = match class {
        WorkerClass::Uvicorn => return,
        WorkerClass::Sync => Concurrency::Blocking,
        WorkerClass::Gthread => Concurrency::Threadpool,
    };
    let (class, server) = (class.as_str(), read_field::<Server>(service, "server", &[]));
    let mut refuse = |at, found: String, allowed: String, advice: String| {
        problems.push(Problem::new(at, found).allowed(allowed).advice(advice));
    };
    if let Some(server) = server.filter(|server| *server != Server::Gunicorn) {
        refuse(
            service.position("worker_class").newer(service.position("server")),
            format!("`service.worker_class = \"{class}\"` with `server = \"{}\"`", server.as_str()),
            "`worker_class` only on gunicorn".into(),
            "set `service.server = \"gunicorn\"`, or remove `worker_class`".into(),
        );
    }
    let endpoints = root.list("endpoint").unwrap_or_default().iter();
    for table in [service].into_iter().chain(endpoints) {
        let own: Option<Option<Concurrency>> = read_field(table, "concurrency", &[]);
        let Some(own) = own.flatten().filter(|own| *own != way) else { continue };
        refuse(
            table.position("concurrency").newer(service.position("worker_class")),
            format!(
                "`concurrency = \"{}\"` with `service.worker_class = \"{class}\"`",
                own.as_str()
            ),
            format!("`concurrency = \"{}\"` in such workers", way.as_str()),
            format!("write `concurrency = \"{}\"`, or another `worker_class`", way.as_str()),
        );
    }
    let threads: Option<u32> = read_field(service, "threads", &[]);
    if way == Concurrency::Blocking && threads.is_some_and(|threads| threads > 1) {
        refuse(
            service.position("threads").newer(service.position("worker_class")),
            "`service.threads` with `worker_class = \"sync\"`".into(),
            "one thread in a `sync` worker; gunicorn takes `gthread` workers where there are more".into(),
            "set `worker_class = \"gthread\"` and `concurrency = \"threadpool\"`, or remove `threads`"
                .into(),
        );
    }
    let keep_alive: Option<Option<Span>> = read_field(service, "keep_alive", &[]);
    if way == Concurrency::Blocking && keep_alive.is_some_and(|span| span != Some(Span::ZERO)) {
        refuse(
            service.position("keep_alive").newer(service.position("worker_class")),
            "`service.keep_alive` with `worker_class = \"sync\"`".into(),
            "`0s`: such a worker closes the connection after each reply".into(),
            "remove `keep_alive`".into(),
        );
    }
    let load = root.table("load");
    let groups = load.and_then(|load| load.list("group")).unwrap_or_default().iter();
    for load in load.into_iter().chain(groups).filter(|_| way == Concurrency::Blocking) {
        if read_field(load, "preconnect", &[]) == Some(true) {
            refuse(
                load.position("preconnect").newer(service.position("worker_class")),
                "`preconnect = true` with `worker_class = \"sync\"`".into(),
                "connections that are opened for a request: such a worker waits on an open one, and \
                 serves no other"
                    .into(),
                "remove `preconnect`".into(),
            );
        }
    }
}

/// axum and gunicorn's own workers validate no response on another thread, and have no dependencies
/// with threads.
fn visits(root: &Fields, problems: &mut Problems) {
    let Some(service) = root.table("service") else { return };
    let class: Option<WorkerClass> = read_field(service, "worker_class", &[]);
    let whose = match (read_field(service, "server", &[]), class) {
        (Some(Server::Axum), _) => "`server = \"axum\"`".to_string(),
        (_, Some(class)) if class != WorkerClass::Uvicorn => {
            format!("`worker_class = \"{}\"`", class.as_str())
        }
        _ => return,
    };
    let endpoints = root.list("endpoint").unwrap_or_default().iter();
    for table in [service].into_iter().chain(endpoints) {
        let model: Option<Option<bool>> = read_field(table, "response_model", &[]);
        let count: Option<Option<u32>> = read_field(table, "dependencies", &[]);
        let found = [
            ("response_model", model.flatten() == Some(true)),
            ("dependencies", count.flatten().is_some_and(|count| count > 0)),
        ];
        for (key, _) in found.into_iter().filter(|(_, found)| *found) {
            problems.push(
                Problem::new(table.position(key), format!("`{key}` with {whose}"))
                    .allowed("dependencies and response models only of FastAPI on an event loop")
                    .advice(format!("remove `{key}`: such a handler takes one thread")),
            );
        }
    }
}

fn endpoints(root: &Fields, problems: &mut Problems) {
    let Some(list) = root.list("endpoint") else { return };
    let at = root.position("endpoint");
    if list.is_empty() {
        problems.push(
            Problem::new(at, "there is no endpoint")
                .allowed("at least one endpoint")
                .advice("add a table such as `[[endpoint]]` with `name`, `weight` and `steps`"),
        );
    }
    different_names(list, problems);
    steps::check(root, list, problems);
    requests::check(list, problems);
    let weights: Option<Vec<f64>> =
        list.iter().map(|fields| read_field(fields, "weight", &[])).collect();
    if weights.is_some_and(|weights| !weights.is_empty() && weights.iter().all(|&w| w == 0.0)) {
        let at = list.first().map_or(at, |first| first.position("weight"));
        problems.push(
            Problem::new(at, "the weights of all endpoints sum to 0")
                .allowed("at least one weight above 0")
                .advice("give the endpoints their shares of the requests: `weight = 1`"),
        );
    }
}

fn different_names(list: &[Fields], problems: &mut Problems) {
    let mut seen = std::collections::BTreeSet::new();
    for fields in list {
        let Some(name) = fields.text("name") else { continue };
        if !seen.insert(name) {
            problems.push(
                Problem::new(fields.position("name"), format!("a second endpoint `{name}`"))
                    .allowed("one endpoint of each name")
                    .advice("rename one of them, or join them"),
            );
        }
    }
}
