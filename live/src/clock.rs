//! Clocks of the kernel, in integer nanoseconds.
//!
//! The monotonic clock is one for the whole machine: instants of different processes can
//! be compared, and the load generator's are compared with the service's.

use model::units::Span;
use rustix::time::{ClockId, Timespec, clock_getres, clock_gettime};

/// Nanoseconds of the machine's monotonic clock.
pub fn now() -> u64 {
    nanos(clock_gettime(ClockId::Monotonic))
}

/// CPU time that this thread has used, in nanoseconds. Preemption does not count.
pub fn thread_cpu() -> u64 {
    nanos(clock_gettime(ClockId::ThreadCPUTime))
}

/// CPU time that all threads of this process have used, those that have ended included, in
/// nanoseconds.
pub fn process_cpu() -> u64 {
    nanos(clock_gettime(ClockId::ProcessCPUTime))
}

/// Time between two of the kernel's ticks: it is what its coarse clock is good for. None where that
/// is no time between ticks of Linux, 1 to 10 ms, as under a kernel that only looks like it. With a
/// timer for each slice (`HRTICK`, which Linux has off by default) the kernel need not wait for one.
pub fn tick() -> Option<Span> {
    let tick = Span::from_nanos(nanos(clock_getres(ClockId::MonotonicCoarse)));
    (Span::from_millis(1)..=Span::from_millis(10)).contains(&tick).then_some(tick)
}

fn nanos(time: Timespec) -> u64 {
    // These clocks start at zero and never run backwards.
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_passes_only_while_computing() {
        let (before, cpu) = (now(), thread_cpu());
        std::thread::sleep(std::time::Duration::from_millis(20));
        assert!(now() - before >= 20_000_000);
        let slept = thread_cpu() - cpu;
        while thread_cpu() - cpu < slept + 1_000_000 {
            std::hint::black_box(0);
        }
        // Another thread's work counts for the process alone.
        assert!(process_cpu() >= thread_cpu());
    }
}
