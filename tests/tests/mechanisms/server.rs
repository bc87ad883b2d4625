//! The database server of the tests of its mechanisms.

use crate::stage::{Run, run_with};

/// A server that is 2 ms away, works for 10 ms at a statement and syncs its log in 3 ms.
const SERVER: &str = r#"
    [service]
    concurrency = "async"
    [database]
    engine = "postgres"
    cores = 16
    round_trip = "2ms"
    connections = { kind = "pool", size = 10, overflow = 0, timeout = "2s" }
    [costs]
    interpreter.lock = false
    disk.sync = "3ms"
    query.ten.engine = "10ms"
    query.long.engine = "1s"
"#;

/// Requests of `endpoints`, by name and steps, at the server under `load`, which may have `more`
/// tables. They are asked in the order `names`, if there are any.
pub(crate) fn server(
    (load, more): (&str, &str),
    endpoints: &[(&str, &str)],
    names: &[&str],
    sets: &[&str],
) -> Run {
    let endpoint = |(name, steps): &(&str, &str)| {
        format!("[[endpoint]]\nname = \"{name}\"\nweight = 1\nsteps = [{steps}]\n")
    };
    let endpoints: String = endpoints.iter().map(endpoint).collect();
    run_with(&format!("{load}{SERVER}{more}\n{endpoints}"), names, sets)
}
