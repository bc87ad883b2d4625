//! Where a test runs the program, and what is left of it.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A service whose users always wait for something.
pub(crate) const SHOP: &str = r#"
    load = { users = 6, warmup = "500ms", duration = "1s" }
    service = { server = "axum", concurrency = "async", workers = 1 }
    database = { journal_mode = "wal", connections = { kind = "pool" } }
    upstream.partner.latency = "50ms"
    endpoint = [
        { name = "quote", weight = 3, steps = [{ read = "item" }, { call = "partner" }] },
        { name = "order", weight = 1, steps = [{ write = "order" }, { call = "partner" }] },
    ]
    costs = { interpreter = { lock = false }, query.default = { engine = "50us" } }
"#;

/// What axum is said to cost here.
const PLATFORM: &str = r#"
    [about]
    method = "a guess"
    [cpu]
    request = "0.3ms"
    statement = "50us"
    call = "0.1ms"
    [interpreter]
    lock = false
    [query.default]
    engine = "50us"
"#;

/// How long anything that must happen may take: the machine may be busy with other things.
const PATIENCE: Duration = Duration::from_secs(120);

/// Looks again and again until there is what `look` looks for.
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

/// What a program that has ended has said, and with which exit code.
#[derive(Debug)]
pub(crate) struct Ended {
    /// None if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    /// Its standard output as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// It has an answer, whatever the machine made of it.
    pub(crate) fn answered(self) -> Ended {
        assert!(matches!(self.code, Some(0 | 1 | 3)), "{self:?}");
        self
    }
}

/// A folder of a test's own: `shop.toml` is a scenario, `platform.toml` what axum costs.
#[derive(Debug)]
pub(crate) struct Lab(TempDir);

impl Lab {
    pub(crate) fn new() -> Lab {
        let lab = Lab(tempfile::tempdir().expect("a folder for temporary files"));
        lab.write("shop.toml", SHOP);
        lab.write("platform.toml", PLATFORM);
        lab
    }

    /// Puts a file into the folder.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it lies in the folder")).expect("it is ours");
        fs::write(path, text).expect("the folder is ours");
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Starts `validate` with `words` in the folder, in a process group of its own, as a
    /// shell does.
    pub(crate) fn start(&self, words: &str) -> Running {
        let mut command = Command::new(env!("CARGO_BIN_EXE_validate"));
        command.args(words.split_whitespace()).current_dir(self.0.path());
        command.env("VALIDATE_TEST", self.0.path()).process_group(0);
        // Files, not pipes: nobody empties them while the program runs.
        let (out, err) = (file(), file());
        let to = |file: &File| file.try_clone().expect("it is ours");
        command.stdin(Stdio::null()).stdout(to(&out)).stderr(to(&err));
        let child = command.spawn().expect("the program runs");
        Running { child, out, err }
    }

    /// Runs `validate` with `words` to its end, in two short rounds.
    pub(crate) fn measures(&self, words: &str) -> Ended {
        self.start(&format!("{words} --repeat 2 --costs platform.toml")).ended()
    }

    /// Runs `validate` with `words` to its end.
    pub(crate) fn validate(&self, words: &str) -> Ended {
        self.start(words).ended()
    }

    /// Names of everything below the folder of runs, hidden ones included, in order.
    pub(crate) fn runs(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.path("runs")) else { return Vec::new() };
        let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        let mut names: Vec<String> = entries.flatten().map(name).collect();
        names.sort();
        names
    }

    /// The processes that were started here, those that have the word `part` in their command
    /// line; with an empty one, all of them.
    pub(crate) fn processes(&self, part: &str) -> Vec<Pid> {
        let mark = format!("VALIDATE_TEST={}", self.0.path().display());
        let entries = fs::read_dir("/proc").expect("Linux").flatten();
        let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        let has = |pid: &i32| {
            // One that has just ended has neither.
            let contains = |name: &str, text: &str| {
                let file = Path::new("/proc").join(pid.to_string()).join(name);
                let bytes = fs::read(file).unwrap_or_default();
                bytes.split(|byte| *byte == 0).any(|word| word == text.as_bytes())
            };
            contains("environ", &mark) && (part.is_empty() || contains("cmdline", part))
        };
        numbers.filter(has).filter_map(Pid::from_raw).collect()
    }

    /// Waits until there is a process with this `part`.
    pub(crate) fn process(&self, part: &str) -> Pid {
        until(part, || self.processes(part).first().copied())
    }

    /// Waits until none of its processes is there any more.
    pub(crate) fn is_left_alone(&self) {
        until("the end of every process", || self.processes("").is_empty().then_some(()));
    }

    /// Nothing is left but runs that were kept, as many as `kept`.
    pub(crate) fn is_clean(&self, kept: usize) {
        self.is_left_alone();
        let runs = self.runs();
        assert!(runs.len() == kept && runs.iter().all(|name| !name.starts_with('.')), "{runs:?}");
    }
}

/// A file that has no name.
fn file() -> File {
    tempfile::tempfile().expect("a folder for temporary files")
}

/// A program that runs. It is killed if its test ends before it does.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    out: File,
    err: File,
}

impl Running {
    /// Its number, which is that of its group.
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("it is ours");
    }

    /// Waits for its end.
    pub(crate) fn ended(mut self) -> Ended {
        let status = until("the end of the program", || self.child.try_wait().expect("it is ours"));
        let text = |file: &mut File| {
            let mut text = String::new();
            file.rewind().expect("it is ours");
            file.read_to_string(&mut text).expect("text");
            text
        };
        Ended { code: status.code(), out: text(&mut self.out), err: text(&mut self.err) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
