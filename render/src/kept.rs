//! A page with pictures as a file: whole or not at all.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use model::read::Diagnostic;

use crate::html::MARK;
use crate::whole::{cannot, folder, readable};
use crate::{Failure, whole};

/// Bytes of a file in which its mark has to be.
const HEAD: usize = 1024;

/// Writes a new file, whole or not at all. One that is there stays.
///
/// # Errors
/// It is there, or cannot be written.
pub fn keep_new(file: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: io::Error| cannot(file, &error);
    let mut fresh =
        tempfile::Builder::new().prefix(".new-").tempfile_in(folder(file)).map_err(failed)?;
    fresh.write_all(text.as_bytes()).map_err(failed)?;
    readable(fresh.as_file()).map_err(failed)?;
    match fresh.persist_noclobber(file) {
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Err(Failure::Refused(
            Diagnostic::of_file(
                file.display().to_string(),
                "is there already",
                "a file that is not there yet",
                "give it another name",
            )
            .into(),
        )),
        kept => kept.map_err(|error| failed(error.error)).map(drop),
    }
}

/// Writes `file`. A page of an earlier run is replaced; any other file may have been written by
/// hand, and stays.
pub(crate) fn keep(file: &Path, page: &str) -> Result<(), Failure> {
    refuse(file)?;
    whole::write(file, |out| Ok(out.write_all(page.as_bytes())?))
}

/// Refuses a file that is there and no page of an earlier run, and one that has no folder.
pub(crate) fn refuse(file: &Path) -> Result<(), Failure> {
    let found = match File::open(file) {
        Ok(there) => {
            let mut head = Vec::new();
            let read = there.take(HEAD as u64).read_to_end(&mut head);
            match read {
                Ok(_) if String::from_utf8_lossy(&head).contains(MARK) => return Ok(()),
                Ok(_) => "is there already, and is no page of rung".to_string(),
                Err(error) => format!("is there already, and cannot be read: {error}"),
            }
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            format!("cannot be written: {error}")
        }
        Err(_) if folder(file).is_dir() => return Ok(()),
        Err(_) => format!("cannot be written: there is no folder {}", folder(file).display()),
    };
    Err(Failure::Refused(
        Diagnostic::of_file(
            file.display().to_string(),
            &found,
            "a new file in a folder that is there, or a page that --html wrote before",
            "name another file with --html",
        )
        .into(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Format;
    use std::fs;

    #[test]
    fn a_page_replaces_a_page_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("out.html");
        let page = |text: &str| format!("<!DOCTYPE html><head>{MARK}</head>{text}");
        keep(&file, &page("first")).expect("written");
        keep(&file, &page("second")).expect("written");
        assert_eq!(fs::read_to_string(&file).expect("text"), page("second"));
        fs::write(&file, "by hand").expect("written");
        let refused = keep(&file, &page("third")).expect_err("refused").text(Format::Text);
        assert!(refused.contains("is there already, and is no page of rung"), "{refused}");
        assert_eq!(fs::read_to_string(&file).expect("text"), "by hand");
        // Nothing is left beside it.
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
        let lost = refuse(&folder.path().join("none/out.html")).expect_err("refused");
        assert!(lost.text(Format::Text).contains("there is no folder"));
    }
}
