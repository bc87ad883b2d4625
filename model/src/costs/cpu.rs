//! CPU time of a worker process, by concurrency model.

use crate::distribution::Distribution;
use crate::units::Span;
use crate::words::Concurrency;

/// What differs between the concurrency models.
#[derive(Clone, Debug, PartialEq)]
pub struct PerConcurrency<T> {
    /// For blocking handlers.
    pub blocking: T,
    /// For handlers on the thread pool.
    pub threadpool: T,
    /// For async handlers.
    pub async_: T,
}

impl<T> PerConcurrency<T> {
    /// What holds for `concurrency`.
    pub fn of(&self, concurrency: Concurrency) -> &T {
        match concurrency {
            Concurrency::Blocking => &self.blocking,
            Concurrency::Threadpool => &self.threadpool,
            Concurrency::Async => &self.async_,
        }
    }

    /// `make` of each concurrency model.
    pub(super) fn each<U>(make: impl Fn(Concurrency) -> U) -> PerConcurrency<U> {
        PerConcurrency {
            blocking: make(Concurrency::Blocking),
            threadpool: make(Concurrency::Threadpool),
            async_: make(Concurrency::Async),
        }
    }
}

/// CPU time that can be added up and scaled.
pub(super) trait Cost {
    /// `self`, and what `other` comes to when each of its spans is taken as `own` has it.
    fn plus(&self, other: &Self, own: &dyn Fn(Span) -> Span) -> Self;
}

impl Cost for Span {
    fn plus(&self, other: &Span, own: &dyn Fn(Span) -> Span) -> Span {
        *self + own(*other)
    }
}

impl Cost for Distribution {
    fn plus(&self, other: &Distribution, own: &dyn Fn(Span) -> Span) -> Distribution {
        self.later(own(Span::from_secs_f64(other.mean())))
    }
}

/// Declares a table of CPU costs. Each may be overridden for a concurrency model, in a table
/// below it; where it is not, the table above holds.
macro_rules! cpu_costs {
    ($(#[doc = $doc:literal])+
    #[section($noun:literal)]
    #[per_concurrency($model_doc:literal)]
    pub struct $name:ident {
        $($(#[doc = $field_doc:literal])+ pub $field:ident : $type:ty,)+
    }) => {
        section! {
            $(#[doc = $doc])+
            #[section($noun)]
            #[derive(Default)]
            pub struct $name {
                $(
                    $(#[doc = $field_doc])+
                    #[key(usually(Span::from_secs(1)))]
                    pub $field: $type = "0s",
                )+
            }
        }

        impl Cost for $name {
            fn plus(&self, other: &Self, own: &dyn Fn(Span) -> Span) -> Self {
                $name { $($field: self.$field.plus(&other.$field, own),)+ }
            }
        }

        const _: () = {
            use crate::keys::{Doc, Key, KeyKind, Keys, Section, all_derived};

            const SAME: [Key; <$name as Keys>::KEYS.len()] =
                all_derived(<$name as Keys>::KEYS, "the same key of the table above");
            fn of_model() -> &'static Section {
                static SECTION: Section =
                    Section { keys: &SAME, one_of: &[], implied: None, noun: $noun, doc: Doc(&[$model_doc]) };
                &SECTION
            }
            const fn model(name: &'static str, doc: &'static [&'static str]) -> Key {
                Key {
                    kind: KeyKind::Table(of_model),
                    ..Key::of::<bool>(name, Doc(doc)).value("{}")
                }
            }

            keys! {
                PerConcurrency<$name>,
                [
                    <$name as Keys>::KEYS,
                    &[
                        model("blocking", &["What differs for blocking handlers."]),
                        model("threadpool", &["What differs for handlers on the thread pool."]),
                        model("async", &["What differs for async handlers."]),
                    ]
                ],
                |fields, upstreams| PerConcurrency {
                    blocking: crate::keys::read_field(fields, "blocking", upstreams)?,
                    threadpool: crate::keys::read_field(fields, "threadpool", upstreams)?,
                    async_: crate::keys::read_field(fields, "async", upstreams)?,
                }
            }
        };
    };
}

cpu_costs! {
    /// CPU time of the worker process.
    #[section("cpu")]
    #[per_concurrency("CPU time of the worker process under one concurrency model.")]
    pub struct CpuCosts {
        /// Parse, route, call the handler, serialise, send: once per request, before the
        /// handler's steps.
        pub request: Distribution,
        /// More CPU per request for each other request in flight in the same worker.
        pub in_flight: Span,
        /// Accept a connection.
        pub accept: Span,
        /// See the end of a client's connection, and close it.
        pub hang_up: Span,
        /// Refuse a request with 503.
        pub reject: Span,
        /// Client side of one attempt of an upstream call.
        pub call: Span,
        /// Client side of opening and closing a connection to an upstream.
        pub connect: Span,
        /// For each idle connection to an upstream, whenever a call chooses one or gives one
        /// back.
        pub look: Span,
        /// For each connection to an upstream that is in use, whenever a call chooses one or
        /// gives one back; and for each connection once more for each call that waits for one.
        pub glance: Span,
        /// An async call finds that another has taken the connection that it chose, and chooses
        /// again.
        pub miss: Span,
        /// CPU to raise and handle the error of an attempt of an upstream call that failed or
        /// timed out.
        pub failure: Span,
        /// Answer a request whose handler failed: the exception on its way through the framework,
        /// and the reply that tells it.
        pub error: Span,
        /// More CPU to open a database connection when others have displaced all that its
        /// request had in the caches; few others cost a share of it, see cache.crowd.
        pub crowded_open: Span,
        /// More to open and close a connection to a write-ahead log than one without a log.
        pub log_open: Span,
        /// The only connection to a write-ahead log creates its files when it opens and removes
        /// them when it closes.
        pub last_close: Span,
        /// Hand work to another thread of the process, or take it back: each way.
        pub hop: Span,
        /// The driver's and the ORM's part of one statement.
        pub statement: Span,
        /// The driver's part of a round trip to a database server that is no statement of the
        /// scenario: BEGIN, ROLLBACK, the preparation of a statement, a ping.
        pub trip: Span,
        /// Open a database connection, without its pragmas.
        pub open: Span,
        /// Close a database connection.
        pub close: Span,
        /// Run one pragma on a new connection.
        pub pragma: Span,
        /// Commit a transaction, without the syncs.
        pub commit: Span,
    }
}

table! {
    PerConcurrency<CpuCosts>, "cpu", [], [], ["CPU time of the worker process."]
}

cpu_costs! {
    /// What each kind of work costs more when nothing of it is left in the caches.
    #[section("cache")]
    #[per_concurrency("More CPU time under one concurrency model for what a worker has not done for long.")]
    pub struct Cold {
        /// To bring back into the caches what a request needs.
        pub request: Span,
        /// To bring back what a statement needs.
        pub statement: Span,
        /// To bring back what an upstream call needs.
        pub call: Span,
        /// To bring back what opening a database connection needs.
        pub open: Span,
        /// To bring back what a commit needs.
        pub commit: Span,
    }
}

cpu_costs! {
    /// CPU time in the database server, beside that of queries.
    #[section("postgres")]
    #[per_concurrency("CPU time in the database server under one concurrency model, whose driver may ask it otherwise.")]
    pub struct PostgresCosts {
        /// A connection: a process is forked and ended, the client authenticated, the catalogue's
        /// caches filled.
        pub connect: Span,
        /// A command that is no query: BEGIN, ROLLBACK, a ping.
        pub command: Span,
        /// Parse and analyse a statement that a client prepares.
        pub prepare: Span,
        /// Parse, plan and execute a statement, beside the engine of its query.
        pub statement: Span,
        /// A commit, without the sync of the log: that of a write by itself too.
        pub commit: Span,
    }
}

table! {
    PerConcurrency<PostgresCosts>, "postgres", [], [],
    ["CPU time in the database server, beside that of queries."]
}

cpu_costs! {
    /// CPU time of the worker process for a database server.
    #[section("postgres_client")]
    #[per_concurrency("CPU time of the worker process for a database server under one concurrency model.")]
    pub struct PostgresClientCosts {
        /// The driver's and the ORM's part of one statement.
        pub statement: Span,
        /// Open a connection to the server.
        pub open: Span,
        /// Close it.
        pub close: Span,
        /// Send a COMMIT.
        pub commit: Span,
    }
}

table! {
    PerConcurrency<PostgresClientCosts>, "postgres_client", [], [],
    ["CPU time of the worker process for a database server."]
}
