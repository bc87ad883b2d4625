//! A starter: the scenario of a service of one's own, with a comment behind every number that its
//! owner has to replace.

mod ask;
mod text;

use clap::ValueEnum;

pub(crate) use ask::ask;

/// What the service is written in, and what serves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Stack {
    /// FastAPI on uvicorn, handlers with `def`
    Fastapi,
    /// FastAPI or Starlette on uvicorn, handlers with `async def`
    FastapiAsync,
    /// Django on gunicorn with sync workers
    Django,
    /// Flask on gunicorn with threads
    Flask,
    /// axum on tokio
    Axum,
    /// Node.js: Express, Fastify or Nest, in a cluster
    Node,
}

/// What keeps its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Data {
    /// PostgreSQL, or another server, on a machine of its own
    Postgres,
    /// A SQLite file
    Sqlite,
    /// Nothing
    None,
}

/// The load: a rate, or a number of users.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Traffic {
    /// Requests per second, whatever the service does.
    Rate(f64),
    /// Users, each of which waits for its reply.
    Users(u32),
}

/// A service of one's own, as far as ten answers tell.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Starter {
    pub(crate) stack: Stack,
    pub(crate) data: Data,
    pub(crate) traffic: Traffic,
    pub(crate) workers: u32,
    pub(crate) cores: u32,
    /// Connections of each worker's pool.
    pub(crate) pool: u32,
    /// CPU of a request, in milliseconds.
    pub(crate) cpu: f64,
    /// What a query takes at the database, in milliseconds.
    pub(crate) query: f64,
    /// The median of a call of a service of others, in milliseconds; none without such calls.
    pub(crate) upstream: Option<f64>,
    /// One call in a hundred takes longer than so many milliseconds.
    pub(crate) upstream_p99: f64,
}

impl Starter {
    /// What is usual on `stack`.
    pub(crate) fn of(stack: Stack, data: Data) -> Starter {
        Starter {
            stack,
            data,
            traffic: Traffic::Rate(20.0),
            workers: stack.workers(),
            cores: 2,
            pool: stack.pool(),
            cpu: if stack == Stack::Axum { 0.5 } else { 4.0 },
            query: 2.0,
            upstream: Some(200.0),
            upstream_p99: 1000.0,
        }
    }
}

impl Stack {
    /// Worker processes that people start with.
    fn workers(self) -> u32 {
        match self {
            Stack::Axum => 1,
            Stack::Django | Stack::Flask => 3,
            Stack::Fastapi | Stack::FastapiAsync | Stack::Node => 2,
        }
    }

    /// Connections of each worker: SQLAlchemy's 5, Django's one for each worker, sqlx's 10,
    /// node-postgres' 10.
    fn pool(self) -> u32 {
        match self {
            Stack::Fastapi | Stack::FastapiAsync | Stack::Flask => 5,
            Stack::Django => 1,
            Stack::Axum | Stack::Node => 10,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replicate::replicate;

    fn all() -> Vec<Starter> {
        let mut all = Vec::new();
        for stack in Stack::value_variants() {
            for data in Data::value_variants() {
                let one = Starter::of(*stack, *data);
                all.push(Starter { upstream: None, traffic: Traffic::Users(8), ..one.clone() });
                all.push(one);
            }
        }
        all
    }

    fn read(starter: &Starter) -> model::read::Resolved {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mine.toml");
        std::fs::write(&path, starter.text()).expect("written");
        match model::read::load(&path, &[]) {
            Ok(resolved) => resolved,
            Err(problems) => panic!("{starter:?}: {problems:?}\n{}", starter.text()),
        }
    }

    #[test]
    fn every_starter_is_right_and_gives_no_note() {
        for starter in all() {
            let notes = read(&starter).notes();
            assert!(notes.is_empty(), "{starter:?}: {notes:?}");
        }
    }

    #[test]
    fn every_starter_answers_what_it_is_asked() {
        for starter in all() {
            let mut scenario = read(&starter).scenario;
            scenario.load.duration = model::units::Span::from_secs(5);
            let seen = replicate(&scenario, 0, 10_000_000).expect("a run");
            let errors: u64 = seen.errors().iter().sum();
            assert!(seen.good() > 20 && errors == 0, "{starter:?}: {errors} of {}", seen.sent);
        }
    }

    #[test]
    fn a_line_is_no_longer_than_a_screen() {
        for starter in all() {
            let long = starter.text().lines().find(|line| line.len() > 100).map(str::to_string);
            assert_eq!(long, None);
        }
    }
}
