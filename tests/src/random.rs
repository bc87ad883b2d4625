//! Random scenarios, written as a user would write them.
//!
//! Every key of the table of keys is drawn: by its kind, or where its kind does not tell which
//! values are worth trying, from `VALUES`. They reach into every corner that a file can
//! reach: all concurrency models and overrides of them, both kinds of database, pools that are
//! too small, semaphores, retries, gathers, transactions, refusals, full backlogs, quotas,
//! impatient clients. Runs are short, so that many can be tried.

mod endpoint;

use std::collections::BTreeMap;

use model::keys::{Fallback, Key, KeyKind, Only, Section};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;

use endpoint::{LOCKS_ALPHA, LOCKS_BETA, endpoint};

/// A key below all tables, and its value.
type Leaf = (String, String);

/// Keys that are drawn together with others, or that no single file has.
const BY_HAND: &[&str] = &[
    "extends",
    "knob",
    "seed",
    "load.users",
    "load.rate",
    "load.trace",
    "load.duration",
    "load.stages",
    "load.group",
    "endpoint",
    "fault",
    "learned",
    "objective",
];

/// Values of keys whose kind does not tell which ones make short runs and full queues. A key of
/// one concurrency model has those of the key for all models.
const VALUES: &[(&str, &[&str])] = &[
    ("load.warmup", &["\"1ms\"", "\"50ms\"", "\"190ms\""]),
    (
        "load.timeout",
        &["\"never\"", "\"never\"", "{ mean = \"20ms\" }", "\"3ms\"", "\"40ms\"", "\"300ms\""],
    ),
    ("load.on_off.on", &["\"1ms\"", "{ mean = \"20ms\" }"]),
    ("load.on_off.off", &["\"5ms\"", "{ mean = \"100ms\" }"]),
    ("load.retries", &["0", "0", "1", "3"]),
    ("load.retry_on", &["[]", "[\"timeout\"]", "[\"error\", \"refused\"]"]),
    ("load.backoff", &["\"0s\"", "\"1ms\"", "\"30ms\""]),
    ("load.backoff_max", &["\"0s\"", "\"5ms\"", "\"1h\""]),
    ("load.retry_budget", &["\"0%\"", "\"20%\"", "\"none\""]),
    ("load.retry_floor", &["\"0/s\"", "\"1/s\"", "\"10/s\""]),
    ("load.give_up", &["\"never\"", "\"2ms\"", "\"60ms\""]),
    ("load.max_users", &["1", "3", "10", "50"]),
    ("cpu.cores", &["1", "1", "2", "4"]),
    ("cpu.slice", &["\"20us\"", "\"1ms\"", "\"1s\""]),
    ("cpu.scheduler", &["\"eevdf\"", "\"cfs\""]),
    ("cpu.tick", &["\"50us\"", "\"4ms\""]),
    ("cpu.quota.budget", &["\"3ms\"", "\"20us\"", "\"50ms\""]),
    ("cpu.quota.period", &["\"10ms\"", "\"100us\"", "\"100ms\""]),
    ("service.workers", &["1", "1", "2", "3", "4"]),
    ("service.threads", &["1", "2", "8"]),
    ("service.limit_concurrency", &["1", "2", "5", "20"]),
    ("service.backlog", &["1", "2", "8"]),
    ("load.keep_alive_timeout", &["\"0s\"", "\"2ms\"", "\"30ms\"", "\"1h\""]),
    ("costs.network.notice", &["\"0s\"", "\"1ms\"", "\"20ms\""]),
    ("service.keep_alive", &["\"0s\"", "\"1ms\"", "\"50ms\"", "\"never\""]),
    ("service.worker_timeout", &["\"2ms\"", "\"20ms\"", "\"never\""]),
    ("service.max_requests", &["1", "5", "40", "\"never\""]),
    ("service.max_requests_jitter", &["0", "3"]),
    ("service.first_request", &["\"0s\"", "\"1ms\"", "\"30ms\""]),
    ("service.boot", &["\"0s\"", "\"1ms\"", "\"30ms\""]),
    ("database.engine", &["\"sqlite\"", "\"sqlite\"", "\"postgres\""]),
    ("database.journal_mode", &["\"delete\"", "\"truncate\"", "\"persist\"", "\"wal\"", "\"wal\""]),
    ("database.busy_timeout", &["\"0s\"", "\"2ms\"", "\"100ms\""]),
    ("database.wal_autocheckpoint", &["0", "1", "20"]),
    ("database.max_connections", &["4", "4", "5", "\"none\""]),
    ("database.cpu", &["\"own\"", "\"shared\""]),
    ("database.pooler", &["\"none\"", "\"pgbouncer\""]),
    ("database.pgbouncer.pool_mode", &["\"transaction\"", "\"session\""]),
    ("database.pgbouncer.default_pool_size", &["1", "2", "20"]),
    ("database.pgbouncer.max_client_conn", &["1", "3", "100"]),
    ("database.pgbouncer.query_wait_timeout", &["\"1ms\"", "\"20ms\"", "\"never\""]),
    ("database.row.count", &["1", "1", "3"]),
    ("database.deadlock_timeout", &["\"1ms\"", "\"15ms\"", "\"1s\""]),
    ("database.lock_timeout", &["\"1ms\"", "\"15ms\"", "\"never\"", "\"never\""]),
    ("database.statement_timeout", &["\"1ms\"", "\"15ms\"", "\"never\"", "\"never\""]),
    ("database.idle_in_transaction_session_timeout", &["\"1ms\"", "\"15ms\"", "\"never\""]),
    ("database.open_trips", &["0", "1", "5"]),
    ("database.prepare_after", &["0", "1", "3", "\"never\""]),
    ("database.ping_trips", &["1", "3"]),
    ("database.connections.recycle", &["\"1ms\"", "\"50ms\"", "\"never\""]),
    ("database.connections.kind", &["\"pool\"", "\"pool\"", "\"per-operation\""]),
    ("database.connections.size", &["1", "1", "2", "4"]),
    ("database.connections.overflow", &["0", "0", "1", "3"]),
    ("database.connections.timeout", &["\"0s\"", "\"1ms\"", "\"5ms\"", "\"never\""]),
    ("upstream.capacity", &["1", "2", "10"]),
    ("upstream.queue", &["0", "2", "10"]),
    ("upstream.retry_after", &["\"0s\"", "\"1s\""]),
    ("upstream.client", &["\"httpx\"", "\"reqwest\"", "\"none\""]),
    ("upstream.kept", &["1", "3"]),
    ("upstream.expiry", &["\"1ms\"", "\"1s\""]),
    ("lock.holders", &["1", "2", "10"]),
    ("lock.timeout", &["\"0s\"", "\"2ms\"", "\"20ms\"", "\"never\""]),
    ("upstream.max_connections", &["1", "2", "10"]),
    ("upstream.pool_timeout", &["\"0s\"", "\"5ms\"", "\"never\""]),
    ("upstream.max_in_flight", &["1", "2", "10"]),
    ("upstream.timeout", &["\"2ms\"", "\"20ms\"", "\"1s\""]),
    ("upstream.backoff", &["\"0s\"", "\"1ms\"", "\"50ms\""]),
    // Never free: a closed user without a pause would send without end.
    ("costs.cpu.reject", &["\"10us\"", "\"200us\""]),
    ("costs.cpu.in_flight", &["\"1us\"", "\"20us\""]),
    ("costs.cpu.look", &["\"0s\"", "\"5us\""]),
    ("costs.cpu.glance", &["\"0s\"", "\"1us\""]),
    ("costs.query.pages", &["0", "1", "3", "40"]),
    ("costs.machine.context_switch", &["\"0s\"", "\"2us\"", "\"100us\""]),
    ("costs.network.client", &["\"0s\"", "\"70us\"", "\"3ms\""]),
    ("costs.interpreter.switch_interval", &["\"50us\"", "\"1ms\"", "\"5ms\""]),
    ("costs.cache.decay", &["\"1ms\"", "\"20ms\""]),
    ("costs.cache.crowd", &["0.5", "1", "90"]),
    ("costs.client.expiry", &["\"1ms\"", "\"1s\""]),
];

/// Faults of a database server, within the shortest of the loads.
const FAULTS: &[&str] = &[
    "{ at = \"40ms\", database = \"down\", for = \"30ms\" }",
    "{ at = \"10ms\", database = \"paused\", for = \"60ms\" }",
    "{ at = \"0s\", database = \"killed\", for = \"20ms\" }, \
     { at = \"90ms\", database = \"paused\", for = \"60ms\" }, \
     { at = \"150ms\", database = \"down\", for = \"15ms\" }",
];

/// A pooler whose connection is waited for, and not for long.
const QUEUED: [(&str, &str); 2] = [
    ("database.pgbouncer.default_pool_size", "1"),
    ("database.pgbouncer.query_wait_timeout", "\"3ms\""),
];

/// Keys that are always written: without them a run would be free, or the same as many others.
const ALWAYS: &[&str] = &[
    "database",
    "database.connections.kind",
    "database.journal_mode",
    "database.max_connections",
    "load.timeout",
    "cpu.cores",
    "service.workers",
    "costs.cpu.request",
    "costs.query.default.engine",
    "costs.cpu.reject",
    "lock.alpha.holders",
    "lock.beta.holders",
    "database.row.alpha.count",
    "database.row.beta.count",
];

/// Distributions whose times are not about a millisecond, in microseconds.
const SCALES: &[(&str, u32)] =
    &[("load.think_time", 50_000), ("upstream.latency", 30_000), ("costs.cpu.request", 1_000)];

/// Timeouts of a server with little patience.
const IMPATIENT: [(&str, &str); 3] = [
    ("database.deadlock_timeout", "\"1ms\""),
    ("database.statement_timeout", "\"1ms\""),
    ("database.lock_timeout", "\"1ms\""),
];

/// Requests that lock two rows, in one order and in the other.
const CROSSED: &str = r#"[[endpoint]]
name = "there"
weight = 2
steps = [{ transaction = [{ write = "item", locks = "alpha" }, { write = "item", locks = "beta" }] }]
[[endpoint]]
name = "back"
weight = 2
steps = [{ transaction = [{ read = "item", locks = "beta" }, { write = "item", locks = "alpha" }] }]
"#;

/// A scenario file.
pub fn scenario() -> impl Strategy<Value = String> {
    let seed = 1u64..1_000_000;
    (seed, table(model::scenario::keys(), ""), source(), vec(endpoint(), 1..4)).prop_map(
        |(seed, mut leaves, source, endpoints)| {
            let server = leaves.contains(&("database.engine".into(), "\"postgres\"".into()))
                && !leaves.contains(&("database.cpu".into(), "\"shared\"".into()))
                && !leaves.contains(&("database.pooler".into(), "\"pgbouncer\"".into()));
            // Drawn with the seed: other draws are what they are without faults.
            let faults = FAULTS.get(seed as usize % (FAULTS.len() + 1)).filter(|_| server);
            leaves.extend(faults.map(|faults| ("fault".into(), format!("[{faults}]"))));
            leaves.push(("seed".into(), seed.to_string()));
            leaves.extend(source);
            keep_what_applies(model::scenario::keys().key("load"), "load", &mut leaves);
            if !leaves.iter().any(|(key, _)| key == "load.rate") {
                leaves.retain(|(key, _)| !key.starts_with("load.on_off"));
            }
            // Connections that are not kept are never idle.
            if leaves.contains(&("load.keep_alive".into(), "false".into())) {
                leaves.retain(|(key, _)| key != "load.keep_alive_timeout");
            }
            // An axum worker has no interpreter to lock, and its requests take one thread each.
            let axum = leaves.contains(&("service.server".into(), "\"axum\"".into()));
            if axum {
                let others =
                    ["costs.interpreter.lock", "service.response_model", "service.dependencies"];
                leaves.retain(|(key, _)| !others.contains(&key.as_str()));
                leaves.push(("costs.interpreter.lock".into(), "false".into()));
            }
            if !leaves.contains(&("service.server".into(), "\"gunicorn\"".into())) {
                leaves.retain(|(key, _)| key != "service.worker_timeout");
            }
            if axum {
                leaves.retain(|(key, _)| key != "service.max_requests");
            }
            // A client speaks the service's language, and blocks or is awaited; a file has no pings.
            let client = if axum { "\"sqlx\"" } else { "\"psycopg\"" };
            let named = leaves.iter_mut().find(|(key, _)| key == "database.client");
            named.into_iter().for_each(|(_, value)| *value = client.into());
            if !leaves.contains(&("database.engine".into(), "\"postgres\"".into())) {
                leaves.retain(|(key, _)| key != "database.connections.pre_ping");
                leaves.retain(|(key, _)| !key.starts_with("database.row."));
            } else if let Some((key, value)) = IMPATIENT.get(seed as usize % 4) {
                // Seldom drawn otherwise: a server that finds deadlocks, and fails what waits for rows.
                let others = IMPATIENT.map(|(key, _)| key);
                leaves.retain(|(key, _)| !others.contains(&key.as_str()));
                leaves.push((key.to_string(), value.to_string()));
                // Where few are connected nobody waits for a row.
                let most = leaves.iter_mut().find(|(key, _)| key == "database.max_connections");
                most.filter(|_| seed % 2 == 0)
                    .into_iter()
                    .for_each(|(_, value)| *value = "\"none\"".into());
            }
            let idle = "database.idle_in_transaction_session_timeout";
            let pooled = leaves.contains(&("database.pooler".into(), "\"pgbouncer\"".into()));
            if !pooled {
                leaves.retain(|(key, _)| !key.starts_with("database.pgbouncer"));
            } else {
                leaves.retain(|(key, _)| key != idle);
            }
            if pooled && seed % 3 > 0 {
                // Seldom drawn otherwise: a pooler so small that requests wait for it in vain.
                leaves.retain(|(key, _)| !QUEUED.iter().any(|(other, _)| key == other));
                leaves.extend(QUEUED.map(|(key, value)| (key.into(), value.into())));
                // A connection that is kept as long as its client is connected makes more requests time out.
                if seed % 3 == 1 {
                    let mode = "database.pgbouncer.pool_mode";
                    leaves.retain(|(key, _)| key != mode);
                    leaves.push((mode.into(), "\"session\"".into()));
                }
            }
            let way = of_class(&mut leaves);
            let mut text = to_toml(&leaves);
            for (index, (endpoint, visits)) in endpoints.iter().enumerate() {
                let visits = if axum || way.is_some() { "" } else { visits };
                let own = |line: &&str| way.is_none() || !line.starts_with("concurrency");
                let endpoint: String =
                    endpoint.lines().filter(own).map(|line| format!("{line}\n")).collect();
                text += &format!("[[endpoint]]\nname = \"e{index}\"\n{visits}{endpoint}\n");
            }
            let two = leaves.contains(&("database.row.beta.count".into(), "3".into()));
            if !two {
                text = text.replace(", nth = 2", "");
            }
            if !leaves.iter().any(|(key, _)| key.starts_with("database.row.")) {
                text = text.replace(LOCKS_ALPHA, "").replace(LOCKS_BETA, "");
            }
            if text.contains("[database.row.") && seed % 2 == 0 {
                text += CROSSED;
            }
            // A blocking handler never waits for a lock that an async one holds.
            if way.is_none() && text.contains("lock = \"") && text.contains("\"async\"") {
                text = text.replace("concurrency = \"blocking\"", "concurrency = \"threadpool\"");
            }
            text
        },
    )
}

/// Workers of gunicorn's own classes serve in one way, which is returned; other servers have none.
fn of_class(leaves: &mut Vec<Leaf>) -> Option<&'static str> {
    let is = |key: &str, value: &str| leaves.contains(&(key.into(), value.into()));
    let gunicorn = is("service.server", "\"gunicorn\"");
    let sync = gunicorn && is("service.worker_class", "\"sync\"");
    let gthread = gunicorn && is("service.worker_class", "\"gthread\"");
    if !gunicorn {
        leaves.retain(|(key, _)| key != "service.worker_class");
    }
    if sync {
        let others = ["service.threads", "service.keep_alive", "load.preconnect"];
        leaves.retain(|(key, _)| !others.contains(&key.as_str()));
        for (_, value) in leaves.iter_mut().filter(|(key, _)| key == "load.group") {
            *value = value.replace(", preconnect = true", "");
        }
    }
    let way = if sync { "\"blocking\"" } else { "\"threadpool\"" };
    if !sync && !gthread {
        return None;
    }
    let others = ["service.concurrency", "service.response_model", "service.dependencies"];
    leaves.retain(|(key, _)| !others.contains(&key.as_str()));
    leaves.push(("service.concurrency".into(), way.into()));
    Some(way)
}

/// The keys as a file, each table under its header.
fn to_toml(leaves: &[Leaf]) -> String {
    let mut tables: BTreeMap<&str, String> = BTreeMap::new();
    for (path, value) in leaves {
        let (table, key) = path.rsplit_once('.').unwrap_or(("", path));
        *tables.entry(table).or_default() += &format!("{key} = {value}\n");
    }
    let table = |(name, lines): (&&str, &String)| match *name {
        "" => lines.clone(),
        name => format!("[{name}]\n{lines}"),
    };
    tables.iter().map(table).collect()
}

/// Keys of a table and of the tables in it.
fn table(section: &'static Section, path: &str) -> BoxedStrategy<Vec<Leaf>> {
    let prefix = if path.is_empty() { String::new() } else { format!("{path}.") };
    let keys: Vec<BoxedStrategy<Vec<Leaf>>> = section
        .keys
        .iter()
        .map(|key| (key, format!("{prefix}{}", key.name)))
        .filter(|(_, path)| !BY_HAND.contains(&path.as_str()))
        .map(|(key, path)| drawn(key, path))
        .collect();
    let path = path.to_string();
    keys.prop_map(move |keys| {
        let mut leaves = keys.concat();
        keep(section, &path, &mut leaves);
        leaves
    })
    .boxed()
}

/// What a key stands for in the tables above: without the names that a user chooses, and without
/// the concurrency model that a cost is of.
fn known_as(path: &str) -> String {
    let mut names: Vec<&str> = path.split('.').collect();
    let chosen = match names[..] {
        ["upstream" | "lock", _, ..] => Some(1),
        ["costs", "query" | "cpu" | "cache", _, _, ..] | ["database", "row", _, ..] => Some(2),
        _ => None,
    };
    chosen.map(|index| names.remove(index));
    names.join(".")
}

/// A key that is written now and then, or always where it has to be.
fn drawn(key: &'static Key, path: String) -> BoxedStrategy<Vec<Leaf>> {
    let known = known_as(&path);
    let inside = match key.kind {
        KeyKind::Table(below) | KeyKind::Profile(below) => table(below(), &path),
        KeyKind::Named(below) => {
            let names: &[&str] =
                if key.name == "query" { &["default"] } else { &["alpha", "beta"] };
            let entries = names.iter().map(|name| table(below(), &format!("{path}.{name}")));
            return entries.collect::<Vec<_>>().prop_map(|entries| entries.concat()).boxed();
        }
        _ => {
            let path = path.clone();
            value(key, &known).prop_map(move |value| vec![(path.clone(), value)]).boxed()
        }
    };
    let chance = match key.fallback {
        _ if ALWAYS.contains(&path.as_str()) => return inside,
        Fallback::Required | Fallback::Value("{}") => return inside,
        // One of many that are the same for every concurrency model.
        Fallback::Derived(_) if path.starts_with("costs.") => 0.1,
        _ => 0.5,
    };
    weighted(chance, inside).prop_map(Option::unwrap_or_default).boxed()
}

/// A value of the key that is known by the name `known`.
fn value(key: &'static Key, known: &str) -> BoxedStrategy<String> {
    if let Some((_, values)) = VALUES.iter().find(|(name, _)| *name == known) {
        return select(*values).prop_map(str::to_string).boxed();
    }
    if let KeyKind::Distribution = key.kind {
        let scale = SCALES.iter().find(|(name, _)| *name == known).map_or(2_000, |scale| scale.1);
        // Not below a microsecond where a request must not be free.
        return distribution(scale).prop_map(|text| text.replace("\"0us\"", "\"1us\"")).boxed();
    }
    let mut values: Vec<String> = match key.kind {
        KeyKind::Flag => vec!["true".into(), "false".into()],
        KeyKind::Integer(low, high) => {
            [low, low + 1, low + 3].iter().filter(|n| **n <= high).map(u64::to_string).collect()
        }
        KeyKind::Number(low, high) => [0.5, 1.0, 1.5, 3.0]
            .iter()
            .filter(|n| (low..=high).contains(*n))
            .map(f64::to_string)
            .collect(),
        KeyKind::Span(low) => ["0s", "10us", "300us"]
            .iter()
            .filter(|span| model::units::Span::parse(span).is_ok_and(|span| span >= low))
            .map(|span| format!("\"{span}\""))
            .collect(),
        KeyKind::Rate => vec!["\"5/s\"".into(), "\"100/s\"".into()],
        KeyKind::Size => vec!["\"0B\"".into(), "\"1MiB\"".into()],
        KeyKind::Share => ["0%", "10%", "100%"].map(|share| format!("\"{share}\"")).into(),
        KeyKind::Choice(words) => words.iter().map(|word| format!("\"{}\"", word.word)).collect(),
        KeyKind::Text => vec!["\"some text\"".into()],
        KeyKind::TextMap => vec!["{ note = \"some text\" }".into()],
        KeyKind::Distribution
        | KeyKind::Texts
        | KeyKind::Choices(_)
        | KeyKind::Trace
        | KeyKind::Target
        | KeyKind::Table(_)
        | KeyKind::Named(_)
        | KeyKind::List(_)
        | KeyKind::Profile(_) => panic!("{known} is drawn by hand"),
    };
    values.extend(key.word.map(|word| format!("\"{word}\"")));
    select(values).boxed()
}

fn keep_what_applies(key: Option<&'static Key>, path: &str, leaves: &mut Vec<Leaf>) {
    if let Some(section) = key.and_then(|key| key.kind.section()) {
        keep(section, path, leaves);
    }
}

/// Drops the keys of a table that mean nothing beside the others.
fn keep(section: &'static Section, path: &str, leaves: &mut Vec<Leaf>) {
    let path_of = |name: &str| if path.is_empty() { name.into() } else { format!("{path}.{name}") };
    for key in section.keys {
        let applies = match key.only {
            Only::Always => true,
            // The load's are drawn by hand, and come later.
            Only::With(other) if BY_HAND.contains(&path_of(other).as_str()) => {
                let found = leaves.iter().any(|(path, _)| BY_HAND.contains(&path.as_str()));
                !found || leaves.iter().any(|(path, _)| *path == path_of(other))
            }
            Only::With(other) => leaves.iter().any(|(path, _)| *path == path_of(other)),
            // Only the load has such a key.
            Only::WithEither(one, other) => {
                let found = leaves.iter().any(|(path, _)| BY_HAND.contains(&path.as_str()));
                let either = [path_of(one), path_of(other)];
                !found || leaves.iter().any(|(path, _)| either.contains(path))
            }
            Only::When(other, word) => {
                let written = leaves.iter().find(|(path, _)| *path == path_of(other));
                let default = match section.key(other).map(|key| key.fallback) {
                    Some(Fallback::Value(text)) => text,
                    _ => "",
                };
                written.map_or(default, |(_, value)| value) == format!("\"{word}\"")
            }
        };
        if !applies {
            leaves.retain(|(path, _)| *path != path_of(key.name));
        }
    }
}

/// A distribution whose times are about `scale` microseconds.
pub fn distribution(scale: u32) -> impl Strategy<Value = String> {
    (1..=scale, 0..5u8, 1u32..20).prop_map(|(micros, kind, ratio)| match kind {
        0 => format!("\"{micros}us\""),
        1 => format!("{{ mean = \"{micros}us\" }}"),
        2 => format!("{{ p50 = \"{micros}us\", p99 = \"{}us\" }}", micros * ratio),
        3 => format!("{{ low = \"0s\", high = \"{}us\" }}", 2 * micros),
        _ => format!("\"{}us\"", micros / 4),
    })
}

/// Where the load comes from, and its length.
fn source() -> BoxedStrategy<Vec<Leaf>> {
    let stage = |closed: bool| {
        (50u32..500, 0u32..60).prop_map(move |(millis, target)| {
            let target = if closed { target.to_string() } else { format!("\"{}/s\"", target * 5) };
            format!("{{ duration = \"{millis}ms\", target = {target} }}")
        })
    };
    let length = move |closed: bool| {
        prop_oneof![
            3 => (300u32..1500)
                .prop_map(|millis| ("load.duration".to_string(), format!("\"{millis}ms\""))),
            1 => vec(stage(closed), 4..6)
                .prop_map(|stages| ("load.stages".to_string(), format!("[{}]", stages.join(", ")))),
        ]
    };
    let closed = (1u32..40, length(true));
    let open = (5u32..300, length(false));
    let several = (vec(group(), 1..4), 300u32..1500).prop_map(|(groups, millis)| {
        let named =
            (0..).zip(groups).map(|(n, group): (u32, _)| format!("{{ name = \"g{n}\", {group} }}"));
        let groups = named.collect::<Vec<_>>().join(", ");
        let length = ("load.duration".to_string(), format!("\"{millis}ms\""));
        vec![("load.group".to_string(), format!("[{groups}]")), length]
    });
    let recorded = vec(0u32..400, 1..60).prop_map(|mut millis| {
        millis.sort_unstable();
        let lines = millis.iter().map(|at| format!("0.{at:03}\\n")).collect::<String>();
        let length = ("load.duration".to_string(), "\"350ms\"".to_string());
        vec![("load.trace".to_string(), format!("\"{lines}\"")), length]
    });
    prop_oneof![
        2 => closed.prop_map(|(users, length)| vec![("load.users".into(), users.to_string()), length]),
        2 => open.prop_map(|(rate, length)| vec![("load.rate".into(), format!("\"{rate}/s\"")), length]),
        1 => recorded,
        1 => several,
    ]
    .boxed()
}

/// One of several loads, without its name and braces.
fn group() -> BoxedStrategy<String> {
    const CLOSED: [&str; 3] = [
        "users = 5",
        "users = 3, think_time = \"5ms\", preconnect = true",
        "users = 1, stages = [{ duration = \"50ms\", target = 9 }]",
    ];
    const OPEN: [&str; 4] = [
        "trace = \"0\\n0.01,e0\\n0.01\\n0.15\\n0.4,e0\\n\"",
        "rate = \"100/s\"",
        "rate = \"50/s\", spacing = \"even\", max_users = 2",
        "rate = \"200/s\", on_off = { on = { mean = \"20ms\" }, off = \"30ms\" }",
    ];
    const MORE: [&str; 4] = [
        "",
        ", timeout = { mean = \"20ms\" }",
        ", keep_alive = true, timeout = \"never\"",
        ", mix = [{ endpoint = \"e0\", weight = 2 }]",
    ];
    let source = prop_oneof![select(&CLOSED[..]), select(&OPEN[..])];
    (source, select(&MORE[..])).prop_map(|(source, more)| format!("{source}{more}")).boxed()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    use toml_edit::{DocumentMut, Item, Value};

    use super::*;

    /// Every key of a table and of those in it, by the names that [`known_as`] gives them.
    fn declared(section: &'static Section, path: &str, found: &mut BTreeSet<String>) {
        for key in section.keys {
            let path =
                if path.is_empty() { key.name.into() } else { format!("{path}.{}", key.name) };
            let steps =
                ["gather", "session", "after"].contains(&key.name) || path.ends_with("steps.steps");
            let below = key.kind.section().filter(|_| !steps);
            // A user chooses a name there, and the simulation is the same whatever it is.
            let path_below = match key.kind {
                KeyKind::Named(_) => format!("{path}.name"),
                _ => path.clone(),
            };
            found.insert(known_as(&path));
            if let Some(below) = below {
                declared(below, &path_below, found);
            }
        }
    }

    fn written(item: &Value, path: &str, found: &mut BTreeSet<String>) {
        found.insert(known_as(path));
        match item {
            Value::InlineTable(table) => table
                .iter()
                .for_each(|(key, value)| written(value, &format!("{path}.{key}"), found)),
            // The steps of a gather are steps.
            Value::Array(list) => {
                let path = path.trim_end_matches(".gather").trim_end_matches(".session");
                let path = path
                    .strip_suffix(".steps.steps")
                    .map_or(path.to_string(), |endpoint| format!("{endpoint}.steps"));
                list.iter().for_each(|value| written(value, &path, found));
            }
            _ => {}
        }
    }

    fn written_items(item: &Item, path: &str, found: &mut BTreeSet<String>) {
        found.insert(known_as(path));
        let below = |key: &str| if path.is_empty() { key.into() } else { format!("{path}.{key}") };
        match item {
            Item::Table(table) => {
                table.iter().for_each(|(key, item)| written_items(item, &below(key), found));
            }
            Item::ArrayOfTables(list) => list.iter().for_each(|table| {
                table.iter().for_each(|(key, item)| written_items(item, &below(key), found));
            }),
            Item::Value(value) => written(value, path, found),
            Item::None => {}
        }
    }

    #[test]
    fn every_declared_key_is_drawn() {
        let mut runner = TestRunner::deterministic();
        let (mut all, mut drawn) = (BTreeSet::new(), BTreeSet::new());
        declared(model::scenario::keys(), "", &mut all);
        for _ in 0..1000 {
            let text = scenario().new_tree(&mut runner).expect("a scenario").current();
            let document: DocumentMut = text.parse().expect("a TOML file");
            written_items(document.as_item(), "", &mut drawn);
        }
        let of_several_files = |key: &&String| *key == "extends" || key.starts_with("knob");
        // They change no prediction of a point, and are about other keys: tests of their own.
        let of_a_service_of_ones_own = |key: &&String| {
            ["learned", "endpoint.request", "objective"].iter().any(|own| key.starts_with(own))
        };
        let missing: Vec<&String> = all
            .difference(&drawn)
            .filter(|key| !of_several_files(key) && !of_a_service_of_ones_own(key))
            .collect();
        assert!(missing.is_empty(), "never drawn: {missing:?}");
    }

    #[test]
    fn values_are_of_keys_that_exist() {
        let mut all = BTreeSet::new();
        declared(model::scenario::keys(), "", &mut all);
        let scales = SCALES.iter().map(|(key, _)| *key);
        let names = VALUES.iter().map(|(key, _)| *key).chain(scales);
        for name in names.chain(ALWAYS.iter().copied()).chain(BY_HAND.iter().copied()) {
            assert!(all.contains(&known_as(name)), "{name}");
        }
    }
}
