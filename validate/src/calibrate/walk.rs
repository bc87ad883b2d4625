//! All probes of a stack in turns, and the costs that they show.

use model::report::Report;

use super::document::{Calibration, Doubt, SCHEMA};
use super::probe::Probe;
use super::reading::{Reading, Round};
use super::stack::Stack;
use super::{about, derive};

/// Where probes are run.
pub(crate) trait Laboratory<E> {
    /// Runs `probe` in its `round`, from zero.
    ///
    /// # Errors
    /// It has no report.
    fn measure(&mut self, probe: &Probe, round: u32) -> Result<Report, E>;

    /// Called when half of the rounds are done, or less than half. Anything measured now has
    /// rounds on both sides: if the machine drifts, their mean is what it was in between.
    ///
    /// # Errors
    /// A reason not to run the other half.
    fn half_time(&mut self) -> Result<(), E> {
        Ok(())
    }
}

impl<E, F: FnMut(&Probe, u32) -> Result<Report, E>> Laboratory<E> for F {
    fn measure(&mut self, probe: &Probe, round: u32) -> Result<Report, E> {
        self(probe, round)
    }
}

/// Runs the probes of `stack` one after the other, `rounds` times, and derives its costs. Probes
/// in doubt are repeated after the last round, as far as a cost needs them: what disturbed them
/// may have ended. There are at most as many repetitions as the stack has probes.
///
/// # Errors
/// The first error of the laboratory.
pub(crate) fn calibrate<E>(
    stack: &Stack,
    rounds: u32,
    laboratory: &mut dyn Laboratory<E>,
) -> Result<Calibration, E> {
    let (mut all, mut doubts, mut first) = (Vec::new(), Vec::new(), None);
    for number in 0..rounds {
        if number == rounds / 2 {
            laboratory.half_time()?;
        }
        let mut round = Round::new(stack.caches);
        for probe in &stack.probes {
            let report = laboratory.measure(probe, number)?;
            let reading = Reading::of(&report, probe);
            if !reading.is_sound() {
                let reasons = reading.doubts.clone();
                doubts.push(Doubt { round: number + 1, probe: probe.name.clone(), reasons });
            }
            round.insert(probe, reading);
            first = first.or(report.measurement);
        }
        all.push(round);
    }
    for (number, probe) in repetitions(stack, &all) {
        let reading = Reading::of(&laboratory.measure(probe, number)?, probe);
        if reading.is_sound() {
            doubts.retain(|doubt| (doubt.round, &doubt.probe) != (number + 1, &probe.name));
            all[number as usize].insert(probe, reading);
        }
    }
    let target = stack.target;
    let costs = derive::costs(&stack.recipes, &all);
    let about = about::about(target, &first.unwrap_or_default(), rounds, stack.probes.len());
    Ok(Calibration { schema: SCHEMA, target, rounds, about, costs, doubts, file: None })
}

/// The probes in doubt of costs that do not stand, with their rounds from zero.
fn repetitions<'a>(stack: &'a Stack, rounds: &[Round<'a>]) -> Vec<(u32, &'a Probe)> {
    let unsound = derive::unsound(&stack.recipes, rounds);
    let needs = |probe: &Probe| unsound.iter().any(|recipe| recipe.probes.contains(&probe.name));
    let in_doubt = |round: &Round<'a>, probe: &Probe| {
        round.get(&probe.name).is_some_and(|reading| !reading.is_sound())
    };
    (0..)
        .zip(rounds)
        .flat_map(|(number, round)| stack.probes.iter().map(move |probe| (number, round, probe)))
        .filter(|(_, round, probe)| needs(probe) && in_doubt(round, probe))
        .map(|(number, _, probe)| (number, probe))
        .take(stack.probes.len())
        .collect()
}
