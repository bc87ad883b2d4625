//! The virtual environment with Python's libraries: made once, checked before each use.
//!
//! `pip` installs what the lock file names, by version and hash. uv wrote that file, but is not
//! needed here: it would have to be downloaded with `pip` first.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::sources::REQUIREMENTS;
use super::turn::Turn;

/// The oldest Python that the application runs on.
const OLDEST: (u32, u32) = (3, 11);
/// Marks a folder as an environment of rung's. Holds the lock file once all is installed.
const MARK: &str = "rung-requirements.txt";
/// How many of a program's last lines an error shows.
const LAST_LINES: usize = 8;
/// Names every library and its version, with Python's and SQLite's own.
const ASK: &str = "import importlib.metadata as m, json, platform, sqlite3
versions = {d.metadata['Name'].lower().replace('_', '-'): d.version for d in m.distributions()}
versions |= {'python': platform.python_version(), 'sqlite': sqlite3.sqlite_version}
import aiosqlite, asyncpg, fastapi, gunicorn, httptools, httpx, psycopg, sqlalchemy
import uvicorn, uvicorn_worker, uvloop
print(json.dumps(versions))";

/// An environment that can be used.
#[derive(Clone, Debug)]
pub(super) struct Environment {
    python: PathBuf,
    versions: BTreeMap<String, String>,
}

/// Why there is no environment.
#[derive(Debug, thiserror::Error)]
pub(super) enum EnvironmentError {
    /// No such program.
    #[error(
        "cannot start `{python}`: {source}. The target fastapi needs Python {}.{} or later: \
         install it, or name it with `live setup fastapi --python PROGRAM`", OLDEST.0, OLDEST.1
    )]
    NoPython {
        /// What was tried.
        python: String,
        /// What the system says.
        source: io::Error,
    },
    /// Too old, or none at all.
    #[error(
        "`{python}` is {found}; allowed: Python {}.{} or later. Install one, or name it with \
         `live setup fastapi --python PROGRAM`", OLDEST.0, OLDEST.1
    )]
    OldPython {
        /// What was tried.
        python: String,
        /// What it says.
        found: String,
    },
    /// `venv` is missing or fails.
    #[error(
        "`{python} -m venv {}` failed:\n{output}\nDebian and Ubuntu have it in the package \
         python3-venv", folder.display()
    )]
    NoVenv {
        /// The Python.
        python: String,
        /// Where.
        folder: PathBuf,
        /// The end of what it printed.
        output: String,
    },
    /// `pip` fails.
    #[error(
        "pip could not install the libraries into {}:\n{output}\nTry again with `live setup \
         fastapi`: it needs the network, once", folder.display()
    )]
    Pip {
        /// Where.
        folder: PathBuf,
        /// The end of what it printed.
        output: String,
    },
    /// It was made, and does not work any more.
    #[error(
        "the environment {} is broken: {why}\nMake it again with `live setup fastapi --again`",
        folder.display()
    )]
    Broken {
        /// Which.
        folder: PathBuf,
        /// How that shows.
        why: String,
    },
    /// The folder was not made by rung.
    #[error(
        "the folder {} is there already, and is no environment of rung's: name another with \
         --environment, or remove it", folder.display()
    )]
    Foreign {
        /// Which.
        folder: PathBuf,
    },
    /// The folder cannot be written.
    #[error("cannot write to the folder {}: {source}", folder.display())]
    Folder {
        /// Which.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// How a folder looks from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing is there.
    Missing,
    /// It is complete.
    Complete,
    /// It was not finished, or has other versions than this program wants.
    Outdated,
    /// Something else is there.
    Foreign,
}

impl State {
    /// What `folder` is.
    pub(super) fn of(folder: &Path) -> State {
        match fs::read_to_string(folder.join(MARK)) {
            Ok(installed) if installed == REQUIREMENTS => State::Complete,
            Ok(_) => State::Outdated,
            Err(_) if is_empty(folder) => State::Missing,
            Err(_) => State::Foreign,
        }
    }
}

fn is_empty(folder: &Path) -> bool {
    match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

impl Environment {
    /// The environment in `folder`, which is complete.
    ///
    /// # Errors
    /// It does not work.
    pub(super) fn open(folder: &Path) -> Result<Environment, EnvironmentError> {
        let broken = |why: String| EnvironmentError::Broken { folder: folder.to_path_buf(), why };
        // Servers are started from another folder.
        let folder = std::path::absolute(folder).map_err(|error| broken(error.to_string()))?;
        let python = folder.join("bin/python");
        let output = Command::new(&python).args(["-I", "-c", ASK]).stdin(Stdio::null()).output();
        let output = output.map_err(|error| broken(format!("{}: {error}", python.display())))?;
        if !output.status.success() {
            return Err(broken(last_lines(&output.stderr)));
        }
        let all: BTreeMap<String, String> = serde_json::from_slice(&output.stdout)
            .map_err(|error| broken(format!("its Python answers nonsense: {error}")))?;
        let versions = checked(all).map_err(broken)?;
        Ok(Environment { python, versions })
    }

    /// Makes an environment in `folder` with the Python `python`, in place of an incomplete or
    /// outdated one; in place of a complete one only `again`. `progress` is called with each
    /// line of what happens. Of several programs that do so at the same time, one makes it and
    /// the others wait.
    ///
    /// # Errors
    /// Something is missing or fails.
    pub(super) fn make(
        folder: &Path,
        python: &str,
        again: bool,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Environment, EnvironmentError> {
        check_python(python)?;
        let failed = |source| EnvironmentError::Folder { folder: folder.to_path_buf(), source };
        let turn = Turn::take(folder, progress).map_err(failed)?;
        match State::of(folder) {
            State::Foreign => {
                return Err(EnvironmentError::Foreign { folder: folder.to_path_buf() });
            }
            State::Missing => {}
            // The program that had the turn before has made it.
            State::Complete if turn.waited || !again => return Environment::open(folder),
            State::Complete | State::Outdated => fs::remove_dir_all(folder).map_err(failed)?,
        }
        fs::create_dir_all(folder).map_err(failed)?;
        let mark = folder.join(MARK);
        fs::write(&mark, "").map_err(failed)?;
        progress("making a virtual environment");
        let mut venv = Command::new(python);
        venv.args(["-m", "venv"]).arg(folder);
        run(venv, progress).map_err(|output| EnvironmentError::NoVenv {
            python: python.to_string(),
            folder: folder.to_path_buf(),
            output,
        })?;
        let wanted = folder.join("requirements.txt");
        fs::write(&wanted, REQUIREMENTS).map_err(failed)?;
        progress("installing");
        let mut pip = Command::new(folder.join("bin/python"));
        pip.args(["-m", "pip", "install", "--disable-pip-version-check", "--no-input"]);
        pip.args(["--progress-bar", "off", "--require-hashes", "--requirement"]).arg(&wanted);
        run(pip, progress)
            .map_err(|output| EnvironmentError::Pip { folder: folder.to_path_buf(), output })?;
        let environment = Environment::open(folder)?;
        fs::write(&mark, REQUIREMENTS).map_err(failed)?;
        Ok(environment)
    }

    /// Its Python.
    pub(super) fn python(&self) -> &Path {
        &self.python
    }

    /// Versions of Python, SQLite and the libraries.
    pub(super) fn library_versions(&self) -> &BTreeMap<String, String> {
        &self.versions
    }
}

/// The versions of what is measured, if they are the wanted ones.
fn checked(mut found: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, String> {
    let mut versions = BTreeMap::new();
    for (name, wanted) in wanted() {
        match found.remove(&name) {
            Some(version) if version == wanted => versions.insert(name, version),
            Some(version) => return Err(format!("it has {name} {version} instead of {wanted}")),
            None => return Err(format!("it lacks {name} {wanted}")),
        };
    }
    let own = ["python", "sqlite"].into_iter();
    versions.extend(own.filter_map(|name| Some((name.to_string(), found.remove(name)?))));
    Ok(versions)
}

/// Every library of the lock file with its version.
fn wanted() -> impl Iterator<Item = (String, &'static str)> {
    // A marker or a hash may follow the version.
    let pins = REQUIREMENTS.lines().filter_map(|line| line.split_once("=="));
    pins.filter_map(|(name, rest)| Some((name.to_string(), rest.split([' ', ';']).next()?)))
}

fn check_python(python: &str) -> Result<(), EnvironmentError> {
    let output = Command::new(python).arg("--version").stdin(Stdio::null()).output();
    let output = output
        .map_err(|source| EnvironmentError::NoPython { python: python.to_string(), source })?;
    let found = String::from_utf8_lossy(&output.stdout).trim().to_string();
    if version(&found).is_some_and(|version| version >= OLDEST) {
        return Ok(());
    }
    let found = match found.lines().next() {
        Some(line) if line.starts_with("Python ") => line.to_string(),
        _ => "no Python 3".to_string(),
    };
    Err(EnvironmentError::OldPython { python: python.to_string(), found })
}

/// The numbers in `Python 3.11.7`.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.strip_prefix("Python ")?.split('.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

/// Runs `command`, and calls `progress` with each line that it prints.
///
/// # Errors
/// The last lines that it printed, if it failed.
fn run(mut command: Command, progress: &mut dyn FnMut(&str)) -> Result<(), String> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().map_err(|error| error.to_string())?;
    let mut errors = process.stderr.take().expect("it is piped");
    // Read at the same time, or the program would block on a full pipe.
    let reader = std::thread::spawn(move || {
        let mut printed = Vec::new();
        // An error leaves what was read before it.
        let _ = errors.read_to_end(&mut printed);
        printed
    });
    let mut printed = Vec::new();
    let lines = BufReader::new(process.stdout.take().expect("it is piped")).lines();
    for line in lines.map_while(Result::ok) {
        progress(&line);
        printed.extend_from_slice(line.as_bytes());
        printed.push(b'\n');
    }
    let status = process.wait().map_err(|error| error.to_string())?;
    printed.extend(reader.join().unwrap_or_default());
    if status.success() { Ok(()) } else { Err(last_lines(&printed)) }
}

fn last_lines(printed: &[u8]) -> String {
    let text = String::from_utf8_lossy(printed);
    let lines: Vec<&str> = text.trim().lines().collect();
    lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_requirement_is_pinned_and_has_hashes() {
        let entry = |line: &&str| !line.starts_with(['#', ' ']) && !line.is_empty();
        assert_eq!(wanted().count(), REQUIREMENTS.lines().filter(entry).count());
        assert!(wanted().any(|pin| pin == ("uvloop".into(), "0.23.0")), "its line has a marker");
        let hashes = REQUIREMENTS.lines().filter(|line| line.contains("--hash=sha256:"));
        assert!(hashes.count() >= wanted().count());
    }

    #[test]
    fn a_wrong_or_missing_version_is_named() {
        let mut found: BTreeMap<String, String> =
            wanted().map(|(name, version)| (name, version.to_string())).collect();
        found.insert("python".into(), "3.11.7".into());
        found.insert("pip".into(), "1".into());
        let versions = checked(found.clone()).expect("all are there");
        assert!(versions.contains_key("python") && !versions.contains_key("pip"));
        found.insert("fastapi".into(), "0.1".into());
        let why = checked(found.clone()).expect_err("another version");
        assert!(why.starts_with("it has fastapi 0.1 instead of"), "{why}");
        found.remove("fastapi");
        let why = checked(found).expect_err("it is missing");
        assert!(why.starts_with("it lacks fastapi"), "{why}");
    }

    #[test]
    fn versions_of_python_are_compared_as_numbers() {
        assert_eq!(version("Python 3.9.2"), Some((3, 9)));
        assert!(
            version("Python 3.9.2") < Some(OLDEST) && version("Python 3.12.0rc1") > Some(OLDEST)
        );
        assert_eq!(version("bash 5"), None);
    }

    #[test]
    fn a_python_that_is_none_is_told_with_what_to_do() {
        let told = |python| check_python(python).expect_err("no Python").to_string();
        assert!(told("/nowhere/python3").contains("--python PROGRAM"));
        let told = told("true");
        assert!(told.contains("no Python 3") && told.contains("3.11 or later"), "{told}");
    }

    #[test]
    fn a_folder_that_rung_did_not_make_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(State::of(folder.path()), State::Missing);
        assert_eq!(State::of(&folder.path().join("none")), State::Missing);
        fs::write(folder.path().join("diary.txt"), "dear").expect("it can be written");
        assert_eq!(State::of(folder.path()), State::Foreign);
        fs::write(folder.path().join(MARK), "fastapi==0.1").expect("it can be written");
        assert_eq!(State::of(folder.path()), State::Outdated);
        fs::write(folder.path().join(MARK), REQUIREMENTS).expect("it can be written");
        assert_eq!(State::of(folder.path()), State::Complete);
    }
}
