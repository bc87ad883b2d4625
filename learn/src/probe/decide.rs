//! How an endpoint serves several requests at once, from how its time grows with their number.
//!
//! Of `n` requests that come together, `N` of which can wait at a time, request `i` is answered
//! after `ceil(i / N)` times the waiting of one, and after its share of the CPU time. So the mean
//! over all of them tells `N`: 1 where a handler holds its loop, the threads of a pool, `n` and
//! more where nothing stands in the way. The CPU time of the burst is measured: what it explains
//! is not held against the handler.

use model::statistics::Estimate;
use render::number;

/// An endpoint that is asked one request at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Alone {
    /// Response times in seconds.
    pub times: Vec<f64>,
    /// CPU time of a request, seconds.
    pub cpu: f64,
    /// How long it could have computed, but no processor was free, seconds.
    pub delayed: f64,
    /// What of the response time is neither CPU nor waiting: the way there and back, seconds.
    pub overhead: f64,
}

/// Requests that were sent at once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Burst {
    /// Response times in seconds, ascending: as many as requests.
    pub times: Vec<f64>,
    /// CPU time of the service, of all of them together, seconds.
    pub cpu: f64,
    /// CPU time in each of the other named processes, of all of them together, seconds.
    pub others: Vec<f64>,
    /// How long its threads, all together, could have computed, but no processor was free, seconds.
    pub delayed: f64,
    /// Threads of the service before and after.
    pub threads: Option<(u64, u64)>,
    /// Connections to databases that were opened in it, as far as they are counted.
    pub opened: usize,
}

/// How an endpoint serves several requests at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// A request holds its worker's loop through all its waits.
    Holds,
    /// So many requests can wait at a time.
    Limited {
        /// The best guess.
        at_once: u32,
        /// At least so many.
        low: u32,
        /// At most so many.
        high: u32,
    },
    /// Nothing stands in the way of so many.
    Free {
        /// The most that was tried.
        tried: u32,
    },
    /// It cannot be told.
    Unknown,
}

/// A manner, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// How it serves.
    pub manner: Manner,
    /// In words.
    pub evidence: String,
}

/// Waiting below this share of the CPU time is not told from it.
const WAITING_SHARE: f64 = 0.35;
/// Waiting shorter than this is not told from the noise of the machine, in seconds.
const WAITING_LEAST: f64 = 0.5e-3;
/// A mean over a burst is not better known than this, relative to itself.
const NOISE: f64 = 0.06;
/// Share of a wait by which waves are apart.
const GAP: f64 = 0.3;
/// So large a share of the bursts has to show the same first wave.
const AGREE: f64 = 0.75;
/// Nothing stands in the way if that is so of this share of a burst at least.
const FREE: f64 = 0.25;
/// Standard errors on both sides: 99 % of a normal distribution.
const SPREAD: f64 = 2.6;
/// The longest of nearly equal waits is at most so many times the usual one.
const EVEN: f64 = 1.35;

/// Decides from an endpoint `alone` and in `bursts` of any sizes, served by so many `workers` on
/// so many `cores`.
pub fn decide(alone: &Alone, bursts: &[Burst], workers: u32, cores: u32) -> Decision {
    let time = mean(&alone.times);
    let waiting = waiting(alone);
    let bursts: Vec<&Burst> = bursts.iter().filter(|burst| burst.times.len() > 1).collect();
    let Some(most) = bursts.iter().copied().max_by_key(|burst| burst.times.len()) else {
        return Decision { manner: Manner::Unknown, evidence: "it was not asked at once".into() };
    };
    let growth = growth(most, time);
    let Some(waiting) = waiting else {
        let evidence = format!(
            "{growth}; it computes for {} of its {}: with nothing to wait for, the processor is \
             the limit, and how it waits cannot be told",
            number::time(alone.cpu),
            number::time(time),
        );
        return Decision { manner: Manner::Unknown, evidence };
    };
    let bounds = bounds(alone, waiting, &bursts, cores);
    let tried = most.times.len() as u32;
    let workers = f64::from(workers.max(1));
    let counted = first_wave(alone, waiting, &bursts).filter(|&count| bounds.allow(count));
    let manner = match (counted, bounds) {
        (Some(count), _) if f64::from(count) <= workers => Manner::Holds,
        (Some(count), _) => Manner::Limited { at_once: count, low: count, high: count },
        (None, Bounds { low, high: None }) if low >= FREE * f64::from(tried) => {
            Manner::Free { tried }
        }
        (None, Bounds { high: None, .. }) => Manner::Unknown,
        (None, Bounds { low, high: Some(high) })
            if low <= 1.3 * workers && high < 2.0 * workers =>
        {
            Manner::Holds
        }
        // Between one and many: nothing that can be used.
        (None, Bounds { low, high: Some(high) }) if high > 5.0 * low => Manner::Unknown,
        (None, Bounds { low, high: Some(high) }) => Manner::Limited {
            at_once: libm::round(libm::sqrt(low * high)) as u32,
            low: (libm::floor(low) as u32).max(1),
            high: libm::ceil(high) as u32,
        },
    };
    Decision { evidence: evidence(manner, most, &growth, &bursts, time), manner }
}

/// The decision once so many connections to a database were in use at one time: a handler that
/// holds its loop uses one of each worker, and of a pool of threads each uses one. More of them wait
/// beside each other, and took longer because the database computed for them in turn.
pub fn beside(decision: Decision, in_use: usize, workers: u32) -> Decision {
    let most = match decision.manner {
        Manner::Holds => Some(workers.max(1)),
        Manner::Limited { high, .. } => Some(high),
        Manner::Free { .. } | Manner::Unknown => None,
    };
    match most {
        Some(most) if in_use > 2 * most as usize => Decision {
            manner: Manner::Free { tried: in_use as u32 },
            evidence: format!(
                "{in_use} connections to the database were in use at one time: requests wait beside \
                 each other, and the database computes for them in turn"
            ),
        },
        _ => decision,
    }
}

/// Seconds that a request waits: its mean and the ends of what it may be. None if it is too
/// little to say how it waits.
fn waiting(alone: &Alone) -> Option<[f64; 3]> {
    let time = Estimate::of_mean(&alone.times, 0.99);
    let rest = time.value - alone.cpu - alone.delayed - alone.overhead;
    let half = time.half_width().min(0.5 * rest).max(NOISE * rest);
    let enough = rest > WAITING_LEAST && rest > WAITING_SHARE * alone.cpu;
    enough.then_some([rest - half, rest, rest + half])
}

/// How many can wait at a time; no upper end where no limit was seen.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    low: f64,
    high: Option<f64>,
}

impl Bounds {
    /// It may be so many.
    fn allow(self, count: u32) -> bool {
        let count = f64::from(count);
        count >= 0.7 * self.low && self.high.is_none_or(|high| count <= 1.3 * high)
    }
}

/// What all bursts together allow.
fn bounds(alone: &Alone, waiting: [f64; 3], bursts: &[&Burst], cores: u32) -> Bounds {
    let mut sizes: Vec<usize> = bursts.iter().map(|burst| burst.times.len()).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let mut all = Bounds { low: 1.0, high: None };
    for &size in &sizes {
        let one = of_size(alone, waiting, bursts, size, cores);
        // The larger burst knows better where two contradict each other.
        all.low = one.high.map_or(all.low, |high| all.low.min(high)).max(one.low);
        all.high = match (all.high, one.high) {
            (Some(high), Some(other)) => Some(high.min(other).max(all.low)),
            (Some(high), None) => Some(high.max(all.low)),
            (None, other) => other,
        };
    }
    all
}

/// What the bursts of `size` requests allow.
fn of_size(alone: &Alone, waiting: [f64; 3], bursts: &[&Burst], size: usize, cores: u32) -> Bounds {
    let [least, _, most] = waiting;
    let here: Vec<&&Burst> = bursts.iter().filter(|burst| burst.times.len() == size).collect();
    let times: Vec<f64> = here.iter().flat_map(|burst| burst.times.iter().copied()).collect();
    let time = mean(&times);
    let variance = times.iter().map(|one| (one - time) * (one - time)).sum::<f64>();
    let error = libm::sqrt(variance) / times.len() as f64;
    let half = (NOISE * time).max(SPREAD * error);
    let each =
        |of: fn(&Burst) -> f64| here.iter().map(|burst| of(burst)).sum::<f64>() / here.len() as f64;
    let (cpu, delayed) = (each(|burst| burst.cpu), each(|burst| burst.delayed));
    let n = size as f64;
    // In turns each request waits for half of the others' CPU time, on all processors; all at a
    // time, for all of it on one.
    let in_turns = cpu * (n + 1.0) / (2.0 * n) / f64::from(cores.max(1));
    let together = cpu + delayed + n * alone.overhead;
    let shortest = (time - half - together) / most;
    let longest = (time + half - in_turns) / least;
    // The last one is answered after its slot's share of all waits, and perhaps a long one.
    let longest_wait = alone.times.iter().copied().fold(0.0, f64::max);
    let last = here.iter().filter_map(|burst| burst.times.last()).sum::<f64>() / here.len() as f64;
    let waited = last * (1.0 - NOISE) - together - 1.5 * longest_wait;
    let by_last = if waited > 0.0 { n * most / waited } else { n };
    let high = slots(shortest, size).min(by_last.max(1.0));
    Bounds { low: slots(longest, size).min(high), high: (high < n).then_some(high) }
}

/// How many of `n` requests wait at a time if they are answered after `waves` waits in the mean.
fn slots(waves: f64, n: usize) -> f64 {
    if waves <= mean_waves(n, n as f64) {
        return n as f64;
    }
    let (mut low, mut high) = (1.0, n as f64);
    for _ in 0..50 {
        let middle = (low + high) / 2.0;
        if mean_waves(n, middle) > waves { low = middle } else { high = middle }
    }
    low
}

/// The mean of `ceil(i / slots)` over `i` from 1 to `n`, made smooth between whole numbers.
fn mean_waves(n: usize, slots: f64) -> f64 {
    let whole = |slots: f64| (1..=n).map(|i| libm::ceil(i as f64 / slots)).sum::<f64>() / n as f64;
    let below = libm::floor(slots);
    let share = slots - below;
    whole(below) * (1.0 - share) + if share > 0.0 { whole(below + 1.0) * share } else { 0.0 }
}

/// How many are answered in the first wave, where waits are so even that waves can be told apart.
fn first_wave(alone: &Alone, [_, waiting, _]: [f64; 3], bursts: &[&Burst]) -> Option<u32> {
    let mut times = alone.times.clone();
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times.get((times.len() as f64 * share) as usize).copied();
    let even = at(0.9)? < EVEN * at(0.1)?;
    let most = bursts.iter().map(|burst| burst.times.len()).max()?;
    let counts = bursts.iter().filter(|burst| burst.times.len() == most).map(|burst| {
        let each = (burst.cpu + burst.delayed) / burst.times.len() as f64 + alone.overhead;
        // What comes after a wave comes later by more than its share of the CPU time.
        let gap = |pair: &[f64]| pair[1] - pair[0] - each > GAP * waiting;
        burst.times.windows(2).position(gap).map(|index| index as u32 + 1)
    });
    let mut counts: Vec<Option<u32>> = counts.collect();
    counts.sort_unstable();
    let usual = counts[counts.len() / 2].filter(|_| even)?;
    let same = counts.iter().filter(|&&count| count == Some(usual)).count();
    (same as f64 >= AGREE * counts.len() as f64).then_some(usual)
}

/// "64 at once took 64 times as long as one".
fn growth(burst: &Burst, alone: f64) -> String {
    let times = burst.times.last().copied().unwrap_or_default() / alone.max(1e-9);
    let times = if times < 9.95 { format!("{times:.1}") } else { format!("{times:.0}") };
    format!("{} at once took {times} times as long as one", burst.times.len())
}

fn evidence(manner: Manner, most: &Burst, growth: &str, bursts: &[&Burst], alone: f64) -> String {
    let grown = match most.threads {
        Some((before, after)) if after > before + 1 => {
            format!("; its threads went from {before} to {after}")
        }
        _ => String::new(),
    };
    let cpu = number::time(most.cpu);
    match manner {
        Manner::Holds => format!(
            "{growth}, and {cpu} of it was CPU time: this handler holds its loop while it waits"
        ),
        Manner::Limited { at_once, low, high } => {
            let mut steps: Vec<&&Burst> = bursts
                .iter()
                .filter(|burst| {
                    let size = burst.times.len() as u32;
                    size == at_once || size == at_once + 1
                })
                .collect();
            steps.sort_by_key(|burst| burst.times.len());
            steps.dedup_by_key(|burst| burst.times.len());
            let steps: Vec<String> = steps.iter().map(|burst| self::growth(burst, alone)).collect();
            let steps = if steps.is_empty() { growth.to_string() } else { steps.join(", ") };
            let range = if low == high { String::new() } else { format!(" ({low} to {high})") };
            format!("{steps}: {at_once}{range} can wait at a time{grown}")
        }
        Manner::Free { .. } => {
            format!(
                "{growth}, with {cpu} of CPU time: nothing holds others up while it waits{grown}"
            )
        }
        Manner::Unknown => format!(
            "{growth}, of which {cpu} of CPU time and {} for which no processor was free explain \
             so much that how it waits cannot be told{grown}",
            number::time(most.delayed),
        ),
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

#[cfg(test)]
mod tests;
