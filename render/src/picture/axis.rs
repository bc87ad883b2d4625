//! An axis: what it measures, from where to where, and its marks.

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, KeyPointWeight, Ranged};

use super::numbers::Unit;

/// An axis. Values beyond its ends are drawn at them.
#[derive(Clone, Debug)]
pub struct Axis {
    unit: Unit,
    low: f64,
    high: f64,
    scale: Scale,
    marks: usize,
    /// Of the values 0, 1, 2 and so on; none if they are numbers.
    names: Vec<String>,
}

/// How values become distances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scale {
    Linear,
    /// Equal factors are equal distances.
    Logarithmic,
}

impl Axis {
    /// From zero, or from the lowest of `values` below it, to the highest.
    pub fn linear(unit: Unit, values: impl IntoIterator<Item = f64>) -> Axis {
        let finite = values.into_iter().filter(|value| value.is_finite());
        let (low, high) = finite.fold((0.0f64, 0.0f64), |(l, h), v| (l.min(v), h.max(v)));
        Axis::between(unit, low, high)
    }

    /// From `low` to `high`.
    pub fn between(unit: Unit, low: f64, high: f64) -> Axis {
        // Something has to be between the ends.
        let high = if high > low { high } else { low + 1.0 };
        Axis { unit, low, high, scale: Scale::Linear, marks: 2, names: Vec::new() }
    }

    /// From the lowest to the highest of `values`; what is not above zero has no place on it.
    pub fn logarithmic(unit: Unit, values: impl IntoIterator<Item = f64>) -> Axis {
        let some = values.into_iter().filter(|value| value.is_finite() && *value > 0.0);
        let (low, high) = some.fold((f64::INFINITY, 0.0f64), |(l, h), v| (l.min(v), h.max(v)));
        let (low, high) = if high > 0.0 { (low, high.max(low * 1.5)) } else { (0.1, 1.0) };
        Axis { unit, low, high, scale: Scale::Logarithmic, marks: 2, names: Vec::new() }
    }

    /// From the first to the last of values that are no numbers, which are 0, 1, 2 and so on.
    pub fn named(names: Vec<String>) -> Axis {
        let high = names.len() as f64 - 0.5;
        Axis { names, ..Axis::between(Unit::Count, -0.5, high) }
    }

    /// Logarithmic where the largest of `values` is more than `ratio` times the least and that is
    /// above 0; else linear, from zero.
    pub fn fitting(unit: Unit, values: &[f64], ratio: f64) -> Axis {
        let finite = || values.iter().copied().filter(|value| value.is_finite());
        let (low, high) = finite().fold((f64::INFINITY, 0.0f64), |(l, h), v| (l.min(v), h.max(v)));
        match low > 0.0 && high > ratio * low {
            true => Axis::logarithmic(unit, finite()),
            false => Axis::linear(unit, finite()),
        }
    }

    /// With a little room at the ends, but for an end at zero.
    #[must_use]
    pub fn with_room(self) -> Axis {
        const ROOM: f64 = 0.04;
        let (low, high) = match self.scale {
            Scale::Linear => {
                let room = ROOM * (self.high - self.low);
                (if self.low < 0.0 { self.low - room } else { self.low }, self.high + room)
            }
            Scale::Logarithmic => {
                let room = libm::pow(self.high / self.low, ROOM);
                (self.low / room, self.high * room)
            }
        };
        Axis { low, high, ..self }
    }

    /// With at most so many marks.
    pub(super) fn with_marks(&self, most: u32) -> Axis {
        Axis { marks: most.max(2) as usize, ..self.clone() }
    }

    pub(super) fn ends(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    /// The nearest value that is on the axis.
    pub(super) fn clamp(&self, value: f64) -> f64 {
        if value.is_nan() { self.low } else { value.clamp(self.low, self.high) }
    }

    /// What is seen half-way between two values.
    pub(super) fn middle(&self, from: f64, to: f64) -> f64 {
        match self.scale {
            Scale::Linear => (from + to) / 2.0,
            Scale::Logarithmic => libm::sqrt(self.clamp(from) * self.clamp(to)),
        }
    }

    /// A value in words.
    pub(super) fn words(&self, value: f64) -> String {
        if self.names.is_empty() {
            return self.unit.short(value);
        }
        self.names.get(value.round().max(0.0) as usize).cloned().unwrap_or_default()
    }

    /// Where it is between the ends, from 0 to 1.
    fn part(&self, value: f64) -> f64 {
        let value = self.clamp(value);
        match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Logarithmic => libm::log(value / self.low) / libm::log(self.high / self.low),
        }
    }

    fn key_marks(&self) -> Vec<f64> {
        if !self.names.is_empty() {
            let every = self.names.len().div_ceil(self.marks);
            return (0..self.names.len()).step_by(every).map(|index| index as f64).collect();
        }
        match self.scale {
            Scale::Linear => multiples(self.low, self.high, self.marks),
            Scale::Logarithmic => decades(self.low, self.high, self.marks),
        }
    }
}

impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        limit.0 + (self.part(*value) * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        match hint.weight() {
            KeyPointWeight::Bold => self.key_marks(),
            KeyPointWeight::Any => Vec::new(),
        }
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

/// 1, 2 and 5 of each power of ten, or fewer where these are too many.
fn decades(low: f64, high: f64, most: usize) -> Vec<f64> {
    let (from, to) = (libm::floor(libm::log10(low)) as i32, libm::ceil(libm::log10(high)) as i32);
    let of = |steps: &[f64], every: i32| -> Vec<f64> {
        (from..=to)
            .filter(|power| power.rem_euclid(every) == 0)
            .flat_map(|power| steps.iter().map(move |step| step * libm::pow(10.0, power.into())))
            .filter(|mark| *mark >= low * 0.999 && *mark <= high * 1.001)
            .collect()
    };
    let choices: [(&[f64], i32); 5] =
        [(&[1.0, 2.0, 5.0], 1), (&[1.0, 3.0], 1), (&[1.0], 1), (&[1.0], 2), (&[1.0], 3)];
    let all = choices.into_iter().map(|(steps, every)| of(steps, every));
    all.into_iter()
        .find(|marks| marks.len() <= most)
        .filter(|m| !m.is_empty())
        .unwrap_or_else(|| vec![low, high])
}

/// Multiples of 1, 2 or 5 times a power of ten, at most so many and one.
fn multiples(low: f64, high: f64, most: usize) -> Vec<f64> {
    let least = (high - low) / most as f64;
    let power = libm::pow(10.0, libm::floor(libm::log10(least)));
    let steps = [1.0, 2.0, 5.0].map(|step| step * power);
    let step = steps.into_iter().find(|step| *step >= least * 0.999).unwrap_or(10.0 * power);
    let (from, to) = (libm::ceil(low / step - 1e-9), libm::floor(high / step + 1e-9));
    (from as i64..=to as i64).map(|index| index as f64 * step).collect()
}
