//! What a process holds: memory.
//!
//! Not its CPU time: the kernel gives that to the process itself in nanoseconds
//! ([`crate::clock::process_cpu`]), and to others in hundredths of a second only. Children
//! are asked for it.

use serde::{Deserialize, Serialize};

use super::bytes_of;

/// What a process holds at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holdings {
    /// Resident memory, in bytes. Kernels before 6.2 count in batches of 64 pages per
    /// thread; an exact count would walk, and lock, the memory of the process that is
    /// being measured.
    pub resident: Option<u64>,
    /// The most resident memory it ever had, in bytes.
    pub resident_peak: Option<u64>,
}

impl Holdings {
    /// What the process `pid` holds; nothing is known of one that has ended.
    pub fn of(pid: u32) -> Holdings {
        Holdings::below(&format!("/proc/{pid}"))
    }

    /// What this process holds.
    pub fn own() -> Holdings {
        Holdings::below("/proc/self")
    }

    fn below(directory: &str) -> Holdings {
        let status = std::fs::read_to_string(format!("{directory}/status")).unwrap_or_default();
        Holdings { resident: bytes_of(&status, "VmRSS"), resident_peak: bytes_of(&status, "VmHWM") }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn memory_is_seen_by_pid_and_from_within() {
        const BYTES: usize = 64 << 20;
        let held = std::hint::black_box(vec![1u8; BYTES]);
        for holdings in [Holdings::of(std::process::id()), Holdings::own()] {
            assert!(holdings.resident >= Some(BYTES as u64));
            assert!(holdings.resident_peak >= holdings.resident);
        }
        drop(held);
    }

    #[test]
    fn nothing_is_known_of_a_process_that_is_not_there() {
        assert_eq!(Holdings::of(u32::MAX), Holdings::default());
    }
}
