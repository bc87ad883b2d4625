//! The instructions of the thread pool in words.

use super::Op;
use crate::explain::program::Reader;

pub(crate) fn explain(reader: &mut Reader<'_>, op: Op) {
    match op {
        Op::TokenAcquire => {
            let threads = reader.scenario.service.threads;
            reader.line(format!("move to a thread of the pool ({threads} per worker)"));
        }
        Op::Dependency => {
            reader.line("run a dependency on a thread of the pool".into());
        }
        Op::Validation => {
            reader.line("validate the response on a thread of the pool".into());
        }
        Op::Exit => reader.line("leave the session's dependency on a thread of its own".into()),
        Op::TokenRelease => {}
    }
}
