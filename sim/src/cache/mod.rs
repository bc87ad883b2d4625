//! The processor's caches: CPU time to bring back what has gone from them.

mod compile;
mod run;

use model::costs::Work;
use model::units::{Instant, Span};

/// When a worker last did each kind of [`Work`].
pub(crate) type Used = [Option<Instant>; Work::COUNT];

/// Instructions of the caches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Op {
    /// CPU to bring back what `work` needs, `cold` if nothing of it is left in the caches.
    Refill { work: Work, cold: Span },
    /// CPU for what other requests have displaced from the caches, if all of it is.
    Crowded { span: Span },
}

impl Op {
    pub(crate) fn verb(&self) -> &'static str {
        match self {
            Op::Refill { .. } => "CPU for what the caches have lost",
            Op::Crowded { .. } => "CPU for what others have displaced",
        }
    }
}

impl From<Op> for crate::plan::Op {
    fn from(op: Op) -> crate::plan::Op {
        crate::plan::Op::Cache(op)
    }
}
