//! Verdicts for a build server: objectives that are kept or broken, predictions that agree or do not.
//!
//! Each is a `Case` of a `Suite`, which is written as JUnit XML (`junit`) or as annotations of
//! GitHub (`github`). How a command ends does not depend on the form.

mod github;
mod junit;
mod output;

use model::objective::{Judged, State};
use model::read::Resolved;

pub(crate) use github::of_failure;
pub use output::{Form, VerdictOutput};

/// What is judged together: the objectives of a scenario, or the verdicts of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suite {
    /// The name of the scenario, or of the command.
    pub name: String,
    /// What is judged.
    pub cases: Vec<Case>,
}

/// One thing that is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The objective, or the name of the scenario.
    pub name: String,
    /// What came of it.
    pub outcome: Outcome,
    /// The numbers in one sentence; empty if there are none.
    pub found: String,
    /// More sentences, one a line.
    pub more: Vec<String>,
    /// The file that a reader should look at; none if that is not known.
    pub place: Option<Place>,
}

/// What came of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Kept, or agreed.
    Passed,
    /// Kept, but another run may say otherwise.
    Unsure,
    /// Broken, or disagreed.
    Failed,
    /// It cannot be told.
    Open,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file as the user named it.
    pub file: String,
    /// Its line, counted from 1; none if it is about the whole file.
    pub line: Option<u32>,
}

impl Place {
    /// The scenario's own file.
    pub fn of(resolved: &Resolved) -> Place {
        Place { file: resolved.path().to_string(), line: None }
    }
}

impl Suite {
    /// The objectives of a scenario, each at its line of the file. `doubts` say why a measurement
    /// shows nothing: then no objective is told.
    pub fn objectives(
        name: &str,
        resolved: &Resolved,
        judged: &[Judged],
        doubts: &[String],
    ) -> Suite {
        let one = |one: &Judged| Case::objective(one, resolved, doubts);
        let mut cases: Vec<Case> = judged.iter().map(one).collect();
        if cases.is_empty() && !doubts.is_empty() {
            cases.push(Case {
                name: "measurement".into(),
                outcome: Outcome::Open,
                found: "the measurement is unsound".into(),
                more: doubts.to_vec(),
                place: Some(Place::of(resolved)),
            });
        }
        Suite { name: name.to_string(), cases }
    }
}

impl Case {
    fn objective(judged: &Judged, resolved: &Resolved, doubts: &[String]) -> Case {
        let outcome = match (judged.state, judged.sure) {
            _ if !doubts.is_empty() => Outcome::Open,
            (State::Kept, true) => Outcome::Passed,
            (State::Kept, false) => Outcome::Unsure,
            (State::Broken, _) => Outcome::Failed,
            (State::Unknown, _) => Outcome::Open,
        };
        let doubt = !judged.sure && judged.state != State::Unknown;
        let doubt = doubt.then(|| "not sure: the limit lies in the interval".to_string());
        let line = resolved.line_of_objective(&judged.objective);
        let place = match line {
            Some((file, line)) => Place { file, line: Some(line) },
            None => Place::of(resolved),
        };
        Case {
            name: judged.objective.clone(),
            outcome,
            found: judged.found.clone(),
            more: doubt.into_iter().chain(doubts.iter().cloned()).collect(),
            place: Some(place),
        }
    }

    /// The numbers, and what else is to be said, in one line.
    fn sentence(&self) -> String {
        let word = match self.outcome {
            Outcome::Passed | Outcome::Unsure => "kept",
            Outcome::Failed => "broken",
            Outcome::Open => "not told",
        };
        let first = if self.found.is_empty() { word } else { &self.found };
        std::iter::once(first)
            .chain(self.more.iter().map(String::as_str))
            .collect::<Vec<_>>()
            .join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suite(outcome: Outcome, found: &str, more: &[&str]) -> [Suite; 1] {
        let place = Some(Place { file: "a.toml".into(), line: Some(3) });
        let more = more.iter().map(ToString::to_string).collect();
        let case = Case { name: "p99 < 1s".into(), outcome, found: found.into(), more, place };
        [Suite { name: "shop".into(), cases: vec![case] }]
    }

    #[test]
    fn what_cannot_be_told_is_skipped_with_its_reason() {
        let open = suite(Outcome::Open, "not told", &["the load was late"]);
        let xml = junit::write("live run", &open).expect("XML");
        assert!(xml.contains("<skipped message=\"not told; the load was late\"/>"), "{xml}");
        assert!(xml.contains("skipped=\"1\" failures=\"0\""), "{xml}");
        let line =
            "::warning file=a.toml,line=3,title=shop%3A p99 < 1s::not told; the load was late\n";
        assert_eq!(github::write(&open), line);
    }

    /// An unsound measurement says nothing of an objective, however its numbers look.
    #[test]
    fn a_doubt_outweighs_every_number() {
        let text = "costs.cpu.request = '1ms'\nload = { users = 1, duration = '1s' }\n\
                    service.concurrency = 'blocking'\nendpoint = [{ name = 'a', weight = 1 }]\n\
                    [[objective]]\nkeep = 'p99 < 1s'\n";
        let resolved = model::read::load_text("shop", text, &[]).expect("it is right");
        let judged = |state| Judged {
            objective: "p99 < 1s".into(),
            state,
            sure: true,
            value: Some(2.0),
            low: None,
            high: None,
            limit: 1.0,
            found: "2.00s".into(),
        };
        let doubts = ["the load was late".to_string()];
        for (state, doubts, outcome) in [
            (State::Broken, &doubts[..], Outcome::Open),
            (State::Broken, &[], Outcome::Failed),
            (State::Kept, &[], Outcome::Passed),
            (State::Unknown, &[], Outcome::Open),
        ] {
            let suite = Suite::objectives("shop", &resolved, &[judged(state)], doubts);
            assert_eq!(suite.cases[0].outcome, outcome, "{state:?}");
            assert_eq!(suite.cases[0].place.as_ref().and_then(|place| place.line), Some(6));
        }
        // Without an objective the doubt is a case of its own.
        let alone = Suite::objectives("shop", &resolved, &[], &doubts);
        assert_eq!(alone.cases[0].outcome, Outcome::Open);
    }
}
