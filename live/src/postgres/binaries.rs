//! The programs of Postgres on this machine.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Major versions that `live` can start and look at.
const SUPPORTED: RangeInclusive<u32> = 14..=17;
/// Where Debian and Ubuntu install each major version, in a folder of its own.
const DEBIAN: &str = "/usr/lib/postgresql";

/// A folder with `postgres` and `initdb` of a supported version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Binaries {
    folder: PathBuf,
    /// As the server says it, such as `15.18`.
    pub(crate) version: String,
}

/// Why no server can be started. One line, which says what to install.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BinariesError {
    /// There is none.
    #[error(
        "no Postgres server on this machine, neither on PATH nor below {DEBIAN}: install it, on \
         Debian and Ubuntu with `apt-get install postgresql`"
    )]
    Missing,
    /// There is one that this program does not know.
    #[error(
        "{} is Postgres {version}, and live runs {} to {}: install one of them",
        path.display(), SUPPORTED.start(), SUPPORTED.end()
    )]
    Unsupported {
        /// The program.
        path: PathBuf,
        /// Its version.
        version: String,
    },
}

/// Finds the server: the first on PATH, else the newest that Debian has installed.
///
/// # Errors
/// There is none, or none of a supported version.
pub(crate) fn find() -> Result<Binaries, BinariesError> {
    let path = env::var_os("PATH").unwrap_or_default();
    choose(&path, Path::new(DEBIAN))
}

fn choose(path: &OsStr, debian: &Path) -> Result<Binaries, BinariesError> {
    let on_path = env::split_paths(path).filter(|folder| folder.is_absolute());
    let mut unsupported = None;
    for folder in on_path.chain(installed(debian)) {
        let server = folder.join("postgres");
        if !server.is_file() || !folder.join("initdb").is_file() {
            continue;
        }
        let Some(version) = version_of(&server) else { continue };
        if major(&version).is_some_and(|major| SUPPORTED.contains(&major)) {
            return Ok(Binaries { folder, version });
        }
        unsupported.get_or_insert(BinariesError::Unsupported { path: server, version });
    }
    Err(unsupported.unwrap_or(BinariesError::Missing))
}

/// Debian's folders of programs, newest first.
fn installed(debian: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(debian).into_iter().flatten().flatten();
    let mut all: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    all.sort_unstable_by(|one, other| other.cmp(one));
    all.into_iter().map(|(_, folder)| folder).collect()
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` becomes `15.18`.
fn version_of(server: &Path) -> Option<String> {
    let told = Command::new(server).arg("--version").output().ok()?.stdout;
    let told = String::from_utf8(told).ok()?;
    let (_, rest) = told.split_once("(PostgreSQL) ")?;
    Some(rest.split_whitespace().next()?.to_string())
}

fn major(version: &str) -> Option<u32> {
    let digits = version.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(version.len());
    version[..digits].parse().ok()
}

impl Binaries {
    /// The path of one of the programs.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Where the programs are.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The programs in `folder`, which were found before.
    pub(crate) fn at(folder: PathBuf, version: String) -> Binaries {
        Binaries { folder, version }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A folder with programs that say that they are of `version`.
    fn programs(folder: &Path, version: &str) -> PathBuf {
        fs::create_dir_all(folder).expect("a folder");
        for name in ["postgres", "initdb"] {
            let path = folder.join(name);
            let text = format!("#!/bin/sh\necho '{name} (PostgreSQL) {version} (Debian x)'\n");
            fs::write(&path, text).expect("a file");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("ours");
        }
        folder.to_path_buf()
    }

    #[test]
    fn the_path_comes_first_and_then_the_newest_of_debian() {
        let root = tempfile::tempdir().expect("a folder");
        let debian = root.path().join("debian");
        assert_eq!(choose(OsStr::new(""), &debian), Err(BinariesError::Missing));
        programs(&debian.join("9/bin"), "9.6.1");
        let refused = choose(OsStr::new(""), &debian).expect_err("it is too old");
        let told = refused.to_string();
        assert!(told.contains("is Postgres 9.6.1, and live runs 14 to 17"), "{told}");
        programs(&debian.join("14/bin"), "14.2");
        let newest = programs(&debian.join("16/bin"), "16.3");
        let found = choose(OsStr::new("relative:"), &debian).expect("one that is supported");
        assert_eq!(found, Binaries::at(newest, "16.3".into()));
        let own = programs(&root.path().join("own"), "17rc1");
        let found = choose(own.as_os_str(), &debian).expect("one on the path");
        assert_eq!(found, Binaries::at(own, "17rc1".into()));
    }

    #[test]
    fn what_is_missing_is_said_in_one_line_with_what_to_install() {
        let told = BinariesError::Missing.to_string();
        assert!(!told.contains('\n') && told.contains("apt-get install postgresql"), "{told}");
    }
}
