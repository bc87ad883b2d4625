//! Worker processes that end while the service runs: those that their supervisor kills because
//! their loop is blocked, and those that are replaced after a number of requests.
//!
//! gunicorn's arbiter looks once a second at when each worker last gave a sign of life, and kills
//! one that has been silent for longer than `timeout` (`arbiter.py`, `murder_workers`). A
//! UvicornWorker gives that sign from its loop, whenever half of the timeout has passed
//! (`uvicorn_worker`: `timeout_notify`), and looks at its clock once a second (uvicorn's
//! `Server.on_tick`). A loop that is blocked gives none; threads of the pool do not matter.
//! gunicorn's own workers give the sign each time they come round: before they accept a connection
//! (`workers/sync.py`, `run_for_one`) or look at their sockets (`workers/gthread.py`, `run`).

mod answer;
mod end;
mod run;

pub(crate) use answer::{Observed, candidates, processes};

use model::scenario::{Scenario, WorkerClass};
use model::stream::Purpose;
use model::units::{Instant, Span};

/// How often the supervisor looks at its workers, and these at the time of their last sign.
/// gunicorn's timeout is never shorter.
pub(crate) fn look(timeout: Span) -> Span {
    timeout.min(Span::from_secs(1))
}

/// How often a worker looks at how many requests it has answered (uvicorn's `main_loop`).
pub(crate) const TICK: Span = Span::from_millis(100);

/// What a worker process does beside its requests.
#[derive(Debug)]
pub(crate) struct Process {
    /// How it serves.
    pub(crate) class: WorkerClass,
    /// How often it was started.
    pub(crate) life: u32,
    /// When it was started, or, once it serves, when it began to.
    pub(crate) since: Instant,
    /// It is not ready to serve.
    pub(crate) boots: bool,
    /// Its first request has begun.
    pub(crate) begun: bool,
    /// It accepts nothing more, and ends with its last request.
    pub(crate) drains: bool,
    /// When its loop last looked at its timers.
    pub(crate) polled: Instant,
    /// Requests that it has answered.
    pub(crate) answered: u64,
    /// Requests after which it ends.
    pub(crate) answers_most: Option<u64>,
}

impl Process {
    /// The process of worker `id`, started for the `life`-th time after the first.
    pub(crate) fn new(scenario: &Scenario, seed: u64, id: u32, life: u32, now: Instant) -> Process {
        let service = &scenario.service;
        let answers_most = service.max_requests.map(|most| {
            let jitter = u64::from(service.max_requests_jitter);
            // gunicorn: `randint(0, max_requests_jitter)`, both ends included.
            let draw = match jitter {
                0 => 0,
                _ => Purpose::new(seed, "max_requests").draw(u64::from(id), u64::from(life)),
            };
            u64::from(most) + ((u128::from(draw) * u128::from(jitter + 1)) >> 64) as u64
        });
        Process {
            class: service.worker_class,
            life,
            since: now,
            boots: life > 0,
            begun: false,
            drains: false,
            polled: now,
            answered: 0,
            answers_most,
        }
    }

    /// gunicorn's own workers leave their loop with their last answer.
    pub(crate) fn has_answered_its_last(&self) -> bool {
        self.class != WorkerClass::Uvicorn
            && self.answers_most.is_some_and(|most| self.answered >= most)
    }

    /// When its last sign of life was, at `now`; `idle` if its loop has nothing to do.
    pub(crate) fn last_sign(&self, timeout: Span, idle: bool, now: Instant) -> Instant {
        if self.boots {
            return self.since;
        }
        let polled = if idle { now } else { self.polled };
        if self.class != WorkerClass::Uvicorn {
            return polled;
        }
        let period = sign_period(timeout).nanos();
        let signs = (polled - self.since).nanos() / period;
        self.since + Span::from_nanos(signs * period)
    }
}

/// How often a worker gives a sign of life: at the first look after half of the timeout.
fn sign_period(timeout: Span) -> Span {
    look(timeout) * timeout.nanos().div_ceil(2).div_ceil(look(timeout).nanos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_comes_at_the_first_look_after_half_of_the_timeout() {
        let seconds = [1, 2, 3, 30, 31].map(|n| sign_period(Span::from_secs(n)).secs_f64());
        assert_eq!(seconds, [1.0, 1.0, 2.0, 15.0, 16.0]);
    }
}
