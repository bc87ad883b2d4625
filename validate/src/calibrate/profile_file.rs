//! The profile's file: written whole, and only over a profile that a calibration wrote.

use std::fs::Permissions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use model::read::{Diagnostic, Diagnostics};
use render::Failure;

use super::profile::is_calibrated;

/// Readable for all users, as far as the umask allows.
const READABLE: u32 = 0o644;

/// Checks that `file` may be written, before minutes are spent on measuring.
///
/// # Errors
/// It exists and no calibration wrote it.
pub(crate) fn may_write(file: &Path, force: bool) -> Result<(), Diagnostics> {
    let refused = |found: String, advice: &str| {
        let allowed = "a new file, or one that `validate calibrate` wrote";
        Err(Diagnostic::of_file(file.display().to_string(), found, allowed, advice).into())
    };
    match std::fs::read_to_string(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        _ if file.is_dir() => refused("is a folder".into(), "name a file with --out"),
        Ok(text) if force || is_calibrated(&text) => Ok(()),
        Err(_) if force => Ok(()),
        Ok(_) => refused(
            "was not written by a calibration".into(),
            "name another file with --out, or replace it with --force",
        ),
        Err(error) => refused(format!("cannot be read: {error}"), "name another file with --out"),
    }
}

/// The folder that `file` lies in.
pub(crate) fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Writes `file`, whole or not at all.
///
/// # Errors
/// It cannot be written; what was there before is still there.
pub(crate) fn write(file: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::System(format!("cannot write {}: {error}", file.display()))
    };
    let mut fresh = tempfile::Builder::new()
        .prefix(".profile-")
        .permissions(Permissions::from_mode(READABLE))
        .tempfile_in(folder_of(file))
        .map_err(failed)?;
    fresh.write_all(text.as_bytes()).map_err(failed)?;
    fresh.as_file().sync_all().map_err(failed)?;
    fresh.persist(file).map(drop).map_err(|error| failed(error.error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_calibrated_profile_is_replaced_unless_forced() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("axum.toml");
        assert!(may_write(&file, false).is_ok());
        std::fs::write(&file, "[about]\nmethod = \"a first guess\"\n").expect("written");
        let refused = may_write(&file, false).expect_err("no calibration wrote it").to_string();
        assert!(refused.contains("was not written by a calibration"), "{refused}");
        assert!(refused.contains("--force"), "{refused}");
        assert!(may_write(&file, true).is_ok());
        let ours = "[about]\nwritten_by = \"validate calibrate axum\"\n";
        write(&file, ours).expect("written");
        assert!(may_write(&file, false).is_ok());
        assert_eq!(std::fs::read_to_string(&file).expect("it is there"), ours);
        assert!(may_write(folder.path(), true).is_err());
        let left = std::fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(left, 1);
    }
}
