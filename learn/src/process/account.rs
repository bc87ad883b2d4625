//! CPU time of a service's processes, in nanoseconds.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use live::machine::{Cpus, ProcessReading, ProcessTree, TreeReading};

use super::ProcessError;

/// What the processes of a service have used so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// CPU time of all of them since the account was opened, in nanoseconds. That of processes
    /// which have ended is known in ticks of 10 ms.
    pub nanos: u64,
    /// CPU time of the first thread of each that lives, in nanoseconds.
    pub main: u64,
    /// How long threads that live could have run, but no processor was free, in nanoseconds.
    pub delayed: u64,
    /// Threads that live.
    pub threads: u64,
    /// Processes that live.
    pub processes: u64,
}

/// Counts the CPU time of the processes of a service.
#[derive(Debug)]
pub struct Account(Kind);

#[derive(Debug)]
enum Kind {
    Tree { tree: ProcessTree, last: TreeReading, nanos: u64 },
    Cgroup(PathBuf),
}

impl Account {
    /// Counts the process `pid` and all below it.
    ///
    /// # Errors
    /// It is not there.
    pub fn of_process(pid: u32) -> Result<Account, ProcessError> {
        ProcessTree::of(pid).map(Account::of_tree).ok_or(ProcessError::NoProcess(pid))
    }

    /// Counts the processes that listen at `address`, and all below them.
    ///
    /// # Errors
    /// There are none that this user may see.
    pub fn of_listener(address: SocketAddr) -> Result<Account, ProcessError> {
        let tree = ProcessTree::listening_at(address);
        tree.map(Account::of_tree).ok_or(ProcessError::NoListener(address.port()))
    }

    fn of_tree(tree: ProcessTree) -> Account {
        let last = tree.read();
        Account(Kind::Tree { tree, last, nanos: 0 })
    }

    /// Counts everything in the control group whose folder is `path`.
    ///
    /// # Errors
    /// It is none, or this program is in it.
    pub fn of_cgroup(path: &Path) -> Result<Account, ProcessError> {
        usage(path)?;
        if pids(path).contains(&std::process::id()) {
            return Err(ProcessError::OwnCgroup(path.to_path_buf()));
        }
        Ok(Account(Kind::Cgroup(path.to_path_buf())))
    }

    /// The processes that live.
    pub fn pids(&self) -> BTreeSet<u32> {
        match &self.0 {
            Kind::Tree { tree, .. } => {
                tree.read().processes.iter().map(|process| process.pid).collect()
            }
            Kind::Cgroup(path) => pids(path),
        }
    }

    /// Processors that the service may use.
    pub fn cpus(&self) -> Option<Cpus> {
        let Kind::Tree { tree, .. } = &self.0 else { return None };
        tree.cpus()
    }

    /// How many they are.
    pub fn cores(&self) -> Option<u32> {
        u32::try_from(self.cpus()?.numbers().len()).ok()
    }

    /// Reads the account.
    ///
    /// # Errors
    /// None of the processes is left.
    pub fn read(&mut self) -> Result<Reading, ProcessError> {
        match &mut self.0 {
            Kind::Tree { tree, last, nanos } => {
                let now = tree.read();
                if now.processes.is_empty() {
                    let first = last.processes.first().map_or(0, |process| process.pid);
                    return Err(ProcessError::NoProcess(first));
                }
                *nanos += now.cpu_since(last);
                *last = now;
                Ok(of_processes(*nanos, &last.processes))
            }
            Kind::Cgroup(path) => {
                let nanos = usage(path)?;
                let process = |pid| ProcessReading { pid, ..ProcessReading::default() };
                let processes: Vec<ProcessReading> = pids(path).into_iter().map(process).collect();
                Ok(of_processes(nanos, &processes))
            }
        }
    }
}

fn of_processes(nanos: u64, processes: &[ProcessReading]) -> Reading {
    let mut reading = Reading { nanos, processes: processes.len() as u64, ..Reading::default() };
    for process in processes {
        let threads = process.threads();
        reading.threads += threads.len() as u64;
        reading.delayed += threads.iter().map(|thread| thread.delayed).sum::<u64>();
        let first = threads.iter().find(|thread| thread.tid == process.pid);
        reading.main += first.map_or(0, |thread| thread.cpu);
    }
    reading
}

fn pids(group: &Path) -> BTreeSet<u32> {
    let text = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    text.lines().filter_map(|line| line.trim().parse().ok()).collect()
}

/// CPU time of a control group, in nanoseconds.
fn usage(path: &Path) -> Result<u64, ProcessError> {
    let refused = |source| ProcessError::Cgroup { path: path.to_path_buf(), source };
    let text = fs::read_to_string(path.join("cpu.stat")).map_err(refused)?;
    let usage = text.lines().find_map(|line| line.strip_prefix("usage_usec ")?.trim().parse().ok());
    let usage: u64 = usage.ok_or_else(|| refused(std::io::ErrorKind::InvalidData.into()))?;
    Ok(usage * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_counted_by_its_clock_and_its_first_thread_apart() {
        let mut account = Account::of_process(std::process::id()).expect("itself");
        let before = account.read().expect("it lives");
        let burned = std::thread::spawn(|| {
            let start = live::clock::thread_cpu();
            while live::clock::thread_cpu() - start < 20_000_000 {
                std::hint::black_box(0);
            }
        });
        burned.join().expect("it ends");
        let after = account.read().expect("it lives");
        assert!(after.nanos - before.nanos >= 20_000_000);
        assert!(after.threads >= 1 && after.processes >= 1);
    }

    #[test]
    fn what_is_not_there_is_refused() {
        assert!(matches!(Account::of_process(u32::MAX), Err(ProcessError::NoProcess(u32::MAX))));
        assert!(Account::of_cgroup(Path::new("/no/such/group")).is_err());
    }
}
