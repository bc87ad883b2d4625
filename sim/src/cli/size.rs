//! `sim size`: how much does it take, and what does it take?

use model::read::{Diagnostics, Resolved};
use model::report::{Choice, Size as Found};
use render::beside::{Beside, Headline, Under};
use render::ci::{Case, Outcome, Place, Suite};
use render::{Answer, Console, Exit, Failure};

use super::options::Size;
use super::progress::Progress;
use crate::choose::{self, Cost, Question};
use crate::size::{BUDGET, add_first_change, add_headroom, check, size};

/// The name of the command.
const PROGRAM: &str = "sim size";

/// Finds the highest load that keeps the objectives, or the cheapest setting that does; under each
/// change that is asked for, too.
pub(super) fn run(options: &Size, console: &mut Console<'_>) -> Result<Exit, Failure> {
    if options.choose.is_empty() {
        let open: &[String] = if options.open { &["load.rate=1/s".to_string()] } else { &[] };
        let asked = asked(options, open)?;
        all(asked.iter().map(check))?;
        let found: Vec<Found> =
            asked.iter().map(|one| load(options, one)).collect::<Result<_, _>>()?;
        let exit = worst(found.iter().map(of_load));
        let verdicts = verdicts(options, &found, of_load, &asked[0]);
        return show(options, found, &verdicts, console).map(|()| exit);
    }
    let (asked, found) = choices(options, console)?;
    let exit = worst(found.iter().map(of_choice));
    let verdicts = verdicts(options, &found, of_choice, &asked);
    show(options, found, &verdicts, console).map(|()| exit)
}

/// The scenario as it is, and under each change; or every problem of any.
fn asked(options: &Size, sets: &[String]) -> Result<Vec<Resolved>, Diagnostics> {
    let changes = std::iter::once(None).chain(options.under.iter().map(Some));
    let one = |change: Option<&String>| {
        let sets: Vec<String> = sets.iter().chain(change).cloned().collect();
        let mut resolved = options.source.load(&sets)?;
        options.keep.apply(&mut resolved)?;
        Ok(resolved)
    };
    all(changes.map(one))
}

/// Each of what is right; or each problem of any once.
fn all<T>(each: impl Iterator<Item = Result<T, Diagnostics>>) -> Result<Vec<T>, Diagnostics> {
    let (mut right, mut wrong) = (Vec::new(), Vec::new());
    for one in each {
        match one {
            Ok(one) => right.push(one),
            Err(problems) => {
                for problem in problems.diagnostics {
                    if !wrong.contains(&problem) {
                        wrong.push(problem);
                    }
                }
            }
        }
    }
    if wrong.is_empty() { Ok(right) } else { Err(Diagnostics { diagnostics: wrong }) }
}

/// The highest load.
fn load(options: &Size, resolved: &Resolved) -> Result<Found, Failure> {
    let failed = |runaway| Failure::run(&resolved.scenario.name, runaway);
    let mut found = size(resolved, options.max_events, BUDGET).map_err(failed)?;
    if options.advise && found.first.is_none() {
        add_first_change(&mut found, resolved, options.max_events, BUDGET).map_err(failed)?;
    }
    if options.headroom {
        add_headroom(&mut found, resolved, options.max_events, BUDGET).map_err(failed)?;
    }
    Ok(found)
}

/// The cheapest setting under a load.
fn choices(options: &Size, console: &mut Console<'_>) -> Result<(Resolved, Vec<Choice>), Failure> {
    let rate = options.rate.iter().map(|rate| format!("load.rate={rate}"));
    let users = options.users.iter().map(|users| format!("load.users={users}"));
    let load: Vec<String> = rate.chain(users).collect();
    let asked = asked(options, &load)?;
    let cost = Cost::new(options.cost.as_deref(), &options.choose)?;
    let questions = all(asked.iter().map(|one| Question::new(one, &options.choose, &cost)))?;
    let mut progress = Progress::new(console, 0.95);
    let mut answer = |question: &Question<'_>| {
        let tell = &mut |done, all| progress.settings(done, all);
        question
            .answer(options.max_events, choose::BUDGET, tell)
            .map_err(|runaway| Failure::run(&asked[0].scenario.name, runaway))
    };
    let found = questions.iter().map(&mut answer).collect::<Result<_, Failure>>()?;
    Ok((asked[0].clone(), found))
}

/// One answer by itself, several beside each other.
fn show<A: Answer + Headline>(
    options: &Size,
    mut found: Vec<A>,
    verdicts: &[Suite],
    console: &mut Console<'_>,
) -> Result<(), Failure> {
    if options.under.is_empty() {
        let alone = found.remove(0);
        return options.output.judged(PROGRAM, &alone, verdicts, console);
    }
    let changes = std::iter::once(None).chain(options.under.iter().cloned().map(Some));
    let one = |(under, answer)| Under { under, answer };
    let answers = changes.zip(found).map(one).collect();
    options.output.judged(PROGRAM, &Beside { answers }, verdicts, console)
}

/// A case for each answer: whether there is a load, or a setting, that keeps the objectives.
fn verdicts<A: Headline>(
    options: &Size,
    found: &[A],
    exit: impl Fn(&A) -> Exit,
    asked: &Resolved,
) -> [Suite; 1] {
    let changes = std::iter::once(None).chain(options.under.iter().map(Some));
    let keep = asked.scenario.objectives.iter().map(ToString::to_string);
    let keep = keep.collect::<Vec<_>>().join(", ");
    let case = |(under, answer): (Option<&String>, &A)| Case {
        name: under.map_or(keep.clone(), |under| format!("{keep} under {under}")),
        outcome: match exit(answer) {
            Exit::Success => Outcome::Passed,
            Exit::Inconclusive => Outcome::Open,
            _ => Outcome::Failed,
        },
        found: answer.headline(),
        more: Vec::new(),
        place: Some(Place::of(asked)),
    };
    let cases = changes.zip(found).map(case).collect();
    [Suite { name: asked.scenario.name.clone(), cases }]
}

fn of_load(found: &Found) -> Exit {
    let met = found.holds.is_some() || found.unbroken.is_some();
    if met { Exit::Success } else { Exit::Broken }
}

fn of_choice(found: &Choice) -> Exit {
    match (&found.chosen, found.untried > 0 || !found.undecided.is_empty()) {
        (Some(_), _) => Exit::Success,
        (None, true) => Exit::Inconclusive,
        (None, false) => Exit::Broken,
    }
}

/// How a command ends that has several answers: with the highest code of any.
fn worst(each: impl Iterator<Item = Exit>) -> Exit {
    each.max_by_key(|exit| exit.code()).unwrap_or(Exit::Success)
}
