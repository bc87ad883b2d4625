//! `--watch` on a terminal.

use std::process::Command;

use rustix::process::{Signal, kill_process};
use testkit::Terminal;

use crate::shop::Shop;

/// Columns and rows that everything fits into.
const SIZE: [u16; 2] = [80, 24];

/// The shop's run with further `options`, on a terminal of its own.
fn watched(shop: &Shop, options: &str) -> Terminal {
    shop.lab.start_on_terminal(command(shop, options), SIZE)
}

fn command(shop: &Shop, options: &str) -> Command {
    let words = format!("run shop.toml --port {} --watch --format json {options}", shop.port);
    shop.lab.command(&words)
}

/// A terminal that shows how the shop is loaded.
fn loaded(shop: &Shop) -> Terminal {
    let mut terminal = watched(shop, "--warmup 0s");
    terminal.shows("counting, ");
    // A second may come with the one before it: no single one is waited for.
    terminal.shows_what("a curve", |text| {
        text.contains("of this round; highest") && text.contains('█')
    });
    assert!(terminal.is_taken() && !terminal.is_restored());
    terminal
}

/// The run ends early by `end`, keeps what it has measured and gives the terminal back.
fn ends_early(end: impl Fn(&mut Terminal)) {
    let shop = Shop::new();
    let mut terminal = loaded(&shop);
    end(&mut terminal);
    let ended = terminal.ended("kept in ").with_code(3);
    let kept = shop.lab.kept(&ended);
    let measurement = kept.measurement();
    assert!(measurement.interrupted && kept.report.run.samples > 0);
    // The CPU time of the drawing is told apart.
    let names: Vec<&str> = measurement.processes.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["worker 0", "mock upstream", "load generator", "live terminal"]);
    let answer: serde_json::Value = ended.json();
    assert_eq!(answer["measurement"]["interrupted"], true);
    shop.is_gone(1);
}

#[test]
fn q_stops_early_and_keeps_what_was_measured() {
    ends_early(|terminal| terminal.press("q"));
}

#[test]
fn ctrl_c_stops_early_and_keeps_what_was_measured() {
    ends_early(|terminal| terminal.press("\x03"));
}

#[test]
fn a_signal_stops_it_as_a_key_does() {
    ends_early(|terminal| terminal.running().signal(Signal::TERM));
}

#[test]
fn a_second_ctrl_c_ends_at_once_and_gives_the_terminal_back() {
    let shop = Shop::new();
    let mut terminal = loaded(&shop);
    let worker = shop.lab.process("worker-process");
    kill_process(worker, Signal::STOP).expect("a process of ours");
    terminal.press("\x03");
    terminal.shows("stopping: what was measured is kept");
    terminal.press("q\x03");
    terminal.ended("").with_code(130);
    kill_process(worker, Signal::CONT).expect("a process of ours");
    shop.lab.no_process_is_left();
}

#[test]
fn keys_show_other_views_and_freeze() {
    let shop = Shop::new();
    let mut terminal = loaded(&shop);
    assert!(terminal.has_colour());
    for (key, text) in [
        ("2", "waiting for partner to reply"),
        ("3", "none so far"),
        ("4", "order"),
        ("5", "worker 0"),
        ("\t", "good answers/s, last "),
        ("?", "stop early; what was measured is kept"),
        ("\x1b", "good answers/s, last "),
        (" ", "FROZEN"),
        (" ", "counting, "),
    ] {
        terminal.press(key);
        terminal.shows(text);
    }
    terminal.press("q");
    terminal.ended("kept in ").with_code(3);
    shop.is_gone(1);
}

#[test]
fn a_run_that_comes_to_its_end_gives_the_terminal_back() {
    let shop = Shop::new();
    let words = "run shop.toml --watch --duration 2s --warmup 0s --repeat 2";
    let terminal = shop.lab.start_on_terminal(shop.lab.command(words), [120, 40]);
    let ended = terminal.ended("kept in ").with_one_of(&[0, 3]);
    assert!(ended.out.contains("live terminal"), "{ended:?}");
    shop.lab.only_runs_are_left(1);
}

#[test]
fn a_terminal_that_is_too_small_says_so() {
    let shop = Shop::new();
    let mut terminal = shop.lab.start_on_terminal(command(&shop, ""), [60, 20]);
    terminal.shows("This terminal is 60 × 20; 80 × 24 are needed.");
    // The load may not have begun, and the program may not listen for signals but for keys.
    shop.is_busy();
    terminal.press("q");
    terminal.ended("kept in ").with_code(3);
}

#[test]
fn where_it_is_not_wanted_there_is_a_line_as_usual() {
    let shop = Shop::new();
    for (variable, value) in [("NO_COLOR", "1"), ("CI", "true"), ("TERM", "dumb")] {
        let mut command = command(&shop, "--warmup 0s");
        command.env(variable, value);
        let mut terminal = shop.lab.start_on_terminal(command, SIZE);
        terminal.shows("--watch: the live terminal is not shown, since ");
        assert!(terminal.text().contains(variable), "{}", terminal.text());
        terminal.shows("shop: ");
        assert!(!terminal.is_taken());
        shop.is_busy();
        terminal.running().signal(Signal::INT);
        terminal.ended("kept in ").with_code(3);
    }
}

#[test]
fn under_no_color_it_is_shown_without_colours_where_it_is_wanted() {
    let shop = Shop::new();
    let words = format!("run shop.toml --port {} --watch=always", shop.port);
    let mut command = shop.lab.command(&words);
    command.env("NO_COLOR", "1");
    let mut terminal = shop.lab.start_on_terminal(command, SIZE);
    terminal.shows("good answers/s, last ");
    assert!(terminal.is_taken() && !terminal.has_colour());
    terminal.press("q");
    terminal.ended("kept in ").with_code(3);
}

#[test]
fn without_a_terminal_it_says_so_and_measures() {
    let shop = Shop::new();
    let ended = shop.lab.measures("run shop.toml --watch --warmup 0s --duration 1s");
    let why = "--watch: the live terminal is not shown, since standard error is no terminal\n";
    assert!(ended.err.starts_with(why) && !ended.err.contains('\x1b'), "{ended:?}");
    assert!(!ended.out.contains("live terminal"), "{ended:?}");
    shop.lab.only_runs_are_left(1);
}

#[test]
fn what_is_for_programs_is_refused_to_people() {
    let shop = Shop::new();
    shop.lab
        .end("run shop.toml --tell terminal")
        .refused(&["--tell", "standard input is no socket"]);
    shop.lab.only_runs_are_left(0);
}
