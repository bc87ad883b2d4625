//! The database server of counted rounds, from what was read at both ends of their windows.

use model::measurement::{DatabaseServer, ServerCounts};
use model::statistics::round_significant;

use super::round::Round;
use crate::postgres::{Counters, Pools, Reading};

/// A round with a server that was read at both ends of its window.
struct Read<'a> {
    open: &'a Reading,
    close: &'a Reading,
}

/// The server of `rounds`; none if there was none.
pub(super) fn measured(rounds: &[&Round]) -> Option<DatabaseServer> {
    let facts = rounds.iter().find_map(|round| round.server.as_ref())?;
    let read: Vec<Read<'_>> = rounds.iter().filter_map(|round| Read::of(round)).collect();
    let sum = |pick: &dyn Fn(&Reading) -> u64| -> f64 {
        read.iter().map(|one| pick(one.close).saturating_sub(pick(one.open)) as f64).sum()
    };
    let nanos = sum(&|one| one.at).max(1.0);
    let looks = sum(&|one| one.sessions.looks);
    let share = |pick: &dyn Fn(&Reading) -> u64| round_significant(sum(pick) / nanos);
    let mean = |pick: &dyn Fn(&Reading) -> u64| round_significant(sum(pick) / looks.max(1.0));
    Some(DatabaseServer {
        version: facts.version.clone().unwrap_or_default(),
        cpus: facts.cpus.numbers().iter().map(|&cpu| cpu as u32).collect(),
        utilisation: share(&|one| one.cpu),
        watching: share(&|one| one.watching),
        memory: read.iter().map(|one| one.close.memory).max().unwrap_or(0),
        looks: looks as u64,
        sessions_active: mean(&|one| one.sessions.active),
        sessions_idle_in_transaction: mean(&|one| one.sessions.idle_in_transaction),
        sessions_idle: mean(&|one| one.sessions.idle),
        lock_waits: mean(&|one| one.sessions.lock_waits),
        sessions_peak: read.iter().map(|one| one.close.sessions.peak).max().unwrap_or(0),
        counts: counts(&read),
        faults: Vec::new(),
    })
}

/// What the server counted, if it said so at both ends of any window.
fn counts(read: &[Read<'_>]) -> Option<ServerCounts> {
    let told: Vec<(f64, Counters, Counters)> = read
        .iter()
        .filter(|Read { open, close }| {
            let mut since = close.faults.iter().skip(open.faults.len());
            !since.any(|fault| fault.killed)
        })
        .filter_map(|Read { open, close }| {
            let nanos = close.at.saturating_sub(open.at) as f64;
            Some((nanos, open.counters?, close.counters?))
        })
        .collect();
    let seconds = told.iter().map(|(nanos, ..)| nanos).sum::<f64>() / 1e9;
    let rate = |pick: fn(&Counters) -> u64| {
        let grown = told.iter().map(|(_, open, close)| pick(close).saturating_sub(pick(open)));
        round_significant(grown.sum::<u64>() as f64 / seconds)
    };
    (seconds > 0.0).then(|| ServerCounts {
        commits: rate(|one| one.commits),
        rollbacks: rate(|one| one.rollbacks),
        deadlocks: rate(|one| one.deadlocks),
        wal_syncs: rate(|one| one.wal_syncs),
        wal_bytes: rate(|one| one.wal_bytes),
    })
}

impl<'a> Read<'a> {
    fn of(round: &'a Round) -> Option<Read<'a>> {
        let (open, close) = (&round.open.database, &round.close.database);
        Some(Read { open: open.as_ref()?, close: close.as_ref()? })
    }
}

/// CPU nanoseconds of the server in the window of `round`, and how many processors it has.
pub(super) fn used(round: &Round) -> Option<(u64, usize)> {
    let Read { open, close } = Read::of(round)?;
    let cpus = round.server.as_ref()?.cpus.count();
    Some((close.cpu.saturating_sub(open.cpu), cpus.max(1)))
}

/// Connections of the pooler in use and clients that waited for one in the window of `round`, on
/// average over the looks at it; none if it was not looked at.
pub(super) fn pooled(round: &Round) -> Option<(f64, f64)> {
    let Read { open, close } = Read::of(round)?;
    let (open, close) = (open.pooler?.pools, close.pooler?.pools);
    let looks = close.looks.checked_sub(open.looks).filter(|&looks| looks > 0)? as f64;
    let mean = |pick: fn(&Pools) -> u64| pick(&close).saturating_sub(pick(&open)) as f64 / looks;
    Some((mean(|pools| pools.used), mean(|pools| pools.waiting)))
}
