//! Text files that say what a program should write. They are plain files (`.txt`, `.js`,
//! `.json`), without the header and the second program that a snapshot library brings.

use std::fs;
use std::path::Path;

/// Compares `found` with the text of `file`; with `UPDATE_GOLDEN` set, writes it there.
///
/// # Panics
/// They differ.
pub fn golden(file: impl AsRef<Path>, found: &str) {
    let file = file.as_ref();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(file, found).expect("a folder of ours");
    }
    let wanted = fs::read_to_string(file).unwrap_or_default();
    let lines = || found.lines().zip(wanted.lines()).zip(1..);
    let first = lines().find(|((found, wanted), _)| found != wanted);
    let advice = format!("{}: set UPDATE_GOLDEN to accept it", file.display());
    if let Some(((found, wanted), line)) = first {
        assert_eq!(found, wanted, "line {line} of {advice}");
    }
    assert_eq!(found, wanted, "{advice}");
}
