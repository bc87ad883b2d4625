//! What the database costs: queries, the disk, the driver.

use crate::distribution::Distribution;
use crate::units::Span;
use crate::words::{Begin, Statement};

section! {
    /// Cost of a query in the engine itself.
    #[section("query")]
    pub struct QueryCost {
        /// CPU time in the engine: in the worker process for SQLite, in the database server for
        /// Postgres.
        #[key(usually(Span::from_secs(60)))]
        pub engine: Distribution = "0s",
        /// Pages that it changes, if it writes.
        #[key(within(0, 1_000_000))]
        pub pages: u32 = 1,
    }
}

section! {
    /// The disk under the database file.
    #[section("disk")]
    pub struct DiskCosts {
        /// One fsync.
        #[key(usually(Span::from_secs(1)))]
        pub sync: Distribution = "0s",
        /// One sync of the log of a database server, which was made to its length before; as `sync`
        /// if it is not written.
        #[key(usually(Span::from_secs(1)))]
        pub log_sync: Option<Distribution>,
        /// Creating or removing a file, as the rollback journal is at each commit.
        #[key(usually(Span::from_secs(1)))]
        pub unlink: Span = "0s",
        /// Copying one page from the write-ahead log into the database at a checkpoint.
        #[key(usually(Span::from_secs(1)))]
        pub checkpoint_page: Span = "0s",
    }
}

section! {
    /// The async database driver.
    #[section("driver")]
    pub struct DriverCosts {
        /// A write by itself takes the lock, writes and commits in one call; else it is a
        /// transaction.
        pub autocommit: bool = true,
        /// A connection that is returned to the pool goes to the first request that asks for one;
        /// else to the request that has waited longest.
        pub overtaking: bool = false,
        /// Round trips between loop and connection thread of one statement, the last of which
        /// executes it.
        #[key(within(0, 50))]
        pub statement_hops: u32 = 1,
        /// More round trips for the rows of a read.
        #[key(within(0, 50))]
        pub fetch_hops: u32 = 0,
        /// More round trips to end any statement.
        #[key(within(0, 50))]
        pub finish_hops: u32 = 0,
        /// Round trips of a commit.
        #[key(within(0, 50))]
        pub commit_hops: u32 = 1,
        /// Round trips at the end of a read that is no part of a transaction.
        #[key(within(0, 50))]
        pub rollback_hops: u32 = 0,
        /// Round trips to return a connection to the pool.
        #[key(within(0, 50))]
        pub release_hops: u32 = 0,
        /// Round trips to open a connection.
        #[key(within(0, 50))]
        pub open_hops: u32 = 1,
        /// Round trips to close a connection.
        #[key(within(0, 50))]
        pub close_hops: u32 = 1,
    }
}

impl DiskCosts {
    /// One sync of the log of a database server.
    pub fn log_sync(&self) -> &Distribution {
        self.log_sync.as_ref().unwrap_or(&self.sync)
    }
}

impl DriverCosts {
    /// How the transaction of an operation begins, given its key `begin`; none if it is a read,
    /// or a write that commits by itself.
    pub fn begin(&self, statements: &[Statement], begin: Option<Begin>) -> Option<Begin> {
        let alone = matches!(statements, [one] if one.writes);
        begin.or_else(|| (alone && !self.autocommit).then_some(Begin::Deferred))
    }
}
