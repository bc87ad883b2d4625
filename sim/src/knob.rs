//! The bottleneck by experiment: each limit relaxed in turn, on the same random numbers.

use rayon::prelude::*;

use model::report::{Bottleneck, Knob, Report};
use model::scenario::{Scenario, Source};
use model::statistics::Estimate;
use model::units::Span;

use crate::engine::{Runaway, Workspace};
use crate::observe::{Limit, Observations};
use crate::replicate::replicate_in;
use crate::{client, cpu, database, event_loop, upstream};

/// Gains below this are not worth a sentence.
const WORTH: f64 = 0.01;

/// Stands for the gain from no good answers to some.
const FROM_NOTHING: f64 = 999.0;

/// A limit that can be relaxed: the key that `--set` takes, its value and a better one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relaxation {
    /// The key.
    pub key: String,
    /// Its value now.
    pub from: String,
    /// The value to try.
    pub to: String,
    /// The limit that a run must have reached for the value to matter at all.
    pub limit: Option<Limit>,
}

impl Relaxation {
    pub(crate) fn of(key: &str, from: String, to: String) -> Relaxation {
        Relaxation { key: key.to_string(), from, to, limit: None }
    }

    /// It matters only if a run reached `limit`.
    pub(crate) fn at(self, limit: Limit) -> Relaxation {
        Relaxation { limit: Some(limit), ..self }
    }

    /// True if no run came up against the limit: with more of it, each would have run the
    /// same.
    fn is_moot(&self, base: &[Observations]) -> bool {
        self.limit.is_some_and(|limit| base.iter().all(|seen| !seen.reached.contains(&limit)))
    }
}

/// Every limit of `scenario` that its owner could relax, the cheapest to turn first. The load and
/// the upstream's latency are left out: they are not the owner's to turn.
pub fn relaxations(scenario: &Scenario) -> Vec<Relaxation> {
    let mut all = Vec::new();
    for of in [
        upstream::relaxations,
        database::relaxations,
        event_loop::relaxations,
        cpu::relaxations,
        client::relaxations,
    ] {
        of(scenario, &mut all);
    }
    all
}

pub(crate) fn double(n: u32) -> String {
    (u64::from(n) * 2).to_string()
}

pub(crate) fn twice(span: Span) -> String {
    (span + span).to_string()
}

/// A scenario with one knob turned.
pub(crate) type Turned = (Relaxation, Scenario);

/// Simulates each turned scenario on the replications of `base` again, and ranks the knobs
/// by what they gain. A limit that no replication reached is not simulated: it gains nothing.
///
/// # Errors
/// The first [`Runaway`].
pub(crate) fn experiment(
    base: &[Observations],
    turned: Vec<Turned>,
    confidence: f64,
    events_max: u64,
) -> Result<Vec<Knob>, Runaway> {
    let moot = |(relaxation, _): &Turned| relaxation.is_moot(base);
    let (moot, live): (Vec<Turned>, Vec<Turned>) = turned.into_iter().partition(moot);
    // Knobs and replications in one list, so that no thread waits for the slowest knob.
    let runs: Vec<(usize, u32)> = (0..live.len())
        .flat_map(|knob| (0..base.len() as u32).map(move |index| (knob, index)))
        .collect();
    let each = |workspace: &mut Workspace, (knob, index): (usize, u32)| {
        replicate_in(&live[knob].1, index, events_max, workspace)
    };
    let seen: Result<Vec<Observations>, Runaway> =
        runs.into_par_iter().map_init(Workspace::default, each).collect();
    let seen = seen?;
    let unchanged = |(knob, _)| Knob { reached: false, ..compare(base, base, knob, confidence) };
    let moot = moot.into_iter().map(unchanged);
    let live = live
        .into_iter()
        .zip(seen.chunks(base.len()))
        .map(|((knob, _), seen)| compare(base, seen, knob, confidence));
    let mut knobs: Vec<Knob> = live.chain(moot).collect();
    rank(&mut knobs);
    Ok(knobs)
}

fn compare(
    base: &[Observations],
    seen: &[Observations],
    knob: Relaxation,
    confidence: f64,
) -> Knob {
    let rates = |all: &[Observations]| all.iter().map(Observations::throughput).collect::<Vec<_>>();
    let means = |all: &[Observations]| all.iter().map(mean_response_time).collect::<Vec<_>>();
    let minus_one = |e: Estimate| {
        Estimate { value: e.value - 1.0, low: e.low - 1.0, high: e.high - 1.0 }.rounded()
    };
    let (before, after) = (rates(base), rates(seen));
    // From nothing to something is a gain beyond measure; report it as a thousandfold.
    let ratio = if before.iter().sum::<f64>() == 0.0 && after.iter().sum::<f64>() > 0.0 {
        Estimate::exact(1.0 + FROM_NOTHING)
    } else if before.iter().sum::<f64>() == 0.0 {
        Estimate::exact(1.0)
    } else {
        Estimate::of_ratio(&after, &before, confidence)
    };
    let times = Estimate::of_ratio(&means(seen), &means(base), confidence);
    // Without good answers before there is no change to speak of.
    let times = if times.value == 0.0 { Estimate::exact(1.0) } else { times };
    Knob {
        knob: knob.key,
        from: knob.from,
        to: knob.to,
        throughput: Estimate::of_mean(&after, confidence).rounded().value,
        gain: minus_one(ratio),
        response_time_change: minus_one(times),
        reached: true,
    }
}

fn mean_response_time(seen: &Observations) -> f64 {
    let (sum, count) =
        seen.classes.iter().fold((0u128, 0u64), |(s, n), class| (s + class.sum, n + class.good));
    if count == 0 { 0.0 } else { sum as f64 / count as f64 / 1e9 }
}

/// True if the gain is worth a sentence and more than chance.
fn gains_surely(knob: &Knob) -> bool {
    knob.gain.value > WORTH && knob.gain.low > 0.0
}

/// By gain, the highest first; what gains surely comes before what may be chance. Among the
/// sure, gains that differ by less than is worth a sentence count as equal: then the knob
/// that stands earlier in the list of relaxations, being cheaper to turn, comes first.
fn rank(knobs: &mut Vec<Knob>) {
    let (mut sure, mut rest): (Vec<Knob>, Vec<Knob>) = knobs.drain(..).partition(gains_surely);
    while !sure.is_empty() {
        let best = sure.iter().map(|knob| knob.gain.value).fold(f64::MIN, f64::max);
        let first = sure.iter().position(|knob| knob.gain.value >= best - WORTH).unwrap_or(0);
        knobs.push(sure.remove(first));
    }
    rest.sort_by(|a, b| b.reached.cmp(&a.reached).then(b.gain.value.total_cmp(&a.gain.value)));
    knobs.append(&mut rest);
}

/// The limit in one sentence, from ranked knobs.
pub(crate) fn bottleneck(scenario: &Scenario, report: &Report) -> Option<Bottleneck> {
    let knobs = &report.knobs;
    let first = knobs.first()?;
    if gains_surely(first) {
        let sentence = format!(
            "The limit is {}: from {} to {} {}{}.",
            first.knob,
            first.from,
            first.to,
            gains(first.gain.value),
            beside_cpu(knobs),
        );
        return Some(Bottleneck { knob: first.knob.clone(), gain: first.gain.value, sentence });
    }
    // Without a good answer something does bind; no single knob that was tried is enough.
    if knobs.iter().all(|knob| knob.throughput == 0.0) {
        return None;
    }
    let errors = report.error_share;
    let (knob, why) = match &scenario.load.source {
        _ if errors > WORTH => {
            let share = errors * 100.0;
            let why =
                format!("{share:.1} % of the requests end in an error that none of them mends");
            ("load", why)
        }
        Source::Closed { users, .. } => {
            let (n, wait) = (users.peak(), report.response_time.mean);
            ("load.users", format!("{n} users that each wait {wait:.3} s send no more"))
        }
        Source::Open { .. } if report.arrivals.rate > (1.0 + WORTH) * report.throughput.value => {
            let (come, go) = (report.arrivals.rate, report.throughput.value);
            let why =
                format!("{come:.1}/s arrive, {go:.1}/s are answered, and none of them mends it");
            ("load", why)
        }
        Source::Open { rate, .. } => {
            ("load.rate", format!("the service keeps up with up to {} arrivals/s", rate.peak()))
        }
    };
    let sentence = format!("No single limit of the service binds: {why}.");
    Some(Bottleneck { knob: knob.into(), gain: 0.0, sentence })
}

/// What a faster processor would buy instead: the first thing that people think of.
fn beside_cpu(knobs: &[Knob]) -> String {
    let cpu = knobs.iter().find(|knob| knob.knob == "cpu.speed");
    match cpu {
        Some(cpu) if cpu.knob != knobs[0].knob => {
            format!("; twice the CPU {}", gains(cpu.gain.value))
        }
        _ => String::new(),
    }
}

/// A gain as the end of a sentence. Large ones are easier to grasp as a multiple.
fn gains(share: f64) -> String {
    match share {
        x if x >= FROM_NOTHING => "lets good answers through for the first time".into(),
        x if x >= 2.0 => format!("gives {:.1} times the throughput", x + 1.0),
        x if x.abs() < WORTH => format!("changes little ({})", percent(x)),
        x if x < 0.0 => format!("loses {:.1} %", -100.0 * x),
        x => format!("gains {}", percent(x)),
    }
}

fn percent(share: f64) -> String {
    format!("{:+.1} %", share * 100.0)
}
