//! What the system allows a process: thousands of connections are thousands of open files.

use rustix::process::{Resource, Rlimit, getrlimit, setpriority_process, setrlimit};

/// Raises the number of files that this process and its children may have open to the
/// most that is allowed without asking an administrator. Says how many that is; none is
/// unlimited.
pub fn raise_open_files() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    // A system may refuse a soft limit that its hard limit seems to allow (macOS does); the
    // old one then holds.
    let _ = setrlimit(Resource::Nofile, raised);
    getrlimit(Resource::Nofile).current
}

/// Gives this thread the lowest priority: it runs when no other wants the processor, and next to
/// never when one does. Elsewhere than on Linux that would be the whole process, and is left.
pub(crate) fn give_way() {
    const LOWEST: i32 = 19;
    if cfg!(target_os = "linux") {
        // Where it may not be lowered, it stays.
        let _ = setpriority_process(None, LOWEST);
    }
}

/// The longest queue of connections that wait to be accepted, whatever a program asks for;
/// none if the system does not say.
pub fn backlog_max() -> Option<u32> {
    super::line_of("/proc/sys/net/core/somaxconn")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        let allowed = raise_open_files();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(allowed, limit.maximum);
        assert_eq!(limit.current, limit.maximum);
    }
}
