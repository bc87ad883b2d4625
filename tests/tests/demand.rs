//! Demands that are estimated from what the simulator shows are those of its scenario.

use std::collections::BTreeMap;

use learn::demand::{Counted, Demands, Method, Seen, Stay, Window, Windows, estimate};
use model::read::load_text;
use model::stream::Purpose;
use model::units::Instant;
use rayon::prelude::*;
use sim::engine::{Engine, Record, Trace};
use sim::plan::Plan;
use sim::replicate::replicate;

const SHOP: &str = r#"
question = "What does each of four endpoints cost?"

[costs]
interpreter = { lock = false }

[load]
rate = "30/s"
warmup = "2s"
duration = "10s"
timeout = "never"

[cpu]
cores = 2

[service]
concurrency = "threadpool"
threads = 10000
keep_alive = "never"

[[endpoint]]
name = "list"
weight = 15
steps = [{ cpu = { mean = "8ms" } }]

[[endpoint]]
name = "item"
weight = 10
steps = [{ cpu = { mean = "20ms" } }]

[[endpoint]]
name = "order"
weight = 5
steps = [{ cpu = { mean = "48ms" } }]

[[endpoint]]
name = "report"
weight = 2
steps = [{ cpu = { mean = "160ms" } }]
"#;

const CLASSES: [&str; 4] = ["list", "item", "order", "report"];
const DEMANDS: [f64; 4] = [0.008, 0.02, 0.048, 0.16];
const SEEDS: u64 = 200;
const WINDOWS: u64 = 24;
const EVENTS_MAX: u64 = 100_000_000;

/// One window: a short replication with a mix and a rate of its own.
fn window(seed: u64, index: u64) -> Window {
    let purpose = Purpose::new(seed, "mix");
    let between = |lane: u64, low: f64, high: f64| {
        low + (high - low) * (purpose.draw(lane, index) as f64 / u64::MAX as f64)
    };
    let mut sets: Vec<String> = CLASSES
        .iter()
        .zip([15.0, 10.0, 5.0, 2.0])
        .zip(0..)
        .map(|((name, weight), lane)| {
            format!("endpoint.{name}.weight={:.3}", weight * between(lane, 0.3, 1.7))
        })
        .collect();
    sets.push(format!("load.rate={:.2}/s", between(9, 8.0, 40.0)));
    sets.push(format!("seed={}", seed * 1000 + index));
    let resolved = load_text("shop", SHOP, &sets).unwrap_or_else(|problems| panic!("{problems}"));
    let seen = replicate(&resolved.scenario, 0, EVENTS_MAX).expect("it comes to its end");
    let count = |class: &sim::observe::ClassObservations| Seen {
        requests: class.good as f64,
        response: (class.good > 0).then(|| class.sum as f64 / 1e9 / class.good as f64),
        in_flight: None,
    };
    Window {
        start: 10.0 * index as f64,
        cpu: Some(seen.cpu.cores.area() as f64 / 1e9),
        classes: seen.classes.iter().map(count).collect(),
    }
}

/// The 95 % intervals hold the truth in 90 to 99 of 100 cases: three standard errors over 200 seeds.
#[test]
fn intervals_of_demands_hold_what_the_scenario_says() {
    let found: Vec<_> = (1..=SEEDS)
        .into_par_iter()
        .map(|seed| {
            estimate(&Windows {
                length: 10.0,
                processors: 2,
                counted: Counted::Completions,
                classes: CLASSES.map(str::to_owned).to_vec(),
                windows: (0..WINDOWS).map(|index| window(seed, index)).collect(),
            })
        })
        .collect();
    in_band(&found, DEMANDS);
}

/// The interval of each class holds the truth in 90 to 99 of 100 of the cases.
fn in_band(found: &[Demands], demands: [f64; 4]) {
    assert!(found.iter().all(|demands| demands.method == Method::UtilisationRegression));
    for (class, truth) in demands.into_iter().enumerate() {
        let held = |demands: &&Demands| {
            let figure = demands.classes[class].as_ref().expect("the class has requests");
            figure.low.is_some_and(|low| low <= truth) && figure.high.is_some_and(|h| truth <= h)
        };
        let share = found.iter().filter(held).count() as f64 / found.len() as f64;
        let value =
            |demands: &Demands| demands.classes[class].as_ref().map_or(0.0, |figure| figure.value);
        let mean = found.iter().map(value).sum::<f64>() / found.len() as f64;
        let told = format!("{}: mean {mean:.5} s of {truth} s, held in {share:.3}", CLASSES[class]);
        assert!((0.90..=0.99).contains(&share), "{told}");
    }
}

/// One run at 82 % load, in which each class has a load of its own that comes and goes.
const BUSY: &str = r#"
question = "What does each of four endpoints cost, where the processors are full now and then?"

[costs]
interpreter = { lock = false }

[load]
duration = "480s"
timeout = "never"

[[load.group]]
name = "lists"
rate = "35/s"
on_off = { on = { mean = "8s" }, off = { mean = "8s" } }
mix = [{ endpoint = "list" }]

[[load.group]]
name = "items"
rate = "20/s"
on_off = { on = { mean = "8s" }, off = { mean = "8s" } }
mix = [{ endpoint = "item" }]

[[load.group]]
name = "orders"
rate = "16/s"
on_off = { on = { mean = "8s" }, off = { mean = "8s" } }
mix = [{ endpoint = "order" }]

[[load.group]]
name = "reports"
rate = "5/s"
on_off = { on = { mean = "8s" }, off = { mean = "8s" } }
mix = [{ endpoint = "report" }]

[cpu]
cores = 2
slice = "20ms"

[service]
concurrency = "threadpool"
threads = 10000
keep_alive = "never"

[[endpoint]]
name = "list"
weight = 1
steps = [{ cpu = { mean = "16ms" } }]

[[endpoint]]
name = "item"
weight = 1
steps = [{ cpu = { mean = "40ms" } }]

[[endpoint]]
name = "order"
weight = 1
steps = [{ cpu = { mean = "70ms" } }]

[[endpoint]]
name = "report"
weight = 1
steps = [{ cpu = { mean = "160ms" } }]
"#;

const BUSY_DEMANDS: [f64; 4] = [0.016, 0.04, 0.07, 0.16];
const BUSY_SECONDS: f64 = 480.0;
const BUSY_LENGTH: f64 = 8.0;

/// What an access log would know of a run, and the CPU of each window: with steps that only compute,
/// two cores are busy for as long as two requests or more are there.
#[derive(Default)]
struct Log {
    stays: Vec<Stay>,
    under_way: BTreeMap<(u64, u64), (usize, f64)>,
    since: f64,
    busy: Vec<f64>,
}

impl Log {
    /// Books the time until `now`, in which the requests that are there computed.
    fn book(&mut self, now: f64) {
        let cores = self.under_way.len().min(2) as f64;
        while self.since < now {
            let window = (self.since / BUSY_LENGTH + 1e-9) as usize;
            let end = now.min((window + 1) as f64 * BUSY_LENGTH);
            if self.busy.len() <= window {
                self.busy.resize(window + 1, 0.0);
            }
            self.busy[window] += cores * (end - self.since);
            self.since = end;
        }
    }
}

impl Trace for Log {
    fn record(&mut self, now: Instant, record: Record) {
        let now = now.nanos() as f64 / 1e9;
        match record {
            Record::Sent { lane, index, class } => {
                self.book(now);
                self.under_way.insert((lane, index), (class as usize, now));
            }
            Record::Settled { lane, index, .. } => {
                self.book(now);
                let (class, from) = self.under_way.remove(&(lane, index)).expect("it was sent");
                self.stays.push(Stay { class, from, to: now });
            }
            _ => {}
        }
    }
}

fn busy(seed: u64) -> Demands {
    let resolved = load_text("busy", BUSY, &[format!("seed={seed}")]);
    let resolved = resolved.unwrap_or_else(|problems| panic!("{problems}"));
    let plan = Plan::new(&resolved.scenario, seed);
    let engine = Engine::new(&plan, Log::default());
    let (seen, mut log) = engine.run(EVENTS_MAX).expect("it comes to its end");
    log.book(BUSY_SECONDS);
    let cpu = seen.cpu.cores.area() as f64 / 1e9;
    let booked: f64 = log.busy.iter().sum();
    assert!((booked / cpu - 1.0).abs() < 1e-6, "{booked} s booked of {cpu} s");
    let end = (BUSY_SECONDS / BUSY_LENGTH) as usize;
    let cpu: Vec<Option<f64>> = log.busy.into_iter().map(Some).take(end).collect();
    let classes = CLASSES.map(str::to_owned).to_vec();
    estimate(&Windows::of_stays(classes, &log.stays, 0.0, BUSY_LENGTH, 2, &cpu))
}

#[test]
fn intervals_hold_what_the_scenario_says_where_processors_are_full_now_and_then() {
    let found: Vec<Demands> = (1..=SEEDS).into_par_iter().map(busy).collect();
    in_band(&found, BUSY_DEMANDS);
}
