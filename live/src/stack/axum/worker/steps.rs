//! What a handler does: the steps of its endpoint, for real.

use std::future::Future;
use std::pin::Pin;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use model::failure::ErrorKind;
use model::place;
use model::scenario::{Concurrency, Hold, Step};
use model::units::Span;

use super::context::{Context, Fault};
use super::semaphore::Inside;
use super::waiting::Mode;
use crate::clock;

/// A step's future: steps hold steps.
type Performing<'a> = Pin<Box<dyn Future<Output = Result<(), Fault>> + Send + 'a>>;

/// Which steps of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Before the reply.
    Handler,
    /// After it.
    After,
}

impl Context {
    /// Performs all steps of the endpoint before its reply or after it, and gives back the database
    /// connection.
    pub(super) async fn perform(&mut self, part: Part) -> Result<(), Fault> {
        let worker = self.worker.clone();
        let endpoint = &worker.scenario.endpoints[self.endpoint];
        let (steps, prefix) = match part {
            Part::Handler => (&endpoint.steps, ""),
            Part::After => (&endpoint.after, "after."),
        };
        let mut outcome = Ok(());
        for (index, step) in steps.iter().enumerate() {
            outcome = self.step(step, format!("{prefix}{index}")).await;
            if outcome.is_err() {
                break;
            }
        }
        self.release().await;
        outcome
    }

    fn step<'a>(&'a mut self, step: &'a Step, path: String) -> Performing<'a> {
        Box::pin(async move {
            match step {
                Step::Cpu(time) => {
                    let span = self.sample("cpu", &path, time);
                    self.burn_scaled(span);
                }
                Step::Block(time) => {
                    let span = self.sample("block", &path, time);
                    self.block(span);
                }
                Step::Sleep(time) => {
                    let span = self.sample("sleep", &path, time);
                    self.pause(span, place::SLEEP).await;
                }
                Step::Statement(statement) => {
                    self.database(std::slice::from_ref(statement), None, &path).await?;
                }
                Step::Transaction { statements, begin } => {
                    self.database(statements, Some(*begin), &path).await?;
                }
                Step::Session(steps) => self.session(steps, &path).await?,
                Step::Lock { lock, steps } => self.locked(lock, steps, &path).await?,
                Step::Call(upstream) => self.call(*upstream, &path).await?,
                Step::Gather(branches) => self.gather(branches, &path).await?,
            }
            Ok(())
        })
    }

    /// Waits in a call that blocks the thread, whatever the concurrency model.
    fn block(&mut self, span: Span) {
        self.computed();
        let until = self.account().since() + span.nanos();
        let waiting = self.wait_at(place::BLOCK);
        std::thread::sleep(std::time::Duration::from_nanos(span.nanos()));
        // A thread that wakes up has no processor yet, the loop's neither.
        let mode = std::mem::replace(&mut self.mode, Mode::Blocking);
        self.waited(waiting, until);
        self.mode = mode;
    }

    /// Waits as the concurrency model waits.
    pub(super) async fn pause(&mut self, span: Span, place: place::Place) {
        if span.is_zero() {
            return;
        }
        self.computed();
        let until = self.account().since() + span.nanos();
        let waiting = self.wait_at(place);
        match self.mode {
            Mode::Parked => self.worker.alarm.sleep_until(until).await,
            Mode::Blocking => {
                let rest = until.saturating_sub(clock::now());
                std::thread::sleep(std::time::Duration::from_nanos(rest));
            }
        }
        self.waited(waiting, until);
    }

    /// Steps with a connection of their own, beside the one that the request may hold.
    async fn session(&mut self, steps: &[Step], path: &str) -> Result<(), Fault> {
        let outer = (self.held.take(), std::mem::replace(&mut self.hold, Hold::Handler));
        let mut outcome = Ok(());
        for (index, step) in steps.iter().enumerate() {
            outcome = self.step(step, format!("{path}.{index}")).await;
            if outcome.is_err() {
                break;
            }
        }
        self.release().await;
        (self.held, self.hold) = outer;
        outcome
    }

    /// Steps while a lock of the application is held.
    async fn locked(&mut self, name: &str, steps: &[Step], path: &str) -> Result<(), Fault> {
        let worker = self.worker.clone();
        let known = worker.scenario.locks.iter().position(|lock| lock.name == name);
        let index = known.ok_or(ErrorKind::ServiceFailed)?;
        let spec = &worker.scenario.locks[index];
        let at = spec.timeout.map(|timeout| clock::now() + timeout.nanos());
        let place = place::lock(&worker.scenario, index as u32);
        let _permit = match self.acquire(&worker.locks[index], place, at).await {
            Some(permit) => permit,
            None => return Err(ErrorKind::LockTimeout.into()),
        };
        let _inside = Inside::new(&worker.stations.locks[index]);
        for (index, step) in steps.iter().enumerate() {
            self.step(step, format!("{path}.{index}")).await?;
        }
        Ok(())
    }

    /// Branches run at the same time only where waits are parked; elsewhere in a row.
    async fn gather(&mut self, branches: &[Step], path: &str) -> Result<(), Fault> {
        let path_of = |index: usize| format!("{path}.{index}");
        if self.concurrency != Concurrency::Async {
            for (index, branch) in branches.iter().enumerate() {
                self.step(branch, path_of(index)).await?;
            }
            return Ok(());
        }
        self.computed();
        let mut running = FuturesUnordered::new();
        for (index, branch) in branches.iter().enumerate() {
            let (mut context, step, path) = (self.branch(), branch.clone(), path_of(index));
            running.push(tokio::spawn(async move {
                context.lap(place::LOOP);
                let outcome = context.step(&step, path).await;
                context.release().await;
                context.computed();
                (context, outcome)
            }));
        }
        // The last branch ends the wait; a failed one ends it at once, while the others
        // run on, as with `asyncio.gather`.
        while let Some(ended) = running.next().await {
            // A branch that panicked has no answer, and so there is none.
            let (branch, outcome) = ended.map_err(|_| ErrorKind::ServiceFailed)?;
            if running.is_empty() || outcome.is_err() {
                self.join(&branch);
                self.lap(place::LOOP);
                outcome?;
            }
        }
        Ok(())
    }
}
