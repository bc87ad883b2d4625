//! Values of one learned number.

use model::Quantity;
use model::distribution::standard_normal;
use model::read::{Interval, Known};
use model::stream::Purpose;

/// Standard deviations from the middle of a normal distribution to the ends of its 95 % interval.
const Z: f64 = 1.959_963_984_540_054;
/// An interval whose two sides differ by less than this share of the longer one is symmetric.
const SYMMETRIC: f64 = 0.1;

/// The draws of one learned number: one in each of as many equally likely slices as there are
/// sets, in an order of its own.
#[derive(Debug)]
pub(super) struct Drawn {
    key: String,
    interval: Interval,
    /// Standard normal, by set.
    draws: Vec<f64>,
}

impl Drawn {
    /// None of a number of which no interval is known.
    pub(super) fn new(known: &Known, seed: u64, sets: u32) -> Option<Drawn> {
        let purpose = Purpose::new(seed, &format!("learned {}", known.key));
        let mut order: Vec<(u64, u32)> =
            (0..sets).map(|set| (purpose.draw(u64::from(set), 0), set)).collect();
        order.sort_unstable();
        let mut draws = vec![0.0; order.len()];
        for (slice, (_, set)) in order.into_iter().enumerate() {
            // The middle of its slice: a draw at random would make the outermost one, which the
            // ends of the interval rest on, lie anywhere.
            let probability = (slice as f64 + 0.5) / f64::from(sets);
            draws[set as usize] = standard_normal(probability);
        }
        Some(Drawn { key: known.key.clone(), interval: known.interval?, draws })
    }

    /// The key and its value in a set, as `--set` takes them. With `share` the value is that much
    /// of the way from the one in the file.
    pub(super) fn value(&self, set: usize, share: f64) -> (String, String) {
        (self.key.clone(), at(&self.interval, self.draws[set] * share).to_string())
    }
}

/// The value so many standard deviations from the middle: normal where the interval is symmetric
/// about the number, else lognormal, with a deviation for either side; where the interval
/// begins at zero, normal with a deviation for either side.
fn at(interval: &Interval, z: f64) -> Quantity {
    let [low, value, high] = [interval.low, interval.value, interval.high].map(|q| q.number());
    let (below, above) = (value - low, high - value);
    let longer = below.max(above);
    let number = if (below - above).abs() <= SYMMETRIC * longer {
        value + z / Z * (below + above) / 2.0
    } else if low > 0.0 {
        let ratio = if z < 0.0 { value / low } else { high / value };
        value * libm::exp(z / Z * libm::log(ratio))
    } else {
        value + z / Z * if z < 0.0 { below } else { above }
    };
    interval.value.at(number)
}

#[cfg(test)]
mod tests {
    use model::units::Span;

    use super::*;

    fn interval([low, value, high]: [u64; 3]) -> Interval {
        let [low, value, high] =
            [low, value, high].map(|nanos| Quantity::Span(Span::from_nanos(nanos)));
        Interval { low, value, high }
    }

    #[test]
    fn the_ends_of_the_interval_are_about_two_deviations_away() {
        for ends in [[90, 100, 110], [50, 100, 200], [90, 100, 500], [0, 100, 400], [100, 100, 300]]
        {
            let interval = interval(ends);
            assert_eq!(at(&interval, -Z), interval.low, "{ends:?}");
            assert_eq!(at(&interval, 0.0), interval.value, "{ends:?}");
            assert_eq!(at(&interval, Z), interval.high, "{ends:?}");
        }
        assert_eq!(at(&interval([0, 100, 200]), -9.0), Quantity::Span(Span::ZERO));
    }

    #[test]
    fn each_slice_has_one_draw_and_numbers_have_orders_of_their_own() {
        let known = |key: &str| Known {
            key: key.into(),
            value: "100ns".into(),
            number: None,
            interval: Some(interval([90, 100, 110])),
            origin: model::scenario::Origin::Measured,
            how: String::new(),
            better: None,
        };
        let drawn = |key| Drawn::new(&known(key), 7, 40).map_or(Vec::new(), |drawn| drawn.draws);
        let mut draws = drawn("a");
        assert_ne!(draws, drawn("b"));
        draws.sort_by(f64::total_cmp);
        for (slice, draw) in draws.iter().enumerate() {
            let ends = [slice as f64 / 40.0, (slice + 1) as f64 / 40.0];
            assert!(
                (slice == 0 || standard_normal(ends[0]) < *draw)
                    && (slice == 39 || *draw < standard_normal(ends[1])),
                "{slice} {draw}"
            );
        }
    }
}
