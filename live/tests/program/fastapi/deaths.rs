//! Workers and servers that end before their time.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};

use super::python::options;
use crate::deaths::is_told;
use crate::shop::Shop;

use crate::support::Lab;

/// The workers of a server that has several: its children, but for the one that helps Python
/// to clear up.
fn workers(lab: &Lab) -> Vec<Pid> {
    let all = lab.processes("");
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

#[test]
fn a_worker_that_dies_is_replaced_by_its_server() {
    let Some(on) = options() else { return };
    for server in ["uvicorn", "gunicorn"] {
        let shop = Shop::new();
        let sets = format!("--set service.workers=2 --set service.server={server}");
        let run = shop.start(&format!("--warmup 0s {on} {sets}"));
        shop.is_busy();
        let two = || Some(workers(&shop.lab)).filter(|all| all.len() == 2);
        let before = shop.lab.wait_for("two workers", two);
        kill_process(before[0], Signal::KILL).expect("a process of ours");
        shop.lab.wait_for("another worker", || two().filter(|now| !now.contains(&before[0])));
        shop.answers_with(200);
        run.signal(Signal::INT);
        let kept = shop.lab.kept(&run.ended().with_code(3));
        is_told(&kept, &["ended unexpectedly", &format!("{server} starts another")]);
        assert!(kept.report.run.samples > 0);
        shop.is_gone(1);
    }
}

#[test]
fn a_server_that_dies_is_replaced() {
    let Some(on) = options() else { return };
    let shop = Shop::new();
    let run = shop.start(&format!("--warmup 0s {on}"));
    shop.is_busy();
    let server = shop.lab.wait_for("the server", || {
        shop.lab.processes("").into_iter().find(|pid| {
            let path = format!("/proc/{}/cmdline", pid.as_raw_nonzero());
            fs::read_to_string(path).is_ok_and(|words| words.contains("serve.py"))
        })
    });
    kill_process(server, Signal::KILL).expect("a process of ours");
    shop.answers_with(200);
    run.signal(Signal::INT);
    let kept = shop.lab.kept(&run.ended().with_code(3));
    is_told(&kept, &["the uvicorn ended unexpectedly", "took its place"]);
    assert!(kept.report.run.samples > 0);
    shop.is_gone(1);
}

#[test]
fn a_program_that_is_killed_takes_its_servers_with_it() {
    let Some(on) = options() else { return };
    for server in ["uvicorn", "gunicorn"] {
        let shop = Shop::new();
        let sets = format!("--set service.workers=2 --set service.server={server}");
        let run = shop.start(&format!("{on} {sets}"));
        shop.is_busy();
        run.signal(Signal::KILL);
        assert_eq!(run.ended().code, None);
        shop.lab.no_process_is_left();
        shop.lab.is_free(shop.address());
    }
}

#[test]
fn an_interrupted_run_is_kept() {
    let Some(on) = options() else { return };
    let shop = Shop::new();
    let run = shop.start(&format!("--warmup 0s {on}"));
    shop.is_busy();
    run.signal(Signal::INT);
    let kept = shop.lab.kept(&run.ended().with_code(3));
    assert!(kept.measurement().interrupted && kept.measurement().accounting.good > 0);
    shop.is_gone(1);
}

/// A handler that holds its loop for longer than gunicorn's timeout.
const STUCK: &str = r#"
    load = { users = 1, warmup = "0s", duration = "1h", timeout = "1h" }
    service = { concurrency = "blocking", server = "gunicorn", worker_timeout = "2s" }
    endpoint = [{ name = "nap", weight = 1, steps = [{ block = "1h" }] }]
"#;

#[test]
fn gunicorn_kills_a_worker_that_does_not_come_round() {
    let Some(on) = options() else { return };
    let lab = Lab::new(STUCK);
    let run = lab.start(&format!("run shop.toml {on}"));
    let one = || workers(&lab).first().copied();
    let stuck = lab.wait_for("a worker", one);
    lab.wait_for("another worker", || one().filter(|pid| *pid != stuck));
    run.signal(Signal::INT);
    let kept = lab.kept(&run.ended().with_code(3));
    is_told(&kept, &["ended unexpectedly", "gunicorn starts another"]);
    kept.has_errors_of(&["worker_killed"]);
}

/// Workers that end after a few requests.
const RECYCLED: &str = r#"
    load = { users = 4, think_time = "5ms", warmup = "0s", duration = "1h" }
    service = { concurrency = "async", server = "gunicorn", workers = 2, max_requests = 30 }
    endpoint = [{ name = "nap", weight = 1, steps = [{ sleep = "5ms" }] }]
"#;

#[test]
fn a_worker_is_replaced_after_so_many_requests() {
    let Some(on) = options() else { return };
    let lab = Lab::new(RECYCLED);
    let run = lab.start(&format!("run shop.toml {on}"));
    let two = || Some(workers(&lab)).filter(|all| all.len() == 2);
    let before = lab.wait_for("two workers", two);
    lab.wait_for("two others", || two().filter(|now| now.iter().all(|one| !before.contains(one))));
    run.signal(Signal::INT);
    let kept = lab.kept(&run.ended().with_code(3));
    is_told(&kept, &["workers end after 30 requests"]);
    assert!(kept.report.run.samples > 60, "{}", kept.report.run.samples);
}
