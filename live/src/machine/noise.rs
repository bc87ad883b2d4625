//! What else ran on the machine while it was measured, and whether its clock can be
//! trusted: two readings, one when the counted window opens and one when it closes.

use rustix::time::{ClockId, Timespec, clock_gettime};

use super::cpus::Cpus;
use super::facts::clock_source;
use super::kernel::Threads;
use crate::clock;

/// Largest difference between the rates of the steered and the raw clock. Steering by
/// network time stays below half of it.
const RATE_MAX: f64 = 0.001;
/// Shortest pause of the machine that counts as suspended, in nanoseconds.
const SUSPENDED_MIN: u64 = 10_000_000;
/// Sources that take longer to read than many a burst of CPU time that is measured.
const SLOW_SOURCES: [&str; 4] = ["hpet", "acpi_pm", "jiffies", "refined-jiffies"];

/// What the kernel has counted up to a moment.
#[derive(Clone, Debug)]
pub struct MachineReading {
    /// On the monotonic clock, in nanoseconds.
    at: u64,
    /// The unsteered clock minus the monotonic one; none if there is none.
    raw: Option<Offset>,
    /// The clock that goes on while the machine sleeps, minus the monotonic one.
    boot: Option<Offset>,
    source: Option<String>,
    /// By CPU, in nanoseconds.
    cpus: Vec<(usize, Times)>,
    kernel: Threads,
}

/// A clock against the monotonic one, in nanoseconds.
#[derive(Clone, Copy, Debug)]
struct Offset {
    value: i64,
    /// It may be wrong by this much.
    error: u64,
}

/// How a CPU spent its time, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Times {
    /// Idle, or idle while a disk worked.
    idle: u64,
    irq: u64,
    softirq: u64,
    /// Wanted to run, but the machine below ran something else.
    steal: u64,
}

/// How a set of CPUs spent a window: shares, of all their time, between 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Noise {
    /// Running something.
    pub busy: f64,
    /// Taken by the machine below, for other guests.
    pub steal: f64,
    /// Running threads of the kernel that are bound to them: what they do is done for the
    /// processes there.
    pub kernel: f64,
    /// Running processes that are not ours.
    pub others: f64,
}

/// Why the clock cannot be trusted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ClockTrouble {
    /// It runs fast or slow.
    #[error(
        "the clock was being corrected: it ran {:.2} % {} than the hardware's",
        .0.abs() * 100.0,
        if *.0 > 0.0 { "faster" } else { "slower" }
    )]
    Rate(f64),
    /// The machine slept.
    #[error("the machine was suspended for {:.2} s", *.0 as f64 / 1e9)]
    Suspended(u64),
    /// The kernel changed its mind about the hardware.
    #[error("the kernel changed its clock from {0} to {1}")]
    Changed(String, String),
    /// Reading the clock is slow.
    #[error("the kernel's clock is {0}, which is slow to read: short CPU times are too long")]
    Slow(String),
}

impl MachineReading {
    /// Reads the machine now.
    pub fn take() -> MachineReading {
        let tick = 1_000_000_000 / os::ticks_per_second();
        let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
        MachineReading {
            at: clock::now(),
            raw: os::RAW.map(offset),
            boot: os::BOOT.map(offset),
            source: clock_source(),
            cpus: parse(&stat, tick),
            kernel: Threads::take(),
        }
    }

    /// How `cpus` spent the time from this reading to `close`, in which our own processes
    /// used `ours` nanoseconds of their CPU time. None if the kernel did not tell.
    ///
    /// The kernel counts in hundredths of a second: good enough over seconds.
    pub fn noise(&self, close: &MachineReading, cpus: &Cpus, ours: u64) -> Option<Noise> {
        let elapsed = close.at.checked_sub(self.at)?;
        let all = elapsed.checked_mul(cpus.count() as u64).filter(|&all| all > 0)?;
        let (mut busy, mut steal) = (0, 0);
        for &cpu in cpus.numbers() {
            let spent = close.of(cpu)?.since(self.of(cpu)?);
            // What is not idle is busy: idle time is counted exactly, busy time by looking
            // what runs a hundred times a second or so.
            busy += elapsed.saturating_sub(spent.idle + spent.steal);
            steal += spent.steal;
        }
        let kernel = self.kernel.bound(&close.kernel, cpus);
        // Kernel threads that are bound to no CPU may have run on these; they are no programs.
        let threads = kernel + self.kernel.unbound(&close.kernel);
        let others = busy.saturating_sub(ours + threads + self.interrupts(close, cpus)?);
        let share = |part: u64| (part as f64 / all as f64).min(1.0);
        Some(Noise {
            busy: share(busy),
            steal: share(steal),
            kernel: share(kernel),
            others: share(others),
        })
    }

    /// Time in interrupts that the kernel does not charge to the process that was
    /// interrupted: they come from our own traffic rather than from others. Kernels that
    /// charge it to the process leave the first column at zero.
    fn interrupts(&self, close: &MachineReading, cpus: &Cpus) -> Option<u64> {
        let mut sum = 0;
        for &cpu in cpus.numbers() {
            let total = close.of(cpu)?;
            if total.irq > 0 {
                let spent = total.since(self.of(cpu)?);
                sum += spent.irq + spent.softirq;
            }
        }
        Some(sum)
    }

    fn of(&self, cpu: usize) -> Option<Times> {
        self.cpus.iter().find(|&&(number, _)| number == cpu).map(|&(_, times)| times)
    }

    /// What was wrong with the clock from this reading to `close`.
    pub fn clock_troubles(&self, close: &MachineReading) -> Vec<ClockTrouble> {
        let mut troubles = Vec::new();
        let elapsed = close.at.saturating_sub(self.at);
        if let (Some(open), Some(close)) = (self.raw, close.raw) {
            // The raw clock's advance over ours means that ours is slow.
            let (drift, error) = (open.value - close.value, open.error + close.error);
            let rate = drift as f64 / elapsed.max(1) as f64;
            if drift.unsigned_abs() > error + (RATE_MAX * elapsed as f64) as u64 {
                troubles.push(ClockTrouble::Rate(rate));
            }
        }
        if let (Some(open), Some(close)) = (self.boot, close.boot) {
            let slept = (close.value - open.value).max(0) as u64;
            if slept > SUSPENDED_MIN + open.error + close.error {
                troubles.push(ClockTrouble::Suspended(slept));
            }
        }
        match (&self.source, &close.source) {
            (Some(open), Some(close)) if open != close => {
                troubles.push(ClockTrouble::Changed(open.clone(), close.clone()));
            }
            (Some(open), _) if SLOW_SOURCES.contains(&open.as_str()) => {
                troubles.push(ClockTrouble::Slow(open.clone()));
            }
            _ => {}
        }
        troubles
    }
}

impl Times {
    fn since(self, earlier: Times) -> Times {
        // The kernel corrects some counters downwards now and then.
        Times {
            idle: self.idle.saturating_sub(earlier.idle),
            irq: self.irq.saturating_sub(earlier.irq),
            softirq: self.softirq.saturating_sub(earlier.softirq),
            steal: self.steal.saturating_sub(earlier.steal),
        }
    }
}

/// The lines `cpu0 user nice system idle iowait irq softirq steal ...` of `/proc/stat`.
fn parse(stat: &str, tick: u64) -> Vec<(usize, Times)> {
    let line = |line: &str| {
        let (name, counts) = line.split_once(' ')?;
        let cpu = name.strip_prefix("cpu")?.parse().ok()?;
        let counts: Option<Vec<u64>> = counts.split_whitespace().map(|n| n.parse().ok()).collect();
        let [_, _, _, idle, iowait, irq, softirq, steal] = *counts?.first_chunk()?;
        let times = Times {
            idle: (idle + iowait) * tick,
            irq: irq * tick,
            softirq: softirq * tick,
            steal: steal * tick,
        };
        Some((cpu, times))
    };
    stat.lines().filter_map(line).collect()
}

/// `clock` minus the monotonic clock. A thread may lose its CPU between two clocks, so the
/// closest of a few readings counts.
fn offset(clock: ClockId) -> Offset {
    let read = || {
        let before = clock::now() as i64;
        let Timespec { tv_sec, tv_nsec } = clock_gettime(clock);
        let error = clock::now() as i64 - before;
        let value = tv_sec * 1_000_000_000 + tv_nsec - before;
        Offset { value, error: error as u64 }
    };
    let first = read();
    (0..8)
        .map(|_| read())
        .fold(first, |best, next| if next.error < best.error { next } else { best })
}

#[cfg(target_os = "linux")]
mod os {
    use rustix::time::ClockId;

    pub(super) const RAW: Option<ClockId> = Some(ClockId::MonotonicRaw);
    pub(super) const BOOT: Option<ClockId> = Some(ClockId::Boottime);

    /// In which `/proc/stat` counts.
    pub(super) fn ticks_per_second() -> u64 {
        rustix::param::clock_ticks_per_second().max(1)
    }
}

#[cfg(not(target_os = "linux"))]
mod os {
    use rustix::time::ClockId;

    pub(super) const RAW: Option<ClockId> = None;
    pub(super) const BOOT: Option<ClockId> = None;

    pub(super) fn ticks_per_second() -> u64 {
        100
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const TICK: u64 = SECOND / 100;

    const OPEN: &str = "cpu  3000 10 500 9000 50 0 20 30 0 0\n\
                        cpu0 1000 10 200 4000 50 0 10 10 0 0\n\
                        cpu1 2000 0 300 5000 0 0 10 20 0 0\n\
                        intr 5 0 0\nctxt 77\nbtime 1\n";

    fn reading(at: u64, stat: &str) -> MachineReading {
        let cpus = parse(stat, TICK);
        MachineReading { at, raw: None, boot: None, source: None, cpus, kernel: Threads::default() }
    }

    fn cpus(text: &str) -> Cpus {
        Cpus::parse(text).expect("a list")
    }

    fn near(found: f64, wanted: f64) {
        assert!((found - wanted).abs() < 1e-9, "{found} is not {wanted}");
    }

    #[test]
    fn the_lines_of_single_cpus_are_read() {
        let found = parse(OPEN, TICK);
        let idle = 4050 * TICK;
        let first = Times { idle, irq: 0, softirq: 10 * TICK, steal: 10 * TICK };
        assert_eq!((found.len(), found[0]), (2, (0, first)));
        // Old kernels have fewer columns: their lines say too little.
        assert_eq!(parse("cpu0 1 2 3 4\n", TICK), []);
        assert_eq!(parse("cpu0 1 2 3 4 x 6 7 8\n", TICK), []);
    }

    #[test]
    fn time_that_is_neither_idle_nor_stolen_nor_ours_is_that_of_others() {
        // Ten seconds later: CPU 1 was idle for 2 s and robbed of 1 s.
        let close = "cpu0 1000 10 200 5000 50 0 10 10\ncpu1 2600 0 350 5200 0 0 60 120\n";
        let (open, close) = (reading(0, OPEN), reading(10 * SECOND, close));
        let noise = open.noise(&close, &cpus("1"), 6 * SECOND).expect("both tell of it");
        near(noise.busy, 0.7);
        near(noise.steal, 0.1);
        near(noise.others, 0.1);
        // CPU 0 did nothing: over both, shares are halved.
        let both = open.noise(&close, &cpus("0-1"), 6 * SECOND).expect("both tell of it");
        near(both.steal, 0.05);
        near(both.others, 0.05);
        // Rounding never makes others' time negative.
        near(open.noise(&close, &cpus("1"), 9 * SECOND).expect("both tell of it").others, 0.0);
        assert_eq!(open.noise(&close, &cpus("2"), 0), None);
        assert_eq!(open.noise(&close, &Cpus::default(), 0), None);
        assert_eq!(open.noise(&reading(0, OPEN), &cpus("1"), 0), None);
    }

    #[test]
    fn interrupts_that_nobody_is_charged_for_are_not_others() {
        let open = reading(0, "cpu0 0 0 0 0 0 50 50 0\n");
        let close = reading(10 * SECOND, "cpu0 700 0 0 0 0 150 250 0\n");
        let noise = open.noise(&close, &cpus("0"), 6 * SECOND).expect("both tell of it");
        near(noise.others, 0.1);
    }

    #[test]
    fn a_clock_that_drifts_sleeps_or_changes_is_told() {
        let exact = |value| Some(Offset { value, error: 1000 });
        let source = Some("tsc".to_string());
        let open = MachineReading {
            at: 0,
            raw: exact(0),
            boot: exact(0),
            source: source.clone(),
            cpus: Vec::new(),
            kernel: Threads::default(),
        };
        let at = 10 * SECOND;
        let good = MachineReading { at, raw: exact(-5_000_000), ..open.clone() };
        assert_eq!(open.clock_troubles(&good), []);
        let fast = MachineReading { at, raw: exact(-50_000_000), ..open.clone() };
        assert_eq!(open.clock_troubles(&fast), [ClockTrouble::Rate(0.005)]);
        assert!(ClockTrouble::Rate(0.005).to_string().contains("0.50 % faster"));
        let slept = MachineReading { at, boot: exact(3 * SECOND as i64), ..open.clone() };
        assert_eq!(open.clock_troubles(&slept), [ClockTrouble::Suspended(3 * SECOND)]);
        let changed = MachineReading { at, source: Some("hpet".into()), ..open.clone() };
        let told = ClockTrouble::Changed("tsc".into(), "hpet".into());
        assert_eq!(open.clock_troubles(&changed), [told]);
        assert_eq!(changed.clock_troubles(&changed), [ClockTrouble::Slow("hpet".into())]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_can_be_read() {
        let allowed = Cpus::allowed();
        let open = MachineReading::take();
        std::thread::sleep(std::time::Duration::from_millis(100));
        let close = MachineReading::take();
        let noise = open.noise(&close, &allowed, 0).expect("Linux tells");
        assert!((0.0..=1.0).contains(&noise.busy) && (0.0..=1.0).contains(&noise.steal));
        assert!(noise.others <= noise.busy);
    }
}
