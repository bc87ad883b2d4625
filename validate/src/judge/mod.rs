//! Verdicts: what two reports, held against each other, say of a prediction.
//!
//! Pure. Nothing in this room reads a clock or a file, starts a process or knows how a report
//! came about: reports in, verdicts out.

pub(crate) mod bottleneck;
pub(crate) mod compare;
pub(crate) mod comparison;
pub(crate) mod judgement;
pub(crate) mod metric;
mod pair;
pub(crate) mod ranking;
mod recovery;
mod rounds;
pub(crate) mod side;
pub(crate) mod standing;
pub(crate) mod summary;
pub(crate) mod tolerance;
pub(crate) mod validation;
mod value;
mod verdict;
pub(crate) mod words;

pub use bottleneck::{Bottlenecks, Regime};
pub use compare::compare;
pub use comparison::{Comparison, Origin, Row, Scope, Verdict};
pub use judgement::Judgement;
pub use metric::{Metric, Unit};
pub use pair::Mismatch;
pub use ranking::{Inversion, Ranking};
pub use side::Side;
pub use summary::{Errors, Hits, Summary, Worst};
pub use tolerance::{Tolerance, Tolerances};
pub use validation::Validation;
