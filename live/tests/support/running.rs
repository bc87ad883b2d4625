//! A program that runs beside its test.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::Ended;

/// How long anything that must happen may take: the machine may be busy with other things.
const PATIENCE: Duration = Duration::from_secs(60);

/// Looks again and again until there is what `look` looks for.
///
/// # Panics
/// It never comes.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        sleep(Duration::from_millis(5));
    }
}

/// A program that runs. It is killed if its test ends before it does.
#[derive(Debug)]
pub(crate) struct Running(Option<Child>);

impl Running {
    /// Starts `command`, whose output is piped, in a process group of its own, as a shell
    /// does.
    pub(crate) fn start(mut command: Command) -> Running {
        command.process_group(0);
        Running(Some(command.spawn().expect("the program runs")))
    }

    fn process(&mut self) -> &mut Child {
        self.0.as_mut().expect("it is there until it has ended")
    }

    /// The first address on the next lines of its standard output.
    pub(crate) fn address(&mut self) -> SocketAddr {
        let stdout = self.process().stdout.as_mut().expect("it is piped");
        for line in BufReader::with_capacity(1, stdout).lines() {
            let line = line.expect("it is text");
            if let Some((_, address)) = line.split_once("http://") {
                return address.trim().parse().expect("an address");
            }
        }
        panic!("it named no address: {:?}", self.0)
    }

    /// Its number.
    pub(crate) fn pid(&mut self) -> Pid {
        Pid::from_child(self.process())
    }

    /// Sends it a signal.
    pub(crate) fn signal(&mut self, signal: Signal) {
        kill_process(self.pid(), signal).expect("it is ours");
    }

    /// Waits for its end.
    pub(crate) fn ended(self) -> Ended {
        self.ended_while(|| ())
    }

    /// Waits for its end, and looks at something again and again meanwhile.
    pub(crate) fn ended_while(mut self, mut look: impl FnMut()) -> Ended {
        until("the end of the program", || {
            look();
            self.process().try_wait().expect("it is ours")
        });
        let child = self.0.take().expect("it is there until now");
        child.wait_with_output().expect("it is ours").into()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
