//! What stands on the screen.

use model::report::Report;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::Color;

use super::*;
use crate::watch::sample::{SECOND, plan, round, second};

/// What was predicted of a shop.
const PREDICTED: &str = r#"{
    "schema": 1, "kind": "predicted", "scenario": "shop-0", "seed": 7, "digest": "0",
    "run": { "replications": 2, "confidence": 0.95, "warmup": 2, "duration": 10, "samples": 3 },
    "throughput": { "value": 125, "low": 120, "high": 130 },
    "response_time": { "mean": 0.02, "p50": 0.02, "p90": 0.02, "p95": 0.02, "p99": 0.025, "p999": 0.03,
        "max": 0.1 },
    "response_time_intervals": {}, "errors": { "rejected": 40 }, "error_share": 0.03,
    "in_flight": { "mean": { "value": 2.5, "low": 2, "high": 3 }, "peak": 4 },
    "arrivals": { "sent": 3, "dropped": 0, "rate": 1.5 },
    "classes": [{ "name": "quote", "throughput": { "value": 93.75, "low": 90, "high": 95 },
        "response_time": { "mean": 0.02, "p50": 0.02, "p90": 0.02, "p95": 0.02, "p99": 0.025,
            "p999": 0.03, "max": 0.1 }, "errors": {}, "time": [] }],
    "stations": [
        { "name": "cpu", "kind": "cpu", "capacity": 1, "utilisation": 0.48,
          "utilisation_interval": { "value": 0.48, "low": 0.4, "high": 0.5 },
          "in_flight_mean": 1, "waiting_time_mean": 0, "visits": 1 },
        { "name": "upstream partner semaphore", "kind": "semaphore", "upstream": "partner",
          "capacity": 10, "utilisation": 0.125,
          "utilisation_interval": { "value": 0.125, "low": 0.1, "high": 0.2 },
          "in_flight_mean": 1, "waiting_time_mean": 0, "visits": 1 }],
    "time": [{ "place": "upstream partner", "kind": "upstream", "upstream": "partner", "seconds": 0.01 }],
    "memory": { "mean": 1, "peak": 1 }, "bounds": [], "bottleneck": null
}"#;

fn predicted() -> Report {
    serde_json::from_str(PREDICTED).expect("a report")
}

fn key(code: KeyCode) -> KeyEvent {
    KeyEvent::new(code, KeyModifiers::NONE)
}

fn character(letter: char) -> KeyEvent {
    key(KeyCode::Char(letter))
}

const CTRL_C: KeyEvent = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);

/// A viewer of the second round of three of the second scenario of two, 4 s into the window.
fn begun(predictions: Vec<Report>) -> Viewer {
    let mut viewer = Viewer::new(predictions, false);
    viewer.feed(Message::Plan(plan(2, 3)), 0);
    for (turn, scenario) in [0, 1, 0, 1].into_iter().enumerate() {
        let begins = turn as u64 * 13 * SECOND;
        viewer.feed(round(scenario, turn as u32 / 2), begins);
        viewer.feed(Message::Load, begins + SECOND);
    }
    (0..6).for_each(|index| viewer.feed(second(index, 100 + 4 * index).into(), 0));
    viewer
}

/// When [`begun`] is looked at.
const NOW: u64 = 46 * SECOND;

/// What stands on a screen of this size, in lines without blanks at their ends.
fn lines(viewer: &Viewer, columns: u16, rows: u16) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).expect("no terminal at all");
    terminal.draw(|frame| viewer.draw(frame, NOW)).expect("no terminal at all");
    let buffer = terminal.backend().buffer();
    let line = |row: u16| {
        let cells = (0..columns).map(|column| buffer[(column, row)].symbol());
        cells.collect::<String>().trim_end().to_string()
    };
    (0..rows).map(line).collect()
}

/// The line of a screen of 80 × 24 that begins with `start`, in words.
fn line(viewer: &Viewer, start: &str) -> Vec<String> {
    let all = lines(viewer, 80, 24);
    let found = all.iter().find(|line| line.trim_start().starts_with(start));
    let found = found.unwrap_or_else(|| panic!("{start}: {all:#?}"));
    found.trim_start()[start.len()..].split_whitespace().map(str::to_string).collect()
}

#[test]
fn the_top_says_what_is_measured_and_how_long_it_takes() {
    let all = lines(&begun(Vec::new()), 80, 24);
    let title = " shop-1 on axum, scenario 2 of 2, round 2 of 3";
    assert!(all[0].starts_with(title), "{}", all[0]);
    assert!(all[0].ends_with("counting, 4 of 10 s"), "{}", all[0]);
    assert!(all[1].ends_with(" 59 %, about 32 s left, 2 more rounds"), "{}", all[1]);
    assert!(all[2].starts_with("[1 Overview] 2 Stations"), "{}", all[2]);
    assert!(all[23].contains("q stop") && all[23].contains("? help"), "{}", all[23]);
}

#[test]
fn the_overview_has_the_last_second_what_was_counted_and_what_was_predicted() {
    let viewer = begun(vec![predicted(), predicted()]);
    let rates = line(&viewer, "good answers/s");
    // The seconds 2 to 5 are in the window: 108, 112, 116 and 120 answers.
    assert_eq!(rates, ["120", "114", "125", "-8.8", "%"]);
    assert_eq!(line(&viewer, "P50"), ["20.0", "ms", "20.0", "ms", "20.0", "ms", "0.0", "%"]);
    assert_eq!(line(&viewer, "errors"), ["0.8", "%", "0.9", "%", "3.0", "%", "-2.1", "pt"]);
    assert_eq!(line(&viewer, "requests in flight"), ["4.00", "4.00", "2.50", "+60.0", "%"]);
    assert_eq!(
        line(&viewer, "CPU of the service"),
        ["45", "%", "45", "%", "48", "%", "-3.0", "pt"]
    );
    assert_eq!(line(&viewer, "others on that CPU"), ["5.0", "%", "5.0", "%", "-", "-"]);
    let all = lines(&viewer, 80, 24);
    let heading = all.iter().find(|line| line.contains("last 6 s of this round; highest 120"));
    assert!(heading.is_some(), "{all:#?}");
    // The curve grows to the right.
    assert!(all.iter().any(|line| line.trim_end().ends_with('█')), "{all:#?}");
    let whereabouts = "1.12 waiting for partner to reply, 0.672 waiting for the event loop";
    assert!(all[22].contains(whereabouts), "{}", all[22]);
}

#[test]
fn without_a_prediction_there_is_no_column_for_one() {
    let viewer = begun(Vec::new());
    assert_eq!(line(&viewer, "good answers/s"), ["120", "114"]);
    assert!(!lines(&viewer, 80, 24).iter().any(|line| line.contains("predicted")));
}

/// `viewer` with another view.
fn shows(mut viewer: Viewer, number: char) -> Viewer {
    assert_eq!(viewer.press(character(number), NOW), None);
    viewer
}

#[test]
fn stations_have_gauges() {
    let viewer = shows(begun(vec![predicted(), predicted()]), '2');
    let cpu = line(&viewer, "CPU of the service");
    assert_eq!(cpu, ["███████░░░░░░░░░", "45", "%", "1", "CPU", "45", "%", "48", "%"]);
    let slots = line(&viewer, "semaphore of partner");
    assert_eq!(slots, ["██░░░░░░░░░░░░░░", "1.12", "10", "1.14", "1.25"]);
    let there = line(&viewer, "waiting for partner to reply");
    assert_eq!(there, ["████████", "1.12", "1.14", "1.25"]);
}

#[test]
fn errors_have_kinds_and_those_that_were_predicted_are_named() {
    let viewer = shows(begun(vec![predicted(), predicted()]), '3');
    assert_eq!(line(&viewer, "no database connection in t"), ["1.00", "1.00", "1.00", "0"]);
    assert_eq!(line(&viewer, "refused with 503"), ["0", "0", "0", "4.00"]);
    assert_eq!(line(&viewer, "so far:")[..2], ["460", "requests"]);
    let nothing = shows(Viewer::new(Vec::new(), false), '3');
    assert!(lines(&nothing, 80, 24)[4].contains("nothing is measured yet"));
}

#[test]
fn endpoints_and_workers_have_lines() {
    let viewer = shows(begun(vec![predicted(), predicted()]), '4');
    assert_eq!(line(&viewer, "quote"), ["90.0", "85.5", "93.8", "-8.8", "%"]);
    assert_eq!(line(&viewer, "order"), ["30.0", "28.5", "-", "-"]);
    let viewer = shows(begun(Vec::new()), '5');
    let worker = line(&viewer, "worker 0");
    assert_eq!(worker, ["█████████░░░░░░░░░░░", "45", "%", "80.0", "MiB", "4711"]);
    assert_eq!(line(&viewer, "all together"), ["45", "%", "80.0", "MiB", "-"]);
}

#[test]
fn a_screen_that_is_too_small_says_so() {
    for (columns, rows) in [(79, 24), (80, 23), (20, 5)] {
        let text = lines(&begun(Vec::new()), columns, rows).join(" ");
        assert!(text.contains(&format!("{columns} × {rows}")), "{text}");
    }
    // However small, it can be drawn.
    for size in [0, 1, 2] {
        lines(&begun(Vec::new()), size, size);
    }
}

#[test]
fn a_larger_screen_is_filled() {
    let viewer = begun(vec![predicted(), predicted()]);
    let all = lines(&viewer, 200, 60);
    assert!(all[0].ends_with("counting, 4 of 10 s") && all[0].chars().count() >= 199);
    assert!(all[59].contains("q stop"));
    assert!(all.iter().filter(|line| line.contains('█')).count() > 20);
}

#[test]
fn what_does_not_fit_is_counted() {
    let mut plan = plan(1, 1);
    plan.scenarios[0].endpoints = (0..40).map(|number| format!("endpoint {number}")).collect();
    let mut viewer = Viewer::new(Vec::new(), false);
    viewer.feed(Message::Plan(plan), 0);
    viewer.feed(round(0, 0), 0);
    assert_eq!(line(&shows(viewer, '4'), "… and"), ["23", "more"]);
}

#[test]
fn keys_switch_views_and_help() {
    let mut viewer = begun(Vec::new());
    let shown = |viewer: &Viewer| {
        let line = lines(viewer, 80, 24)[2].clone();
        line[line.find('[').expect("one is chosen")..].chars().nth(1).expect("a number")
    };
    let after = [(KeyCode::Tab, '2'), (KeyCode::Right, '3'), (KeyCode::BackTab, '2')];
    for (code, number) in after {
        viewer.press(key(code), NOW);
        assert_eq!(shown(&viewer), number, "{code:?}");
    }
    viewer.press(character('5'), NOW);
    viewer.press(key(KeyCode::Tab), NOW);
    assert_eq!(shown(&viewer), '1');
    let helps =
        |viewer: &Viewer| lines(viewer, 80, 24).iter().any(|line| line.contains("stop early;"));
    viewer.press(character('?'), NOW);
    assert!(helps(&viewer));
    viewer.press(key(KeyCode::Esc), NOW);
    assert!(!helps(&viewer));
}

#[test]
fn a_frozen_screen_stays_as_it_is_while_the_measurement_goes_on() {
    let mut viewer = begun(Vec::new());
    viewer.press(character(' '), NOW);
    viewer.feed(second(6, 500).into(), NOW);
    assert!(lines(&viewer, 80, 24)[0].ends_with("FROZEN: space goes on"));
    assert_eq!(line(&viewer, "good answers/s")[0], "120");
    viewer.press(character(' '), NOW);
    assert_eq!(line(&viewer, "good answers/s")[0], "500");
}

#[test]
fn the_first_interrupt_stops_and_the_second_ends_at_once() {
    let mut viewer = begun(Vec::new());
    viewer.press(character(' '), NOW);
    assert_eq!(viewer.press(character('q'), NOW), Some(Wish::Stop));
    assert!(lines(&viewer, 80, 24)[0].ends_with("stopping: what was measured is kept"));
    // Somebody who is impatient does not lose what was measured.
    assert_eq!(viewer.press(character('q'), NOW), None);
    assert_eq!(viewer.press(CTRL_C, NOW), Some(Wish::AtOnce));
    assert_eq!(begun(Vec::new()).press(CTRL_C, NOW), Some(Wish::Stop));
    let mut viewer = begun(Vec::new());
    viewer.stopping();
    assert_eq!(viewer.press(CTRL_C, NOW), Some(Wish::AtOnce));
}

#[test]
fn colours_change_no_character() {
    let (plain, mut coloured) = (begun(vec![predicted()]), begun(vec![predicted()]));
    coloured.colour = true;
    let colours = |viewer: &Viewer| {
        let mut terminal = Terminal::new(TestBackend::new(80, 24)).expect("no terminal at all");
        terminal.draw(|frame| viewer.draw(frame, NOW)).expect("no terminal at all");
        terminal.backend().buffer().content().iter().any(|cell| cell.fg != Color::Reset)
    };
    assert!(colours(&coloured) && !colours(&plain));
    for number in ['1', '2', '3', '4', '5'] {
        (coloured, _) = (shows(coloured, number), ());
        let mut other = begun(vec![predicted()]);
        other.press(character(number), NOW);
        assert_eq!(lines(&coloured, 80, 24), lines(&other, 80, 24));
    }
}
