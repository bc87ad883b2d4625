//! Clocks of the kernel, in integer nanoseconds.
//!
//! The monotonic clock is one for the whole machine: instants of different processes can
//! be compared, and the load generator's are compared with the service's.

use std::cell::OnceCell;
use std::fs::File;
use std::os::unix::fs::FileExt as _;

use model::units::Span;
use rustix::time::{ClockId, Timespec, clock_getres, clock_gettime};

/// Nanoseconds of the machine's monotonic clock.
pub fn now() -> u64 {
    nanos(clock_gettime(ClockId::Monotonic))
}

/// CPU time that this thread has used, in nanoseconds. Preemption does not count.
///
/// To ask for it changes what is measured: the kernel charges the running thread first
/// (`task_sched_runtime`, `update_curr`), and where its slice is over by then, another thread's turn begins
/// at once and not at the next tick. [`awake`] does not do that.
pub fn thread_cpu() -> u64 {
    nanos(clock_gettime(ClockId::ThreadCPUTime))
}

/// A clock that stands still while this thread waits for a processor: between two looks, without a wait
/// for anything else, as much time passes on it as the thread computes. In nanoseconds.
///
/// It is the monotonic clock less the thread's wait in queues of processors (`run_delay`, which the kernel
/// adds up when a thread begins its turn), and changes nothing of that thread's turn. Where the
/// kernel does not tell, it is the clock of the thread's CPU time.
pub fn awake() -> u64 {
    thread_local! {
        static WAITS: OnceCell<Option<File>> = const { OnceCell::new() };
    }
    WAITS.with(|file| {
        let file = file.get_or_init(|| File::open("/proc/thread-self/schedstat").ok());
        // Both clocks are to be read without a wait between them.
        loop {
            let before = now();
            let Some(waited) = file.as_ref().and_then(run_delay) else { return thread_cpu() };
            let after = now();
            if after - before < AT_A_TIME {
                return after.saturating_sub(waited);
            }
        }
    })
}

/// Nanoseconds in which two clocks are read, if nothing comes between.
const AT_A_TIME: u64 = 50_000;

/// How long a thread has waited for processors, by its file `schedstat`.
fn run_delay(schedstat: &File) -> Option<u64> {
    let mut text = [0; 64];
    let length = schedstat.read_at(&mut text, 0).ok()?;
    let text = std::str::from_utf8(&text[..length]).ok()?;
    text.split_ascii_whitespace().nth(1)?.parse().ok()
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

    #[test]
    fn time_without_a_processor_is_no_time_awake() {
        // Eight times as many threads as processors: each computes for an eighth of the time at most.
        let threads = 8 * std::thread::available_parallelism().map_or(2, usize::from);
        let computes = || {
            let (before, cpu) = (awake(), thread_cpu());
            while thread_cpu() - cpu < 20_000_000 {
                std::hint::black_box(0);
            }
            (awake() - before, thread_cpu() - cpu)
        };
        std::thread::scope(|scope| {
            let all: Vec<_> = (0..threads).map(|_| scope.spawn(computes)).collect();
            for thread in all {
                let (passed, computed) = thread.join().expect("no panic");
                // Interrupts and a hypervisor take some of it.
                assert!(passed < 4 * computed && 2 * passed > computed, "{passed} of {computed}");
            }
        });
    }
}
