//! A scenario: what is run. Checked, complete, every default filled in.
//!
//! Nothing downstream of this module sees a file.

mod client;
mod database;
mod database_client;
mod endpoint;
mod fault;
mod keep;
mod learned;
mod load;
mod lock;
mod objective;
mod pgbouncer;
mod request;
mod retry;
mod row;
mod service;
mod upstream;

pub use client::{Client, Filled};
pub use database::{
    Connections, Database, DriverMode, Engine, Hold, Order, Postgres, Refused, ServerCpu, Sqlite,
    SynchronousCommit, Transactions,
};
pub use database_client::DatabaseClient;
pub use endpoint::{Endpoint, Step};
pub use fault::{DatabaseFault, Fault};
pub use learned::{Learned, Origin};
pub(crate) use load::Alone;
pub use load::{Group, Load, OnOff, Profile, Share, Source, Spacing, Stage};
pub use lock::{Lock, LockScope};
pub use pgbouncer::{PgBouncer, PoolMode, Pooler};
pub use request::Request;
pub use retry::{Jitter, Retry, RetryOn};
pub use row::Rows;
pub use service::{Cpu, EventLoop, Quota, Scheduler, Service, Spread, base_slice};
pub use upstream::{Refusal, Upstream};

pub use crate::words::{
    Begin, Concurrency, JournalMode, RowLock, Server, Statement, Synchronous, WorkerClass,
};

use crate::costs::Costs;
use crate::keys::{Fields, Keys, Section, TableType};
use crate::objective::Objective;
use objective::ObjectiveKeys;

section! {
    /// One service under one load.
    #[section("scenario")]
    struct Root {
        /// The scenario that this one changes, as a path relative to this file.
        #[key(about_file())]
        extends: Option<String>,
        /// The question that the scenario asks, in words. A child does not inherit it.
        #[key(about_file())]
        question: Option<String>,
        /// Root of every random draw.
        seed: u64 = 1,
        /// The cost profile: a path relative to this file, or its keys. Keys beside a parent's
        /// path override that profile.
        #[key(or_file(), hint("write `costs = \"costs/NAME.toml\"`, a file that says what things cost; nothing is assumed to be free"))]
        costs: Costs,
        /// A group of keys that counts as one change of this rung. A child does not inherit it.
        #[key(about_file())]
        knob: Option<Knob>,
        /// What others measured for this rung. A child does not inherit it.
        #[key(about_file())]
        published: Option<Published>,
        /// Who sends requests, and for how long they are counted.
        #[key(hint("add a table such as `[load]` with `users = 100` and `duration = \"60s\"`"))]
        load: Load,
        /// The processors that all threads of all worker processes share.
        cpu: Cpu = {},
        /// The server: processes, threads, loops, limits.
        #[key(hint("add a table `[service]` with `concurrency = \"blocking\"`, `\"threadpool\"` or `\"async\"`"))]
        service: Service,
        /// The database that `read`, `write` and `transaction` steps use.
        database: Option<Database>,
        /// Third-party services, by the name that `call` steps use.
        #[key(by_name())]
        upstream: Option<Vec<Upstream>>,
        /// Locks of the application, by the name that `lock` steps use.
        #[key(by_name())]
        lock: Option<Vec<Lock>>,
        /// What fails at a set time, and comes back. A child inherits the faults, unless it has
        /// its own.
        fault: Option<Vec<Fault>>,
        /// Request classes. A child's entry changes the parent's entry of the same name.
        #[key(hint("add a table such as `[[endpoint]]` with `name`, `weight` and `steps`"))]
        endpoint: Vec<Endpoint>,
        /// Where numbers of this file come from. A child inherits an entry as long as it does not
        /// change the value; `--set` of a key takes its entry away.
        #[key(about_file(), inherited())]
        learned: Option<Vec<Learned>>,
        /// What the service is to keep. A child inherits the objectives, unless it has its own.
        #[key(about_file(), inherited())]
        objective: Option<Vec<ObjectiveKeys>>,
    }
}

section! {
    /// A group of keys that counts as one change.
    #[section("knob")]
    pub(crate) struct Knob {
        /// What the group is called.
        pub(crate) name: String,
        /// The keys of the group, as in `database.journal_mode`. One that was not changed does
        /// no harm.
        pub(crate) keys: Vec<String>,
    }
}

section! {
    /// A figure that others measured.
    #[section("figure")]
    pub struct Published {
        /// Good answers per second.
        #[key(rate())]
        pub throughput: f64,
        /// True if a cost or a knob was chosen so that this figure comes out.
        pub fitted: bool = false,
        /// What was fitted to it, or why it is a prediction.
        pub note: String = "",
    }
}

/// One service under one load, and what its stack costs.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// The file's name without its ending: `v6`.
    pub name: String,
    /// The question that the scenario asks, in words.
    pub question: Option<String>,
    /// Root of every random draw.
    pub seed: u64,
    /// The load.
    pub load: Load,
    /// The processors that all worker processes share.
    pub cpu: Cpu,
    /// The server and its concurrency.
    pub service: Service,
    /// The database, if a step uses one.
    pub database: Option<Database>,
    /// The third-party services that are called.
    pub upstreams: Vec<Upstream>,
    /// The locks of the application.
    pub locks: Vec<Lock>,
    /// What fails at a set time, in the order of these times.
    pub faults: Vec<Fault>,
    /// The request classes and their shares; at least one has a weight above zero.
    pub endpoints: Vec<Endpoint>,
    /// What others measured for this rung.
    pub published: Option<Published>,
    /// What things cost on this stack and machine.
    pub costs: Costs,
    /// Where numbers of the scenario and its costs come from.
    pub learned: Vec<Learned>,
    /// What the service is to keep.
    pub objectives: Vec<Objective>,
}

/// The keys of a scenario file.
pub fn keys() -> &'static Section {
    Root::section()
}

/// The keys with fixed names that a user may set for a run: `service.workers`.
pub fn settable_keys() -> Vec<String> {
    let of_a_file = |path: &String| {
        path == "extends" || path == "learned" || path == "objective" || path.starts_with("knob")
    };
    keys().paths().into_iter().filter(|path| !of_a_file(path)).collect()
}

/// The keys of a step.
pub(crate) fn step_keys() -> &'static Section {
    Step::section()
}

impl Scenario {
    /// Takes other costs, and what follows from them: what clients of upstreams keep.
    pub fn set_costs(&mut self, costs: Costs) {
        for upstream in &mut self.upstreams {
            let [kept, expiry] = upstream.of_profile;
            upstream.kept = if kept { costs.client.kept } else { upstream.kept };
            upstream.expiry = if expiry { costs.client.expiry } else { upstream.expiry };
        }
        self.costs = costs;
    }

    /// Rows of the database server that statements lock.
    pub fn rows(&self) -> &[Rows] {
        match self.database.as_ref().map(|database| &database.engine) {
            Some(Engine::Postgres(postgres)) => postgres.rows(),
            Some(Engine::Sqlite(_)) | None => &[],
        }
    }

    /// The scenario `name` from its checked keys; none if one is broken.
    pub(crate) fn read(name: &str, fields: &Fields, upstreams: &[&str]) -> Option<Scenario> {
        let mut root = Root::read(fields, upstreams)?;
        root.load.complete();
        let mut faults = root.fault.unwrap_or_default();
        faults.sort_by_key(|fault| fault.at);
        Some(Scenario {
            name: name.to_string(),
            question: root.question,
            seed: root.seed,
            load: root.load,
            cpu: root.cpu,
            service: root.service,
            database: root.database,
            upstreams: root.upstream.unwrap_or_default(),
            locks: root.lock.unwrap_or_default(),
            faults,
            endpoints: root.endpoint,
            published: root.published,
            costs: root.costs,
            learned: root.learned.unwrap_or_default(),
            objectives: root
                .objective
                .unwrap_or_default()
                .iter()
                .map(|entry| entry.keep.parse().ok())
                .collect::<Option<_>>()?,
        })
    }
}
