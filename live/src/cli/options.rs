//! What can be written after `live`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use render::HELP;
use render::ci::{Form, VerdictOutput};
use render::{Completions, Format, Keep, LadderSource, Manual, Output, Source, Sources};

use super::audience::AudienceOptions;
use super::on::{Hosts, On};
use crate::run::Display;
use crate::stack::{ENVIRONMENT_FOLDER, PYTHON, ServiceUrl};

const EXAMPLES: &str = "\
Examples:
  live run v2.toml                            what does happen?
  live run v2.toml --keep 'p99 < 800ms'       does it keep that? exit code 4 if not
  live run v2.toml --watch                    and see it while it happens; q stops early
  live run v2.toml --metrics-listen 127.0.0.1:9464     the same for Prometheus, at /metrics
  live run v2.toml --otlp http://127.0.0.1:4318        and for a collector of OpenTelemetry
  live run v6.toml --duration 2m --set upstream.partner.max_in_flight=200
  live run v2.toml mine.toml --repeat 5       the better of two? in turns, five times each
  live ladder v5.toml --duration 10s          what did each change buy, for real?
  live ladder v5.toml --target fastapi        the same on FastAPI, SQLAlchemy and httpx
  live compare runs/v2-*                      saved runs side by side
  live run mine.toml --target http://127.0.0.1:8000   a service of your own that runs already
  live run mine.toml --target http://127.0.0.1:8000 --start 'uvicorn app:app --port 8000'
  live serve v2.toml --port 8080              the service alone, to try it by hand
  live export k6 v2.toml -o v2.js             its load as a script for k6
  live run v2.toml --format json | jq .throughput.value

A FILE is looked for as given, then under scenarios/, then among the built-in scenarios; its
.toml may be left out. The service
has one processor to itself, load generator and mock upstream share the others; all of them
talk over 127.0.0.1 alone. A service of your own is asked as the `request` of each endpoint
says, and is not touched; on another machine only with --allow-host.

Exit codes: 0 measured, 2 wrong usage or a run that failed, 3 measured but inconclusive,
4 measured, and an objective (--keep, `[[objective]]`) is broken.";

const K6: &str = "\
Examples:
  live export k6 v5.toml -o v5.js
  live serve v5.toml --port 8080                      a service to try it on; or take your own
  k6 run -e BASE_URL=http://127.0.0.1:8080 v5.js      writes v5-k6.json
  validate compare --k6 v5-k6.json v5.toml            is what was predicted what happened?
  live export k6 v5.toml -o v5.js --parallelism 4 --base-url http://shop.default.svc:8080
                                                      v5.yaml too: the same by 4 instances at once";

/// Measures what a web service on one vCPU does: the real service of a scenario file, under
/// a real load.
#[derive(Debug, Parser)]
#[command(name = "live", version, before_help = EXAMPLES, help_template = HELP)]
pub(super) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(super) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Measure a scenario: throughput, response times, errors, where the time went; or several
    /// in turns, one row per scenario
    Run(Run),
    /// Measure a scenario and all that it extends, taking turns, one row per rung
    Ladder(Ladder),
    /// Put saved runs side by side, of any scenarios and dates
    Compare(Compare),
    /// Run the service alone, with its upstream and database, until Ctrl-C
    Serve(Serve),
    /// Run the mock upstream alone, until Ctrl-C
    Upstream(Upstream),
    /// Put a scenario's load on a service that runs already
    Load(LoadOn),
    /// Make what a target needs, once; the other commands do it by themselves
    Setup(Setup),
    /// Write a scenario's load as a script for another load generator
    Export(Export),
    /// Print a completion script for a shell
    Completions(Completions),
    /// Write manual pages
    #[command(hide = true)]
    Man(Manual),
    /// A worker of the service; started by the other commands
    #[command(hide = true)]
    WorkerProcess,
    /// The mock upstream; started by the other commands
    #[command(hide = true)]
    UpstreamProcess,
    /// What keeps a service of the user's own; started by the other commands
    #[command(hide = true)]
    ServiceProcess,
    /// What keeps a database server; started by the other commands
    #[command(hide = true)]
    DatabaseProcess,
    /// What tells how fast the service's processors are; started by the other commands
    #[command(hide = true)]
    WitnessProcess,
}

/// `live run`.
#[derive(Debug, Args)]
pub(super) struct Run {
    #[command(flatten)]
    pub(super) sources: Sources,
    #[command(flatten)]
    pub(super) keep: Keep,
    #[command(flatten)]
    pub(super) measuring: Measuring,
    /// The service's port, where one scenario is measured; a free one if left out
    #[arg(long, value_name = "PORT")]
    pub(super) port: Option<u16>,
    #[command(flatten)]
    pub(super) output: VerdictOutput,
}

/// `live ladder`.
#[derive(Debug, Args)]
pub(super) struct Ladder {
    #[command(flatten)]
    pub(super) source: LadderSource,
    #[command(flatten)]
    pub(super) measuring: Measuring,
    #[command(flatten)]
    pub(super) output: VerdictOutput,
}

/// `live compare`.
#[derive(Debug, Args)]
pub(super) struct Compare {
    /// Folders of saved runs, or their report.json; predicted reports are welcome
    #[arg(required = true, value_name = "REPORT")]
    pub(super) reports: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) output: Output,
}

/// `live serve`.
#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    pub(super) source: Source,
    #[command(flatten)]
    pub(super) on: On,
    /// The service's port; a free one if left out
    #[arg(long, value_name = "PORT")]
    pub(super) port: Option<u16>,
    #[command(flatten)]
    pub(super) files: Files,
}

/// `live upstream`.
#[derive(Debug, Args)]
pub(super) struct Upstream {
    #[command(flatten)]
    pub(super) source: Source,
    /// The upstream's port; a free one if left out
    #[arg(long, value_name = "PORT")]
    pub(super) port: Option<u16>,
}

/// `live load`.
#[derive(Debug, Args)]
pub(super) struct LoadOn {
    #[command(flatten)]
    pub(super) source: Source,
    /// Where the service listens, such as 127.0.0.1:8080; endpoints are asked as their `request`
    /// says, those without one by the protocol of the services of `live serve`
    #[arg(long, value_name = "ADDRESS")]
    pub(super) to: ServiceUrl,
    #[command(flatten)]
    pub(super) hosts: Hosts,
    #[command(flatten)]
    pub(super) timing: Timing,
    #[command(flatten)]
    pub(super) output: Output,
}

/// `live export`.
#[derive(Debug, Args)]
pub(super) struct Export {
    /// For which
    #[command(subcommand)]
    pub(super) to: Generator,
}

/// Load generators that a load is written for.
#[derive(Debug, Subcommand)]
pub(super) enum Generator {
    /// A script for k6 2.x: the same users, requests, stages, pauses and draw keys
    #[command(name = "k6", after_help = K6)]
    K6(Script),
}

/// A script of a scenario's load.
#[derive(Debug, Args)]
pub(super) struct Script {
    #[command(flatten)]
    pub(super) source: Source,
    /// Write it here instead of to standard output
    #[arg(short, long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long, requires = "out")]
    pub(super) force: bool,
    /// Write a TestRun for k6's operator too, which puts the load on the service by so many
    /// instances of k6 in a Kubernetes cluster: beside the script, its name with .yaml
    #[arg(long, value_name = "N", requires_all = ["out", "base_url"])]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) parallelism: Option<u32>,
    /// Where those instances find the service, such as `http://shop.default.svc:8080`
    #[arg(long, value_name = "URL", requires = "parallelism")]
    pub(super) base_url: Option<String>,
}

/// `live setup`.
#[derive(Debug, Args)]
pub(super) struct Setup {
    /// For which target
    #[command(subcommand)]
    pub(super) target: SetupOf,
}

/// What can be set up.
#[derive(Debug, Subcommand)]
pub(super) enum SetupOf {
    /// A virtual environment with FastAPI, its servers and libraries, in fixed versions
    Fastapi(SetupFastapi),
}

/// `live setup fastapi`.
#[derive(Debug, Args)]
pub(super) struct SetupFastapi {
    /// Make it again, though it is there
    #[arg(long)]
    pub(super) again: bool,
    /// The Python to make it with
    #[arg(long, value_name = "PROGRAM", default_value = PYTHON)]
    pub(super) python: String,
    #[command(flatten)]
    pub(super) environment: Environment,
}

/// Where the environment of a target is.
#[derive(Clone, Debug, Args)]
pub struct Environment {
    /// Folder of the target fastapi's virtual environment
    #[arg(long = "environment", value_name = "FOLDER", default_value = ENVIRONMENT_FOLDER)]
    pub folder: PathBuf,
}

/// How to measure.
#[derive(Debug, Args)]
pub(super) struct Measuring {
    #[command(flatten)]
    pub(super) on: On,
    #[command(flatten)]
    pub(super) timing: Timing,
    /// Measure so many times, each from a fresh start; several scenarios take turns
    #[arg(long, value_name = "N", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(super) repeat: u32,
    #[command(flatten)]
    pub(super) audience: AudienceOptions,
    /// Tell what is measured, second by second, on the socket that is the standard input, for
    /// `validate`, which shows it so
    #[arg(long, hide = true, value_enum, value_name = "WHERE")]
    #[arg(conflicts_with_all = ["watch", "metrics_listen", "otlp"])]
    pub(super) tell: Option<Display>,
    /// When all has been measured as often as --repeat says, ask on that socket which scenario is to be
    /// measured once more, until none is; used by `validate`
    #[arg(long, hide = true, conflicts_with = "watch")]
    pub(super) ask: bool,
    #[command(flatten)]
    pub(super) files: Files,
}

/// How long to measure.
#[derive(Debug, Args)]
pub(super) struct Timing {
    /// Count for so long, such as 30s, instead of the scenario's load.duration
    #[arg(long, value_name = "TIME")]
    duration: Option<String>,
    /// Warm up for so long, instead of the scenario's load.warmup
    #[arg(long, value_name = "TIME")]
    warmup: Option<String>,
}

/// Where to write.
#[derive(Debug, Args)]
pub(super) struct Files {
    /// Folder for runs and, while they run, for their database files
    #[arg(long, value_name = "FOLDER", default_value = "runs")]
    pub(super) out: PathBuf,
}

impl Timing {
    /// As changes to the scenario's keys.
    pub(super) fn sets(&self) -> Vec<String> {
        let set = |key: &str, value: &Option<String>| {
            value.as_ref().map(|value| format!("load.{key}={value}"))
        };
        set("duration", &self.duration).into_iter().chain(set("warmup", &self.warmup)).collect()
    }
}

impl Command {
    /// The form that the user asked for.
    pub(super) fn format(&self) -> Format {
        match self {
            Command::Run(options) => options.output.format,
            Command::Ladder(options) => options.output.format,
            Command::Compare(options) => options.output.format,
            Command::Load(options) => options.output.format,
            _ => Format::Text,
        }
    }

    /// The form for build servers, if one is asked for.
    pub(super) fn form(&self) -> Option<Form> {
        match self {
            Command::Run(options) => options.output.form(),
            Command::Ladder(options) => options.output.form(),
            _ => None,
        }
    }

    /// How the answer is to be written, if it may go to a file too.
    pub(super) fn output(&self) -> Option<&Output> {
        match self {
            Command::Run(options) => Some(&options.output),
            Command::Ladder(options) => Some(&options.output),
            Command::Compare(options) => Some(&options.output),
            Command::Load(options) => Some(&options.output),
            _ => None,
        }
    }
}
