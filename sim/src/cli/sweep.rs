//! `sim sweep`: one or two keys at several values each.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};

use model::read::Diagnostic;
use render::sweep::Shown;
use render::{Answer, Console, Exit, Failure, Format, Output, Paint};
use signal_hook::consts::SIGINT;
use signal_hook::flag;

use super::options::{Sweep, SweepFormat};
use super::progress::Progress;
use crate::replicate::Effort;
use crate::sweep::{Plan, csv};

impl Sweep {
    /// The form of a failure.
    pub(super) fn failures(&self) -> Format {
        if self.format == SweepFormat::Json { Format::Json } else { Format::Text }
    }

    /// The page with pictures, if one is wanted.
    fn page(&self) -> Output {
        Output { format: Format::Text, html: self.html.clone() }
    }
}

/// Predicts every point and writes the answer.
pub(super) fn run(options: &Sweep, console: &mut Console<'_>) -> Result<Exit, Failure> {
    refuse_parquet(options)?;
    options.page().check()?;
    let mut resolved = options.source.load(&[])?;
    options.keep.apply(&mut resolved)?;
    let plan = Plan::new(&resolved, &options.vary)?;
    let effort = options.effort.effort(Effort::PRECISION);
    let stop = interrupted()?;
    let progress = Mutex::new(Progress::new(console, effort.confidence));
    let tell = |done: usize| {
        progress.lock().unwrap_or_else(PoisonError::into_inner).points(done, plan.len());
    };
    let sweep = plan.run(&effort, &stop, &tell).map_err(|stuck| {
        let of = format!("{} with {}", resolved.scenario.name, stuck.point);
        Failure::run(&of, stuck.why)
    })?;
    drop(progress);
    let shown = Shown { sweep: &sweep, show: options.show };
    let paint = Paint::new(console.colour && console.out_is_terminal && options.output.is_none());
    let bytes = match options.format {
        SweepFormat::Text => shown.print(Format::Text, paint).into_bytes(),
        SweepFormat::Json => shown.print(Format::Json, paint).into_bytes(),
        SweepFormat::Markdown => shown.print(Format::Markdown, paint).into_bytes(),
        SweepFormat::Csv => csv(&sweep).map_err(Failure::System)?.into_bytes(),
        SweepFormat::Parquet => parquet(&sweep)?,
    };
    match &options.output {
        Some(file) => std::fs::write(file, bytes).map_err(|error| {
            Failure::System(format!("cannot write {}: {error}", file.display()))
        })?,
        None => console.data(&String::from_utf8_lossy(&bytes))?,
    }
    options.page().write(&shown)?;
    Ok(if sweep.is_complete() { Exit::Success } else { Exit::Inconclusive })
}

/// True once the user has asked to end, by Ctrl-C. A second time ends the program.
fn interrupted() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let cannot = |error| Failure::System(format!("cannot watch for Ctrl-C: {error}"));
    flag::register_conditional_shutdown(SIGINT, 130, stop.clone()).map_err(cannot)?;
    flag::register(SIGINT, stop.clone()).map_err(cannot)?;
    Ok(stop)
}

/// Bytes of a table are nothing for a terminal; and not every build can write them.
fn refuse_parquet(options: &Sweep) -> Result<(), Failure> {
    if options.format != SweepFormat::Parquet {
        return Ok(());
    }
    let (found, allowed, advice) = match (cfg!(feature = "parquet"), &options.output) {
        (true, Some(_)) => return Ok(()),
        (true, None) => (
            "parquet is bytes, and there is no file for them",
            "parquet with -o FILE",
            "name a file: -o sweep.parquet",
        ),
        (false, _) => (
            "this program was built without parquet",
            "text, json, markdown, csv",
            "take csv, or build with it: cargo build --release -p sim --features parquet",
        ),
    };
    let diagnostic = Diagnostic {
        file: "--format".into(),
        line: None,
        column: None,
        found: found.into(),
        allowed: Some(allowed.into()),
        advice: Some(advice.into()),
    };
    Err(Failure::Refused(diagnostic.into()))
}

/// The bytes of a Parquet file.
#[cfg(feature = "parquet")]
fn parquet(sweep: &model::sweep::Sweep) -> Result<Vec<u8>, Failure> {
    crate::sweep::parquet(sweep).map_err(Failure::System)
}

#[cfg(not(feature = "parquet"))]
fn parquet(_: &model::sweep::Sweep) -> Result<Vec<u8>, Failure> {
    Err(Failure::System("this program was built without parquet".into()))
}
