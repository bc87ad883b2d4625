//! A sum that grows with time, known at some times.

/// A sum that grows with time, known at some times.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counter {
    /// Times, ascending, and the sum then, with the falls of the original taken out.
    points: Vec<(f64, f64)>,
    /// The last number as it was recorded.
    last: f64,
    /// How often the original fell: its process began anew, or it was the number of another process.
    pub resets: u32,
}

/// Without samples for this many times the usual step, nothing is known.
const GAP: f64 = 5.0;
/// Samples that are held; beyond, every other one is left out.
const HELD: usize = 200_000;

impl Counter {
    /// The number as it was recorded at `time`. A number that is lower than the last one began at zero in
    /// between.
    pub fn total(&mut self, time: f64, recorded: f64) {
        if !time.is_finite() || !(0.0..f64::INFINITY).contains(&recorded) {
            return;
        }
        let Some(&(before, sum)) = self.points.last() else {
            self.points.push((time, 0.0));
            self.last = recorded;
            return;
        };
        if time <= before {
            return;
        }
        let more = if recorded >= self.last {
            recorded - self.last
        } else {
            self.resets += 1;
            recorded
        };
        self.last = recorded;
        self.push(time, sum + more);
    }

    /// A share since the last sample. The first one only says when the next began.
    pub fn share(&mut self, time: f64, share: f64) {
        if !time.is_finite() || !(0.0..f64::INFINITY).contains(&share) {
            return;
        }
        let Some(&(before, sum)) = self.points.last() else {
            self.points.push((time, 0.0));
            return;
        };
        if time > before {
            self.push(time, sum + share * (time - before));
        }
    }

    fn push(&mut self, time: f64, sum: f64) {
        self.points.push((time, sum));
        if self.points.len() >= HELD {
            let mut even = false;
            self.points.retain(|_| {
                even = !even;
                even
            });
        }
    }

    /// Samples that are known.
    pub fn samples(&self) -> usize {
        self.points.len()
    }

    /// The first and the last time.
    pub fn span(&self) -> Option<[f64; 2]> {
        Some([self.points.first()?.0, self.points.last()?.0])
    }

    /// Seconds from one sample to the next, usually.
    pub fn step(&self) -> Option<f64> {
        let mut steps: Vec<f64> =
            self.points.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
        steps.sort_by(f64::total_cmp);
        steps.get(steps.len() / 2).copied()
    }

    /// By how much it grew; none before the first and after the last sample, and in gaps.
    pub fn between(&self, from: f64, to: f64) -> Option<f64> {
        self.between_steps(from, to, GAP * self.step()?)
    }

    /// The same where the usual step is known, for many calls.
    pub fn between_steps(&self, from: f64, to: f64, gap: f64) -> Option<f64> {
        let first = self.points.partition_point(|(time, _)| *time <= from).max(1);
        let last = self.points.partition_point(|(time, _)| *time < to).max(1);
        let around = self.points.get(first - 1..=last)?;
        if around.windows(2).any(|pair| pair[1].0 - pair[0].0 > gap) {
            return None;
        }
        Some(self.at(to, last)? - self.at(from, first)?)
    }

    /// The sum at `time`, which lies before the sample at `next`.
    fn at(&self, time: f64, next: usize) -> Option<f64> {
        let (&(t0, s0), &(t1, s1)) = (self.points.get(next - 1)?, self.points.get(next)?);
        // A hair outside is rounding.
        let part = (time - t0) / (t1 - t0);
        (-1e-6..=1.0 + 1e-6).contains(&part).then(|| s0 + (s1 - s0) * part.clamp(0.0, 1.0))
    }

    /// The same sum on a clock that is `seconds` ahead.
    pub fn moved(mut self, seconds: f64) -> Counter {
        self.points.iter_mut().for_each(|(time, _)| *time += seconds);
        self
    }

    /// The same sum in another unit.
    pub fn scaled(mut self, unit: f64) -> Counter {
        self.points.iter_mut().for_each(|(_, sum)| *sum *= unit);
        self
    }

    /// Times and sums.
    pub fn points(&self) -> &[(f64, f64)] {
        &self.points
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_between_its_samples_and_is_unknown_outside() {
        let mut counter = Counter::default();
        for (time, total) in [(0.0, 5.0), (10.0, 7.0), (20.0, 11.0)] {
            counter.total(time, total);
        }
        assert_eq!(counter.between(0.0, 20.0), Some(6.0));
        assert_eq!(counter.between(5.0, 15.0), Some(3.0));
        assert_eq!(counter.between(10.0, 20.0), Some(4.0));
        assert_eq!(counter.between(2.5, 5.0), Some(0.5));
        assert_eq!(counter.between(-5.0, 5.0), None);
        assert_eq!(counter.between(15.0, 25.0), None);
    }

    #[test]
    fn a_fall_begins_at_zero_and_a_gap_is_not_known() {
        let mut counter = Counter::default();
        for time in 0..10 {
            counter.total(f64::from(time), 100.0 + f64::from(time));
        }
        counter.total(10.0, 0.5);
        assert_eq!((counter.resets, counter.between(9.0, 10.0)), (1, Some(0.5)));
        counter.total(40.0, 10.5);
        counter.total(41.0, 11.5);
        assert_eq!(counter.between(20.0, 30.0), None);
        assert_eq!(counter.between(9.5, 40.5), None);
        assert_eq!(counter.between(40.0, 41.0), Some(1.0));
    }
}
