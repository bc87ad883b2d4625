//! Whether a service that was just started still loads itself.

use std::thread;
use std::time::Duration;

use super::ProcessTree;

/// How long one look takes.
const LOOK: Duration = Duration::from_millis(250);
/// It rests if it computes for a smaller share of the time.
const SHARE: f64 = 0.1;
/// Looks at most: a service that works on a schedule never rests.
const LOOKS: usize = 40;

impl ProcessTree {
    /// Waits until its processes compute little, for 10 s at most, or until `interrupted`: a service
    /// may accept connections before it has loaded itself, as gunicorn does, and what comes
    /// meanwhile would wait for that.
    pub fn wait_for_rest(&self, interrupted: impl Fn() -> bool) {
        let mut before = self.read();
        for _ in 0..LOOKS {
            if interrupted() {
                return;
            }
            thread::sleep(LOOK);
            let after = self.read();
            let seconds = after.at.saturating_sub(before.at) as f64;
            if (after.cpu_since(&before) as f64) < SHARE * seconds {
                return;
            }
            before = after;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command};
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    struct Ended(Child);

    impl Drop for Ended {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    /// How often was asked whether to go on while this shell command runs.
    fn asked(command: &str) -> u32 {
        let shell = Command::new("sh").args(["-c", command]).spawn().expect("there is a shell");
        let shell = Ended(shell);
        let tree = ProcessTree::of(shell.0.id()).expect("it runs");
        let count = AtomicU32::new(0);
        tree.wait_for_rest(|| count.fetch_add(1, Ordering::Relaxed) == 8);
        count.into_inner()
    }

    #[test]
    fn it_ends_when_the_service_sleeps_or_the_user_wants_to_end() {
        // The shell may have computed in the first look.
        assert!(asked("exec sleep 60") <= 3);
        assert_eq!(asked("while true; do :; done"), 9);
    }
}
