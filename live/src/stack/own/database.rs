//! The database of a service of one's own: of its processes only their CPU time, memory and processors
//! are seen.

use crate::clock;
use crate::machine::{Cpus, ProcessTree, TreeReading};
use crate::postgres::Reading;

/// A database server that was there before, and stays.
#[derive(Clone, Debug)]
pub struct OwnDatabase {
    tree: ProcessTree,
    base: TreeReading,
}

impl OwnDatabase {
    /// The server of which `pid` is a process, with all that it has started.
    ///
    /// # Errors
    /// There is no such process.
    pub fn of(pid: u32) -> Result<OwnDatabase, String> {
        let tree = ProcessTree::of(pid).ok_or_else(|| {
            format!(
                "there is no process {pid}: give --database-pid the first process of the database's \
                 server, as `pgrep -o postgres` names it"
            )
        })?;
        let base = tree.read();
        Ok(OwnDatabase { tree, base })
    }

    /// The processes of `service` alone, should it have started this server.
    pub(super) fn apart_from(&self, service: ProcessTree) -> ProcessTree {
        service.without(&self.tree)
    }

    /// The processors that it may run on; none if that cannot be seen.
    pub(crate) fn cpus(&self) -> Cpus {
        self.tree.cpus().unwrap_or_default()
    }

    /// What it has used so far; none if it has ended.
    pub(crate) fn read(&self) -> Option<Reading> {
        let reading = self.tree.read();
        let memory = reading.living().filter_map(|process| process.holdings().resident).sum();
        self.tree.lives().then(|| Reading {
            at: clock::now(),
            cpu: reading.cpu_since(&self.base),
            memory,
            ..Reading::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn what_a_process_and_its_children_use_is_seen_until_it_ends() {
        let mut server = Command::new("sh")
            .args(["-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; exec sleep 60"])
            .spawn()
            .expect("a shell");
        let database = OwnDatabase::of(server.id()).expect("it runs");
        assert!(database.read().is_some_and(|reading| reading.memory > 0));
        while database.read().expect("it runs").cpu == 0 {
            std::thread::yield_now();
        }
        server.kill().expect("it can be ended");
        server.wait().expect("it has ended");
        assert_eq!(database.read(), None);
        assert!(OwnDatabase::of(server.id()).is_err());
    }
}
