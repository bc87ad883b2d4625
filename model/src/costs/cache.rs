//! What work costs more that has not been done for long.

use super::cpu::{Cold, Cost, PerConcurrency};
use crate::units::Span;
use crate::words::Concurrency;

section! {
    /// More CPU time for what a worker has not done for long.
    #[section("cache")]
    pub struct CacheCosts {
        /// Time in which the caches lose all but 1/e (37 %) of what is not used.
        #[key(at_least(Span::from_micros(1)))]
        pub decay: Span = "20ms",
        /// 1: as likely lost in any moment; more: the longer not used, the likelier.
        #[key(between(0.5, 10.0))]
        pub shape: f64 = 1,
        /// Other requests in flight on a processor at which 63 % of crowded_open is charged.
        #[key(between(0.1, 1e9))]
        pub crowd: f64 = 90,
        /// CPU time that a kind of work needs to bring back into the caches all that it uses.
        #[key(flatten)]
        pub cold: PerConcurrency<Cold>,
    }
}

/// A kind of work that has its own part of the caches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Work {
    /// A request.
    Request,
    /// A statement on the database.
    Statement,
    /// A call of an upstream.
    Call,
    /// Opening a database connection.
    Open,
    /// A commit.
    Commit,
}

impl Work {
    /// How many kinds there are.
    pub const COUNT: usize = 5;
}

impl CacheCosts {
    /// CPU time that `work` costs more when nothing of it is left in the caches.
    pub fn cold(&self, concurrency: Concurrency, work: Work) -> Span {
        let cold = self.cold.of(concurrency);
        match work {
            Work::Request => cold.request,
            Work::Statement => cold.statement,
            Work::Call => cold.call,
            Work::Open => cold.open,
            Work::Commit => cold.commit,
        }
    }

    /// Share of what was used `elapsed` ago that has gone: 1 - exp(-(t / `decay`)^`shape`)
    /// (Weibull). With a shape of 1 a line of the cache is as likely to be replaced in any
    /// moment as in the one before; with a greater one what was used last is replaced last.
    pub fn lost(&self, elapsed: Span) -> f64 {
        -(-(elapsed.secs_f64() / self.decay.secs_f64()).powf(self.shape)).exp_m1()
    }

    /// Share of what a request has in the caches of its processor that `others` displace.
    pub fn displaced(&self, others: f64) -> f64 {
        -(-others / self.crowd).exp_m1()
    }

    /// The same with every CPU time as `own` has it.
    pub(super) fn each(&self, own: &dyn Fn(Span) -> Span) -> CacheCosts {
        let cold = |model| Cold::default().plus(self.cold.of(model), own);
        CacheCosts { cold: PerConcurrency::<Cold>::each(cold), ..self.clone() }
    }
}
