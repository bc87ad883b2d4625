//! A third-party service.

use crate::distribution::Distribution;
use crate::keys::entry_name;
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
        /// Client connections per worker process.
        #[key(within(1, 1_000_000), or("none"))]
        pub max_connections: Option<u32>,
        /// How long a call waits for a client connection before an error; without
        /// `max_connections` none ever waits.
        #[key(or("never"))]
        pub pool_timeout: Option<Span> = "5s",
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

impl Upstream {
    /// The pause after a failed attempt; the first attempt is number 0.
    pub fn pause_after(&self, attempt: u32) -> Span {
        let growth = libm::pow(self.backoff_factor, f64::from(attempt));
        self.backoff.scale(growth).min(self.backoff_max)
    }
}
