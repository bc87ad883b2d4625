//! Distributions of a length of time, sampled by inversion: one draw is one quantile.
//!
//! Inversion keeps draws comparable: the same draw is the same rank whatever the
//! distribution, so a slower upstream stretches every call and reorders none.

use libm::{exp, log, sqrt};
use serde::Serialize;

use crate::units::Span;

/// z with P(Z <= z) = 0.99 for a standard normal Z.
pub const Z_99: f64 = 2.326_347_874_040_841;

/// How long something takes.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Distribution {
    /// Always the same.
    Constant(Span),
    /// Memoryless, with this mean.
    Exponential {
        /// Mean.
        mean: Span,
    },
    /// The logarithm is normal: `exp(mu + sigma Z)` nanoseconds.
    Lognormal {
        /// Mean of the logarithm, of nanoseconds.
        mu: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
    },
    /// Every length between the two equally likely.
    Uniform {
        /// Shortest.
        low: Span,
        /// Longest.
        high: Span,
    },
    /// Measured quantiles, joined by straight lines.
    Empirical(Quantiles),
}

/// Points of a quantile function: rising probability, never falling value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Quantiles(Vec<(f64, f64)>);

impl Quantiles {
    /// A table of `(probability, span)`, at least two points from probability 0 to 1.
    ///
    /// # Errors
    /// What is wrong with the table.
    pub fn new(points: &[(f64, Span)]) -> Result<Quantiles, String> {
        if points.len() < 2 {
            return Err("at least two quantiles".into());
        }
        if points.windows(2).any(|w| w[0].0 >= w[1].0 || w[0].1 > w[1].1) {
            return Err("quantiles that rise: a higher percentile never takes less time".into());
        }
        let (first, last) = (points[0].0, points[points.len() - 1].0);
        if first != 0.0 || last != 1.0 {
            return Err("a table that begins at p0 and ends at p100".into());
        }
        Ok(Quantiles(points.iter().map(|&(p, span)| (p, span.nanos() as f64)).collect()))
    }

    /// The points: probability and nanoseconds.
    pub fn points(&self) -> &[(f64, f64)] {
        &self.0
    }

    fn at(&self, probability: f64) -> f64 {
        let upper = self.0.partition_point(|&(p, _)| p < probability).clamp(1, self.0.len() - 1);
        let ((p0, v0), (p1, v1)) = (self.0[upper - 1], self.0[upper]);
        v0 + (v1 - v0) * (probability - p0) / (p1 - p0)
    }

    /// Mean and second moment of the piecewise uniform density.
    fn moments(&self) -> (f64, f64) {
        self.0.windows(2).fold((0.0, 0.0), |(mean, square), w| {
            let ((p0, a), (p1, b)) = (w[0], w[1]);
            let share = p1 - p0;
            (mean + share * (a + b) / 2.0, square + share * (a * a + a * b + b * b) / 3.0)
        })
    }
}

impl Default for Distribution {
    /// No time at all.
    fn default() -> Distribution {
        Distribution::Constant(Span::ZERO)
    }
}

impl Distribution {
    /// Lognormal through two quantiles: `mu = ln p50`, `sigma = ln(p99/p50) / z99`.
    pub fn lognormal(p50: Span, p99: Span) -> Distribution {
        let mu = log(p50.nanos() as f64);
        Distribution::Lognormal { mu, sigma: (log(p99.nanos() as f64) - mu) / Z_99 }
    }

    /// The time at `draw`, a uniform 64-bit number.
    pub fn sample(&self, draw: u64) -> Span {
        match self {
            Distribution::Constant(span) => *span,
            _ => self.quantile(unit_interval(draw)),
        }
    }

    /// The time that a share `probability` of samples does not exceed, 0 < probability < 1.
    pub fn quantile(&self, probability: f64) -> Span {
        let nanos = match self {
            Distribution::Constant(span) => return *span,
            Distribution::Exponential { mean } => {
                -(mean.nanos() as f64) * libm::log1p(-probability)
            }
            Distribution::Lognormal { mu, sigma } => exp(mu + sigma * standard_normal(probability)),
            Distribution::Uniform { low, high } => {
                low.nanos() as f64 + (high.nanos() - low.nanos()) as f64 * probability
            }
            Distribution::Empirical(table) => table.at(probability),
        };
        Span::from_nanos_f64(nanos)
    }

    /// Mean, in seconds.
    pub fn mean(&self) -> f64 {
        self.moments().0 / 1e9
    }

    /// Squared coefficient of variation: variance over squared mean. Zero for a mean of zero.
    pub fn scv(&self) -> f64 {
        let (mean, square) = self.moments();
        if mean == 0.0 { 0.0 } else { square / (mean * mean) - 1.0 }
    }

    /// First and second moment, in nanoseconds and their square.
    fn moments(&self) -> (f64, f64) {
        match self {
            Distribution::Constant(span) => {
                let n = span.nanos() as f64;
                (n, n * n)
            }
            Distribution::Exponential { mean } => {
                let n = mean.nanos() as f64;
                (n, 2.0 * n * n)
            }
            Distribution::Lognormal { mu, sigma } => {
                let mean = exp(mu + sigma * sigma / 2.0);
                (mean, mean * mean * exp(sigma * sigma))
            }
            Distribution::Uniform { low, high } => {
                let (a, b) = (low.nanos() as f64, high.nanos() as f64);
                ((a + b) / 2.0, (a * a + a * b + b * b) / 3.0)
            }
            Distribution::Empirical(table) => table.moments(),
        }
    }

    /// Mean of `min(X, cap)`, in seconds: what a call takes whose caller gives up at `cap`.
    ///
    /// Lognormal: `mean * Phi((ln T - mu - sigma^2)/sigma) + T (1 - Phi((ln T - mu)/sigma))`.
    /// The others by their own integrals.
    pub fn mean_capped(&self, cap: Span) -> f64 {
        let t = cap.nanos() as f64;
        let nanos = match self {
            Distribution::Constant(span) => (span.nanos() as f64).min(t),
            Distribution::Exponential { mean } if mean.is_zero() => 0.0,
            Distribution::Exponential { mean } => {
                let m = mean.nanos() as f64;
                m * (1.0 - exp(-t / m))
            }
            Distribution::Lognormal { mu, sigma } if *sigma == 0.0 => exp(*mu).min(t),
            Distribution::Lognormal { mu, sigma } => {
                let mean = exp(mu + sigma * sigma / 2.0);
                let z = (log(t) - mu) / sigma;
                mean * normal_cdf(z - sigma) + t * (1.0 - normal_cdf(z))
            }
            Distribution::Uniform { low, high } => {
                Quantiles(vec![(0.0, low.nanos() as f64), (1.0, high.nanos() as f64)])
                    .mean_capped(t)
            }
            Distribution::Empirical(table) => table.mean_capped(t),
        };
        nanos / 1e9
    }

    /// True if every sample is zero.
    pub fn is_zero(&self) -> bool {
        self.moments().0 == 0.0
    }

    /// The same distribution with every sample multiplied by `factor`.
    pub fn scale(&self, factor: f64) -> Distribution {
        if factor == 1.0 {
            return self.clone();
        }
        match self {
            Distribution::Constant(span) => Distribution::Constant(span.scale(factor)),
            Distribution::Exponential { mean } => {
                Distribution::Exponential { mean: mean.scale(factor) }
            }
            Distribution::Lognormal { mu, sigma } => {
                Distribution::Lognormal { mu: mu + log(factor), sigma: *sigma }
            }
            Distribution::Uniform { low, high } => {
                Distribution::Uniform { low: low.scale(factor), high: high.scale(factor) }
            }
            Distribution::Empirical(Quantiles(points)) => Distribution::Empirical(Quantiles(
                points.iter().map(|&(p, v)| (p, v * factor)).collect(),
            )),
        }
    }

    /// The same distribution with `by` added to every sample. What has no such form becomes
    /// a table of its quantiles, up to that of one in a million.
    pub fn later(&self, by: Span) -> Distribution {
        const POINTS: u32 = 1_000;
        const LAST: f64 = 1e-6;
        if by.is_zero() {
            return self.clone();
        }
        let shift = by.nanos() as f64;
        match self {
            Distribution::Constant(span) => Distribution::Constant(*span + by),
            Distribution::Uniform { low, high } => {
                Distribution::Uniform { low: *low + by, high: *high + by }
            }
            Distribution::Empirical(Quantiles(points)) => Distribution::Empirical(Quantiles(
                points.iter().map(|&(p, v)| (p, v + shift)).collect(),
            )),
            Distribution::Exponential { .. } | Distribution::Lognormal { .. } => {
                let at = |p: f64| self.quantile(p.clamp(LAST, 1.0 - LAST)).nanos() as f64 + shift;
                let inner = (0..=POINTS).map(|point| f64::from(point) / f64::from(POINTS));
                // The last steps are finer: that is where the long samples are.
                let tail = [0.9995, 0.9999, 0.99999].into_iter();
                let mut points: Vec<(f64, f64)> = inner.chain(tail).map(|p| (p, at(p))).collect();
                points.sort_by(|a, b| a.0.total_cmp(&b.0));
                Distribution::Empirical(Quantiles(points))
            }
        }
    }
}

impl Quantiles {
    fn mean_capped(&self, cap: f64) -> f64 {
        self.0
            .windows(2)
            .map(|w| {
                let ((p0, a), (p1, b)) = (w[0], w[1]);
                let mean = if cap >= b {
                    (a + b) / 2.0
                } else if cap <= a {
                    cap
                } else {
                    // Uniform on [a, b], cut at the cap.
                    let below = (cap - a) / (b - a);
                    below * (a + cap) / 2.0 + (1.0 - below) * cap
                };
                (p1 - p0) * mean
            })
            .sum()
    }
}

/// Maps a 64-bit draw to the open interval (0, 1), on a grid of 2^-53.
pub fn unit_interval(draw: u64) -> f64 {
    ((draw >> 11) as f64 + 0.5) * (1.0 / (1u64 << 53) as f64)
}

/// P(Z <= z) for a standard normal Z.
pub fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z / core::f64::consts::SQRT_2)
}

/// z with P(Z <= z) = `p` for a standard normal Z, 0 < p < 1.
///
/// Wichura's algorithm AS 241 (Applied Statistics 37, 1988), PPND16: relative error
/// about 1e-16.
pub fn standard_normal(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * polynomial(r, &CENTRE_NUMERATOR) / polynomial(r, &CENTRE_DENOMINATOR);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    let r = sqrt(-log(tail));
    let z = if r <= 5.0 {
        polynomial(r - 1.6, &MIDDLE_NUMERATOR) / polynomial(r - 1.6, &MIDDLE_DENOMINATOR)
    } else {
        polynomial(r - 5.0, &FAR_NUMERATOR) / polynomial(r - 5.0, &FAR_DENOMINATOR)
    };
    if q < 0.0 { -z } else { z }
}

/// A polynomial of degree seven, highest power first, by Estrin's scheme: the halves do not
/// wait for each other, as Horner's chain would.
fn polynomial(x: f64, [h, g, f, e, d, c, b, a]: &[f64; 8]) -> f64 {
    let x2 = x * x;
    let low = (a + b * x) + (c + d * x) * x2;
    let high = (e + f * x) + (g + h * x) * x2;
    low + high * (x2 * x2)
}

const CENTRE_NUMERATOR: [f64; 8] = [
    2.509_080_928_730_122_6e3,
    3.343_057_558_358_813e4,
    6.726_577_092_700_87e4,
    4.592_195_393_154_987e4,
    1.373_169_376_550_946e4,
    1.971_590_950_306_551_3e3,
    1.331_416_678_917_843_8e2,
    3.387_132_872_796_366_5,
];
const CENTRE_DENOMINATOR: [f64; 8] = [
    5.226_495_278_852_545e3,
    2.872_908_573_572_194_3e4,
    3.930_789_580_009_271e4,
    2.121_379_430_158_659_7e4,
    5.394_196_021_424_751e3,
    6.871_870_074_920_579e2,
    4.231_333_070_160_091e1,
    1.0,
];
const MIDDLE_NUMERATOR: [f64; 8] = [
    7.745_450_142_783_414e-4,
    2.272_384_498_926_918_4e-2,
    2.417_807_251_774_506e-1,
    1.270_458_252_452_368_4,
    3.647_848_324_763_204_5,
    5.769_497_221_460_691,
    4.630_337_846_156_546,
    1.423_437_110_749_683_5,
];
const MIDDLE_DENOMINATOR: [f64; 8] = [
    1.050_750_071_644_416_9e-9,
    5.475_938_084_995_345e-4,
    1.519_866_656_361_645_7e-2,
    1.481_039_764_274_800_8e-1,
    6.897_673_349_851e-1,
    1.676_384_830_183_803_8,
    2.053_191_626_637_759,
    1.0,
];
const FAR_NUMERATOR: [f64; 8] = [
    2.010_334_399_292_288_1e-7,
    2.711_555_568_743_487_6e-5,
    1.242_660_947_388_078_4e-3,
    2.653_218_952_657_612_4e-2,
    2.965_605_718_285_048_7e-1,
    1.784_826_539_917_291_3,
    5.463_784_911_164_114,
    6.657_904_643_501_103,
];
const FAR_DENOMINATOR: [f64; 8] = [
    2.044_263_103_389_939_8e-15,
    1.421_511_758_316_446e-7,
    1.846_318_317_510_054_8e-5,
    7.868_691_311_456_133e-4,
    1.487_536_129_085_061_5e-2,
    1.369_298_809_227_358e-1,
    5.998_322_065_558_88e-1,
    1.0,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, wanted: f64, relative: f64) {
        assert!((found - wanted).abs() <= relative * wanted.abs(), "{found} is not {wanted}");
    }

    #[test]
    fn the_normal_quantile_inverts_the_normal_cdf() {
        for p in [1e-300, 1e-20, 1e-9, 0.001, 0.02, 0.075, 0.3, 0.5, 0.77, 0.93, 0.999, 1.0 - 1e-12]
        {
            let back = normal_cdf(standard_normal(p));
            near(back, p, 1e-12);
        }
        near(standard_normal(0.99), Z_99, 1e-15);
    }

    #[test]
    fn the_slow_upstream_has_the_moments_of_its_closed_form() {
        let slow = Distribution::lognormal(Span::from_secs(4), Span::from_secs(22));
        near(slow.mean(), 5.232, 2e-4);
        near(slow.scv().sqrt(), 0.843, 1e-3);
        near(slow.quantile(0.5).secs_f64(), 4.0, 1e-9);
        near(slow.quantile(0.99).secs_f64(), 22.0, 1e-9);
        near(slow.quantile(0.999).secs_f64(), 38.506, 1e-4);
        for (cap, mean) in [(5, 3.651), (10, 4.706), (30, 5.207), (60, 5.231)] {
            near(slow.mean_capped(Span::from_secs(cap)), mean, 2e-4);
        }
    }

    #[test]
    fn sampling_a_grid_of_draws_reproduces_mean_and_scv() {
        let quantiles = Quantiles::new(&[
            (0.0, Span::from_millis(1)),
            (0.5, Span::from_millis(10)),
            (1.0, Span::from_millis(100)),
        ])
        .expect("a valid table");
        let cases = [
            Distribution::Constant(Span::from_millis(5)),
            Distribution::Exponential { mean: Span::from_millis(5) },
            Distribution::lognormal(Span::from_millis(5), Span::from_millis(20)),
            Distribution::Uniform { low: Span::from_millis(1), high: Span::from_millis(3) },
            Distribution::Empirical(quantiles),
        ];
        let n = 1u64 << 20;
        for case in cases {
            let (mut sum, mut square, mut capped) = (0.0, 0.0, 0.0);
            let cap = case.quantile(0.8);
            for i in 0..n {
                let x = case.sample(i << 44 | 1 << 43).secs_f64();
                sum += x;
                square += x * x;
                capped += x.min(cap.secs_f64());
            }
            let mean = sum / n as f64;
            near(mean, case.mean(), 1e-4);
            near(1.0 + square / n as f64 / mean / mean - 1.0, 1.0 + case.scv(), 2e-3);
            near(capped / n as f64, case.mean_capped(cap), 1e-4);
            near(case.scale(2.0).mean(), 2.0 * case.mean(), 1e-9);
        }
    }

    /// Largest distance between the distribution functions of two samples of equal size
    /// (Kolmogorov, Smirnov).
    fn distance(mut a: Vec<f64>, mut b: Vec<f64>) -> f64 {
        a.sort_by(f64::total_cmp);
        b.sort_by(f64::total_cmp);
        let below = |sample: &[f64], x: f64| sample.partition_point(|&y| y <= x) as f64;
        let gap = |x: &f64| (below(&a, *x) - below(&b, *x)).abs() / a.len() as f64;
        a.iter().chain(&b).map(gap).fold(0.0, f64::max)
    }

    #[test]
    fn samples_are_distributed_as_an_independent_library_distributes_them() {
        use crate::stream::Purpose;
        use rand::SeedableRng;
        use rand_distr::Distribution as _;

        const N: u64 = 100_000;
        // P(distance > 1.95 sqrt(2/n)) is 0.001.
        let limit = 1.95 * (2.0 / N as f64).sqrt();
        let purpose = Purpose::new(1, "samples");
        let ours = |distribution: &Distribution| -> Vec<f64> {
            (0..N).map(|i| distribution.sample(purpose.draw(0, i)).secs_f64()).collect()
        };
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(2);
        let (p50, p99) = (Span::from_millis(200), Span::from_secs(1));
        let sigma = 5f64.ln() / Z_99;
        let lognormal = rand_distr::LogNormal::new(0.2f64.ln(), sigma).expect("a valid sigma");
        let theirs: Vec<f64> = lognormal.sample_iter(&mut rng).take(N as usize).collect();
        assert!(distance(ours(&Distribution::lognormal(p50, p99)), theirs) < limit);

        let exponential = rand_distr::Exp::new(1.0 / 0.2).expect("a valid rate");
        let theirs: Vec<f64> = exponential.sample_iter(&mut rng).take(N as usize).collect();
        assert!(distance(ours(&Distribution::Exponential { mean: p50 }), theirs.clone()) < limit);
        // The test can tell: a mean one twentieth longer is noticed.
        let longer = Distribution::Exponential { mean: p50.scale(1.05) };
        assert!(distance(ours(&longer), theirs) > limit);
    }

    #[test]
    fn quantile_tables_that_fall_or_stop_short_are_refused() {
        let ms = Span::from_millis;
        assert!(Quantiles::new(&[(0.0, ms(1))]).is_err());
        assert!(Quantiles::new(&[(0.0, ms(2)), (1.0, ms(1))]).is_err());
        assert!(Quantiles::new(&[(0.5, ms(1)), (1.0, ms(2))]).is_err());
    }
}
