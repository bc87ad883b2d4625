//! What a reader of the script has to know: where k6 does what rung does, and where not.

use model::scenario::{Group, Load, Scenario, Source, Spacing};

/// Comment lines.
pub(super) fn notes(scenario: &Scenario) -> String {
    let (same, other) = match &scenario.load.source {
        Source::Closed { .. } => (CLOSED, Vec::new()),
        Source::Open { spacing, .. } => (OPEN, open(*spacing)),
        Source::Replay { .. } => (OPEN, vec![WAITED]),
        Source::Several(groups) => (SEVERAL, several(groups)),
    };
    let groups = scenario.load.groups();
    let any = |is: fn(&Load) -> bool| groups.iter().any(|group| is(&group.load));
    let timeout = any(|load| load.timeout.is_none())
        .then_some("The scenario's users wait for ever: here they give up after a day.");
    let kept = scenario.load.keep_alive_timeout.map(|_| {
        "k6 has no option for how long idle connections are kept: `keep_alive_timeout` is left out."
    });
    let connected = any(|load| matches!(load.source, Source::Closed { preconnect: true, .. }))
        .then_some(CONNECTED);
    let bursts = any(|load| matches!(load.source, Source::Open { on_off: Some(_), .. })).then_some(
        "The on and off times are those of the seed, written out as stages. Under k6 the \
             arrivals of one on time are evenly spaced.",
    );
    let own = super::request::any(scenario).then_some(OWN);
    let other =
        other.into_iter().chain(bursts).chain(timeout).chain(connected).chain(kept).chain(ALWAYS);
    let mut lines =
        vec!["// The same as under rung's own load generator, given the same seed:".into()];
    lines.extend(items(same));
    lines.extend(own.into_iter().flat_map(items));
    lines.push("// Not the same:".into());
    lines.extend(other.flat_map(items));
    lines.join("\n")
}

const CLOSED: &str = "Request i of user u calls the same endpoint with the same key, and the same \
    pause follows: what the service and its upstream draw from the key is the same too.\n\
    What counts: answers that come within the window, the warm-up left out.";

const SEVERAL: &str = "Arrival i of a load calls the same endpoint with the same key. What closed users do is \
    drawn from the same distributions.\n\
    What counts: answers that come within the window, the warm-up left out.";

const OWN: &str = "Endpoints with a `request` are asked as it says, with the same drawn parts; a key is sent \
    to the others only.";

const NUMBERS: &str = "k6 numbers the users of all loads together, so that a closed user has another \
    number than under rung's own load generator, and other draws.";

const WAITED: &str = "A user takes an arrival before it is due and waits for it. One that finds all \
    users busy is sent up to 0.1 s late, and dropped after that.";

/// What of the loads is not the same.
fn several(groups: &[Group]) -> Vec<&'static str> {
    let has = |is: fn(&Source) -> bool| groups.iter().any(|group| is(&group.load.source));
    let mut notes = Vec::new();
    if has(|source| matches!(source, Source::Closed { .. })) {
        notes.push(NUMBERS);
    }
    if has(|source| matches!(source, Source::Replay { .. })) {
        notes.push(WAITED);
    }
    let spacing = has(|source| matches!(source, Source::Open { spacing: Spacing::Poisson, .. }));
    if has(|source| matches!(source, Source::Open { .. })) {
        notes.extend(open(if spacing { Spacing::Poisson } else { Spacing::Even }));
    }
    notes
}

const OPEN: &str = "Arrival i calls the same endpoint with the same key, so that what the service \
    and its upstream draw from it is the same too; k6 does not count arrivals that it drops.\n\
    What counts: answers that come within the window, the warm-up left out.";

const CONNECTED: &str = "The scenario's connections are open before the first request; k6's users \
    connect when they first send.";

const ALWAYS: [&str; 1] =
    ["k6 needs a good deal of CPU time for each request: give it processors \
    of its own, and as many as it wants."];

fn open(spacing: Spacing) -> Vec<&'static str> {
    let sent = "A response time begins when the request is sent, not when it was due.";
    match spacing {
        Spacing::Even => vec![sent],
        Spacing::Poisson => vec![
            "The scenario's arrivals are Poisson; k6 spaces them evenly. Evenly spaced ones queue \
             less: response times will be shorter than predicted, the more so the busier the \
             service is. Write `spacing = \"even\"` into the scenario to predict this script.",
            sent,
        ],
    }
}

/// Each line of `text` as an item of a list.
fn items(text: &str) -> impl Iterator<Item = String> {
    text.split('\n').flat_map(|item| {
        let (mut lines, mut line) = (Vec::new(), "// -".to_string());
        for word in item.split_whitespace() {
            if line.len() + 1 + word.len() > WIDTH {
                lines.push(std::mem::replace(&mut line, "//  ".into()));
            }
            line.push(' ');
            line.push_str(word);
        }
        lines.push(line);
        lines
    })
}

/// Longest line.
const WIDTH: usize = 95;
