//! Random endpoints, and their steps.

use proptest::collection::vec;
use proptest::option::{of, weighted};
use proptest::prelude::*;
use proptest::sample::select;

use super::distribution;

/// Ends of statements that lock a row.
pub(super) const LOCKS_ALPHA: &str = ", locks = \"alpha\"";
pub(super) const LOCKS_BETA: &str = ", locks = \"beta\"";

/// An endpoint, and the keys of its visits of the thread pool.
pub(super) fn endpoint() -> BoxedStrategy<(String, &'static str)> {
    const HOLDS: [&str; 5] =
        ["", "", "hold = \"request\"\n", "hold = \"handler\"\n", "hold = \"inherit\"\n"];
    const VISITS: [&str; 4] = [
        "",
        "",
        "response_model = true\ndependencies = 2\n",
        "response_model = false\ndependencies = \"inherit\"\n",
    ];
    let concurrency = of(select(&["blocking", "threadpool", "async", "inherit"][..]));
    let around = (select(&HOLDS[..]), select(&VISITS[..]));
    let steps = (vec(step(), 0..5), weighted(0.2, vec(step(), 0..3)));
    (select(&["1", "3", "0.5"][..]), concurrency, steps, around)
        .prop_map(|(weight, concurrency, (steps, after), (hold, visits))| {
            let concurrency =
                concurrency.map_or(String::new(), |word| format!("concurrency = \"{word}\"\n"));
            let steps = steps.join(", ");
            let after =
                after.map_or(String::new(), |steps| format!("after = [{}]\n", steps.join(", ")));
            (format!("weight = {weight}\n{concurrency}{hold}steps = [{steps}]\n{after}"), visits)
        })
        .boxed()
}

fn step() -> BoxedStrategy<String> {
    const LOCKING: [&str; 3] = [LOCKS_ALPHA, LOCKS_BETA, ", locks = \"beta\", nth = 2"];
    let statement = prop_oneof![
        1 => select(&["{ read = \"item\" }", "{ write = \"item\" }"][..]).prop_map(str::to_string),
        1 => (select(&["read", "write"][..]), select(&LOCKING[..]))
            .prop_map(|(kind, locks)| format!("{{ {kind} = \"item\"{locks} }}")),
    ]
    .boxed();
    let begin = select(&["", ", begin = \"deferred\"", ", begin = \"immediate\""][..]);
    let transaction = (vec(statement, 1..4), begin).prop_map(|(statements, begin)| {
        format!("{{ transaction = [{}]{begin} }}", statements.join(", "))
    });
    let simple = prop_oneof![
        2 => distribution(3_000).prop_map(|time| format!("{{ cpu = {time} }}")),
        1 => distribution(5_000).prop_map(|time| format!("{{ block = {time} }}")),
        1 => distribution(20_000).prop_map(|time| format!("{{ sleep = {time} }}")),
        2 => Just("{ read = \"item\" }".to_string()),
        2 => Just("{ write = \"order\" }".to_string()),
        2 => transaction,
        1 => (select(&["read", "write"][..]), select(&LOCKING[..]))
            .prop_map(|(kind, locks)| format!("{{ {kind} = \"item\"{locks} }}")),
        3 => select(&["alpha", "beta"][..]).prop_map(|name| format!("{{ call = \"{name}\" }}")),
    ]
    .boxed();
    let gather = vec(simple.clone(), 1..4)
        .prop_map(|branches| format!("{{ gather = [{}] }}", branches.join(", ")));
    let session = vec(simple.clone(), 1..4)
        .prop_map(|steps| format!("{{ session = [{}] }}", steps.join(", ")));
    let lock = (select(&["alpha", "beta"][..]), vec(simple.clone(), 1..4), of(simple.clone()))
        .prop_map(|(name, steps, inner)| {
            let other = if name == "alpha" { "beta" } else { "alpha" };
            let inner = inner.map_or(String::new(), |step| {
                format!(", {{ lock = \"{other}\", steps = [{step}] }}")
            });
            format!("{{ lock = \"{name}\", steps = [{}{inner}] }}", steps.join(", "))
        });
    prop_oneof![12 => simple, 2 => gather, 2 => session, 1 => lock].boxed()
}
