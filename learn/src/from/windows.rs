//! Windows in which requests stand beside CPU.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::demand::{Counted, Seen, Window, Windows};
use crate::records::cpu::Cpu;
use crate::records::{Request, holds};

/// Windows at most.
const MOST: f64 = 5_000.0;
/// Windows that should be left when short ones are made longer.
const ENOUGH: f64 = 60.0;
/// Requests that a window should hold.
const REQUESTS: f64 = 10.0;
/// Response times that are kept of each class.
const SAMPLE: usize = 20_000;

/// Windows, and response times with what they found.
pub(super) struct Cut {
    pub(super) windows: Windows,
    /// Per class: others under way when a request came, and seconds until it was answered.
    pub(super) responses: Vec<Vec<(u32, f32)>>,
}

/// CPU seconds of all sources; none if no source covers the time.
pub(super) fn cpu_between(cpu: &Cpu, from: f64, to: f64) -> Option<f64> {
    let (mut sum, mut covered) = (0.0, false);
    for counter in cpu.sources.values() {
        let Some([first, last]) = counter.span() else { continue };
        // A process that began or ended within.
        let (begin, end) = (from.max(first), to.min(last));
        if end <= begin {
            continue;
        }
        sum += counter.between(begin, end)?;
        covered |= end - begin > 0.999 * (to - from);
    }
    covered.then_some(sum)
}

/// Start and length of windows for this load and this CPU, and how many there are.
pub(super) fn grid(span: [f64; 2], requests: f64, step: f64, origin: f64) -> (f64, f64, usize) {
    let all = span[1] - span[0];
    let step = if step > 0.0 { step } else { 1.0 };
    let mut length = step * (0.999 / step).ceil().max(1.0);
    loop {
        let windows = all / length;
        let few = requests / windows < REQUESTS && windows / 2.0 >= ENOUGH;
        if windows <= MOST && !few {
            break;
        }
        length *= 2.0;
    }
    // On the samples of CPU, so that none is cut.
    let start = origin + ((span[0] - origin) / step - 1e-6).ceil() * step;
    let count = ((span[1] - start) / length + 1e-6).floor().max(0.0);
    (start, length, count as usize)
}

/// Windows of `requests`, in the order in which they came, beside `cpu`.
pub(super) fn cut(
    requests: &[Request],
    classes: Vec<String>,
    cpu: Option<&Cpu>,
    processors: u32,
    every: u64,
) -> Cut {
    let timed = requests.iter().filter(|request| request.stay().is_some()).count();
    let counted = match timed {
        _ if timed == requests.len() => Counted::Parts,
        0 => Counted::Completions,
        _ => Counted::Arrivals,
    };
    let class_count = classes.len();
    let empty = Windows { length: 1.0, processors, counted, classes, windows: Vec::new() };
    let ([low, high], step, origin) = common(requests, cpu);
    if high <= low || requests.is_empty() {
        return Cut { windows: empty, responses: vec![Vec::new(); class_count] };
    }
    let held = requests.len() as f64 / every as f64;
    let (start, length, count) = grid([low, high], held, step, origin);
    let mut sums = Sums::new(start, length, count, class_count);
    requests.iter().for_each(|request| sums.add(request));
    let mut windows = sums.windows();
    for window in &mut windows {
        window.cpu = cpu.and_then(|cpu| cpu_between(cpu, window.start, window.start + length));
    }
    windows
        .retain(|window| holds(window.start, every) && holds(window.start + length - 1e-6, every));
    let responses = sums.responses.into_iter().map(|sample| sample.kept).collect();
    Cut { windows: Windows { length, windows, ..empty }, responses }
}

/// The time that requests and CPU have in common, the usual step of CPU, and a time at which it was taken.
fn common(requests: &[Request], cpu: Option<&Cpu>) -> ([f64; 2], f64, f64) {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for request in requests {
        low = low.min(request.start);
        high = high.max(request.start + request.stay().unwrap_or(0.0));
    }
    let Some(cpu) = cpu else { return ([low, high], 0.0, low) };
    let step = cpu.sources.values().filter_map(|counter| counter.step()).fold(0.0, f64::max);
    let spans = || cpu.sources.values().filter_map(|counter| counter.span());
    let first = spans().map(|span| span[0]).fold(f64::INFINITY, f64::min);
    let last = spans().map(|span| span[1]).fold(f64::NEG_INFINITY, f64::max);
    ([low.max(first), high.min(last)], step, first)
}

/// The sums of each window, while the requests are read in the order of their times.
struct Sums {
    start: f64,
    length: f64,
    count: usize,
    /// By window and class: requests, then of those that were answered in the window their number, their
    /// response times and the requests that they found.
    sums: Vec<Vec<[f64; 4]>>,
    /// Ends of the requests under way: bits of times since 1970, which are in the order of the times.
    under_way: BinaryHeap<Reverse<u64>>,
    responses: Vec<Sample>,
}

/// Some of many response times.
#[derive(Clone)]
struct Sample {
    kept: Vec<(u32, f32)>,
    every: u64,
    seen: u64,
}

impl Sums {
    fn new(start: f64, length: f64, count: usize, classes: usize) -> Sums {
        let sums = vec![vec![[0.0; 4]; classes]; count];
        let responses = vec![Sample { kept: Vec::new(), every: 1, seen: 0 }; classes];
        Sums { start, length, count, sums, under_way: BinaryHeap::new(), responses }
    }

    fn place(&self, time: f64) -> i64 {
        ((time - self.start) / self.length).floor() as i64
    }

    fn add(&mut self, request: &Request) {
        let class = request.class as usize;
        let (from, stay) = (request.start, request.stay());
        let to = from + stay.unwrap_or(0.0);
        while self.under_way.peek().is_some_and(|Reverse(end)| f64::from_bits(*end) <= from) {
            self.under_way.pop();
        }
        let found = self.under_way.len();
        let (first, last) = (self.place(from).max(0), self.place(to).min(self.count as i64 - 1));
        for at in first..=last {
            let begin = self.start + at as f64 * self.length;
            let part = match stay {
                Some(stay) if stay > 0.0 => {
                    ((begin + self.length).min(to) - begin.max(from)).max(0.0) / stay
                }
                _ => 1.0,
            };
            self.sums[at as usize][class][0] += part;
        }
        let Some(stay) = stay else { return };
        self.under_way.push(Reverse(to.max(0.0).to_bits()));
        self.responses[class].add((found as u32, stay as f32));
        let at = self.place(to);
        if (0..self.count as i64).contains(&at) {
            let add = [0.0, 1.0, stay, found as f64];
            self.sums[at as usize][class].iter_mut().zip(add).for_each(|(sum, x)| *sum += x);
        }
    }

    fn windows(&self) -> Vec<Window> {
        let seen = |&[requests, count, stay, found]: &[f64; 4]| {
            let mean = |sum: f64| (count > 0.0).then(|| sum / count);
            Seen { requests, response: mean(stay), in_flight: mean(found) }
        };
        let windows = self.sums.iter().enumerate().map(|(at, sums)| Window {
            start: self.start + at as f64 * self.length,
            cpu: None,
            classes: sums.iter().map(seen).collect(),
        });
        windows.collect()
    }
}

impl Sample {
    /// Keeps one of so many that the sample stays small.
    fn add(&mut self, response: (u32, f32)) {
        if self.seen.is_multiple_of(self.every) {
            self.kept.push(response);
        }
        self.seen += 1;
        if self.kept.len() >= 2 * SAMPLE {
            let mut even = false;
            self.kept.retain(|_| {
                even = !even;
                even
            });
            self.every *= 2;
        }
    }
}
