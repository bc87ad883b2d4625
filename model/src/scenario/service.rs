//! The server and the processors under it.

use crate::keys::Fields;
use crate::units::Span;
use crate::words::{Concurrency, Server, WorkerClass};

section! {
    /// The processors that all threads of all worker processes share.
    #[section("cpu")]
    pub struct Cpu {
        /// How many threads run at a time.
        #[key(within(1, 64))]
        pub cores: u32 = 1,
        /// Speed relative to the machine of the cost profile: 2 halves every CPU time.
        #[key(between(0.01, 100.0))]
        pub speed: f64 = 1,
        /// Which ready thread runs, and for how long.
        pub scheduler: Scheduler = "round-robin",
        /// How long a thread runs before another ready one may take its place.
        #[key(
            at_least(Span::from_micros(1)),
            derived("0.7ms x (1 + log2(cores)), the base slice of Linux 6.12"),
        )]
        pub slice: Span,
        /// A slice ends with the kernel's next tick: 4ms at 250 Hz, 1ms at 1000 Hz, 0s to end at
        /// once.
        pub tick: Span = "0s",
        /// CPU bandwidth limit, as `docker --cpus` sets it.
        #[key(or("none"))]
        pub quota: Option<Quota>,
    }
}

words! {
    /// The rules by which ready threads get processors.
    pub enum Scheduler {
        /// first come, first served, a slice each
        RoundRobin = "round-robin",
        /// Linux from 6.6 on: the thread that has got less than its part and whose request of a slice is
        /// due first; one that wakes up may take the processor at once
        Eevdf = "eevdf",
        /// Linux before 6.6: the thread that has got least; `slice` is the shortest turn
        Cfs = "cfs",
    }
}

section! {
    /// CPU bandwidth limit.
    #[section("quota")]
    #[derive(Copy, Eq)]
    pub struct Quota {
        /// CPU time that all threads together may use in each period.
        #[key(at_least(Span::from_micros(1)))]
        pub budget: Span,
        /// Length of a period.
        #[key(at_least(Span::from_micros(1)))]
        pub period: Span = "100ms",
    }
}

/// How long a thread runs on Linux before another ready one may take its place, on a machine
/// with so many processors, whether the thread may use them all or not.
///
/// Linux 6.12's base slice (EEVDF): 0.7 ms, scaled by the processors up to eight
/// (`kernel/sched/fair.c`: `sysctl_sched_base_slice`, `get_update_sysctl_factor`).
pub fn base_slice(processors: u32) -> Span {
    Span::from_micros(700) * u64::from(1 + processors.clamp(1, 8).ilog2())
}

section! {
    /// The server: processes, threads, loops, limits.
    #[section("service")]
    pub struct Service {
        /// The server whose conventions and costs apply.
        pub server: Server = "uvicorn",
        /// How a worker serves several requests, unless an endpoint says otherwise.
        #[key(hint("write `concurrency = \"blocking\"`, `\"threadpool\"` or `\"async\"`"))]
        pub concurrency: Concurrency,
        /// Worker processes.
        #[key(within(1, 64), hint("write `workers = 1` for a single process"))]
        pub workers: u32 = 1,
        /// Threads of each worker's pool that serve requests: AnyIO's tokens, gunicorn's `--threads`.
        #[key(within(1, 10_000), derived("40; 1 for gunicorn's `sync` and `gthread` workers"))]
        pub threads: u32,
        /// How gunicorn's workers serve: `sync` only with `concurrency = "blocking"`, `gthread` only
        /// with `"threadpool"`.
        pub worker_class: WorkerClass = "uvicorn",
        /// The response has a model: FastAPI validates the reply of a `def` endpoint on a thread of
        /// the pool, in a visit of its own.
        #[key(derived(
            "true for `threadpool` endpoints that use the database with a `hold` of \"handler\" or \
             \"request\", else false; false for axum"
        ))]
        pub response_model: Option<bool>,
        /// `def` dependencies that run before the handler, that of the session included. Each takes
        /// a thread of the pool for a moment; those that are `async` take none.
        #[key(
            within(0, 100),
            derived(
                "1 for `threadpool` endpoints that use the database with `hold = \"request\"`, \
                 else 0; 0 for axum"
            ),
        )]
        pub dependencies: Option<u32>,
        /// A worker refuses with 503 when its connections or its requests, the new one included,
        /// reach this number.
        #[key(within(1, 1_000_000), or("none"))]
        pub limit_concurrency: Option<u32>,
        /// Connections that wait to be accepted; beyond it the handshake is dropped.
        #[key(within(1, 1_000_000))]
        pub backlog: u32 = 2048,
        /// An idle connection is closed after this long; `0s`: with its first reply.
        #[key(
            derived("5s for uvicorn, 2s for gunicorn, 0s for its `sync` workers, never for axum"),
            or("never"),
        )]
        pub keep_alive: Span,
        /// A worker whose event loop has given no sign of life for so long is killed: gunicorn's
        /// `timeout`, in whole seconds. Its requests end with `worker_killed`. A `sync` worker gives
        /// its sign before it accepts a connection.
        #[key(
            at_least(Span::from_millis(1)),
            derived("30s for gunicorn; never for uvicorn and axum, which have no such thing"),
            or("never"),
        )]
        pub worker_timeout: Option<Span>,
        /// A worker that has answered so many requests ends when it has answered those that it has,
        /// and another takes its place.
        #[key(within(1, 1_000_000_000), or("never"))]
        pub max_requests: Option<u32>,
        /// Up to so many requests more, drawn for each worker each time it starts.
        #[key(within(0, 1_000_000_000))]
        pub max_requests_jitter: u32 = 0,
        /// CPU time that a worker which takes the place of another needs before it serves: it
        /// imports the application.
        pub boot: Span = "1s",
        /// CPU time that the first request of each worker process takes beside its own: what is
        /// imported, compiled and opened only then. Other requests of the worker wait meanwhile, as
        /// they do for any CPU time.
        pub first_request: Span = "0s",
        /// How new connections spread over the workers.
        pub spread: Spread = "lifo",
        /// The event loop: its way with new connections, and its order of callbacks.
        #[key(derived("`tokio` for axum, else `uvloop`"))]
        pub event_loop: EventLoop,
        /// Most connections that the loop accepts before it looks after others: one under libuv and
        /// in a `sync` worker, else all that wait. A loop that runs in the place of another keeps the other's number.
        #[key(computed(accept_most))]
        pub accept_most: u32,
    }
}

fn accept_most(service: &Fields) -> Option<u32> {
    let event_loop: EventLoop = crate::keys::read_field(service, "event_loop", &[])?;
    let class: WorkerClass = crate::keys::read_field(service, "worker_class", &[])?;
    let one = event_loop == EventLoop::Uvloop || class == WorkerClass::Sync;
    Some(if one { 1 } else { u32::MAX })
}

words! {
    /// How new connections spread over the workers.
    pub enum Spread {
        /// one shared socket: the loop that went to sleep last is woken first; uneven
        Lifo = "lifo",
        /// one socket per worker: connections are hashed (SO_REUSEPORT)
        Hash = "hash",
        /// each worker in turn: perfectly even, as behind a balancer
        RoundRobin = "round-robin",
    }
}

words! {
    /// The event loop's way with a readiness event of the listening socket.
    pub enum EventLoop {
        /// accepts one connection per readiness event
        Uvloop = "uvloop",
        /// accepts all connections that wait
        Asyncio = "asyncio",
        /// accepts all connections that wait; other threads have a queue of their own
        Tokio = "tokio",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slice_grows_with_the_processors_as_linux_scales_it() {
        let micros = [1, 2, 3, 4, 7, 8, 64].map(|n| base_slice(n).nanos() / 1000);
        assert_eq!(micros, [700, 1400, 1400, 2100, 2100, 2800, 2800]);
    }
}
