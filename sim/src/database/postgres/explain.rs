//! The instructions of a database server in words.

use super::{Command, Op};
use crate::explain::program::Reader;
use crate::plan::Pc;

/// Where the reading goes on, if not at the next instruction.
pub(crate) fn explain(reader: &mut Reader<'_>, op: Op) -> Option<Pc> {
    match op {
        Op::SkipUnlessDue { command: Command::Begin, to } if reader.in_transaction => Some(to),
        Op::SkipUnlessDue { command: Command::Rollback, to } if !reader.in_transaction => Some(to),
        Op::SkipUnlessDue { command: Command::Prepare { .. } | Command::Deallocate, to } => {
            Some(to)
        }
        Op::SkipIfKnown { to } => Some(to),
        Op::Return { on } => {
            reader.line("give the connection back; a ping of it ends before others get it".into());
            Some(on)
        }
        Op::SkipUnlessDue { .. } | Op::Known | Op::Returned => None,
        Op::Server { command, engine, round_trip } => {
            let trip = reader.mean(round_trip);
            let trip = match command {
                Command::Open { trips, .. } | Command::Login { trips, .. } => {
                    trip * f64::from(trips)
                }
                _ => trip,
            };
            let sync = command.sync().map_or(0.0, |sync| reader.mean(sync));
            let seconds = reader.mean(engine) + trip + sync;
            match command {
                // Its CPU stands in the line that took the connection.
                Command::Open { .. } | Command::Login { .. } => {
                    reader.more(|line| line.wait += seconds);
                    reader.ahead_to_line();
                }
                other => {
                    let words = words(reader, other);
                    reader.wait(words, seconds);
                }
            }
            match command {
                Command::Begin => reader.in_transaction = true,
                Command::Commit { .. } | Command::Rollback => reader.in_transaction = false,
                _ => {}
            }
            None
        }
    }
}

fn words(reader: &mut Reader<'_>, command: Command) -> String {
    match command {
        Command::Statement { .. } | Command::Write { .. } => {
            format!("{} on the database server", reader.statement())
        }
        Command::Commit { .. } => "commit on the database server".into(),
        other => other.verb().into(),
    }
}
