//! The command line of `validate`, as clap reads it.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use live::cli::{Environment, On};
use live::stack::Target;
use model::sweep::Axis;
use model::units::Span;
use render::HELP;
use render::ci::{Form, VerdictOutput};
use render::{Changes, Completions, Format, Keep, LadderSource, Manual, Output, Source, Sources};

use super::measuring::{Measuring, UntilDecided};
use super::tolerance::ToleranceOptions;
use crate::calibrate::probe::Lengths;
use crate::calibrate::session::Settings;
use crate::calibrate::stack::Databases;

const EXAMPLES: &str = "\
Examples:
  validate run v3.toml                                 is what is predicted what happens?
  validate run v3.toml --watch                         and see both while it is measured
  validate run v3.toml --metrics-listen 127.0.0.1:9464 both for Prometheus, under the same names
  validate run scenarios/validation/*.toml --repeat 5 --tolerance p99=15%
  validate run v3.toml v5.toml --repeat 2 --budget 5m  more rounds of what is not decided yet
  validate ladder v5.toml                              does each change buy what it should?
  validate ladder v5.toml --target fastapi             the same on FastAPI, SQLAlchemy, httpx
  validate run mine.toml --target http://127.0.0.1:8000 --set load.rate=120/s
                                                       the same on a service of your own
  validate sweep v6.toml --vary load.users=50,100,200,400
  validate sweep v3.toml --vary service.workers=1,2,4 --predict-only
  validate size v6.toml --keep 'p99 < 45s'             does it take as many users as predicted?
  live run v3.toml --repeat 3                          kept in runs/; then, in pairs with it,
  sim scenario v3.toml --replications 3 --format json > v3.json
  validate compare v3.json runs/v3-20260101-120000     can the prediction be trusted?
  validate compare v3.json runs/v3-20260101-120000 --tolerance p99=20% --tolerance mean=10%
  validate compare v3.json report.json --format json | jq .verdict
  validate compare --k6 v5-k6.json v5.toml             the same, measured by k6
  validate run v5.toml --target fastapi --calibrate    costs of the same quarter of an hour
  validate calibrate axum                              what does axum cost by itself, here?
  validate calibrate fastapi                           and FastAPI? about ten minutes
  validate calibrate axum --database postgres          and its way to a Postgres server?

A FILE is looked for as given, then under scenarios/, then among the built-in scenarios; its
.toml may be left out. A REPORT is a
file that `sim scenario --format json` or `live run --format json` wrote, or the folder of a
saved run.

Exit codes: 0 agree, 1 disagree, 2 wrong usage or reports that cannot be compared,
3 inconclusive.";

const CUT: &str = "\
Unless they are chosen, a warm-up longer than 8s is cut to 8s, and a window longer than 10s to 10s.";

const PROOF: &str = "\
Examples:
  validate size v6.toml --keep 'p99 < 45s'             does the real service take what is predicted?
  validate size mine.toml --keep 'p99 < 300ms' --open --warmup 2s --duration 10s

Exit codes: 0 kept below the answer and broken above it, as predicted; 1 not as predicted; 2 no answer;
3 inconclusive: a limit lies in the interval of a number, the measurement is unsound or not whole, or
no load breaks an objective; 4 no load keeps the objectives.";

/// Says whether a prediction can be trusted: predicted against measured, number by number.
#[derive(Debug, Parser)]
#[command(name = "validate", version, before_help = EXAMPLES, help_template = HELP)]
pub(super) struct Cli {
    /// The command.
    #[command(subcommand)]
    pub(super) command: Command,
}

/// The command.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Predict scenarios, measure them in turns and compare
    Run(RunOptions),
    /// Do so with a scenario and all that it extends: is the order of the rungs right?
    Ladder(LadderOptions),
    /// Do so with one key at several values: is the curve right?
    Sweep(SweepOptions),
    /// Predict how much load it takes, and measure at the answer, 10 % below and 10 % above it
    Size(SizeOptions),
    /// Hold a predicted report against a measured one, or a scenario against k6's summaries
    Compare(CompareOptions),
    /// Measure what a stack costs by itself on this machine, and write its cost profile
    Calibrate(CalibrateOptions),
    /// Print the JSON Schema of an answer
    Schema(SchemaOptions),
    /// Print a completion script for a shell
    Completions(Completions),
    /// Write manual pages
    #[command(hide = true)]
    Man(Manual),
    /// This program as `live`; started by the other commands
    #[command(hide = true, disable_help_flag = true)]
    Live(LiveOptions),
    /// A worker of the service; started by `live`
    #[command(hide = true)]
    WorkerProcess,
    /// The mock upstream; started by `live`
    #[command(hide = true)]
    UpstreamProcess,
    /// What keeps a service of the user's own; started by `live`
    #[command(hide = true)]
    ServiceProcess,
    /// What keeps a database server; started by `live`
    #[command(hide = true)]
    DatabaseProcess,
    /// What tells how fast the service's processors are; started by `live`
    #[command(hide = true)]
    WitnessProcess,
}

/// `validate run`.
#[derive(Debug, Args)]
pub(super) struct RunOptions {
    #[command(flatten)]
    pub(super) sources: Sources,
    #[command(flatten)]
    pub(super) measuring: Measuring,
    #[command(flatten)]
    pub(super) until_decided: UntilDecided,
    #[command(flatten)]
    pub(super) output: VerdictOutput,
}

/// `validate ladder`.
#[derive(Debug, Args)]
#[command(after_help = CUT)]
pub(super) struct LadderOptions {
    #[command(flatten)]
    pub(super) source: LadderSource,
    #[command(flatten)]
    pub(super) measuring: Measuring,
    #[command(flatten)]
    pub(super) until_decided: UntilDecided,
    #[command(flatten)]
    pub(super) output: VerdictOutput,
}

/// `validate sweep`.
#[derive(Debug, Args)]
#[command(after_help = CUT)]
pub(super) struct SweepOptions {
    #[command(flatten)]
    pub(super) source: Source,
    /// The key and its values: a list, or a range such as 1..8, 10..100:10 or 1..64*2; commas inside
    /// of braces, brackets or quotes do not part them
    #[arg(long, value_name = "KEY=A,B,C")]
    pub(super) vary: Axis,
    /// Predict the curve and measure nothing
    #[arg(long)]
    pub(super) predict_only: bool,
    #[command(flatten)]
    pub(super) measuring: Measuring,
    #[command(flatten)]
    pub(super) until_decided: UntilDecided,
    #[command(flatten)]
    pub(super) output: VerdictOutput,
}

/// `validate size`.
#[derive(Debug, Args)]
#[command(after_help = PROOF)]
pub(super) struct SizeOptions {
    #[command(flatten)]
    pub(super) source: Source,
    #[command(flatten)]
    pub(super) keep: Keep,
    /// Look for a rate of Poisson arrivals, where the file has users
    #[arg(long)]
    pub(super) open: bool,
    #[command(flatten)]
    pub(super) measuring: Measuring,
    #[command(flatten)]
    pub(super) output: VerdictOutput,
}

/// `validate live`.
#[derive(Debug, Args)]
pub(super) struct LiveOptions {
    /// The form of failures, if not that of the answer
    #[arg(long, value_enum)]
    pub(super) failures: Option<Format>,
    /// What `live` is to do
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub(super) words: Vec<OsString>,
}

/// `validate compare`.
#[derive(Debug, Args)]
pub(super) struct CompareOptions {
    /// The predicted report; with --k6 a scenario, which is predicted first, or any report
    #[arg(value_name = "PREDICTED")]
    pub(super) predicted: PathBuf,
    /// The measured report, or the folder of its run
    #[arg(value_name = "MEASURED", required_unless_present = "summaries")]
    #[arg(conflicts_with = "summaries")]
    pub(super) measured: Option<PathBuf>,
    #[command(flatten)]
    pub(super) k6: K6,
    #[command(flatten)]
    pub(super) tolerance: ToleranceOptions,
    #[command(flatten)]
    pub(super) output: VerdictOutput,
}

/// A measurement by k6.
#[derive(Debug, Args)]
pub(super) struct K6 {
    /// Take the measurement from k6's summary of a run, or from its samples (--out json=FILE);
    /// repeated, from several runs of one script
    #[arg(long = "k6", value_name = "SUMMARY")]
    pub(super) summaries: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) changes: Changes,
    #[command(flatten)]
    pub(super) on: On,
    /// With --k6, what the stack costs by itself on this machine; costs/TARGET.toml if left out and
    /// there
    #[arg(long, value_name = "FILE")]
    pub(super) costs: Option<PathBuf>,
    /// With --k6, the scenario is of a service of your own, and says itself what that costs
    #[arg(long, conflicts_with = "costs")]
    pub(super) own: bool,
}

/// `validate calibrate`.
#[derive(Debug, Args)]
pub(super) struct CalibrateOptions {
    /// The stack
    #[arg(value_enum)]
    pub(super) target: Target,
    #[command(flatten)]
    pub(super) environment: Environment,
    /// The database: with `postgres` its costs alone are measured, on a server that is started for
    /// each probe, and all others stay as they are in the profile
    #[arg(long = "database", value_enum, default_value_t = Databases::Sqlite)]
    databases: Databases,
    /// Run every probe so many times; a round takes about 100 s on axum and three minutes on
    /// FastAPI, two are needed for an interval
    #[arg(long, value_name = "N", default_value_t = 3)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(super) rounds: u32,
    /// Write the profile here, on the disk that is to be measured; costs/TARGET.toml if left out
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Replace a file that no calibration wrote
    #[arg(long)]
    pub(super) force: bool,
    /// Measure these costs alone, such as cpu.async.request, or all of a table, such as commit.wal
    /// (repeatable); the others stay as they are in the profile that is replaced, or in the one that
    /// comes with this program
    #[arg(long, value_name = "KEY", value_delimiter = ',')]
    only: Vec<String>,
    /// Warm each probe up for so long
    #[arg(long, value_name = "TIME", hide = true, value_parser = Span::parse)]
    warmup: Option<Span>,
    /// Count for so long in each probe
    #[arg(long, value_name = "TIME", hide = true, value_parser = Span::parse)]
    duration: Option<Span>,
    #[command(flatten)]
    pub(super) output: Output,
}

impl CalibrateOptions {
    /// How to calibrate.
    pub(super) fn settings(&self) -> Settings {
        let on = On::stack(self.target, self.environment.clone());
        let usual = Settings::usual(on);
        Settings {
            rounds: self.rounds,
            file: self.out.clone().unwrap_or(usual.file),
            force: self.force,
            only: self.only.clone(),
            databases: self.databases,
            lengths: Lengths {
                warmup: self.warmup.unwrap_or(usual.lengths.warmup),
                duration: self.duration.unwrap_or(usual.lengths.duration),
            },
            ..usual
        }
    }
}

/// `validate schema`.
#[derive(Debug, Args)]
pub(super) struct SchemaOptions {
    /// Of what
    #[arg(value_enum, default_value_t = Document::Comparison)]
    pub(super) document: Document,
}

/// Answers that have a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Document {
    /// The answer of `validate compare --format json`
    Comparison,
    /// What many comparisons say together
    Summary,
    /// The answer of `validate calibrate --format json`
    Calibration,
    /// The answer of `validate run --format json`
    Validation,
    /// The answer of `validate ladder --format json`
    Ladder,
    /// The answer of `validate sweep --format json`
    Sweep,
    /// The answer of `validate size --format json`
    Size,
}

impl Command {
    /// The form of a failure.
    pub(super) fn format(&self) -> Format {
        match self {
            Command::Run(options) => options.output.format,
            Command::Ladder(options) => options.output.format,
            Command::Sweep(options) => options.output.format,
            Command::Size(options) => options.output.format,
            Command::Compare(options) => options.output.format,
            Command::Calibrate(options) => options.output.format,
            _ => Format::Text,
        }
    }

    /// The form for build servers, if one is asked for.
    pub(super) fn form(&self) -> Option<Form> {
        match self {
            Command::Run(options) => options.output.form(),
            Command::Ladder(options) => options.output.form(),
            Command::Sweep(options) => options.output.form(),
            Command::Size(options) => options.output.form(),
            Command::Compare(options) => options.output.form(),
            _ => None,
        }
    }

    /// How the answer is to be written, if it may go to a file too.
    pub(super) fn output(&self) -> Option<&Output> {
        match self {
            Command::Run(options) => Some(&options.output),
            Command::Ladder(options) => Some(&options.output),
            Command::Sweep(options) => Some(&options.output),
            Command::Size(options) => Some(&options.output),
            Command::Compare(options) => Some(&options.output),
            Command::Calibrate(options) => Some(&options.output),
            _ => None,
        }
    }
}
