//! How many requests per second the engine simulates, on one core, all observations on.
//!
//! The model: 50 closed users; each request computes 5 ms on one CPU, waits a lognormal
//! time for an upstream and computes 5 ms more. Beside the engine, in the same run, stands
//! the least that any simulator of this model must do: a binary heap of events and a queue
//! for the CPU, nothing observed but the count.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use model::scenario::Scenario;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, LogNormal};
use sim::engine::Engine;
use sim::plan::Plan;

const USERS: u32 = 50;
const SECONDS: u64 = 2_000;
const COMPUTE: u64 = 5_000_000;
/// The CPU is the limit: one request every 10 ms.
const REQUESTS: u64 = SECONDS * 100;

const SCENARIO: &str = r#"
    [load]
    users = 50
    duration = "2000s"
    [service]
    concurrency = "async"
    [upstream.partner]
    latency = { p50 = "200ms", p99 = "1s" }
    [[endpoint]]
    name = "quote"
    weight = 1
    steps = [{ cpu = "5ms" }, { call = "partner" }, { cpu = "5ms" }]
    [costs]
"#;

fn scenario() -> Scenario {
    match model::read::load_text("bench", SCENARIO, &[]) {
        Ok(resolved) => resolved.scenario,
        Err(problems) => panic!("{problems}"),
    }
}

/// What happens to a user in the bare model.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Bare {
    ComputedFirst,
    Waited,
    ComputedLast,
}

/// The bare model; returns the requests that it finished.
fn bare() -> u64 {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let sigma = (5.0f64).ln() / 2.326_347_874;
    let wait = LogNormal::new((200e6f64).ln(), sigma).expect("a valid sigma");
    let mut agenda = BinaryHeap::new();
    let mut cpu: VecDeque<(u32, Bare)> = (0..USERS).map(|u| (u, Bare::ComputedFirst)).collect();
    let (mut sequence, mut done) = (0u64, 0u64);
    let mut push = |agenda: &mut BinaryHeap<_>, at: u64, user: u32, what: Bare| {
        sequence += 1;
        agenda.push(Reverse((at, sequence, user, what)));
    };
    push(&mut agenda, COMPUTE, 0, Bare::ComputedFirst);
    while let Some(Reverse((now, _, user, what))) = agenda.pop() {
        if now >= SECONDS * 1_000_000_000 {
            break;
        }
        let idle = cpu.is_empty();
        match what {
            Bare::ComputedFirst => {
                let span = wait.sample(&mut rng) as u64;
                push(&mut agenda, now + span, user, Bare::Waited);
                cpu.pop_front();
            }
            Bare::Waited => cpu.push_back((user, Bare::ComputedLast)),
            Bare::ComputedLast => {
                done += 1;
                cpu.pop_front();
                cpu.push_back((user, Bare::ComputedFirst));
            }
        }
        let starts = if what == Bare::Waited { idle } else { !cpu.is_empty() };
        if let Some(&(next, phase)) = cpu.front().filter(|_| starts) {
            push(&mut agenda, now + COMPUTE, next, phase);
        }
    }
    done
}

fn engine(bench: &mut Criterion) {
    let plan = Plan::new(&scenario(), 1);
    let mut group = bench.benchmark_group("closed loop of 50 users");
    group.throughput(Throughput::Elements(REQUESTS));
    group.sample_size(20);
    group.bench_function("bare heap", |b| b.iter(|| black_box(bare())));
    group.bench_function("engine", |b| {
        b.iter(|| black_box(Engine::observe(&plan, u64::MAX).map(|seen| seen.good())));
    });
    group.finish();
}

criterion_group!(benches, engine);
criterion_main!(benches);
