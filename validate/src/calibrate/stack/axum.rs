//! axum with sqlx and reqwest.

use live::stack::Target;
use model::scenario::{Concurrency, EventLoop, Server};

use super::description::{Fact, Hops, Stack};
use super::shared_probes::{self, Differences};
use super::shared_recipes::{self as shared, BARE, CONNECTION, Parts, connection};
use crate::calibrate::reading::Caches;
use crate::calibrate::recipe::Recipe;

/// sqlx sends its thread one command for each. To open a connection takes four: it is established, sqlx's
/// own pragmas are executed, its lock is taken for a collation (`connect` in sqlx-sqlite 0.9.0,
/// `src/options/connect.rs`), and the service greets it.
pub(crate) const HOPS: Hops = Hops {
    statement: 1,
    fetch: 0,
    finish: 0,
    commit: 1,
    rollback: 0,
    release: 0,
    open: 4,
    close: 1,
};

const DIFFERENCES: Differences = Differences {
    server: Server::Axum,
    pausing: [(45, "10ms"), (220, "100ms")],
    parked: "800ms",
    lone_calls: false,
    crowds: false,
    cold: &[Concurrency::Async],
};

/// The stack.
pub(super) fn stack() -> Stack {
    Stack {
        target: Target::Axum,
        lock: false,
        burns: true,
        // Callbacks run in tokio's order; connections are accepted as the scenario's loop does.
        event_loop: Some(EventLoop::Tokio),
        // A bare request cost 31, 98 and 189 us more 5, 20 and 100 ms after the last one: the
        // loss is exponential.
        caches: Caches { shape: 1.0, displaced_by: None },
        probes: shared_probes::shared(&DIFFERENCES),
        recipes: recipes(),
        facts: facts(),
        seconds_per_round: 90,
    }
}

fn recipes() -> Vec<Recipe> {
    let mut all = shared::alike();
    all.push(Recipe::new("cpu.accept", ["accept", BARE], CONNECTION, connection));
    all.extend(shared::of_models(HOPS, Parts::default()));
    all.push(shared::pool_hop());
    all.extend(shared::of_commits());
    all.push(shared::decay());
    all.extend(shared::cold());
    all.push(shared::cold_commit());
    all.extend(shared::disk());
    all.extend(shared::lone());
    all.extend(shared::memory());
    all
}

fn facts() -> Vec<Fact> {
    let mut all = vec![
        Fact::new("interpreter", "lock", false, "threads compute side by side"),
        Fact::new("driver", "autocommit", true, "a write by itself is one call"),
        Fact::new("cache", "shape", 1.0, "seen apart"),
    ];
    all.extend(shared::facts(HOPS));
    all
}
