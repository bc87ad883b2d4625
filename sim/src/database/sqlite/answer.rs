//! SQLite in answers: the write lock and the disk, and the knobs of its settings.

use model::place;
use model::report::Bound;
use model::scenario::{Engine, JournalMode, Scenario, Sqlite, Synchronous};
use model::station::StationId;
use serde::{Deserialize, Serialize};

use super::Op;
use crate::answer::StationSource;
use crate::bounds::{Demand, Holding, Walk, bound};
use crate::knob::{Candidate, Price, twice};
use crate::observe::{Gauge, Limit};

/// What is counted of SQLite.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Observed {
    /// The write lock, held or not.
    pub writer: Gauge,
    /// Times that a lock was tried for.
    pub tries: u64,
}

impl Observed {
    pub(crate) fn gauges(&mut self) -> impl Iterator<Item = &mut Gauge> {
        [&mut self.writer].into_iter()
    }

    pub(crate) fn reset(&mut self) {
        self.tries = 0;
    }
}

fn settings(scenario: &Scenario) -> Option<&Sqlite> {
    match &scenario.database.as_ref()?.engine {
        Engine::Sqlite(sqlite) => Some(sqlite),
        Engine::Postgres(_) => None,
    }
}

pub(crate) fn stations(scenario: &Scenario, all: &mut Vec<StationSource>) {
    if settings(scenario).is_none() {
        return;
    }
    all.push(
        StationSource::new(StationId::DatabaseLock, Some(1), |o, _| &o.sqlite.writer)
            .queue(|o, _| o.at(place::LOCK))
            .visits(|o, _| o.sqlite.tries),
    );
    all.push(
        StationSource::new(StationId::Disk, None, |o, _| o.at(place::DISK))
            .visits(|o, _| o.at(place::DISK).entries()),
    );
}

pub(crate) fn candidates(scenario: &Scenario, all: &mut Vec<Candidate>) {
    let Some(sqlite) = settings(scenario) else { return };
    if sqlite.journal_mode != JournalMode::Wal {
        let mode = sqlite.journal_mode.as_str().into();
        all.push(Candidate::of("database.journal_mode", mode, "wal".into()));
    }
    if sqlite.synchronous > Synchronous::Normal {
        let level = sqlite.synchronous.as_str().into();
        all.push(Candidate::of("database.synchronous", level, "normal".into()));
    }
    let (from, to) = (sqlite.busy_timeout.to_string(), twice(sqlite.busy_timeout));
    all.push(
        Candidate::of("database.busy_timeout", from, to)
            .at(Limit::BusyTimeout)
            .price(Price::Patience),
    );
}

pub(crate) fn visit(walk: &mut Walk<'_>, op: Op) {
    match op {
        Op::Native { draw } => walk.spend(place::CPU, walk.mean(draw), true),
        Op::BeginWrite => walk.hold(Holding::Writer),
        Op::CommitEnd => walk.release(Holding::Writer),
        Op::CommitSync { sync } => {
            let database = walk.plan.database.as_ref();
            if let Some(sqlite) = database.and_then(|database| database.sqlite.as_ref()) {
                let seconds = f64::from(sqlite.commit_syncs) * walk.mean(sync);
                let unlink = sqlite.unlink.secs_f64();
                walk.spend(place::DISK, seconds + unlink, walk.database_blocks());
            }
        }
        Op::LastCloseCpu { .. }
        | Op::LastClose { .. }
        | Op::BeginRead
        | Op::EndRead
        | Op::Change { .. }
        | Op::CommitLock
        | Op::CommitCpu { .. }
        | Op::Checkpoint { .. }
        | Op::CheckpointEnd
        | Op::Rollback => {}
    }
}

pub(crate) fn bounds(scenario: &Scenario, mean: &Demand, all: &mut Vec<Bound>) {
    if settings(scenario).is_some() {
        all.push(bound("database write lock", 1.0, mean.held(Holding::Writer)));
    }
}
