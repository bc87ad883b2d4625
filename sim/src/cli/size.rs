//! `sim size`: how much does it take, and what does it take?

use render::{Console, Exit, Failure};

use super::options::Size;
use super::progress::Progress;
use crate::choose::{self, Cost, Question};
use crate::size::{BUDGET, check, size};

/// Finds the highest load that keeps the objectives, or the cheapest setting that does.
pub(super) fn run(options: &Size, console: &mut Console<'_>) -> Result<Exit, Failure> {
    if !options.choose.is_empty() {
        return choice(options, console);
    }
    let open: &[String] = if options.open { &["load.rate=1/s".to_string()] } else { &[] };
    let mut resolved = options.source.load(open)?;
    options.keep.apply(&mut resolved)?;
    check(&resolved)?;
    let found = size(&resolved, options.max_events, BUDGET)
        .map_err(|runaway| Failure::run(&resolved.scenario.name, runaway))?;
    console.answer(&found, options.output.format)?;
    let met = found.holds.is_some() || found.unbroken.is_some();
    Ok(if met { Exit::Success } else { Exit::Broken })
}

/// The cheapest setting under a load.
fn choice(options: &Size, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let rate = options.rate.iter().map(|rate| format!("load.rate={rate}"));
    let users = options.users.iter().map(|users| format!("load.users={users}"));
    let load: Vec<String> = rate.chain(users).collect();
    let mut resolved = options.source.load(&load)?;
    options.keep.apply(&mut resolved)?;
    let cost = Cost::new(options.cost.as_deref(), &options.choose)?;
    let question = Question::new(&resolved, &options.choose, &cost)?;
    let mut progress = Progress::new(console, 0.95);
    let tell = &mut |done, all| progress.settings(done, all);
    let found = question
        .answer(options.max_events, choose::BUDGET, tell)
        .map_err(|runaway| Failure::run(&resolved.scenario.name, runaway))?;
    drop(progress);
    console.answer(&found, options.output.format)?;
    Ok(match (&found.chosen, found.untried > 0 || !found.undecided.is_empty()) {
        (Some(_), _) => Exit::Success,
        (None, true) => Exit::Inconclusive,
        (None, false) => Exit::Broken,
    })
}
