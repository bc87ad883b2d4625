//! A service whose demands are known: processors shared equally, requests from a Poisson process whose
//! rates change from window to window.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use learn::demand::{Stay, Window, Windows};
use model::stream::Purpose;

/// A service and its traffic. The default has four classes at 43 % load.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    /// Mean CPU seconds per request of each class; exponential.
    pub(crate) demands: Vec<f64>,
    /// Requests per second of each class, at mean.
    pub(crate) rates: Vec<f64>,
    /// How much each class's rate varies of its own, as the standard deviation of its logarithm.
    pub(crate) variation: f64,
    /// The classes that a class's rate follows in a fixed proportion, itself where it is free.
    pub(crate) follows: Vec<usize>,
    /// Each request of class 0 comes together with one of class 1, which has no others.
    pub(crate) pairs: bool,
    /// Relative swing of the load of all classes over the whole time, as of a day.
    pub(crate) swing: f64,
    pub(crate) processors: u32,
    /// Processors that are busy without requests.
    pub(crate) background: f64,
    /// Mean seconds that a request waits for something else before it computes; exponential.
    pub(crate) waits: f64,
    /// How much more a request costs at full load than at none.
    pub(crate) growth: f64,
    /// Relative error of the CPU of a window, as a standard deviation.
    pub(crate) noise: f64,
    /// One window in so many has another program in it that uses half of a processor. 0: none has.
    pub(crate) outliers: u64,
    /// One window in so many has no CPU. 0: all have.
    pub(crate) missing: u64,
    pub(crate) windows: usize,
    pub(crate) length: f64,
}

impl Default for Service {
    fn default() -> Service {
        Service {
            demands: vec![0.008, 0.02, 0.048, 0.16],
            rates: vec![15.0, 10.0, 5.0, 1.5],
            variation: 0.4,
            follows: vec![0, 1, 2, 3],
            pairs: false,
            swing: 0.5,
            processors: 2,
            background: 0.05,
            waits: 0.0,
            growth: 0.0,
            noise: 0.0,
            outliers: 0,
            missing: 0,
            windows: 120,
            length: 10.0,
        }
    }
}

/// What a run left behind.
pub(crate) struct Run {
    pub(crate) stays: Vec<Stay>,
    pub(crate) cpu: Vec<Option<f64>>,
}

/// A request that computes, ordered so that the first to end is the greatest.
#[derive(PartialEq)]
struct Computing {
    ends: f64,
    stay: usize,
}

impl Eq for Computing {}

impl PartialOrd for Computing {
    fn partial_cmp(&self, other: &Computing) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Computing {
    fn cmp(&self, other: &Computing) -> Ordering {
        other.ends.total_cmp(&self.ends)
    }
}

/// Numbers between 0 and 1 for one purpose: SplitMix64 (Steele, Lea, Flood 2014) from a keyed draw.
struct Uniform {
    state: u64,
}

impl Uniform {
    fn of(seed: u64, name: &str, lane: u64) -> Uniform {
        Uniform { state: Purpose::new(seed, name).draw(lane, 0) }
    }

    fn next(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.state ^ self.state >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        (((mixed ^ mixed >> 31) >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        -mean * self.next().ln()
    }

    fn normal(&mut self) -> f64 {
        let (radius, angle) = ((-2.0 * self.next().ln()).sqrt(), self.next());
        radius * (std::f64::consts::TAU * angle).cos()
    }
}

impl Service {
    /// The share of all processors that requests keep busy at mean.
    pub(crate) fn load(&self) -> f64 {
        let work: f64 = self.demands.iter().zip(&self.rates).map(|(d, r)| d * r).sum();
        work / f64::from(self.processors)
    }

    /// Windows with parts of requests.
    pub(crate) fn windows(&self, seed: u64) -> Windows {
        let run = self.run(seed);
        let names = (0..self.demands.len()).map(|class| format!("c{class}")).collect();
        Windows::of_stays(names, &run.stays, 0.0, self.length, self.processors, &run.cpu)
    }

    /// Windows with counts of arrivals, or of completions.
    pub(crate) fn counted(&self, seed: u64, arrivals: bool) -> Windows {
        let run = self.run(seed);
        let names = (0..self.demands.len()).map(|class| format!("c{class}")).collect();
        let mut windows =
            Windows::of_stays(names, &run.stays, 0.0, self.length, self.processors, &run.cpu);
        windows.counted = match arrivals {
            true => learn::demand::Counted::Arrivals,
            false => learn::demand::Counted::Completions,
        };
        let classes =
            |window: &mut Window| window.classes.iter_mut().for_each(|c| c.requests = 0.0);
        windows.windows.iter_mut().for_each(classes);
        for stay in &run.stays {
            let at = if arrivals { stay.from } else { stay.to };
            if let Some(window) = windows.windows.get_mut((at / self.length) as usize) {
                window.classes[stay.class].requests += 1.0;
            }
        }
        windows
    }

    /// The rate of each class in a window.
    fn rates_in(&self, seed: u64, window: usize) -> Vec<f64> {
        let phase = window as f64 / self.windows as f64;
        let day = 1.0 + self.swing * (std::f64::consts::TAU * phase).sin();
        let own = |class: usize| {
            let mut uniform = Uniform::of(seed, "variation", (class * 100_000 + window) as u64);
            (self.variation * uniform.normal() - self.variation * self.variation / 2.0).exp()
        };
        self.rates.iter().zip(&self.follows).map(|(rate, &lead)| rate * day * own(lead)).collect()
    }

    pub(crate) fn run(&self, seed: u64) -> Run {
        let requests = self.requests(seed);
        let mut stays: Vec<Stay> = requests.iter().map(|request| request.stay).collect();
        let mut busy = vec![0.0; self.windows];
        let mut computing: BinaryHeap<Computing> = BinaryHeap::new();
        let mut order: Vec<usize> = (0..requests.len()).collect();
        order.sort_by(|&a, &b| requests[a].ready.total_cmp(&requests[b].ready));
        let (mut now, mut served) = (0.0, 0.0);
        let processors = f64::from(self.processors);
        let mut next = order.into_iter().peekable();
        loop {
            let in_flight = computing.len() as f64;
            let speed = (processors / in_flight).min(1.0);
            let end = computing.peek().map_or(f64::INFINITY, |c| now + (c.ends - served) / speed);
            let start = next.peek().map_or(f64::INFINITY, |&i| requests[i].ready);
            let then = end.min(start);
            if then == f64::INFINITY {
                break;
            }
            self.book(&mut busy, now, then, in_flight.min(processors));
            served += (then - now) * speed;
            now = then;
            if start <= end {
                let stay = next.next().expect("a request starts");
                computing.push(Computing { ends: served + requests[stay].work, stay });
            } else {
                let done = computing.pop().expect("a request ends");
                served = done.ends;
                stays[done.stay].to = now;
            }
        }
        let cpu = busy.iter().enumerate().map(|(i, &busy)| self.recorded(seed, i, busy)).collect();
        Run { stays, cpu }
    }

    fn requests(&self, seed: u64) -> Vec<Request> {
        let mut requests = Vec::new();
        for window in 0..self.windows {
            let mut rates = self.rates_in(seed, window);
            if self.pairs {
                rates[1] = rates[0];
            }
            let work: f64 =
                rates.iter().zip(&self.demands).map(|(rate, demand)| rate * demand).sum();
            let cost = 1.0 + self.growth * work / f64::from(self.processors);
            for (class, rate) in rates.iter().enumerate() {
                if class == 1 && self.pairs {
                    continue;
                }
                let mut uniform = Uniform::of(seed, "requests", (class * 100_000 + window) as u64);
                let end = (window + 1) as f64 * self.length;
                let mut from = window as f64 * self.length + uniform.exponential(1.0 / rate);
                while from < end {
                    requests.push(self.request(class, from, cost, &mut uniform));
                    if class == 0 && self.pairs {
                        requests.push(self.request(1, from, cost, &mut uniform));
                    }
                    from += uniform.exponential(1.0 / rate);
                }
            }
        }
        requests
    }

    fn request(&self, class: usize, from: f64, cost: f64, uniform: &mut Uniform) -> Request {
        let work = uniform.exponential(self.demands[class] * cost);
        let ready = from + uniform.exponential(self.waits);
        Request { stay: Stay { class, from, to: from }, ready, work }
    }

    /// Adds `processors` busy ones from one time to another to the windows that they are in.
    fn book(&self, busy: &mut [f64], from: f64, to: f64, processors: f64) {
        let mut from = from;
        while from < to {
            let window = (from / self.length + 1e-12) as usize;
            let end = to.min((window + 1) as f64 * self.length);
            if let Some(busy) = busy.get_mut(window) {
                *busy += (end - from) * processors;
            }
            if end <= from {
                break;
            }
            from = end;
        }
    }

    fn recorded(&self, seed: u64, window: usize, busy: f64) -> Option<f64> {
        let mut uniform = Uniform::of(seed, "record", window as u64);
        let one_in = |n: u64, uniform: &mut Uniform| n > 0 && uniform.next() * (n as f64) < 1.0;
        let (other, missing) =
            (one_in(self.outliers, &mut uniform), one_in(self.missing, &mut uniform));
        let error = 1.0 + self.noise * uniform.normal();
        let cpu = (busy + self.background * self.length) * error;
        let cpu = cpu + if other { 0.5 * self.length } else { 0.0 };
        (!missing).then_some(cpu.max(0.0))
    }
}

struct Request {
    stay: Stay,
    /// When it begins to compute.
    ready: f64,
    work: f64,
}
