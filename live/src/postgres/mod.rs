//! A Postgres server for a measurement: a cluster of its own in a temporary folder, with the same
//! table and rows as SQLite's data set, that ends and vanishes with the measurement.
//!
//! [`binaries`]: the server's programs on this machine. [`keeper`]: a child process that makes
//! the cluster, starts the server and ends it; it also carries the bytes between service and
//! server as late as the scenario's round trip is long ([`network`]), and looks at the server
//! from a connection of its own ([`watcher`]). [`faults`]: that process ends, kills or stops the server
//! and brings it back, when the scenario says so. [`pooler`]: PgBouncer in front of the server, where
//! the scenario has it. [`cluster`]: the parent's side of that child.

mod binaries;
mod cluster;
mod data;
mod faults;
mod keeper;
mod network;
mod owner;
mod pooler;
mod reading;
mod server;
mod watcher;

use model::scenario::{Engine, Postgres, Scenario};
use serde::{Deserialize, Serialize};
use sqlx::postgres::{PgConnectOptions, PgSslMode};

pub(crate) use binaries::find;
pub(crate) use cluster::{Cluster, ClusterError, Processors, end_left_over};
pub(crate) use keeper::run_database_process;
pub(crate) use pooler::find_pooler;
pub(crate) use reading::{Counters, Pools, Reading};

/// The server is reached over this address alone.
pub(crate) const HOST: &str = "127.0.0.1";

/// Where the service finds its database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Address {
    /// The port on `HOST`.
    pub port: u16,
    /// Whom it logs in as.
    pub user: String,
    /// Made for this cluster.
    pub password: String,
    /// The database.
    pub database: String,
    /// How many turns of `data::WORK` the server computes in a nanosecond.
    pub turns_per_nano: f64,
}

impl Address {
    /// What a connection of sqlx needs.
    pub(crate) fn options(&self) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .host(HOST)
            .port(self.port)
            .username(&self.user)
            .password(&self.password)
            .database(&self.database)
            .ssl_mode(PgSslMode::Disable)
    }
}

/// The settings of the scenario's Postgres server, if it has one.
pub(crate) fn settings(scenario: &Scenario) -> Option<&Postgres> {
    match &scenario.database.as_ref()?.engine {
        Engine::Postgres(settings) => Some(settings),
        Engine::Sqlite(_) => None,
    }
}
