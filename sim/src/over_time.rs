//! What happens when: the first replications once more, with an eye on each request.
//!
//! A replication is a pure function of its seed, so that this sees what the report is made of, and
//! runs that nobody asked the time of pay nothing for it.

use std::collections::BTreeMap;

use model::report::{Interval, OverTime};
use model::scenario::Scenario;
use model::statistics::round_significant;
use model::stream::replication_seed;
use model::units::{Instant, Span};
use rayon::prelude::*;

use crate::engine::{Engine, Record, Runaway, Trace};
use crate::plan::Plan;

/// Most replications that are run again.
const RUNS: u32 = 10;
/// Events that are enough for a picture; one replication is always run.
const EVENTS: u64 = 20_000_000;
/// Most intervals: as many as can be told apart on a picture, each a whole number of seconds, or of
/// tenths where the run is short.
const INTERVALS: u64 = 120;
/// Good answers below which nothing is said of the slowest in a hundred.
const ENOUGH: u64 = 100;

/// What happened when in the first of so many replications of `scenario`: in up to ten of them, or
/// fewer if these take long.
///
/// # Errors
/// [`Runaway`] if a replication does not come to its end.
pub fn over_time(
    scenario: &Scenario,
    replications: u32,
    events_max: u64,
) -> Result<OverTime, Runaway> {
    let total = scenario.load.total();
    let length = length(total);
    let watch = |index: u32| -> Result<(u64, Vec<Slot>), Runaway> {
        let plan = Plan::new(scenario, replication_seed(scenario.seed, index));
        let (seen, watch) = Engine::new(&plan, Watch::new(length)).run(events_max)?;
        Ok((seen.events, watch.finish(Instant::START + total)))
    };
    let (events, mut slots) = watch(0)?;
    let enough = (EVENTS / events.max(1)).clamp(1, RUNS.into()) as u32;
    let runs = replications.clamp(1, enough);
    let others: Result<Vec<(u64, Vec<Slot>)>, Runaway> =
        (1..runs).into_par_iter().map(watch).collect();
    for (_, other) in others? {
        // All have the same length.
        slots.iter_mut().zip(other).for_each(|(sum, slot)| sum.add(slot));
    }
    let interval = |(index, slot): (u64, Slot)| {
        slot.interval(index * length, ((index + 1) * length).min(total.nanos()), runs)
    };
    Ok(OverTime { runs, intervals: (0..).zip(slots).map(interval).collect() })
}

/// Nanoseconds of an interval: a second, or as many as keep their number small; a tenth of one where
/// the whole is short.
fn length(total: Span) -> u64 {
    const SECOND: u64 = 1_000_000_000;
    let total = total.nanos();
    match total {
        short if short < 10 * SECOND => SECOND / 10,
        _ => total.div_ceil(INTERVALS).div_ceil(SECOND) * SECOND,
    }
}

/// An interval of the runs so far.
#[derive(Clone, Default)]
struct Slot {
    sent: u64,
    good: u64,
    errors: u64,
    in_flight: u64,
    /// Response times of its good answers, in nanoseconds.
    times: Vec<u64>,
}

impl Slot {
    fn add(&mut self, other: Slot) {
        self.sent += other.sent;
        self.good += other.good;
        self.errors += other.errors;
        self.in_flight += other.in_flight;
        self.times.extend(other.times);
    }

    fn interval(mut self, from: u64, to: u64, runs: u32) -> Interval {
        let seconds = |nanos: u64| round_significant(nanos as f64 / 1e9);
        let runs = f64::from(runs);
        let rate = |count: u64| round_significant(count as f64 * 1e9 / (to - from) as f64 / runs);
        self.times.sort_unstable();
        let quantile = |q: f64, enough: u64| {
            let rank = libm::ceil(q * self.good as f64) as usize;
            let nanos = self.times.get(rank.saturating_sub(1))?;
            (self.good >= enough).then(|| seconds(*nanos))
        };
        Interval {
            from: seconds(from),
            to: seconds(to),
            sent: rate(self.sent),
            good: rate(self.good),
            errors: rate(self.errors),
            p50: quantile(0.5, 1),
            p99: quantile(0.99, ENOUGH),
            in_flight: round_significant(self.in_flight as f64 / runs),
        }
    }
}

/// Sees when requests come and go.
struct Watch {
    /// Nanoseconds of an interval.
    length: u64,
    slots: Vec<Slot>,
    /// Requests in flight, by lane and index, and when each was sent.
    sent: BTreeMap<(u64, u64), Instant>,
}

impl Watch {
    fn new(length: u64) -> Watch {
        Watch { length, slots: vec![Slot::default()], sent: BTreeMap::new() }
    }

    /// The interval that `now` is in. Those that ended before it know how many were in flight then.
    fn at(&mut self, now: Instant) -> &mut Slot {
        let index = (now.nanos() / self.length) as usize;
        while self.slots.len() <= index {
            if let Some(ended) = self.slots.last_mut() {
                ended.in_flight = self.sent.len() as u64;
            }
            self.slots.push(Slot::default());
        }
        &mut self.slots[index]
    }

    /// All intervals up to `end`.
    fn finish(mut self, end: Instant) -> Vec<Slot> {
        let in_flight = self.sent.len() as u64;
        if let Some(last) = end.nanos().checked_sub(1) {
            self.at(Instant::from_nanos(last)).in_flight = in_flight;
        }
        self.slots
    }
}

impl Trace for Watch {
    fn record(&mut self, now: Instant, record: Record) {
        match record {
            Record::Sent { lane, index, .. } => {
                self.at(now).sent += 1;
                self.sent.insert((lane, index), now);
            }
            Record::Settled { lane, index, error } => {
                let sent = self.sent.get(&(lane, index)).copied();
                let slot = self.at(now);
                match (error, sent) {
                    (Some(_), _) => slot.errors += 1,
                    (None, Some(sent)) => {
                        slot.good += 1;
                        slot.times.push((now - sent).nanos());
                    }
                    // Each answer is one to a request that was sent.
                    (None, None) => slot.good += 1,
                }
                self.sent.remove(&(lane, index));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replicate::replicate;
    use model::read::load;
    use std::path::Path;

    #[test]
    fn intervals_add_up_to_what_the_runs_saw() {
        let scenario = load(Path::new("v6.toml"), &[]).expect("built in").scenario;
        let events = u64::MAX;
        let told = over_time(&scenario, 2, events).expect("an end");
        assert_eq!(told.runs, 2);
        let warmup = scenario.load.warmup.secs_f64();
        let counted = |pick: fn(&Interval) -> f64| -> f64 {
            let inside = told.intervals.iter().filter(|one| one.from >= warmup);
            inside.map(|one| pick(one) * (one.to - one.from)).sum()
        };
        let seen: Vec<_> =
            (0..2).map(|index| replicate(&scenario, index, events).expect("an end")).collect();
        let mean = |counts: [u64; 2]| (counts[0] + counts[1]) as f64 / 2.0;
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-3, "{a} is not {b}");
        close(counted(|one| one.good), mean([seen[0].good(), seen[1].good()]));
        close(counted(|one| one.sent), mean([seen[0].sent, seen[1].sent]));
        let end = told.intervals.last().expect("intervals");
        close(end.to, scenario.load.total().secs_f64());
        close(end.in_flight, mean([0, 1].map(|run: usize| seen[run].in_flight.value())));
    }

    #[test]
    fn intervals_are_whole_seconds_and_not_too_many() {
        let seconds = |total: u64| length(Span::from_nanos(total * 1_000_000_000)) as f64 / 1e9;
        assert_eq!([5, 10, 70, 120, 121, 3600].map(seconds), [0.1, 1.0, 1.0, 1.0, 2.0, 30.0]);
    }
}
