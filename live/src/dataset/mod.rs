//! The SQLite data set: one table, written before the service starts, and the pragmas of
//! connections to it.

mod pragmas;
mod table;

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};

use model::scenario::{JournalMode, Sqlite};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Executor, Row};

pub(crate) use pragmas::{PRAGMAS, pragmas_of_a_connection, synchronous_name};
pub(crate) use table::{Named, Table};

/// Name of the database file.
const FILE: &str = "rung.db";

/// Each row has a page of its own: one fits, two do not. The stock, which writes change,
/// keeps its size, so that a row stays on its page.
const SEED: &str = "
    WITH RECURSIVE number(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM number WHERE id < ?1)
    INSERT INTO item SELECT id, 'item ' || id, 1000000, hex(zeroblob(1500)) FROM number";

const TABLE: &str = "CREATE TABLE item (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, stock INTEGER NOT NULL, body TEXT NOT NULL)";

/// Why there is no database.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The file cannot be made.
    #[error("cannot make the database file in the folder {}: {source}", folder.display())]
    Folder {
        /// Where.
        folder: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// SQLite cannot use it.
    #[error("cannot fill the database {}: {source}", file.display())]
    Fill {
        /// Which.
        file: PathBuf,
        /// What SQLite says.
        source: sqlx::Error,
    },
    /// SQLite stays in another journal mode.
    #[error(
        "the database {} cannot use the journal mode {wanted}, it stays in {found}: \
         try a folder on a local disk",
        file.display()
    )]
    JournalMode {
        /// Which.
        file: PathBuf,
        /// The scenario's.
        wanted: &'static str,
        /// SQLite's.
        found: String,
    },
}

/// Makes the database file in `folder`, with `rows` rows of one page each, in the journal
/// mode of `settings`. Returns its path. A file that is there already is an error: it is
/// not ours to replace.
///
/// # Errors
/// What is wrong with the folder or the file.
pub(crate) async fn create(
    folder: &Path,
    settings: &Sqlite,
    rows: u32,
) -> Result<PathBuf, DataError> {
    let file = folder.join(FILE);
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&file)
        .map_err(|source| DataError::Folder { folder: folder.to_path_buf(), source })?;
    let found = fill(&file, settings.journal_mode, rows)
        .await
        .map_err(|source| DataError::Fill { file: file.clone(), source })?;
    let wanted = mode_name(settings.journal_mode);
    if found != wanted {
        return Err(DataError::JournalMode { file, wanted, found });
    }
    Ok(file)
}

/// Fills the file; returns the journal mode that it then has.
async fn fill(file: &Path, mode: JournalMode, rows: u32) -> Result<String, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .pragma("page_size", "4096")
        // Nothing is lost if this fails half-way; the close below makes it last.
        .synchronous(SqliteSynchronous::Normal)
        .disable_statement_logging();
    let mut connection: SqliteConnection = options.connect().await?;
    let set = format!("PRAGMA journal_mode = {}", mode_name(mode));
    let row = connection.fetch_one(sqlx::AssertSqlSafe(set)).await?;
    let found = row.try_get(0)?;
    let mut transaction = connection.begin().await?;
    transaction.execute(TABLE).await?;
    transaction.execute(sqlx::query(SEED).bind(rows)).await?;
    transaction.commit().await?;
    connection.close().await?;
    Ok(found)
}

/// SQLite's name of a journal mode.
pub(crate) fn mode_name(mode: JournalMode) -> &'static str {
    match mode {
        JournalMode::Delete => "delete",
        JournalMode::Truncate => "truncate",
        JournalMode::Persist => "persist",
        JournalMode::Wal => "wal",
    }
}

/// The mode that a connection must set for itself: the file remembers the write-ahead log
/// alone, and starts from `delete` otherwise.
pub(crate) fn mode_of_a_connection(mode: JournalMode) -> Option<&'static str> {
    match mode {
        JournalMode::Truncate | JournalMode::Persist => Some(mode_name(mode)),
        JournalMode::Delete | JournalMode::Wal => None,
    }
}
