//! What a driver runs on each new connection.

use model::scenario::{JournalMode, Sqlite, Synchronous};

/// SQLite's own setting.
const AUTOCHECKPOINT: u32 = 1000;
/// Pragmas that services run on a new connection. None changes what is measured.
pub(crate) const PRAGMAS: [&str; 6] = [
    "PRAGMA temp_store = memory",
    "PRAGMA cache_size = -2000",
    "PRAGMA mmap_size = 0",
    "PRAGMA recursive_triggers = on",
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA automatic_index = on",
];

/// The pragmas of a new connection: those that the settings of the scenario need, and then
/// usual ones until there are as many as the scenario says.
pub(crate) fn pragmas_of_a_connection(settings: &Sqlite) -> Vec<String> {
    let mut all = Vec::new();
    if settings.synchronous != Synchronous::Full {
        all.push(format!("PRAGMA synchronous = {}", synchronous_name(settings.synchronous)));
    }
    if settings.wal_autocheckpoint != AUTOCHECKPOINT {
        all.push(format!("PRAGMA wal_autocheckpoint = {}", settings.wal_autocheckpoint));
    }
    let mode = super::mode_of_a_connection(settings.journal_mode);
    all.extend(mode.map(|mode| format!("PRAGMA journal_mode = {mode}")));
    let mut usual = Vec::new();
    if settings.journal_mode == JournalMode::Wal {
        usual.push("PRAGMA journal_mode = wal".to_string());
    }
    usual.extend(PRAGMAS.map(String::from));
    let missing = (settings.pragmas as usize).saturating_sub(all.len());
    all.extend(usual.into_iter().cycle().take(missing));
    all
}

/// SQLite's name of a synchronous level.
pub(crate) fn synchronous_name(synchronous: Synchronous) -> &'static str {
    match synchronous {
        Synchronous::Off => "off",
        Synchronous::Normal => "normal",
        Synchronous::Full => "full",
        Synchronous::Extra => "extra",
    }
}
