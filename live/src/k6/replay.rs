//! Recorded arrivals in the script: each at its own instant.

use model::scenario::{Load, Scenario};
use model::trace::Trace;
use model::units::Span;

use super::executor::{MOST_USERS, STAY};

/// Most arrivals that a script has: k6 reads all of it for every user.
pub(super) const MOST_ARRIVALS: usize = 100_000;

/// What the script needs to replay a trace.
pub(super) const NEEDED: &str = "
const LATE = 0.1; // seconds after which an arrival that found all users busy is dropped
const dropped = new Counter('rung_dropped');

// The user that takes an arrival waits until it is due; nothing if it is dropped.
function due(lane, trace) {
  const index = exec.scenario.iterationInTest;
  const [at, endpoint] = trace[index];
  const wait = at - (Date.now() - exec.scenario.startTime) / 1000;
  if (wait < -LATE) {
    dropped.add(1);
    return undefined;
  }
  if (wait > 0) sleep(wait);
  return { lane, index, endpoint };
}
";

/// The lines of the executor: users take one arrival after the other, those that are free first.
pub(super) fn executor(trace: &Trace, max_users: Option<u32>, load: &Load) -> Vec<String> {
    let mut lines = vec!["executor: 'shared-iterations',".to_string()];
    if max_users.is_none() {
        lines.push(
            "// The scenario has as many users as it takes; k6 needs a number. Raise it if".into(),
        );
        lines.push("// `rung_dropped` is not 0.".into());
    }
    lines.push(format!("vus: {},", users(trace, max_users, load)));
    lines.push(format!("iterations: {},", trace.count(load.total())));
    lines.push("maxDuration: `${WARMUP + DURATION}s`,".into());
    lines
}

/// As many as the scenario allows, or else as many as there may be at once.
pub(super) fn users(trace: &Trace, max_users: Option<u32>, load: &Load) -> f64 {
    max_users.map_or_else(|| at_once(trace, load), f64::from)
}

/// Most arrivals that come while one of them stays.
fn at_once(trace: &Trace, load: &Load) -> f64 {
    let stay = load.timeout.as_ref().map_or(STAY.secs_f64(), |timeout| timeout.mean_capped(STAY));
    let stay = Span::from_secs_f64(stay);
    let times = (0..trace.count(load.total()) as u64).filter_map(|index| trace.at(index));
    let (mut most, mut first) = (0_u64, 0);
    for (at, index) in times.zip(0_u64..) {
        while trace.at(first).is_some_and(|first| first + stay < at) {
            first += 1;
        }
        most = most.max(index + 1 - first);
    }
    (most as f64).clamp(1.0, MOST_USERS)
}

/// The arrivals of a load as an array of the script that all users share, called `name`.
pub(super) fn arrivals(trace: &Trace, name: &str, scenario: &Scenario, load: &Load) -> String {
    let endpoints = trace.endpoints(&scenario.endpoints).unwrap_or_default();
    let each = (0..trace.count(load.total()) as u64).filter_map(|index| {
        let seconds = trace.at(index)?.secs_f64();
        let endpoint = trace.name(index).and_then(|name| *endpoints.get(name)?);
        Some(match endpoint {
            Some(endpoint) => format!("  [{seconds}, {endpoint}],\n"),
            None => format!("  [{seconds}],\n"),
        })
    });
    format!(
        "\n// When each request is due, in seconds, and which endpoint it calls where that is known.\n\
         const {name} = new SharedArray('{name}', () => [\n{}]);\n",
        each.collect::<String>()
    )
}
