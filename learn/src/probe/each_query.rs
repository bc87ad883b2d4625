//! The CPU time of each query at its server, from that of the endpoints that ask it.

use super::posterior::{Known, Sum};

/// The standard deviation of a share of which only is known that it lies between 0 and 1.
const UNKNOWN: f64 = 0.29;

/// CPU seconds of each query, of which `guess` is what one share of all their `times` gives, from the CPU
/// seconds of a request of each of the `endpoints`.
///
/// One query computes for nearly all of its time, another waits for a lock. Each query is taken to be off
/// by as much as a share between 0 and 1 may be, and the endpoints say which of them are. A query that
/// many endpoints ask has to suit all of them. What a single endpoint asks takes what is left of its CPU
/// time. No query computes for longer than it takes, or than the guess, if that is longer.
pub(super) fn each_query(guess: &[f64], times: &[f64], endpoints: &[Sum]) -> Vec<f64> {
    let deviations = times.iter().map(|time| UNKNOWN * time).collect();
    let found = Known { means: guess.to_vec(), deviations, correlation: 0.0 }.corrected(endpoints);
    let within = |((found, guess), time): ((&f64, &f64), &f64)| found.clamp(0.0, guess.max(*time));
    found.means.iter().zip(guess).zip(times).map(within).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(counts: &[f64], cpu: f64) -> Sum {
        Sum { counts: counts.to_vec(), value: cpu, error: 0.05 * cpu }
    }

    #[test]
    fn a_query_that_one_endpoint_asks_takes_what_is_left_of_its_cpu_time() {
        // The first is asked by both, the second waits for most of its time, the third computes.
        let times = [1e-3, 10e-3, 20e-3];
        let guess = times.map(|time| 0.5 * time);
        let endpoints = [
            endpoint(&[1.0, 0.0, 0.0], 0.5e-3),
            endpoint(&[1.0, 1.0, 0.0], 1.5e-3),
            endpoint(&[1.0, 0.0, 1.0], 19e-3),
        ];
        let found = each_query(&guess, &times, &endpoints);
        for (endpoint, wanted) in endpoints.iter().zip([0.5e-3, 1.5e-3, 19e-3]) {
            let cpu: f64 = endpoint.counts.iter().zip(&found).map(|(n, cpu)| n * cpu).sum();
            assert!((cpu / wanted - 1.0).abs() < 0.05, "{wanted}: {found:?}");
        }
    }

    #[test]
    fn what_is_known_badly_stays_what_it_was_taken_for() {
        let endpoints = [Sum { counts: vec![1.0], value: 9e-3, error: 100e-3 }];
        let found = each_query(&[4e-3], &[8e-3], &endpoints);
        assert!((found[0] - 4e-3).abs() < 0.1e-3, "{found:?}");
        // Nor does it compute for longer than it takes.
        let endpoints = [Sum { counts: vec![1.0], value: 20e-3, error: 1e-3 }];
        assert_eq!(each_query(&[4e-3], &[8e-3], &endpoints), [8e-3]);
        assert_eq!(each_query(&[4e-3], &[8e-3], &[]), [4e-3]);
    }
}
