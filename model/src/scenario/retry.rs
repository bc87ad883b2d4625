//! What clients do about a request that was not answered well.

use crate::failure::ErrorKind;
use crate::units::Span;

section! {
    /// What clients do about a request that was not answered well.
    #[section("load")]
    pub struct Retry {
        /// Attempts of a client after the first. A retry is a request of its own for the service,
        /// which goes on with the abandoned one, unless `service.server` is "axum".
        #[key(within(0, 20))]
        pub retries: u32 = 0,
        /// Kinds of failure after which a client tries again.
        #[key(derived("all of them"))]
        pub retry_on: Option<Vec<RetryOn>>,
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

words! {
    /// What may be retried.
    pub enum RetryOn {
        /// no answer in time
        Timeout = "timeout",
        /// 503 at a limit
        Refused = "refused",
        /// any other answer that is not good
        Error = "error",
        /// the connection was refused or broke
        Connection = "connection",
    }
}

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
        let kind = match kind {
            ErrorKind::Timeout => RetryOn::Timeout,
            ErrorKind::Rejected => RetryOn::Refused,
            ErrorKind::Disconnected | ErrorKind::ConnectionClosed | ErrorKind::WorkerKilled => {
                RetryOn::Connection
            }
            ErrorKind::DatabaseBusy
            | ErrorKind::PoolTimeout
            | ErrorKind::TooManyClients
            | ErrorKind::MaxClientConn
            | ErrorKind::QueryWaitTimeout
            | ErrorKind::DatabaseConnectionLost
            | ErrorKind::DatabaseConnectionRefused
            | ErrorKind::DatabaseDeadlock
            | ErrorKind::DatabaseLockTimeout
            | ErrorKind::DatabaseStatementTimeout
            | ErrorKind::DatabaseIdleInTransaction
            | ErrorKind::LockTimeout
            | ErrorKind::UpstreamTimeout
            | ErrorKind::UpstreamFailed
            | ErrorKind::UpstreamRefused
            | ErrorKind::ConnectionTimeout
            | ErrorKind::ServiceFailed => RetryOn::Error,
        };
        self.retry_on.as_ref().is_none_or(|all| all.contains(&kind))
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
