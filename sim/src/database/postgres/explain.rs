//! The instructions of a database server in words.

use super::Op;
use crate::explain::program::Reader;

pub(crate) fn explain(reader: &mut Reader<'_>, op: Op) {
    match op {
        Op::Server { engine, round_trip } => {
            let statement = reader.statement();
            let seconds = reader.mean(engine) + reader.mean(round_trip);
            reader.wait(format!("{statement} on the database server"), seconds);
        }
    }
}
