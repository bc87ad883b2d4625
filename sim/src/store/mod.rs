//! Answers that were computed before, in a folder that several processes and machines may share.
//!
//! An answer is kept under a key that is made of all it depends on, the build of this program first
//! of all (`BUILD`): what another build or another scenario answered is not found. A file is whole or
//! not there, and says itself whether its bytes are those that were written. What cannot be kept is
//! computed again: an answer never fails because of its folder.
//!
//! The folder is bounded by parts: a file goes into one of 256 folders by the beginning of its key, and
//! each of these forgets what was not used for longest. So no process has to know what is in all of them,
//! and none waits for another.

use std::fs::{self, File, FileTimes};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::sweep::part::BUILD;

/// Bytes that are kept, unless a caller says otherwise.
pub const MOST: u64 = 256 << 20;
/// Folders that the files are spread over: as many as two hexadecimal digits tell apart.
const FOLDERS: u64 = 256;

/// A folder of answers.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
    /// Bytes of each folder in it.
    most: u64,
}

/// All that an answer depends on, as a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// That of an answer of this `kind` that depends on these texts and on the build.
    pub fn of(kind: &str, texts: &[&str]) -> Key {
        let mut digest = Sha256::new();
        for text in [BUILD, kind].iter().chain(texts) {
            // With its length, so that no two lists of texts run into the same bytes.
            digest.update((text.len() as u64).to_le_bytes());
            digest.update(text.as_bytes());
        }
        Key(hex(digest))
    }

    /// As it is written: 64 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Store {
    /// The answers in `folder`, which is made when the first one is kept.
    pub fn new(folder: &Path, most: u64) -> Store {
        Store { folder: folder.to_path_buf(), most: most / FOLDERS }
    }

    /// The answer that is kept under `key`, if there is one and it is whole.
    pub fn get<T: DeserializeOwned>(&self, key: &Key) -> Option<T> {
        let path = self.path(key);
        let bytes = fs::read(&path).ok()?;
        let (digest, answer) = bytes.split_at_checked(DIGEST)?;
        if digest != line(answer).as_bytes() {
            return None;
        }
        let answer = serde_json::from_slice(answer).ok()?;
        used(&path);
        Some(answer)
    }

    /// Keeps an answer under `key`. That it cannot be kept is no failure.
    pub fn put(&self, key: &Key, answer: &impl Serialize) {
        let kept = self.write(key, answer);
        // Once in a while is enough to stay near the bound.
        if kept.is_ok() && key.0.as_bytes().get(2) == Some(&b'0') {
            let _ = forget(&self.folder_of(key), self.most);
        }
    }

    fn write(&self, key: &Key, answer: &impl Serialize) -> io::Result<()> {
        let answer = serde_json::to_vec(answer)?;
        let folder = self.folder_of(key);
        fs::create_dir_all(&folder)?;
        let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(&folder)?;
        file.write_all(line(&answer).as_bytes())?;
        file.write_all(&answer)?;
        readable(file.as_file())?;
        file.persist(self.path(key)).map_err(|error| error.error).map(drop)
    }

    fn folder_of(&self, key: &Key) -> PathBuf {
        self.folder.join(&key.0[..2])
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.folder_of(key).join(&key.0[2..])
    }
}

/// The digest of an answer and a line end.
fn line(answer: &[u8]) -> String {
    let mut digest = Sha256::new();
    digest.update(answer);
    format!("{}\n", hex(digest))
}

/// Bytes of a [`line()`].
const DIGEST: usize = 65;

fn hex(digest: Sha256) -> String {
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Those of other users may use it too.
#[cfg(unix)]
fn readable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable(_: &File) -> io::Result<()> {
    Ok(())
}

/// Notes that a file was used, so that others are forgotten first.
#[expect(
    clippy::disallowed_methods,
    reason = "the wall clock decides what is forgotten, never what is computed"
)]
fn used(path: &Path) {
    let now = FileTimes::new().set_modified(SystemTime::now());
    let _ = File::options().append(true).open(path).and_then(|file| file.set_times(now));
}

/// Removes files of a folder, those that were not used for longest first, until it has three quarters
/// of `most` bytes; none if it has no more than `most`. Another process may do the same meanwhile.
fn forget(folder: &Path, most: u64) -> io::Result<()> {
    let mut all = 0;
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)?.flatten() {
        let Ok(about) = entry.metadata() else { continue };
        all += about.len();
        files.push((about.modified()?, entry.path(), about.len()));
    }
    if all <= most {
        return Ok(());
    }
    files.sort();
    for (_, path, length) in files {
        if all <= most / 4 * 3 {
            break;
        }
        let _ = fs::remove_file(path);
        all -= length;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(most: u64) -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::new(&folder.path().join("deep/cache"), most);
        (folder, store)
    }

    fn files(folder: &Path) -> Vec<PathBuf> {
        let below = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        below.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
    }

    #[test]
    fn an_answer_is_found_under_its_own_key_alone() {
        let (_folder, store) = store(MOST);
        let key = Key::of("point", &["a", "bc"]);
        assert_eq!(store.get::<Vec<f64>>(&key), None);
        // A number that needs all of its bits.
        let answer = vec![0.1 + 0.2, 1e-300, 5e-324];
        store.put(&key, &answer);
        assert_eq!(store.get(&key), Some(answer));
        for other in [Key::of("point", &["ab", "c"]), Key::of("report", &["a", "bc"])] {
            assert_eq!(store.get::<Vec<f64>>(&other), None, "{other:?}");
        }
    }

    #[test]
    fn a_file_that_was_damaged_is_no_answer() {
        let (folder, store) = store(MOST);
        let key = Key::of("point", &["a"]);
        store.put(&key, &vec![17]);
        let path = files(folder.path()).remove(0);
        let whole = fs::read(&path).expect("bytes");
        let mut other = whole.clone();
        let last = other.len() - 2;
        other[last] = b'8';
        for broken in [&other[..], &whole[..whole.len() - 1], &whole[..10], b""] {
            fs::write(&path, broken).expect("written");
            assert_eq!(store.get::<Vec<u32>>(&key), None);
        }
        store.put(&key, &vec![17]);
        assert_eq!(store.get(&key), Some(vec![17]));
    }

    #[test]
    fn a_folder_that_cannot_be_written_changes_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        fs::write(&file, "by hand").expect("written");
        let store = Store::new(&file, MOST);
        let key = Key::of("point", &["a"]);
        store.put(&key, &1);
        assert_eq!(store.get::<u32>(&key), None);
        assert_eq!(fs::read_to_string(&file).expect("text"), "by hand");
    }

    #[test]
    fn what_was_not_used_for_longest_is_forgotten() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        for (age, name) in ["old", "used", "new"].iter().enumerate() {
            fs::write(path(name), [0; 100]).expect("written");
            let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(age as u64);
            let file = File::options().append(true).open(path(name)).expect("a file");
            file.set_times(FileTimes::new().set_modified(time)).expect("a time");
        }
        used(&path("old"));
        forget(folder.path(), 300).expect("forgotten");
        assert_eq!(files(folder.path()).len(), 3);
        forget(folder.path(), 299).expect("forgotten");
        let left: Vec<bool> =
            ["old", "used", "new"].iter().map(|name| path(name).exists()).collect();
        assert_eq!(left, [true, false, true]);
    }

    #[test]
    fn the_folder_stays_near_its_bound() {
        let most = 256 * 4096;
        let (folder, store) = store(most);
        for number in 0..20_000 {
            store.put(&Key::of("point", &[&number.to_string()]), &vec![0; 100]);
        }
        let all: u64 =
            files(folder.path()).iter().map(|path| path.metadata().map_or(0, |m| m.len())).sum();
        // Each folder may grow by a few answers before it is looked at again.
        assert!(all < 2 * most, "{all}");
        assert!(all > most / 8, "{all}");
    }

    #[test]
    fn several_threads_share_a_folder() {
        let (_folder, store) = store(256 * 2048);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for number in 0..500u32 {
                        let key = Key::of("point", &[&number.to_string()]);
                        let found: Option<u32> = store.get(&key);
                        assert!(found.is_none_or(|found| found == number));
                        store.put(&key, &number);
                    }
                });
            }
        });
    }
}
