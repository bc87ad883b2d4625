//! What can be written after `validate`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use render::Format;
use render::command_line::HELP;

use super::form::Output;
use crate::tolerance::{Tolerance, Tolerances};

const EXAMPLES: &str = "\
Examples:
  sim scenario v3.toml --format json > v3.json
  validate compare v3.json runs/v3-20260101-120000     can the prediction be trusted?
  validate compare v3.json runs/v3-20260101-120000 --tolerance p99=20% --tolerance mean=10%
  validate compare v3.json report.json --format json | jq .verdict

A REPORT is a file that `sim scenario --format json` or `live run --format json` wrote, or the
folder of a saved run.

Exit codes: 0 agree, 1 disagree, 2 wrong usage or reports that cannot be compared,
3 inconclusive.";

/// Says whether a prediction can be trusted: predicted against measured, number by number.
#[derive(Debug, Parser)]
#[command(name = "validate", version, before_help = EXAMPLES, help_template = HELP)]
pub(super) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(super) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Hold a predicted report against a measured one
    Compare(Compare),
    /// Print the JSON Schema of an answer
    Schema(Schema),
    /// Print a completion script for a shell
    Completions(Completions),
}

/// `validate compare`.
#[derive(Debug, Args)]
pub(super) struct Compare {
    /// The predicted report
    #[arg(value_name = "PREDICTED")]
    pub(super) predicted: PathBuf,
    /// The measured report, or the folder of its run
    #[arg(value_name = "MEASURED")]
    pub(super) measured: PathBuf,
    #[command(flatten)]
    pub(super) tolerance: ToleranceOptions,
    #[command(flatten)]
    pub(super) output: Output,
}

/// How far a prediction may be off.
#[derive(Debug, Args)]
pub(super) struct ToleranceOptions {
    /// What a metric may be off, such as p99=20%, whether saturated or not (repeatable);
    /// of error_share and utilisation in percentage points
    #[arg(long = "tolerance", value_name = "METRIC=SHARE")]
    chosen: Vec<Tolerance>,
}

/// `validate schema`.
#[derive(Debug, Args)]
pub(super) struct Schema {
    /// Of what
    #[arg(value_enum, default_value_t = Document::Comparison)]
    pub(super) document: Document,
}

/// What has a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Document {
    /// The answer of `validate compare --format json`
    Comparison,
    /// What many comparisons say together
    Summary,
}

/// `validate completions`.
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// Of which shell
    pub(super) shell: Shell,
}

impl ToleranceOptions {
    /// The defaults, and what was chosen instead.
    pub(super) fn tolerances(&self) -> Tolerances {
        self.chosen.iter().fold(Tolerances::default(), |all, &one| all.with(one))
    }
}

impl Command {
    /// The form of a failure.
    pub(super) fn format(&self) -> Format {
        match self {
            Command::Compare(options) => options.output.format.into(),
            Command::Schema(_) | Command::Completions(_) => Format::Text,
        }
    }
}
