//! Why a request was not answered well.

/// Kinds of errors that a report counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorKind {
    /// The client gave up.
    Timeout,
    /// The server refused it with 503.
    Rejected,
    /// SQLite: database is locked.
    DatabaseBusy,
    /// No database connection in time.
    PoolTimeout,
    /// The upstream did not reply in time.
    UpstreamTimeout,
    /// The upstream failed.
    UpstreamFailed,
    /// The upstream refused the call: it has too many.
    UpstreamRefused,
    /// No client connection to the upstream in time.
    ConnectionTimeout,
    /// A lock of the application was not free in time.
    LockTimeout,
    /// The connection broke, or was refused, before the reply was complete. Measured only.
    Disconnected,
    /// The service failed in a way that it does not name. Measured only.
    ServiceFailed,
    /// It was sent into a connection that the server had closed for being idle.
    ConnectionClosed,
    /// Its worker process was killed.
    WorkerKilled,
    /// The database server refused a connection: it has too many.
    TooManyClients,
    /// PgBouncer refused a connection: it has as many as `max_client_conn` allows.
    MaxClientConn,
    /// PgBouncer had no connection to the server in time.
    QueryWaitTimeout,
    /// The connection to the database server ended while it was used, or before.
    DatabaseConnectionLost,
    /// The database server takes no connections: it is not there.
    DatabaseConnectionRefused,
    /// The database server found a deadlock, and this transaction in it.
    DatabaseDeadlock,
    /// A statement waited for a lock of the database server for too long.
    DatabaseLockTimeout,
    /// A statement took too long in the database server.
    DatabaseStatementTimeout,
    /// The database server ended a session that was idle in a transaction for too long.
    DatabaseIdleInTransaction,
}

impl ErrorKind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [ErrorKind; 22] = [
        ErrorKind::Timeout,
        ErrorKind::Rejected,
        ErrorKind::DatabaseBusy,
        ErrorKind::PoolTimeout,
        ErrorKind::UpstreamTimeout,
        ErrorKind::UpstreamFailed,
        ErrorKind::UpstreamRefused,
        ErrorKind::ConnectionTimeout,
        ErrorKind::LockTimeout,
        ErrorKind::Disconnected,
        ErrorKind::ServiceFailed,
        ErrorKind::ConnectionClosed,
        ErrorKind::WorkerKilled,
        ErrorKind::TooManyClients,
        ErrorKind::MaxClientConn,
        ErrorKind::QueryWaitTimeout,
        ErrorKind::DatabaseConnectionLost,
        ErrorKind::DatabaseConnectionRefused,
        ErrorKind::DatabaseDeadlock,
        ErrorKind::DatabaseLockTimeout,
        ErrorKind::DatabaseStatementTimeout,
        ErrorKind::DatabaseIdleInTransaction,
    ];

    /// Only a measurement meets it: in a prediction connections do not break.
    pub fn is_measured_only(self) -> bool {
        matches!(self, ErrorKind::Disconnected | ErrorKind::ServiceFailed)
    }

    /// Kinds that a report shows even if none occurred.
    pub const ALWAYS: [ErrorKind; 3] =
        [ErrorKind::Timeout, ErrorKind::Rejected, ErrorKind::DatabaseBusy];

    /// Its name in a report and between processes.
    pub fn name(self) -> &'static str {
        match self {
            ErrorKind::Timeout => "timeout",
            ErrorKind::Rejected => "rejected",
            ErrorKind::DatabaseBusy => "database_busy",
            ErrorKind::PoolTimeout => "pool_timeout",
            ErrorKind::UpstreamTimeout => "upstream_timeout",
            ErrorKind::UpstreamFailed => "upstream_failed",
            ErrorKind::UpstreamRefused => "upstream_refused",
            ErrorKind::ConnectionTimeout => "connection_timeout",
            ErrorKind::LockTimeout => "lock_timeout",
            ErrorKind::Disconnected => "disconnected",
            ErrorKind::ServiceFailed => "service_failed",
            ErrorKind::ConnectionClosed => "connection_closed",
            ErrorKind::WorkerKilled => "worker_killed",
            ErrorKind::TooManyClients => "too_many_clients",
            ErrorKind::MaxClientConn => "max_client_conn",
            ErrorKind::QueryWaitTimeout => "query_wait_timeout",
            ErrorKind::DatabaseConnectionLost => "database_connection_lost",
            ErrorKind::DatabaseConnectionRefused => "database_connection_refused",
            ErrorKind::DatabaseDeadlock => "database_deadlock",
            ErrorKind::DatabaseLockTimeout => "database_lock_timeout",
            ErrorKind::DatabaseStatementTimeout => "database_statement_timeout",
            ErrorKind::DatabaseIdleInTransaction => "database_idle_in_transaction",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<ErrorKind> {
        ErrorKind::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_their_own() {
        for (number, kind) in ErrorKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, number);
            assert_eq!(ErrorKind::from_name(kind.name()), Some(kind));
        }
    }
}
