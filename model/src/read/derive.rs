//! Defaults that follow from other keys.

use std::sync::Arc;

use crate::keys::{Checked, Fallback, Fields, Key, KeyKind, Origin, Section, Typed, read_field};
use crate::scenario::{Client, DatabaseClient, EventLoop, Server, Stage, WorkerClass, base_slice};
use crate::trace::Trace;
use crate::units::Span;
use crate::{costs, scenario};

/// Fills in the defaults that follow from other keys.
pub(crate) fn derive(root: &mut Fields) {
    if let Some(service) = root.table_mut("service")
        && let Some(server) = read_field(service, "server", &[])
    {
        let class: Option<WorkerClass> = read_field(service, "worker_class", &[]);
        let (keep_alive, event_loop) = match server {
            Server::Uvicorn => (Typed::Span(Span::from_secs(5)), EventLoop::Uvloop),
            Server::Gunicorn if class == Some(WorkerClass::Sync) => {
                (Typed::Span(Span::ZERO), EventLoop::Uvloop)
            }
            Server::Gunicorn => (Typed::Span(Span::from_secs(2)), EventLoop::Uvloop),
            Server::Axum => (Typed::Word("never"), EventLoop::Tokio),
        };
        let threads = match class {
            Some(WorkerClass::Sync | WorkerClass::Gthread) => 1,
            Some(WorkerClass::Uvicorn) | None => 40,
        };
        put(service, "workers", "threads", Typed::Integer(threads), Origin::Default);
        put(service, "backlog", "keep_alive", keep_alive, Origin::Default);
        let timeout = match server {
            Server::Gunicorn => Typed::Span(Span::from_secs(30)),
            Server::Uvicorn | Server::Axum => Typed::Word("never"),
        };
        put(service, "keep_alive", "worker_timeout", timeout, Origin::Default);
        let event_loop = Typed::Word(event_loop.as_str());
        put(service, "spread", "event_loop", event_loop, Origin::Default);
    }
    if let Some(cpu) = root.table_mut("cpu")
        && let Some(cores) = read_field(cpu, "cores", &[])
    {
        put(cpu, "scheduler", "slice", Typed::Span(base_slice(cores)), Origin::Default);
    }
    if let Some(load) = root.table_mut("load")
        && let Some(duration) = rest_of_stages(load).or_else(|| rest_of_trace(load))
    {
        // The stages or the trace say it, so it is not printed beside them.
        put(load, "warmup", "duration", Typed::Span(duration), Origin::Implied);
    }
    clients(root);
    database_client(root);
    if let Some(load) = root.table_mut("load") {
        groups_inherit(load);
    }
    if let Some(costs) = root.table_mut("costs") {
        put(costs, "", "name", Typed::Text("inline".into()), Origin::Default);
        for name in ["cpu", "cache", "postgres", "postgres_client"] {
            if let Some(table) = costs.table_mut(name)
                && let Some(section) = costs::keys().key(name).and_then(|key| key.kind.section())
            {
                inherit(table, section);
            }
        }
    }
}

/// Keys of upstreams that are not written are what the client does, or the profile's client.
fn clients(root: &mut Fields) {
    let profile = root.table("costs").and_then(|costs| costs.table("client"));
    let of_profile = ["kept", "expiry"].map(|key| {
        let value = profile.and_then(|client| client.get(key));
        (key, value.map(|checked| checked.value.clone()))
    });
    let Some(named) = root.table_mut("upstream") else { return };
    for field in &mut named.fields {
        let Typed::Table(upstream) = &mut field.value.value else { continue };
        for (key, value) in client(upstream).map(Client::defaults).unwrap_or_default() {
            fill(upstream, key, value, Origin::Default);
        }
        for (key, value) in &of_profile {
            let value =
                value.clone().unwrap_or(Typed::Word(if *key == "kept" { "all" } else { "never" }));
            put(upstream, "max_connections", key, value, Origin::Implied);
        }
    }
}

/// Keys of the database that are not written are what its client does.
fn database_client(root: &mut Fields) {
    let Some(database) = root.table_mut("database") else { return };
    let Some(client) = client_of_database(database) else { return };
    for (key, value) in client.server_defaults() {
        replace(database, key, value);
    }
    if let Some(pool) = database.table_mut("connections") {
        for (key, value) in client.pool_defaults() {
            replace(pool, key, value);
        }
    }
}

/// The client that the database names.
pub(crate) fn client_of_database(database: &Fields) -> Option<DatabaseClient> {
    read_field::<Option<DatabaseClient>>(database, "client", &[]).flatten()
}

/// Gives `key` this value in place of its default, if it has a meaning there.
fn replace(table: &mut Fields, key: &str, value: Typed) {
    let field = table.fields.iter_mut().find(|field| field.key == key);
    if let Some(field) = field.filter(|field| field.value.origin != Origin::Written) {
        field.value.value = value;
    }
}

/// The client that an upstream names.
pub(crate) fn client(upstream: &Fields) -> Option<Client> {
    read_field::<Option<Client>>(upstream, "client", &[]).flatten()
}

/// Gives `key` this value unless it is written.
fn fill(table: &mut Fields, key: &'static str, value: Typed, origin: Origin) {
    match table.fields.iter_mut().find(|field| field.key == key) {
        Some(field) if field.value.origin == Origin::Written => {}
        Some(field) => field.value = Checked { value, origin, ..field.value.clone() },
        None => put(table, "max_connections", key, value, origin),
    }
}

/// Adds `key` behind the key `after`, which precedes it in the table of keys, if it is not there.
fn put(table: &mut Fields, after: &str, key: &'static str, value: Typed, origin: Origin) {
    if !table.has(key) {
        let value = Checked { value, at: table.at, origin };
        table.insert_behind(after, key, value);
    }
}

/// The counted time of a load with stages: what its warm-up leaves of them.
fn rest_of_stages(load: &Fields) -> Option<Span> {
    let stages: Option<Vec<Stage>> = read_field(load, "stages", &[])?;
    let warmup: Span = read_field(load, "warmup", &[])?;
    let total = stages?.iter().fold(Span::ZERO, |sum, stage| sum.saturating_add(stage.duration));
    Some(total.saturating_sub(warmup))
}

/// The counted time of a load whose arrivals were recorded: what its warm-up leaves of them.
fn rest_of_trace(load: &Fields) -> Option<Span> {
    let trace: Option<Arc<Trace>> = read_field(load, "trace", &[])?;
    let warmup: Span = read_field(load, "warmup", &[])?;
    Some(trace?.length().saturating_sub(warmup))
}

/// What a group of a load does not say for itself, the load says for all groups.
fn groups_inherit(load: &mut Fields) {
    let Some(KeyKind::List(section)) = scenario::keys()
        .key("load")
        .and_then(|key| key.kind.section()?.key("group"))
        .map(|key| key.kind)
    else {
        return;
    };
    let derived = |key: &&Key| matches!(key.fallback, Fallback::Derived(_));
    for key in section().keys.iter().filter(derived) {
        let Some(shared) = load.get(key.name).cloned() else { continue };
        for group in load.list_mut("group") {
            put(group, "", key.name, shared.value.clone(), Origin::Implied);
        }
    }
}

/// Keys that are missing in the table of a concurrency model are taken from the table around it.
fn inherit(costs: &mut Fields, section: &Section) {
    for model in section.keys {
        let KeyKind::Table(own) = model.kind else { continue };
        for key in own().keys {
            let Some(shared) = costs.get(key.name).cloned() else { continue };
            let Some(table) = costs.table_mut(model.name) else { continue };
            put(table, "", key.name, shared.value, Origin::Implied);
        }
    }
}
