//! A service of one's own that runs: its address and its processes.

use std::net::SocketAddr;

use super::OwnService;
use super::keeper::{Ready, Start};
use crate::clock;
use crate::interrupt::Interrupted;
use crate::machine::{Holdings, ProcessReading, ProcessTree, TreeReading};
use crate::stack::{Service, Snapshot, StackError, StartOptions, WorkerProcess};
use crate::supervisor::{Child, START_TIMEOUT, this_program};

/// What processes are called together that came or went while the service was measured.
const OTHERS: &str = "worker processes that came or went";

/// A service that runs.
#[derive(Debug)]
pub(super) struct Running {
    address: SocketAddr,
    /// The process that keeps it, if this program has started it.
    keeper: Option<Child<Start, Ready, ()>>,
    processes: Option<Processes>,
    /// It was told that the service has ended.
    told: bool,
}

/// The processes of a service, and what they had used when they were first looked at.
#[derive(Debug)]
struct Processes {
    tree: ProcessTree,
    base: TreeReading,
    /// What each had used when it was last seen, beyond the base: those that were there
    /// when they were first counted.
    known: Vec<(ProcessReading, u64)>,
    /// No other becomes known.
    settled: bool,
}

impl Running {
    /// Finds the service, or starts it and waits until it accepts connections and has loaded itself.
    ///
    /// # Errors
    /// It does not accept any, or the user wants to end.
    pub(super) fn start(
        own: &OwnService,
        options: &StartOptions<'_>,
    ) -> Result<Running, StackError> {
        let open = own.url.answering(&own.addresses);
        let apart = |tree: ProcessTree| match &own.database {
            Some(database) => database.apart_from(tree),
            None => tree,
        };
        let Some(command) = &own.command else {
            let address = open.map_err(|error| StackError::Own(error.to_string()))?;
            let tree = ProcessTree::listening_at(address);
            let processes = tree.map(apart).map(Processes::new);
            return Ok(Running { address, keeper: None, processes, told: false });
        };
        if open.is_ok() {
            let url = &own.url;
            return Err(StackError::Own(format!(
                "something accepts connections at {url} already: end it, or leave out `--start`"
            )));
        }
        let program = this_program(&["service-process"])?;
        let mut keeper: Child<Start, Ready, ()> = Child::spawn("service", program, None)?;
        let (cpus, addresses) = (options.cpus.clone(), own.addresses.clone());
        keeper.start(Start { command: command.clone(), cpus, addresses })?;
        let interrupt = options.interrupt;
        let ready = keeper.ready_unless(START_TIMEOUT, || interrupt.is_set())?;
        let Ready { address, process } = ready.ok_or(Interrupted)?;
        let tree = ProcessTree::of(process);
        let tree = tree.inspect(|tree| tree.wait_for_rest(|| interrupt.is_set()));
        let processes = tree.map(apart).map(Processes::new);
        Ok(Running { address, keeper: Some(keeper), processes, told: false })
    }
}

impl Service for Running {
    fn address(&self) -> SocketAddr {
        self.address
    }

    /// Nothing is replaced: what ends a service of the user's own is a result.
    fn replace_dead(&mut self, troubles: &mut Vec<String>) -> Result<(), StackError> {
        if self.told {
            return Ok(());
        }
        if let Some(Err(error)) = self.keeper.as_mut().map(Child::check) {
            troubles.push(error.to_string());
            self.told = true;
        } else if self.processes.as_ref().is_some_and(|processes| !processes.tree.lives()) {
            troubles.push("the service ended while it was measured".to_string());
            self.told = true;
        }
        Ok(())
    }

    fn snapshots(&mut self, _: &mut Vec<String>) -> Vec<Snapshot> {
        self.processes.as_mut().map(Processes::snapshots).unwrap_or_default()
    }

    fn memory(&self) -> Vec<Holdings> {
        let known = self.processes.iter().flat_map(|processes| &processes.known);
        let held = known.map(|(process, _)| process.holdings());
        [Holdings::default()].into_iter().chain(held).collect()
    }

    /// Those that were there when they were first counted.
    fn processes(&self) -> Vec<WorkerProcess> {
        let known = self.processes.iter().flat_map(|processes| &processes.known);
        known
            .map(|(process, _)| WorkerProcess { name: process.name.clone(), pid: process.pid })
            .collect()
    }
}

impl Processes {
    fn new(tree: ProcessTree) -> Processes {
        let base = tree.read();
        let known = base.processes.iter().map(|process| (process.clone(), 0)).collect();
        Processes { tree, base, known, settled: false }
    }

    /// First all together that were not there when they were first counted, then each that was.
    fn snapshots(&mut self) -> Vec<Snapshot> {
        let reading = self.tree.read();
        let at = clock::now();
        let known = |new: &&ProcessReading| self.known.iter().any(|(one, _)| one.is(new));
        let mut new: Vec<_> = reading.processes.iter().filter(|one| !known(one)).collect();
        new.retain(|_| !self.settled);
        self.known.extend(new.into_iter().map(|new| (ProcessReading { cpu: 0, ..new.clone() }, 0)));
        self.settled = true;
        for (process, used) in &mut self.known {
            if let Some(now) = process.find(&reading) {
                *used = now.cpu.saturating_sub(process.cpu);
            }
        }
        let all = reading.cpu_since(&self.base);
        let each = self.known.iter().enumerate().map(|(index, (process, used))| Snapshot {
            process: process.pid,
            name: format!("worker {index} ({}, process {})", process.name, process.pid),
            at,
            cpu: *used,
            ..Snapshot::default()
        });
        let known: u64 = self.known.iter().map(|(_, used)| used).sum();
        let cpu = all.saturating_sub(known);
        let others = Snapshot { name: OTHERS.into(), at, cpu, ..Snapshot::default() };
        [others].into_iter().chain(each).collect()
    }
}
