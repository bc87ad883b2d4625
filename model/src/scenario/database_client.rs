//! Libraries that talk to a database server, and what each does unless it is told otherwise.

use super::{Postgres, Refused, Transactions};
use crate::keys::Typed;
use crate::units::Span;

words! {
    /// The library that a service talks to its database server with.
    pub enum DatabaseClient {
        /// Python's SQLAlchemy 2.1.9 with psycopg 3.3.9
        Psycopg = "psycopg",
        /// Python's SQLAlchemy 2.1.9 with asyncpg 0.32.0
        Asyncpg = "asyncpg",
        /// Rust's sqlx 0.9.0
        Sqlx = "sqlx",
    }
}

/// Round trips to open a connection: TCP's handshake, the question for TLS, which is refused, the
/// start, and two of SCRAM.
const OPEN_TRIPS: u32 = 5;

/// sqlx's `max_lifetime`.
const RECYCLE: Span = Span::from_secs(30 * 60);

impl Postgres {
    /// The same server as `client` talks to it when it is told nothing.
    pub fn used_by(self, client: DatabaseClient) -> Postgres {
        let (transactions, prepare_after, ping_trips, refused) = client.habits();
        Postgres {
            client: Some(client),
            refused,
            open_trips: OPEN_TRIPS,
            transactions,
            prepare_after: Some(prepare_after),
            ping_trips,
            ..self
        }
    }
}

impl DatabaseClient {
    /// Library and version.
    pub fn library(self) -> &'static str {
        match self {
            DatabaseClient::Psycopg => "SQLAlchemy 2.1.9, psycopg 3.3.9",
            DatabaseClient::Asyncpg => "SQLAlchemy 2.1.9, asyncpg 0.32.0",
            DatabaseClient::Sqlx => "sqlx 0.9.0",
        }
    }

    /// It counts the executions of statements anew after a ROLLBACK, and has the server forget those
    /// that it prepared: psycopg/_preparing.py, `PrepareManager.clear`.
    pub fn forgets_on_rollback(self) -> bool {
        self == DatabaseClient::Psycopg
    }

    /// One connection that is gone makes it open all others anew: `Pool._invalidate` of SQLAlchemy.
    pub fn invalidates_pool(self) -> bool {
        matches!(self, DatabaseClient::Psycopg | DatabaseClient::Asyncpg)
    }

    /// It asks a connection whether it still answers when it comes back: sqlx's `return_to_pool`.
    pub fn tests_on_return(self) -> bool {
        self == DatabaseClient::Sqlx
    }

    /// Round trips in which the first connection of a process gets to know the server, while the
    /// process uses no other one: SQLAlchemy's `first_connect`, with its SELECTs and, in asyncpg, what
    /// prepares them. Counted on the wire, beyond those of a later connection.
    pub fn introduction_trips(self) -> u32 {
        match self {
            DatabaseClient::Psycopg => 9,
            DatabaseClient::Asyncpg => 10,
            DatabaseClient::Sqlx => 0,
        }
    }

    /// What keys of the server are that are not written.
    pub(crate) fn server_defaults(self) -> Vec<(&'static str, Typed)> {
        let (transactions, prepare_after, ping_trips, refused) = self.habits();
        vec![
            ("refused", Typed::Word(refused.as_str())),
            ("open_trips", Typed::Integer(OPEN_TRIPS.into())),
            ("transactions", Typed::Word(transactions.as_str())),
            ("prepare_after", Typed::Integer(prepare_after.into())),
            ("ping_trips", Typed::Integer(ping_trips.into())),
        ]
    }

    /// Where transactions begin and end, after how many executions a statement is prepared, round
    /// trips of a ping, and what becomes of a request that is refused.
    fn habits(self) -> (Transactions, u32, u32, Refused) {
        match self {
            DatabaseClient::Psycopg => (Transactions::Session, 5, 1, Refused::Error),
            DatabaseClient::Asyncpg => (Transactions::Session, 0, 3, Refused::Error),
            DatabaseClient::Sqlx => (Transactions::Explicit, 0, 1, Refused::Retry),
        }
    }

    /// The age at which its pool opens a connection anew unless it is told otherwise.
    pub fn recycles(self) -> Option<Span> {
        (self == DatabaseClient::Sqlx).then_some(RECYCLE)
    }

    /// What keys of the pool are that are not written.
    pub(crate) fn pool_defaults(self) -> Vec<(&'static str, Typed)> {
        match self {
            // SQLAlchemy's are the defaults of the keys themselves.
            DatabaseClient::Psycopg | DatabaseClient::Asyncpg => Vec::new(),
            DatabaseClient::Sqlx => vec![
                ("size", Typed::Integer(10)),
                ("overflow", Typed::Integer(0)),
                ("recycle", Typed::Span(RECYCLE)),
                ("pre_ping", Typed::Flag(true)),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::read::load_text;
    use crate::scenario::{Connections, Engine, Refused, Transactions};

    const TEXT: &str = r#"
        load = { users = 1, duration = "1s" }
        service.concurrency = "async"
        database.engine = "postgres"
        database.connections = { kind = "pool", size = 7 }
        endpoint = [{ name = "list", weight = 1, steps = [{ read = "a" }] }]
        costs.query.default.engine = "6us"
    "#;

    #[test]
    fn a_client_fills_in_what_is_not_written() {
        let read = |sets: &[&str]| {
            let sets: Vec<String> = sets.iter().map(|set| set.to_string()).collect();
            load_text("shop", TEXT, &sets).expect("valid")
        };
        let (none, asyncpg) = (read(&[]), read(&["database.client=asyncpg"]));
        assert!(none.filled_in().is_empty());
        let server = |resolved: &crate::read::Resolved| match &resolved
            .scenario
            .database
            .as_ref()
            .expect("a database")
            .engine
        {
            Engine::Postgres(postgres) => postgres.clone(),
            Engine::Sqlite(_) => panic!("a server"),
        };
        let (plain, filled) = (server(&none), server(&asyncpg));
        assert_eq!((plain.transactions, plain.prepare_after), (Transactions::Commit, None));
        assert_eq!((filled.transactions, filled.prepare_after), (Transactions::Session, Some(0)));
        assert_eq!((filled.open_trips, filled.ping_trips, filled.refused), (5, 3, Refused::Error));
        let own = read(&["database.client=asyncpg", "database.open_trips=2"]);
        assert_eq!(server(&own).open_trips, 2, "what is written stays");
        assert_eq!(own.filled_in().len(), asyncpg.filled_in().len() - 1);

        let sets = ["database.client=sqlx", "service.server=axum", "costs.interpreter.lock=false"];
        let sqlx = read(&sets);
        assert_eq!(server(&sqlx).refused, Refused::Retry);
        let pool = sqlx.scenario.database.as_ref().map(|database| database.connections);
        assert!(
            matches!(pool, Some(Connections::Pool { size: 7, overflow: 0, pre_ping: true, .. })),
            "{pool:?}"
        );
        let keys: Vec<String> = sqlx.filled_in().into_iter().map(|one| one.key).collect();
        assert!(keys.contains(&"database.connections.overflow".to_string()), "{keys:?}");
        assert!(!keys.contains(&"database.connections.size".to_string()), "{keys:?}");
        // What is printed says the same, read again.
        let again = load_text("again", &sqlx.to_toml(), &[]).expect("it is complete");
        assert_eq!(again.scenario.database, sqlx.scenario.database);
    }
}
