//! Whether there is a Postgres server to start.

use std::env;
use std::fs;
use std::io::Write as _;
use std::path::Path;

/// Where Debian and Ubuntu install each major version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// True if the programs of a Postgres server are on PATH or where Debian has them; otherwise says
/// that a test is skipped.
pub fn has_postgres() -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let versions = fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let debian = versions.map(|version| version.path().join("bin"));
    let has = |folder: &Path| ["initdb", "postgres"].iter().all(|name| folder.join(name).is_file());
    let found = env::split_paths(&path).chain(debian).any(|folder| has(&folder));
    if !found {
        let text = "SKIPPED: this test needs a Postgres server (apt-get install postgresql)";
        let _ = writeln!(std::io::stderr(), "{text}");
    }
    found
}

/// True if PgBouncer is on PATH or where Debian has it; otherwise says that a test is skipped.
pub fn has_pgbouncer() -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain([Path::new("/usr/sbin").to_path_buf()]);
    let found = folders.into_iter().any(|folder| folder.join("pgbouncer").is_file());
    if !found {
        let text = "SKIPPED: this test needs PgBouncer (apt-get install pgbouncer)";
        let _ = writeln!(std::io::stderr(), "{text}");
    }
    found
}
