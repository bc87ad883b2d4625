//! The steps of a handler: names become what they stand for.

use crate::read::diagnostic::{Problem, Problems, brief, did_you_mean, one_of};
use crate::read::path::Path;
use crate::read::value::{Fields, Typed};
use crate::scenario::{Begin, Statement, Step};

/// The names that steps may use.
pub(super) struct Names<'a> {
    /// Upstreams in order; none if their table is broken, when no name can be judged.
    upstreams: Option<Vec<&'a str>>,
    /// Queries with a cost; none if there is no cost profile to judge by.
    queries: Option<Vec<&'a str>>,
    has_database: bool,
}

impl<'a> Names<'a> {
    pub(super) fn new(root: &'a Fields) -> Names<'a> {
        Names {
            upstreams: names(root, "upstream"),
            queries: root.table("costs").and_then(|costs| names(costs, "query")),
            has_database: root.has("database"),
        }
    }
}

fn names<'a>(table: &'a Fields, key: &str) -> Option<Vec<&'a str>> {
    match table.get(key).map(|checked| &checked.value) {
        None => Some(Vec::new()),
        Some(Typed::Table(named)) => Some(named.fields.iter().map(|field| &*field.key).collect()),
        Some(_) => None,
    }
}

/// All steps of a list, each with its problems told.
pub(super) fn steps(
    list: &[Fields],
    names: &Names,
    path: &Path,
    problems: &mut Problems,
) -> Option<Vec<Step>> {
    let steps: Vec<Option<Step>> = list
        .iter()
        .enumerate()
        .map(|(index, fields)| step(fields, names, &path.index(index), problems))
        .collect();
    steps.into_iter().collect()
}

fn step(fields: &Fields, names: &Names, path: &Path, problems: &mut Problems) -> Option<Step> {
    if let Some(distribution) = fields.distribution("cpu") {
        return Some(Step::Cpu(distribution));
    }
    if let Some(distribution) = fields.distribution("block") {
        return Some(Step::Block(distribution));
    }
    if let Some(distribution) = fields.distribution("sleep") {
        return Some(Step::Sleep(distribution));
    }
    if let Some(statement) = statement(fields, names, path, problems) {
        return Some(match statement {
            Statement::Read(query) => Step::Read(query),
            Statement::Write(query) => Step::Write(query),
        });
    }
    if fields.has("transaction") {
        return transaction(fields, names, &path.key("transaction"), problems);
    }
    if let Some(upstream) = fields.text("call") {
        return call(upstream, fields, names, path, problems);
    }
    gather(fields, names, path, problems)
}

fn statement(
    fields: &Fields,
    names: &Names,
    path: &Path,
    problems: &mut Problems,
) -> Option<Statement> {
    let kind = ["read", "write"].into_iter().find(|kind| fields.has(kind))?;
    let query = fields.text(kind)?;
    let path = path.key(kind);
    let at = fields.place(kind);
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
        let mut problem =
            Problem::new(at, format!("`{path}` is \"{}\", a query without a cost", brief(query)));
        if !queries.is_empty() && queries.len() <= 8 {
            problem = problem.allowed(one_of(queries.iter().copied()));
        }
        let meant = did_you_mean(query, queries.iter().copied());
        let add = "add `[query.default]` to the cost profile, or a table for this query";
        problems.push(problem.advice(meant.unwrap_or_else(|| add.into())));
    }
    Some(match kind {
        "read" => Statement::Read(query.to_string()),
        _ => Statement::Write(query.to_string()),
    })
}

fn transaction(
    fields: &Fields,
    names: &Names,
    path: &Path,
    problems: &mut Problems,
) -> Option<Step> {
    let list = fields.list("transaction")?;
    if list.is_empty() {
        problems.push(empty(fields.place("transaction"), path, "statement"));
        return None;
    }
    let statements: Vec<Option<Statement>> = list
        .iter()
        .enumerate()
        .map(|(index, fields)| statement(fields, names, &path.index(index), problems))
        .collect();
    Some(Step::Transaction {
        statements: statements.into_iter().collect::<Option<_>>()?,
        begin: match fields.word("begin")? {
            "immediate" => Begin::Immediate,
            _ => Begin::Deferred,
        },
    })
}

fn call(
    upstream: &str,
    fields: &Fields,
    names: &Names,
    path: &Path,
    problems: &mut Problems,
) -> Option<Step> {
    let upstreams = names.upstreams.as_ref()?;
    if let Some(index) = upstreams.iter().position(|name| *name == upstream) {
        return Some(Step::Call(index));
    }
    let path = path.key("call");
    let found = format!("`{path}` is \"{}\", and there is no such upstream", brief(upstream));
    let mut problem = Problem::new(fields.place("call"), found);
    if !upstreams.is_empty() && upstreams.len() <= 8 {
        problem = problem.allowed(one_of(upstreams.iter().copied()));
    }
    let meant = did_you_mean(upstream, upstreams.iter().copied());
    let add = || format!("add a table `[upstream.{}]` with its `latency`", brief(upstream));
    problems.push(problem.advice(meant.unwrap_or_else(add)));
    None
}

fn gather(fields: &Fields, names: &Names, path: &Path, problems: &mut Problems) -> Option<Step> {
    let list = fields.list("gather")?;
    let path = path.key("gather");
    if list.is_empty() {
        problems.push(empty(fields.place("gather"), &path, "step"));
        return None;
    }
    if let Some(inner) = list.iter().find(|step| step.has("gather")) {
        problems.push(
            Problem::new(inner.place("gather"), format!("`{path}` has a gather inside"))
                .allowed("steps that are no gather themselves")
                .advice("put the inner steps into the outer gather"),
        );
        return None;
    }
    steps(list, names, &path, problems).map(Step::Gather)
}

fn empty(at: crate::read::source::Place, path: &Path, noun: &str) -> Problem {
    Problem::new(at, format!("`{path}` is empty"))
        .allowed(format!("at least one {noun}"))
        .advice("add one, or remove the step")
}
