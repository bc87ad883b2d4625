//! Numbers in words.

use model::place::PlaceId;
use render::number;

/// What is not known.
pub(super) const UNKNOWN: &str = "-";

/// A number that may not be known.
pub(super) fn known(value: Option<f64>, write: impl Fn(f64) -> String) -> String {
    value.map_or_else(|| UNKNOWN.into(), write)
}

/// A mean number of requests.
pub(super) fn requests(mean: f64) -> String {
    match mean {
        0.0 => "0".into(),
        mean if mean < 0.01 => "<0.01".into(),
        mean => number::significant(mean, 3),
    }
}

/// What requests do at a place, without the key that limits them: columns are few.
pub(super) fn doing(place: &PlaceId) -> String {
    let words = place.words();
    let short = [" (max_in_flight)", " (max_connections)", " (GIL)"]
        .into_iter()
        .find_map(|key| words.strip_suffix(key));
    short.unwrap_or(&words).to_string()
}

/// A share that is zero or seen: `0 %`, `0.2 %`.
pub(super) fn share(share: f64) -> String {
    number::percent(share)
}

/// By how much a measured value differs from a predicted one.
pub(super) fn differs(measured: Option<f64>, predicted: Option<f64>) -> String {
    match (measured, predicted) {
        (Some(measured), Some(predicted)) if predicted != 0.0 => {
            number::change(measured / predicted - 1.0)
        }
        _ => UNKNOWN.into(),
    }
}

/// The same of shares, in percentage points.
pub(super) fn points(measured: Option<f64>, predicted: Option<f64>) -> String {
    match (measured, predicted) {
        (Some(measured), Some(predicted)) => {
            let points = (measured - predicted) * 100.0;
            // Never minus zero.
            let points = if points.abs() < 0.05 { 0.0 } else { points };
            if points == 0.0 { "0.0 pt".into() } else { format!("{points:+.1} pt") }
        }
        _ => UNKNOWN.into(),
    }
}

/// A length of time as people say it, rounded to seconds: `7 s`, `1 min 20 s`, `2 h 5 min`.
pub(super) fn about(nanos: u64) -> String {
    let seconds = (nanos + 500_000_000) / 1_000_000_000;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_differences_as_people_say_them() {
        let second = 1_000_000_000;
        assert_eq!(about(7 * second), "7 s");
        assert_eq!(about(80 * second), "1 min 20 s");
        assert_eq!(about(120 * second), "2 min");
        assert_eq!(about(7500 * second), "2 h 5 min");
        let semaphore = PlaceId::Semaphore("a (GIL) b".into());
        assert_eq!(doing(&semaphore), "waiting for the semaphore of a (GIL) b");
        let numbers = [0.0, 0.0004, 0.0123, 33.61].map(requests);
        assert_eq!(numbers, ["0", "<0.01", "0.0123", "33.6"]);
        assert_eq!(differs(Some(11.0), Some(10.0)), "+10.0 %");
        assert_eq!(differs(Some(11.0), None), UNKNOWN);
        assert_eq!(differs(Some(11.0), Some(0.0)), UNKNOWN);
        assert_eq!(points(Some(0.01), Some(0.0)), "+1.0 pt");
        assert_eq!(points(Some(0.0001), Some(0.0002)), "0.0 pt");
    }
}
