//! A database server: statements travel to it and share its processors.

mod answer;
mod compile;
mod explain;
mod processors;
mod run;

pub(crate) use answer::Observed;
pub(crate) use answer::{bounds, candidates, stations, visit};
pub(crate) use explain::explain;
pub(crate) use processors::Processors;

use crate::plan::DrawId;

/// Instructions of the database server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Op {
    /// A statement on a database server.
    Server { engine: DrawId, round_trip: DrawId },
}

impl Op {
    pub(crate) fn verb(&self) -> &'static str {
        match self {
            Op::Server { .. } => "statement on the database server",
        }
    }
}

impl From<Op> for crate::plan::Op {
    fn from(op: Op) -> crate::plan::Op {
        super::Op::Postgres(op).into()
    }
}
