//! The worker processes, seen by their parent.

use std::net::{SocketAddr, TcpListener};

use model::read::Resolved;
use model::scenario::Spread;

use super::worker::{Ready, Start};
use crate::interrupt::{Interrupt, Interrupted};
use crate::machine::Holdings;
use crate::stack::{Service, Snapshot, StackError, StartOptions, WorkerProcess};
use crate::supervisor::{
    ANSWER_TIMEOUT, BindError, Child, ChildError, START_TIMEOUT, bind, this_program,
};

type Worker = Child<Start, Ready, Snapshot>;

/// The worker processes.
#[derive(Debug)]
pub(super) struct Workers {
    workers: Vec<Worker>,
    listeners: Vec<TcpListener>,
    address: SocketAddr,
    start: Start,
    interrupt: Interrupt,
}

impl Workers {
    /// Starts them, and waits until all are ready.
    ///
    /// # Errors
    /// One does not start, the port is taken, or the user wants to end.
    pub(super) fn start(options: StartOptions<'_>) -> Result<Workers, StackError> {
        let StartOptions { resolved, seed, cpus, upstream, database, interrupt, .. } = options;
        let listeners = listen(resolved, options.port)?;
        let (name, scenario) = (resolved.scenario.name.clone(), resolved.to_service_toml());
        let mut all = Workers {
            workers: Vec::new(),
            address: listeners[0].local_addr()?,
            listeners,
            start: Start { name, scenario, seed, cpus, upstream, database },
            interrupt: interrupt.clone(),
        };
        for index in 0..resolved.scenario.service.workers as usize {
            interrupt.check()?;
            let worker = all.spawn(index)?;
            all.workers.push(worker);
        }
        for worker in &mut all.workers {
            wait_until_ready(worker, interrupt)?;
        }
        Ok(all)
    }

    fn spawn(&self, index: usize) -> Result<Worker, StackError> {
        let command = this_program(&["worker-process"])?;
        // One shared socket, or one for each.
        let listener = &self.listeners[index % self.listeners.len()];
        let mut worker = Worker::spawn(&format!("worker {index}"), command, Some(listener))?;
        worker.start(self.start.clone())?;
        Ok(worker)
    }
}

impl Service for Workers {
    fn address(&self) -> SocketAddr {
        self.address
    }

    /// A worker that died is replaced, as uvicorn and gunicorn do it.
    fn replace_dead(&mut self, troubles: &mut Vec<String>) -> Result<(), StackError> {
        for index in 0..self.workers.len() {
            if let Err(error) = self.workers[index].check() {
                troubles.push(format!("{error}; another took its place"));
                let mut worker = self.spawn(index)?;
                wait_until_ready(&mut worker, &self.interrupt)?;
                self.workers[index] = worker;
            }
        }
        Ok(())
    }

    fn snapshots(&mut self, troubles: &mut Vec<String>) -> Vec<Snapshot> {
        // All are asked before the first answer is awaited.
        let asked: Vec<_> = self.workers.iter_mut().map(Worker::ask).collect();
        let pairs = self.workers.iter_mut().zip(asked);
        let answers =
            pairs.map(|(worker, asked)| asked.and_then(|()| worker.answer(ANSWER_TIMEOUT)));
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

    fn processes(&self) -> Vec<WorkerProcess> {
        let name = |(index, worker): (usize, &Worker)| WorkerProcess {
            name: format!("worker {index}"),
            pid: worker.pid(),
        };
        self.workers.iter().enumerate().map(name).collect()
    }
}

fn wait_until_ready(worker: &mut Worker, interrupt: &Interrupt) -> Result<(), StackError> {
    worker.ready_unless(START_TIMEOUT, || interrupt.is_set())?.ok_or(Interrupted)?;
    Ok(())
}

/// One socket for all workers, or, where the kernel is to spread connections by hash, one for
/// each on the same port.
fn listen(resolved: &Resolved, port: Option<u16>) -> Result<Vec<TcpListener>, StackError> {
    let service = &resolved.scenario.service;
    if service.spread != Spread::Hash {
        return Ok(vec![bind(port, service.backlog, false)?]);
    }
    let first = bind(port, service.backlog, true)?;
    let port = first.local_addr()?.port();
    let others = (1..service.workers).map(|_| bind(Some(port), service.backlog, true));
    let all: Result<Vec<TcpListener>, BindError> =
        std::iter::once(Ok(first)).chain(others).collect();
    Ok(all?)
}
