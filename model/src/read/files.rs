//! Where files come from: a disk, or memory in tests and programs that write scenarios.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::builtin;

/// Longest scenario or cost profile that is read: one of a thousand endpoints is far shorter.
pub(crate) const LONGEST_FILE: u64 = 1 << 20;
/// Longest file of recorded arrivals that is read: half a million lines of a log.
pub(crate) const LONGEST_TRACE: u64 = 64 << 20;

/// A set of files by path. Paths use `/` and are as the user knows them.
pub(crate) trait Files: fmt::Debug + Send + Sync {
    /// The text of a file of at most `longest` bytes.
    fn read(&self, path: &str, longest: u64) -> Result<Arc<str>, Unreadable>;
    /// True if there is something at this path.
    fn exists(&self, path: &str) -> bool;
    /// Names of the scenario files of a directory, for a suggestion.
    fn names(&self, directory: &str) -> Vec<String>;
}

/// Why a file could not be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    Missing,
    Directory,
    /// A pipe or a device: reading it could wait for ever.
    NotAFile,
    TooLong(u64),
    NotUtf8,
    /// What the system says.
    Refused(String),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreadable::Missing => out.write_str("there is no such file"),
            Unreadable::Directory => out.write_str("it is a directory"),
            Unreadable::NotAFile => out.write_str("it is not a regular file"),
            Unreadable::TooLong(most) => write!(out, "it is longer than {}MiB", most >> 20),
            Unreadable::NotUtf8 => out.write_str("it is not UTF-8 text"),
            Unreadable::Refused(why) => out.write_str(why),
        }
    }
}

/// The file system, and the built-in scenarios where it has no such file.
#[derive(Debug)]
pub(crate) struct Disk;

impl Files for Disk {
    fn read(&self, path: &str, longest: u64) -> Result<Arc<str>, Unreadable> {
        let refused = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => Unreadable::Missing,
            kind => Unreadable::Refused(kind.to_string()),
        };
        let metadata = match (fs::metadata(path), builtin::text(path)) {
            (Err(error), Some(text)) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(text.into());
            }
            (metadata, _) => metadata.map_err(refused)?,
        };
        if metadata.is_dir() {
            return Err(Unreadable::Directory);
        }
        if !metadata.is_file() {
            return Err(Unreadable::NotAFile);
        }
        if metadata.len() > longest {
            return Err(Unreadable::TooLong(longest));
        }
        let bytes = fs::read(path).map_err(refused)?;
        String::from_utf8(bytes).map(Into::into).map_err(|_| Unreadable::NotUtf8)
    }

    fn exists(&self, path: &str) -> bool {
        Path::new(path).exists() || builtin::text(path).is_some()
    }

    fn names(&self, directory: &str) -> Vec<String> {
        let here = if directory.is_empty() { "." } else { directory };
        let entries = fs::read_dir(here).into_iter().flatten();
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let names = names.filter(|name| name.ends_with(".toml"));
        names.chain(builtin::names(directory)).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// Files that exist only in memory.
#[derive(Debug, Default)]
pub(crate) struct Memory(pub(crate) BTreeMap<String, Arc<str>>);

impl Files for Memory {
    fn read(&self, path: &str, longest: u64) -> Result<Arc<str>, Unreadable> {
        let text = self.0.get(path).ok_or(Unreadable::Missing)?;
        if text.len() as u64 > longest {
            return Err(Unreadable::TooLong(longest));
        }
        Ok(text.clone())
    }

    fn exists(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    fn names(&self, directory: &str) -> Vec<String> {
        self.0
            .keys()
            .filter(|path| parent(path) == directory)
            .map(|path| file(path).into())
            .collect()
    }
}

/// Files that exist only in memory, and the built-in scenarios where there is no such file.
#[derive(Debug)]
pub(crate) struct Sent(pub(crate) Memory);

impl Files for Sent {
    fn read(&self, path: &str, longest: u64) -> Result<Arc<str>, Unreadable> {
        let Sent(sent) = self;
        match builtin::text(path) {
            Some(text) if !sent.exists(path) => Ok(text.into()),
            _ => sent.read(path, longest),
        }
    }

    fn exists(&self, path: &str) -> bool {
        self.0.exists(path) || builtin::text(path).is_some()
    }

    fn names(&self, directory: &str) -> Vec<String> {
        let names = self.0.names(directory).into_iter().chain(builtin::names(directory));
        names.collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// The file that is meant by `path`.
pub(crate) fn find_scenario(path: &Path, files: &dyn Files) -> String {
    let path = path.to_string_lossy().into_owned();
    let candidates = [
        path.clone(),
        format!("{path}.toml"),
        format!("scenarios/{path}"),
        format!("scenarios/{path}.toml"),
    ];
    candidates.into_iter().find(|path| files.exists(path)).unwrap_or(path)
}

/// The file that a file in `directory` calls `name`: as seen from there, or else built in.
pub(crate) fn named(directory: &str, name: &str, files: &dyn Files) -> String {
    let path = join(directory, name);
    if files.exists(&path) {
        return path;
    }
    let built_in = join("scenarios", name);
    let is_built_in = builtin::text(&built_in).is_some() && files.exists(&built_in);
    if is_built_in { built_in } else { path }
}

/// The directory part of a path, empty for none.
pub(crate) fn parent(path: &str) -> &str {
    match path.rfind('/') {
        Some(0) => "/",
        Some(slash) => &path[..slash],
        None => "",
    }
}

/// The last part of a path.
pub(crate) fn file(path: &str) -> &str {
    path.rfind('/').map_or(path, |slash| &path[slash + 1..])
}

/// A file's name without its ending: `v6` of `scenarios/v6.toml`.
pub(crate) fn stem(path: &str) -> &str {
    let file = file(path);
    file.strip_suffix(".toml").unwrap_or(file)
}

/// `path` as seen from `directory`, without detours: `a/b` and `../c` make `a/c`.
pub(crate) fn join(directory: &str, path: &str) -> String {
    let whole = if path.starts_with('/') || directory.is_empty() {
        path.to_string()
    } else {
        format!("{directory}/{path}")
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|&last| last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    if whole.starts_with('/') { format!("/{joined}") } else { joined }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined_without_detours() {
        assert_eq!(join("scenarios", "v1.toml"), "scenarios/v1.toml");
        assert_eq!(join("scenarios", "../tests/./x.toml"), "tests/x.toml");
        assert_eq!(join("", "../x.toml"), "../x.toml");
        assert_eq!(join("a", "/b/c"), "/b/c");
        assert_eq!(stem("scenarios/v6.toml"), "v6");
        assert_eq!(parent("v6.toml"), "");
    }
}
