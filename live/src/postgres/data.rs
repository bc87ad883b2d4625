//! The data set, as SQLite's: one table, each row on a page of its own.

use std::collections::BTreeSet;

use model::scenario::Postgres;
use model::units::Span;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

use super::Address;
use crate::machine::ProcessTree;

/// Computes for so many turns, in memory that does not grow.
pub(crate) const WORK: &str = "SELECT count(*) FROM (SELECT generate_series(1, $1::bigint)) work";

/// A row takes more than a third of a page and no page is filled beyond its half: each row has a
/// page of its own, with room for the new version that an update writes. Plain storage keeps
/// the text from being compressed to nothing.
const TABLE: &str = "
    CREATE TABLE item (
        id integer PRIMARY KEY, name text NOT NULL, stock integer NOT NULL, body text NOT NULL)
        WITH (fillfactor = 50);
    ALTER TABLE item ALTER COLUMN body SET STORAGE PLAIN";

const SEED: &str = "
    INSERT INTO item SELECT id, 'item ' || id, 1000000, repeat('0', 3000)
    FROM generate_series(1, $1) AS id";

/// Turns of work whose CPU times are compared.
const TURNS: (i64, i64) = (1_000, 101_000);
/// How often.
const TRIES: usize = 7;

/// Fills the empty database of `admin`, and makes the user of `service` in it.
///
/// # Errors
/// What the server says.
pub(super) async fn fill(
    connection: &mut PgConnection,
    service: &Address,
    rows: u32,
) -> Result<(), sqlx::Error> {
    let rows = i32::try_from(rows).unwrap_or(i32::MAX);
    connection.execute(TABLE).await?;
    let mut transaction = connection.begin().await?;
    transaction.execute(sqlx::query(SEED).bind(rows)).await?;
    transaction.commit().await?;
    let Address { user, password, .. } = service;
    // Both are letters and digits of ours.
    let role = format!(
        "CREATE ROLE {user} LOGIN PASSWORD '{password}'; \
         GRANT SELECT, INSERT, UPDATE, DELETE ON item TO {user}"
    );
    connection.execute(AssertSqlSafe(role)).await?;
    connection.execute("VACUUM ANALYZE item").await?;
    // What it has to write now it does not write while requests are counted.
    connection.execute("CHECKPOINT").await?;
    Ok(())
}

/// Gives the sessions of `service` the timeouts of `settings`, and no others.
///
/// # Errors
/// What the server says.
pub(super) async fn limit(
    connection: &mut PgConnection,
    service: &Address,
    settings: &Postgres,
) -> Result<(), sqlx::Error> {
    for (name, span) in [
        ("deadlock_timeout", Some(settings.deadlock_timeout)),
        ("lock_timeout", settings.lock_timeout),
        ("statement_timeout", settings.statement_timeout),
        ("idle_in_transaction_session_timeout", settings.idle_in_transaction_session_timeout),
    ] {
        let Some(span) = span else { continue };
        let Address { user, .. } = service;
        let millis = span.nanos() / Span::from_millis(1).nanos();
        let alter = format!("ALTER ROLE {user} SET {name} = '{millis}ms'");
        connection.execute(AssertSqlSafe(alter)).await?;
    }
    Ok(())
}

/// How many turns of [`WORK`] the server computes in a nanosecond of CPU time. None where the
/// system does not tell the CPU time of its process.
///
/// # Errors
/// What the server says.
pub(super) async fn turns_per_nano(
    connection: &mut PgConnection,
) -> Result<Option<f64>, sqlx::Error> {
    let pid: i32 =
        sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut *connection).await?;
    let Some(backend) = u32::try_from(pid).ok().and_then(ProcessTree::of) else { return Ok(None) };
    let used = || backend.read().processes.first().map(|process| process.cpu);
    let (mut short, mut long) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..TRIES {
        for (turns, times) in [(TURNS.0, &mut short), (TURNS.1, &mut long)] {
            let before = used();
            connection.execute(sqlx::query(WORK).bind(turns)).await?;
            times.extend(used().zip(before).map(|(after, before)| after.saturating_sub(before)));
        }
    }
    let (Some(short), Some(long)) = (short.first(), long.first()) else { return Ok(None) };
    let nanos = long.saturating_sub(*short);
    Ok((nanos > 0).then(|| (TURNS.1 - TURNS.0) as f64 / nanos as f64))
}
