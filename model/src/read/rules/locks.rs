//! Locks that would stop a loop for ever.

use crate::keys::Fields;
use crate::read::diagnostic::{Problem, Problems};
use crate::scenario::{Concurrency, Endpoint, Scenario};

/// A `blocking` handler that waits for a lock stops its loop, on which the async handler that holds
/// the lock would have to go on.
pub(super) fn check(scenario: &Scenario, root: &Fields, problems: &mut Problems) {
    for lock in &scenario.locks {
        let uses = |concurrency: Concurrency| {
            let found = |one: &Endpoint| {
                one.concurrency(&scenario.service) == concurrency
                    && one.all_steps().any(|step| step.takes(&lock.name))
            };
            scenario.endpoints.iter().find(|one| found(one))
        };
        let both = uses(Concurrency::Blocking).zip(uses(Concurrency::Async));
        let (Some((blocking, parked)), Some(table)) = (both, root.table("lock")) else { continue };
        problems.push(
            Problem::new(
                table.position(&lock.name),
                format!(
                    "the lock `{}` is taken by `{}`, which is blocking, and by `{}`, which is async",
                    lock.name, blocking.name, parked.name
                ),
            )
            .allowed("a lock of async handlers, or of those that block, or of threads with either")
            .advice(format!(
                "waiting for it, `{}` would stop the loop that `{}` needs to give it back: make \
                 both \"async\" or both \"threadpool\"",
                blocking.name, parked.name
            )),
        );
    }
}
