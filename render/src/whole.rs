//! A file: whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use model::read::Diagnostic;

use crate::Failure;

/// Writes `file` with what `fill` writes. Where that fails, a file that was there before is still
/// there as it was, and there is nothing else.
///
/// # Errors
/// Those of `fill`, and those of the system.
pub fn write(
    file: &Path,
    fill: impl FnOnce(&mut (dyn Write + Send)) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let failed = |error: io::Error| cannot(file, &error);
    if is_device(file) {
        // Nothing can take the place of a device or a pipe.
        let mut out = BufWriter::new(File::options().write(true).open(file).map_err(failed)?);
        fill(&mut out)?;
        return out.flush().map_err(failed);
    }
    let goal = goal(file);
    let fresh =
        tempfile::Builder::new().prefix(".new-").tempfile_in(folder(&goal)).map_err(failed)?;
    let mut out = BufWriter::new(fresh);
    fill(&mut out)?;
    let fresh = out.into_inner().map_err(|error| failed(error.into_error()))?;
    // A temporary file is for its owner alone; this one is to be passed on.
    readable(fresh.as_file()).map_err(failed)?;
    fresh.persist(&goal).map_err(|error| failed(error.error)).map(drop)
}

/// Refuses, before a long run, a file that could not be written after it.
///
/// # Errors
/// Its folder is not there, or it is a folder itself.
pub fn check(file: &Path) -> Result<(), Failure> {
    let found = match (file.is_dir(), folder(file).is_dir()) {
        (false, true) => return Ok(()),
        (true, _) => "is a folder".to_string(),
        (false, false) => {
            format!("cannot be written: there is no folder {}", folder(file).display())
        }
    };
    let name = file.display().to_string();
    let allowed = "a file in a folder that is there";
    let refused = Diagnostic::of_file(name, found, allowed, "name another file with -o");
    Err(Failure::Refused(refused.into()))
}

/// The folder of a file.
pub(crate) fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// The file that a link leads to.
fn goal(file: &Path) -> PathBuf {
    fs::canonicalize(file).unwrap_or_else(|_| file.to_path_buf())
}

fn is_device(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|about| !about.is_file() && !about.is_dir())
}

pub(crate) fn cannot(file: &Path, error: &io::Error) -> Failure {
    Failure::System(format!("cannot write {}: {error}", file.display()))
}

/// As a file that a program creates in the usual way, but for the process's mask.
#[cfg(unix)]
pub(crate) fn readable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
pub(crate) fn readable(_: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_whole_or_as_it_was() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("answer.csv");
        write(&file, |out| Ok(out.write_all(b"first")?)).expect("written");
        let broken = write(&file, |out| {
            out.write_all(b"half")?;
            Err(Failure::System("a point is missing".into()))
        });
        assert!(broken.is_err());
        assert_eq!(fs::read(&file).expect("bytes"), b"first");
        write(&file, |out| Ok(out.write_all(b"second")?)).expect("written");
        assert_eq!(fs::read(&file).expect("bytes"), b"second");
        // Nothing is left beside it.
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
        let lost = folder.path().join("none/answer.csv");
        assert!(write(&lost, |_| Ok(())).is_err());
        assert!(check(&lost).is_err() && check(folder.path()).is_err());
        assert!(check(&file).is_ok() && check(Path::new("answer.csv")).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_and_a_device_stay_what_they_are() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "first").expect("written");
        std::os::unix::fs::symlink(&file, &link).expect("a link");
        write(&link, |out| Ok(out.write_all(b"second")?)).expect("written");
        assert!(link.is_symlink());
        assert_eq!(fs::read(&file).expect("bytes"), b"second");
        write(Path::new("/dev/null"), |out| Ok(out.write_all(b"gone")?)).expect("written");
        assert!(!fs::metadata("/dev/null").expect("a device").is_file());
    }
}
