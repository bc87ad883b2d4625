//! Workers and servers that end before their time.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::ours::Shop;
use crate::python::options;
use crate::support::running::until;
use crate::support::{Kept, Lab};

/// The workers of a server that has several: its children, but for the one that helps Python
/// to clear up.
fn workers(shop: &Shop) -> Vec<Pid> {
    let all = shop.processes("");
    let read = |pid: &Pid, name: &str| {
        let path = format!("/proc/{}/{name}", pid.as_raw_nonzero());
        fs::read_to_string(path).unwrap_or_default()
    };
    let parent = |pid: &Pid| {
        let status = read(pid, "status");
        let number = status.lines().find_map(|line| line.strip_prefix("PPid:"));
        number.and_then(|number| number.trim().parse().ok()).and_then(Pid::from_raw)
    };
    let is_server = |pid: &Pid| {
        read(pid, "cmdline").contains("serve.py")
            && !parent(pid).is_some_and(|parent| read(&parent, "cmdline").contains("serve.py"))
    };
    let servers: Vec<Pid> = all.iter().copied().filter(is_server).collect();
    let is_worker = |pid: &Pid| {
        parent(pid).is_some_and(|parent| servers.contains(&parent))
            && !read(pid, "cmdline").contains("resource_tracker")
    };
    all.into_iter().filter(is_worker).collect()
}

fn told(kept: &Kept, words: &[&str]) -> bool {
    let all = &kept.measurement().inconclusive;
    all.iter().any(|why| words.iter().all(|word| why.contains(word)))
}

#[test]
fn a_worker_that_dies_is_replaced_by_its_server_and_told_of() {
    let Some(on) = options() else { return };
    for server in ["uvicorn", "gunicorn"] {
        let shop = Shop::new();
        let run = shop.start(&format!(
            "--warmup 1s --duration 8s {on} --set service.workers=2 --set service.server={server}"
        ));
        shop.is_busy();
        sleep(Duration::from_millis(1500));
        let before = until("two workers", || Some(workers(&shop)).filter(|all| all.len() == 2));
        kill_process(before[0], Signal::KILL).expect("it is ours");
        until("another worker", || {
            let now = workers(&shop);
            (now.len() == 2 && !now.contains(&before[0])).then_some(())
        });
        shop.serves();
        let kept = shop.lab.kept(&run.ended().with_code(3));
        let starts = format!("{server} starts another");
        assert!(told(&kept, &["ended unexpectedly", &starts]), "{:?}", kept.measurement());
        assert!(!kept.measurement().interrupted && kept.report.run.samples > 0);
        shop.is_gone(1);
    }
}

#[test]
fn a_server_that_dies_is_replaced_and_told_of() {
    let Some(on) = options() else { return };
    let shop = Shop::new();
    let run = shop.start(&format!("--warmup 1s --duration 6s {on}"));
    shop.is_busy();
    let server = until("the server", || {
        shop.processes("").into_iter().find(|pid| {
            let path = format!("/proc/{}/cmdline", pid.as_raw_nonzero());
            fs::read_to_string(path).is_ok_and(|words| words.contains("serve.py"))
        })
    });
    kill_process(server, Signal::KILL).expect("it is ours");
    let kept = shop.lab.kept(&run.ended().with_code(3));
    assert!(told(&kept, &["the uvicorn ended unexpectedly", "took its place"]));
    assert!(kept.report.run.samples > 0);
    shop.is_gone(1);
}

#[test]
fn a_program_that_is_killed_takes_its_servers_with_it() {
    let Some(on) = options() else { return };
    for server in ["uvicorn", "gunicorn"] {
        let shop = Shop::new();
        let mut run =
            shop.start(&format!("{on} --set service.workers=2 --set service.server={server}"));
        shop.is_busy();
        run.signal(Signal::KILL);
        assert_eq!(run.ended().code, None);
        shop.is_left_alone();
    }
}

#[test]
fn an_interrupted_run_keeps_what_it_has_and_leaves_nothing() {
    let Some(on) = options() else { return };
    let shop = Shop::new();
    let mut run = shop.start(&format!("--warmup 0s {on}"));
    shop.is_busy();
    run.signal(Signal::INT);
    let kept = shop.lab.kept(&run.ended().with_code(3));
    assert!(kept.measurement().interrupted && kept.measurement().accounting.good > 0);
    shop.is_gone(1);
}

/// A handler that holds its loop for longer than gunicorn has patience: 30 s.
const STUCK: &str = r#"
    load = { users = 1, warmup = "0s", duration = "45s", timeout = "60s" }
    service = { concurrency = "blocking", server = "gunicorn" }
    endpoint = [{ name = "nap", weight = 1, steps = [{ block = "100s" }] }]
"#;

#[test]
fn gunicorn_kills_a_worker_that_does_not_come_round() {
    let Some(on) = options() else { return };
    let lab = Lab::new(STUCK);
    let kept = lab.kept(&lab.live(&format!("run shop.toml {on}")).with_code(3));
    assert!(told(&kept, &["ended unexpectedly", "gunicorn starts another"]));
    kept.has_errors_of(&["disconnected"]);
}
