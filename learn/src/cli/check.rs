//! `learn check`: does what was learned predict a run that it was not learned from?
//!
//! Predictions and verdicts are those of `validate`, a program of its own: what learns must not
//! know what is predicted.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::Command;

use clap::Args;
use render::{Exit, Failure};

/// The program that predicts and judges.
const JUDGE: &str = "validate";

/// `learn check`.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// The scenario that was learned
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What another run measured: k6's samples (k6 run --out json=FILE) or its summary; repeated,
    /// from several runs of one script
    #[arg(long, value_name = "RUN", required = true)]
    against: Vec<PathBuf>,
    /// More words for `validate compare`, such as --set load.rate=120/s where that run had another
    /// load, --tolerance p99=20% or --format json
    #[arg(value_name = "WORDS", trailing_var_arg = true, allow_hyphen_values = true)]
    more: Vec<OsString>,
}

/// Lets `validate` predict the scenario and hold it against the run. The exit code is its own.
pub(super) fn run(options: &Check) -> Result<Exit, Failure> {
    let judge = beside().map_err(|error| Failure::System(format!("the system fails: {error}")))?;
    if !judge.exists() {
        return Err(Failure::System(format!(
            "there is no {}: the program `{JUDGE}`, which predicts and compares, has to lie beside \
             this one; build or install both",
            judge.display()
        )));
    }
    let mut command = Command::new(&judge);
    command.arg("compare");
    for run in &options.against {
        command.arg("--k6").arg(run);
    }
    // What the service costs, the scenario says.
    command.arg("--own").args(&options.more).arg("--").arg(&options.file);
    let status = command
        .status()
        .map_err(|error| Failure::System(format!("cannot start {}: {error}", judge.display())))?;
    match status.code() {
        Some(0) => Ok(Exit::Success),
        Some(1) => Ok(Exit::Disagree),
        Some(3) => Ok(Exit::Inconclusive),
        // It has said why.
        Some(2) => Ok(Exit::Failure),
        _ => Err(Failure::System(format!("{JUDGE} ended with {status}"))),
    }
}

/// The judge in the folder of this program.
fn beside() -> io::Result<PathBuf> {
    let name = format!("{JUDGE}{}", std::env::consts::EXE_SUFFIX);
    Ok(std::env::current_exe()?.with_file_name(name))
}
