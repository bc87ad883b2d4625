//! PgBouncer in front of the server, with the scenario's settings.
//!
//! It is one process with one thread, which has a processor to itself in the model: it runs with the
//! load, beside the server. It refuses to run as root, as Postgres does.

use std::convert::Infallible;
use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use model::scenario::{PgBouncer, PoolMode};
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Row as _};

use super::keeper::{PORTS, START};
use super::reading::Pools;
use super::server::{Kept, LOOK, Server};
use super::watcher::PAUSE;
use super::{Address, HOST};

/// Where Debian and Ubuntu install it, which is not on everybody's PATH.
const DEBIAN: &str = "/usr/sbin";
/// Its database with answers about itself.
const CONSOLE: &str = "pgbouncer";
/// The file with the number of its process.
pub(super) const PID: &str = "pgbouncer.pid";

/// Why there is no pooler. One line, which says what to install.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no PgBouncer on this machine, neither on PATH nor in {DEBIAN}: install it, on Debian and \
     Ubuntu with `apt-get install pgbouncer`"
)]
pub(crate) struct NoPooler;

/// Finds the program.
///
/// # Errors
/// There is none.
pub(crate) fn find_pooler() -> Result<PathBuf, NoPooler> {
    choose(&env::var_os("PATH").unwrap_or_default(), Path::new(DEBIAN))
}

fn choose(path: &OsStr, debian: &Path) -> Result<PathBuf, NoPooler> {
    find("pgbouncer", path, Some(debian)).ok_or(NoPooler)
}

/// The program of this name in the folders of `path`, or in one more.
fn find(name: &str, path: &OsStr, more: Option<&Path>) -> Option<PathBuf> {
    let on_path = env::split_paths(path).filter(|folder| folder.is_absolute());
    let mut all = on_path.chain(more.map(Path::to_path_buf)).map(|folder| folder.join(name));
    all.find(|program| program.is_file())
}

/// `PgBouncer 1.18.0` and more becomes that.
pub(super) fn version() -> Option<String> {
    let told = Command::new(find_pooler().ok()?).arg("--version").output().ok()?.stdout;
    Some(String::from_utf8(told).ok()?.lines().next()?.trim().to_string())
}

/// A look at it now and then. Clones share what was seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Looks(Arc<Mutex<Pools>>);

/// Starts PgBouncer in front of `server`, which is at `port`, and waits until it lets the service in. The
/// process is kept in `kept`. Returns where the service logs in.
///
/// # Errors
/// Why it does not start, in words.
pub(super) async fn start(
    server: &Server,
    port: u16,
    settings: PgBouncer,
    kept: &Kept,
) -> Result<u16, String> {
    let program = find_pooler().map_err(|error| error.to_string())?;
    let (service, admin) = (server.service(port, 0.0), server.admin(port, CONSOLE));
    let users = [&service, &admin].map(|one| format!("\"{}\" \"{}\"\n", one.user, one.password));
    server.write("users.txt", &users.concat())?;
    let mut failed = String::new();
    for attempt in 0..PORTS {
        let own = Server::free_port()?;
        let text = text(settings, &service, &admin, own, server.folder());
        let file = server.write(&format!("pgbouncer-{attempt}.ini"), &text)?;
        server.launch(ending_with_parent(&program).arg(file), "pgbouncer", kept)?;
        let address = Address { port: own, ..service.clone() };
        match answer(server, &address, kept).await {
            Ok(()) => return Ok(own),
            Err(why) => failed = why,
        }
        if !failed.contains("Address already in use") {
            break;
        }
    }
    Err(failed)
}

/// Starts `program` so that the kernel ends it with this process, however that ends, where util-linux'
/// `setpriv` is there. Where it is not, the next run ends what is left.
fn ending_with_parent(program: &Path) -> Command {
    let Some(setpriv) = find("setpriv", &env::var_os("PATH").unwrap_or_default(), None) else {
        return Command::new(program);
    };
    let mut command = Command::new(setpriv);
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

/// Waits until it lets the service in, at `address`.
async fn answer(server: &Server, address: &Address, kept: &Kept) -> Result<(), String> {
    let deadline = Instant::now() + START;
    loop {
        let options = address.options();
        let connects = PgConnection::connect_with(&options);
        let why = match tokio::time::timeout(START, connects).await {
            Ok(Ok(connection)) => {
                return connection.close().await.map_err(|error| error.to_string());
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it is silent".to_string(),
        };
        if let Some(ended) = kept.ended() {
            return Err(server.last_words("pgbouncer", &ended.err().unwrap_or_default()));
        }
        if Instant::now() >= deadline {
            return Err(format!("pgbouncer does not answer: {why}"));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Its settings: those of the scenario, and otherwise its own.
fn text(
    settings: PgBouncer,
    service: &Address,
    admin: &Address,
    port: u16,
    folder: &Path,
) -> String {
    let PgBouncer { pool_mode, default_pool_size, max_client_conn, query_wait_timeout } = settings;
    let mode = match pool_mode {
        PoolMode::Transaction => "transaction",
        PoolMode::Session => "session",
    };
    let patience = query_wait_timeout.map_or(0.0, |span| span.secs_f64());
    let (folder, database, user) = (folder.display(), &service.database, &admin.user);
    let server = service.port;
    // The console is one of its clients too.
    let clients = max_client_conn.saturating_add(1);
    // sqlx asks for `extra_float_digits` when it connects.
    format!(
        "[databases]\n\
         {database} = host={HOST} port={server} dbname={database}\n\
         [pgbouncer]\n\
         listen_addr = {HOST}\n\
         listen_port = {port}\n\
         unix_socket_dir =\n\
         auth_type = scram-sha-256\n\
         auth_file = {folder}/users.txt\n\
         admin_users = {user}\n\
         pidfile = {folder}/{PID}\n\
         log_connections = 0\n\
         log_disconnections = 0\n\
         log_pooler_errors = 0\n\
         log_stats = 0\n\
         ignore_startup_parameters = extra_float_digits\n\
         pool_mode = {mode}\n\
         default_pool_size = {default_pool_size}\n\
         max_client_conn = {clients}\n\
         query_wait_timeout = {patience}\n"
    )
}

impl Looks {
    /// Looks again and again at the pools of the database `of`, over the `console`, until that does
    /// not answer any more.
    ///
    /// # Errors
    /// What it says.
    pub(super) async fn watch(
        self,
        console: Address,
        of: String,
    ) -> Result<Infallible, sqlx::Error> {
        let mut console = PgConnection::connect_with(&console.options()).await?;
        loop {
            tokio::time::sleep(PAUSE).await;
            let seen = pools(&mut console, &of).await?;
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.looks += 1;
            all.used += seen.used;
            all.waiting += seen.waiting;
        }
    }

    /// The sums over all looks so far.
    pub(super) fn seen(&self) -> Pools {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where its console is, if it listens at `port`.
pub(super) fn console(server: &Server, port: u16) -> Address {
    server.admin(port, CONSOLE)
}

/// What the pools of the database `of` do now.
async fn pools(console: &mut PgConnection, of: &str) -> Result<Pools, sqlx::Error> {
    let mut pools = Pools::default();
    for row in sqlx::raw_sql("SHOW POOLS").fetch_all(console).await? {
        let number =
            |name: &str| row.try_get::<i32, _>(name).map(|one| u64::from(one.unsigned_abs()));
        if row.try_get::<&str, _>("database")? == of {
            pools.used += number("sv_active")?;
            pools.waiting += number("cl_waiting")?;
        }
    }
    Ok(pools)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said_in_one_line_with_what_to_install() {
        let empty = tempfile::tempdir().expect("a folder");
        let told = choose(OsStr::new("relative:"), empty.path()).expect_err("none").to_string();
        assert!(!told.contains('\n') && told.contains("apt-get install pgbouncer"), "{told}");
        std::fs::write(empty.path().join("pgbouncer"), "").expect("a file");
        assert!(choose(empty.path().as_os_str(), Path::new("/nowhere")).is_ok());
    }
}
