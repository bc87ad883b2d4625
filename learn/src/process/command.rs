//! What the command lines of a service's processes say of it.

use std::collections::BTreeSet;
use std::fs;

use model::scenario::{Concurrency, Server, WorkerClass};

use crate::learned::Figure;

/// Interpreters whose name says nothing of the server.
const INTERPRETERS: [&str; 7] = ["python", "pypy", "node", "ruby", "php", "java", "dotnet"];

/// Facts about a server that its processes tell: kind, workers, threads.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Its command line, in short.
    pub command: String,
    /// Which server it is.
    pub server: Figure<Server>,
    /// Worker processes.
    pub workers: Figure<u32>,
    /// Threads of each worker's pool, if the command line has them.
    pub threads: Option<Figure<u32>>,
    /// How handlers run, if that follows from the kind of worker.
    pub concurrency: Option<Figure<Concurrency>>,
    /// gunicorn's class of workers, if it is one that serves in one way only.
    pub worker_class: Option<Figure<WorkerClass>>,
    /// Handlers are Python: one thread of a process computes at a time, and the loop is its first.
    pub python: bool,
}

/// What `pids` say, so many of which as `holders` hold the listening socket.
pub fn facts(pids: &BTreeSet<u32>, holders: usize) -> Facts {
    let commands: Vec<(u32, Vec<String>)> =
        pids.iter().filter_map(|&pid| Some((pid, words(pid)?))).collect();
    let known = commands.iter().find_map(|(pid, words)| Some((*pid, named(words)?)));
    let commands: Vec<Vec<String>> = commands.into_iter().map(|(_, words)| words).collect();
    let environment = known.as_ref().and_then(|(pid, _)| variable(*pid, "WEB_CONCURRENCY"));
    let served = match holders {
        0 | 1 => 1,
        // The process above the workers holds the socket too.
        several => several as u32 - 1,
    };
    let command = known.map(|(_, command)| command);
    of_command(command, &commands, environment, served)
}

/// A server's program and its arguments.
type Named = (Program, Vec<String>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Program {
    Uvicorn,
    Gunicorn,
    /// `fastapi run`, which starts uvicorn in its own process.
    Fastapi,
}

impl Program {
    fn of(word: &str) -> Option<Program> {
        match word.rsplit('/').next()? {
            "uvicorn" => Some(Program::Uvicorn),
            "gunicorn" => Some(Program::Gunicorn),
            "fastapi" => Some(Program::Fastapi),
            _ => None,
        }
    }
}

/// The server that a command line starts: as its program, as a script of an interpreter, or as
/// an interpreter's module. A shell that has the words in one argument is none.
fn named(words: &[String]) -> Option<Named> {
    let at = words.iter().take(6).position(|word| Program::of(word).is_some())?;
    Some((Program::of(&words[at])?, words[at + 1..].to_vec()))
}

fn of_command(
    named: Option<Named>,
    commands: &[Vec<String>],
    environment: Option<u32>,
    served: u32,
) -> Facts {
    let first = commands.iter().find(|words| !is_shell(words)).or(commands.first());
    let first = first.cloned().unwrap_or_default();
    let is_python = first.first().is_some_and(|word| interpreter(word) == Some("python"));
    let Some((program, arguments)) = named else {
        return unknown(&first, is_python, served);
    };
    let option = |names: &[&str]| option(&arguments, names);
    let written = option(&["--workers", "-w"]).and_then(|text| text.parse().ok());
    let how = "option of the server's command line";
    let workers = match (written, environment) {
        (Some(workers), _) => exact(workers, how),
        (None, Some(workers)) => exact(workers, "WEB_CONCURRENCY of the server's environment"),
        (None, None) if served > 1 => exact(served, "processes that hold the listening socket"),
        (None, None) => exact(1, "the server's default, and one process holds the socket"),
    };
    let threads = option(&["--threads"]).and_then(|text| text.parse::<u32>().ok());
    let class = option(&["--worker-class", "-k"]).unwrap_or_default();
    let server = match program {
        Program::Uvicorn | Program::Fastapi => Server::Uvicorn,
        Program::Gunicorn => Server::Gunicorn,
    };
    let class = match program {
        Program::Uvicorn | Program::Fastapi => None,
        // With more than one thread gunicorn takes `gthread` in the place of `sync`.
        Program::Gunicorn if matches!(class, "" | "sync") => {
            let several = threads.is_some_and(|threads| threads > 1);
            Some(if several { WorkerClass::Gthread } else { WorkerClass::Sync })
        }
        Program::Gunicorn if class == "gthread" => Some(WorkerClass::Gthread),
        Program::Gunicorn => None,
    };
    let concurrency = class.and_then(|class| match class {
        WorkerClass::Uvicorn => None,
        WorkerClass::Sync => Some(exact(Concurrency::Blocking, "gunicorn's sync workers")),
        WorkerClass::Gthread => Some(exact(Concurrency::Threadpool, "gunicorn's gthread workers")),
    });
    let name = match program {
        Program::Uvicorn => "uvicorn",
        Program::Gunicorn => "gunicorn",
        Program::Fastapi => "fastapi",
    };
    Facts {
        command: format!("{name} {}", arguments.join(" ")).trim().to_string(),
        server: exact(server, "the server's command line"),
        workers,
        threads: match class {
            Some(WorkerClass::Gthread) => Some(exact(threads.unwrap_or(1), how)),
            _ => threads.filter(|&threads| threads > 1).map(|threads| exact(threads, how)),
        },
        concurrency,
        worker_class: class.map(|class| exact(class, "the server's command line")),
        python: true,
    }
}

/// A server that is none of those whose options are known.
fn unknown(words: &[String], python: bool, served: u32) -> Facts {
    let program = words.first().map_or("", |word| word.rsplit('/').next().unwrap_or(word));
    let (server, how) = if words.first().and_then(|word| interpreter(word)).is_some() {
        (Server::Uvicorn, "an event loop in an interpreter, taken as uvicorn's")
    } else {
        (Server::Axum, "a program of its own, taken as one on tokio")
    };
    Facts {
        command: words.join(" ").chars().take(100).collect(),
        server: Figure::assumed(server, how, format!("say which server `{program}` runs")),
        workers: Figure::derived(served, "processes that hold the listening socket"),
        threads: None,
        concurrency: None,
        worker_class: None,
        python,
    }
}

impl Facts {
    /// As its replies say: whether each `closed` its connection. A `sync` worker does so; if one
    /// does not, a file of settings that the command line does not show has chosen another class.
    #[must_use]
    pub fn as_replies_say(&self, closed: Option<bool>) -> Facts {
        let sync = self.worker_class.as_ref().map(|class| class.value) == Some(WorkerClass::Sync);
        if sync && closed == Some(false) {
            return Facts { worker_class: None, concurrency: None, ..self.clone() };
        }
        self.clone()
    }
}

fn exact<T: Copy>(value: T, how: &str) -> Figure<T> {
    Figure::measured(value, [value, value], how)
}

/// The value of an option: `--workers 4`, `--workers=4`, `-w 4` or `-w4`.
fn option<'a>(arguments: &'a [String], names: &[&str]) -> Option<&'a str> {
    let found = |(index, word): (usize, &'a String)| {
        names.iter().find_map(|name| {
            let rest = word.strip_prefix(name)?;
            if rest.is_empty() {
                return arguments.get(index + 1).map(String::as_str);
            }
            let joined = rest.strip_prefix('=');
            joined.or_else(|| (!name.starts_with("--")).then_some(rest))
        })
    };
    // The last one counts.
    arguments.iter().enumerate().filter_map(found).next_back()
}

fn interpreter(word: &str) -> Option<&'static str> {
    let name = word.rsplit('/').next()?;
    INTERPRETERS.into_iter().find(|known| name.starts_with(known))
}

fn is_shell(words: &[String]) -> bool {
    let name = words.first().and_then(|word| word.rsplit('/').next());
    matches!(name, Some("sh" | "bash" | "dash" | "zsh"))
}

/// The command line of a process.
fn words(pid: u32) -> Option<Vec<String>> {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    Some(text.split('\0').filter(|word| !word.is_empty()).map(String::from).collect())
}

/// A number in the environment of a process, if this user may read it.
fn variable(pid: u32, name: &str) -> Option<u32> {
    let bytes = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let value = text.split('\0').find_map(|entry| entry.strip_prefix(name)?.strip_prefix('='));
    value?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(command: &str, served: u32) -> Facts {
        let words: Vec<String> = command.split_whitespace().map(String::from).collect();
        of_command(named(&words), &[words], None, served)
    }

    #[test]
    fn options_of_known_servers_are_read() {
        let facts =
            told("/venv/bin/python3.11 /venv/bin/uvicorn app:app --port 8000 --workers 4", 5);
        assert_eq!((facts.server.value, facts.workers.value), (Server::Uvicorn, 4));
        assert!(facts.threads.is_none() && facts.concurrency.is_none() && facts.python);
        let facts = told("python -m uvicorn app:app", 1);
        assert_eq!(facts.workers.value, 1);
        let facts = told("/venv/bin/python /venv/bin/fastapi run --workers 3 app/main.py", 4);
        assert_eq!((facts.server.value, facts.workers.value), (Server::Uvicorn, 3));
        let facts = told("gunicorn -w3 --threads=8 app:app", 4);
        assert_eq!((facts.server.value, facts.workers.value), (Server::Gunicorn, 3));
        assert_eq!(facts.threads.map(|threads| threads.value), Some(8));
        assert_eq!(facts.concurrency.map(|one| one.value), Some(Concurrency::Threadpool));
        let facts = told("/usr/bin/gunicorn -w 2 -k uvicorn_worker.UvicornWorker app:app", 3);
        assert!(facts.concurrency.is_none());
        let facts = told("gunicorn app:app", 1);
        assert_eq!(
            (facts.workers.value, facts.concurrency.as_ref().map(|one| one.value)),
            (1, Some(Concurrency::Blocking))
        );
        let class = |facts: &Facts| facts.worker_class.as_ref().map(|class| class.value);
        assert_eq!(class(&facts), Some(WorkerClass::Sync));
        assert_eq!(class(&told("gunicorn --threads 4 app:app", 1)), Some(WorkerClass::Gthread));
        assert_eq!(class(&told("gunicorn -k gevent app:app", 1)), None);
        // A reply that keeps its connection is not a sync worker's.
        assert_eq!(class(&facts.as_replies_say(Some(true))), Some(WorkerClass::Sync));
        let other = facts.as_replies_say(Some(false));
        assert!(other.worker_class.is_none() && other.concurrency.is_none());
    }

    #[test]
    fn other_programs_are_taken_for_something_and_the_file_says_so() {
        let facts = told("/srv/shop --port 80", 1);
        assert_eq!(facts.server.value, Server::Axum);
        assert!(!facts.python && !facts.server.better.is_empty());
        let facts = told("node server.js", 3);
        assert_eq!((facts.server.value, facts.workers.value), (Server::Uvicorn, 3));
        // A shell with the words in one argument starts something; it is not the server.
        let shell = vec!["sh".to_string(), "-c".into(), "uvicorn app:app --workers 4".into()];
        assert!(named(&shell).is_none());
    }
}
