//! What clients do about a request that was not answered well.

use crate::failure::ErrorKind;
use crate::units::Span;

section! {
    /// What clients do about a request that was not answered well.
    #[section("load")]
    pub struct Retry {
        /// Attempts of a client after the first. A retry is a request of its own for the service,
        /// which goes on with the abandoned one.
        #[key(within(0, 20))]
        pub retries: u32 = 0,
        /// Kinds of failure after which a client tries again: "timeout", "refused" (503 at a limit), "error" (any other answer that is
        /// not good), "connection" (it was refused or broke).
        #[key(derived("all of them"))]
        pub retry_on: Option<Vec<String>>,
        /// Pause of a client before its first retry.
        pub backoff: Span = "100ms",
        /// Each later pause is this many times longer.
        #[key(between(1.0, 100.0))]
        pub backoff_factor: f64 = 2,
        /// No pause is longer.
        pub backoff_max: Span = "1h",
        /// Whether pauses are drawn.
        pub jitter: Jitter = "none",
        /// Most retries of all clients together, as a share of their requests in the last 10 s.
        #[key(percent(), or("none"))]
        pub retry_budget: Option<f64>,
        /// Retries that the budget allows beside the share.
        #[key(rate(), with("retry_budget"))]
        pub retry_floor: Option<f64> = "10/s",
        /// A request is given up this long after its first attempt, whatever attempts are left.
        #[key(at_least(Span::from_micros(1)), or("never"))]
        pub give_up: Option<Span>,
    }
}

words! {
    /// Whether pauses before retries are drawn.
    pub enum Jitter {
        /// each pause is as long as `backoff` says
        None = "none",
        /// between nothing and that, uniformly: AWS's "full jitter"
        Full = "full",
    }
}

/// What may be retried, by the words of `load.retry_on`.
pub(crate) const RETRY_ON: [&str; 4] = ["timeout", "refused", "error", "connection"];

impl Retry {
    /// Nothing is sent again.
    pub(crate) const NEVER: Retry = Retry {
        retries: 0,
        retry_on: None,
        backoff: Span::ZERO,
        backoff_factor: 1.0,
        backoff_max: Span::ZERO,
        jitter: Jitter::None,
        retry_budget: None,
        retry_floor: None,
        give_up: None,
    };

    /// A request that ends with `kind` is retried.
    pub fn covers(&self, kind: ErrorKind) -> bool {
        let word = match kind {
            ErrorKind::Timeout => "timeout",
            ErrorKind::Rejected => "refused",
            ErrorKind::Disconnected | ErrorKind::ConnectionClosed | ErrorKind::WorkerKilled => {
                "connection"
            }
            ErrorKind::DatabaseBusy
            | ErrorKind::PoolTimeout
            | ErrorKind::LockTimeout
            | ErrorKind::UpstreamTimeout
            | ErrorKind::UpstreamFailed
            | ErrorKind::UpstreamRefused
            | ErrorKind::ConnectionTimeout
            | ErrorKind::ServiceFailed => "error",
        };
        self.retry_on.as_ref().is_none_or(|all| all.iter().any(|known| known == word))
    }

    /// The longest pause after a failed attempt; the first attempt is number 0.
    pub fn pause_after(&self, attempt: u32) -> Span {
        grown(self.backoff, self.backoff_factor, self.backoff_max, attempt)
    }
}

/// The pause after attempt number `attempt`: it begins with `first`, and grows by `factor` up to
/// `most`.
pub(super) fn grown(first: Span, factor: f64, most: Span, attempt: u32) -> Span {
    first.scale(libm::pow(factor, f64::from(attempt))).min(most)
}
