//! The instructions of SQLite in words.

use model::scenario::JournalMode;

use super::{Op, Plan};
use crate::explain::program::{Reader, exact};

pub(crate) fn explain(reader: &mut Reader<'_>, op: Op) {
    let plan = reader.plan;
    let Some(sqlite) = plan.database.as_ref().and_then(|database| database.sqlite.as_ref()) else {
        return;
    };
    match op {
        Op::BeginRead => reader.line("read".into()),
        Op::BeginWrite => {
            let busy = exact(sqlite.settings.busy_timeout);
            reader.line(format!("take the write lock, polling for up to {busy}"));
        }
        Op::Native { draw } => query(reader, reader.mean(draw)),
        Op::Change { pages } => reader.more(|line| {
            line.what += &format!("; {pages} {} change", if pages == 1 { "page" } else { "pages" });
        }),
        Op::CommitLock => {
            let what = match sqlite.settings.journal_mode {
                JournalMode::Wal => "commit",
                _ => "commit, when no reader is left",
            };
            reader.line(what.into());
        }
        Op::CommitSync { sync } => commit(reader, sqlite, reader.mean(sync)),
        Op::LastCloseCpu { .. }
        | Op::LastClose { .. }
        | Op::EndRead
        | Op::CommitCpu { .. }
        | Op::CommitEnd
        | Op::Checkpoint { .. }
        | Op::CheckpointEnd
        | Op::Rollback => {}
    }
}

/// The engine's own part of a statement belongs to the line that took its lock.
fn query(reader: &mut Reader<'_>, seconds: f64) {
    let statement = reader.statement();
    reader.more(|line| {
        line.cpu += seconds;
        line.what = match line.what.as_str() {
            "read" => statement,
            lock => format!("{lock}; {statement}"),
        };
    });
}

fn commit(reader: &mut Reader<'_>, sqlite: &Plan, sync: f64) {
    let (syncs, unlink) = (sqlite.commit_syncs, sqlite.unlink.secs_f64());
    let log = match (sqlite.settings.journal_mode, sqlite.settings.wal_autocheckpoint) {
        (JournalMode::Wal, pages) if pages > 0 => {
            format!("; every {pages} pages, copy the log into the database")
        }
        _ => String::new(),
    };
    reader.more(|line| {
        line.what += &match syncs {
            0 => ", without waiting for the disk".to_string(),
            1 => ", once the disk has synced".to_string(),
            n => format!(", once the disk has synced {n} times"),
        };
        line.what += &log;
        line.wait += f64::from(syncs) * sync + unlink;
    });
}
