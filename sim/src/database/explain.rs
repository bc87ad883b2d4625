//! The instructions of the database in words.

use model::scenario::{Connections, Database, Engine};

use super::{Op, postgres, sqlite};
use crate::explain::program::{Reader, patience};
use crate::plan::Pc;

/// Where the reading goes on, if not at the next instruction.
pub(crate) fn explain(reader: &mut Reader<'_>, op: Op) -> Option<Pc> {
    let database = reader.scenario.database.as_ref()?;
    let reopens = database.connections == Connections::PerOperation;
    match op {
        Op::SkipIfOpen { open } if !reopens => return Some(open),
        Op::SkipIfKept { keep } if !reopens => return Some(keep),
        Op::Checkout => reader.line(checkout(database)),
        Op::Opened | Op::Closed => reader.ahead_to_line(),
        Op::SkipIfKept { .. } => reader.line("close the connection".into()),
        Op::Checkin if !reopens => reader.line("give the connection back".into()),
        Op::ToDriver | Op::SkipIfOpen { .. } | Op::Checkin => {}
        Op::Sqlite(op) => sqlite::explain(reader, op),
        Op::Postgres(op) => return postgres::explain(reader, op),
    }
    None
}

fn checkout(database: &Database) -> String {
    match (database.connections, &database.engine) {
        (Connections::Pool { size, overflow, timeout, .. }, _) => {
            let patience = patience(timeout);
            format!("wait for one of {size} + {overflow} pooled connections per worker{patience}")
        }
        (Connections::PerOperation, Engine::Sqlite(sqlite)) if sqlite.pragmas > 0 => {
            format!("open a database connection and run {} pragmas on it", sqlite.pragmas)
        }
        (Connections::PerOperation, _) => "open a database connection".into(),
    }
}
