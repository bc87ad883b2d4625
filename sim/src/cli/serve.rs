//! `sim serve`: the engine behind HTTP.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use clap::Args;
use model::read::{Diagnostic, Diagnostics};
use model::units::{Span, parse_size};
use render::{Console, Exit, Failure, Format, HELP, PlainOutput};
use serde::Serialize;
use serve::{Ended, Limits, Server, Tokens};

use crate::api::Predictions;
use crate::stop;

const EXAMPLES: &str = "\
Examples:
  sim serve                                   on 127.0.0.1:8080, for this machine alone
  curl localhost:8080/predict -H 'Content-Type: application/json' \\
      -d '{\"scenario\": {\"extends\": \"v6.toml\"}, \"set\": [\"service.workers=4\"]}'
  sim serve --listen 0.0.0.0:8080 --tokens tokens.txt   for others too, who show a token
  sim serve --workers 4 --queue 100 --time 10s --events 50000000 --memory 256MiB

POST /predict, /explain, /size and /ladder answer as `sim scenario`, `explain`, `size` and
`ladder` do with --format json; GET /openapi.json says how to ask. The first Ctrl-C or SIGTERM lets
the server finish what it works on, a second one ends it at once.

Exit codes: 0 all was finished, 2 wrong input or no port, 130 ended at once.";

/// Exit code of a process that is ended at once: the shell's for SIGINT.
const AT_ONCE: i32 = 130;

/// `sim serve`.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = HELP)]
pub(super) struct Serve {
    /// The address to listen on; port 0 is any that is free. Other machines can reach one that is not
    /// `127.0.0.1` or `[::1]`, for which --tokens is needed
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Answer only requests that show a token of this file: `Authorization: Bearer TOKEN`. Each line is
    /// the name of a client and its token
    #[arg(long, value_name = "FILE")]
    tokens: Option<PathBuf>,
    #[command(flatten)]
    pub(super) output: PlainOutput,
    #[command(flatten)]
    limits: LimitOptions,
}

/// How much is allowed.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
struct LimitOptions {
    /// Questions that are worked on at a time; one more than there are processors if left out
    #[arg(long, value_name = "N")]
    workers: Option<NonZeroUsize>,
    /// Those of one client, known by its token or else by its address; all workers but one if left out
    #[arg(long, value_name = "N")]
    per_client: Option<NonZeroUsize>,
    /// Threads that work on one question
    #[arg(long, value_name = "N", default_value = "1")]
    threads: NonZeroUsize,
    /// Questions that wait; one more is answered with 429
    #[arg(long, value_name = "N", default_value_t = 32)]
    queue: usize,
    /// How long one answer may take
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = time)]
    time: Duration,
    /// How many events one answer may take
    #[arg(long, value_name = "N", default_value_t = 1_000_000_000)]
    events: u64,
    /// How much memory one run may need
    #[arg(long, value_name = "SIZE", default_value = "512MiB", value_parser = parse_size)]
    memory: u64,
    /// How long the body of a request may be
    #[arg(long, value_name = "SIZE", default_value = "1MiB", value_parser = parse_size)]
    body: u64,
    /// Connections that are open at a time
    #[arg(long, value_name = "N", default_value = "256")]
    connections: NonZeroUsize,
    /// How long a client may take to send a request, or to take an answer; a connection without a request
    /// is closed after this time
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = time)]
    patience: Duration,
}

/// A length of time that is not nothing.
fn time(text: &str) -> Result<Duration, String> {
    match Span::parse(text)? {
        Span::ZERO => Err("a time above 0s".into()),
        span => Ok(Duration::from_nanos(span.nanos())),
    }
}

impl LimitOptions {
    fn of_server(&self) -> Limits {
        // One more than can be busy, so that a client that keeps all processors busy keeps no other
        // client waiting.
        let processors = available_parallelism().map_or(1, NonZeroUsize::get);
        let workers = self.workers.map_or(processors + 1, NonZeroUsize::get);
        let per_client = self.per_client.map_or((workers - 1).max(1), NonZeroUsize::get);
        Limits {
            workers,
            per_client,
            queue: self.queue,
            connections: self.connections.get(),
            body: usize::try_from(self.body).unwrap_or(usize::MAX),
            time: self.time,
            patience: self.patience,
        }
    }

    fn of_question(&self) -> stop::Limits {
        stop::Limits { events: self.events, memory: self.memory }
    }
}

/// Where the server is, for programs.
#[derive(Serialize)]
struct Address<'a> {
    address: &'a str,
}

/// Serves until the user ends it.
pub(super) fn run(options: &Serve, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let tokens = tokens(options)?;
    let cannot = |error| {
        Failure::System(format!(
            "cannot listen on {}: {error}. Port 0 is a free one",
            options.listen
        ))
    };
    let server =
        Server::bind(options.listen, tokens, options.limits.of_server()).map_err(cannot)?;
    let address = format!("http://{}", server.address().map_err(cannot)?);
    console.data(&match options.output.format {
        Format::Json => render::json(&Address { address: &address }),
        Format::Text | Format::Markdown => format!("{address}\n"),
    })?;
    if options.output.format != Format::Json {
        console
            .talk("Ctrl-C ends it when it has finished what it works on, a second one at once.\n");
    }
    let api =
        Predictions { limits: options.limits.of_question(), threads: options.limits.threads.get() };
    match server.run(Arc::new(api)) {
        Ended::Answered => Ok(Exit::Success),
        Ended::AtOnce => std::process::exit(AT_ONCE),
    }
}

/// Who may ask: this machine alone, or those who show a token.
fn tokens(options: &Serve) -> Result<Tokens, Diagnostics> {
    let Some(file) = &options.tokens else {
        return match options.listen.ip().is_loopback() {
            true => Ok(Tokens::none()),
            false => Err(Diagnostic::of_file(
                "--listen",
                format!("other machines can reach {}, and no token is asked for", options.listen),
                "an address of this machine alone (127.0.0.1, [::1]), or any with --tokens",
                "write a token into a file, as in `openssl rand -hex 16 > tokens.txt`, and pass \
                 --tokens tokens.txt",
            )
            .into()),
        };
    };
    let refused = |why: String| -> Diagnostics {
        let advice = "write a token as `openssl rand -hex 16` makes one";
        Diagnostic::of_file(file.display().to_string(), why, Tokens::ALLOWED, advice).into()
    };
    let text = std::fs::read_to_string(file);
    let text = text.map_err(|error| refused(format!("cannot be read: {error}")))?;
    Tokens::read(&text).map_err(refused)
}
