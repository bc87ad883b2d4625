//! The service on axum: workers that are this program.

use std::net::TcpListener;

use super::{Place, Service};
use crate::machine::process::Holdings;
use crate::run::error::RunError;
use crate::run::interrupt::Interrupt;
use crate::run::stage::{PATIENCE, ready};
use crate::service::{self, Snapshot};
use crate::supervisor::{Child, ChildError, this_program};

type Worker = Child<service::Start, service::Ready, Snapshot>;

/// The worker processes.
#[derive(Debug)]
pub struct Workers {
    workers: Vec<Worker>,
    listeners: Vec<TcpListener>,
    start: service::Start,
    interrupt: Interrupt,
}

impl Workers {
    /// Starts them, and waits until all are ready.
    ///
    /// # Errors
    /// One does not start, or the user wants to end.
    pub fn start(place: Place<'_>) -> Result<Workers, RunError> {
        let Place { resolved, seed, cpus, listeners, upstream, database, interrupt, .. } = place;
        let (name, scenario) = (resolved.scenario.name.clone(), resolved.to_toml());
        let mut all = Workers {
            workers: Vec::new(),
            listeners,
            start: service::Start { name, scenario, seed, cpus, upstream, database },
            interrupt: interrupt.clone(),
        };
        for index in 0..resolved.scenario.service.workers as usize {
            interrupt.check()?;
            let worker = all.spawn(index)?;
            all.workers.push(worker);
        }
        for worker in &mut all.workers {
            ready(worker, interrupt)?;
        }
        Ok(all)
    }

    fn spawn(&self, index: usize) -> Result<Worker, RunError> {
        let command = this_program(&["worker-process"]).map_err(RunError::System)?;
        // One shared socket, or one for each.
        let listener = &self.listeners[index % self.listeners.len()];
        let mut worker = Worker::spawn(&format!("worker {index}"), command, Some(listener))?;
        worker.start(self.start.clone())?;
        Ok(worker)
    }
}

impl Service for Workers {
    /// A worker that died is replaced, as uvicorn and gunicorn do it.
    fn look_after(&mut self, troubles: &mut Vec<String>) -> Result<(), RunError> {
        for index in 0..self.workers.len() {
            if let Err(error) = self.workers[index].check() {
                troubles.push(format!("{error}; another took its place"));
                let mut worker = self.spawn(index)?;
                ready(&mut worker, &self.interrupt)?;
                self.workers[index] = worker;
            }
        }
        Ok(())
    }

    fn count(&mut self, troubles: &mut Vec<String>) -> Vec<Snapshot> {
        let asked: Vec<_> = self.workers.iter_mut().map(Worker::ask).collect();
        let pairs = self.workers.iter_mut().zip(asked);
        let answers = pairs.map(|(worker, asked)| asked.and_then(|()| worker.answer(PATIENCE)));
        let mut counted = |answer: Result<Snapshot, ChildError>| {
            answer.unwrap_or_else(|error| {
                troubles.push(error.to_string());
                Snapshot::default()
            })
        };
        answers.map(&mut counted).collect()
    }

    fn memory(&self) -> Vec<Holdings> {
        self.workers.iter().map(|worker| Holdings::of(worker.pid())).collect()
    }
}
