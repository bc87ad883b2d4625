//! The virtual environment with Python's libraries: made once, checked before each use.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::sources::REQUIREMENTS;

/// Where it is made unless the user says otherwise, below the current folder.
pub const FOLDER: &str = ".rung/fastapi";
/// The Python that makes it, unless the user says otherwise.
pub const PYTHON: &str = "python3";
/// The oldest Python that the application runs on.
const OLDEST: (u32, u32) = (3, 11);
/// Marks a folder as an environment of ours. Says what was installed once that is complete.
const MARK: &str = "rung-requirements.txt";
/// How many of a program's last lines an error tells.
const LAST_LINES: usize = 8;
/// Names every library and its version, with Python's and SQLite's own.
const ASK: &str = "import importlib.metadata as m, json, platform, sqlite3
versions = {d.metadata['Name'].lower().replace('_', '-'): d.version for d in m.distributions()}
versions |= {'python': platform.python_version(), 'sqlite': sqlite3.sqlite_version}
import aiosqlite, fastapi, gunicorn, httptools, httpx, sqlalchemy, uvicorn, uvicorn_worker, uvloop
print(json.dumps(versions))";

/// An environment that can be used.
#[derive(Clone, Debug)]
pub struct Environment {
    python: PathBuf,
    versions: BTreeMap<String, String>,
}

/// Why there is no environment.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
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
        "`{python} -m venv {}` failed:\n{last_words}\nDebian and Ubuntu have it in the package \
         python3-venv", folder.display()
    )]
    NoVenv {
        /// The Python.
        python: String,
        /// Where.
        folder: PathBuf,
        /// The end of what it said.
        last_words: String,
    },
    /// `pip` fails.
    #[error(
        "pip could not install the libraries into {}:\n{last_words}\nTry again with `live setup \
         fastapi`: it needs the network, once", folder.display()
    )]
    Pip {
        /// Where.
        folder: PathBuf,
        /// The end of what it said.
        last_words: String,
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
    /// Somebody else's.
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
pub enum State {
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
    pub fn of(folder: &Path) -> State {
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
    pub fn open(folder: &Path) -> Result<Environment, EnvironmentError> {
        let broken = |why: String| EnvironmentError::Broken { folder: folder.to_path_buf(), why };
        // Whoever starts it does so from another folder.
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

    /// Makes an environment in `folder` with the Python `python`, whatever was left there of
    /// an earlier one; one that is complete only `again`. What happens is told to `progress`.
    /// Of several programs that want it at the same time, one makes it and the others wait.
    ///
    /// # Errors
    /// Something is missing or fails.
    pub fn make(
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
            // Whoever had the turn before has made it.
            State::Complete if turn.waited || !again => return Environment::open(folder),
            State::Complete | State::Outdated => fs::remove_dir_all(folder).map_err(failed)?,
        }
        fs::create_dir_all(folder).map_err(failed)?;
        let mark = folder.join(MARK);
        fs::write(&mark, "").map_err(failed)?;
        progress("making a virtual environment");
        let mut venv = Command::new(python);
        venv.args(["-m", "venv"]).arg(folder);
        run(venv, progress).map_err(|last_words| EnvironmentError::NoVenv {
            python: python.to_string(),
            folder: folder.to_path_buf(),
            last_words,
        })?;
        let wanted = folder.join("requirements.txt");
        fs::write(&wanted, REQUIREMENTS).map_err(failed)?;
        progress("installing");
        let mut pip = Command::new(folder.join("bin/python"));
        pip.args(["-m", "pip", "install", "--disable-pip-version-check", "--no-input"]);
        pip.args(["--progress-bar", "off", "--requirement"]).arg(&wanted);
        run(pip, progress).map_err(|last_words| EnvironmentError::Pip {
            folder: folder.to_path_buf(),
            last_words,
        })?;
        let environment = Environment::open(folder)?;
        fs::write(&mark, REQUIREMENTS).map_err(failed)?;
        Ok(environment)
    }

    /// Its Python.
    pub fn python(&self) -> &Path {
        &self.python
    }

    /// Versions of Python, SQLite and the libraries.
    pub fn versions(&self) -> &BTreeMap<String, String> {
        &self.versions
    }
}

/// The right to change what lies beside it, until it is dropped. It is a lock on the folder
/// around the environment: the system lets go of it whatever becomes of the program, and no
/// file is left.
struct Turn {
    /// Somebody else had it first.
    waited: bool,
    _folder: File,
}

impl Turn {
    fn take(environment: &Path, progress: &mut dyn FnMut(&str)) -> io::Result<Turn> {
        let environment = std::path::absolute(environment)?;
        let around = environment.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(around)?;
        let folder = File::open(around)?;
        let waited = match folder.try_lock() {
            Ok(()) => false,
            Err(TryLockError::WouldBlock) => {
                progress("another program is installing it: waiting");
                folder.lock()?;
                true
            }
            Err(TryLockError::Error(error)) => return Err(error),
        };
        Ok(Turn { waited, _folder: folder })
    }
}

/// The versions that count, if they are the wanted ones.
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

/// Every library with its version.
fn wanted() -> impl Iterator<Item = (String, &'static str)> {
    let pins = REQUIREMENTS.lines().filter_map(|line| line.split_once("=="));
    pins.map(|(name, version)| (name.to_lowercase().replace('_', "-"), version))
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

/// Runs `command` and tells each of its lines.
///
/// # Errors
/// The last lines of what it said, if it failed.
fn run(mut command: Command, progress: &mut dyn FnMut(&str)) -> Result<(), String> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().map_err(|error| error.to_string())?;
    let mut errors = process.stderr.take().expect("it is piped");
    // Read at the same time, or a full pipe would hold it up.
    let listener = std::thread::spawn(move || {
        let mut said = Vec::new();
        // What cannot be read is not told.
        let _ = errors.read_to_end(&mut said);
        said
    });
    let mut said = Vec::new();
    let lines = BufReader::new(process.stdout.take().expect("it is piped")).lines();
    for line in lines.map_while(Result::ok) {
        progress(&line);
        said.extend_from_slice(line.as_bytes());
        said.push(b'\n');
    }
    let status = process.wait().map_err(|error| error.to_string())?;
    said.extend(listener.join().unwrap_or_default());
    if status.success() { Ok(()) } else { Err(last_lines(&said)) }
}

fn last_lines(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said);
    let lines: Vec<&str> = text.trim().lines().collect();
    lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_requirement_is_pinned() {
        let lines = REQUIREMENTS.lines().filter(|line| !line.is_empty()).count();
        assert_eq!(wanted().count(), lines);
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
    fn one_at_a_time_has_the_turn() {
        let around = tempfile::tempdir().expect("a folder");
        let folder = around.path().join("fastapi");
        let (mut said, told) = (Vec::new(), std::sync::mpsc::channel());
        let first = Turn::take(&folder, &mut |what| said.push(what.to_string())).expect("free");
        assert!(!first.waited && said.is_empty());
        let second = std::thread::spawn({
            let folder = folder.clone();
            move || Turn::take(&folder, &mut |what| told.0.send(what.to_string()).expect("heard"))
        });
        assert!(told.1.recv().expect("it waits").contains("waiting"));
        assert!(!second.is_finished());
        drop(first);
        assert!(second.join().expect("no panic").expect("free again").waited);
        assert!(is_empty(around.path()), "nothing is left");
    }

    #[test]
    fn a_folder_of_somebody_else_is_left_alone() {
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
