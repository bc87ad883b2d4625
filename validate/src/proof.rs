//! How much load a service takes, and whether it did: the answer of `validate size`.

use model::objective::{Judged, State};
use model::report::{Report, Size};
use render::Exit;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::judge::comparison::{SCHEMA, Verdict};

/// Loads that are measured, as shares of the answer.
pub(crate) const SHARES: [f64; 3] = [0.9, 1.0, 1.1];

/// The highest load that keeps the objectives, and what was measured around it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Proof {
    /// Version of this form.
    pub schema: u32,
    /// The answer, on the costs of this machine.
    pub size: Size,
    /// In the order of the loads: 10 % below the answer, at it, and 10 % above it. Fewer where
    /// measuring was ended early; none where there is no answer.
    pub loads: Vec<Proved>,
    /// Whether the objectives held as predicted: below the answer and above it, where runs can tell.
    pub verdict: Verdict,
}

/// A load that was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Proved {
    /// Its share of the answer.
    pub share: f64,
    /// Requests per second, or users.
    pub load: f64,
    /// Each objective, as it is predicted.
    pub predicted: Vec<Judged>,
    /// The same, measured.
    pub measured: Vec<Judged>,
    /// They were kept, or broken, as predicted. Inconclusive where a limit lies in the interval of a
    /// number of either side, or the measurement is unsound.
    pub verdict: Verdict,
    /// Why the measurement is unsound, as it says itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<String>,
}

impl Proof {
    /// The answer and what was measured.
    pub(crate) fn of(size: Size, loads: Vec<Proved>) -> Proof {
        let verdict = verdict(&loads);
        Proof { schema: SCHEMA, size, loads, verdict }
    }

    /// As for comparisons; an answer without a load is one that breaks its objectives.
    pub(crate) fn exit(&self) -> Exit {
        match self.verdict {
            _ if self.size.unbroken.is_some() => Exit::Inconclusive,
            _ if self.size.holds.is_none() => Exit::Broken,
            Verdict::Agree => Exit::Success,
            Verdict::Disagree => Exit::Disagree,
            Verdict::Inconclusive => Exit::Inconclusive,
        }
    }
}

impl Proved {
    /// A prediction and a measurement under one load.
    pub(crate) fn of(
        share: f64,
        load: f64,
        predicted: &Report,
        measured: &Report,
        doubts: Vec<String>,
    ) -> Proved {
        // What one side cannot tell says nothing of the other.
        let both = predicted.objectives.iter().zip(&measured.objectives);
        let both = both.filter(|(one, other)| is_told(one) && is_told(other));
        let (here, there): (Vec<Judged>, Vec<Judged>) =
            both.map(|(one, other)| (one.clone(), other.clone())).unzip();
        let whole = here.len() == predicted.objectives.len();
        let verdict = match (all(&here), all(&there)) {
            _ if !doubts.is_empty() => Verdict::Inconclusive,
            (Some(predicted), Some(measured)) if predicted != measured => Verdict::Disagree,
            (Some(_), Some(_)) if whole => Verdict::Agree,
            _ => Verdict::Inconclusive,
        };
        let (predicted, measured) = (predicted.objectives.clone(), measured.objectives.clone());
        Proved { share, load, predicted, measured, verdict, doubts }
    }
}

fn is_told(judged: &Judged) -> bool {
    judged.state != State::Unknown
}

/// Whether all are surely kept, or one is surely broken; none if neither is sure.
pub(crate) fn all(objectives: &[Judged]) -> Option<bool> {
    let told = || objectives.iter().filter(|one| is_told(one));
    if told().any(|one| one.state == State::Broken && one.sure) {
        return Some(false);
    }
    let kept = told().next().is_some() && told().all(|one| one.state == State::Kept && one.sure);
    kept.then_some(true)
}

/// Below the answer all are to be kept, and above it one broken. At the answer itself a number is as near to its limit as can be: it says nothing unless it
/// disagrees.
fn verdict(loads: &[Proved]) -> Verdict {
    let is = |verdict: Verdict| move |one: &Proved| one.verdict == verdict;
    let beside = || loads.iter().filter(|one| one.share != 1.0);
    let as_told =
        |one: &Proved| one.verdict == Verdict::Agree && all(&one.measured) == Some(one.share < 1.0);
    match () {
        () if loads.iter().any(is(Verdict::Disagree)) => Verdict::Disagree,
        () if beside().count() == SHARES.len() - 1 && beside().all(as_told) => Verdict::Agree,
        () => Verdict::Inconclusive,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(state: State, sure: bool) -> Judged {
        Judged {
            objective: "p99 < 1s".into(),
            state,
            sure,
            value: Some(1.0),
            low: None,
            high: None,
            limit: 1.0,
            found: "1.00s".into(),
        }
    }

    fn proved(share: f64, verdict: Verdict) -> Proved {
        let state = if share < 1.0 { State::Kept } else { State::Broken };
        let (predicted, measured) = (vec![judged(state, true)], vec![judged(state, true)]);
        Proved { share, load: 100.0 * share, predicted, measured, verdict, doubts: Vec::new() }
    }

    #[test]
    fn objectives_together_are_sure_if_all_are_kept_or_one_is_broken() {
        use State::{Broken, Kept, Unknown};
        for (states, together) in [
            (vec![(Kept, true), (Kept, true)], Some(true)),
            (vec![(Kept, true), (Kept, false)], None),
            (vec![(Kept, false), (Broken, true)], Some(false)),
            (vec![(Kept, true), (Broken, false)], None),
            (vec![(Kept, true), (Unknown, false)], Some(true)),
            (vec![(Unknown, false)], None),
        ] {
            let all: Vec<Judged> = states.iter().map(|&(it, sure)| judged(it, sure)).collect();
            assert_eq!(super::all(&all), together, "{states:?}");
        }
    }

    #[test]
    fn the_answer_itself_may_be_undecided_but_its_neighbours_may_not() {
        use Verdict::{Agree, Disagree, Inconclusive};
        for (verdicts, together) in [
            ([Agree, Inconclusive, Agree], Agree),
            ([Agree, Agree, Agree], Agree),
            ([Agree, Agree, Inconclusive], Inconclusive),
            ([Agree, Agree, Disagree], Disagree),
            ([Inconclusive, Disagree, Agree], Disagree),
        ] {
            let loads = SHARES.iter().zip(verdicts).map(|(share, it)| proved(*share, it));
            assert_eq!(verdict(&loads.collect::<Vec<_>>()), together, "{verdicts:?}");
        }
        assert_eq!(verdict(&[proved(0.9, Agree)]), Inconclusive, "ended early");
        let kept = Proved { share: 1.1, ..proved(0.9, Agree) };
        let all = [proved(0.9, Agree), proved(1.0, Agree), kept];
        assert_eq!(verdict(&all), Inconclusive, "kept above the answer too");
    }
}
