//! A measurement as it is kept: a folder of its own.
//!
//! `report.json`, `seconds.csv` (the series), `histograms.hlog` (HdrHistogram's log format:
//! one line per second and round), `scenario.toml` (resolved, complete) and `machine.json`.
//! The folder appears whole or not at all. Until then it has a name that tells whose it is,
//! as the folders of databases have: `.live-PID-xxxxxx`.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};
use model::read::Resolved;
use model::report::Report;
use render::saved::REPORT;
use tempfile::TempDir;
use time::OffsetDateTime;
use time::macros::format_description;

use super::error::RunError;
use super::round::{Heard, Round};
use crate::machine::facts::Facts;

/// How names of temporary folders begin; the process number follows.
const TEMPORARY: &str = ".live-";
/// Everybody may read what is kept, as far as the user's umask allows.
const READABLE: u32 = 0o755;

/// Makes the folder below which runs are kept, if it is not there, and removes what runs
/// that were killed have left in it.
///
/// # Errors
/// It cannot be made or written to.
pub fn prepare(runs: &Path) -> Result<(), RunError> {
    fs::create_dir_all(runs).map_err(|source| RunError::folder(runs, source))?;
    // Better known before the run than after it.
    let probe = tempfile::Builder::new().prefix(".probe-").tempfile_in(runs);
    probe.map(drop).map_err(|source| RunError::folder(runs, source))?;
    remove_orphans(runs);
    Ok(())
}

/// A folder below `runs` that vanishes when it is dropped.
///
/// # Errors
/// It cannot be made.
pub fn temporary(runs: &Path) -> Result<TempDir, RunError> {
    tempfile::Builder::new()
        .prefix(&format!("{TEMPORARY}{}-", std::process::id()))
        .permissions(Permissions::from_mode(READABLE))
        .tempdir_in(runs)
        .map_err(|source| RunError::folder(runs, source))
}

/// Removes the temporary folders of processes that are gone, as far as that is possible.
fn remove_orphans(runs: &Path) {
    // One that has ended and that nobody has asked about still has a number, but no words.
    let lives = |pid: u32| {
        let words = fs::read(Path::new("/proc").join(pid.to_string()).join("cmdline"));
        words.is_ok_and(|words| !words.is_empty())
    };
    if !lives(std::process::id()) {
        // This system does not tell who is there.
        return;
    }
    for entry in fs::read_dir(runs).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if owner(&name.to_string_lossy()).is_some_and(|pid| !lives(pid)) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Whose temporary folder has this name.
fn owner(name: &str) -> Option<u32> {
    let (pid, _) = name.strip_prefix(TEMPORARY)?.split_once('-')?;
    pid.parse().ok()
}

/// Keeps a measurement below `runs`. Returns its folder.
///
/// # Errors
/// The disk is full, or cannot be written.
pub fn keep(
    runs: &Path,
    resolved: &Resolved,
    rounds: &[Round],
    report: &Report,
    facts: &Facts,
) -> Result<PathBuf, RunError> {
    let failed = |source| RunError::folder(runs, source);
    let whole = temporary(runs)?;
    let at = |name: &str| whole.path().join(name);
    fs::write(at(REPORT), render::json(report)).map_err(failed)?;
    fs::write(at("scenario.toml"), resolved.to_toml()).map_err(failed)?;
    fs::write(at("machine.json"), render::json(facts)).map_err(failed)?;
    fs::write(at("seconds.csv"), series(rounds)).map_err(failed)?;
    fs::write(at("histograms.hlog"), histograms(rounds)).map_err(failed)?;
    let folder = free_name(runs, &report.scenario, rounds);
    fs::rename(whole.path(), &folder).map_err(failed)?;
    // It has another name now: there is nothing to remove.
    let _ = whole.keep();
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
        for Heard { second, .. } in &measured.seconds {
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
        for Heard { second, times, .. } in &round.seconds {
            let from = Duration::from_secs(second.index);
            let length = Duration::from_nanos(second.length);
            log.write_histogram(times, from, length, Tag::new(&tag))
                .map_err(|error| broken(&error))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_killed_runs_left_is_removed_and_nothing_else() {
        let runs = tempfile::tempdir().expect("a folder for temporary files");
        let ours = temporary(runs.path()).expect("it can be written");
        let name = ours.path().file_name().expect("a name").to_string_lossy().into_owned();
        assert_eq!(owner(&name), Some(std::process::id()));
        // No process has such a number.
        let gone = format!("{TEMPORARY}{}-abcdef", u32::MAX);
        let others = [".live-x-abcdef", ".live-abcdef", "v2-20261123-070501", &name];
        for name in [&*gone].into_iter().chain(others) {
            fs::create_dir_all(runs.path().join(name).join("deep")).expect("it can be written");
        }
        prepare(runs.path()).expect("it can be written");
        assert!(!runs.path().join(&gone).exists());
        for name in others {
            assert!(runs.path().join(name).exists(), "{name}");
        }
    }
}
