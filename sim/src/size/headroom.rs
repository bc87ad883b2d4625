//! How much of each thing is left before an objective breaks.
//!
//! Each is turned by itself, under the load of the scenario, and searched like the load: on the same
//! random numbers, with few runs first and more near the answer, with an interval and runs with other
//! seeds. The headroom of the load is the answer to how much load it takes, seen from the load that
//! there is.

use model::read::Resolved;
use model::report::{Headroom, Reach, Size};
use model::statistics::Estimate;

use super::level::Levels;
use super::lever::Lever;
use super::search::Search;
use super::words;
use crate::engine::Runaway;

/// The headroom of the load, of each upstream's latency and of the CPU.
pub(super) fn headroom(
    resolved: &Resolved,
    size: &Size,
    events_max: u64,
    budget: u64,
) -> Result<Vec<Headroom>, Runaway> {
    let scenario = &resolved.scenario;
    let start = scenario.load.source.profile().map_or(0.0, |profile| profile.start);
    let mut all: Vec<Headroom> = (start > 0.0).then(|| of_load(size, start)).into_iter().collect();
    for lever in Lever::others(resolved) {
        let mut levels = Levels::new(scenario, lever.dial, events_max, budget);
        let found = Search { levels: &mut levels }.run()?;
        let warnings = words::of_headroom(&found, &levels, &lever);
        let reach = |holds: Estimate| reach(&lever, holds);
        all.push(Headroom {
            what: lever.what.clone(),
            key: lever.key.clone(),
            now: lever.now(),
            holds: found.holds.map(reach),
            unbroken: found.unbroken.map(|most| lever.at(most)),
            breaks: found.breaks,
            check: found.check,
            levels: levels.tried(),
            warnings,
        });
    }
    Ok(all)
}

fn reach(lever: &Lever, holds: Estimate) -> Reach {
    Reach { kept: lever.at(holds.low), about: lever.at(holds.value), broken: lever.at(holds.high) }
}

/// That of the load: what the search for it has found.
fn of_load(size: &Size, start: f64) -> Headroom {
    let lever = Lever::load(size.load, start);
    let times = |holds: &Estimate| Estimate {
        value: holds.value / start,
        low: holds.low / start,
        high: holds.high / start,
    };
    Headroom {
        what: lever.what.clone(),
        key: lever.key.clone(),
        now: lever.now(),
        holds: size.holds.as_ref().map(|holds| reach(&lever, times(holds))),
        unbroken: size.unbroken.map(|most| lever.at(most / start)),
        breaks: size.breaks.clone(),
        check: None,
        levels: Vec::new(),
        warnings: Vec::new(),
    }
}
