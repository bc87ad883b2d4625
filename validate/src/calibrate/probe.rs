//! Small scenarios that differ by one thing each.

use std::fmt::{self, Display};

use model::costs::Work;
use model::scenario::{Concurrency, JournalMode, Server, Synchronous};
use model::units::Span;

/// CPU time of the handler of each probe in seconds, so that the load generator keeps up.
pub(crate) const HANDLER: f64 = 0.5e-3;
/// Users that keep a service busy: its loop never sleeps.
pub(crate) const MANY: u32 = 20;

/// A small scenario about one cost. Probes of one user show what waking up and waiting cost,
/// all others keep the service busy: that is where CPU time counts, with warm caches.
#[derive(Clone, Debug)]
pub(crate) struct Probe {
    /// Unique on its stack, and part of a file name.
    pub(crate) name: String,
    /// The server that it runs on.
    pub(crate) server: Server,
    /// How its handler runs.
    pub(crate) concurrency: Concurrency,
    /// The work of a request beside computing, each kind once; the last is the subject of the
    /// probe.
    pub(crate) works: &'static [Work],
    /// Requests in flight that displace each other's data in the caches; one if that is not seen.
    pub(crate) crowd: u32,
    /// Lines of the table `[load]`.
    load: String,
    window: Window,
    /// More lines of the table `[service]`.
    service: String,
    /// The tables of the database and the upstream.
    resources: String,
    /// Steps of the endpoint.
    steps: String,
}

/// How long a probe counts.
#[derive(Clone, Debug)]
pub(crate) enum Window {
    /// So many times the usual length.
    Times(u64),
    /// Stages of users, as `load.stages` has them.
    Stages(String),
}

/// How long each probe runs, unless it says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lengths {
    /// Not counted.
    pub(crate) warmup: Span,
    /// Counted.
    pub(crate) duration: Span,
}

impl Default for Lengths {
    fn default() -> Lengths {
        Lengths { warmup: Span::from_millis(500), duration: Span::from_millis(1700) }
    }
}

/// Where the connections of a probe to its database come from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Connections {
    /// From a pool that has one for each user.
    Kept,
    /// Opened for each operation.
    Opened,
    /// From a pool of one, which is waited for 20 ms.
    One,
}

/// Steps of a handler that computes and then does the last of `works`.
fn steps(works: &[Work]) -> String {
    let handler = "{ cpu = \"0.5ms\" }";
    match works.last() {
        Some(Work::Statement | Work::Open) => format!("{handler}, {{ read = \"item\" }}"),
        Some(Work::Commit) => format!("{handler}, {{ write = \"item\" }}"),
        Some(Work::Call) => format!("{handler}, {CALL}"),
        _ => handler.into(),
    }
}

/// A step that calls the upstream.
pub(crate) const CALL: &str = "{ call = \"partner\" }";

/// The work of a request that does nothing but compute.
pub(crate) const REQUEST: &[Work] = &[Work::Request];
/// The work of a request that reads on an open connection.
pub(crate) const READ: &[Work] = &[Work::Request, Work::Statement];
/// The work of a request that reads on a connection of its own.
pub(crate) const OPEN: &[Work] = &[Work::Request, Work::Statement, Work::Open];
/// The work of a request that calls an upstream.
pub(crate) const CALLING: &[Work] = &[Work::Request, Work::Call];
/// The work of a request that writes.
pub(crate) const WRITE: &[Work] = &[Work::Request, Work::Statement, Work::Commit];

impl Probe {
    /// Busy users whose requests do `works`.
    pub(crate) fn new(
        name: impl Into<String>,
        server: Server,
        concurrency: Concurrency,
        works: &'static [Work],
    ) -> Probe {
        Probe {
            name: name.into(),
            server,
            concurrency,
            works,
            crowd: 1,
            load: format!("users = {MANY}"),
            window: Window::Times(1),
            service: String::new(),
            resources: String::new(),
            steps: steps(works),
        }
    }

    /// With so many users.
    #[must_use]
    pub(crate) fn users(self, users: u32) -> Probe {
        self.load(format!("users = {users}"))
    }

    /// With requests at regular times, so many a second.
    #[must_use]
    pub(crate) fn rate(self, rate: u32) -> Probe {
        self.load(format!("rate = \"{rate}/s\"\nspacing = \"even\""))
    }

    /// With these lines of the table `[load]`.
    #[must_use]
    pub(crate) fn load(self, load: String) -> Probe {
        Probe { load, ..self }
    }

    /// For so long.
    #[must_use]
    pub(crate) fn window(self, window: Window) -> Probe {
        Probe { window, ..self }
    }

    /// With one more line of the table `[service]`.
    #[must_use]
    pub(crate) fn service(self, line: &str) -> Probe {
        Probe { service: format!("\n{line}"), ..self }
    }

    /// With SQLite; `more` are lines of its table.
    #[must_use]
    pub(crate) fn sqlite(
        self,
        mode: JournalMode,
        level: Synchronous,
        connections: Connections,
        more: &str,
    ) -> Probe {
        let connections = match connections {
            Connections::Kept => format!("{{ kind = \"pool\", size = {MANY}, overflow = 0 }}"),
            Connections::One => {
                "{ kind = \"pool\", size = 1, overflow = 0, timeout = \"20ms\" }".into()
            }
            Connections::Opened => "{ kind = \"per-operation\" }".into(),
        };
        let (mode, level) = (mode.as_str(), level.as_str());
        let resources = format!(
            "[database]\nengine = \"sqlite\"\njournal_mode = \"{mode}\"\n\
             synchronous = \"{level}\"\nconnections = {connections}\n{more}\n"
        );
        Probe { resources, ..self }
    }

    /// With a Postgres server so far away; `more` are lines of the database's table.
    #[must_use]
    pub(crate) fn postgres(self, connections: &str, round_trip: &str, more: &str) -> Probe {
        let resources = format!(
            "[database]\nengine = \"postgres\"\nround_trip = \"{round_trip}\"\n\
             connections = {connections}\n{more}\n"
        );
        Probe { resources, ..self }
    }

    /// With an upstream that answers after `latency`.
    #[must_use]
    pub(crate) fn upstream(self, latency: &str) -> Probe {
        let resources = format!("[upstream.partner]\nlatency = \"{latency}\"\n\n");
        Probe { resources, ..self }
    }

    /// With an upstream to which the client has so many connections; calls wait for them.
    #[must_use]
    pub(crate) fn limited(self, latency: &str, connections: u32) -> Probe {
        let resources = format!(
            "[upstream.partner]\nlatency = \"{latency}\"\nmax_connections = {connections}\n\
             pool_timeout = \"never\"\n\n"
        );
        Probe { resources, ..self }
    }

    /// With these steps of its endpoint.
    #[must_use]
    pub(crate) fn steps(self, steps: impl Into<String>) -> Probe {
        Probe { steps: steps.into(), ..self }
    }

    /// With so many requests that displace each other's data in the caches.
    #[must_use]
    pub(crate) fn crowd(self, crowd: u32) -> Probe {
        Probe { crowd, ..self }
    }

    /// Its name as a file.
    pub(crate) fn file_name(&self) -> String {
        format!("{}.toml", self.name.replace(' ', "-"))
    }

    /// Its scenario; `lock` if threads of a process compute one at a time.
    pub(crate) fn text(&self, lock: bool, lengths: &Lengths) -> String {
        let Probe { name, load, service, resources, steps, .. } = self;
        let (warmup, window) = (lengths.warmup, self.window.text(lengths.duration));
        let (server, model) = (self.server.as_str(), self.concurrency.as_str());
        format!(
            "question = \"What does it cost: {name}?\"\n\n\
             [costs]  # nothing is burned: the stack itself is what is measured\n\
             interpreter.lock = {lock}\n\
             query.default = {{ engine = \"0s\", pages = 1 }}\n\n\
             [load]\n{load}\nwarmup = \"{warmup}\"\n{window}\n\n\
             [service]\nserver = \"{server}\"\nworkers = 1\n\
             concurrency = \"{model}\"{service}\n\n{resources}\
             [[endpoint]]\nname = \"probe\"\nweight = 1\nsteps = [{steps}]\n"
        )
    }
}

impl Window {
    fn text(&self, usual: Span) -> String {
        match self {
            Window::Times(times) => format!("duration = \"{}\"", usual * *times),
            Window::Stages(stages) => format!("stages = [{stages}]"),
        }
    }
}

impl Display for Probe {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.name)
    }
}
