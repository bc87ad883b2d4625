//! Notes on a scenario that is allowed but probably a mistake: names that nothing reads or defines.

use std::collections::BTreeSet;

use super::diagnostic::{brief, nearest};
use super::path::KeyPath;
use crate::keys::{Fields, KeyKind, Origin, Section, Typed};
use crate::scenario::{
    self, Connections, Endpoint, Engine, Group, Refused, Scenario, Server, Source, Step,
};
use crate::statistics::round_significant;
use crate::trace::Trace;

/// What a reader of the scenario should look at, in whole sentences. `own` tells the queries
/// whose cost the scenario itself gives: a profile may know more than one scenario reads.
pub(crate) fn notes(scenario: &Scenario, own: impl Fn(&str) -> bool) -> Vec<String> {
    let mut used = Used::default();
    for endpoint in &scenario.endpoints {
        used.steps(&endpoint.steps);
        used.steps(&endpoint.after);
    }
    let costs = &scenario.costs.query;
    let named = || costs.keys().map(String::as_str).filter(|name| *name != "default");
    let (read, unread): (Vec<&str>, Vec<&str>) =
        named().partition(|name| used.queries.contains(name));
    let mut all = Vec::new();
    let mut meant = BTreeSet::new();
    // Many queries may share the default's cost: a name is told where another was meant.
    for name in used.queries.iter().filter(|name| !costs.contains_key(**name)) {
        let near = nearest(name, unread.iter().copied())
            .or_else(|| read.iter().copied().find(|read| misspelt(name, read)));
        let Some(near) = near else { continue };
        meant.insert(near);
        all.push(format!(
            "the query `{}` has no cost of its own and takes that of `costs.query.default`: did \
             you mean `{}`?",
            brief(name),
            brief(near)
        ));
    }
    for name in unread.into_iter().filter(|name| own(name) && !meant.contains(name)) {
        let name = brief(name);
        all.push(format!("no step reads `costs.query.{name}`: remove it, or name it in a step"));
    }
    for (index, upstream) in scenario.upstreams.iter().enumerate() {
        if !used.upstreams.contains(&index) {
            let name = brief(&upstream.name);
            all.push(format!("no step calls the upstream `{name}`: remove it, or add a `call`"));
        }
    }
    for lock in scenario.locks.iter().filter(|lock| !used.locks.contains(&*lock.name)) {
        let name = brief(&lock.name);
        all.push(format!("no step takes the lock `{name}`: remove it, or add a `lock`"));
    }
    for rows in scenario.rows().iter().filter(|rows| !used.rows.contains(&*rows.name)) {
        let name = brief(&rows.name);
        all.push(format!("no statement locks `database.row.{name}`: remove it, or add a `locks`"));
    }
    if scenario.load.retry.retries > 0 && matches!(scenario.load.source, Source::Closed { .. }) {
        all.push(
            "the users of a closed load wait for their retries before they send anything else, so \
             that no storm of retries can arise: write `load.rate` to see one"
                .to_string(),
        );
    }
    all.extend(connections(scenario));
    all.extend(pooler(scenario));
    for group in scenario.load.groups().iter() {
        if let Source::Replay { trace, .. } = &group.load.source {
            all.extend(recorded(scenario, group, trace));
        }
    }
    all
}

/// The pools of all workers may have more connections than the database server takes.
fn connections(scenario: &Scenario) -> Option<String> {
    let database = scenario.database.as_ref()?;
    let Engine::Postgres(postgres) = &database.engine else { return None };
    let Connections::Pool { size, overflow, .. } = database.connections else { return None };
    if postgres.pooler().is_some() {
        return None;
    }
    let (takes, workers) = (postgres.connections()?, u64::from(scenario.service.workers));
    let sum = workers * (u64::from(size) + u64::from(overflow));
    if sum <= u64::from(takes) {
        return None;
    }
    let most = postgres.max_connections.unwrap_or(takes);
    let kept = most - takes;
    let what = match postgres.refused {
        Refused::Error => "requests that open one more fail (`too_many_clients`)",
        Refused::Retry => "requests that open one more wait, and fail (`pool_timeout`)",
    };
    Some(format!(
        "the pools of {workers} workers may open {workers} * ({size} + {overflow}) = {sum} \
         connections, and the database server takes {takes}: `database.max_connections` is {most}, \
         of which it keeps {kept} for superusers. Beyond them {what}"
    ))
}

/// The pools may have more connections than PgBouncer takes, and it more than the server takes.
fn pooler(scenario: &Scenario) -> Vec<String> {
    let Some(database) = &scenario.database else { return Vec::new() };
    let Engine::Postgres(postgres) = &database.engine else { return Vec::new() };
    let Some(pooler) = postgres.pooler() else { return Vec::new() };
    let mut all = Vec::new();
    let most = pooler.max_client_conn;
    if let Connections::Pool { size, overflow, .. } = database.connections {
        let workers = u64::from(scenario.service.workers);
        let sum = workers * (u64::from(size) + u64::from(overflow));
        if sum > u64::from(most) {
            all.push(format!(
                "the pools of {workers} workers may open {workers} * ({size} + {overflow}) = {sum} \
                 connections, and PgBouncer takes {most}: raise `max_client_conn` of \
                 `database.pgbouncer`. Requests that open one more fail (`max_client_conn`)"
            ));
        }
    }
    let size = pooler.default_pool_size;
    if size > most {
        all.push(format!(
            "PgBouncer never uses more connections to the server than it has clients: \
             `default_pool_size` is {size}, and `max_client_conn` {most}"
        ));
    }
    if let Some(takes) = postgres.connections().filter(|takes| size > *takes) {
        all.push(format!(
            "PgBouncer opens at most the {takes} connections that the database server takes: \
             `default_pool_size` is {size}"
        ));
    }
    all
}

/// What of recorded arrivals may not be as it was meant.
fn recorded(scenario: &Scenario, group: &Group, trace: &Trace) -> Vec<String> {
    let (key, length, total) = (group.key("trace"), trace.length(), group.load.total());
    let mut all = Vec::new();
    if let (None, Some(name)) = (trace.endpoints(&scenario.endpoints), trace.names().first()) {
        all.push(format!(
            "`{key}` has requests such as `{}`, and no endpoint has such a name: the weights say \
             what is called",
            brief(name)
        ));
    }
    if length < total {
        all.push(format!("`{key}` ends after {length}: nothing comes from then on until {total}"));
    }
    all
}

/// A session per request that the scenario may have meant: an endpoint that waits elsewhere gives
/// its connection back between its statements, unless it is said to hold it.
pub(crate) fn session(scenario: &Scenario) -> Option<String> {
    let Connections::Pool { size, overflow, .. } = scenario.database.as_ref()?.connections else {
        return None;
    };
    if scenario.service.server == Server::Axum {
        return None;
    }
    let keeps = |endpoint: &&Endpoint| {
        endpoint.hold.is_none()
            && endpoint.steps.iter().any(Step::uses_database)
            && endpoint.steps.iter().any(waits_elsewhere)
    };
    let endpoint = brief(&scenario.endpoints.iter().find(keeps)?.name);
    Some(format!(
        "`database.hold` is not written, so that `{endpoint}` holds one of the {} connections for \
         a statement at a time: if its session keeps the connection while it waits elsewhere, as \
         one from `Depends` or from a `with` around the handler does, write `hold = \"request\"` \
         or `hold = \"handler\"`; if not, `hold = \"operation\"`",
        size.saturating_add(overflow)
    ))
}

/// A step that takes time and no connection.
fn waits_elsewhere(step: &Step) -> bool {
    match step {
        Step::Call(_) | Step::Block(_) | Step::Sleep(_) => true,
        Step::Gather(steps) => steps.iter().any(waits_elsewhere),
        _ => false,
    }
}

/// Times that are far longer than their keys usually are.
pub(crate) fn unusual(table: &Fields) -> Vec<String> {
    let mut all = Vec::new();
    times(table, scenario::keys(), &KeyPath::Root, &mut all);
    all.extend(weights(table));
    all
}

/// An endpoint whose weight is not written, beside others whose weight is.
fn weights(table: &Fields) -> Option<String> {
    let Typed::List(endpoints) = &table.get("endpoint")?.value else { return None };
    let written = |endpoint: &&Fields| {
        endpoint.get("weight").is_some_and(|weight| weight.origin == Origin::Written)
    };
    let (with, without): (Vec<&Fields>, Vec<&Fields>) = endpoints.iter().partition(written);
    let (first, _) = (without.first()?, with.first()?);
    let name = brief(first.text("name")?);
    Some(format!(
        "`endpoint.{name}.weight` is not written and so is 1, beside others that are written: write \
         it too"
    ))
}

fn times(table: &Fields, section: &'static Section, path: &KeyPath, all: &mut Vec<String>) {
    for field in &table.fields {
        let path = path.key(&field.key);
        let Some(key) = section.key(&field.key) else { continue };
        if let Some(most) = key.usual.filter(|_| field.value.origin == Origin::Written)
            && let Some(seconds) = seconds(&field.value.value)
            && seconds > most.secs_f64()
        {
            all.push(format!(
                "`{path}` is {seconds} s, and seldom more than {most}: is its unit right? `ms` is \
                 a thousandth of a second, `m` a minute"
            ));
        }
        let Some(below) = key.kind.section() else { continue };
        match &field.value.value {
            Typed::Table(named) if matches!(key.kind, KeyKind::Named(_)) => {
                for entry in &named.fields {
                    if let Typed::Table(table) = &entry.value.value {
                        times(table, below, &path.key(&entry.key), all);
                    }
                }
            }
            Typed::Table(table) => times(table, below, &path, all),
            Typed::List(list) => {
                for (index, entry) in list.iter().enumerate() {
                    match entry.text("name") {
                        Some(name) => times(entry, below, &path.key(name), all),
                        None => times(entry, below, &path.index(index), all),
                    }
                }
            }
            _ => {}
        }
    }
}

/// The mean of a time.
fn seconds(value: &Typed) -> Option<f64> {
    match value {
        Typed::Span(span) => Some(span.secs_f64()),
        Typed::Distribution(written) => Some(round_significant(written.distribution()?.mean())),
        _ => None,
    }
}

/// True if two names differ by a slip of the keyboard, and not by their numbers.
fn misspelt(name: &str, other: &str) -> bool {
    const SHORT: usize = 4;
    const SLIPS: usize = 2;
    let letters = |name: &str| name.chars().filter(|c| !c.is_numeric()).collect::<String>();
    name.len() > SHORT
        && letters(name) != letters(other)
        && strsim::osa_distance(name, other) <= SLIPS
}

/// The names that steps use.
#[derive(Default)]
struct Used<'a> {
    queries: BTreeSet<&'a str>,
    upstreams: BTreeSet<usize>,
    locks: BTreeSet<&'a str>,
    rows: BTreeSet<&'a str>,
}

impl<'a> Used<'a> {
    fn steps(&mut self, steps: &'a [Step]) {
        for step in steps {
            match step {
                Step::Statement(_) | Step::Transaction { .. } => {
                    let statements = step.statements();
                    self.queries.extend(statements.iter().map(|one| one.query.as_str()));
                    let locked = statements.iter().filter_map(|one| one.locks.as_ref());
                    self.rows.extend(locked.map(|lock| lock.rows.as_str()));
                }
                Step::Call(index) => drop(self.upstreams.insert(*index)),
                Step::Session(steps) | Step::Gather(steps) => self.steps(steps),
                Step::Lock { lock, steps } => {
                    self.locks.insert(lock);
                    self.steps(steps);
                }
                Step::Cpu(_) | Step::Block(_) | Step::Sleep(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::read::{builtin, load, load_text};

    #[test]
    fn a_name_that_nothing_defines_or_reads_is_told_with_the_nearest() {
        let text = r#"
            load = { users = 1, duration = "1s" }
            service.concurrency = "async"
            database = {}
            upstream.spare.latency = "1s"
            endpoint = [{ name = "list", weight = 1, steps = [{ read = "ordres_page" }] }]
            costs.query = { default = { engine = "6us" }, orders_page = { engine = "2ms" } }
        "#;
        let notes = load_text("shop", text, &[]).expect("a scenario").notes();
        assert_eq!(notes.len(), 2, "{notes:?}");
        assert!(notes[0].contains("`ordres_page`"), "{notes:?}");
        assert!(notes[0].ends_with("did you mean `orders_page`?"), "{notes:?}");
        assert!(notes[1].contains("no step calls the upstream `spare`"), "{notes:?}");
        // The name is right elsewhere; and a cost is of no query.
        let steps = "[{ read = \"orders_page\" }, { read = \"ordres_page\" }]";
        let text = text.replace("[{ read = \"ordres_page\" }]", steps);
        let text = text.replace("orders_page = {", "carts = { engine = \"1us\" }, orders_page = {");
        let notes = load_text("shop", &text, &[]).expect("a scenario").notes();
        assert!(notes[0].ends_with("did you mean `orders_page`?"), "{notes:?}");
        assert!(notes[1].contains("no step reads `costs.query.carts`"), "{notes:?}");
    }

    #[test]
    fn a_set_that_replaces_another_key_is_told() {
        let text = r#"
            load = { rate = "5/s", duration = "1s" }
            service.concurrency = "async"
            endpoint = [{ name = "list", weight = 1, steps = [{ cpu = "5ms" }] }]
            costs = {}
        "#;
        let notes = load_text("shop", text, &["load.users=20".into()]).expect("valid").notes();
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(notes[0].contains("`--set load.users` replaces `load.rate`"), "{notes:?}");
        let notes = load_text("shop", text, &["load.rate=20/s".into()]).expect("valid").notes();
        assert_eq!(notes, [""; 0]);
    }

    #[test]
    fn minutes_that_were_meant_as_milliseconds_are_told() {
        let text = r#"
            load = { users = 1, duration = "1s" }
            service.concurrency = "async"
            endpoint = [{ name = "list", weight = 1, steps = [{ cpu = "5m" }, { sleep = "5ms" }] }]
            costs.cpu.request = "2ms"
        "#;
        let notes = load_text("shop", text, &[]).expect("a scenario").notes();
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(notes[0].starts_with("`endpoint.list.steps[0].cpu` is 300 s"), "{notes:?}");
    }

    #[test]
    fn a_session_that_may_keep_its_connection_is_asked_for() {
        let text = r#"
            load = { users = 1, duration = "1s" }
            service.concurrency = "async"
            database.connections = { kind = "pool" }
            upstream.partner.latency = "1s"
            endpoint = [{ name = "pay", weight = 1, steps = [{ read = "a" }, { call = "partner" }] }]
            costs.query.default.engine = "6us"
        "#;
        let notes = |sets: &[&str]| {
            let sets: Vec<String> = sets.iter().map(|set| set.to_string()).collect();
            load_text("shop", text, &sets).expect("valid").notes()
        };
        assert_eq!(notes(&[]).len(), 1, "{:?}", notes(&[]));
        assert!(notes(&[])[0].contains("`pay` holds one of the 15 connections"));
        for sets in [
            &["database.hold=operation"][..],
            &["endpoint.pay.hold=request"],
            &["database.connections.kind=per-operation"],
            &["service.server=axum", "costs.interpreter.lock=false"],
        ] {
            assert_eq!(notes(sets), [""; 0], "{sets:?}");
        }
    }

    #[test]
    fn pools_that_together_exceed_pgbouncer_are_told_and_it_the_server() {
        let text = r#"
            load = { users = 1, duration = "1s" }
            service = { concurrency = "async", workers = 4 }
            database.engine = "postgres"
            database.hold = "operation"
            database.pooler = "pgbouncer"
            database.connections = { kind = "pool", size = 20 }
            endpoint = [{ name = "list", weight = 1, steps = [{ read = "a" }] }]
            costs.query.default.engine = "6us"
        "#;
        let notes = |set: &str| {
            load_text("shop", text, &[set.to_string()]).expect("valid").notes().join("\n")
        };
        let told = notes("seed=1");
        assert!(told.contains("= 120 connections, and PgBouncer takes 100"), "{told}");
        assert_eq!(notes("database.pgbouncer.max_client_conn=120"), "");
        let told = notes("database.pgbouncer={ default_pool_size = 130, max_client_conn = 120 }");
        assert!(told.contains("is 130, and `max_client_conn` 120"), "{told}");
        assert!(told.contains("at most the 97 connections"), "{told}");
    }

    #[test]
    fn pools_that_together_exceed_the_server_are_told_with_their_sum() {
        let text = r#"
            load = { users = 1, duration = "1s" }
            service = { concurrency = "async", workers = 4 }
            database.engine = "postgres"
            database.hold = "operation"
            database.connections = { kind = "pool", size = 20 }
            endpoint = [{ name = "list", weight = 1, steps = [{ read = "a" }] }]
            costs.query.default.engine = "6us"
        "#;
        let notes = |sets: &[&str]| {
            let sets: Vec<String> = sets.iter().map(|set| set.to_string()).collect();
            load_text("shop", text, &sets).expect("valid").notes()
        };
        let told = notes(&[]);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("4 * (20 + 10) = 120 connections"), "{told:?}");
        assert!(told[0].contains("the database server takes 97"), "{told:?}");
        for sets in [
            &["service.workers=3"][..],
            &["database.max_connections=123"],
            &["database.max_connections=none"],
            &["database.connections.kind=per-operation"],
        ] {
            assert_eq!(notes(sets), [""; 0], "{sets:?}");
        }
        assert_eq!(notes(&["database.max_connections=122"]).len(), 1);
    }

    #[test]
    fn no_built_in_scenario_has_a_note() {
        // What p6 asks about is noted.
        let silent = |file: &str| !file.starts_with("costs/") && file != "p6.toml";
        for (file, _) in builtin().filter(|(file, _)| silent(file)) {
            let path = std::path::Path::new("scenarios").join(file);
            let Ok(resolved) = load(&path, &[]) else { continue };
            assert_eq!(resolved.notes(), [""; 0], "{file}");
        }
    }
}
