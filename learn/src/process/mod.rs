//! The processes of a service: which they are, what they compute, how they were started.

mod account;
mod command;
mod start;

use std::io;
use std::path::PathBuf;

pub use account::{Account, Reading};
pub use command::{Facts, facts};
pub use start::Started;

/// Why nothing can be said of the processes. Each sentence says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// There is no such process.
    #[error("there is no process {0}; name one that runs with --pid")]
    NoProcess(u32),
    /// It cannot be seen what listens there.
    #[error(
        "no process that can be seen from here listens on port {0}: it is another user's, or in a \
         container; name it with --pid or --cgroup, or let --start start it"
    )]
    NoListener(u16),
    /// A control group that is none.
    #[error("cannot read {}: {source}; --cgroup takes a folder of a cgroup v2, such as \
             /sys/fs/cgroup/system.slice/shop.service", path.display())]
    Cgroup {
        /// Where.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// This program would count itself.
    #[error(
        "this program runs in the control group {} itself, so that its own CPU time would count; \
         name a group of the service alone", .0.display()
    )]
    OwnCgroup(PathBuf),
    /// The service cannot be started.
    #[error("cannot start the service: {0}")]
    Spawn(#[source] io::Error),
    /// The service has ended.
    #[error("the service ended ({status}){}", words(.tail))]
    Ended {
        /// Its exit code, or the signal that ended it.
        status: String,
        /// The end of what it wrote.
        tail: String,
    },
    /// The service does not listen.
    #[error("the service did not listen on port {port} within {seconds} s{}", words(.tail))]
    Silent {
        /// The port.
        port: u16,
        /// How long it had.
        seconds: u64,
        /// The end of what it wrote.
        tail: String,
    },
}

fn words(tail: &str) -> String {
    match tail {
        "" => String::new(),
        tail => format!(". Its last words:\n{tail}"),
    }
}
