//! Several loads at once: each is a scenario of k6.

use model::scenario::{Group, Load, Scenario, Source};

use super::pause::{Patience, Pause};
use super::{executor, lines, replay, text};

/// The names of k6's scenarios, which have letters, digits, dashes and underscores only.
fn names(groups: &[Group]) -> Vec<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match groups.iter().all(|group| group.name.chars().all(plain)) {
        true => groups.iter().map(|group| group.name.clone()).collect(),
        false => (1..=groups.len()).map(|number| format!("load-{number}")).collect(),
    }
}

/// k6's scenarios, one for each load.
pub(super) fn scenarios(scenario: &Scenario) -> String {
    let groups = scenario.load.groups();
    let each = groups.iter().zip(names(&groups)).map(|(group, name)| {
        let title = match name == group.name {
            true => String::new(),
            false => format!("    // {}\n", super::comment(&group.name)),
        };
        let name = match group.name.is_empty() {
            true => "load".to_string(),
            false => text(&name),
        };
        format!(
            "{title}    {name}: {{\n{}\n      \
             // Requests that are in flight at the end are abandoned, and count as nothing.\n      \
             gracefulStop: '0s',\n    }},",
            executor::executor(scenario, group)
        )
    });
    lines(each)
}

/// What differs between the loads: a table by the names of k6's scenarios.
pub(super) fn table(scenario: &Scenario) -> String {
    let groups = scenario.load.groups();
    let each = groups.iter().zip(names(&groups)).zip(1..).map(|((group, name), number)| {
        let Group { load, .. } = group;
        let patience = match Patience::of(load) {
            Patience::Fixed(span) => format!("() => '{span}'"),
            Patience::Drawn(seconds) => format!(
                "({{ lane, index }}) => {{\n      const u = uniform(PATIENCE, lane, index);\n      \
                 const seconds = {seconds};\n      return seconds * 1000;\n    }}"
            ),
        };
        let pause = match Pause::of(&load.source).call() {
            empty if empty.is_empty() => "() => {}".to_string(),
            call => {
                let body = call.lines().map(|line| format!("    {line}\n")).collect::<String>();
                format!("(request, kind) => {{\n{body}    }}")
            }
        };
        let weights: Vec<String> =
            group.weights(&scenario.endpoints).iter().map(|weight| weight.to_string()).collect();
        let kept = if load.keep_alive { "{}" } else { "{ Connection: 'close' }" };
        format!(
            "  {}: {{\n    // How often each of the endpoints is called, in their order.\n    \
             weights: [{}],\n    request: () => {},\n    headers: {kept},\n    \
             patience: {patience},\n    pause: {pause},\n  }},",
            text(&name),
            weights.join(", "),
            request(load, group.lane(), &trace_name(number)),
        )
    });
    format!(
        "\n// What each of the loads does, by the name of its scenario below.\nconst LOADS = {{\n{}\n}};\n",
        lines(each)
    )
}

/// Where the key of the next request of a load comes from.
fn request(load: &Load, lane: u64, trace: &str) -> String {
    match &load.source {
        Source::Closed { .. } => format!("numbered({lane} + exec.vu.idInTest - 1)"),
        Source::Replay { .. } => format!("due({lane}, {trace})"),
        Source::Open { .. } | Source::Several(_) => {
            format!("({{ lane: {lane}, index: exec.scenario.iterationInTest }})")
        }
    }
}

/// The constants with the recorded arrivals of each load.
pub(super) fn traces(scenario: &Scenario) -> String {
    let groups = scenario.load.groups();
    let each = groups.iter().zip(1..).filter_map(|(group, number)| match &group.load.source {
        Source::Replay { trace, .. } => {
            let name = match group.name.is_empty() {
                true => "TRACE".to_string(),
                false => trace_name(number),
            };
            Some(replay::arrivals(trace, &name, scenario, &group.load))
        }
        _ => None,
    });
    let all: String = each.collect();
    match all.is_empty() {
        true => all,
        false => all + replay::NEEDED,
    }
}

fn trace_name(number: usize) -> String {
    format!("TRACE_{number}")
}
