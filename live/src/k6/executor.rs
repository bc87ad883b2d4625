//! Users and arrivals as one of k6's executors.

use model::scenario::{Group, Load, OnOff, Profile, Scenario, Source, Stage};
use model::units::Span;
use model::workload::Phases;

use super::{pause, replay};

/// What stands before each line.
const INDENT: &str = "      ";
/// Users that k6 makes ready at most, where the scenario has no limit.
pub(super) const MOST_USERS: f64 = 1000.0;
/// How long an arrival is expected to stay, where the scenario does not say when it gives up.
pub(super) const STAY: Span = Span::from_secs(10);
/// Time units of a rate in seconds: the first in which it is a whole number is used.
const UNITS: [u32; 5] = [1, 10, 100, 1000, 10_000];
/// Relative error of a rate that is none.
const WHOLE: f64 = 1e-9;

/// Most stages that a script has for an on/off process.
pub(super) const MOST_STAGES: usize = 4000;

/// The lines of an executor that puts the load of one `group` of `scenario` on a service.
pub(super) fn executor(scenario: &Scenario, group: &Group) -> String {
    let load = &group.load;
    let lines = match &load.source {
        // A group has one load.
        Source::Several(_) => Vec::new(),
        Source::Replay { trace, max_users } => replay::executor(trace, *max_users, load),
        Source::Closed { users, .. } => closed(users, load),
        Source::Open { rate, max_users, on_off, .. } => {
            let bursts = on_off.as_ref().and_then(|on_off| bursts(scenario, group, rate, on_off));
            open(bursts.as_ref().unwrap_or(rate), *max_users, load)
        }
    };
    lines.iter().map(|line| format!("{INDENT}{line}")).collect::<Vec<_>>().join("\n")
}

/// Users that k6 makes ready for the arrivals of a `group`.
pub(super) fn users(scenario: &Scenario, group: &Group) -> f64 {
    match &group.load.source {
        Source::Closed { .. } | Source::Several(_) => 0.0,
        Source::Replay { trace, max_users } => replay::users(trace, *max_users, &group.load),
        Source::Open { rate, max_users, on_off, .. } => {
            let bursts = on_off.as_ref().and_then(|on_off| bursts(scenario, group, rate, on_off));
            open_users(bursts.as_ref().unwrap_or(rate), *max_users, &group.load)
        }
    }
}

/// As many as the scenario allows, or else as many as there may be at the highest rate.
fn open_users(rate: &Profile, max_users: Option<u32>, load: &Load) -> f64 {
    let stay = load.timeout.as_ref().map_or(STAY.secs_f64(), |timeout| timeout.mean_capped(STAY));
    max_users.map_or((rate.peak() * stay).ceil().clamp(1.0, MOST_USERS), f64::from)
}

/// The on/off process as a rate that jumps; none if k6 cannot be told it so.
pub(super) fn bursts(
    scenario: &Scenario,
    group: &Group,
    rate: &Profile,
    on_off: &OnOff,
) -> Option<Profile> {
    let phases = Phases::new(scenario.seed, group.lane(), on_off);
    let steady = rate.stages.is_empty();
    steady.then(|| phases.profile(rate.start, scenario.load.total(), MOST_STAGES))?
}

fn closed(users: &Profile, load: &Load) -> Vec<String> {
    if users.stages.is_empty() {
        return vec![
            "executor: 'constant-vus',".into(),
            format!("vus: {},", users.start),
            "duration: `${WARMUP + DURATION}s`,".into(),
        ];
    }
    // A user that is removed finishes its request first.
    let patience = pause::longest(load);
    let mut lines = vec!["executor: 'ramping-vus',".into(), format!("startVUs: {},", users.start)];
    lines.extend(stages(users, load.total(), |target| target.round().to_string()));
    lines.push(format!("gracefulRampDown: '{patience}',"));
    lines
}

fn open(rate: &Profile, max_users: Option<u32>, load: &Load) -> Vec<String> {
    let unit = unit(rate);
    let per_unit = |rate: f64| (rate * f64::from(unit)).round().to_string();
    let mut lines = match rate.stages.is_empty() {
        true => vec![
            "executor: 'constant-arrival-rate',".into(),
            format!("rate: {},", per_unit(rate.start)),
            format!("timeUnit: '{unit}s',"),
            "duration: `${WARMUP + DURATION}s`,".into(),
        ],
        false => {
            let mut lines = vec![
                "executor: 'ramping-arrival-rate',".into(),
                format!("startRate: {},", per_unit(rate.start)),
                format!("timeUnit: '{unit}s',"),
            ];
            lines.extend(stages(rate, load.total(), per_unit));
            lines
        }
    };
    let why = match max_users {
        Some(_) => [
            "// k6 drops an arrival that finds no user idle, and does so too while it makes",
            "// another user ready: all of them are ready at the start.",
        ],
        None => [
            "// The scenario has as many users as it takes; k6 needs a number. Raise it if",
            "// `dropped_iterations` is not 0.",
        ],
    };
    lines.extend(why.map(String::from));
    let users = open_users(rate, max_users, load);
    lines.extend([format!("preAllocatedVUs: {users},"), format!("maxVUs: {users},")]);
    lines
}

/// The seconds in which every rate of the profile is a whole number, as k6 wants it.
fn unit(rate: &Profile) -> u32 {
    let rates = || rate.stages.iter().map(|stage| stage.target).chain([rate.start]);
    let whole = |unit: u32| {
        rates().all(|rate| {
            let count = rate * f64::from(unit);
            (count - count.round()).abs() <= WHOLE * count
        })
    };
    UNITS.into_iter().find(|&unit| whole(unit)).unwrap_or(UNITS[UNITS.len() - 1])
}

/// The stages of a run of the length `total`: k6 ends with its last one.
fn stages(profile: &Profile, total: Span, target: impl Fn(f64) -> String) -> Vec<String> {
    let mut lines = vec!["stages: [".to_string()];
    let mut left = total;
    let mut last = profile.start;
    for &Stage { duration, target: end } in &profile.stages {
        if left.is_zero() {
            break;
        }
        if duration > left {
            // The run ends on the way.
            lines.push(stage(left, &target(profile.value(total))));
            left = Span::ZERO;
            break;
        }
        lines.push(stage(duration, &target(end)));
        (left, last) = (left - duration, end);
    }
    if !left.is_zero() {
        lines.push(stage(left, &target(last)));
    }
    lines.push("],".into());
    lines
}

fn stage(duration: Span, target: &str) -> String {
    format!("  {{ duration: '{duration}', target: {target} }},")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp() -> Profile {
        let stage = |seconds, target| Stage { duration: Span::from_secs(seconds), target };
        Profile { start: 0.0, stages: vec![stage(10, 100.0), stage(20, 50.5)] }
    }

    fn told(seconds: u64) -> String {
        stages(&ramp(), Span::from_secs(seconds), |target| target.to_string()).concat()
    }

    #[test]
    fn a_run_that_is_longer_than_its_stages_holds_the_last_and_a_shorter_one_cuts_it() {
        let first = "stages: [  { duration: '10s', target: 100 },";
        let second = "  { duration: '20s', target: 50.5 },";
        assert_eq!(told(30), format!("{first}{second}],"));
        assert_eq!(told(35), format!("{first}{second}  {{ duration: '5s', target: 50.5 }},],"));
        assert_eq!(told(20), format!("{first}  {{ duration: '10s', target: 75.25 }},],"));
        assert_eq!(told(10), format!("{first}],"));
    }

    #[test]
    fn a_rate_is_told_in_the_time_in_which_it_is_whole() {
        assert_eq!(unit(&Profile::constant(200.0)), 1);
        assert_eq!(unit(&Profile::constant(33.3)), 10);
        assert_eq!(unit(&Profile::constant(0.125)), 1000);
        assert_eq!(unit(&Profile::constant(1.0 / 3.0)), 10_000);
        assert_eq!(unit(&ramp()), 10);
    }
}
