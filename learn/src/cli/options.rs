//! What can be written after `learn`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use render::{Completions, HELP, Manual, Output, Source};

use super::check::Check;
use super::from;
use super::probe::Probe;

const EXAMPLES: &str = "\
Examples:
  learn probe http://127.0.0.1:8000 --requests requests.toml -o mine.toml
  learn probe http://127.0.0.1:8000 --openapi /openapi.json --start 'uvicorn app:app --port 8000'
  learn explain mine.toml                     how sure is each number, and what would help?
  learn update mine.toml --with later.toml    add what a later run found
  learn from --k6 run.ndjson --cpu cpu.csv -o mine.toml
  learn check mine.toml --against other-run.ndjson     is it right for a run it does not know?
  learn completions bash";

/// Learns what a service of your own costs, and writes it as a scenario that predicts it.
#[derive(Debug, Parser)]
#[command(name = "learn", version, before_help = EXAMPLES, help_template = HELP)]
pub(super) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(super) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Ask a service that runs, one request at a time and many at once, what it costs
    Probe(Box<Probe>),
    /// Say of each number where it comes from and how sure it is, the most doubtful first
    Explain(Explain),
    /// Add what another run learned: intervals shrink where both agree, and widen where they do not
    Update(Update),
    /// Learn from what a service left behind: logs, k6 runs, traces, metrics, CPU
    #[command(before_help = from::EXAMPLES, help_template = HELP)]
    From(Box<from::From>),
    /// Hold the prediction of what was learned against another run
    Check(Check),
    /// Print a script that completes this program's words in a shell
    Completions(Completions),
    /// Write manual pages
    #[command(hide = true)]
    Man(Manual),
    /// What tells how fast the service's processors are; started by `probe`
    #[command(hide = true)]
    WitnessProcess,
}

/// `learn explain`.
#[derive(Debug, Args)]
pub(super) struct Explain {
    #[command(flatten)]
    pub(super) source: Source,
    #[command(flatten)]
    pub(super) output: Output,
}

/// `learn update`.
#[derive(Debug, Args)]
pub(super) struct Update {
    /// The scenario file to change; its comments stay
    pub(super) file: PathBuf,
    /// A scenario that was learned from another run of the same service
    #[arg(long, value_name = "OTHER")]
    pub(super) with: PathBuf,
    /// Say what would change, and write nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    #[command(flatten)]
    pub(super) output: Output,
}
