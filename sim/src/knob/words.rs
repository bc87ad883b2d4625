//! What was found, in sentences.

use model::report::{Knob, KnobKind, Report};
use model::scenario::{Scenario, Source};
use render::number;

use super::candidate::Price;
use super::goal::{Goal, MANY_ERRORS};
use super::missed::Missed;
use super::search::{Found, Step, WORTH, helps};
use super::trial::{Comparison, FROM_NOTHING};

/// The first change in one sentence; none where nothing brings a good answer.
pub(crate) fn sentence(
    scenario: &Scenario,
    report: &Report,
    goal: &Goal,
    step: &Step<'_>,
) -> Option<String> {
    match step.found {
        Found::Sure(best) => Some(sure(scenario, report, goal, step, best)),
        Found::Unsure(best) => Some(unsure(goal, step, best)),
        Found::Nothing if report.knobs.iter().all(|knob| knob.throughput == 0.0) => None,
        Found::Nothing if Missed::most(scenario, report).is_some_and(|one| one.goal == *goal) => {
            Some(no_help(scenario, goal, report))
        }
        Found::Nothing => Some(nothing(scenario, report)),
    }
}

fn sure(scenario: &Scenario, report: &Report, goal: &Goal, step: &Step<'_>, best: usize) -> String {
    let Some(candidate) = &step.trials.variants[best].candidate else { return String::new() };
    let comparison = step.trials.compare(best);
    let name = candidate.name();
    let (from, to) =
        (candidate.values(|change| &change.from), candidate.values(|change| &change.to));
    let asks = Missed::most(scenario, report).map_or(String::new(), |missed| missed.asks(goal));
    // A number that an objective is about is one under some load, which others may not think of.
    let under = if asks.is_empty() { String::new() } else { under(scenario) };
    let effect = format!("{}{under}{asks}", effect(goal, &comparison));
    let hardware = candidate.price == Price::Hardware;
    match goal {
        Goal::Throughput => {
            if let Some(limit) = hardware_beyond(step, &comparison) {
                return format!(
                    "{limit}. What costs no hardware comes first: {name} from {from} to {to} {effect}."
                );
            }
            let which = if hardware { ", which is hardware" } else { "" };
            let end = match hardware {
                true => "; no setting that was tried surely helps".to_string(),
                false => beside_cpu(&report.knobs, &name),
            };
            format!("The limit is {name}{which}: from {from} to {to} {effect}{end}.")
        }
        Goal::Errors => {
            let share = report.error_share * 100.0;
            let but = if hardware { "no setting that was tried surely helps; " } else { "" };
            format!(
                "{share:.1} % of the requests end in an error; {but}{name} from {from} to {to} {effect}."
            )
        }
        Goal::Time { .. } => {
            let but = if hardware { "No setting that was tried surely helps; " } else { "" };
            format!("{but}{name} from {from} to {to} {effect}.")
        }
    }
}

/// Hardware that would gain more than twice what the setting does: then that is the limit.
fn hardware_beyond(step: &Step<'_>, setting: &Comparison) -> Option<String> {
    let first = |(variant, _): &&(usize, Comparison)| step.trials.is_hardware(*variant);
    let (variant, comparison) = step.ranked.iter().find(first)?;
    let much = helps(&Goal::Throughput, comparison)
        && comparison.improvement.value > 2.0 * setting.improvement.value;
    let candidate = step.trials.variants[*variant].candidate.as_ref().filter(|_| much)?;
    Some(format!(
        "The limit is {}, which is hardware: from {} to {} {}",
        candidate.name(),
        candidate.values(|change| &change.from),
        candidate.values(|change| &change.to),
        effect(&Goal::Throughput, comparison)
    ))
}

fn unsure(goal: &Goal, step: &Step<'_>, best: usize) -> String {
    let variant = &step.trials.variants[best];
    let Some(candidate) = &variant.candidate else { return String::new() };
    let improvement = step.trials.compare(best).improvement;
    let (from, to) =
        (candidate.values(|change| &change.from), candidate.values(|change| &change.to));
    format!(
        "Not sure what improves {}: {} from {from} to {to} seems to, by {} ±{:.1} in {} runs.",
        goal.words(),
        candidate.name(),
        percent(improvement.value),
        improvement.half_width() * 100.0,
        variant.scores.len()
    )
}

/// That nothing mends an objective, and where the time goes instead.
fn no_help(scenario: &Scenario, goal: &Goal, report: &Report) -> String {
    let where_to = most_of_the_time(report).map_or(String::new(), |most| format!(": {most}"));
    let (what, under) = (goal.words(), under(scenario));
    format!("No change of the service that was tried surely improves {what}{under}{where_to}.")
}

/// The load of the scenario, as part of a sentence: ` with 200 users`.
fn under(scenario: &Scenario) -> String {
    match &scenario.load.source {
        Source::Closed { users, .. } => match users.peak() {
            1.0 => " with 1 user".into(),
            many => format!(" with {many} users"),
        },
        Source::Open { rate, .. } => format!(" at {}/s", rate.peak()),
        Source::Replay { .. } | Source::Several(_) => String::new(),
    }
}

/// The place where a request spends most of its time, and how much of it; none where nothing was answered.
pub(crate) fn most_of_the_time(report: &Report) -> Option<String> {
    let whole = report.response_time.mean;
    let longest = report.time.iter().max_by(|one, other| one.seconds.total_cmp(&other.seconds))?;
    let share = 100.0 * longest.seconds / whole;
    (whole > 0.0).then(|| format!("{share:.0} % of the mean time is {}", longest.place.words()))
}

fn nothing(scenario: &Scenario, report: &Report) -> String {
    let errors = report.error_share;
    let why = match &scenario.load.source {
        _ if errors > MANY_ERRORS => {
            let share = errors * 100.0;
            format!("{share:.1} % of the requests end in an error that none of them mends")
        }
        Source::Closed { users, .. } => {
            let (n, wait) = (users.peak(), number::time(report.response_time.mean));
            match n {
                1.0 => format!("1 user, who waits {wait} for each reply, asks for no more"),
                n => format!("{n} users, who wait {wait} for each reply, ask for no more"),
            }
        }
        source if overload(source, report) => {
            let (come, go) = (report.arrivals.rate, report.throughput.value);
            format!("{come:.1}/s arrive, {go:.1}/s are answered, and none of them mends it")
        }
        Source::Open { rate, .. } => {
            format!("the service keeps up with up to {} arrivals/s", rate.peak())
        }
        Source::Replay { .. } => "the service keeps up with the recorded arrivals".into(),
        Source::Several(groups) => format!("the {} loads at once ask for no more", groups.len()),
    };
    format!("No change that was tried surely helps: {why}.")
}

/// More arrives than is answered.
fn overload(source: &Source, report: &Report) -> bool {
    source.is_open() && report.arrivals.rate > (1.0 + WORTH) * report.throughput.value
}

/// Which key stands for the load, where nothing of the service is the limit.
pub(crate) fn load(scenario: &Scenario, report: &Report) -> &'static str {
    match &scenario.load.source {
        _ if report.error_share > MANY_ERRORS => "load",
        Source::Closed { .. } => "load.users",
        source if overload(source, report) => "load",
        Source::Several(_) => "load.group",
        Source::Open { .. } => "load.rate",
        Source::Replay { .. } => "load.trace",
    }
}

/// What a faster processor would buy instead: the first thing that people think of.
fn beside_cpu(knobs: &[Knob], best: &str) -> String {
    match knobs.iter().find(|knob| knob.knob == "cpu.speed") {
        Some(cpu) if cpu.knob != best && cpu.kind == KnobKind::Hardware => match cpu.gain.value {
            little if little.abs() < WORTH => {
                format!("; twice the CPU changes little ({})", percent(little))
            }
            much if much >= 2.0 => format!("; twice the CPU {}", gains(much)),
            gain => format!("; twice the CPU gives {}", percent(gain)),
        },
        _ => String::new(),
    }
}

/// What a change does for a goal, as the end of a sentence.
pub(crate) fn effect(goal: &Goal, comparison: &Comparison) -> String {
    let Comparison { gain, slower, improvement } = comparison;
    let off = improvement.value * 100.0;
    match goal {
        Goal::Throughput if improvement.value != gain.value && gain.value < FROM_NOTHING => {
            format!(
                "{} and takes {:.1} % off the mean response time",
                gains(gain.value),
                -100.0 * slower.value
            )
        }
        _ if gain.value >= FROM_NOTHING => gains(gain.value),
        Goal::Throughput => gains(gain.value),
        Goal::Errors if improvement.value >= 1.0 => "ends them all".into(),
        Goal::Errors => format!("takes {off:.1} % of them away"),
        Goal::Time { .. } => format!("takes {off:.1} % off {}", goal.words()),
    }
}

/// A gain of throughput as the end of a sentence. Large ones are easier to grasp as a multiple.
fn gains(share: f64) -> String {
    match share {
        x if x >= FROM_NOTHING => "lets good answers through for the first time".into(),
        x if x >= 2.0 => format!("gives {:.1} times the throughput", x + 1.0),
        x if x.abs() < WORTH => format!("changes throughput little ({})", percent(x)),
        x if x < 0.0 => format!("takes {:.1} % off the throughput", -100.0 * x),
        x => format!("gives {} throughput", percent(x)),
    }
}

pub(crate) fn percent(share: f64) -> String {
    format!("{:+.1} %", share * 100.0)
}
