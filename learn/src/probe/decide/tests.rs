//! Growth curves whose cause is known, with noise.

use super::*;

use model::distribution::{standard_normal, unit_interval};
use model::stream::Purpose;

/// A service that is known.
#[derive(Clone, Copy, Debug)]
struct Truth {
    /// Requests that can wait at a time, over all workers.
    slots: usize,
    /// Median seconds of waiting.
    waiting: f64,
    /// Sigma of its logarithm.
    sigma: f64,
    /// CPU seconds of a request: one processor computes, first come first served.
    cpu: f64,
}

impl Truth {
    /// The times of `n` requests that come at once: each holds a slot while it waits, and computes
    /// before that.
    fn burst(&self, purpose: &Purpose, lane: u64, n: usize) -> Burst {
        let mut free = vec![0.0f64; self.slots.min(n)];
        let mut processor = 0.0f64;
        let mut times: Vec<f64> = (0..n)
            .map(|index| {
                free.sort_by(f64::total_cmp);
                let computed = free[0].max(processor) + self.cpu;
                processor = computed;
                let normal = standard_normal(unit_interval(purpose.draw(lane, index as u64)));
                let end = computed + self.waiting * libm::exp(self.sigma * normal);
                free[0] = end;
                end + 0.2e-3
            })
            .collect();
        times.sort_by(f64::total_cmp);
        Burst {
            times,
            cpu: self.cpu * n as f64,
            others: Vec::new(),
            delayed: 0.0,
            ..Burst::default()
        }
    }

    fn decide(&self, seed: u64, turns: u64) -> Manner {
        let purpose = Purpose::new(seed, "test");
        let times = (0..80).map(|lane| self.burst(&purpose, 1000 + lane, 1).times[0]).collect();
        let alone = Alone { times, cpu: self.cpu, delayed: 0.0, overhead: 0.2e-3 };
        let sizes =
            [2, 8, 64].into_iter().flat_map(|size| (0..turns).map(move |turn| (size, turn)));
        let bursts: Vec<Burst> =
            sizes.map(|(size, turn)| self.burst(&purpose, size as u64 * 10 + turn, size)).collect();
        decide(&alone, &bursts, 1, 1).manner
    }
}

const EVEN: Truth = Truth { slots: 1, waiting: 50e-3, sigma: 0.02, cpu: 0.5e-3 };

#[test]
fn a_handler_that_holds_its_loop_is_seen_whatever_the_noise() {
    for seed in 0..50 {
        assert_eq!(EVEN.decide(seed, 3), Manner::Holds);
        let uneven = Truth { sigma: 0.7, ..EVEN };
        assert_eq!(uneven.decide(seed, 3), Manner::Holds, "{seed}");
        // It computes as long as it waits.
        let computes = Truth { cpu: 40e-3, ..EVEN };
        assert_eq!(computes.decide(seed, 3), Manner::Holds, "{seed}");
    }
}

#[test]
fn a_pool_is_counted_exactly_where_waits_are_even() {
    for seed in 0..20 {
        for slots in [5, 15, 40] {
            let manner = Truth { slots, ..EVEN }.decide(seed, 3);
            let slots = slots as u32;
            assert_eq!(manner, Manner::Limited { at_once: slots, low: slots, high: slots });
        }
    }
}

#[test]
fn a_pool_is_between_its_ends_where_waits_are_uneven() {
    let mut inside = 0;
    for seed in 0..100 {
        let truth = Truth { slots: 10, sigma: 0.6, waiting: 200e-3, ..EVEN };
        match truth.decide(seed, 3) {
            Manner::Limited { low, high, .. } => inside += u32::from((low..=high).contains(&10)),
            manner => panic!("{manner:?}"),
        }
    }
    assert!(inside >= 90, "{inside} of 100");
}

#[test]
fn where_nothing_stands_in_the_way_none_is_seen() {
    for seed in 0..50 {
        let free = Truth { slots: 1000, ..EVEN };
        assert_eq!(free.decide(seed, 3), Manner::Free { tried: 64 });
        let uneven = Truth { sigma: 0.7, waiting: 200e-3, ..free };
        assert_eq!(uneven.decide(seed, 3), Manner::Free { tried: 64 }, "{seed}");
    }
}

#[test]
fn what_the_processor_explains_is_not_held_against_the_handler() {
    for seed in 0..20 {
        for slots in [1, 40, 1000] {
            // Nothing to wait for.
            let computes = Truth { slots, waiting: 0.1e-3, cpu: 5e-3, ..EVEN };
            assert_eq!(computes.decide(seed, 3), Manner::Unknown);
        }
        // 64 at once need 320 ms of CPU time, and 40 or 1000 slots make no difference to that.
        for slots in [40, 1000] {
            let manner = Truth { slots, waiting: 20e-3, cpu: 5e-3, ..EVEN }.decide(seed, 3);
            assert!(matches!(manner, Manner::Unknown | Manner::Free { .. }), "{slots}: {manner:?}");
        }
    }
}

#[test]
fn the_evidence_is_told_in_words() {
    let even = |n: usize, slots: usize| {
        let times = (0..n).map(|index| 0.1 * (1 + index / slots) as f64).collect();
        Burst {
            times,
            cpu: 1e-3,
            others: Vec::new(),
            delayed: 0.0,
            threads: Some((3, 43)),
            ..Burst::default()
        }
    };
    let alone = Alone { times: vec![0.1; 20], cpu: 0.1e-3, delayed: 0.0, overhead: 0.0 };
    let told = |bursts: &[Burst]| decide(&alone, bursts, 1, 1).evidence;
    assert_eq!(
        told(&[even(8, 1), even(64, 1)]),
        "64 at once took 64 times as long as one, and 1.00 ms of it was CPU time: this handler \
         holds its loop while it waits"
    );
    assert_eq!(
        told(&[even(8, 40), even(64, 40), even(40, 40), even(41, 40)]),
        "40 at once took 1.0 times as long as one, 41 at once took 2.0 times as long as one: 40 \
         can wait at a time; its threads went from 3 to 43"
    );
    assert!(told(&[]).contains("not asked at once"));
}

#[test]
fn two_workers_that_hold_their_loops_are_two_slots() {
    let alone = Alone { times: vec![0.1; 20], cpu: 0.1e-3, delayed: 0.0, overhead: 0.0 };
    let times = (0..64).map(|index| 0.1 * (1 + index / 2) as f64).collect();
    let burst = Burst { times, cpu: 6.4e-3, others: Vec::new(), delayed: 0.0, ..Burst::default() };
    assert_eq!(decide(&alone, &[burst], 2, 2).manner, Manner::Holds);
}

#[test]
fn a_busy_machine_is_not_taken_for_a_handler_that_waits() {
    // 6 ms of CPU time take 24 ms, since others compute too.
    let alone = Alone { times: vec![0.024; 40], cpu: 6e-3, delayed: 17.5e-3, overhead: 0.2e-3 };
    let times: Vec<f64> = (1..=64).map(|index| 0.024 * f64::from(index)).collect();
    let burst = Burst { times, cpu: 0.384, others: Vec::new(), delayed: 1.1, ..Burst::default() };
    assert_eq!(decide(&alone, &[burst], 1, 1).manner, Manner::Unknown);
}

#[test]
fn a_handler_that_uses_many_connections_at_once_holds_no_loop() {
    let holds = Decision { manner: Manner::Holds, evidence: String::new() };
    assert_eq!(beside(holds.clone(), 2, 1).manner, Manner::Holds);
    let found = beside(holds.clone(), 50, 1);
    assert_eq!(found.manner, Manner::Free { tried: 50 });
    assert!(found.evidence.starts_with("50 connections"), "{}", found.evidence);
    let limited = |high| {
        let manner = Manner::Limited { at_once: 2, low: 1, high };
        Decision { manner, evidence: String::new() }
    };
    assert_eq!(beside(limited(2), 10, 1).manner, Manner::Free { tried: 10 });
    assert_eq!(beside(limited(8), 10, 1), limited(8));
    // Each of four workers that block uses one, and may keep another.
    assert_eq!(beside(holds, 8, 4).manner, Manner::Holds);
}
