//! `--watch`: the prediction beside the measurement, on a terminal.

use testkit::Terminal;

use super::lab::Lab;

const SIZE: [u16; 2] = [80, 24];

/// A run that lasts until it is ended, on a terminal.
fn watched(lab: &Lab) -> Terminal {
    let words =
        "run shop.toml --warmup 0s --duration 5m --costs platform.toml --watch --format json";
    let mut terminal = lab.start_on_terminal(lab.command(words), SIZE);
    terminal.shows("counting, ");
    terminal.shows_what("a difference", |text| rates(text).is_some_and(|line| line.ends_with('%')));
    terminal
}

/// The line of the answers per second.
fn rates(text: &str) -> Option<&str> {
    text.lines().map(str::trim_end).find(|line| line.starts_with(" good answers/s  "))
}

#[test]
fn the_prediction_stands_beside_the_measurement_and_q_keeps_what_was_measured() {
    let lab = Lab::new();
    let mut terminal = watched(&lab);
    assert!(terminal.is_taken());
    let text = terminal.text();
    assert!(text.contains("predicted") && text.contains("differs by"), "{text}");
    assert!(text.lines().next().is_some_and(|line| line.contains("round 1 of 3")), "{text}");
    terminal.press("2");
    terminal.shows("requests there, last 5 s");
    terminal.press("5");
    terminal.shows("worker 0");
    terminal.press("q");
    // What the child that measures has said is told when the terminal is given back.
    let ended = terminal.ended("kept in runs/shop-").with_code(3);
    let answer: serde_json::Value = ended.json();
    assert!(answer["comparisons"][0].to_string().contains("interrupted"), "{answer}");
    let kept = lab.files("runs").into_iter().next().expect("a run");
    let report = std::fs::read_to_string(kept.join("report.json")).expect("a report");
    assert!(report.contains("live terminal"), "{report}");
    lab.only_runs_are_left(1);
}

#[test]
fn ctrl_c_twice_ends_everything_and_gives_the_terminal_back() {
    let lab = Lab::new();
    let mut terminal = watched(&lab);
    terminal.press("\x03\x03");
    let ended = terminal.ended("");
    // The first may have ended it before the second came.
    assert!(matches!(ended.code, Some(130 | 3)), "{ended:?}");
    lab.no_process_is_left();
}

#[test]
fn what_cannot_be_measured_is_told_on_a_terminal_as_it_was() {
    let lab = Lab::new();
    // There is no folder for what is measured.
    lab.write("runs", "a file");
    let words = "run shop.toml --costs platform.toml --watch";
    let terminal = lab.start_on_terminal(lab.command(words), SIZE);
    terminal.ended("error").with_code(2);
    lab.no_process_is_left();
}
