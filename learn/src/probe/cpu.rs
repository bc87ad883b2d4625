//! CPU time of a request, from requests one at a time and several at once.

use std::collections::{BTreeMap, BTreeSet};

use model::statistics::Estimate;
use render::number;

use super::median::median;
use super::session::Measured;
use crate::learned::Figure;

/// So many requests at once keep a process busy for long enough to see what they cost it.
const BUSY: usize = 8;

/// What a first request takes more than this is no chance, in seconds.
const FIRST_LEAST: f64 = 0.02;

/// CPU time of a request in the service's processes, in seconds.
///
/// The value is that of requests that come together, the mean over all numbers of at least
/// [`BUSY`] of the median over their bursts: a process that is asked one request at a time sleeps after each and computes slower
/// than one that is busy, and what a service costs matters where it is busy. The interval holds
/// the requests one at a time too. Bursts are taken without the `opening` seconds for each connection to a
/// database that they opened.
pub(super) fn of_service(measured: &Measured, opening: f64) -> Figure {
    let mut depths: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for burst in &measured.bursts {
        let size = burst.times.len();
        let cpu = (burst.cpu - opening * burst.opened as f64).max(0.0);
        depths.entry(size).or_default().push(cpu / size as f64);
    }
    // A single burst has no spread of its own, and small ones are noise.
    depths.retain(|&size, values| values.len() >= 2 && size >= BUSY);
    let busy: Vec<f64> = depths.values().map(|values| median(values).value).collect();
    depths.insert(1, measured.turns.iter().map(|turn| turn.cpu).collect());
    let each: Vec<(usize, Estimate)> =
        depths.iter().map(|(size, values)| (*size, median(values))).collect();
    let value = match busy.len() {
        0 => each[0].1.value,
        count => busy.iter().sum::<f64>() / count as f64,
    };
    let low = each.iter().map(|(_, one)| one.low).fold(f64::INFINITY, f64::min).max(0.0);
    let high = each.iter().map(|(_, one)| one.high).fold(0.0, f64::max);
    let words: Vec<String> = each
        .iter()
        .map(|(size, one)| match size {
            1 => format!("{} one at a time", number::time(one.value)),
            _ => format!("{} with {size} at once", number::time(one.value)),
        })
        .collect();
    let requests: usize = measured.turns.iter().map(|turn| turn.times.len()).sum();
    let how = format!(
        "CPU of the service's processes over {requests} requests in {} turns: {}",
        measured.turns.len(),
        words.join(", "),
    );
    let mut figure = Figure::measured(value, [low, high], how);
    if high - low > 0.2 * value {
        figure.better = "probe again on a quiet machine, with a larger --budget-time".into();
    }
    figure
}

/// The same in the other processes with this number, such as a database's; none if they were not
/// measured.
///
/// Either way of measuring adds something: a server that is asked one request at a time wakes up
/// for each, and a burst may open connections, each with a process that has read nothing yet. So
/// the smaller mean is the value. The first burst of each size opens connections in any case, and
/// is left out; later ones are taken without the `opening` seconds for each connection that they opened.
pub(super) fn of_other(measured: &Measured, number: usize, opening: f64) -> Option<Figure> {
    let turns = measured.turns.iter();
    let alone: Vec<f64> = turns.filter_map(|turn| turn.others.get(number).copied()).collect();
    let mut sizes = BTreeSet::new();
    let used = measured.bursts.iter().filter(|burst| !sizes.insert(burst.times.len()));
    let together: Vec<f64> = used
        .filter(|burst| burst.times.len() >= BUSY)
        .filter_map(|burst| {
            let cpu = burst.others.get(number)? - opening * burst.opened as f64;
            Some(cpu.max(0.0) / burst.times.len() as f64)
        })
        .collect();
    let ways = [(alone, "one at a time"), (together, "with several at once")];
    let means = ways.into_iter().filter(|(values, _)| values.len() >= 2);
    let means = means.map(|(values, way)| (median(&values), way));
    let (least, way) = means.min_by(|(one, _), (other, _)| one.value.total_cmp(&other.value))?;
    let how = format!("CPU of the other processes for each request {way}");
    Some(Figure::measured(least.value, [least.low.max(0.0), least.high], how))
}

/// What the first request of a process takes beside its own CPU time, in seconds: the most that the
/// first request of any endpoint took, since it is the first of its process too. None if the
/// processes had been asked before.
pub(super) fn of_first(measured: &[Measured], opening: f64) -> Option<Figure> {
    let more = measured.iter().filter(|one| !one.turns.is_empty()).filter_map(|one| {
        let usual = of_service(one, opening).value;
        let more = one.cold?.1 - usual;
        (more > FIRST_LEAST && more > usual).then_some(more)
    });
    let most = more.max_by(f64::total_cmp)?;
    let how = "CPU of the first request of a process that had just been started";
    Some(Figure::derived(most, how).better("start the service again and look how it varies"))
}

#[cfg(test)]
mod tests {
    use super::super::decide::Burst;
    use super::super::session::Turn;
    use super::*;

    fn turn(cpu: f64) -> Turn {
        let (times, others) = (vec![0.01; 10], vec![2.0 * cpu]);
        Turn { times, cpu, each: Vec::new(), delayed: 0.0, off_main: 0.0, others }
    }

    fn burst(size: usize, each: f64) -> Burst {
        let cpu = each * size as f64;
        Burst { times: vec![0.01; size], cpu, others: vec![cpu], ..Burst::default() }
    }

    #[test]
    fn the_first_request_of_a_process_is_told_from_that_of_an_endpoint() {
        let measured = |cold: f64| Measured {
            cold: Some((1.0, cold)),
            turns: vec![turn(10e-3), turn(10e-3)],
            ..Measured::default()
        };
        let first = of_first(&[measured(25e-3), measured(0.84), Measured::default()], 0.0);
        assert!(first.is_some_and(|first| (first.value - 0.83).abs() < 1e-9));
        assert_eq!(of_first(&[measured(25e-3), measured(12e-3)], 0.0), None);
    }

    #[test]
    fn what_a_busy_service_costs_is_the_value_and_the_rest_is_in_the_interval() {
        let turns = vec![turn(4e-3), turn(4.2e-3), turn(4.1e-3)];
        let few = [burst(2, 9e-3), burst(2, 9e-3), burst(64, 1e-3)];
        let bursts = [burst(8, 3.0e-3), burst(8, 3.2e-3), burst(64, 3.4e-3), burst(64, 3.6e-3)];
        let alone = Measured { turns: turns.clone(), bursts: few.to_vec(), ..Measured::default() };
        let figure = of_service(&alone, 0.0);
        assert!((figure.value - 4.1e-3).abs() < 1e-9, "{figure:?}");
        let measured = Measured { turns, bursts: bursts.to_vec(), ..Measured::default() };
        let figure = of_service(&measured, 0.0);
        assert!((figure.value - 3.3e-3).abs() < 1e-9, "{figure:?}");
        assert!(figure.high.is_some_and(|high| high > 4.1e-3), "{figure:?}");
        assert!(
            figure.how.ends_with(
                "4.10 ms one at a time, 3.10 ms with 8 at once, 3.50 ms with 64 at once"
            ),
            "{}",
            figure.how
        );
        assert_eq!(of_other(&measured, 1, 0.0), None);
    }

    #[test]
    fn a_burst_is_taken_without_the_connections_that_it_opened() {
        let opens = |each: f64| Burst { opened: 3, ..burst(8, each) };
        // Of 10 ms each 3 connections of 16 ms are 6 ms.
        let bursts = vec![opens(10e-3), opens(10e-3), opens(10e-3)];
        let turns = vec![turn(4e-3), turn(4e-3)];
        let measured = Measured { turns, bursts, ..Measured::default() };
        assert!((of_service(&measured, 16e-3).value - 4e-3).abs() < 1e-9);
        let other = of_other(&measured, 0, 16e-3);
        assert!(other.is_some_and(|other| (other.value - 4e-3).abs() < 1e-9));
    }

    #[test]
    fn what_connections_cost_that_are_opened_is_no_cost_of_a_query() {
        // One at a time: 2 ms. The first bursts open connections.
        let turns = vec![turn(1.0e-3), turn(1.0e-3)];
        let bursts = vec![burst(8, 20e-3), burst(8, 1.7e-3), burst(64, 9e-3), burst(64, 1.5e-3)];
        let measured = Measured { turns: turns.clone(), bursts, ..Measured::default() };
        let other = of_other(&measured, 0, 0.0).expect("it was measured");
        assert!((other.value - 1.6e-3).abs() < 1e-9, "{other:?}");
        let bursts = vec![burst(64, 9e-3), burst(64, 7e-3)];
        let other = of_other(&Measured { turns, bursts, ..Measured::default() }, 0, 0.0);
        assert!(other.is_some_and(|other| (other.value - 2e-3).abs() < 1e-9));
    }
}
