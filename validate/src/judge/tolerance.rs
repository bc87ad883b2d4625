//! How far a prediction may be off.
//!
//! Saturated and unsaturated services are judged apart. Where something is full, work queues
//! for it, and a queue turns an error of 5 % in a cost into one of 5 % in throughput but of
//! more in the response times, whose tail also depends on the order of service. So the
//! response times of a saturated service are allowed twice as much; its throughput, which
//! is what saturation is asked for, is not.

use std::collections::BTreeMap;
use std::str::FromStr;

use model::units::parse_share;

use super::bottleneck::Regime;
use super::metric::Metric;

/// Factor on the tolerance of response times where something is full.
const SATURATED: f64 = 2.0;

/// How far each metric may be off: relative, or for shares in points (0.05 is 5 points).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tolerances {
    /// Those that the user chose.
    chosen: BTreeMap<Metric, f64>,
}

impl Tolerances {
    /// Sets the tolerance of `metric` in either regime.
    #[must_use]
    pub fn with(mut self, tolerance: Tolerance) -> Tolerances {
        self.chosen.insert(tolerance.metric, tolerance.share);
        self
    }

    /// The tolerance of `metric`. A chosen tolerance is not doubled. A regime that is not known is
    /// judged as strictly as an unsaturated one.
    pub fn of(&self, metric: Metric, regime: Regime) -> f64 {
        if let Some(&chosen) = self.chosen.get(&metric) {
            return chosen;
        }
        let queues = metric.is_response_time() || metric == Metric::WaitingTime;
        let factor = if regime == Regime::Saturated && queues { SATURATED } else { 1.0 };
        default(metric) * factor
    }
}

/// The tolerance of a metric if nothing is full.
fn default(metric: Metric) -> f64 {
    match metric {
        Metric::Throughput | Metric::Mean | Metric::P50 | Metric::WaitingTime => 0.05,
        Metric::P90 | Metric::P95 => 0.075,
        Metric::P99 | Metric::InFlight => 0.1,
        Metric::Utilisation => 0.05,
        Metric::ErrorShare => 0.01,
    }
}

/// The tolerance of one metric, as a user writes it: `p99=20%`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    metric: Metric,
    share: f64,
}

impl Tolerance {
    /// `metric` may be off by `share`; a negative share, or NaN, counts as zero.
    pub fn new(metric: Metric, share: f64) -> Tolerance {
        Tolerance { metric, share: if share.is_finite() { share.max(0.0) } else { 0.0 } }
    }
}

impl FromStr for Tolerance {
    type Err = String;

    fn from_str(text: &str) -> Result<Tolerance, String> {
        let Some((name, share)) = text.split_once('=') else {
            return Err("a metric and its share, as in p99=20%".to_string());
        };
        let metric = Metric::from_name(name.trim()).ok_or_else(|| {
            let names: Vec<&str> = Metric::ALL.into_iter().map(Metric::name).collect();
            format!("no metric is called `{}`; there are {}", name.trim(), names.join(", "))
        })?;
        let share = parse_share(share)
            .map_err(|allowed| format!("`{}` is no share: {allowed}", share.trim()))?;
        Ok(Tolerance { metric, share })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tolerance_is_read_as_it_is_written() {
        let read = |text: &str| text.parse::<Tolerance>();
        assert_eq!(read("p99=20%"), Ok(Tolerance { metric: Metric::P99, share: 0.2 }));
        assert_eq!(read(" utilisation = 2.5% "), Ok(Tolerance::new(Metric::Utilisation, 0.025)));
        for (wrong, told) in [
            ("p99", "a metric and its share, as in p99=20%"),
            (
                "p98=20%",
                "no metric is called `p98`; there are throughput, mean, p50, p90, p95, p99, \
                 error_share, utilisation, in_flight, waiting_time",
            ),
            ("p99=0.2", "`0.2` is no share: a share between \"0%\" and \"100%\""),
            ("p99=-3%", "`-3%` is no share: a share between \"0%\" and \"100%\""),
            ("p99=NaN%", "`NaN%` is no share: a share between \"0%\" and \"100%\""),
        ] {
            assert_eq!(read(wrong), Err(told.to_string()), "{wrong}");
        }
    }

    #[test]
    fn a_full_service_is_allowed_twice_as_much_time_and_no_more_throughput() {
        let tolerances = Tolerances::default();
        for metric in Metric::ALL {
            let (free, full) = (
                tolerances.of(metric, Regime::Unsaturated),
                tolerances.of(metric, Regime::Saturated),
            );
            let factor =
                if metric.is_response_time() || metric == Metric::WaitingTime { 2.0 } else { 1.0 };
            assert_eq!(full, factor * free, "{metric:?}");
            assert_eq!(tolerances.of(metric, Regime::Unknown), free);
        }
    }

    #[test]
    fn what_is_chosen_holds_in_both_regimes_and_the_last_choice_counts() {
        let tolerances = Tolerances::default()
            .with(Tolerance::new(Metric::P99, 0.3))
            .with(Tolerance::new(Metric::P99, 0.2));
        assert_eq!(tolerances.of(Metric::P99, Regime::Saturated), 0.2);
        assert_eq!(tolerances.of(Metric::P99, Regime::Unsaturated), 0.2);
        assert_eq!(tolerances.of(Metric::P95, Regime::Unsaturated), 0.075);
    }
}
