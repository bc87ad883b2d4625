//! Parent and child processes, for real: this program is both. Started with the name of a
//! part, it plays a child; otherwise it runs the tests.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "children talk to the tests")]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use live::machine::Cpus;
use live::supervisor::{Child, ChildError, Control, bind, inherited_listener, this_program};
use live::watch::Screen;
use live::{Interrupt, upstream, wire};
use rustix::process::{Pid, Signal, getpgid, kill_process};
use testkit::{HANG, Lab, get, wait_for, wait_until};

/// Marks the arguments that name a part.
const PART: &str = "--play";

type Simple = Child<String, String, u64>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    match &*arguments {
        [_, flag, part] if flag == PART => play(part),
        _ => libtest_mimic::run(&Arguments::from_args(), tests()).exit_code(),
    }
}

/// The parts of children.
fn play(part: &str) -> ExitCode {
    if part == "upstream" {
        upstream::run_as_child().expect("it is started by a test");
    }
    if part == "parent" {
        let child = spawn("busy");
        println!("{}", child.pid());
        std::thread::park();
    }
    if part == "panics on a screen" {
        let interrupt = Interrupt::listen().expect("it handles signals");
        let _screen = Screen::open(Vec::new(), interrupt.clone()).expect("a terminal");
        wait_until("a key", || interrupt.is_set());
        panic!("cannot happen, but did");
    }
    let control = Control::<String, String, u64>::from_stdout().expect("it is started by a test");
    match part {
        "mute" => std::thread::park(),
        "garbled" => println!("what is this?"),
        "exits" => {
            eprintln!("{}the disk is on fire", "noise ".repeat(2000));
            std::process::exit(3);
        }
        "fails" => control.fail("it has no database"),
        _ => {}
    }
    let mut asked = 0;
    let fragile = part == "fragile";
    let count = move || {
        assert!(!fragile, "it cannot count");
        asked += 1;
        asked
    };
    control.ready(format!("{} here", control.start()), count);
    match part {
        "busy" => loop {
            std::hint::spin_loop();
        },
        "panics" => panic!("cannot happen, but did"),
        _ => std::thread::park(),
    }
    ExitCode::SUCCESS
}

fn command(part: &str) -> Command {
    this_program(&[PART, part]).expect("the system knows this program")
}

fn spawn(part: &str) -> Simple {
    Child::spawn(&format!("worker {part}"), command(part), None).expect("this program runs")
}

/// A child that is ready.
fn ready(part: &str) -> Simple {
    let mut child = spawn(part);
    child.start(part.to_string()).expect("it listens");
    assert_eq!(child.ready(HANG).expect("it is ready"), format!("{part} here"));
    child
}

/// Waits until the end of `child` is noticed.
fn error_of(child: &mut Simple) -> String {
    wait_for("its end", || 0, || child.check().err()).to_string()
}

fn tests() -> Vec<Trial> {
    let tests: [(&str, fn()); 15] = [
        ("a_child_starts_counts_and_stops", starts_counts_and_stops),
        ("a_busy_child_answers_and_stops_all_the_same", busy),
        ("a_child_that_is_dropped_leaves_nothing_behind", dropped),
        ("a_child_ends_with_its_parent_even_if_that_is_killed", orphaned),
        ("a_child_that_exits_is_described_in_its_own_words", exits),
        ("a_child_that_panics_is_described", panics),
        ("a_child_that_panics_while_it_counts_ends", fragile),
        ("waiting_for_a_child_can_be_given_up", given_up),
        ("a_child_that_is_killed_is_described", killed),
        ("a_child_that_fails_says_why", fails),
        ("a_child_that_does_not_answer_is_named_and_given_up", mute),
        ("a_child_that_does_not_end_is_killed", stopped),
        ("a_child_that_talks_nonsense_is_named", garbled),
        ("the_upstream_serves_as_a_child", upstream_as_a_child),
        ("a_panic_is_told_on_a_terminal_as_it_was", panics_on_a_screen),
    ];
    let by_hand = Trial::test("children_are_not_for_a_person_to_start", || {
        started_by_hand();
        Ok::<(), Failed>(())
    });
    let trial = |(name, test): (&str, fn())| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    };
    tests.into_iter().map(trial).chain([by_hand]).collect()
}

fn starts_counts_and_stops() {
    let mut child = ready("plain");
    for asked in 1..=3 {
        child.ask().expect("it listens");
        assert_eq!(child.answer(HANG).expect("it answers"), asked);
    }
    child.check().expect("it runs");
    // A group of its own: Ctrl-C does not reach it.
    assert_eq!(getpgid(Some(number(&child))).expect("it runs"), number(&child));
    child.stop().expect("it ends when told to");
}

fn busy() {
    let mut child = ready("busy");
    child.ask().expect("it listens");
    assert_eq!(child.answer(HANG).expect("it answers"), 1);
    child.stop().expect("it ends when told to");
}

fn dropped() {
    for part in ["busy", "mute"] {
        let child = spawn(part);
        let path = process(child.pid());
        assert!(path.exists());
        drop(child);
        assert!(!path.exists(), "{part}: neither it nor its zombie is left");
    }
}

fn orphaned() {
    let mut parent = command("parent").stdout(Stdio::piped()).spawn().expect("this program runs");
    let mut line = String::new();
    let stdout = parent.stdout.take().expect("it is piped");
    BufReader::new(stdout).read_line(&mut line).expect("the parent speaks");
    let child = process(line.trim().parse().expect("a process number"));
    assert!(runs(&child));
    parent.kill().expect("it is ours");
    parent.wait().expect("it is ours");
    wait_until("the end of the child", || !runs(&child));
}

fn exits() {
    let error = spawn("exits").ready(HANG).expect_err("it ends");
    let text = error.to_string();
    assert!(matches!(error, ChildError::Died { .. }), "{text}");
    assert!(text.contains("worker exits") && text.contains("exit status: 3"), "{text}");
    assert!(text.ends_with("the disk is on fire") && text.len() < 5000, "{text}");
}

fn panics() {
    let mut child = ready("panics");
    let error = error_of(&mut child);
    assert!(error.contains("worker panics") && error.contains("cannot happen, but did"), "{error}");
    assert!(child.ask().is_err() && child.answer(HANG).is_err() && child.stop().is_err());
}

fn panics_on_a_screen() {
    let lab = Lab::new(&std::env::current_exe().expect("the system knows it").to_string_lossy());
    let mut command = lab.command("");
    command.args([PART, "panics on a screen"]);
    let mut terminal = lab.start_on_terminal(command, [80, 24]);
    terminal.shows("nothing is measured yet");
    assert!(terminal.is_taken());
    terminal.press("q");
    terminal.ended("cannot happen, but did").with_code(101);
}

fn fragile() {
    let mut child = ready("fragile");
    child.ask().expect("it listens");
    // Its main thread is parked for ever: only the other one can end it.
    let error = child.answer(HANG).expect_err("it cannot answer");
    let text = error.to_string();
    assert!(matches!(error, ChildError::Died { .. }), "{text}");
    assert!(text.contains("exit status: 1") && text.contains("it cannot count"), "{text}");
}

fn given_up() {
    let mut child = spawn("plain");
    let looked = std::cell::Cell::new(0);
    let enough = || {
        looked.set(looked.get() + 1);
        looked.get() == 3
    };
    // It waits for its start order.
    let none = child.ready_unless(HANG, enough).expect("it runs");
    assert_eq!((none, looked.get()), (None, 3));
    // It may be waited for again.
    child.start("late".to_string()).expect("it listens");
    assert_eq!(child.ready(HANG).expect("it is ready"), "late here");
    child.stop().expect("it ends when told to");
}

fn killed() {
    let mut child = ready("plain");
    kill_process(number(&child), Signal::KILL).expect("it is ours");
    let error = child.answer(HANG).expect_err("it is dead").to_string();
    assert!(error.contains("worker plain") && error.contains("SIGKILL"), "{error}");
}

fn fails() {
    let mut child = spawn("fails");
    let error = child.ready(HANG).expect_err("it fails").to_string();
    assert_eq!(error, "the worker fails failed: it has no database");
    // The same if its end is noticed first.
    let mut child = spawn("fails");
    let error = error_of(&mut child);
    assert_eq!(error, "the worker fails failed: it has no database");
}

fn mute() {
    let mut child = spawn("mute");
    let error = child.ready(Duration::from_millis(20)).expect_err("it says nothing").to_string();
    assert!(error.contains("worker mute did not become ready within 0.02 s"), "{error}");
    // A late answer would be taken for the answer to a later question.
    assert!(matches!(child.ask(), Err(ChildError::Broken { .. })));
}

fn stopped() {
    let child = ready("plain");
    let path = process(child.pid());
    // Once the signal has reached it, it reads no orders any more.
    kill_process(number(&child), Signal::STOP).expect("it is ours");
    wait_until("a stopped child", || state(&path) == Some('T'));
    let error = child.stop().expect_err("it does not end by itself").to_string();
    assert!(error.contains("worker plain did not end within"), "{error}");
    assert!(!path.exists());
}

fn garbled() {
    let mut child = spawn("garbled");
    let error = child.ready(HANG).expect_err("it is no message").to_string();
    assert!(error.contains("worker garbled") && error.contains("no message"), "{error}");
}

fn started_by_hand() {
    let started = command("plain").stdin(Stdio::null()).output().expect("this program runs");
    let said = String::from_utf8_lossy(&started.stderr).into_owned();
    assert!(!started.status.success() && said.contains("NotInherited"), "{said}");
    assert!(inherited_listener().is_err());
}

fn upstream_as_a_child() {
    let text = r#"
        costs.cpu.request = "1ms"
        load = { users = 1, duration = "1s" }
        service.concurrency = "async"
        upstream.partner.latency = "3ms"
        endpoint = [{ name = "quote", weight = 1, steps = [{ call = "partner" }] }]
    "#;
    let resolved = model::read::load_text("shop", text, &[]).expect("a valid scenario");
    let listener = bind(None, 64, false).expect("a free port");
    let mut child: Child<upstream::Start, upstream::Ready, upstream::Snapshot> =
        Child::spawn("upstream", command("upstream"), Some(&listener)).expect("this program runs");
    let cpus = Cpus::new(Cpus::allowed().numbers()[..1].to_vec());
    let start = upstream::Start {
        name: "shop".into(),
        scenario: resolved.to_toml(),
        seed: resolved.scenario.seed,
        cpus: cpus.clone(),
    };
    child.start(start.clone()).expect("it listens");
    let ready = child.ready(HANG).expect("it is ready");
    assert_eq!(ready.address, listener.local_addr().expect("it is bound"));
    let status = std::fs::read_to_string(process(child.pid()).join("status")).expect("it runs");
    assert!(status.contains(&format!("Cpus_allowed_list:\t{cpus}\n")), "{status}");

    let call = format!("{}: 0.0.quote/0\r\n", wire::CALL);
    let get = |path| get(ready.address, path, &call).expect("it answers");
    let reply = get("/partner");
    assert!(reply.starts_with("HTTP/1.1 200 OK\r\n") && reply.contains(wire::TOOK), "{reply}");
    assert!(get("/").contains("There is: /partner."));
    child.ask().expect("it listens");
    let snapshot = child.answer(HANG).expect("it answers");
    assert_eq!((snapshot.upstreams[0].answered, snapshot.refused), (1, 1));
    assert!(snapshot.cpu > 0 && snapshot.holdings.resident > Some(0));
    child.stop().expect("it ends when told to");

    let mut child: Child<upstream::Start, upstream::Ready, upstream::Snapshot> =
        Child::spawn("upstream", command("upstream"), Some(&listener)).expect("this program runs");
    child.start(upstream::Start { scenario: "load = 7".into(), ..start }).expect("it listens");
    let error = child.ready(HANG).expect_err("that is no scenario").to_string();
    assert!(error.starts_with("the upstream failed: its scenario cannot be read"), "{error}");
}

fn number(child: &Simple) -> Pid {
    Pid::from_raw(child.pid() as i32).expect("a process number")
}

fn process(pid: u32) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}"))
}

/// True unless it has ended. The process that inherits an orphan may leave it a zombie.
fn runs(process: &Path) -> bool {
    !matches!(state(process), None | Some('Z' | 'X'))
}

/// The letter for the state of a process.
fn state(process: &Path) -> Option<char> {
    let stat = std::fs::read_to_string(process.join("stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}
