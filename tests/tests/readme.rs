//! The README shows what the program prints: every line of its tables, to the letter.
#![allow(clippy::unwrap_used)]

use std::path::Path;

const README: &str = include_str!("../../README.md");

fn sim(command: &str, file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios").join(file);
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args = ["sim", command, path.to_str().unwrap()];
    sim::cli::run(args, &mut out, &mut err);
    assert!(err.is_empty(), "{}", String::from_utf8_lossy(&err));
    String::from_utf8(out).unwrap()
}

/// Lines of the README that begin like a line of a table that `sim` prints. What `live` has
/// measured comes later, and no test can measure it again.
fn quoted(starts: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let predicted = README.split("## Measure it").next().unwrap();
    predicted.lines().filter(|line| starts(line)).collect()
}

#[test]
fn the_ladder_is_the_one_that_sim_prints() {
    let printed = sim("ladder", "v6.toml");
    let lines = quoted(|line| {
        let mut words = line.split("  ");
        matches!(words.next(), Some("v1" | "v2" | "v3" | "v4" | "v5" | "v6" | "rung"))
    });
    assert_eq!(lines.len(), 14, "two tables of six rungs with their headings");
    for line in lines {
        assert!(printed.lines().any(|l| l == line), "README: {line}\nprinted:\n{printed}");
    }
}

#[test]
fn the_knobs_are_those_that_sim_prints() {
    let printed = sim("explain", "v6.toml");
    let lines =
        quoted(|line| line.starts_with("  ") && line.contains('±') || line.starts_with("  knob"));
    assert_eq!(lines.len(), 4);
    for line in lines {
        assert!(printed.lines().any(|l| l == line), "README: {line}\nprinted:\n{printed}");
    }
}
