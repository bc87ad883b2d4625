//! Traces worked out by hand: which thread gets the core when.

use std::collections::BTreeMap;

use model::scenario::{Cpu as Machine, Scheduler as Rules};
use model::units::{Instant, Span};

use crate::cpu::{Cores, Kernel, Switch};

/// What a thread does: it begins at the first time, and then computes and sleeps. Microseconds.
struct Program {
    begins: u64,
    steps: &'static [(u64, u64)],
}

/// A thread that computes for ever.
const HOG: &[(u64, u64)] = &[(1_000_000, 0)];

fn at(micros: u64) -> Instant {
    Instant::from_nanos(micros * 1000)
}

/// Which program gets the core at which microsecond, up to `until`. Slices are `slice` microseconds, and
/// ticks come every four milliseconds, from zero on.
fn trace(scheduler: Rules, slice: u64, programs: &[Program], until: u64) -> Vec<(u64, u32)> {
    let machine = Machine {
        cores: 1,
        speed: 1.0,
        scheduler,
        slice: Span::from_micros(slice),
        tick: Span::from_millis(4),
        quota: None,
    };
    let free = Switch { thread: Span::ZERO, process: Span::ZERO };
    let mut cpu = Cores::new(&machine, Kernel { phase: 0, switch: free }, Span::ZERO);
    let mut wakes: BTreeMap<(u64, u32), ()> = BTreeMap::new();
    for (thread, program) in (0..).zip(programs) {
        wakes.insert((program.begins, thread), ());
    }
    let mut step = vec![0; programs.len()];
    let mut work: Vec<Span> = vec![Span::ZERO; programs.len()];
    let mut trace = Vec::new();
    let mut sequence = 0;
    loop {
        let wake = wakes.keys().next().copied();
        let timer = cpu.next().0.at();
        let now = wake.map_or(timer, |(micros, _)| at(micros).min(timer));
        if now > at(until) {
            return trace;
        }
        sequence += 1;
        match wake.filter(|(micros, _)| at(*micros) == now) {
            Some(key) => {
                wakes.remove(&key);
                let thread = key.1 as usize;
                work[thread] = Span::from_micros(programs[thread].steps[step[thread]].0);
                cpu.wake(key.1, now);
            }
            None => {
                let thread = cpu.thread(0);
                let index = thread as usize;
                work[index] = work[index].saturating_sub(cpu.charge(0, now));
                if work[index].is_zero() {
                    cpu.vacate(0, now);
                    let slept = programs[index].steps[step[index]].1;
                    step[index] += 1;
                    if step[index] < programs[index].steps.len() {
                        wakes.insert((now.nanos() / 1000 + slept, thread), ());
                    }
                } else if cpu.turn_is_over(0, now) {
                    cpu.vacate(0, now);
                    cpu.requeue(thread);
                } else {
                    cpu.run(0, work[index], now, sequence);
                }
            }
        }
        while let Some((core, thread, _)) = cpu.dispatch(now, |_| 0) {
            trace.push((now.nanos() / 1000, thread));
            cpu.run(core, work[thread as usize], now, sequence);
        }
        if cpu.has_ready() {
            cpu.limit_turns(now, sequence);
        }
    }
}

fn eevdf(programs: &[Program], until: u64) -> Vec<(u64, u32)> {
    trace(Rules::Eevdf, 3000, programs, until)
}

#[test]
fn two_threads_that_compute_change_at_each_tick_after_a_slice() {
    let hogs = [Program { begins: 0, steps: HOG }, Program { begins: 0, steps: HOG }];
    let changes = [(0, 0), (4000, 1), (8000, 0), (12_000, 1), (16_000, 0)];
    assert_eq!(eevdf(&hogs, 17_000), changes);
    // A slice of more than a tick ends with the second one.
    let longer = trace(Rules::Eevdf, 5000, &hogs, 25_000);
    // The first request is half a slice: it ends with the first tick.
    assert_eq!(longer, [(0, 0), (4000, 1), (8000, 0), (16_000, 1), (24_000, 0)]);
}

#[test]
fn a_thread_that_is_owed_nothing_waits_for_a_tick_and_one_that_is_owed_takes_the_core() {
    let hog = Program { begins: 0, steps: HOG };
    // It comes at 10 ms: both are at the mean, and the request of the hog, renewed at the tick of
    // 8 ms, is due at 11 ms, before its own at 11.5 ms. At the tick of 12 ms the hog has got more than
    // the mean. It computes for 1 ms and is then owed half a millisecond, so that at 18 ms the hog has
    // got more than the mean once it is there.
    let sleeper = Program { begins: 10_000, steps: &[(1000, 5000), (1000, 0)] };
    let changes = [(0, 0), (12_000, 1), (13_000, 0), (18_000, 1), (19_000, 0)];
    assert_eq!(eevdf(&[hog, sleeper], 30_000), changes);
}

#[test]
fn a_thread_runs_to_parity_while_it_is_protected() {
    // The hog starts its second turn at 5 ms, protected up to its deadline, when the other one, which is
    // owed nothing, wakes up: it has to wait although its own deadline comes first.
    let programs = [
        Program { begins: 0, steps: HOG },
        Program { begins: 4000, steps: &[(1000, 0)] },
        Program { begins: 6000, steps: &[(1000, 0)] },
    ];
    // At 4 ms the tick has seen the hog served; it renews its request up to 7 ms, and the newcomer's is
    // due at 5.5 ms. At 5 ms the hog goes on, protected up to 7 ms of its own time: 8 ms on the clock.
    assert_eq!(eevdf(&programs, 20_000), [(0, 0), (4000, 1), (5000, 0), (8000, 2), (9000, 0)]);
}

#[test]
fn a_thread_that_sleeps_after_more_than_its_part_pays_back_first() {
    // The first thread has run for 1 ms when it sleeps, and the others not at all. It stays where it was:
    // 1 ms ahead of them. When it wakes up at 2 ms, the second has run for 1 ms; all of these are
    // served by the ticks, and the third comes before the first.
    let programs = [
        Program { begins: 0, steps: &[(1000, 1000), (10_000, 0)] },
        Program { begins: 0, steps: HOG },
        Program { begins: 0, steps: HOG },
    ];
    let changes = eevdf(&programs, 13_000);
    assert_eq!(changes[..4], [(0, 0), (1000, 1), (4000, 2), (8000, 0)], "{changes:?}");
}

#[test]
fn before_eevdf_a_thread_that_slept_takes_the_core_at_once() {
    let hog = Program { begins: 0, steps: HOG };
    let sleeper = Program { begins: 1000, steps: &[(1000, 8500), (1000, 500), (1000, 0)] };
    // New threads come after all others: the hog has got 6 + 4 ms at the tick of 4 ms, and the other
    // one, with 6 + 1 + 3 ms, is not behind it. It is at the tick of 8 ms, and runs until 9 ms, at
    // 11 ms. At 17.5 ms the hog is at 22.5 ms and it is placed half a period of 6 ms before: it runs at
    // once, until 18.5 ms, at 20.5 ms. At 19 ms the hog is at 23 ms, by more than the granularity of
    // 1 ms ahead.
    let cfs = trace(Rules::Cfs, 750, &[hog, sleeper], 30_000);
    let changes =
        [(0, 0), (8000, 1), (9000, 0), (17_500, 1), (18_500, 0), (19_000, 1), (20_000, 0)];
    assert_eq!(cfs, changes);
}

#[test]
fn before_eevdf_a_turn_is_a_part_of_a_period() {
    let hogs = || Program { begins: 0, steps: HOG };
    let two = trace(Rules::Cfs, 750, &[hogs(), hogs()], 17_000);
    assert_eq!(two, [(0, 0), (4000, 1), (8000, 0), (12_000, 1), (16_000, 0)]);
}

#[test]
fn all_schedulers_share_the_core_fairly() {
    let hogs = || Program { begins: 0, steps: HOG };
    for scheduler in [Rules::RoundRobin, Rules::Eevdf, Rules::Cfs] {
        let changes = trace(scheduler, 1400, &[hogs(), hogs(), hogs(), hogs()], 400_000);
        let mut ran = [0; 4];
        for pair in changes.windows(2) {
            ran[pair[0].1 as usize] += pair[1].0 - pair[0].0;
        }
        let (least, most) = (ran.iter().min(), ran.iter().max());
        assert!(most.zip(least).is_some_and(|(most, least)| most - least <= 8000), "{ran:?}");
    }
}

/// What a thread is owed is used up by what it runs, and a thread that has left the queue with more than
/// its part is owed nothing, however long it sleeps: now and then it has to wait for a tick.
#[test]
fn a_thread_that_sleeps_long_is_not_owed_for_its_sleep() {
    const CYCLES: &[(u64, u64)] = &[(1000, 5300); 400];
    let programs = [Program { begins: 0, steps: HOG }, Program { begins: 100, steps: CYCLES }];
    let changes = eevdf(&programs, 10_000_000);
    let runs: Vec<u64> =
        changes.iter().filter(|(_, thread)| *thread == 1).map(|one| one.0).collect();
    let delays: Vec<u64> = runs.windows(2).map(|pair| pair[1] - (pair[0] + 6300)).collect();
    assert_eq!(delays.len(), 399);
    let waits = delays.iter().filter(|&&delay| delay > 0).count();
    assert!((20..100).contains(&waits), "{waits} of 399");
    assert!(delays.iter().all(|&delay| delay <= 4000), "the next tick sees it");
}
