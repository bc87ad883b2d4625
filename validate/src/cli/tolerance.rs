//! How far a prediction may be off, as an option.

use clap::Args;

use crate::{Tolerance, Tolerances};

/// How far a prediction may be off.
#[derive(Debug, Args)]
pub(super) struct ToleranceOptions {
    /// What a metric may be off, such as p99=20%, whether saturated or not (repeatable);
    /// of error_share and utilisation in percentage points
    #[arg(long = "tolerance", value_name = "METRIC=SHARE")]
    chosen: Vec<Tolerance>,
}

impl ToleranceOptions {
    /// The defaults, and what was chosen instead.
    pub(super) fn tolerances(&self) -> Tolerances {
        self.chosen.iter().fold(Tolerances::default(), |all, &one| all.with(one))
    }
}
