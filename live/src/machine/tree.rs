//! Processes of a service that this program did not write, and their CPU time.
//!
//! CPU time is that of the processes' own clocks, in nanoseconds: the scheduler's accounting, with
//! the threads that have ended. `/proc/PID/stat` has it in hundredths of a second only.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;

use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

use super::listener::listening_at;
use super::{Cpus, Holdings};
use crate::clock;

/// The first process of a system, of a container too: it is no service.
const INIT: u32 = 1;
/// What holds the port of a container, whose processes are others.
const PROXIES: [&str; 1] = ["docker-proxy"];

/// A process with less than this part of the CPU time of its busiest relative only waits.
const IDLE: u64 = 50;

/// A process and all that it has started and will start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessTree {
    roots: Vec<Identity>,
    /// Processes that are no part of it, with all below them.
    without: Vec<Identity>,
}

/// A process: its number may be used again, but not with the same start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Identity {
    pid: u32,
    /// Ticks since the machine started.
    started: u64,
}

/// What the processes of a tree have used up to a moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TreeReading {
    /// When, on the machine's monotonic clock.
    pub at: u64,
    /// Those that live, each root before what it has started.
    pub processes: Vec<ProcessReading>,
    /// CPU nanoseconds of children that have ended and been waited for, of all that live.
    pub reaped: u64,
}

/// What a process has used up to a moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProcessReading {
    /// Its number.
    pub pid: u32,
    /// When it started, in ticks since the machine did: tells it from another of its number.
    pub started: u64,
    /// The process that started it.
    pub parent: u32,
    /// Its name, at most 15 bytes.
    pub name: String,
    /// CPU nanoseconds of all its threads, of those that have ended too.
    pub cpu: u64,
}

/// What a thread has used up to a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ThreadReading {
    /// Its number.
    pub tid: u32,
    /// Its name.
    pub name: String,
    /// CPU nanoseconds.
    pub cpu: u64,
    /// Nanoseconds for which it could have run, but no processor was free.
    pub delayed: u64,
}

impl ProcessTree {
    /// The process `pid` with all below it; none if there is no such process.
    pub fn of(pid: u32) -> Option<ProcessTree> {
        let status = Status::of(pid)?;
        Some(ProcessTree { roots: vec![status.identity], without: Vec::new() })
    }

    /// The processes that listen at `address`, with all below them; none if they cannot be seen:
    /// they are on another machine, in a container, or another user's.
    pub fn listening_at(address: SocketAddr) -> Option<ProcessTree> {
        let all = statuses();
        let is_service = |pid: &u32| {
            let name = all.get(pid).map(|status| status.name.as_str());
            *pid != INIT && name.is_some_and(|name| !PROXIES.contains(&name))
        };
        let holders: BTreeSet<u32> = listening_at(address).into_iter().filter(is_service).collect();
        // A socket that is handed down is held by those that made it and by those that use it.
        let is_root = |pid: &&u32| !ancestors(&all, **pid).any(|above| holders.contains(&above));
        let roots = holders.iter().filter(is_root);
        let roots: Vec<Identity> = roots.filter_map(|pid| Some(all.get(pid)?.identity)).collect();
        (!roots.is_empty()).then_some(ProcessTree { roots, without: Vec::new() })
    }

    /// The same without the processes of `other`, should they be below it.
    pub fn without(mut self, other: &ProcessTree) -> ProcessTree {
        self.without.extend_from_slice(&other.roots);
        self
    }

    /// What its processes have used so far. Not counted is what leads to this program, should a
    /// process of the tree have started it.
    pub fn read(&self) -> TreeReading {
        let at = clock::now();
        let all = statuses();
        let own: BTreeSet<u32> =
            ancestors(&all, std::process::id()).chain([std::process::id()]).collect();
        let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (&pid, status) in &all {
            children.entry(status.parent).or_default().push(pid);
        }
        let mut reading = TreeReading { at, ..TreeReading::default() };
        let lives = |root: &&Identity| all.get(&root.pid).is_some_and(|now| now.identity == **root);
        let mut pending: Vec<u32> = self.roots.iter().filter(lives).map(|root| root.pid).collect();
        pending.reverse();
        let left_out =
            |pid: &u32| all.get(pid).is_some_and(|status| self.without.contains(&status.identity));
        while let Some(pid) = pending.pop() {
            let below = children.get(&pid).into_iter().flatten().rev();
            pending.extend(below.filter(|pid| !own.contains(pid) && !left_out(pid)));
            let Some((status, cpu)) = all.get(&pid).zip(cpu_of(pid)) else { continue };
            reading.reaped += status.reaped;
            reading.processes.push(ProcessReading {
                pid,
                started: status.identity.started,
                parent: status.parent,
                name: status.name.clone(),
                cpu,
            });
        }
        reading
    }

    /// The processors that its processes may run on, all together; none if that cannot be seen.
    /// A process that has computed next to nothing, such as the shell of a start command, says
    /// nothing of the service.
    pub fn cpus(&self) -> Option<Cpus> {
        let mut all = Vec::new();
        let processes = self.read().processes;
        let most = processes.iter().map(|process| process.cpu).max()?;
        for process in processes.iter().filter(|process| process.cpu >= most / IDLE) {
            let status = fs::read_to_string(format!("/proc/{}/status", process.pid)).ok()?;
            let allowed = Cpus::parse(super::value_of(&status, "Cpus_allowed_list")?)?;
            all.extend_from_slice(allowed.numbers());
        }
        Some(Cpus::new(all)).filter(|all| !all.is_empty())
    }

    /// One of its roots lives.
    pub fn lives(&self) -> bool {
        let lives = |root: &Identity| Status::of(root.pid).is_some_and(|now| now.identity == *root);
        self.roots.iter().any(lives)
    }
}

impl TreeReading {
    /// Those of its processes that still live.
    pub fn living(&self) -> impl Iterator<Item = &ProcessReading> {
        self.processes.iter().filter(|process| {
            Status::of(process.pid).is_some_and(|now| now.identity.started == process.started)
        })
    }

    /// CPU nanoseconds from the reading `open` to this one, of those that have ended meanwhile
    /// too, if they were waited for.
    pub fn cpu_since(&self, open: &TreeReading) -> u64 {
        let living: u64 = self.processes.iter().map(|process| process.cpu_since(open)).sum();
        let gone = open.processes.iter().filter(|process| process.find(self).is_none());
        let gone: u64 = gone.map(|process| process.cpu).sum();
        // What has ended takes along what it had used before, too.
        living + self.reaped.saturating_sub(open.reaped).saturating_sub(gone)
    }
}

impl ProcessReading {
    /// CPU nanoseconds from the reading `open` of its tree to this one.
    pub fn cpu_since(&self, open: &TreeReading) -> u64 {
        self.cpu.saturating_sub(self.find(open).map_or(0, |before| before.cpu))
    }

    /// This process in another reading.
    pub fn find<'r>(&self, reading: &'r TreeReading) -> Option<&'r ProcessReading> {
        reading.processes.iter().find(|one| self.is(one))
    }

    /// Both are of the same process.
    pub fn is(&self, other: &ProcessReading) -> bool {
        (self.pid, self.started) == (other.pid, other.started)
    }

    /// Its memory.
    pub fn holdings(&self) -> Holdings {
        Holdings::of(self.pid)
    }

    /// What it was started with, its words parted by blanks.
    pub fn command_line(&self) -> String {
        let words = fs::read(format!("/proc/{}/cmdline", self.pid)).unwrap_or_default();
        let words = words.split(|&byte| byte == 0).filter(|word| !word.is_empty());
        words.map(String::from_utf8_lossy).collect::<Vec<_>>().join(" ")
    }

    /// Its threads, by the scheduler's accounting (`schedstat`); one that has ended takes its
    /// account along. None where the kernel does not keep one.
    pub fn threads(&self) -> Vec<ThreadReading> {
        let folder = format!("/proc/{}/task", self.pid);
        let thread = |tid: u32| {
            let line = |file: &str| super::line_of(format!("{folder}/{tid}/{file}"));
            let account = line("schedstat")?;
            let mut account = account.split_whitespace().map_while(|text| text.parse().ok());
            let (cpu, delayed) = (account.next()?, account.next().unwrap_or_default());
            Some(ThreadReading { tid, name: line("comm")?, cpu, delayed })
        };
        let mut all: Vec<ThreadReading> = numbers(&folder).filter_map(thread).collect();
        all.sort_unstable_by_key(|thread| thread.tid);
        all
    }
}

/// A line of `/proc/PID/stat`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Status {
    identity: Identity,
    parent: u32,
    name: String,
    /// CPU nanoseconds of its children that it has waited for.
    reaped: u64,
}

impl Status {
    fn of(pid: u32) -> Option<Status> {
        Status::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// The name stands in parentheses, and may hold some.
    fn parse(line: &str) -> Option<Status> {
        let (head, rest) = line.rsplit_once(')')?;
        let (pid, name) = head.split_once(" (")?;
        let rest: Vec<&str> = rest.split_whitespace().collect();
        // It has ended, and its parent has not asked how.
        if matches!(rest.first(), Some(&"Z" | &"X")) {
            return None;
        }
        let number = |index: usize| rest.get(index)?.parse::<u64>().ok();
        let tick = 1_000_000_000 / rustix::param::clock_ticks_per_second().max(1);
        Some(Status {
            identity: Identity { pid: pid.trim().parse().ok()?, started: number(19)? },
            parent: number(1)? as u32,
            name: name.to_string(),
            reaped: (number(13)? + number(14)?) * tick,
        })
    }
}

/// All processes that can be seen.
pub(super) fn pids() -> impl Iterator<Item = u32> {
    numbers("/proc")
}

fn numbers(folder: &str) -> impl Iterator<Item = u32> + use<> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn statuses() -> BTreeMap<u32, Status> {
    pids().filter_map(|pid| Some((pid, Status::of(pid)?))).collect()
}

/// The process that has started `pid`, the one that has started that, and so on.
fn ancestors(all: &BTreeMap<u32, Status>, pid: u32) -> impl Iterator<Item = u32> {
    let above = |pid: &u32| all.get(pid).map(|status| status.parent).filter(|&parent| parent != 0);
    std::iter::successors(above(&pid), above)
}

/// CPU nanoseconds of a process by its own clock.
pub(crate) fn cpu_of(pid: u32) -> Option<u64> {
    let id = clock_getcpuclockid(Pid::from_raw(i32::try_from(pid).ok()?)).ok()?;
    let time = clock_gettime(id).ok()?;
    u64::try_from(time.tv_sec() * 1_000_000_000 + time.tv_nsec()).ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_line_of_the_kernel_is_read() {
        let tail = "S 7 1 1 0 -1 4194560 1 2 3 4 10 20 30 40 20 0 1 0 12345 1 2";
        let status = Status::parse(&format!("42 (a (b) c) {tail}")).expect("a status");
        assert_eq!(status.identity, Identity { pid: 42, started: 12345 });
        assert_eq!((status.parent, &*status.name), (7, "a (b) c"));
        let tick = 1_000_000_000 / rustix::param::clock_ticks_per_second();
        assert_eq!(status.reaped, 70 * tick);
        assert_eq!(Status::parse("42 (short) S 7"), None);
    }

    #[test]
    fn what_processes_use_between_readings_counts_with_those_that_have_ended() {
        let process = |pid, cpu| ProcessReading { pid, started: 1, cpu, ..Default::default() };
        let open =
            TreeReading { processes: vec![process(1, 100), process(2, 50)], ..Default::default() };
        // The second has ended with 70 in all, a third has begun.
        let close =
            TreeReading { processes: vec![process(1, 130), process(3, 5)], reaped: 70, at: 9 };
        assert_eq!(close.cpu_since(&open), 30 + 5 + 20);
        // It was not waited for: what it used is not known.
        assert_eq!(TreeReading { reaped: 0, ..close }.cpu_since(&open), 35);
        // Another process has the number.
        let again = ProcessReading { started: 2, ..process(1, 8) };
        let close = TreeReading { processes: vec![again, process(2, 50)], ..Default::default() };
        assert_eq!(close.cpu_since(&open), 8);
    }

    #[test]
    fn cpu_time_of_another_process_and_of_what_it_started_is_seen() {
        let mut shell = Command::new("sh")
            .args(["-c", "sh -c 'while :; do :; done' & echo begun; wait"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut begun = [0; 6];
        std::io::Read::read_exact(&mut shell.stdout.take().expect("a pipe"), &mut begun)
            .expect("it says so");
        let tree = ProcessTree::of(shell.id()).expect("it runs");
        let open = tree.read();
        assert!(open.processes.len() == 2 && open.processes[0].pid == shell.id(), "{open:?}");
        assert!(open.processes[0].command_line().starts_with("sh -c"));
        let busy = open.processes[1].clone();
        while tree.read().cpu_since(&open) < 1_000_000 {
            assert!(tree.lives(), "it runs on");
        }
        assert_eq!(busy.threads().len(), 1);
        let pid = rustix::process::Pid::from_raw(busy.pid as i32).expect("a process");
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("it is ours");
        shell.wait().expect("it ends");
        assert!(!tree.lives() && tree.read().processes.is_empty());
    }

    #[test]
    fn a_shell_that_waits_does_not_count_among_those_that_choose_processors() {
        let script = "taskset -c \"$1\" sh -c 'while :; do :; done' & echo $!; wait";
        let one = Cpus::allowed().numbers()[0].to_string();
        let mut shell = Command::new("sh")
            .args(["-c", script, "sh", &one])
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut number = String::new();
        let mut told = std::io::BufReader::new(shell.stdout.take().expect("a pipe"));
        std::io::BufRead::read_line(&mut told, &mut number).expect("it says its number");
        let tree = ProcessTree::of(shell.id()).expect("it runs");
        testkit::wait_until("the one that computes is told from the shell", || {
            tree.cpus().is_some_and(|cpus| cpus.numbers().len() == 1)
        });
        let pid = number.trim().parse().ok().and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(pid.expect("a process"), rustix::process::Signal::KILL)
            .expect("it is ours");
        shell.wait().expect("it ends");
    }

    #[test]
    fn nothing_is_known_of_a_process_that_is_not_there() {
        assert_eq!(ProcessTree::of(u32::MAX), None);
        assert_eq!(ProcessTree::listening_at("127.0.0.1:1".parse().expect("one")), None);
    }

    #[test]
    fn a_service_is_found_by_its_port_and_the_program_that_asks_is_no_part_of_it() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("it has one");
        let tree = ProcessTree::listening_at(address).expect("it is this process");
        let found: Vec<u32> = tree.read().processes.iter().map(|process| process.pid).collect();
        assert_eq!(found.first(), Some(&std::process::id()));
    }
}
