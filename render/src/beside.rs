//! Answers to one question under several settings, beside each other.

use serde::{Deserialize, Serialize};

use crate::Answer;
use crate::page::{Align, Page, Table};

/// An answer that has a sentence of its own.
pub trait Headline {
    /// The answer in one sentence.
    fn headline(&self) -> String;
}

/// The answers, in the order in which they were asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Beside<A> {
    /// The scenario as it is, then each change.
    pub answers: Vec<Under<A>>,
}

/// An answer, and the change under which it holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Under<A> {
    /// The change, `KEY=VALUE`; none for the scenario as it is.
    pub under: Option<String>,
    /// The answer.
    pub answer: A,
}

impl<A> Under<A> {
    fn words(&self) -> String {
        self.under.clone().unwrap_or_else(|| "as it is".into())
    }
}

impl<A: Headline> Beside<A> {
    fn sentences(&self) -> Table {
        let mut table = Table::new(&[("under", Align::Left), ("answer", Align::Left)]);
        for one in &self.answers {
            table.row([one.words(), one.answer.headline()]);
        }
        table
    }
}

impl<A: Answer + Headline> Answer for Beside<A> {
    /// The sentences beside each other, then each answer in full.
    fn page(&self) -> Page {
        let mut page = Page::new();
        page.table(self.sentences());
        for one in &self.answers {
            page.heading(format!("Under {}:", one.words()));
            page.append(one.answer.page());
        }
        page
    }

    /// The sentences beside each other, then each answer in full with its pictures.
    fn illustrated(&self) -> Page {
        let mut page = Page::new();
        page.title("One question under several settings");
        page.table(self.sentences());
        for one in &self.answers {
            page.part(&format!("Under {}", one.words()), one.answer.illustrated());
        }
        page
    }
}
