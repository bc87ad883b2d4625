//! The processes of the service, seen from outside while a round is measured.
//!
//! The service is not asked: its answer would cost its own CPU time. The kernel's accounts of
//! another process cost the one that reads them.

use crate::clock;
use crate::machine::{Holdings, cpu_of};
use crate::stack::WorkerProcess;

/// A process of the service between two looks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WorkerReading {
    /// Which one.
    pub process: WorkerProcess,
    /// Processors that its threads used since the look before; none at the first.
    pub cpu: Option<f64>,
    /// Resident memory in bytes.
    pub memory: Option<u64>,
}

/// Looks at processes again and again.
#[derive(Debug, Default)]
pub(super) struct Workers {
    /// What each had used, and when, at the last look.
    seen: Vec<(u32, u64, u64)>,
}

impl Workers {
    /// What `processes` have used since the last look.
    pub(super) fn look(&mut self, processes: Vec<WorkerProcess>) -> Vec<WorkerReading> {
        let (mut seen, mut readings) = (Vec::new(), Vec::new());
        for process in processes {
            let Some(used) = cpu_of(process.pid) else { continue };
            let (pid, at) = (process.pid, clock::now());
            let before = self.seen.iter().find(|(one, ..)| *one == pid);
            let cpu = before.map(|&(_, before, since)| {
                used.saturating_sub(before) as f64 / at.saturating_sub(since).max(1) as f64
            });
            seen.push((pid, used, at));
            readings.push(WorkerReading { process, cpu, memory: Holdings::of(pid).resident });
        }
        self.seen = seen;
        readings
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_uses_is_told_from_the_second_look_on() {
        let own = || vec![WorkerProcess { name: "own".into(), pid: std::process::id() }];
        let mut workers = Workers::default();
        assert_eq!(workers.look(own())[0].cpu, None);
        let enough = clock::thread_cpu() + 5_000_000;
        while clock::thread_cpu() < enough {
            std::hint::black_box(0);
        }
        let reading = &workers.look(own())[0];
        assert!(reading.cpu > Some(0.0) && reading.memory > Some(0), "{reading:?}");
        // One that is gone is left out, and is another one should it come again.
        assert!(workers.look(Vec::new()).is_empty());
        assert_eq!(workers.look(own())[0].cpu, None);
    }
}
