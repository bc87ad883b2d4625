//! What a statement costs the engine, and which rows it touches: draws, the same for each engine.

use model::costs::Costs;
use model::distribution::Distribution;
use model::scenario::Statement;
use model::units::Span;

use super::Handler;
use crate::dataset::Table;

/// What a statement touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Touched {
    /// How long the engine computes, as the profile says it.
    pub(super) engine: Span,
    /// The first row; each has a page of its own.
    pub(super) first: u32,
    /// Rows, from the first on.
    pub(super) pages: u32,
    /// It locks the first by this name: the number of its rows in the scenario, and its own among them.
    pub(super) locks: Option<(usize, u32)>,
}

impl Touched {
    /// What the statement at the step `path` touches of `table`.
    pub(super) fn by(
        statement: &Statement,
        path: &str,
        costs: &Costs,
        table: &Table,
        handler: &impl Handler,
    ) -> Touched {
        let cost = costs.query(&statement.query).expect("a checked scenario");
        let engine = match &cost.engine {
            Distribution::Constant(span) => *span,
            drawn => drawn.sample(handler.draw(statement.kind(), path)),
        };
        // What changes no page is no write.
        let pages = if statement.writes { cost.pages.max(1) } else { 1 };
        if let Some((lock, (number, named))) =
            statement.locks.as_ref().and_then(|lock| Some((lock, table.named(lock)?)))
        {
            let draw = |nth| handler.draw_named(&named.rows.purpose(nth));
            let row = named.rows.row(lock.nth, draw);
            return Touched { engine, first: named.at(row), pages, locks: Some((number, row)) };
        }
        let starts = u64::from(table.free - pages) + 1;
        let first = handler.draw("row", path) % starts + 1;
        Touched { engine, first: first as u32, pages, locks: None }
    }

    /// The last row.
    pub(super) fn last(&self) -> u32 {
        self.first + self.pages - 1
    }
}
