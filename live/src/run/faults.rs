//! The faults of the database server as they came.

use model::measurement::MeasuredFault;
use model::scenario::Scenario;
use model::statistics::round_significant;

use super::round::Round;
use crate::postgres::Reading;

/// The faults of `scenario` that came in `rounds`, each as it was in the round where it was worst.
pub(super) fn measured(scenario: &Scenario, rounds: &[&Round]) -> Vec<MeasuredFault> {
    let read: Vec<&Reading> =
        rounds.iter().filter_map(|round| round.close.database.as_ref()).collect();
    let seconds = |nanos: u64| round_significant(nanos as f64 / 1e9);
    let of = |(index, fault): (usize, &model::scenario::Fault)| {
        let came: Vec<_> = read.iter().filter_map(|read| read.faults.get(index)).collect();
        let late = came.iter().map(|one| one.late).max()?;
        let lasted: Option<Vec<u64>> = came.iter().map(|one| one.lasted).collect();
        Some(MeasuredFault {
            database: fault.database.as_str().to_string(),
            at: seconds(fault.at.nanos()),
            late: seconds(late),
            lasted: lasted.and_then(|all| all.into_iter().max()).map(seconds),
        })
    };
    scenario.faults.iter().enumerate().filter_map(of).collect()
}
