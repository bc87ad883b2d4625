//! How long after its wake-up does a thread run, beside others on one processor? The trace that
//! docs/model.md holds the schedulers of the model against.
//!
//!     cargo run --release -p live --example wake_ups -- 4 2 4 0
//!     cargo run --release -p live --example wake_ups -- 4 2 4 0 cpu-clock
//!
//! Four threads that compute for 2 ms and sleep for 4 ms, on average (half to one and a half of it), beside
//! none that only computes. With `cpu-clock` they look at their CPU clock while they compute, which
//! ends turns early.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program of its own")]

use std::error::Error;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use live::clock::{now, thread_cpu};
use live::machine::{Cpus, pin};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// Wake-ups of each thread.
const WAKE_UPS: usize = 600;
/// The processor that they share.
const PROCESSOR: usize = 1;
/// A wake-up that runs within this many nanoseconds has waited for nothing.
const AT_ONCE: u64 = 300_000;

/// How long threads compute and sleep, in nanoseconds, and by which clock they compute.
#[derive(Clone, Copy)]
struct Habit {
    compute: u64,
    sleep: u64,
    by_cpu_clock: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (numbers, by_cpu_clock) = match words.as_slice() {
        [numbers @ .., "cpu-clock"] => (numbers, true),
        numbers => (numbers, false),
    };
    let [sleepers, compute, sleep, others] = numbers else {
        return Err("usage: wake_ups SLEEPERS COMPUTE_MS SLEEP_MS OTHERS [cpu-clock]".into());
    };
    let nanos = |text: &str| text.parse::<f64>().map(|number| (number * 1e6) as u64);
    let habit = Habit { compute: nanos(compute)?, sleep: nanos(sleep)?, by_cpu_clock };
    let (sleepers, others): (u64, u64) = (sleepers.parse()?, others.parse()?);
    // Threads that are started now have the same processor.
    pin(&Cpus::new(vec![PROCESSOR]))?;
    let over = AtomicBool::new(false);
    let mut delays: Vec<u64> = std::thread::scope(|scope| {
        for _ in 0..others {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    compute_for(1_000_000, by_cpu_clock);
                }
            });
        }
        let all: Vec<_> =
            (0..sleepers).map(|seed| scope.spawn(move || wakes(habit, seed))).collect();
        let delays = all.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect();
        over.store(true, Ordering::Relaxed);
        delays
    });
    delays.sort_unstable();
    let at_once = delays.iter().filter(|delay| **delay < AT_ONCE).count();
    let quantile = |share: usize| delays[(delays.len() - 1) * share / 100] as f64 / 1e6;
    println!(
        "within 0.3 ms: {} %   P50 {:.2} ms   P75 {:.2} ms   P90 {:.2} ms   P99 {:.2} ms",
        100 * at_once / delays.len(),
        quantile(50),
        quantile(75),
        quantile(90),
        quantile(99),
    );
    Ok(())
}

/// Computes and sleeps; returns how long after its time each wake-up came.
fn wakes(habit: Habit, seed: u64) -> Vec<u64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut about = |mean: u64| mean / 2 + random.next_u64() % mean.max(1);
    (0..WAKE_UPS)
        .map(|_| {
            compute_for(about(habit.compute), habit.by_cpu_clock);
            let wanted = now() + about(habit.sleep);
            std::thread::sleep(Duration::from_nanos(wanted.saturating_sub(now())));
            now().saturating_sub(wanted)
        })
        .collect()
}

/// Computes for so many nanoseconds. Without the thread's CPU clock, pieces of work that take many times
/// longer than the shortest were interrupted, and count as the shortest.
fn compute_for(span: u64, by_cpu_clock: bool) {
    let (end, mut used, mut shortest) = (thread_cpu() + span, 0, u64::MAX);
    let mut before = now();
    while if by_cpu_clock { thread_cpu() < end } else { used < span } {
        for round in 0..400_u64 {
            black_box(round.wrapping_mul(6_364_136_223_846_793_005));
        }
        let after = now();
        let took = after - before;
        shortest = shortest.min(took.max(1));
        used += if took < 4 * shortest { took } else { shortest };
        before = after;
    }
}
