//! A measurement as it is kept: a folder of its own.
//!
//! `report.json`, `seconds.csv` (the series), `histograms.hlog` (HdrHistogram's log format:
//! one line per second and round), `scenario.toml` (resolved, complete) and `machine.json`.
//! The folder appears whole or not at all.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};
use model::read::Resolved;
use model::report::Report;
use render::saved::REPORT;
use time::OffsetDateTime;
use time::macros::format_description;

use super::error::RunError;
use super::round::Round;
use crate::load::LoadSecond;
use crate::machine::Facts;
use crate::temporary::{FolderError, temporary};

/// Keeps a measurement below `runs`. Returns its folder.
///
/// # Errors
/// The disk is full, or cannot be written.
pub(crate) fn keep(
    runs: &Path,
    resolved: &Resolved,
    rounds: &[Round],
    report: &Report,
    facts: &Facts,
) -> Result<PathBuf, RunError> {
    let failed = |source| FolderError::new(runs, source);
    let whole = temporary(runs)?;
    let at = |name: &str| whole.path().join(name);
    fs::write(at(REPORT), render::json(report)).map_err(failed)?;
    for (name, text) in resolved.to_files("scenario.toml") {
        fs::write(at(&name), text).map_err(failed)?;
    }
    fs::write(at("machine.json"), render::json(facts)).map_err(failed)?;
    fs::write(at("seconds.csv"), series(rounds)).map_err(failed)?;
    fs::write(at("histograms.hlog"), histograms(rounds)).map_err(failed)?;
    let folder = free_name(runs, &report.scenario, rounds);
    fs::rename(whole.path(), &folder).map_err(failed)?;
    Ok(folder)
}

/// `v6-20261123-070501`, with a number behind it if that is taken.
fn free_name(runs: &Path, scenario: &str, rounds: &[Round]) -> PathBuf {
    let began = rounds.iter().map(|round| round.started).min().unwrap_or(0);
    let time = OffsetDateTime::from(UNIX_EPOCH + Duration::from_secs(began));
    let form = format_description!("[year][month][day]-[hour][minute][second]");
    let stamp = time.format(&form).unwrap_or_else(|_| began.to_string());
    let name = format!("{scenario}-{stamp}");
    let mut folder = runs.join(&name);
    let mut number = 2;
    while folder.exists() {
        folder = runs.join(format!("{name}-{number}"));
        number += 1;
    }
    folder
}

/// Second by second, the rounds one after the other.
fn series(rounds: &[Round]) -> String {
    let mut out =
        String::from("round,second,seconds,sent,dropped,good,errors,p50_ms,p99_ms,in_flight\n");
    for (round, measured) in rounds.iter().enumerate() {
        for LoadSecond { second, .. } in &measured.seconds {
            let ms = |nanos: u64| nanos as f64 / 1e6;
            out += &format!(
                "{},{},{},{},{},{},{},{},{},{}\n",
                round + 1,
                second.index,
                second.length as f64 / 1e9,
                second.sent,
                second.dropped,
                second.good,
                second.errors,
                ms(second.p50),
                ms(second.p99),
                second.in_flight,
            );
        }
    }
    out
}

/// Response times of good answers by second, in nanoseconds, tagged with their round.
fn histograms(rounds: &[Round]) -> Vec<u8> {
    let mut out = Vec::new();
    // Writing to memory cannot fail, and the histograms have the bounds of the format.
    let _ = write_histograms(&mut out, rounds);
    out
}

fn write_histograms(out: &mut Vec<u8>, rounds: &[Round]) -> io::Result<()> {
    let broken = |error: &dyn std::fmt::Debug| io::Error::other(format!("{error:?}"));
    let began = rounds
        .first()
        .map_or(SystemTime::UNIX_EPOCH, |round| UNIX_EPOCH + Duration::from_secs(round.started));
    let mut serializer = V2DeflateSerializer::new();
    let mut log = IntervalLogWriterBuilder::new()
        .add_comment("response times of good answers, in nanoseconds")
        .with_start_time(began)
        .begin_log_with(out, &mut serializer)?;
    for (number, round) in rounds.iter().enumerate() {
        let tag = format!("round{}", number + 1);
        for LoadSecond { second, times, .. } in &round.seconds {
            let from = Duration::from_secs(second.index);
            let length = Duration::from_nanos(second.length);
            log.write_histogram(times, from, length, Tag::new(&tag))
                .map_err(|error| broken(&error))?;
        }
    }
    Ok(())
}
