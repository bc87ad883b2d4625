//! What a stack costs by itself on this machine: the *platform* profile.
//!
//! The real service runs small scenarios, *probes*, that differ by one thing each. What that
//! thing costs is a difference of two probes of the same round; a machine that drifts drifts
//! for both. The mean over rounds is the cost, and the rounds give its interval.
//!
//! Pure, and tested as such: the list of probes and their scenarios ([`probe`]), what is read
//! of a report ([`reading`]), readings to costs ([`recipe`], `cache`, [`mod@derive`]), costs to a profile
//! ([`profile`]) and to words ([`told`]). Only [`session`] runs
//! anything.

pub(crate) mod about;
pub(crate) mod bench;
mod cache;
pub(crate) mod derive;
pub(crate) mod document;
pub(crate) mod keep;
pub(crate) mod probe;
pub(crate) mod profile;
pub(crate) mod reading;
pub(crate) mod recipe;
pub(crate) mod session;
pub(crate) mod told;

use model::report::Report;

pub use document::Calibration;
use document::Doubt;
pub(crate) use live::target::Target;
use probe::Probe;
use reading::{Reading, Round};
use recipe::Recipe;

/// What a calibration lets somebody else do.
pub(crate) trait Laboratory<E> {
    /// Runs `probe` in its `round`, from zero.
    ///
    /// # Errors
    /// It has no report.
    fn measure(&mut self, probe: Probe, round: u32) -> Result<Report, E>;

    /// Half of the rounds are done, the greater half is not. What is measured now has rounds on
    /// both sides: where the machine drifts, their mean is what it was in between.
    ///
    /// # Errors
    /// What keeps the other half from being worth its time.
    fn half_time(&mut self) -> Result<(), E> {
        Ok(())
    }
}

impl<E, F: FnMut(Probe, u32) -> Result<Report, E>> Laboratory<E> for F {
    fn measure(&mut self, probe: Probe, round: u32) -> Result<Report, E> {
        self(probe, round)
    }
}

/// Runs all probes one after the other, `rounds` times, and derives the costs.
///
/// # Errors
/// The first error of the laboratory.
#[cfg(test)]
pub(crate) fn calibrate<E>(
    target: Target,
    rounds: u32,
    laboratory: &mut dyn Laboratory<E>,
) -> Result<Calibration, E> {
    calibrate_only(target, &recipe::recipes(target), rounds, laboratory)
}

/// The same for the costs of some `recipes` alone, from the probes that they need.
///
/// # Errors
/// The first error of the laboratory.
pub(crate) fn calibrate_only<E>(
    target: Target,
    recipes: &[Recipe],
    rounds: u32,
    laboratory: &mut dyn Laboratory<E>,
) -> Result<Calibration, E> {
    let probes = probes(target, recipes);
    let (mut all, mut doubts, mut first) = (Vec::new(), Vec::new(), None);
    for number in 0..rounds {
        if number == rounds / 2 {
            laboratory.half_time()?;
        }
        let mut round = Round::default();
        for &probe in &probes {
            let report = laboratory.measure(probe, number)?;
            let reading = Reading::of(&report);
            if !reading.is_sound() {
                let reasons = reading.doubts.clone();
                doubts.push(Doubt { round: number + 1, probe: probe.to_string(), reasons });
            }
            round.insert(probe, reading);
            first = first.or(report.measurement);
        }
        all.push(round);
    }
    let costs = derive::costs(recipes, &all);
    let about = about::about(target, &first.unwrap_or_default(), rounds, probes.len());
    Ok(Calibration { schema: document::SCHEMA, target, rounds, about, costs, doubts, file: None })
}

/// The probes that `recipes` need, in the order in which a round runs them.
pub(crate) fn probes(target: Target, recipes: &[Recipe]) -> Vec<Probe> {
    let mut all = Probe::all(target);
    all.retain(|probe| recipes.iter().any(|recipe| recipe.probes.contains(probe)));
    all
}

#[cfg(test)]
mod tests;
