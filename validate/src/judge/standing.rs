//! How far a scenario is from a verdict while more rounds may be measured.
//!
//! To look after each round and to stop when the answer pleases would find an error sooner or later
//! where there is none: each look is one more chance. So a number
//! - agrees only when its noise is within its tolerance, which depends on the noise and not on the error
//!   (a fixed-width interval: Chow and Robbins 1965);
//! - disagrees only if it does so in two looks in succession, the first of them at five rounds or more,
//!   the second at one more.
//!
//! How often this is wrong is simulated in the tests.

use super::comparison::{Comparison, Row};
use super::judgement::Judgement;

/// A look at fewer rounds refutes nothing: their interval rests on few degrees of freedom. With
/// this number no more than 5 of 100 predictions are refuted whose error is as large as the tolerance
/// allows, which is what intervals of 95 % promise for one look.
const ROUNDS_LEAST: u32 = 5;

/// What more rounds could do for a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// A headline number is not decided.
    Open,
    /// The measurement is unsound by its own account. More rounds help where a disturbance passes.
    Unsound,
    /// Every headline number that both sides have agrees or disagrees.
    Decided,
}

impl Standing {
    /// That of the comparison of all rounds `now`, where `before` is the one without the last of them.
    pub(crate) fn of(now: &Comparison, before: Option<&Comparison>) -> Standing {
        if !now.doubts.is_empty() || now.measured.samples == 0 {
            return Standing::Unsound;
        }
        match undecided(now, before).next() {
            Some(_) => Standing::Open,
            None => Standing::Decided,
        }
    }
}

/// The headline numbers that are not decided.
pub(crate) fn undecided<'a>(
    now: &'a Comparison,
    before: Option<&'a Comparison>,
) -> impl Iterator<Item = &'a Row> {
    let earlier = move |row: &Row| {
        let counts = before.filter(|before| before.measured.replications >= ROUNDS_LEAST);
        let rows = counts.into_iter().flat_map(|before| &before.rows);
        let same = |other: &&Row| (&other.scope, other.metric) == (&row.scope, row.metric);
        rows.filter(|other| other.headline).find(same).map(|other| other.verdict)
    };
    let both = |row: &&Row| row.headline && row.predicted.is_some() && row.measured.is_some();
    now.rows.iter().filter(both).filter(move |row| !is_decided(row.verdict, earlier(row)))
}

/// A number is decided: by its judgement now, and that of one round earlier.
fn is_decided(now: Judgement, before: Option<Judgement>) -> bool {
    match now {
        Judgement::Agree => true,
        Judgement::Disagree => before == Some(Judgement::Disagree),
        Judgement::WithinNoise | Judgement::NotJudged => false,
    }
}

#[cfg(test)]
mod tests {
    use model::statistics::Estimate;
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution as _, Normal};

    use super::*;
    use crate::judge::judgement::judge;
    use crate::judge::metric::Unit;
    use crate::judge::side::Side;

    const TOLERANCE: f64 = 0.05;

    /// Measures in up to ten rounds, from two on, a number that is predicted too high by `error` and
    /// that rounds know with so much `noise`, each relative to the number. None if it is not decided.
    fn decided(error: f64, noise: f64, seed: u64) -> Option<Judgement> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let normal = Normal::new(error, noise).expect("a spread");
        let mut differences = vec![normal.sample(&mut random)];
        let mut before = None;
        while differences.len() < 10 {
            differences.push(normal.sample(&mut random));
            let mean = Estimate::of_mean(&differences, 0.95);
            let predicted = Side { value: 1.0 + mean.value, low: None, high: None };
            let measured = Side { value: 1.0, low: None, high: None };
            let paired = Some(mean.half_width());
            let judged = judge(predicted, measured, paired, Unit::Relative, TOLERANCE, 0.0);
            if is_decided(judged.judgement, before) {
                return Some(judged.judgement);
            }
            let counts = differences.len() >= ROUNDS_LEAST as usize;
            before = counts.then_some(judged.judgement);
        }
        None
    }

    /// Shares of 20,000 measurements that agree, disagree and are not decided.
    fn shares(error: f64, noise: f64) -> [f64; 3] {
        let outcomes = (0..20_000).map(|seed| decided(error, noise, seed));
        let mut counts = [0.0; 3];
        for outcome in outcomes {
            let place = match outcome {
                Some(Judgement::Agree) => 0,
                Some(_) => 1,
                None => 2,
            };
            counts[place] += 1.0 / 20_000.0;
        }
        counts
    }

    #[test]
    fn a_right_prediction_is_seldom_refuted_however_often_one_looks() {
        for noise in [0.02, 0.05, 0.1, 0.2, 0.4] {
            for error in [0.0, TOLERANCE] {
                let [_, disagree, _] = shares(error, noise);
                assert!(disagree < 0.05, "{disagree} with an error of {error}, a noise of {noise}");
            }
        }
    }

    #[test]
    fn an_error_of_twice_the_tolerance_is_seldom_confirmed() {
        for noise in [0.02, 0.05, 0.1, 0.2] {
            let [agree, ..] = shares(2.0 * TOLERANCE, noise);
            assert!(agree < 0.05, "{agree} with a noise of {noise}");
        }
    }

    #[test]
    fn more_rounds_decide() {
        // Two rounds know such a number to ±36 %, ten to ±2.9 %.
        let [agree, _, open] = shares(0.0, 0.04);
        assert!(agree > 0.95 && open < 0.05, "{agree} {open}");
        let [_, disagree, open] = shares(0.3, 0.1);
        assert!(disagree > 0.95 && open < 0.05, "{disagree} {open}");
    }

    #[test]
    fn what_disagrees_has_to_do_so_twice() {
        use Judgement::{Agree, Disagree, NotJudged, WithinNoise};
        assert!(is_decided(Agree, None) && is_decided(Agree, Some(Disagree)));
        assert!(!is_decided(Disagree, None) && !is_decided(Disagree, Some(WithinNoise)));
        assert!(is_decided(Disagree, Some(Disagree)));
        assert!(!is_decided(WithinNoise, Some(Disagree)) && !is_decided(NotJudged, Some(Agree)));
    }
}
