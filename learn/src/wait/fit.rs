//! Times that were seen become a distribution.

use model::statistics::t_quantile;

use crate::learned::{Figure, Latency, Z99};

/// Below so many, no shape can be told from another.
const FEW: usize = 8;
/// A spread below this share of the median is that of the clock and the scheduler.
const STEADY: f64 = 0.05;
/// Of the Anderson-Darling statistic with both parameters estimated, at 1 %: D'Agostino and
/// Stephens, "Goodness-of-Fit Techniques", 1986, table 4.7.
const CRITICAL: f64 = 1.035;
/// The quantiles of a table, where enough was seen to tell them.
const SHARES: [f64; 9] = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999];

/// The distribution of these times in seconds: lognormal where it fits by a test of Anderson and
/// Darling, else a table of quantiles. `what` was timed, in words.
pub(super) fn latency(seconds: &[f64], what: &str) -> Latency {
    let mut sorted: Vec<f64> = seconds.iter().copied().filter(|time| time.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let how = format!("{what}, {} times", sorted.len());
    let mean = mean(&sorted, &how);
    let spread = quantile(&sorted, 0.95) - quantile(&sorted, 0.05);
    if sorted.len() < 2 || spread <= STEADY * quantile(&sorted, 0.5) {
        return Latency::Constant(mean);
    }
    let all_positive = sorted[0] > 0.0;
    if all_positive && sorted.len() >= FEW && is_lognormal(&sorted) {
        return lognormal(&sorted, &how);
    }
    Latency::Quantiles(table(&sorted), mean)
}

/// The mean of these and its 95 % interval.
pub(super) fn mean(seconds: &[f64], how: &str) -> Figure {
    let count = seconds.len() as f64;
    let mean = seconds.iter().sum::<f64>() / count.max(1.0);
    if seconds.len() < 2 {
        let better = "send more requests".to_owned();
        return Figure { better, ..Figure::derived(mean, how) };
    }
    let squares: f64 = seconds.iter().map(|time| (time - mean).powi(2)).sum();
    let half = t_quantile(count - 1.0, 0.95) * (squares / (count - 1.0) / count).sqrt();
    Figure::measured(mean, [(mean - half).max(0.0), mean + half], how)
}

/// The logarithms: their mean and standard deviation.
fn logarithms(sorted: &[f64]) -> (f64, f64) {
    let count = sorted.len() as f64;
    let mu = sorted.iter().map(|time| time.ln()).sum::<f64>() / count;
    let squares: f64 = sorted.iter().map(|time| (time.ln() - mu).powi(2)).sum();
    (mu, (squares / (count - 1.0)).sqrt())
}

/// Nothing speaks against it that these, in order, are lognormal.
pub(crate) fn is_lognormal(sorted: &[f64]) -> bool {
    let (mu, sigma) = logarithms(sorted);
    let count = sorted.len() as f64;
    let below = |time: f64| 0.5 * libm::erfc((mu - time.ln()) / sigma / std::f64::consts::SQRT_2);
    let above = |time: f64| 0.5 * libm::erfc((time.ln() - mu) / sigma / std::f64::consts::SQRT_2);
    let ln = |share: f64| share.max(f64::MIN_POSITIVE).ln();
    let pairs = sorted.iter().zip(sorted.iter().rev()).enumerate();
    let sum: f64 = pairs
        .map(|(index, (low, high))| (2 * index + 1) as f64 * (ln(below(*low)) + ln(above(*high))))
        .sum();
    let squared = -count - sum / count;
    squared * (1.0 + 0.75 / count + 2.25 / count.powi(2)) < CRITICAL
}

fn lognormal(sorted: &[f64], how: &str) -> Latency {
    let (mu, sigma) = logarithms(sorted);
    let count = sorted.len() as f64;
    let at = |z: f64| {
        let half = t_quantile(count - 1.0, 0.95) * sigma * ((1.0 + z * z / 2.0) / count).sqrt();
        let middle = mu + z * sigma;
        let how = format!("{how}, lognormal");
        Figure::measured(middle.exp(), [(middle - half).exp(), (middle + half).exp()], how)
    };
    Latency::Lognormal { p50: at(0.0), p99: at(Z99) }
}

/// The quantile of times in order, by straight lines between them.
pub(super) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let place = share * last as f64;
    let low = sorted[place.floor() as usize];
    let high = sorted[place.ceil() as usize];
    low + (high - low) * place.fract()
}

/// Pairs of share and quantile of times in order, as far into the tails as their number tells.
pub(crate) fn table(sorted: &[f64]) -> Vec<(f64, f64)> {
    let count = sorted.len() as f64;
    let told = |share: &f64| share.min(1.0 - share) * count >= 1.0;
    let inner = SHARES.into_iter().filter(told);
    let shares = [0.0].into_iter().chain(inner).chain([1.0]);
    shares.map(|share| (share, quantile(sorted, share))).collect()
}

#[cfg(test)]
mod tests {
    use super::{Latency, Z99, is_lognormal, latency};
    use crate::wait::synthetic::Draws;

    #[test]
    fn a_lognormal_is_found_again() {
        let mut draws = Draws::new(1);
        let times: Vec<f64> = (0..400).map(|_| draws.lognormal(0.2, 0.7)).collect();
        let Latency::Lognormal { p50, p99 } = latency(&times, "calls") else { panic!("a table") };
        assert!(
            p50.low.expect("it is there") < 0.2 && 0.2 < p50.high.expect("it is there"),
            "{p50:?}"
        );
        let true99 = 0.2 * (0.7f64 * Z99).exp();
        assert!(
            p99.low.expect("it is there") < true99 && true99 < p99.high.expect("it is there"),
            "{p99:?}"
        );
        assert_eq!(p50.how, "calls, 400 times, lognormal");
    }

    /// The critical value is that of 1 %.
    #[test]
    fn one_lognormal_in_a_hundred_is_refused() {
        let mut draws = Draws::new(2);
        let mut refused = 0;
        for _ in 0..2000 {
            let mut times: Vec<f64> = (0..50).map(|_| draws.lognormal(1.0, 0.5)).collect();
            times.sort_by(f64::total_cmp);
            refused += usize::from(!is_lognormal(&times));
        }
        // 20 are expected; four standard deviations are 18.
        assert!((2..=38).contains(&refused), "{refused}");
    }

    #[test]
    fn two_kinds_of_replies_are_a_table() {
        let mut draws = Draws::new(3);
        let times: Vec<f64> =
            (0..300).map(|n| draws.lognormal(if n % 4 == 0 { 1.0 } else { 0.01 }, 0.2)).collect();
        let Latency::Quantiles(points, mean) = latency(&times, "calls") else { panic!("no table") };
        assert_eq!((points[0].0, points.last().expect("it is there").0), (0.0, 1.0));
        assert!(points.windows(2).all(|two| two[0].0 < two[1].0 && two[0].1 <= two[1].1));
        assert!((0.2..0.3).contains(&mean.value), "{mean:?}");
    }

    #[test]
    fn hardly_any_spread_is_none() {
        assert!(matches!(latency(&[0.2, 0.201, 0.2005, 0.2], "calls"), Latency::Constant(_)));
        assert!(matches!(latency(&[0.2], "calls"), Latency::Constant(_)));
        assert!(matches!(latency(&[], "calls"), Latency::Constant(_)));
    }
}
