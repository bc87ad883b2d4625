//! Small scenarios that differ by one thing each.

use std::fmt::{self, Display};

use model::scenario::{Concurrency, JournalMode, Synchronous};
use model::units::Span;

/// What the handler of each probe computes, so that the load generator keeps up.
pub const HANDLER: f64 = 0.5e-3;
/// Users that keep a service busy: its loop never sleeps.
pub const MANY: u32 = 20;
/// Users whose requests pause, and how long: few and many in flight. With so many users the
/// service is just busy, so that about as few wait for its loop in both cases.
const FEW_PAUSING: (u32, &str) = (45, "10ms");
const MANY_PAUSING: (u32, &str) = (220, "100ms");
/// Users whose requests are all parked. Few enough for the usual limit of 1024 open files.
const PARKED: u32 = 400;
/// Reads of a request that reads.
pub const READS: u32 = 5;
/// Reads of a request that opens a connection for each.
pub const OPENS: u32 = 3;
/// Pragmas of each connection in the probe of their cost.
pub const PRAGMAS: u32 = 6;
/// Writes of a request that writes.
pub const WRITES: u32 = 2;
/// Calls of a request that calls.
pub const CALLS: u32 = 3;
/// Latency of the upstream in the probe of its round trip, in seconds.
pub const LATENCY: f64 = 1e-3;

/// A small scenario about one cost. Those of one user show what waking up and waiting cost,
/// all others keep the service busy: that is where CPU time counts, with warm caches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Probe {
    /// A request and nothing else.
    Request(Concurrency),
    /// Reads on connections that are kept open.
    Statement(Concurrency),
    /// Reads, each on a connection of its own.
    Open(Concurrency),
    /// The same with pragmas.
    Pragma(Concurrency),
    /// Calls of an upstream that answers at once.
    Call(Concurrency),
    /// Writes, one at a time: nobody waits for a lock.
    Commit(JournalMode, Synchronous),
    /// A connection for each request.
    Accept,
    /// A worker that refuses most requests.
    Reject,
    /// Pauses in all requests: few of them in flight.
    FewInFlight,
    /// Longer pauses: many in flight.
    ManyInFlight,
    /// One user: each request wakes the loop.
    Alone,
    /// One user whose requests call an upstream once.
    AloneCall,
    /// One user who does not pause, and whose requests write once, to a write-ahead log: a
    /// disk is slower for those who use it rarely.
    AloneWrite(Synchronous),
    /// One user whose requests read once, each on a connection of its own.
    AloneOpen(JournalMode),
    /// Hardly any load.
    Rest,
    /// Requests that are parked behind a slow upstream.
    Parked,
}

/// How long each probe runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lengths {
    /// Not counted.
    pub warmup: Span,
    /// Counted.
    pub duration: Span,
}

impl Default for Lengths {
    fn default() -> Lengths {
        Lengths { warmup: Span::from_millis(500), duration: Span::from_millis(1700) }
    }
}

/// All concurrency models.
pub const MODELS: [Concurrency; 3] =
    [Concurrency::Async, Concurrency::Threadpool, Concurrency::Blocking];

/// Journal modes and synchronous levels whose commits are measured. PERSIST is taken as
/// TRUNCATE, EXTRA as FULL.
pub const COMMITS: [(JournalMode, Synchronous); 9] = [
    (JournalMode::Wal, Synchronous::Off),
    (JournalMode::Wal, Synchronous::Normal),
    (JournalMode::Wal, Synchronous::Full),
    (JournalMode::Delete, Synchronous::Off),
    (JournalMode::Delete, Synchronous::Normal),
    (JournalMode::Delete, Synchronous::Full),
    (JournalMode::Truncate, Synchronous::Off),
    (JournalMode::Truncate, Synchronous::Normal),
    (JournalMode::Truncate, Synchronous::Full),
];

impl Probe {
    /// All of them, in the order in which a round runs them.
    pub fn all() -> Vec<Probe> {
        use Probe::*;
        let of_models = [Request, Statement, Open, Pragma, Call];
        let of_models = of_models.into_iter().flat_map(|of| MODELS.map(of));
        let commits = COMMITS.map(|(mode, level)| Commit(mode, level));
        let others = [
            Accept,
            Reject,
            FewInFlight,
            ManyInFlight,
            Alone,
            AloneCall,
            AloneWrite(Synchronous::Off),
            AloneWrite(Synchronous::Full),
            AloneOpen(JournalMode::Delete),
            AloneOpen(JournalMode::Wal),
            Rest,
            Parked,
        ];
        of_models.chain(commits).chain(others).collect()
    }

    /// Its name as a file.
    pub fn file_name(self) -> String {
        format!("{}.toml", self.to_string().replace(' ', "-"))
    }

    /// Its scenario.
    pub fn text(self, lengths: &Lengths) -> String {
        let Lengths { warmup, duration } = lengths;
        let (load, service, rest) = (self.load(), self.service(), self.rest());
        let steps = self.steps();
        format!(
            "question = \"What does it cost: {self}?\"\n\n\
             [costs]  # nothing is burned: the stack itself is what is measured\n\
             interpreter.lock = false\n\
             query.default = {{ engine = \"0s\", pages = 1 }}\n\n\
             [load]\n{load}\nwarmup = \"{warmup}\"\nduration = \"{duration}\"\n\n\
             [service]\nserver = \"axum\"\nworkers = 1\n{service}\n\n{rest}\
             [[endpoint]]\nname = \"probe\"\nweight = 1\nsteps = [{steps}]\n"
        )
    }

    /// It waits for syncs, for which threads of the kernel compute on the service's processor.
    pub fn syncs(self) -> bool {
        match self {
            Probe::Commit(_, level) | Probe::AloneWrite(level) => level != Synchronous::Off,
            _ => false,
        }
    }

    fn concurrency(self) -> Concurrency {
        use Probe::*;
        match self {
            Request(model) | Statement(model) | Open(model) | Pragma(model) | Call(model) => model,
            // One request at a time: no lock is ever waited for.
            Commit(..) | AloneWrite(_) => Concurrency::Blocking,
            _ => Concurrency::Async,
        }
    }

    fn load(self) -> String {
        match self {
            // Long enough for the processor to idle, as it does between the requests of a
            // service that is not busy.
            Probe::Alone | Probe::AloneCall | Probe::AloneOpen(_) => {
                "users = 1\nthink_time = { mean = \"8ms\" }".into()
            }
            Probe::AloneWrite(_) => "users = 1".into(),
            // Who is refused in next to no time must not come back in no time.
            Probe::Reject => format!("users = {MANY}\nthink_time = \"2ms\""),
            Probe::Rest => "rate = \"10/s\"\nspacing = \"even\"".into(),
            Probe::FewInFlight => format!("users = {}", FEW_PAUSING.0),
            Probe::ManyInFlight => format!("users = {}", MANY_PAUSING.0),
            Probe::Parked => format!("users = {PARKED}"),
            Probe::Accept => format!("users = {MANY}\nkeep_alive = false"),
            _ => format!("users = {MANY}"),
        }
    }

    fn service(self) -> String {
        let model = format!("concurrency = \"{}\"", model(self.concurrency()));
        match self {
            // All but a few of the users find the worker full.
            Probe::Reject => format!("{model}\nlimit_concurrency = 4"),
            _ => model,
        }
    }

    /// Database and upstream.
    fn rest(self) -> String {
        let kept = format!("{{ kind = \"pool\", size = {MANY}, overflow = 0 }}");
        let opened = "{ kind = \"per-operation\" }".to_string();
        let database = |mode, level, connections, more: &str| {
            let (mode, level) = (journal(mode), synchronous(level));
            format!(
                "[database]\nengine = \"sqlite\"\njournal_mode = \"{mode}\"\n\
                 synchronous = \"{level}\"\nconnections = {connections}\n{more}\n"
            )
        };
        let upstream = |latency: &str| format!("[upstream.partner]\nlatency = \"{latency}\"\n\n");
        let (wal, full) = (JournalMode::Wal, Synchronous::Full);
        match self {
            Probe::Statement(_) => database(wal, full, kept, ""),
            // Under a write-ahead log the last connection to close would remove the log.
            Probe::Open(_) => database(JournalMode::Delete, full, opened, ""),
            Probe::Pragma(_) => {
                let pragmas = format!("pragmas = {PRAGMAS}\n");
                database(JournalMode::Delete, full, opened, &pragmas)
            }
            Probe::Commit(mode, level) => database(mode, level, kept, ""),
            Probe::AloneOpen(mode) => database(mode, full, opened, ""),
            // The syncs of checkpoints are not those of commits.
            Probe::AloneWrite(level) => database(wal, level, kept, "wal_autocheckpoint = 0\n"),
            Probe::Call(_) => upstream("0s"),
            Probe::AloneCall => upstream("1ms"),
            Probe::Parked => upstream("800ms"),
            _ => String::new(),
        }
    }

    fn steps(self) -> String {
        let (read, write) = ("{ read = \"item\" }", "{ write = \"item\" }");
        let call = "{ call = \"partner\" }";
        let pause = |(_, time): (u32, &str)| (format!("{{ sleep = \"{time}\" }}"), 1);
        let (more, times) = match self {
            Probe::Statement(_) => (read.into(), READS),
            Probe::Open(_) | Probe::Pragma(_) => (read.into(), OPENS),
            Probe::Commit(..) => (write.into(), WRITES),
            Probe::AloneWrite(_) => (write.into(), 1),
            Probe::AloneOpen(_) => (read.into(), 1),
            Probe::Call(_) => (call.into(), CALLS),
            Probe::AloneCall => (call.into(), 1),
            Probe::FewInFlight => pause(FEW_PAUSING),
            Probe::ManyInFlight => pause(MANY_PAUSING),
            // Answers of many users that come together would keep the CPU busy.
            Probe::Parked => return call.into(),
            _ => (String::new(), 0),
        };
        let more = std::iter::repeat_n(more, times as usize);
        std::iter::once("{ cpu = \"0.5ms\" }".to_string())
            .chain(more)
            .collect::<Vec<_>>()
            .join(", ")
    }
}

impl Display for Probe {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Probe::Request(of) => write!(out, "request {}", model(of)),
            Probe::Statement(of) => write!(out, "statement {}", model(of)),
            Probe::Open(of) => write!(out, "open {}", model(of)),
            Probe::Pragma(of) => write!(out, "pragma {}", model(of)),
            Probe::Call(of) => write!(out, "call {}", model(of)),
            Probe::Commit(mode, level) => {
                write!(out, "commit {} {}", journal(mode), synchronous(level))
            }
            Probe::Accept => write!(out, "accept"),
            Probe::Reject => write!(out, "reject"),
            Probe::FewInFlight => write!(out, "few in flight"),
            Probe::ManyInFlight => write!(out, "many in flight"),
            Probe::Alone => write!(out, "alone"),
            Probe::AloneCall => write!(out, "alone call"),
            Probe::AloneWrite(level) => write!(out, "alone write {}", synchronous(level)),
            Probe::AloneOpen(mode) => write!(out, "alone open {}", journal(mode)),
            Probe::Rest => write!(out, "rest"),
            Probe::Parked => write!(out, "parked"),
        }
    }
}

/// A concurrency model as scenarios name it.
pub fn model(of: Concurrency) -> &'static str {
    match of {
        Concurrency::Blocking => "blocking",
        Concurrency::Threadpool => "threadpool",
        Concurrency::Async => "async",
    }
}

/// A journal mode as scenarios name it.
pub fn journal(mode: JournalMode) -> &'static str {
    match mode {
        JournalMode::Delete => "delete",
        JournalMode::Truncate => "truncate",
        JournalMode::Persist => "persist",
        JournalMode::Wal => "wal",
    }
}

/// A synchronous level as scenarios name it.
pub fn synchronous(level: Synchronous) -> &'static str {
    match level {
        Synchronous::Off => "off",
        Synchronous::Normal => "normal",
        Synchronous::Full => "full",
        Synchronous::Extra => "extra",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use model::scenario::Server;

    use super::*;

    #[test]
    fn each_probe_is_a_scenario_of_which_nothing_is_burned() {
        let lengths = Lengths::default();
        for probe in Probe::all() {
            let text = probe.text(&lengths);
            let resolved = model::read::load_text(&probe.file_name(), &text, &[]);
            let scenario = resolved.unwrap_or_else(|e| panic!("{probe}: {e}\n{text}")).scenario;
            assert_eq!(scenario.service.server, Server::Axum);
            assert_eq!(scenario.service.concurrency, probe.concurrency());
            assert_eq!(scenario.load.warmup, lengths.warmup);
            let costs = scenario.costs;
            assert!(!costs.interpreter.lock);
            for model in MODELS {
                assert_eq!(costs.cpu(model).request.mean(), 0.0);
                assert!(costs.cpu(model).statement.is_zero());
            }
        }
    }

    #[test]
    fn names_are_unique_and_fit_into_files() {
        let names: BTreeSet<String> = Probe::all().into_iter().map(Probe::file_name).collect();
        assert_eq!(names.len(), Probe::all().len());
        assert!(names.iter().all(|name| !name.contains([' ', '/'])));
    }
}
