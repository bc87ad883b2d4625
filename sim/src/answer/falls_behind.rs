//! Whether requests, or work after replies, come faster than they are served: queues that grow.

use model::scenario::Scenario;
use model::statistics::Estimate;

use crate::observe::Observations;

/// Growth below this share of what arrives is left to chance.
const LITTLE: f64 = 0.02;

/// By how many the requests in queues become more each second, in the second half of the
/// window: a queue that fills up at the start has come to its length by then. None where that
/// may be chance. A closed load never has more requests than users: of it only the work after
/// replies may grow.
pub(super) fn growth(
    scenario: &Scenario,
    seen: &[Observations],
    confidence: f64,
) -> Option<Estimate> {
    let closed = !scenario.load.source.is_open();
    let more = |o: &Observations| {
        let [half, end] = if closed { o.after.queued } else { o.queued };
        end as f64 - half as f64
    };
    let samples: Vec<f64> = seen.iter().map(more).collect();
    let mean = Estimate::of_mean(&samples, confidence);
    let half = scenario.load.duration.secs_f64() / 2.0;
    let grows = mean.low > 0.0 && mean.value > LITTLE * arrived(seen) && mean.value > chance(seen);
    let per_second = |count: f64| count / half;
    grows.then(|| {
        Estimate {
            value: per_second(mean.value),
            low: per_second(mean.low),
            high: per_second(mean.high),
        }
        .rounded()
    })
}

/// Arrivals in half of a window.
fn arrived(seen: &[Observations]) -> f64 {
    seen.iter().map(|o| o.sent as f64 / 2.0).sum::<f64>() / seen.len() as f64
}

/// What the mean growth of queues is seldom above if as many requests leave as come, both at
/// random: then it has the variance of their sum.
fn chance(seen: &[Observations]) -> f64 {
    const DEVIATIONS: f64 = 3.0;
    DEVIATIONS * libm::sqrt(2.0 * arrived(seen) / seen.len() as f64)
}
