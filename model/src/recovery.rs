//! Whether a service recovers from a peak of its load: an open load that was higher than it is at
//! the end, and that is steady from some instant on.
//!
//! Requests are counted by when they came, not by when they were answered: how many of the
//! requests of each window were answered well. Answers that come together with other requests
//! than their own would blur what a window says.

use serde::{Deserialize, Serialize};

use crate::report::Recovery;
use crate::scenario::{Load, Profile, Source};
use crate::statistics::{Estimate, round_significant};
use crate::units::{Instant, Span};

/// Share of the requests that a service which has recovered answers well.
pub const ENOUGH: f64 = 0.95;
/// A window has as many whole seconds as bring this many requests.
const REQUESTS: f64 = 100.0;
/// Windows in a row, up to the end, that show a recovery.
const WINDOWS: usize = 5;

/// Requests after the last change of the load, by when they came.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Aftermath {
    /// None if the load has no peak, or ends soon after it.
    watch: Option<Watch>,
    windows: Vec<Cohort>,
}

/// The part of a run in which a recovery is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Watch {
    /// When the load has changed for the last time.
    since: Span,
    window: Span,
}

/// The requests that came in one window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Cohort {
    came: u64,
    good: u64,
    failed: u64,
}

impl Watch {
    fn of(load: &Load) -> Option<Watch> {
        let Source::Open { rate, on_off: None, .. } = &load.source else { return None };
        let since = last_change(rate)?;
        let last = rate.value(Span::MAX);
        if last <= 0.0 || rate.peak() <= last {
            return None;
        }
        let seconds = libm::ceil(REQUESTS / last).max(1.0);
        let least = since.saturating_add(Span::from_secs_f64(seconds * WINDOWS as f64));
        (least <= load.total()).then(|| Watch { since, window: Span::from_secs_f64(seconds) })
    }
}

/// When `profile` has changed for the last time; none if it never does.
fn last_change(profile: &Profile) -> Option<Span> {
    let (mut value, mut at, mut last) = (profile.start, Span::ZERO, None);
    for stage in &profile.stages {
        at = at.saturating_add(stage.duration);
        if stage.target != value {
            (value, last) = (stage.target, Some(at));
        }
    }
    last
}

impl Aftermath {
    /// No request so far.
    pub fn new(load: &Load) -> Aftermath {
        Aftermath { watch: Watch::of(load), windows: Vec::new() }
    }

    /// The windows in which requests are counted; none if nothing is watched.
    #[inline]
    fn at(&mut self, came: Instant) -> Option<&mut Cohort> {
        let watch = self.watch?;
        self.of(watch, came)
    }

    #[inline(never)]
    fn of(&mut self, watch: Watch, came: Instant) -> Option<&mut Cohort> {
        let since = Instant::START + watch.since;
        if came < since {
            return None;
        }
        let index = ((came - since).nanos() / watch.window.nanos()) as usize;
        if self.windows.len() <= index {
            self.windows.resize(index + 1, Cohort::default());
        }
        Some(&mut self.windows[index])
    }

    /// A request comes.
    #[inline]
    pub fn came(&mut self, at: Instant) {
        if let Some(cohort) = self.at(at) {
            cohort.came += 1;
        }
    }

    /// The request that came at `came` is answered, well or not, or given up.
    #[inline]
    pub fn settled(&mut self, came: Instant, good: bool) {
        if let Some(cohort) = self.at(came) {
            cohort.good += u64::from(good);
            cohort.failed += u64::from(!good);
        }
    }

    /// When the load has changed for the last time, since it began; none if nothing is watched.
    pub fn since(&self) -> Option<Span> {
        self.watch.map(|watch| watch.since)
    }

    /// How long after its last change the service has recovered: from then on, and until the end,
    /// [`ENOUGH`] of the requests of each window are answered well. Those in flight at the end
    /// speak neither for nor against it.
    pub fn recovered(&self) -> Option<Span> {
        let watch = self.watch?;
        let bad = |cohort: &Cohort| ((cohort.came - cohort.failed) as f64) < cohort.enough();
        let steady = self.windows.iter().rev().take_while(|cohort| !bad(cohort));
        let (all, proven) = steady.fold((0, 0), |(all, proven), cohort| {
            (all + 1, proven + usize::from(cohort.good as f64 >= cohort.enough()))
        });
        (proven >= WINDOWS).then(|| watch.window * (self.windows.len() - all) as u64)
    }

    /// Share answered well of the requests that came in the later half of what is watched, those
    /// in flight left out; none without any.
    pub fn answered(&self) -> Option<f64> {
        let later = self.windows.iter().skip(self.windows.len() / 2);
        let (good, failed) =
            later.fold((0, 0), |sum, cohort| (sum.0 + cohort.good, sum.1 + cohort.failed));
        (good + failed > 0).then(|| good as f64 / (good + failed) as f64)
    }
}

/// What several runs under `load` show; none if there is nothing to recover from.
pub fn recovery<'a>(
    load: &Load,
    runs: impl Iterator<Item = &'a Aftermath>,
    confidence: f64,
) -> Option<Recovery> {
    let Watch { since, .. } = Watch::of(load)?;
    let (mut all, mut after, mut answered) = (0, Vec::new(), Vec::new());
    for run in runs {
        all += 1;
        after.extend(run.recovered().map(|span| span.secs_f64()));
        answered.extend(run.answered());
    }
    let mean = |samples: &[f64]| samples.iter().sum::<f64>() / samples.len().max(1) as f64;
    Some(Recovery {
        last_change: since.secs_f64(),
        watched: (load.total() - since).secs_f64(),
        runs: all,
        recovered: after.len() as u32,
        after: (!after.is_empty()).then(|| Estimate::of_mean(&after, confidence).rounded()),
        answered: round_significant(mean(&answered)),
        budget: None,
    })
}

impl Cohort {
    fn enough(&self) -> f64 {
        self.came as f64 * ENOUGH
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::load_text;

    /// 100/s, 300/s for ten seconds up to the tenth, and 100/s for `after` seconds more.
    fn aftermath(after: u32) -> Aftermath {
        let text = format!(
            "load.rate = \"100/s\"\nload.stages = [{{ duration = \"5s\", target = \"300/s\" }}, \
             {{ duration = \"5s\", target = \"100/s\" }}, \
             {{ duration = \"{after}s\", target = \"100/s\" }}]\n\
             service.concurrency = \"async\"\ncosts = {{}}\n\
             endpoint = [{{ name = \"e\", weight = 1 }}]"
        );
        let scenario = load_text("peak", &text, &[]).expect("a scenario").scenario;
        Aftermath::new(&scenario.load)
    }

    /// 100 requests in each second from the tenth on, of which so many are answered well and so
    /// many are not.
    fn after(seconds: &[(u32, u32)]) -> Aftermath {
        let mut seen = aftermath(60);
        for (second, &(good, failed)) in (10..).zip(seconds) {
            let at = Instant::START + Span::from_millis(second * 1000 + 500);
            (0..100).for_each(|_| seen.came(at));
            (0..good).for_each(|_| seen.settled(at, true));
            (0..failed).for_each(|_| seen.settled(at, false));
        }
        seen
    }

    #[test]
    fn it_has_recovered_when_all_later_seconds_are_good() {
        let good = [(96, 4); 6];
        assert_eq!(after(&good).recovered(), Some(Span::ZERO));
        let seen = after(&[&[(10, 90), (96, 4), (94, 6)], good.as_slice()].concat());
        assert_eq!(seen.recovered(), Some(Span::from_secs(3)));
        // Requests in flight at the end are neither good nor bad.
        let late = [&[(0, 100)], good.as_slice(), &[(3, 0), (0, 5)]].concat();
        assert_eq!(after(&late).recovered(), Some(Span::from_secs(1)));
        let storm = [[(1, 99); 20].as_slice(), &[(1, 0); 9]].concat();
        assert_eq!(after(&storm).recovered(), None);
        // A few good seconds at the very end may be chance.
        assert_eq!(after(&[&[(0, 100)], &good[..4]].concat()).recovered(), None);
    }

    #[test]
    fn only_a_peak_that_is_over_is_watched() {
        assert_eq!(aftermath(60).since(), Some(Span::from_secs(10)));
        assert_eq!(aftermath(4).since(), None);
        let rising = Profile { start: 1.0, stages: Vec::new() };
        assert_eq!(last_change(&rising), None);
    }

    #[test]
    fn the_later_half_says_how_many_are_answered() {
        let seen = after(&[(100, 0), (100, 0), (20, 60), (0, 0)]);
        assert_eq!(seen.answered(), Some(0.25));
    }
}
