//! Small scenarios that differ by one thing each.

use std::fmt::{self, Display};

use model::costs::Work;
use model::scenario::{Concurrency, JournalMode, Server, Synchronous};
use model::units::Span;

use super::Target;

/// What the handler of each probe computes, so that the load generator keeps up.
pub(crate) const HANDLER: f64 = 0.5e-3;
/// Windows of the usual length in one of rare work.
const RARE_TIMES: u64 = 3;
/// The same of one with many users.
const CROWDED_TIMES: u64 = 5;
/// Users that keep a service busy: its loop never sleeps.
pub(crate) const MANY: u32 = 20;
/// Requests a second of which each finds the caches much as the last one left them, and a
/// processor that is idle.
pub(crate) const FREQUENT: u32 = 400;
/// Requests a second that are alone: each finds an idle processor.
pub(crate) const SELDOM: u32 = 100;
/// Requests a second that find most of what they need gone from the caches.
pub(crate) const RARELY: u32 = 20;
/// Requests a second beside which the service has nothing to do but what it does by itself.
pub(crate) const HARDLY: u32 = 2;
/// Kinds of work that each concurrency model does in its own way.
pub(crate) const KINDS: [Work; 4] = [Work::Request, Work::Statement, Work::Call, Work::Open];
/// The commit of the probe of rare commits: one that waits for no disk.
pub(crate) const RARE_COMMIT: (JournalMode, Synchronous) = (JournalMode::Wal, Synchronous::Normal);
/// Users whose requests pause, and how long: few and many in flight. With so many users the
/// service is just busy, so that about as few wait for its loop in both cases.
const FEW_PAUSING: (u32, &str) = (45, "10ms");
const MANY_PAUSING: (u32, &str) = (220, "100ms");
/// The same for a service that serves a third of the requests.
const FEW_PAUSING_PYTHON: (u32, &str) = (25, "10ms");
const MANY_PAUSING_PYTHON: (u32, &str) = (220, "300ms");
/// Users whose requests are all parked. Few enough for the usual limit of 1024 open files.
const PARKED: u32 = 400;
/// Pragmas of each connection in the probe of their cost.
pub(crate) const PRAGMAS: u32 = 6;
/// What the driver asks the thread of a connection for when it runs those pragmas: to run each,
/// and for the rows of the two that answer.
pub(crate) const PRAGMA_HOPS: u32 = 8;
/// Connections that httpx keeps.
pub(crate) const KEPT: u32 = 20;
/// Users whose calls are more than those connections.
pub(crate) const CROWD: u32 = 50;
/// Users who displace what each has in the caches.
pub(crate) const DISPLACING: u32 = 200;
/// Idle connections more that a user's calls look at when many have been used at a time.
pub(crate) const LEFT: u32 = KEPT - 1;
/// Concurrency models of which one worker can have so many calls at a time.
pub(crate) const CROWDED: [Concurrency; 2] = [Concurrency::Async, Concurrency::Threadpool];
/// Latency of the upstream in the probe of its round trip, in seconds.
pub(crate) const LATENCY: f64 = 1e-3;

/// A small scenario about one cost. Those of one user show what waking up and waiting cost,
/// all others keep the service busy: that is where CPU time counts, with warm caches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Probe {
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
    /// Requests so rare that each is alone and finds an idle processor.
    Alone,
    /// The same, less rare.
    Frequent,
    /// The same, so rare that most of the CPU time is what the service does by itself.
    Resting,
    /// Requests that are alone and call an upstream.
    AloneCall,
    /// Requests that are alone and write, to a write-ahead log: a disk is slower for those who
    /// use it now and then than for those who never let go.
    AloneWrite(Synchronous),
    /// Requests that are alone and read, each on a connection of its own.
    AloneOpen(JournalMode),
    /// Reads on new connections to a write-ahead log, many of them at a time.
    OpenLog,
    /// Work so rare that the caches have lost most of it in between.
    Cold(Concurrency, Work),
    /// Requests that are parked behind a slow upstream.
    Parked,
    /// Calls by more users than the client keeps connections for: each opens one.
    Connect(Concurrency),
    /// Calls of one user, after a crowd that has left many connections, which expire on the way.
    Look,
    /// Reads by many users, each on a connection of its own.
    CrowdedOpen,
    /// A request and nothing else, on gunicorn's worker.
    Gunicorn,
}

/// How long each probe runs; those of rare work, and with many users, run longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lengths {
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
pub(crate) const MODELS: [Concurrency; 3] =
    [Concurrency::Async, Concurrency::Threadpool, Concurrency::Blocking];

/// Journal modes and synchronous levels whose commits are measured. PERSIST is taken as
/// TRUNCATE, EXTRA as FULL.
pub(crate) const COMMITS: [(JournalMode, Synchronous); 9] = [
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
    pub(crate) fn all(target: Target) -> Vec<Probe> {
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
            Frequent,
            Resting,
            AloneCall,
            AloneWrite(Synchronous::Off),
            AloneWrite(Synchronous::Full),
            AloneOpen(JournalMode::Delete),
            AloneOpen(JournalMode::Wal),
            OpenLog,
            Parked,
        ];
        let all = of_models.chain(commits).chain(others).chain(rare(target));
        match target {
            Target::Axum => all.collect(),
            Target::Fastapi => {
                all.chain(CROWDED.map(Connect)).chain([CrowdedOpen, Gunicorn, Look]).collect()
            }
        }
    }

    /// Its name as a file.
    pub(crate) fn file_name(self) -> String {
        format!("{}.toml", self.to_string().replace(' ', "-"))
    }

    /// Its scenario.
    pub(crate) fn text(self, target: Target, lengths: &Lengths) -> String {
        let (warmup, duration) = (lengths.warmup, self.duration(lengths.duration));
        let (load, service, rest) = (self.load(target), self.service(), self.rest(target));
        let (server, steps) = (server(self.server(target)), self.steps(target));
        let lock = target == Target::Fastapi;
        format!(
            "question = \"What does it cost: {self}?\"\n\n\
             [costs]  # nothing is burned: the stack itself is what is measured\n\
             interpreter.lock = {lock}\n\
             query.default = {{ engine = \"0s\", pages = 1 }}\n\n\
             [load]\n{load}\nwarmup = \"{warmup}\"\n{duration}\n\n\
             [service]\nserver = \"{server}\"\nworkers = 1\n{service}\n\n{rest}\
             [[endpoint]]\nname = \"probe\"\nweight = 1\nsteps = [{steps}]\n"
        )
    }

    /// How long it runs; what takes time by itself runs for as long as that.
    fn duration(self, usual: Span) -> String {
        let stage =
            |time: &str, users: u32| format!("{{ duration = \"{time}\", target = {users} }}");
        match self {
            // Five seconds beside all that are left, and longer without them.
            Probe::Look => format!(
                "stages = [{}, {}, {}]",
                stage("300ms", CROWD),
                stage("1us", 1),
                stage("14200ms", 1)
            ),
            // Few requests come in a second, and caches do not lose the same each time.
            Probe::Cold(..) | Probe::Resting => format!("duration = \"{}\"", usual * RARE_TIMES),
            // Those who began together end together, some hundred of them, in this window or that.
            Probe::CrowdedOpen => format!("duration = \"{}\"", usual * CROWDED_TIMES),
            _ => format!("duration = \"{usual}\""),
        }
    }

    fn server(self, target: Target) -> Server {
        match (self, target) {
            (Probe::Gunicorn, _) => Server::Gunicorn,
            (_, Target::Axum) => Server::Axum,
            (_, Target::Fastapi) => Server::Uvicorn,
        }
    }

    /// Users whose requests pause, and how long.
    fn pausing(self, target: Target) -> (u32, &'static str) {
        match (self == Probe::ManyInFlight, target) {
            (false, Target::Axum) => FEW_PAUSING,
            (true, Target::Axum) => MANY_PAUSING,
            (false, Target::Fastapi) => FEW_PAUSING_PYTHON,
            (true, Target::Fastapi) => MANY_PAUSING_PYTHON,
        }
    }

    /// Its concurrency model.
    pub(crate) fn concurrency(self) -> Concurrency {
        use Probe::*;
        match self {
            Request(model)
            | Statement(model)
            | Open(model)
            | Pragma(model)
            | Call(model)
            | Connect(model)
            | Cold(model, _) => model,
            // One request at a time: no lock is ever waited for.
            Commit(..) | AloneWrite(_) => Concurrency::Blocking,
            _ => Concurrency::Async,
        }
    }

    /// Users or rate.
    fn load(self, target: Target) -> String {
        match self {
            Probe::Alone | Probe::AloneCall | Probe::AloneOpen(_) | Probe::AloneWrite(_) => {
                regular(SELDOM)
            }
            Probe::Cold(..) => regular(RARELY),
            Probe::Frequent => regular(FREQUENT),
            Probe::Resting => regular(HARDLY),
            // Who is refused in next to no time must not come back in no time.
            Probe::Reject => format!("users = {MANY}\nthink_time = \"2ms\""),
            Probe::FewInFlight | Probe::ManyInFlight => {
                format!("users = {}", self.pausing(target).0)
            }
            Probe::Parked => format!("users = {PARKED}"),
            Probe::Connect(_) => format!("users = {CROWD}"),
            Probe::CrowdedOpen => format!("users = {DISPLACING}"),
            Probe::Look => format!("users = {CROWD}"),
            // Who is alone looks at its own connection, and nothing else.
            Probe::Call(of) if target == Target::Fastapi && of != Concurrency::Blocking => {
                "users = 1".into()
            }
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
    fn rest(self, target: Target) -> String {
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
            Probe::Statement(_) | Probe::Cold(_, Work::Statement) => database(wal, full, kept, ""),
            // Under a write-ahead log the last connection to close would remove the log.
            Probe::Open(_) | Probe::CrowdedOpen | Probe::Cold(_, Work::Open) => {
                database(JournalMode::Delete, full, opened, "")
            }
            Probe::OpenLog => database(wal, full, opened, ""),
            Probe::Pragma(_) => {
                let pragmas = format!("pragmas = {PRAGMAS}\n");
                database(JournalMode::Delete, full, opened, &pragmas)
            }
            Probe::Commit(mode, level) => database(mode, level, kept, ""),
            Probe::Cold(_, Work::Commit) => database(RARE_COMMIT.0, RARE_COMMIT.1, kept, ""),
            Probe::AloneOpen(mode) => database(mode, full, opened, ""),
            // The syncs of checkpoints are not those of commits.
            Probe::AloneWrite(level) => database(wal, level, kept, "wal_autocheckpoint = 0\n"),
            Probe::Call(_) | Probe::Cold(_, Work::Call) => upstream("0s"),
            // Long enough that more calls of the crowd are under way than the client keeps.
            Probe::Look => upstream("2ms"),
            Probe::AloneCall => upstream("1ms"),
            Probe::Connect(_) => upstream("50ms"),
            Probe::Parked if target == Target::Fastapi => upstream("1600ms"),
            Probe::Parked => upstream("800ms"),
            _ => String::new(),
        }
    }

    fn steps(self, target: Target) -> String {
        let (read, write) = ("{ read = \"item\" }", "{ write = \"item\" }");
        let call = "{ call = \"partner\" }";
        let more = match self {
            Probe::FewInFlight | Probe::ManyInFlight => {
                format!("{{ sleep = \"{}\" }}", self.pausing(target).1)
            }
            // Answers of many users that come together would keep the CPU busy.
            Probe::Parked | Probe::Look => return call.into(),
            _ => match self.works().last() {
                Some(Work::Statement | Work::Open) => read.into(),
                Some(Work::Commit) => write.into(),
                Some(Work::Call) => call.into(),
                _ => String::new(),
            },
        };
        let handler = "{ cpu = \"0.5ms\" }".to_string();
        if more.is_empty() { handler } else { format!("{handler}, {more}") }
    }

    /// What a request does, beside computing, each kind once; its last is what the probe is
    /// about.
    pub(crate) fn works(self) -> &'static [Work] {
        const REQUEST: Work = Work::Request;
        const STATEMENT: Work = Work::Statement;
        match self {
            Probe::Statement(_) | Probe::Cold(_, STATEMENT) => &[REQUEST, STATEMENT],
            Probe::Open(_)
            | Probe::CrowdedOpen
            | Probe::Pragma(_)
            | Probe::OpenLog
            | Probe::AloneOpen(_)
            | Probe::Cold(_, Work::Open) => &[REQUEST, STATEMENT, Work::Open],
            Probe::Call(_)
            | Probe::Connect(_)
            | Probe::Look
            | Probe::AloneCall
            | Probe::Parked
            | Probe::Cold(_, Work::Call) => &[REQUEST, Work::Call],
            Probe::Commit(..) | Probe::AloneWrite(_) | Probe::Cold(_, Work::Commit) => {
                &[REQUEST, STATEMENT, Work::Commit]
            }
            _ => &[REQUEST],
        }
    }
}

/// Probes of rare work. Concurrency models that run on the same threads with the same libraries
/// have one for all.
fn rare(target: Target) -> impl Iterator<Item = Probe> {
    let models = match target {
        Target::Axum => &[Concurrency::Async][..],
        Target::Fastapi => &MODELS,
    };
    let of_model = |&of: &Concurrency| KINDS.map(|work| Probe::Cold(of, work));
    let commit = Probe::Cold(Concurrency::Blocking, Work::Commit);
    models.iter().flat_map(of_model).chain([commit])
}

/// Requests at regular times, so many a second.
fn regular(rate: u32) -> String {
    format!("rate = \"{rate}/s\"\nspacing = \"even\"")
}

impl Display for Probe {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Probe::Request(of) => write!(out, "request {}", model(of)),
            Probe::Statement(of) => write!(out, "statement {}", model(of)),
            Probe::Open(of) => write!(out, "open {}", model(of)),
            Probe::Pragma(of) => write!(out, "pragma {}", model(of)),
            Probe::Call(of) => write!(out, "call {}", model(of)),
            Probe::Connect(of) => write!(out, "connect {}", model(of)),
            Probe::Look => write!(out, "look"),
            Probe::CrowdedOpen => write!(out, "crowded open"),
            Probe::Commit(mode, level) => {
                write!(out, "commit {} {}", journal(mode), synchronous(level))
            }
            Probe::Accept => write!(out, "accept"),
            Probe::Reject => write!(out, "reject"),
            Probe::FewInFlight => write!(out, "few in flight"),
            Probe::ManyInFlight => write!(out, "many in flight"),
            Probe::Alone => write!(out, "alone"),
            Probe::Frequent => write!(out, "frequent"),
            Probe::Resting => write!(out, "resting"),
            Probe::AloneCall => write!(out, "alone call"),
            Probe::AloneWrite(level) => write!(out, "alone write {}", synchronous(level)),
            Probe::AloneOpen(mode) => write!(out, "alone open {}", journal(mode)),
            Probe::OpenLog => write!(out, "open log"),
            Probe::Cold(of, work) => write!(out, "cold {} {}", kind(work), model(of)),
            Probe::Parked => write!(out, "parked"),
            Probe::Gunicorn => write!(out, "gunicorn"),
        }
    }
}

/// A server as scenarios name it.
pub(crate) fn server(of: Server) -> &'static str {
    match of {
        Server::Uvicorn => "uvicorn",
        Server::Gunicorn => "gunicorn",
        Server::Axum => "axum",
    }
}

/// A concurrency model as scenarios name it.
pub(crate) fn model(of: Concurrency) -> &'static str {
    match of {
        Concurrency::Blocking => "blocking",
        Concurrency::Threadpool => "threadpool",
        Concurrency::Async => "async",
    }
}

/// A kind of work as profiles name it.
pub(crate) fn kind(of: Work) -> &'static str {
    match of {
        Work::Request => "request",
        Work::Statement => "statement",
        Work::Call => "call",
        Work::Open => "open",
        Work::Commit => "commit",
    }
}

/// A journal mode as scenarios name it.
pub(crate) fn journal(mode: JournalMode) -> &'static str {
    match mode {
        JournalMode::Delete => "delete",
        JournalMode::Truncate => "truncate",
        JournalMode::Persist => "persist",
        JournalMode::Wal => "wal",
    }
}

/// A synchronous level as scenarios name it.
pub(crate) fn synchronous(level: Synchronous) -> &'static str {
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

    use super::*;

    #[test]
    fn each_probe_is_a_scenario_of_which_nothing_is_burned() {
        let lengths = Lengths::default();
        let both = [Target::Axum, Target::Fastapi];
        for (target, probe) in
            both.into_iter().flat_map(|t| Probe::all(t).into_iter().map(move |p| (t, p)))
        {
            let text = probe.text(target, &lengths);
            let resolved = model::read::load_text(&probe.file_name(), &text, &[]);
            let scenario = resolved.unwrap_or_else(|e| panic!("{probe}: {e}\n{text}")).scenario;
            assert_eq!(scenario.service.server, probe.server(target));
            assert_eq!(scenario.service.server == Server::Axum, target == Target::Axum);
            assert_eq!(scenario.service.concurrency, probe.concurrency());
            assert_eq!(scenario.load.warmup, lengths.warmup);
            let costs = scenario.costs;
            assert_eq!(costs.interpreter.lock, target == Target::Fastapi);
            for model in MODELS {
                assert_eq!(costs.cpu(model).request.mean(), 0.0);
                assert!(costs.cpu(model).statement.is_zero());
            }
        }
    }

    #[test]
    fn names_are_unique_and_fit_into_files() {
        let all = Probe::all(Target::Fastapi);
        let names: BTreeSet<String> = all.iter().map(|probe| probe.file_name()).collect();
        assert_eq!(names.len(), all.len());
        assert!(names.iter().all(|name| !name.contains([' ', '/'])));
    }
}
