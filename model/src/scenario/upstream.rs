//! A third-party service.

use super::Client;
use super::retry::grown;
use crate::distribution::Distribution;
use crate::keys::{Fields, Origin, entry_name};
use crate::units::Span;

section! {
    /// A third-party service.
    #[section("upstream")]
    pub struct Upstream {
        /// Its name in `call` steps.
        #[key(computed(entry_name))]
        pub name: String,
        /// Time from request sent to reply received.
        #[key(
            usually(Span::from_secs(120)),
            hint("write `latency = \"200ms\"` or `latency = { p50 = \"200ms\", p99 = \"1s\" }`"),
        )]
        pub latency: Distribution,
        /// Share of attempts that fail; a failure takes as long as a reply.
        #[key(percent())]
        pub failures: f64 = "0%",
        /// Calls that it works on at a time, from all workers; others wait in its queue. `latency` is
        /// then the time that it works on one.
        #[key(within(1, 1_000_000))]
        pub capacity: Option<u32>,
        /// Calls that wait in its queue; it refuses those beyond.
        #[key(within(0, 1_000_000), with("capacity"))]
        pub queue: Option<u32>,
        /// The status with which it refuses; 503 unless it is written.
        #[key(with("queue"))]
        pub refuse: Option<Refusal>,
        /// In whole seconds, how long it asks those that it refuses to stay away: a retry waits at
        /// least so long.
        #[key(with("queue"))]
        pub retry_after: Option<Span>,
        /// The HTTP client that calls it. Keys that are not written are what that library does unless
        /// it is told otherwise; without one, no limit and no timeout is assumed.
        pub client: Option<Client>,
        /// Client connections per worker process.
        #[key(within(1, 1_000_000), or("none"))]
        pub max_connections: Option<u32>,
        /// How long a call waits for a client connection before an error; without
        /// `max_connections` none ever waits.
        #[key(or("never"))]
        pub pool_timeout: Option<Span> = "5s",
        /// Connections that the client keeps: with more in use and idle, one that falls idle is
        /// closed. Other clients than httpx count idle ones alone.
        #[key(
            within(1, 1_000_000),
            or("all"),
            derived("what `client` does, or else `costs.client.kept`"),
        )]
        pub kept: Option<u32>,
        /// A connection that is idle for so long is closed.
        #[key(
            at_least(Span::from_micros(1)),
            or("never"),
            derived("what `client` does, or else `costs.client.expiry`"),
        )]
        pub expiry: Option<Span>,
        /// Which of these two are the profile's.
        #[key(computed(of_profile))]
        pub of_profile: [bool; 2],
        /// A semaphore around the whole call, per worker process.
        #[key(within(1, 1_000_000), or("none"))]
        pub max_in_flight: Option<u32>,
        /// An attempt is given up after this long.
        #[key(at_least(Span::from_micros(1)), or("never"))]
        pub timeout: Option<Span>,
        /// Attempts after the first.
        #[key(within(0, 20))]
        pub retries: u32 = 0,
        /// Pause before the first retry.
        pub backoff: Span = "100ms",
        /// Each later pause is this many times longer.
        #[key(between(1.0, 100.0))]
        pub backoff_factor: f64 = 2,
        /// No pause is longer.
        pub backoff_max: Span = "1h",
    }
}

fn of_profile(fields: &Fields) -> Option<[bool; 2]> {
    let implied = |key: &str| fields.get(key).is_some_and(|one| one.origin == Origin::Implied);
    Some(["kept", "expiry"].map(implied))
}

impl Upstream {
    /// The status with which it refuses.
    pub fn refusal(&self) -> Refusal {
        self.refuse.unwrap_or(Refusal::Unavailable)
    }
}

words! {
    /// The status with which an upstream refuses a call.
    pub enum Refusal {
        /// too many requests
        TooMany = "429",
        /// service unavailable
        Unavailable = "503",
    }
}

impl Upstream {
    /// The pause after a failed attempt; the first attempt is number 0.
    pub fn pause_after(&self, attempt: u32) -> Span {
        grown(self.backoff, self.backoff_factor, self.backoff_max, attempt)
    }
}
