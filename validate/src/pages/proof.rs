//! How much load a service takes, and whether it did.

use model::objective::{Judged, State};
use render::beside::Headline as _;
use render::page::{Align, Page, Table};
use render::{Answer, number};

use crate::judge::comparison::Verdict;
use crate::proof::{Proof, Proved};

impl Answer for Proof {
    /// The answer, what came of each load, and the verdict.
    fn page(&self) -> Page {
        let mut page = Page::new();
        page.title(format!("{}: how much it takes, and whether it did", self.size.scenario));
        page.lines(vec![format!("Predicted: {}", self.size.headline())]);
        if !self.loads.is_empty() {
            page.table(loads(self));
        }
        page.sentence(verdict(self));
        let doubt = |one: &Proved| -> Vec<String> {
            let load = self.size.load.words(one.load);
            one.doubts.iter().map(|doubt| format!("{load}: {doubt}")).collect()
        };
        let doubts: Vec<String> = self.loads.iter().flat_map(doubt).collect();
        page.warnings(&doubts);
        page.warnings(&self.size.warnings);
        page
    }
}

/// An objective under a load in each row.
fn loads(proof: &Proof) -> Table {
    let mut table = Table::new(&[
        ("load", Align::Left),
        ("of the answer", Align::Right),
        ("objective", Align::Left),
        ("predicted", Align::Left),
        ("measured", Align::Left),
        ("together", Align::Left),
    ]);
    for one in &proof.loads {
        let pairs = one.predicted.iter().zip(&one.measured).enumerate();
        for (index, (predicted, measured)) in pairs {
            let first = |text: String| if index == 0 { text } else { String::new() };
            table.row([
                first(proof.size.load.words(one.load)),
                first(number::percent(one.share)),
                predicted.objective.clone(),
                found(predicted),
                found(measured),
                first(word(one.verdict).into()),
            ]);
        }
    }
    table
}

fn found(judged: &Judged) -> String {
    let sign = match judged.state {
        State::Kept => "✓",
        State::Broken => "✗",
        State::Unknown => "-",
    };
    let doubt = if judged.sure || judged.state == State::Unknown { "" } else { " ?" };
    format!("{sign} {}{doubt}", judged.found)
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Agree => "as predicted",
        Verdict::Disagree => "NOT as predicted",
        Verdict::Inconclusive => "cannot tell",
    }
}

fn verdict(proof: &Proof) -> String {
    if proof.size.holds.is_none() {
        return "Nothing was measured: there is no load whose objectives are kept below it and broken \
                above it."
            .into();
    }
    match proof.verdict {
        Verdict::Agree => {
            "The real service kept the objectives below the answer and broke one above it, as predicted."
        }
        Verdict::Disagree => "The real service did NOT keep or break the objectives as predicted.",
        Verdict::Inconclusive => {
            "INCONCLUSIVE: a limit lies in the interval of a number, or not all was measured well. More \
             rounds (--repeat) or longer ones (--duration) tell more."
        }
    }
    .into()
}
