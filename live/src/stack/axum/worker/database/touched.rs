//! What a statement costs the engine, and which rows it touches: draws, the same for each engine.

use model::costs::Costs;
use model::distribution::Distribution;
use model::scenario::Statement;
use model::units::Span;

use super::Handler;

/// What a statement touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Touched {
    /// How long the engine computes, as the profile says it.
    pub(super) engine: Span,
    /// The first row; each has a page of its own.
    pub(super) first: u32,
    /// Rows, from the first on.
    pub(super) pages: u32,
}

impl Touched {
    /// What the statement at the step `path` touches of a table with so many `rows`.
    pub(super) fn by(
        statement: &Statement,
        path: &str,
        costs: &Costs,
        rows: u32,
        handler: &impl Handler,
    ) -> Touched {
        let cost = costs.query(&statement.query).expect("a checked scenario");
        let engine = match &cost.engine {
            Distribution::Constant(span) => *span,
            drawn => drawn.sample(handler.draw(statement.kind(), path)),
        };
        // What changes no page is no write.
        let pages = if statement.writes { cost.pages.max(1) } else { 1 };
        let starts = u64::from(rows - pages) + 1;
        let first = (handler.draw("row", path) % starts) as u32 + 1;
        Touched { engine, first, pages }
    }

    /// The last row.
    pub(super) fn last(&self) -> u32 {
        self.first + self.pages - 1
    }
}
