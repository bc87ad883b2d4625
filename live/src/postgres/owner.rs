//! The user that the server runs as: Postgres refuses to run as root.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use nix::unistd::User;

/// Users without privileges, the one that Debian makes for Postgres first.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// Who owns the cluster and runs the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// The user of this program.
    Same,
    /// Another, since this program is root.
    Other {
        /// Its number.
        user: u32,
        /// Its group's.
        group: u32,
    },
}

impl Owner {
    /// Whoever may run a server here.
    ///
    /// # Errors
    /// This program is root, and there is no user without privileges.
    pub(super) fn find() -> Result<Owner, String> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Owner::Same);
        }
        let known = UNPRIVILEGED.iter().find_map(|name| User::from_name(name).ok().flatten());
        let user = known.ok_or(
            "Postgres refuses to run as root, and there is neither a user `postgres` nor `nobody`",
        )?;
        Ok(Owner::Other { user: user.uid.as_raw(), group: user.gid.as_raw() })
    }

    /// Gives it `path`.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn give(self, path: &Path) -> std::io::Result<()> {
        match self {
            Owner::Same => Ok(()),
            Owner::Other { user, group } => std::os::unix::fs::chown(path, Some(user), Some(group)),
        }
    }

    /// Has `command` run as this user, in a process group of its own: Ctrl-C in a terminal is
    /// for the measurement.
    pub(super) fn runs(self, command: &mut Command) -> &mut Command {
        if let Owner::Other { user, group } = self {
            command.uid(user).gid(group);
        }
        command.process_group(0)
    }
}
