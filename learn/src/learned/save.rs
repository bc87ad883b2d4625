//! The file of what was learned.

use std::io::{self, Write};
use std::path::Path;

use model::read::{Diagnostic, Diagnostics, load_text};
use render::Failure;

use super::{Learned, write};

/// Writes what was learned to `path`, all of it or nothing.
///
/// # Errors
/// A file is there already and `force` is not given; the file cannot be written; or what was
/// learned is no scenario that can be read: then it is written all the same, for correction.
pub fn save(learned: &Learned, path: &Path, force: bool) -> Result<(), Failure> {
    let text = write(learned);
    replace(path, &text, force)?;
    let shown = path.to_string_lossy();
    load_text(&shown, &text, &[]).map(drop).map_err(Failure::from)
}

/// Puts `text` in the place of `path`, which never holds a part of it.
///
/// # Errors
/// A file is there already and `force` is not given, or it cannot be written.
pub(crate) fn replace(path: &Path, text: &str, force: bool) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let written = || -> Result<(), io::Error> {
        let mut file = beside().tempfile_in(folder.unwrap_or(Path::new(".")))?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        let kept = if force { file.persist(path) } else { file.persist_noclobber(path) };
        kept.map(drop).map_err(|error| error.error)
    };
    written().map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Failure::Refused(Diagnostics::from(there_already(path))),
        _ => Failure::System(format!("cannot write {}: {error}", path.display())),
    })
}

/// A file that others may read as they may read any new file of this user.
fn beside() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".learned-").suffix(".toml");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder
}

fn there_already(path: &Path) -> Diagnostic {
    Diagnostic::of_file(
        path.to_string_lossy(),
        "the file is there already",
        "a file that is not there, or `--force` to replace it",
        "name another file, or add `--force`",
    )
}
