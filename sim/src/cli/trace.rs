//! `sim trace`: every event of replication 0.

use std::fmt::Write as _;

use model::digest::Digest;
use model::units::Instant;
use render::{Console, Failure, Format};
use serde::Serialize;

use super::options::Trace as Options;
use crate::engine::Engine;
use crate::plan::Plan;

use crate::engine::{Record, Trace};

/// Keeps the first records as lines; counts and digests all.
struct Tape {
    format: Format,
    lines: String,
    left: usize,
    records: u64,
    digest: Digest,
}

/// A record for programs.
#[derive(Serialize)]
struct Line {
    /// Nanoseconds since the start of the run.
    at: u64,
    what: String,
}

/// The last line for programs.
#[derive(Serialize)]
struct End {
    records: u64,
    digest: String,
}

impl Trace for Tape {
    fn record(&mut self, now: Instant, record: Record) {
        // A digest takes whatever is written: it cannot fail.
        let _ = writeln!(self.digest, "{} {record}", now.nanos());
        self.records += 1;
        if self.left == 0 {
            return;
        }
        self.left -= 1;
        let _ = match self.format {
            Format::Text | Format::Markdown => {
                writeln!(self.lines, "{:>11.9} s  {record}", now.secs_f64())
            }
            Format::Json => {
                let line = Line { at: now.nanos(), what: record.to_string() };
                writeln!(self.lines, "{}", serde_json::json!(line))
            }
        };
    }
}

/// Prints the events of one run, and a digest of all of them.
pub(super) fn run(options: &Options, console: &mut Console<'_>) -> Result<(), Failure> {
    let resolved = options.source.load(&[])?;
    let scenario = &resolved.scenario;
    let format = options.output.format;
    let tape = Tape {
        format,
        lines: String::new(),
        left: options.limit,
        records: 0,
        digest: Digest::new(),
    };
    let plan = Plan::new(scenario, scenario.seed);
    let (_, tape) = Engine::new(&plan, tape)
        .run(options.max_events)
        .map_err(|runaway| Failure::run(&scenario.name, runaway))?;
    let Tape { mut lines, records, digest, .. } = tape;
    let end = End { records, digest: digest.hex() };
    let _ = match format {
        Format::Text | Format::Markdown => {
            writeln!(lines, "{} records, digest {}", end.records, end.digest)
        }
        Format::Json => writeln!(lines, "{}", serde_json::json!(end)),
    };
    Ok(console.data(&lines)?)
}
