//! Keys of a scenario file.

use super::Fallback::{Absent, Derived, Required, Value};
use super::{ANY_SPAN, COSTS, COUNT, Kind, MOST_USERS, POSITIVE_SPAN, Section, key};
use crate::units::Span;

/// A scenario file.
pub(crate) static SCENARIO: Section = Section {
    keys: &[
        key("extends", Kind::Text, Absent, "The scenario that this one changes, as a path relative to this file."),
        key("question", Kind::Text, Absent, "The question that the scenario asks, in words. A child does not inherit it."),
        key("seed", Kind::Integer(0, i64::MAX as u64), Value("1"), "Root of every random draw."),
        key("costs", Kind::Profile(&COSTS), Required, "The cost profile: a path relative to this file, or its keys. Keys beside a parent's path override that profile.")
            .hint("write `costs = \"costs/NAME.toml\"`, a file that says what things cost; nothing is assumed to be free"),
        key("knob", Kind::Table(&KNOB), Absent, "A group of keys that counts as one change of this rung. A child does not inherit it."),
        key("published", Kind::Table(&PUBLISHED), Absent, "What others measured for this rung. A child does not inherit it."),
        key("load", Kind::Table(&LOAD), Required, "Who sends requests, and for how long they are counted.")
            .hint("add a table such as `[load]` with `users = 100` and `duration = \"60s\"`"),
        key("cpu", Kind::Table(&CPU), Value("{}"), "The processors that all threads of all worker processes share."),
        key("service", Kind::Table(&SERVICE), Required, "The server: processes, threads, loops, limits.")
            .hint("add a table `[service]` with `concurrency = \"blocking\"`, `\"threadpool\"` or `\"async\"`"),
        key("database", Kind::Table(&DATABASE), Absent, "The database that `read`, `write` and `transaction` steps use."),
        key("upstream", Kind::Named(&UPSTREAM), Absent, "Third-party services, by the name that `call` steps use."),
        key("endpoint", Kind::List(&ENDPOINT), Required, "Request classes. A child's entry changes the parent's entry of the same name.")
            .hint("add a table such as `[[endpoint]]` with `name`, `weight` and `steps`"),
    ],
    one_of: &[],
    noun: "scenario",
    doc: "One service under one load.",
};

static KNOB: Section = Section {
    keys: &[
        key("name", Kind::Text, Required, "What the group is called."),
        key(
            "keys",
            Kind::Texts,
            Required,
            "The keys of the group, as in `database.journal_mode`. One that was not changed does no harm.",
        ),
    ],
    one_of: &[],
    noun: "knob",
    doc: "A group of keys that counts as one change.",
};

static PUBLISHED: Section = Section {
    keys: &[
        key("throughput", Kind::Rate, Required, "Good answers per second."),
        key(
            "fitted",
            Kind::Flag,
            Value("false"),
            "True if a cost or a knob was chosen so that this figure comes out.",
        ),
        key("note", Kind::Text, Value("\"\""), "What was fitted to it, or why it is a prediction."),
    ],
    one_of: &[],
    noun: "figure",
    doc: "A figure that others measured.",
};

static LOAD: Section = Section {
    keys: &[
        key(
            "users",
            Kind::Integer(0, MOST_USERS),
            Absent,
            "Closed load: this many users send, wait for the reply, think, repeat. With `stages`, the number at the start.",
        ),
        key(
            "rate",
            Kind::Rate,
            Absent,
            "Open load: requests arrive at this rate whether or not earlier ones are answered. With `stages`, the rate at the start.",
        ),
        key(
            "think_time",
            Kind::Distribution,
            Value("\"0s\""),
            "Pause between a reply and the same user's next request.",
        )
        .with("users"),
        key(
            "spacing",
            Kind::Choice(&[
                ("poisson", "independent arrivals: exponential gaps"),
                ("even", "arrival i at i/rate, as k6 does it"),
            ]),
            Value("\"poisson\""),
            "How arrivals are spaced.",
        )
        .with("rate"),
        key(
            "max_users",
            Kind::Integer(1, MOST_USERS),
            Absent,
            "Most requests in flight; an arrival beyond it is dropped and counted.",
        )
        .with("rate")
        .or("none"),
        key(
            "stages",
            Kind::List(&STAGE),
            Absent,
            "Straight lines from the start value to each target in turn; they set the length of the run.",
        ),
        key("warmup", ANY_SPAN, Value("\"0s\""), "Time at the start that is run but not counted."),
        key(
            "duration",
            POSITIVE_SPAN,
            Absent,
            "Time that is counted, after the warm-up. With `stages` it is what the warm-up leaves of them.",
        ),
        key(
            "timeout",
            Kind::Span(Span::from_micros(1)),
            Value("\"60s\""),
            "A client gives up after this long.",
        )
        .or("never"),
        key(
            "keep_alive",
            Kind::Flag,
            Value("true"),
            "Connections are kept between requests of the same user.",
        ),
    ],
    one_of: &[&["users", "rate"], &["duration", "stages"]],
    noun: "load",
    doc: "Who sends requests, and for how long they are counted.",
};

static STAGE: Section = Section {
    keys: &[
        key("duration", POSITIVE_SPAN, Required, "How long the line is."),
        key(
            "target",
            Kind::Target,
            Required,
            "Value at its end: users of a closed load, a rate of an open one.",
        ),
    ],
    one_of: &[],
    noun: "stage",
    doc: "One straight line of a load over time.",
};

static CPU: Section = Section {
    keys: &[
        key("cores", Kind::Integer(1, 64), Value("1"), "How many threads run at a time."),
        key(
            "speed",
            Kind::Number(0.01, 100.0),
            Value("1"),
            "Speed relative to the machine of the cost profile: 2 halves every CPU time.",
        ),
        key(
            "slice",
            Kind::Span(Span::from_micros(1)),
            Derived("0.7ms x (1 + log2(cores)), the base slice of Linux 6.12"),
            "How long a thread runs before another ready one may take its place.",
        ),
        key(
            "tick",
            ANY_SPAN,
            Value("\"0s\""),
            "A slice ends with the kernel's next tick: 4ms at 250 Hz, 1ms at 1000 Hz, 0s to end at once.",
        ),
        key(
            "quota",
            Kind::Table(&QUOTA),
            Absent,
            "CPU bandwidth limit, as `docker --cpus` sets it.",
        )
        .or("none"),
    ],
    one_of: &[],
    noun: "cpu",
    doc: "The processors that all threads of all worker processes share.",
};

static QUOTA: Section = Section {
    keys: &[
        key(
            "budget",
            Kind::Span(Span::from_micros(1)),
            Required,
            "CPU time that all threads together may use in each period.",
        ),
        key("period", Kind::Span(Span::from_micros(1)), Value("\"100ms\""), "Length of a period."),
    ],
    one_of: &[],
    noun: "quota",
    doc: "CPU bandwidth limit.",
};

const CONCURRENCIES: &[(&str, &str)] = &[
    ("blocking", "the loop holds a request through all its waits: one at a time"),
    ("threadpool", "a thread from a bounded pool holds a request through all its waits"),
    ("async", "waits are parked; the loop serves others meanwhile"),
];

static SERVICE: Section = Section {
    keys: &[
        key("server", Kind::Choice(&[
            ("uvicorn", "uvicorn with its own worker processes"),
            ("gunicorn", "gunicorn that supervises UvicornWorker"),
            ("axum", "axum on tokio"),
        ]), Value("\"uvicorn\""), "Whose conventions and costs apply."),
        key("concurrency", Kind::Choice(CONCURRENCIES), Required, "How a worker serves several requests, unless an endpoint says otherwise.")
            .hint("write `concurrency = \"blocking\"`, `\"threadpool\"` or `\"async\"`"),
        key("workers", Kind::Integer(1, 64), Value("1"), "Worker processes.")
            .hint("write `workers = 1` for a single process"),
        key("threads", Kind::Integer(1, 10_000), Value("40"), "Thread-pool tokens of each worker."),
        key("limit_concurrency", COUNT, Absent, "A worker refuses with 503 when its connections or its requests, the new one included, reach this number.").or("none"),
        key("backlog", COUNT, Value("2048"), "Connections that wait to be accepted; beyond it the handshake is dropped."),
        key("keep_alive", ANY_SPAN, Derived("5s for uvicorn, 2s for gunicorn, never for axum"), "An idle connection is closed after this long.").or("never"),
        key("spread", Kind::Choice(&[
            ("lifo", "one shared socket: the loop that went to sleep last is woken first; uneven"),
            ("hash", "one socket per worker: connections are hashed (SO_REUSEPORT)"),
            ("round-robin", "each worker in turn: perfectly even, as behind a balancer"),
        ]), Value("\"lifo\""), "How new connections spread over the workers."),
        key("event_loop", Kind::Choice(&[
            ("uvloop", "accepts one connection per readiness event"),
            ("asyncio", "accepts all connections that wait"),
            ("tokio", "accepts all connections that wait; other threads have a queue of their own"),
        ]), Derived("`tokio` for axum, else `uvloop`"), "The event loop: its way with new connections, and its order of callbacks."),
    ],
    one_of: &[],
    noun: "service",
    doc: "The server: processes, threads, loops, limits.",
};

static DATABASE: Section = Section {
    keys: &[
        key(
            "engine",
            Kind::Choice(&[
                ("sqlite", "one file, locked by whoever uses it, in the process of the worker"),
                ("postgres", "a server of its own, with its own processors"),
            ]),
            Value("\"sqlite\""),
            "The engine behind the connections.",
        ),
        key(
            "journal_mode",
            Kind::Choice(&[
                ("delete", "rollback journal, deleted at commit"),
                ("truncate", "rollback journal, cut to zero length at commit"),
                ("persist", "rollback journal, its header overwritten at commit"),
                ("wal", "write-ahead log"),
            ]),
            Value("\"delete\""),
            "How a commit is made atomic.",
        )
        .when("engine", "sqlite"),
        key(
            "synchronous",
            Kind::Choice(&[
                ("off", "no syncs"),
                ("normal", "syncs at the most critical moments"),
                ("full", "a commit survives power loss"),
                ("extra", "also syncs the directory after the journal is gone"),
            ]),
            Value("\"full\""),
            "How many syncs a commit waits for.",
        )
        .when("engine", "sqlite"),
        key(
            "busy_timeout",
            ANY_SPAN,
            Value("\"5s\""),
            "How long a statement polls for a lock before `database is locked`.",
        )
        .when("engine", "sqlite"),
        key(
            "pragmas",
            Kind::Integer(0, 100),
            Value("0"),
            "Pragmas that run on every new connection.",
        )
        .when("engine", "sqlite"),
        key(
            "wal_autocheckpoint",
            Kind::Integer(0, 1_000_000_000),
            Value("1000"),
            "Frames in the write-ahead log after which a commit checkpoints; 0 never does.",
        )
        .when("engine", "sqlite"),
        key(
            "round_trip",
            Kind::Distribution,
            Value("\"0.5ms\""),
            "Network round trip of each statement.",
        )
        .when("engine", "postgres"),
        key("cores", Kind::Integer(1, 1024), Value("2"), "Processors of the database server.")
            .when("engine", "postgres"),
        key(
            "connections",
            Kind::Table(&CONNECTIONS),
            Value("{}"),
            "How connections are opened and shared, per worker process.",
        ),
        key(
            "hold",
            Kind::Choice(&[
                ("operation", "for one statement or one transaction"),
                (
                    "request",
                    "from the first statement to the end of the request, upstream calls included",
                ),
            ]),
            Value("\"operation\""),
            "How long a connection is held.",
        ),
        key(
            "driver",
            Kind::Choice(&[
                ("async", "awaited: a thread per connection for sqlite, a socket for postgres"),
                ("sync", "called on the loop, which waits with it"),
            ]),
            Value("\"async\""),
            "How async handlers call the database; handlers of other models always block.",
        ),
    ],
    one_of: &[],
    noun: "database",
    doc: "The database that `read`, `write` and `transaction` steps use.",
};

static CONNECTIONS: Section = Section {
    keys: &[
        key(
            "kind",
            Kind::Choice(&[
                (
                    "per-operation",
                    "opened for each use and closed after it (SQLAlchemy's NullPool)",
                ),
                ("pool", "kept and shared (SQLAlchemy's QueuePool)"),
            ]),
            Value("\"per-operation\""),
            "Whether connections are kept.",
        ),
        key("size", Kind::Integer(1, 100_000), Value("5"), "Connections that are kept.")
            .when("kind", "pool")
            .hint("write `kind = \"pool\"` if connections are to be kept"),
        key(
            "overflow",
            Kind::Integer(0, 100_000),
            Value("10"),
            "Connections beyond `size` that are opened under pressure and closed on return.",
        )
        .when("kind", "pool")
        .hint("write `kind = \"pool\"` if connections are to be kept"),
        key(
            "timeout",
            ANY_SPAN,
            Value("\"30s\""),
            "How long a request waits for a connection before an error.",
        )
        .when("kind", "pool")
        .or("never")
        .hint("write `kind = \"pool\"` if connections are to be kept"),
    ],
    one_of: &[],
    noun: "connections",
    doc: "How database connections are opened and shared, per worker process.",
};

static UPSTREAM: Section = Section {
    keys: &[
        key("latency", Kind::Distribution, Required, "Time from request sent to reply received.")
            .hint("write `latency = \"200ms\"` or `latency = { p50 = \"200ms\", p99 = \"1s\" }`"),
        key("failures", Kind::Share, Value("\"0%\""), "Share of attempts that fail; a failure takes as long as a reply."),
        key("max_connections", COUNT, Absent, "Client connections per worker process.").or("none"),
        key("pool_timeout", ANY_SPAN, Value("\"5s\""), "How long a call waits for a client connection before an error; without `max_connections` none ever waits.").or("never"),
        key("max_in_flight", COUNT, Absent, "A semaphore around the whole call, per worker process.").or("none"),
        key("timeout", Kind::Span(Span::from_micros(1)), Absent, "An attempt is given up after this long.").or("never"),
        key("retries", Kind::Integer(0, 20), Value("0"), "Attempts after the first."),
        key("backoff", ANY_SPAN, Value("\"100ms\""), "Pause before the first retry."),
        key("backoff_factor", Kind::Number(1.0, 100.0), Value("2"), "Each later pause is this many times longer."),
    ],
    one_of: &[],
    noun: "upstream",
    doc: "A third-party service.",
};

static ENDPOINT: Section = Section {
    keys: &[
        key("name", Kind::Text, Required, "Its name in the report."),
        key(
            "weight",
            Kind::Number(0.0, 1e9),
            Required,
            "Its share of the requests, relative to the other weights.",
        ),
        key(
            "concurrency",
            Kind::Choice(CONCURRENCIES),
            Absent,
            "Overrides the service's concurrency.",
        )
        .or("inherit"),
        key("steps", Kind::List(&STEP), Value("[]"), "What its handler does, in order."),
    ],
    one_of: &[],
    noun: "endpoint",
    doc: "A class of requests.",
};

/// One step of a handler.
pub(crate) static STEP: Section = Section {
    keys: &[
        key("cpu", Kind::Distribution, Absent, "Computes."),
        key("block", Kind::Distribution, Absent, "Waits in a call that blocks its thread, whatever the concurrency: the bug."),
        key("sleep", Kind::Distribution, Absent, "Waits as the concurrency model waits: parked in async, blocking elsewhere."),
        key("read", Kind::Text, Absent, "A query that reads; the name selects its cost."),
        key("write", Kind::Text, Absent, "A query that writes, in a transaction of its own."),
        key("transaction", Kind::List(&STATEMENT), Absent, "Several statements in one transaction."),
        key("begin", Kind::Choice(&[
            ("deferred", "takes locks when they are first needed; an upgrade fails at once under contention"),
            ("immediate", "takes the write lock at the start, and polls for it"),
        ]), Value("\"deferred\""), "How the transaction begins.").with("transaction"),
        key("call", Kind::Text, Absent, "A call of the upstream of this name."),
        key("gather", Kind::List(&STEP), Absent, "Steps at the same time; the slowest decides. One after the other where the concurrency model blocks."),
    ],
    one_of: &[&["cpu", "block", "sleep", "read", "write", "transaction", "call", "gather"]],
    noun: "step",
    doc: "One step of a handler.",
};

static STATEMENT: Section = Section {
    keys: &[
        key("read", Kind::Text, Absent, "A query that reads."),
        key("write", Kind::Text, Absent, "A query that writes."),
    ],
    one_of: &[&["read", "write"]],
    noun: "statement",
    doc: "One statement of a transaction.",
};
