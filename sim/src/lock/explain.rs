//! The instructions of locks in words.

use model::scenario::LockScope;

use super::Op;
use crate::explain::program::{Reader, patience};

pub(crate) fn explain(reader: &mut Reader<'_>, op: Op) {
    match op {
        Op::Acquire { lock } => {
            let lock = &reader.scenario.locks[lock as usize];
            let holders = match lock.holders {
                1 => "one holder".into(),
                n => format!("{n} holders"),
            };
            let of = match lock.scope {
                LockScope::Worker => "per worker",
                LockScope::Service => "for all workers",
            };
            let patience = patience(lock.timeout);
            reader.line(format!(
                "take the lock {} ({holders} {of}){patience}, and hold it:",
                lock.name
            ));
            reader.depth += 1;
        }
        Op::Release { .. } => reader.depth -= 1,
    }
}
