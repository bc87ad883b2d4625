//! Faults at random moments of a run: processes that are killed or stand still, a disk that is full, a
//! clock that jumps. Whatever comes, the account of requests adds up, what was measured is kept or the
//! program says why not, and nothing is left behind.
//!
//! Each seed is one schedule of faults. `RUNG_CHAOS=7` runs the seed 7 alone, as often as one likes.
#![allow(clippy::print_stderr, reason = "a schedule that fails is told with its seed")]

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rustix::process::{Pid, Signal, kill_process};

use crate::shop::Shop;
use crate::support::Kept;

/// Schedules that are tried.
const SEEDS: u64 = 12;
/// How long the load lasts without a fault.
const LASTS: Duration = Duration::from_secs(3);
/// What a file system that fills up holds.
const DISK: &str = "size=24m";

/// What goes wrong.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// A process of this name is killed.
    Killed(&'static str),
    /// A process of this name stands still for a time. The empty name is the program itself, or any.
    Paused(&'static str, Duration),
    /// The disk with the database and the results is full for a time.
    Full(Duration),
    /// The clock of the wall jumps by so many seconds.
    Jumps(i64),
}

/// The faults of one run, each with the time of the load at which it comes.
#[derive(Debug)]
struct Schedule {
    faults: Vec<(Duration, Fault)>,
}

impl Schedule {
    fn of(seed: u64) -> Schedule {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut below = |most: u64| random.next_u64() % most;
        let count = 1 + below(3);
        let mut faults: Vec<(Duration, Fault)> = (0..count)
            .map(|_| {
                let at = Duration::from_millis(below(LASTS.as_millis() as u64));
                let pause = Duration::from_millis(50 + below(1000));
                let fault = match below(8) {
                    0 => Fault::Killed("worker-process"),
                    1 => Fault::Killed("upstream-process"),
                    2 => Fault::Killed("witness-process"),
                    3 => Fault::Paused("worker-process", pause),
                    4 => Fault::Paused("upstream-process", pause),
                    5 => Fault::Paused("", pause),
                    6 => Fault::Full(pause),
                    _ => Fault::Jumps(below(7200) as i64 - 3600),
                };
                (at, fault)
            })
            .collect();
        faults.sort_by_key(|(at, _)| *at);
        Schedule { faults }
    }

    /// True if a fault may end the run before its time.
    fn may_end_it(&self) -> bool {
        self.faults.iter().any(|(_, fault)| matches!(fault, Fault::Full(_)))
    }
}

/// A file system of its own for the results of a run, which ends with it.
struct Disk(PathBuf);

impl Disk {
    /// None where this user may not mount one, which is said.
    fn new(at: PathBuf) -> Option<Disk> {
        fs::create_dir_all(&at).expect("a folder of ours");
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", DISK, "none"]).arg(&at).output();
        if mount.is_ok_and(|mount| mount.status.success()) {
            return Some(Disk(at));
        }
        eprintln!("no file system can be mounted here: a full disk is not tried");
        None
    }

    /// Takes all that is left of it for a time.
    fn is_full(&self, lasts: Duration) {
        let path = self.0.join(".taken");
        let mut file = File::create(&path).expect("a file system of ours");
        for piece in [1 << 16, 1 << 8, 1] {
            while file.write_all(&vec![0; piece]).is_ok() {}
        }
        sleep(lasts);
        fs::remove_file(path).expect("a file of ours");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // The folder below it goes with the lab.
        let _ = Command::new("umount").arg(&self.0).output();
    }
}

/// A clock of the wall that can be moved under a program: libfaketime reads its offset from a file.
struct Clock {
    offset: PathBuf,
    library: PathBuf,
}

impl Clock {
    /// None where libfaketime is missing, which is said.
    fn new(offset: PathBuf) -> Option<Clock> {
        let folders = ["/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/aarch64-linux-gnu/faketime"];
        let library = folders.map(|folder| Path::new(folder).join("libfaketime.so.1"));
        let Some(library) = library.into_iter().find(|path| path.exists()) else {
            eprintln!("no libfaketime on this machine: a clock that jumps is not tried");
            return None;
        };
        let clock = Clock { offset, library };
        clock.jumps(0);
        Some(clock)
    }

    fn jumps(&self, seconds: i64) {
        fs::write(&self.offset, format!("{seconds:+}s")).expect("a folder of ours");
    }

    fn under(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", &self.library)
            .env("FAKETIME_TIMESTAMP_FILE", &self.offset)
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    }
}

/// Carries out the schedule of `seed` on a run.
fn outlives(seed: u64) {
    let schedule = Schedule::of(seed);
    eprintln!("seed {seed}: {schedule:?}");
    let shop = Shop::new();
    let disk = Disk::new(shop.lab.path("runs"));
    let clock = Clock::new(shop.lab.path("offset"));
    let words = format!(
        "run shop.toml --port {} --warmup 0s --duration {}s --set load.timeout=500ms",
        shop.port,
        LASTS.as_secs()
    );
    let mut command = shop.lab.command(&words);
    if let Some(clock) = &clock {
        clock.under(&mut command);
    }
    let mut run = shop.lab.start_command(command);
    shop.lab.wait_for("the load", || (run.has_ended() || shop.is_loaded()).then_some(()));
    let began = Instant::now();
    for (at, fault) in &schedule.faults {
        sleep(at.saturating_sub(began.elapsed()));
        strikes(*fault, &shop, disk.as_ref(), clock.as_ref());
    }
    let ended = run.ended();
    let kept = match ended.code {
        Some(0 | 3) => Some(shop.lab.kept(&ended)),
        // It could not go on, or could not keep what it had, and says so.
        Some(2) if schedule.may_end_it() && ended.err.contains("error: ") => {
            ended.err.contains("kept in ").then(|| shop.lab.kept(&ended))
        }
        _ => panic!("seed {seed}: {schedule:?}: {ended:?}"),
    };
    if let Some(kept) = &kept {
        is_sound(kept);
        eprintln!("seed {seed}: {:?}", kept.measurement().accounting);
    }
    shop.is_gone(usize::from(kept.is_some()));
}

/// More than that its numbers add up, which was looked at when it was read: no time before or after the run.
fn is_sound(kept: &Kept) {
    let run = &kept.report.run;
    assert!(run.duration >= 0.0 && run.duration < 600.0, "{run:?}");
    assert!(kept.report.response_time.max < 600.0, "{:?}", kept.report.response_time);
}

fn strikes(fault: Fault, shop: &Shop, disk: Option<&Disk>, clock: Option<&Clock>) {
    // A process may have ended already.
    let signal = |processes: &[Pid], signal: Signal| {
        for pid in processes {
            let _ = kill_process(*pid, signal);
        }
    };
    match fault {
        Fault::Killed(name) => {
            let victim: Vec<Pid> = shop.lab.processes(name).into_iter().take(1).collect();
            signal(&victim, Signal::KILL);
        }
        Fault::Paused(name, lasts) => {
            let stopped = shop.lab.processes(name);
            signal(&stopped, Signal::STOP);
            sleep(lasts);
            signal(&stopped, Signal::CONT);
        }
        Fault::Full(lasts) => disk.into_iter().for_each(|disk| disk.is_full(lasts)),
        Fault::Jumps(seconds) => clock.into_iter().for_each(|clock| clock.jumps(seconds)),
    }
}

#[test]
fn a_run_outlives_faults_at_any_moment() {
    if let Some(seed) = std::env::var("RUNG_CHAOS").ok().and_then(|seed| seed.parse().ok()) {
        return outlives(seed);
    }
    (1..=SEEDS).for_each(outlives);
}
