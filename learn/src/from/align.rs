//! The clocks of requests and of CPU brought together.

use super::windows::cpu_between;
use crate::records::Request;
use crate::records::cpu::Cpu;

/// Seconds by which clocks may differ without anybody's noticing.
const LAG: f64 = 60.0;
/// Intervals in which load and CPU are compared.
const INTERVALS: usize = 20_000;
/// Intervals without which nothing is compared.
const FEWEST: usize = 30;
/// Zones differ by multiples of this.
const ZONE: f64 = 900.0;
/// A correlation that is no chance, and by how much it must be better than that of clocks as they are.
const CLEAR: [f64; 2] = [0.5, 0.1];

/// Seconds to be added to the times of CPU, and why, in a sentence; none if clocks agree or cannot be
/// compared.
pub(super) fn offset(requests: &[Request], cpu: &Cpu) -> Option<(f64, String)> {
    let load = [requests.first()?.start, requests.last()?.start];
    let spans: Vec<[f64; 2]> = cpu.sources.values().filter_map(|counter| counter.span()).collect();
    let used = [
        spans.iter().map(|span| span[0]).fold(f64::INFINITY, f64::min),
        spans.iter().map(|span| span[1]).fold(f64::NEG_INFINITY, f64::max),
    ];
    let common = |zone: f64| (load[1].min(used[1] + zone) - load[0].max(used[0] + zone)).max(0.0);
    let shorter = (load[1] - load[0]).min(used[1] - used[0]);
    let mut zone = 0.0;
    if common(0.0) < 0.5 * shorter {
        let zones = (-56..=56).map(|quarters| f64::from(quarters) * ZONE);
        // Of zones that fit alike, the nearest.
        zone = zones.fold(0.0, |best: f64, zone| {
            let better = common(zone) - common(best);
            let nearer = better.abs() < 1e-6 && zone.abs() < best.abs();
            if better > 1e-6 || nearer { zone } else { best }
        });
        if common(zone) < 0.8 * shorter {
            zone = 0.0;
        }
    }
    let lag = lag(requests, cpu, zone);
    match (zone != 0.0, lag) {
        (false, None) => None,
        (true, None) => Some((
            zone,
            format!(
                "The clock of CPU differs by {} h, as if its zone were another one: moved.",
                zone / 3600.0
            ),
        )),
        (_, Some((lag, correlation))) => Some((
            zone + lag,
            format!(
                "The clock of CPU is {:.0} s {} that of requests, by the correlation of load and CPU ({:.2}): \
                 moved.",
                (zone + lag).abs(),
                if zone + lag > 0.0 { "behind" } else { "ahead of" },
                correlation
            ),
        )),
    }
}

/// The lag at which load and CPU go together best, if it is clear, and how well they do.
fn lag(requests: &[Request], cpu: &Cpu, zone: f64) -> Option<(f64, f64)> {
    let steps = cpu.sources.values().filter_map(|counter| counter.step());
    let first = requests.first()?.start;
    let all = requests.last()?.start - first;
    let step = steps.fold(1.0, f64::max).max(all / INTERVALS as f64);
    if step > LAG / 2.0 {
        return None;
    }
    let n = (all / step).floor() as usize;
    if n < FEWEST {
        return None;
    }
    let mut load = vec![0.0; n];
    for request in requests {
        let middle = request.start + 0.5 * request.stay().unwrap_or(0.0);
        if let Some(count) = load.get_mut(((middle - first) / step) as usize) {
            *count += 1.0;
        }
    }
    let most = (LAG / step).floor() as i64;
    let used: Vec<Option<f64>> = (-most..n as i64 + most)
        .map(|at| {
            let from = first - zone + at as f64 * step;
            cpu_between(cpu, from, from + step)
        })
        .collect();
    // With a lag of `k` steps, CPU at `at - k` belongs to load at `at`.
    let at_lag = |k: i64| correlation(&load, &used, (most - k) as usize);
    let same = at_lag(0).unwrap_or(0.0);
    let all = (-most..=most).filter_map(|k| Some((k, at_lag(k)?)));
    let (best, correlation) = all.max_by(|a, b| a.1.total_cmp(&b.1))?;
    let clear = correlation > CLEAR[0] && correlation - same > CLEAR[1] && best != 0;
    // One interval is the blur of sampling.
    (clear && best.abs() > 1).then_some((best as f64 * step, correlation))
}

/// Pearson's correlation of `load` with `used` from `shift` on, where both are known.
fn correlation(load: &[f64], used: &[Option<f64>], shift: usize) -> Option<f64> {
    let pairs = || load.iter().zip(&used[shift..]).filter_map(|(x, y)| Some((*x, (*y)?)));
    let (mut n, mut sx, mut sy, mut sxx, mut syy, mut sxy) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
    for (x, y) in pairs() {
        n += 1.0;
        sx += x;
        sy += y;
        sxx += x * x;
        syy += y * y;
        sxy += x * y;
    }
    if n < FEWEST as f64 || n < 0.5 * load.len() as f64 {
        return None;
    }
    let spread = (sxx - sx * sx / n) * (syy - sy * sy / n);
    (spread > 0.0).then(|| (sxy - sx * sy / n) / spread.sqrt())
}
