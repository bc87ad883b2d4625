//! Requests of all endpoints together, several under way at any time: what one costs then.
//!
//! A request costs something else beside requests of other endpoints than beside its own kind: they
//! change what the caches of the processor hold, sessions of the database take turns, and a statement that
//! each connection asks again and again is planned once. What an endpoint costs apart is what is known
//! before; the turns of the mix correct it.

use std::collections::BTreeSet;

use live::clock;
use model::stream::Purpose;
use render::number;
use tokio::task::JoinSet;

use super::median::median;
use super::opening::Opening;
use super::posterior::{Known, Sum};
use super::session::{Session, Stopped, WITNESSED, Watcher, until};
use super::target::{Answer, Connection};
use crate::learned::Figure;

/// Turns of each number of requests at once, so many that a slow while of the machine is only a few of them.
const TURNS: usize = 10;
/// Fewer say nothing of their noise.
pub(super) const TURNS_LEAST: usize = 3;
/// Requests are sent for about so long in a turn, in nanoseconds.
const TURN: u64 = 1_000_000_000;
/// Most requests of a turn.
const MOST: u64 = 2000;
/// A turn in which each user sends fewer than so many says little of requests that go on.
const LEAST_EACH: u64 = 2;
/// So many at once keep a processor busy.
const BUSY: usize = 8;
/// No cost is known better than this, relative to itself.
const KNOWN: f64 = 0.01;
/// Nor better than this, in seconds: what a request takes beside its handler, such as the wake-ups of
/// threads, depends on how busy the service is.
const OVERHEAD: f64 = 0.05e-3;
/// All requests together may cost so much more or less than apart, a standard deviation: a FastAPI service
/// with Postgres took 4.3 ms for a request one at a time, and 3.4 to 4.6 ms with 2 to 64 users.
const TOGETHER: f64 = 0.15;
/// Correlation of what costs are off by. What requests cost each other, such as colder caches, raises the
/// costs of all, most those that vary with the number of requests at once, too.
const CORRELATION: f64 = 0.9;
/// Nor is what a turn used known better than this, relative to itself.
const ERROR_LEAST: f64 = 0.01;
/// A turn that is so many times farther from the median of all than half of them was disturbed.
const DISTURBED: f64 = 4.5;
/// Half the interval of 95 % of a normal distribution, in standard deviations.
const Z95: f64 = 1.96;

/// A while in which always so many requests were under way, drawn by their weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Mixed {
    /// Requests at once.
    pub at_once: usize,
    /// From when to when, in nanoseconds of the machine's monotonic clock.
    pub window: [u64; 2],
    /// Answers of each endpoint, in the order of the session's `asks`.
    pub answered: Vec<u64>,
    /// CPU seconds of the service, of all of them together.
    pub cpu: f64,
    /// CPU seconds of each of the other named processes.
    pub others: Vec<f64>,
}

impl Session<'_> {
    /// Turns of each number of requests at once that keeps the service busy.
    pub(super) async fn mixes(&mut self, watcher: &mut dyn Watcher) -> Result<(), Stopped> {
        let depths = self.together();
        // Some requests of the budget are left for the pass that sees what each request waits for.
        let later = WITNESSED * self.asked().len() as u64;
        let left = self.budget.requests.saturating_sub(self.sent() + later);
        let most = MOST.min(left / (TURNS * depths.len().max(1)) as u64);
        for turn in 1..=TURNS {
            for &depth in depths.iter().filter(|&&depth| LEAST_EACH * depth as u64 <= most) {
                if !self.takes_too_long(depth) {
                    watcher.stage(&format!("all together, {depth} at once, turn {turn}"));
                    self.mix(depth, most).await?;
                }
            }
        }
        Ok(())
    }

    /// The numbers of requests at once: those that keep the service busy and that it stands. Where bursts open
    /// connections to a database that are closed again, no more than stay open: how often a service opens
    /// some depends on how its requests bunch, and what that costs is known apart.
    fn together(&self) -> BTreeSet<usize> {
        let fails = self.measured.iter().filter_map(|one| Some(one.too_many.as_ref()?.0)).min();
        let stands = |depth: &usize| *depth >= BUSY && fails.is_none_or(|fails| *depth < fails);
        let most = match Opening::of(self).service {
            Some(_) => self.kept.unwrap_or(0),
            None => usize::MAX,
        };
        let all = self.budget.depths.iter().copied().filter(stands);
        all.map(|depth| depth.min(most)).filter(|depth| *depth > 0).collect()
    }

    /// A turn would use up the time that is left.
    fn takes_too_long(&self, depth: usize) -> bool {
        let usual = self.asked().into_iter().map(|index| self.usual(index)).fold(0.0, f64::max);
        let each = (usual * depth as f64 * LEAST_EACH as f64).max(TURN as f64 / 1e9);
        each * TURNS as f64 > self.left().as_secs_f64()
    }

    /// One turn of at most so many requests. It counts only if all answers are good.
    async fn mix(&mut self, depth: usize, most: u64) -> Result<(), Stopped> {
        let mut users = Vec::new();
        users.resize_with(depth, Connection::default);
        for user in &mut users {
            user.open(self.target).await.map_err(Stopped)?;
        }
        let draws = Purpose::new(1, &format!("mix@{depth}@{}", self.mixed.len()));
        let before = self.readings()?;
        let from = clock::now();
        let mut under_way: JoinSet<(usize, Answer, Connection)> = JoinSet::new();
        let mut answered = vec![0; self.asks.len()];
        let (mut sent, mut all_good) = (0, true);
        loop {
            let goes_on = all_good && sent < most && clock::now() - from < TURN;
            while let Some(mut user) = users.pop().filter(|_| goes_on) {
                self.may(1)?;
                let index = self.drawn(draws.draw(0, sent));
                let (target, request) = (self.target.clone(), self.request(index)?);
                under_way.spawn(async move {
                    let answer = user.ask(&target, request, None).await;
                    (index, answer, user)
                });
                sent += 1;
                self.state.sent += 1;
            }
            let next = until(self.interrupt.as_ref(), self.left(), under_way.join_next()).await?;
            let Some(ended) = next else { break };
            let Ok((index, answer, user)) = ended else { continue };
            users.push(user);
            answered[index] += 1;
            if answer.is_good() {
                self.state.health.good(clock::now());
            } else {
                all_good = false;
                self.state.health.bad(&self.asks[index].name, &answer, clock::now())?;
            }
        }
        let window = [from, clock::now()];
        let used = self.used(&before, from).await?;
        if all_good {
            let (cpu, others) = (used.cpu[0], used.cpu[1..].to_vec());
            self.mixed.push(Mixed { at_once: depth, window, answered, cpu, others });
        }
        Ok(())
    }

    /// An endpoint that is not left out, by its weight.
    fn drawn(&self, draw: u64) -> usize {
        let asked = self.asked();
        let total: f64 = asked.iter().map(|&index| self.asks[index].weight).sum();
        let mut left = draw as f64 / u64::MAX as f64 * total;
        for &index in &asked {
            left -= self.asks[index].weight;
            if left <= 0.0 {
                return index;
            }
        }
        asked.last().copied().unwrap_or(0)
    }
}

/// `figures` corrected by what the turns of the mix used; unchanged where too few turns say something of
/// them. `counts` says how often a turn had each, and `used` how many CPU seconds it used.
pub(super) fn corrected(
    figures: &[Figure],
    turns: &[Mixed],
    counts: impl Fn(&Mixed) -> Vec<f64>,
    used: impl Fn(&Mixed) -> f64,
) -> Vec<Figure> {
    let mut known = Known {
        means: figures.iter().map(|figure| figure.value).collect(),
        deviations: figures.iter().map(deviation).collect(),
        correlation: CORRELATION,
    };
    let ratios = ratios(&known.means, turns, counts, used);
    let Some(sums) = sums(&ratios) else { return figures.to_vec() };
    let wider = wider(&known, &sums);
    known.deviations.iter_mut().for_each(|deviation| *deviation *= wider);
    let found = known.corrected(&sums);
    let words = words(&ratios);
    let each = figures.iter().zip(found.means).zip(found.deviations);
    each.map(|((figure, mean), deviation)| with(figure, mean.max(0.0), deviation, &words)).collect()
}

/// How many times wider the standard deviations have to be so that all requests together may cost [`TOGETHER`]
/// more or less. How badly each cost is known apart says how the difference is shared, not how large it may be.
fn wider(known: &Known, sums: &[Sum]) -> f64 {
    let total = |each: &[f64]| -> f64 {
        let of = |sum: &Sum| sum.counts.iter().zip(each).map(|(n, value)| n * value).sum::<f64>();
        sums.iter().map(of).sum()
    };
    let together = total(&known.deviations) / total(&known.means);
    if together > 0.0 { (TOGETHER / together).max(1.0) } else { 1.0 }
}

/// The standard deviation of a cost that was measured apart; what takes no time takes none in the mix. Where
/// requests one at a time and several at once cost the same, it is small.
fn deviation(figure: &Figure) -> f64 {
    let Figure { value, low, high, .. } = figure;
    if *value <= 0.0 {
        return 0.0;
    }
    let half = (high.unwrap_or(*value) - low.unwrap_or(*value)) / 2.0;
    (half / Z95).max(KNOWN * value).max(OVERHEAD)
}

/// What a turn used, and how much that is relative to what its requests cost apart.
pub(super) struct Ratio {
    pub(super) at_once: usize,
    pub(super) window: [u64; 2],
    pub(super) ratio: f64,
    sum: Sum,
}

/// Those of the turns that say something, without disturbed ones.
pub(super) fn ratios(
    known: &[f64],
    turns: &[Mixed],
    counts: impl Fn(&Mixed) -> Vec<f64>,
    used: impl Fn(&Mixed) -> f64,
) -> Vec<Ratio> {
    let of_turn = |turn: &Mixed| {
        let counts = counts(turn);
        let expected: f64 = counts.iter().zip(known).map(|(n, mean)| n * mean).sum();
        let value = used(turn);
        let sum = Sum { counts, value, error: 0.0 };
        let is_known = expected > 0.0 && value > 0.0;
        let Mixed { at_once, window, .. } = *turn;
        is_known.then(|| Ratio { at_once, window, ratio: value / expected, sum })
    };
    let mut all: Vec<Ratio> = turns.iter().filter_map(of_turn).collect();
    for at_once in depths(&all) {
        let those = || all.iter().filter(|one| one.at_once == at_once).map(|one| one.ratio);
        let middle = median(&those().collect::<Vec<_>>()).value;
        let apart: Vec<f64> = those().map(|ratio| (ratio - middle).abs()).collect();
        let usual = median(&apart).value.max(ERROR_LEAST * middle);
        let fits = |one: &Ratio| (one.ratio - middle).abs() <= DISTURBED * usual;
        all.retain(|one| one.at_once != at_once || fits(one));
    }
    all
}

/// How many at once there were, ascending.
fn depths(ratios: &[Ratio]) -> BTreeSet<usize> {
    ratios.iter().map(|one| one.at_once).collect()
}

/// What the turns used, each as well known as they agree with each other; none if they are too few.
fn sums(ratios: &[Ratio]) -> Option<Vec<Sum>> {
    if ratios.len() < TURNS_LEAST {
        return None;
    }
    let count = ratios.len() as f64;
    let mean = ratios.iter().map(|one| one.ratio).sum::<f64>() / count;
    let squares: f64 = ratios.iter().map(|one| (one.ratio - mean) * (one.ratio - mean)).sum();
    let error = (libm::sqrt(squares / (count - 1.0)) / mean).max(ERROR_LEAST);
    let of = |one: &Ratio| Sum { error: error * one.sum.value, ..one.sum.clone() };
    Some(ratios.iter().map(of).collect())
}

/// The figure with what it is in the mix; its interval holds what it is apart too.
fn with(figure: &Figure, value: f64, deviation: f64, words: &str) -> Figure {
    if figure.value <= 0.0 {
        return figure.clone();
    }
    let half = Z95 * deviation;
    let low = figure.low.unwrap_or(figure.value).min(value - half).max(0.0);
    let high = figure.high.unwrap_or(figure.value).max(value + half);
    let change = number::change(value / figure.value - 1.0);
    let how = format!("{}; {change} beside others: {words}", figure.how);
    Figure { value, low: Some(low), high: Some(high), how, ..figure.clone() }
}

/// "requests of all endpoints together took 1.21 times as much with 8 at once, 1.32 times with 64".
fn words(ratios: &[Ratio]) -> String {
    let of = |at_once: usize| {
        let those = ratios.iter().filter(|one| one.at_once == at_once).map(|one| one.ratio);
        let ratio = median(&those.collect::<Vec<_>>()).value;
        format!("{ratio:.2} times as much with {at_once} at once")
    };
    let each: Vec<String> = depths(ratios).into_iter().map(of).collect();
    format!("all endpoints together took {}", each.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(value: f64) -> Figure {
        Figure::measured(value, [0.95 * value, 1.05 * value], "seen")
    }

    /// A turn in which 30 and 10 requests use so many CPU seconds.
    fn turn(at_once: usize, cpu: f64) -> Mixed {
        Mixed { at_once, window: [0, 1], answered: vec![30, 10], cpu, others: vec![] }
    }

    fn of(turns: &[Mixed]) -> Vec<Figure> {
        let counts = |turn: &Mixed| turn.answered.iter().map(|&count| count as f64).collect();
        corrected(&[figure(2e-3), figure(4e-3)], turns, counts, |turn| turn.cpu)
    }

    /// Apart, 30 and 10 requests cost 60 and 40 ms.
    const APART: f64 = 0.1;

    #[test]
    fn requests_together_cost_what_they_use_together() {
        let turns = [1.2, 1.21, 1.19, 1.2].map(|more| turn(8, more * APART));
        let turns = [&turns[..], &[turn(64, 1.2 * APART), turn(64, 1.2 * APART)]].concat();
        let found = of(&turns);
        let together = 30.0 * found[0].value + 10.0 * found[1].value;
        assert!((together / (1.2 * APART) - 1.0).abs() < 0.01, "{found:?}");
        for (figure, apart) in found.iter().zip([2e-3, 4e-3]) {
            let (low, high) = (figure.low.unwrap_or(1.0), figure.high.unwrap_or(0.0));
            assert!(
                low <= apart && high > figure.value && figure.value > 1.1 * apart,
                "{figure:?}"
            );
        }
        let words = "all endpoints together took 1.20 times as much with 8 at once, 1.20 times as much with 64 \
                     at once";
        assert!(found[0].how.starts_with("seen; +") && found[0].how.ends_with(words), "{found:?}");
    }

    #[test]
    fn a_cost_that_is_the_same_in_all_ways_takes_little_of_the_change() {
        let known = [
            Figure::measured(2e-3, [1.99e-3, 2.01e-3], "seen"),
            Figure::measured(4e-3, [3.0e-3, 5.0e-3], "seen"),
        ];
        let turns = [0.95, 0.96, 0.94].map(|less| turn(8, less * APART));
        let counts = |turn: &Mixed| turn.answered.iter().map(|&count| count as f64).collect();
        let found = corrected(&known, &turns, counts, |turn| turn.cpu);
        let changes = [1.0 - found[0].value / 2e-3, 1.0 - found[1].value / 4e-3];
        assert!(changes[0] < 0.3 * changes[1] && changes[1] > 0.05, "{changes:?}");
    }

    #[test]
    fn a_disturbed_turn_does_not_count() {
        let usual = [1.0, 1.01, 0.99, 1.0, 1.0].map(|more| turn(8, more * APART));
        let disturbed = [&usual[..], &[turn(8, 3.0 * APART)]].concat();
        for (one, other) in of(&usual).iter().zip(of(&disturbed)) {
            assert!((one.value / other.value - 1.0).abs() < 1e-9, "{one:?} {other:?}");
        }
    }

    #[test]
    fn turns_that_do_not_agree_say_little() {
        let agree = of(&[1.5, 1.5, 1.5].map(|more| turn(8, more * APART)));
        let differ = of(&[1.0, 1.5, 2.0].map(|more| turn(8, more * APART)));
        assert!(agree[0].value > 1.45 * 2e-3, "{agree:?}");
        assert!(differ[0].value < 1.3 * 2e-3, "{differ:?}");
        // However well each cost is known apart.
        let sharp =
            [2e-3, 4e-3].map(|cost| Figure::measured(cost, [0.999 * cost, 1.001 * cost], ""));
        let turns = [1.5, 1.5, 1.5].map(|more| turn(8, more * APART));
        let counts = |turn: &Mixed| turn.answered.iter().map(|&count| count as f64).collect();
        let found = corrected(&sharp, &turns, counts, |turn| turn.cpu);
        assert!(found[0].value > 1.45 * 2e-3, "{found:?}");
    }

    #[test]
    fn too_few_turns_change_nothing() {
        let known = vec![figure(2e-3), figure(4e-3)];
        assert_eq!(of(&[turn(8, 0.2), turn(8, 0.2)]), known);
        assert_eq!(of(&[]), known);
    }
}
