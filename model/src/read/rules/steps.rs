//! The steps of handlers: the names that they use, and that there are some.

use super::names;
use crate::keys::{Fields, Position, read_field};
use crate::read::diagnostic::{Problem, Problems, brief, did_you_mean, one_of};
use crate::read::path::KeyPath;

/// The names that steps may use.
struct Names<'a> {
    /// Upstreams; none if their table is broken, when no name can be judged.
    upstreams: Option<Vec<&'a str>>,
    /// Locks; none if their table is broken.
    locks: Option<Vec<&'a str>>,
    /// Queries with a cost; none if there is no cost profile to judge by.
    queries: Option<Vec<&'a str>>,
    /// Rows that may be locked; none if their table is broken, or the database's.
    rows: Option<Vec<(&'a str, u32)>>,
    engine: Option<&'static str>,
    has_database: bool,
}

/// Checks the steps of all `endpoints`.
pub(super) fn check(root: &Fields, endpoints: &[Fields], problems: &mut Problems) {
    let names = Names {
        upstreams: names(root, "upstream"),
        locks: names(root, "lock"),
        queries: root.table("costs").and_then(|costs| names(costs, "query")),
        rows: root.table("database").and_then(rows),
        engine: root.table("database").and_then(|database| database.word("engine")),
        has_database: root.has("database"),
    };
    let path = KeyPath::Key(&KeyPath::Root, "endpoint");
    for endpoint in endpoints {
        let path = path.key(endpoint.text("name").unwrap_or("?"));
        for key in ["steps", "after"] {
            let list = endpoint.list(key).unwrap_or_default();
            steps(list, &names, &path.key(key), problems);
        }
    }
}

/// The rows of a database that may be locked, and how many there are.
fn rows(database: &Fields) -> Option<Vec<(&str, u32)>> {
    let count = |table: &Fields| read_field(table, "count", &[]);
    let row = |name| Some((name, count(database.table("row")?.table(name)?)?));
    names(database, "row")?.into_iter().map(row).collect()
}

fn steps(list: &[Fields], names: &Names, path: &KeyPath, problems: &mut Problems) {
    for (index, fields) in list.iter().enumerate() {
        let path = path.index(index);
        statement(fields, names, &path, problems);
        row(fields, names, &path, problems);
        transaction(fields, names, &path.key("transaction"), problems);
        session(fields, names, &path.key("session"), problems);
        call(fields, names, &path.key("call"), problems);
        lock(fields, names, &path, problems);
        gather(fields, names, &path.key("gather"), problems);
    }
}

fn statement(fields: &Fields, names: &Names, path: &KeyPath, problems: &mut Problems) {
    let Some(kind) = ["read", "write"].into_iter().find(|kind| fields.has(kind)) else { return };
    let Some(query) = fields.text(kind) else { return };
    let path = path.key(kind);
    let at = fields.position(kind);
    if !names.has_database {
        problems.push(
            Problem::new(at, format!("`{path}` without a database"))
                .allowed("`read`, `write` and `transaction` only with a `[database]`")
                .advice("add a table `[database]`, or remove the step"),
        );
    }
    if let Some(queries) = &names.queries
        && !queries.contains(&query)
        && !queries.contains(&"default")
    {
        let found = format!("`{path}` is \"{}\", a query without a cost", brief(query));
        let add = "add `[query.default]` to the cost profile, or a table for this query";
        problems.push(unknown(Problem::new(at, found), query, queries, add.into()));
    }
}

/// A statement locks rows that there are, of a server.
fn row(fields: &Fields, names: &Names, path: &KeyPath, problems: &mut Problems) {
    let Some(name) = fields.text("locks") else { return };
    let (locks, at) = (path.key("locks"), fields.position("locks"));
    match names.engine {
        None => return,
        Some("postgres") => {}
        Some(engine) => {
            problems.push(
                Problem::new(at, format!("`{locks}` with `engine = \"{engine}\"`"))
                    .allowed("`locks` only with `engine = \"postgres\"`")
                    .advice("remove it: SQLite locks the whole database for a write"),
            );
            return;
        }
    }
    let Some(rows) = &names.rows else { return };
    let Some((_, count)) = rows.iter().find(|(known, _)| *known == name) else {
        let found = format!("`{locks}` is \"{}\", and there are no such rows", brief(name));
        let add = format!("add a table `[database.row.{}]` with their `count`", brief(name));
        let known: Vec<&str> = rows.iter().map(|(known, _)| *known).collect();
        problems.push(unknown(Problem::new(at, found), name, &known, add));
        return;
    };
    let nth: Option<u32> = read_field::<Option<u32>>(fields, "nth", &[]).flatten();
    if let Some(nth) = nth.filter(|nth| nth > count) {
        let name = brief(name);
        problems.push(
            Problem::new(
                fields.position("nth"),
                format!(
                    "`{}` is {nth}, and `database.row.{name}.count` is {count}",
                    path.key("nth")
                ),
            )
            .allowed(match count {
                1 => "1, as there is one row".to_string(),
                count => format!("1 to {count}: a request's rows are different ones"),
            })
            .advice("write a smaller number, or raise the count"),
        );
    }
}

fn transaction(fields: &Fields, names: &Names, path: &KeyPath, problems: &mut Problems) {
    let Some(list) = fields.list("transaction") else { return };
    if list.is_empty() {
        problems.push(empty(fields.position("transaction"), path, "statement"));
    }
    for (index, fields) in list.iter().enumerate() {
        statement(fields, names, &path.index(index), problems);
        row(fields, names, &path.index(index), problems);
    }
}

fn session(fields: &Fields, names: &Names, path: &KeyPath, problems: &mut Problems) {
    let Some(list) = fields.list("session") else { return };
    if list.is_empty() {
        problems.push(empty(fields.position("session"), path, "step"));
    }
    if let Some(inner) = list.iter().find_map(inner_gather) {
        problems.push(
            Problem::new(inner.position("gather"), format!("`{path}` has a gather inside"))
                .allowed("steps one after the other: a session runs one statement at a time")
                .advice("put a session into each branch of the gather"),
        );
    }
    steps(list, names, path, problems);
}

fn call(fields: &Fields, names: &Names, path: &KeyPath, problems: &mut Problems) {
    let (Some(upstream), Some(upstreams)) = (fields.text("call"), &names.upstreams) else { return };
    if !upstreams.contains(&upstream) {
        let found = format!("`{path}` is \"{}\", and there is no such upstream", brief(upstream));
        let add = format!("add a table `[upstream.{}]` with its `latency`", brief(upstream));
        let problem = Problem::new(fields.position("call"), found);
        problems.push(unknown(problem, upstream, upstreams, add));
    }
}

fn lock(fields: &Fields, names: &Names, path: &KeyPath, problems: &mut Problems) {
    let Some(name) = fields.text("lock") else { return };
    let at = fields.position("lock");
    let found = format!("`{}` is \"{}\"", path.key("lock"), brief(name));
    match &names.locks {
        Some(locks) if !locks.contains(&name) => {
            let add = format!("add a table `[lock.{}]`", brief(name));
            let problem = Problem::new(at, format!("{found}, and there is no such lock"));
            problems.push(unknown(problem, name, locks, add));
        }
        _ => {}
    }
    let inside = path.key("steps");
    match fields.list("steps") {
        None => problems.push(
            Problem::new(at, format!("{found} without `steps`"))
                .allowed("a list of steps beside `lock`: what is done while it is held")
                .advice(format!("write `{{ lock = \"{}\", steps = [...] }}`", brief(name))),
        ),
        Some([]) => problems.push(empty(fields.position("steps"), &inside, "step")),
        Some(list) => {
            if let Some(again) = list.iter().find_map(|step| inner_lock(step, name)) {
                problems.push(
                    Problem::new(
                        again.position("lock"),
                        format!("`{inside}` takes the lock again"),
                    )
                    .allowed("a lock only outside of itself: it would wait for its own end")
                    .advice("remove the inner one, or give it another name"),
                );
            }
            steps(list, names, &inside, problems);
        }
    }
}

/// A gather in `step`, below locks too.
fn inner_gather(step: &Fields) -> Option<&Fields> {
    let below = || step.list("steps").unwrap_or_default().iter().find_map(inner_gather);
    if step.has("gather") { Some(step) } else { below() }
}

/// The lock `name` in `step`, however deep.
fn inner_lock<'a>(step: &'a Fields, name: &str) -> Option<&'a Fields> {
    if step.text("lock") == Some(name) {
        return Some(step);
    }
    let below = ["steps", "session", "gather"].into_iter().filter_map(|key| step.list(key));
    below.flatten().find_map(|step| inner_lock(step, name))
}

fn gather(fields: &Fields, names: &Names, path: &KeyPath, problems: &mut Problems) {
    let Some(list) = fields.list("gather") else { return };
    if list.is_empty() {
        problems.push(empty(fields.position("gather"), path, "step"));
    }
    if let Some(inner) = list.iter().find_map(inner_gather) {
        problems.push(
            Problem::new(inner.position("gather"), format!("`{path}` has a gather inside"))
                .allowed("steps that are no gather themselves")
                .advice("put the inner steps into the outer gather"),
        );
    } else {
        steps(list, names, path, problems);
    }
}

/// A problem with a name that none of `known` is: those allowed if they are few, and the nearest
/// one, or else what to add.
fn unknown(problem: Problem, name: &str, known: &[&str], add: String) -> Problem {
    let problem = match known.len() {
        1..=8 => problem.allowed(one_of(known.iter().copied())),
        _ => problem,
    };
    problem.advice(did_you_mean(name, known.iter().copied()).unwrap_or(add))
}

fn empty(at: Position, path: &KeyPath, noun: &str) -> Problem {
    Problem::new(at, format!("`{path}` is empty"))
        .allowed(format!("at least one {noun}"))
        .advice("add one, or remove the step")
}
