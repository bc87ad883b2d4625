//! A pooler between the service and its database server.

use crate::units::Span;

words! {
    /// What stands between the service's pools and the database server.
    pub enum Pooler {
        /// nothing: a connection of the service is one of the server
        None = "none",
        /// PgBouncer, whose settings are those of `database.pgbouncer`
        PgBouncer = "pgbouncer",
    }
}

words! {
    /// How long a client of PgBouncer keeps a connection to the server.
    pub enum PoolMode {
        /// for a transaction, or for a statement outside of one
        Transaction = "transaction",
        /// until it disconnects
        Session = "session",
    }
}

section! {
    /// PgBouncer, with the names and the defaults of pgbouncer.ini but for `pool_mode`.
    #[section("pgbouncer")]
    #[derive(Copy, Eq)]
    pub struct PgBouncer {
        /// How long a client keeps a connection to the server. PgBouncer's own default is "session".
        pub pool_mode: PoolMode = "transaction",
        /// Connections to the server that it opens at most, when they are needed, and keeps.
        #[key(within(1, 100_000))]
        pub default_pool_size: u32 = 20,
        /// Connections that it takes from the service.
        #[key(within(1, 1_000_000))]
        pub max_client_conn: u32 = 100,
        /// How long a client waits for a connection to the server until it is disconnected.
        #[key(or("never"), at_least(Span::from_micros(1)), usually(Span::from_secs(600)))]
        pub query_wait_timeout: Option<Span> = "120s",
    }
}

impl Default for PgBouncer {
    fn default() -> PgBouncer {
        PgBouncer {
            pool_mode: PoolMode::Transaction,
            default_pool_size: 20,
            max_client_conn: 100,
            query_wait_timeout: Some(Span::from_secs(120)),
        }
    }
}
