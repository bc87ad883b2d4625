//! The starter as a file.

use super::{Data, Stack, Starter, Traffic};

impl Starter {
    /// The scenario file.
    pub(crate) fn text(&self) -> String {
        let parts = [
            self.head(),
            self.load(),
            self.service(),
            self.database(),
            self.partner(),
            self.endpoints(),
            self.costs(),
        ];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
    }

    fn head(&self) -> String {
        "\
# A service of your own. Replace the numbers that are marked with <--, then:
#
#   sim check mine.toml          every problem at once
#   sim scenario mine.toml       what it does, and what to change first
#   sim explain mine.toml        every change that was tried
#
# `learn probe` finds these numbers by itself, where the service can run on this machine.
question = \"How much does my service take, and what limits it?\"
"
        .to_string()
    }

    fn load(&self) -> String {
        let who = match self.traffic {
            Traffic::Rate(rate) => format!(
                "rate = \"{rate}/s\"                # <-- requests per second, all endpoints together"
            ),
            Traffic::Users(users) => format!(
                "users = {users}                    # <-- at once; each waits for its reply\n\
                 think_time = \"100ms\"         # <-- between a reply and the next request"
            ),
        };
        let keep_alive = match self.stack {
            Stack::Django => {
                "keep_alive = false           # a sync worker closes each connection after its reply\n"
            }
            _ => "",
        };
        format!(
            "[load]\n{who}\n{keep_alive}timeout = \"30s\"              # <-- how long a client waits\n\
             warmup = \"5s\"\nduration = \"60s\"\n"
        )
    }

    fn service(&self) -> String {
        let (server, concurrency, more) = match self.stack {
            Stack::Fastapi => (
                "uvicorn",
                "threadpool",
                "threads = 40                 # of each worker: anyio's default for `def` handlers\n",
            ),
            Stack::FastapiAsync => ("uvicorn", "async", ""),
            Stack::Django => (
                "gunicorn",
                "blocking",
                "worker_class = \"sync\"         # accepts a connection, answers, closes it\n",
            ),
            Stack::Flask => (
                "gunicorn",
                "threadpool",
                "worker_class = \"gthread\"\n\
                 threads = 4                  # <-- of each worker: gunicorn's --threads\n",
            ),
            Stack::Axum => ("axum", "async", ""),
            Stack::Node => (
                "uvicorn",
                "async",
                "spread = \"round-robin\"       # as the cluster module gives connections to workers\n",
            ),
        };
        let way = match self.stack {
            Stack::Fastapi => "# `def` handlers, each on a thread of its worker's pool",
            Stack::FastapiAsync => "# `async def` handlers that await whatever they wait for",
            Stack::Django => "# one request at a time in each worker",
            Stack::Flask => "# a thread for each request",
            Stack::Axum => "# handlers that await whatever they wait for; one process, one runtime",
            Stack::Node => "# one loop in each worker; Node is described as a loop of uvicorn",
        };
        let concurrency = format!("concurrency = \"{concurrency}\"");
        format!(
            "[cpu]\ncores = {}                    # <-- processors that the workers share\n\n\
             [service]\nserver = \"{server}\"\n{concurrency:<28} {way}\n\
             workers = {}                  # <-- worker processes\n{more}",
            self.cores, self.workers
        )
    }

    fn database(&self) -> String {
        let pool = self.pool;
        let hold = match self.stack {
            Stack::Fastapi => {
                "hold = \"request\"             # a session from a dependency: `Depends(get_session)`\n"
            }
            Stack::Flask | Stack::Django => {
                "hold = \"request\"             # kept until the request ends\n"
            }
            _ => {
                "hold = \"operation\"           # for one statement; \"handler\" for a session around all\n"
            }
        };
        match self.data {
            Data::None => String::new(),
            Data::Postgres => format!(
                "[database]\nengine = \"postgres\"\ncores = 2                    # <-- processors of the database server\n\
                 round_trip = \"0.5ms\"         # <-- of the network, for each statement\n{hold}\
                 connections = {{ kind = \"pool\", size = {pool}, timeout = \"30s\" }}   # <-- of each worker\n"
            ),
            Data::Sqlite => format!(
                "[database]\nengine = \"sqlite\"\njournal_mode = \"wal\"         # <-- PRAGMA journal_mode; \"delete\" if never set\n\
                 synchronous = \"normal\"       # <-- PRAGMA synchronous; \"full\" if never set\n{hold}\
                 connections = {{ kind = \"pool\", size = {pool}, timeout = \"30s\" }}   # <-- of each worker\n"
            ),
        }
    }

    fn partner(&self) -> String {
        let Some(p50) = self.upstream else { return String::new() };
        let (p50, p99) = (milliseconds(p50), milliseconds(self.upstream_p99.max(p50)));
        let client = match self.stack {
            Stack::Fastapi | Stack::FastapiAsync => {
                "client = \"httpx\"             # its limits and timeouts; `sim check` prints them\n"
            }
            Stack::Django | Stack::Flask => {
                "client = \"requests\"          # its limits and timeouts; `sim check` prints them\n"
            }
            Stack::Axum => {
                "client = \"reqwest\"           # its limits and timeouts; `sim check` prints them\n"
            }
            Stack::Node => "",
        };
        format!(
            "[upstream.partner]           # <-- a service of others that yours calls\n{client}\
             latency = {{ p50 = \"{p50}\", p99 = \"{p99}\" }}   # <-- half of the calls, and 99 in 100, take less\n\
             timeout = \"10s\"              # <-- of one call\n"
        )
    }

    fn endpoints(&self) -> String {
        let cpu = milliseconds(self.cpu);
        let read = if self.data == Data::None { "" } else { ", { read = \"item\" }" };
        let write = if self.data == Data::None { "" } else { ", { write = \"order\" }" };
        let call = if self.upstream.is_none() { "" } else { ", { call = \"partner\" }" };
        let pad = |text: &str| format!("{text}\n");
        format!(
            "# One table for each kind of request: its share of the requests, and what it does in order.\n\
             [[endpoint]]\nname = \"GET /items/{{id}}\"     # <--\nweight = 80                  # <-- its share\n{}\n\
             [[endpoint]]\nname = \"POST /orders\"         # <--\nweight = 20\n{}",
            pad(&format!(
                "steps = [{{ cpu = \"{cpu}\" }}{read}]   # <-- CPU of the whole request, framework included"
            )),
            pad(&format!("steps = [{{ cpu = \"{cpu}\" }}{read}{write}{call}]")),
        )
    }

    fn costs(&self) -> String {
        let head = "\
# What the stack costs by itself is part of the CPU of each endpoint above, so it is nothing here.
";
        let query = milliseconds(self.query);
        let interpreter = match self.stack {
            Stack::Axum => {
                "[costs.interpreter]\nlock = false                 # threads compute at the same time\n"
            }
            _ => "",
        };
        let gap = if interpreter.is_empty() { "" } else { "\n" };
        match self.data {
            Data::None if interpreter.is_empty() => format!("{head}[costs]\n"),
            Data::None => format!("{head}{interpreter}"),
            _ => format!(
                "{head}{interpreter}{gap}[costs.query.item]\nengine = \"{query}\"               # <-- of the database: EXPLAIN ANALYZE says it\n\n\
                 [costs.query.order]\nengine = \"{query}\"               # <--\n"
            ),
        }
    }
}

/// `200ms`, `1.5s`.
fn milliseconds(number: f64) -> String {
    if number >= 1000.0 { format!("{}s", number / 1000.0) } else { format!("{number}ms") }
}
