//! Keys of a cost profile.

use super::Fallback::{Absent, Derived, Value};
use super::{ANY_SPAN, Kind, Section, key};

/// A cost profile.
pub(crate) static COSTS: Section = Section {
    keys: &[
        key(
            "name",
            Kind::Text,
            Derived("the file's name without its ending, or `inline`"),
            "What the profile is called.",
        ),
        key(
            "about",
            Kind::TextMap,
            Value("{}"),
            "Where the numbers come from: machine, stack, date, method.",
        ),
        key(
            "cpu",
            Kind::Table(&CPU),
            Value("{}"),
            "CPU time of the worker process for what the framework and the libraries do.",
        ),
        key("server", Kind::Table(&SERVERS), Value("{}"), "What differs between servers."),
        key(
            "query",
            Kind::Named(&QUERY),
            Absent,
            "Cost of a query by name; `default` stands for every name not listed.",
        ),
        key(
            "interpreter",
            Kind::Table(&INTERPRETER),
            Value("{}"),
            "The language runtime of the workers.",
        ),
        key("machine", Kind::Table(&MACHINE), Value("{}"), "The machine."),
        key(
            "commit",
            Kind::Table(&COMMITS),
            Value("{}"),
            "CPU time of the engine and the kernel for a commit, the lock held.",
        ),
        key(
            "cache",
            Kind::Table(&CACHE),
            Value("{}"),
            "More CPU time for what a worker has not done for long: the processor's caches have lost it.",
        ),
        key(
            "network",
            Kind::Table(&NETWORK),
            Value("{}"),
            "Round trips, apart from the CPU time of the service.",
        ),
        key("disk", Kind::Table(&DISK), Value("{}"), "The disk under the database file."),
        key(
            "driver",
            Kind::Table(&DRIVER),
            Value("{}"),
            "The async database driver: a thread per connection, and hops to it.",
        ),
        key("client", Kind::Table(&CLIENT), Value("{}"), "The HTTP client of the workers."),
        key(
            "memory",
            Kind::Table(&MEMORY),
            Value("{}"),
            "Resident memory, for the estimate of what parked requests cost.",
        ),
    ],
    one_of: &[],
    noun: "profile",
    doc: "What things cost on a given stack and machine.",
};

const REQUEST: &str = "Parse, route, call the handler, serialise, send: once per request, before the handler's steps.";
const IN_FLIGHT: &str = "More CPU per request for each other request in flight in the same worker.";
const HANG_UP: &str = "See the end of a client's connection, and close it.";
const ACCEPT: &str = "Accept a connection.";
const REJECT: &str = "Refuse a request with 503.";
const CALL: &str = "Client side of one attempt of an upstream call.";
const CONNECT: &str = "Client side of opening and closing a connection to an upstream.";
const LOOK: &str =
    "For each idle connection to an upstream, whenever a call chooses one or gives one back.";
const GLANCE: &str = "For each connection to an upstream that is in use, whenever a call chooses one or gives one back.";
const MISS: &str =
    "An async call finds that another has taken the connection that it chose, and chooses again.";
const CROWDED_OPEN: &str = "More CPU to open a database connection when others have displaced all that its request had in the caches; few others cost a share of it, see cache.crowd.";
const LOG_OPEN: &str =
    "More to open and close a connection to a write-ahead log than one without a log.";
const LAST_CLOSE: &str = "The only connection to a write-ahead log creates its files when it opens and removes them when it closes.";
const HOP: &str = "Hand work to another thread of the process, or take it back: each way.";
const STATEMENT: &str = "The driver's and the ORM's part of one statement.";
const OPEN: &str = "Open a database connection, without its pragmas.";
const CLOSE: &str = "Close a database connection.";
const PRAGMA: &str = "Run one pragma on a new connection.";
const COMMIT: &str = "Commit a transaction, without the syncs.";

static CPU: Section = Section {
    keys: &[
        key("request", Kind::Distribution, Value("\"0s\""), REQUEST),
        key("in_flight", ANY_SPAN, Value("\"0s\""), IN_FLIGHT),
        key("accept", ANY_SPAN, Value("\"0s\""), ACCEPT),
        key("hang_up", ANY_SPAN, Value("\"0s\""), HANG_UP),
        key("reject", ANY_SPAN, Value("\"0s\""), REJECT),
        key("call", ANY_SPAN, Value("\"0s\""), CALL),
        key("connect", ANY_SPAN, Value("\"0s\""), CONNECT),
        key("look", ANY_SPAN, Value("\"0s\""), LOOK),
        key("glance", ANY_SPAN, Value("\"0s\""), GLANCE),
        key("miss", ANY_SPAN, Value("\"0s\""), MISS),
        key("crowded_open", ANY_SPAN, Value("\"0s\""), CROWDED_OPEN),
        key("log_open", ANY_SPAN, Value("\"0s\""), LOG_OPEN),
        key("last_close", ANY_SPAN, Value("\"0s\""), LAST_CLOSE),
        key("hop", ANY_SPAN, Value("\"0s\""), HOP),
        key("statement", ANY_SPAN, Value("\"0s\""), STATEMENT),
        key("open", ANY_SPAN, Value("\"0s\""), OPEN),
        key("close", ANY_SPAN, Value("\"0s\""), CLOSE),
        key("pragma", ANY_SPAN, Value("\"0s\""), PRAGMA),
        key("commit", ANY_SPAN, Value("\"0s\""), COMMIT),
        key(
            "blocking",
            Kind::Table(&CPU_OF_MODEL),
            Value("{}"),
            "What differs for blocking handlers.",
        ),
        key(
            "threadpool",
            Kind::Table(&CPU_OF_MODEL),
            Value("{}"),
            "What differs for handlers on the thread pool.",
        ),
        key("async", Kind::Table(&CPU_OF_MODEL), Value("{}"), "What differs for async handlers."),
    ],
    one_of: &[],
    noun: "cpu",
    doc: "CPU time of the worker process.",
};

const SAME: super::Fallback = Derived("the same key of the table above");

static CPU_OF_MODEL: Section = Section {
    keys: &[
        key("request", Kind::Distribution, SAME, REQUEST),
        key("in_flight", ANY_SPAN, SAME, IN_FLIGHT),
        key("accept", ANY_SPAN, SAME, ACCEPT),
        key("hang_up", ANY_SPAN, SAME, HANG_UP),
        key("reject", ANY_SPAN, SAME, REJECT),
        key("call", ANY_SPAN, SAME, CALL),
        key("connect", ANY_SPAN, SAME, CONNECT),
        key("look", ANY_SPAN, SAME, LOOK),
        key("glance", ANY_SPAN, SAME, GLANCE),
        key("miss", ANY_SPAN, SAME, MISS),
        key("crowded_open", ANY_SPAN, SAME, CROWDED_OPEN),
        key("log_open", ANY_SPAN, SAME, LOG_OPEN),
        key("last_close", ANY_SPAN, SAME, LAST_CLOSE),
        key("hop", ANY_SPAN, SAME, HOP),
        key("statement", ANY_SPAN, SAME, STATEMENT),
        key("open", ANY_SPAN, SAME, OPEN),
        key("close", ANY_SPAN, SAME, CLOSE),
        key("pragma", ANY_SPAN, SAME, PRAGMA),
        key("commit", ANY_SPAN, SAME, COMMIT),
    ],
    one_of: &[],
    noun: "cpu",
    doc: "CPU time of the worker process under one concurrency model.",
};

static SERVERS: Section = Section {
    keys: &[
        key("uvicorn", Kind::Table(&SERVER), Value("{}"), "uvicorn with its own worker processes."),
        key(
            "gunicorn",
            Kind::Table(&SERVER),
            Value("{}"),
            "gunicorn that supervises UvicornWorker.",
        ),
        key("axum", Kind::Table(&SERVER), Value("{}"), "axum on tokio."),
    ],
    one_of: &[],
    noun: "server",
    doc: "What differs between servers.",
};

static SERVER: Section = Section {
    keys: &[
        key(
            "cpu_scale",
            Kind::Number(0.01, 100.0),
            Value("1"),
            "CPU of a worker process relative to these costs.",
        ),
        key(
            "request",
            ANY_SPAN,
            Value("\"0s\""),
            "More CPU time per request, such as for an access log.",
        ),
    ],
    one_of: &[],
    noun: "server",
    doc: "What differs for one server.",
};

static QUERY: Section = Section {
    keys: &[
        key(
            "engine",
            Kind::Distribution,
            Value("\"0s\""),
            "CPU time in the engine: in the worker process for SQLite, in the database server for Postgres.",
        ),
        key(
            "pages",
            Kind::Integer(0, 1_000_000),
            Value("1"),
            "Pages that it changes, if it writes.",
        ),
    ],
    one_of: &[],
    noun: "query",
    doc: "Cost of a query in the engine itself.",
};

static INTERPRETER: Section = Section {
    keys: &[
        key("lock", Kind::Flag, Value("true"), "One thread of a process at a time."),
        key(
            "switch_interval",
            Kind::Span(crate::units::Span::from_micros(1)),
            Value("\"5ms\""),
            "How long a waiting thread lets the holder run before it asks for the lock.",
        ),
    ],
    one_of: &[],
    noun: "interpreter",
    doc: "The language runtime of the workers.",
};

static CLIENT: Section = Section {
    keys: &[key(
        "kept",
        Kind::Integer(1, 1_000_000),
        Absent,
        "With more connections to an upstream than so many, in use and idle, one that falls idle is closed.",
    )
    .or("all"),
        key(
            "expiry",
            Kind::Span(crate::units::Span::from_micros(1)),
            Absent,
            "A connection to an upstream that is idle for so long is closed.",
        )
        .or("never"),
        key(
            "locks",
            Kind::Integer(0, 50),
            Value("0"),
            "Locks of a connection that an async call takes, each for a turn of the event loop, before it has it: 2 of httpx.",
        ),
    ],
    one_of: &[],
    noun: "client",
    doc: "The HTTP client of the workers.",
};

static COMMITS: Section = Section {
    keys: &[
        key("delete", Kind::Table(&COMMIT_LEVELS), Value("{}"), "Under a journal that is deleted."),
        key(
            "truncate",
            Kind::Table(&COMMIT_LEVELS),
            Value("{}"),
            "Under a journal that is cut to zero length.",
        ),
        key(
            "persist",
            Kind::Table(&COMMIT_LEVELS),
            Value("{}"),
            "Under a journal whose header is overwritten.",
        ),
        key("wal", Kind::Table(&COMMIT_LEVELS), Value("{}"), "Under a write-ahead log."),
    ],
    one_of: &[],
    noun: "commit",
    doc: "CPU time of the engine and the kernel for a commit, by journal mode.",
};

static COMMIT_LEVELS: Section = Section {
    keys: &[
        key("off", ANY_SPAN, Value("\"0s\""), "At synchronous = \"off\"."),
        key("normal", ANY_SPAN, Value("\"0s\""), "At synchronous = \"normal\"."),
        key("full", ANY_SPAN, Value("\"0s\""), "At synchronous = \"full\"."),
        key("extra", ANY_SPAN, Value("\"0s\""), "At synchronous = \"extra\"."),
    ],
    one_of: &[],
    noun: "commit",
    doc: "CPU time of the engine and the kernel for a commit, by synchronous level.",
};

static CACHE: Section = Section {
    keys: &[
        key(
            "decay",
            Kind::Span(crate::units::Span::from_micros(1)),
            Value("\"20ms\""),
            "Time in which the caches lose all but 1/e (37 %) of what is not used.",
        ),
        key(
            "shape",
            Kind::Number(0.5, 10.0),
            Value("1"),
            "1: as likely lost in any moment; more: the longer not used, the likelier.",
        ),
        key(
            "crowd",
            Kind::Number(0.1, 1e9),
            Value("90"),
            "Other requests in flight on a processor at which 63 % of crowded_open is charged.",
        ),
        key("request", ANY_SPAN, Value("\"0s\""), COLD_REQUEST),
        key("statement", ANY_SPAN, Value("\"0s\""), COLD_STATEMENT),
        key("call", ANY_SPAN, Value("\"0s\""), COLD_CALL),
        key("open", ANY_SPAN, Value("\"0s\""), COLD_OPEN),
        key("commit", ANY_SPAN, Value("\"0s\""), COLD_COMMIT),
        key(
            "blocking",
            Kind::Table(&CACHE_OF_MODEL),
            Value("{}"),
            "What differs for blocking handlers.",
        ),
        key(
            "threadpool",
            Kind::Table(&CACHE_OF_MODEL),
            Value("{}"),
            "What differs for handlers on the thread pool.",
        ),
        key("async", Kind::Table(&CACHE_OF_MODEL), Value("{}"), "What differs for async handlers."),
    ],
    one_of: &[],
    noun: "cache",
    doc: "More CPU time for what a worker has not done for long.",
};

const COLD_REQUEST: &str = "To bring back what a request needs.";
const COLD_STATEMENT: &str = "The same for a statement.";
const COLD_CALL: &str = "The same for an upstream call.";
const COLD_OPEN: &str = "The same for opening a database connection.";
const COLD_COMMIT: &str = "The same for a commit.";

static CACHE_OF_MODEL: Section = Section {
    keys: &[
        key("request", ANY_SPAN, SAME, COLD_REQUEST),
        key("statement", ANY_SPAN, SAME, COLD_STATEMENT),
        key("call", ANY_SPAN, SAME, COLD_CALL),
        key("open", ANY_SPAN, SAME, COLD_OPEN),
        key("commit", ANY_SPAN, SAME, COLD_COMMIT),
    ],
    one_of: &[],
    noun: "cache",
    doc: "More CPU time under one concurrency model for what a worker has not done for long.",
};

static NETWORK: Section = Section {
    keys: &[
        key("client", ANY_SPAN, Value("\"0s\""), "Between client and service."),
        key("upstream", ANY_SPAN, Value("\"0s\""), "Between service and upstream."),
        key(
            "connect",
            ANY_SPAN,
            Value("\"0s\""),
            "What the client, which has one thread, needs to open a connection; it opens all that are due before it sends on them.",
        ),
    ],
    one_of: &[],
    noun: "network",
    doc: "Round trips, apart from the CPU time of the service.",
};

static MACHINE: Section = Section {
    keys: &[
        key(
            "context_switch",
            ANY_SPAN,
            Value("\"0s\""),
            "CPU time that a processor loses when it changes threads.",
        ),
        key(
            "idle_exit",
            ANY_SPAN,
            Value("\"0s\""),
            "How long an idle processor takes until it runs a thread that has become ready.",
        ),
    ],
    one_of: &[],
    noun: "machine",
    doc: "The machine.",
};

static DISK: Section = Section {
    keys: &[
        key("sync", Kind::Distribution, Value("\"0s\""), "One fsync."),
        key(
            "unlink",
            ANY_SPAN,
            Value("\"0s\""),
            "Creating or removing a file, as the rollback journal is at each commit.",
        ),
        key(
            "checkpoint_page",
            ANY_SPAN,
            Value("\"0s\""),
            "Copying one page from the write-ahead log into the database at a checkpoint.",
        ),
    ],
    one_of: &[],
    noun: "disk",
    doc: "The disk under the database file.",
};

static DRIVER: Section = Section {
    keys: &[
        key(
            "autocommit",
            Kind::Flag,
            Value("true"),
            "A write by itself takes the lock, writes and commits in one call; else it is a transaction.",
        ),
        key(
            "overtaking",
            Kind::Flag,
            Value("false"),
            "A connection that comes back to the pool is for whoever asks first; else for whoever waits longest.",
        ),
        key(
            "statement_hops",
            Kind::Integer(0, 50),
            Value("1"),
            "Round trips between loop and connection thread of one statement, the last of which executes it.",
        ),
        key("fetch_hops", Kind::Integer(0, 50), Value("0"), "More of them for the rows of a read."),
        key("finish_hops", Kind::Integer(0, 50), Value("0"), "More of them to end any statement."),
        key("commit_hops", Kind::Integer(0, 50), Value("1"), "The same for a commit."),
        key(
            "rollback_hops",
            Kind::Integer(0, 50),
            Value("0"),
            "The same at the end of a read that is no part of a transaction.",
        ),
        key(
            "release_hops",
            Kind::Integer(0, 50),
            Value("0"),
            "The same for a connection that goes back.",
        ),
        key("open_hops", Kind::Integer(0, 50), Value("1"), "The same for opening a connection."),
        key("close_hops", Kind::Integer(0, 50), Value("1"), "The same for closing it."),
    ],
    one_of: &[],
    noun: "driver",
    doc: "The async database driver.",
};

static MEMORY: Section = Section {
    keys: &[
        key("worker", Kind::Size, Value("\"0B\""), "A worker process at rest."),
        key("request", Kind::Size, Value("\"0B\""), "A request in flight."),
        key("connection", Kind::Size, Value("\"0B\""), "An open client connection."),
        key("thread", Kind::Size, Value("\"0B\""), "A thread of the pool."),
    ],
    one_of: &[],
    noun: "memory",
    doc: "Resident memory.",
};
