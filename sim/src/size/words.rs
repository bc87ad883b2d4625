//! What breaks first, in a sentence; and what to know before trusting the answer.

use model::objective::{Judged, Objective, State};
use model::report::{Breaks, Full, Level, LoadKind, Report, Size};
use model::scenario::{Scenario, Source};

use super::level::{Levels, Tried};
use super::lever::Lever;
use super::search::Found;
use crate::knob::most_of_the_time;

/// A station in use for more than this share is full.
const FULL: f64 = 0.9;

/// What is broken under a load, and where it gets tight.
pub(super) fn breaks(levels: &Levels<'_>, tried: &Tried) -> Breaks {
    let left_out = |one: &Objective| levels.dial.leaves_out(one);
    of_level(&levels.scenario.objectives, &tried.level, &tried.report, left_out)
}

/// What is broken of all objectives, and where it gets tight.
pub(crate) fn of_setting(objectives: &[Objective], level: &Level, report: &Report) -> Breaks {
    of_level(objectives, level, report, |_| false)
}

fn of_level(
    objectives: &[Objective],
    level: &Level,
    report: &Report,
    left_out: impl Fn(&Objective) -> bool,
) -> Breaks {
    let all = objectives.iter().zip(&level.objectives);
    let broken = all
        .filter(|(objective, judged)| !left_out(objective) && judged.state == State::Broken)
        .map(|(objective, judged)| (margin(objective, judged), objective, judged))
        .min_by(|one, other| one.0.total_cmp(&other.0));
    let full = full(report);
    let tight = tight(report, &full);
    let sentence = match &broken {
        Some((margin, objective, judged)) => {
            let what = objective.measure.words();
            let over = match judged.value {
                Some(_) => format!("{:.0} % beyond the limit of {objective}", -100.0 * margin),
                None => format!("with {objective} to be kept"),
            };
            format!("{what} is {}, {over}: {tight}", judged.found)
        }
        None if level.falls_behind => {
            format!("requests come faster than they are served: {tight}")
        }
        None => format!("nothing is broken: {tight}"),
    };
    Breaks {
        load: level.load,
        objective: broken.map(|(_, _, judged)| judged.clone()),
        full,
        sentence,
    }
}

fn margin(objective: &Objective, judged: &Judged) -> f64 {
    judged.value.map_or(f64::NEG_INFINITY, |value| objective.margin(value))
}

/// Stations that are full, the fullest first.
fn full(report: &Report) -> Vec<Full> {
    let limited = report.stations.iter().filter(|one| one.capacity.is_some());
    let mut full: Vec<Full> = limited
        .filter(|one| one.utilisation > FULL)
        .map(|one| Full { id: one.id.clone(), utilisation: one.utilisation })
        .collect();
    full.sort_by(|one, other| other.utilisation.total_cmp(&one.utilisation));
    full
}

/// What is full; else where requests wait most.
fn tight(report: &Report, full: &[Full]) -> String {
    let percent = |share: f64| format!("{:.0} %", 100.0 * share);
    if let Some(first) = full.first() {
        return format!("full is {} ({} in use)", first.id.words(), percent(first.utilisation));
    }
    let waits = |one: &&model::report::Station| one.waiting_time_mean * one.visits;
    let most = report.stations.iter().max_by(|a, b| waits(a).total_cmp(&waits(b)));
    match most.filter(|one| waits(one) > 0.0) {
        Some(one) => format!(
            "nothing is full; requests wait most for {} ({} in use)",
            one.id.words(),
            percent(one.utilisation)
        ),
        None => match most_of_the_time(report) {
            Some(most) => format!("nothing is full; {most}"),
            None => "nothing is full".into(),
        },
    }
}

/// An objective that a lower load can only break.
fn is_floor(objective: &Objective) -> bool {
    !objective.relation.is_upper()
}

/// What a reader should know before trusting a headroom.
pub(super) fn of_headroom(found: &Found, levels: &Levels<'_>, lever: &Lever) -> Vec<String> {
    let mut all = Vec::new();
    let value = |times: f64| format!("{}={}", lever.key, lever.at(times).value);
    let lengthen = "lengthen load.warmup and load.duration";
    let tried = levels.tried();
    let at = |times: f64| tried.iter().find(|level| level.load == times);
    if let Some(holds) = &found.holds {
        if found.check.as_ref().is_some_and(|check| !check.kept) {
            all.push(format!(
                "runs with other seeds break an objective at {}: {lengthen} for a surer answer",
                value(holds.low)
            ));
        }
        for (end, times, kept) in [("lower", holds.low, true), ("upper", holds.high, false)] {
            if at(times).is_some_and(|level| !(level.sure && level.kept == kept)) {
                all.push(format!("the {end} end of the interval, {}, is not sure", value(times)));
            }
        }
    }
    if found.untold {
        let at = found.unbroken.map_or(String::new(), |most| format!("above {} ", value(most)));
        all.push(format!("{at}too few requests end within the counted window to tell: {lengthen}"));
    }
    if found.cut_short {
        all.push(format!(
            "slow requests are still in flight when the counted window ends, so that response times \
             are too short: {lengthen}"
        ));
    }
    all
}

/// What a reader should know before trusting the answer.
pub(super) fn warnings(size: &Size, scenario: &Scenario) -> Vec<String> {
    let mut all = Vec::new();
    let words = |load: f64| size.load.words(load);
    if let (Some(check), Some(holds)) = (&size.check, &size.holds)
        && !check.kept
    {
        all.push(format!(
            "runs with other seeds break an objective at {}, the lower end of the interval: \
             lengthen load.duration for a surer answer",
            words(holds.low)
        ));
    }
    let at = |load: f64| size.levels.iter().find(|level| level.load == load);
    if let Some(holds) = &size.holds {
        let ends = [("lower", holds.low, true), ("upper", holds.high, false)];
        for (end, load, kept) in ends {
            if at(load).is_some_and(|level| !(level.sure && level.kept == kept)) {
                all.push(format!(
                    "the {end} end of the interval, {}, is not sure: no load tried beyond it is",
                    words(load)
                ));
            }
        }
    }
    for exception in &size.exceptions {
        let below = size.holds.is_none_or(|holds| exception.load > holds.high);
        if below && exception.kept {
            all.push(format!(
                "at {} all objectives are kept again: they do not simply get worse with the load",
                words(exception.load)
            ));
        }
    }
    let answer = size.holds.map(|holds| holds.value).or(size.unbroken);
    let level = answer.and_then(at);
    for (objective, judged) in
        scenario.objectives.iter().zip(level.iter().flat_map(|l| &l.objectives))
    {
        if judged.state == State::Unknown {
            all.push(format!("`{objective}` is not told by this scenario, and was left out"));
        }
        if is_floor(objective) && judged.state == State::Broken {
            all.push(format!(
                "`{objective}` is broken even there: {}. More load gives no more of it before \
                 another objective breaks",
                judged.found
            ));
        }
    }
    if let Source::Closed { think_time, .. } = &scenario.load.source
        && think_time.is_zero()
    {
        all.push(
            "each user here sends the next request as soon as the last reply is there, as a script does; \
             of people, who pause, more can be served: load.think_time=10s gives each 10 s"
                .into(),
        );
    }
    if size.load == LoadKind::Users && scenario.objectives.iter().all(is_floor) {
        all.push("users wait for their replies: without an upper limit nothing breaks".into());
    }
    all
}
