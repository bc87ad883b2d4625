//! Wrong scenarios and the errors that they are refused with.
//!
//! A file `wrong/THEME.txt` has cases such as
//!
//! ```text
//! === zero-workers
//! # A service without workers.
//! service.workers = 0
//! ---
//! error: wrong/zero-workers.toml:2:19: `service.workers` is 0
//! ```
//!
//! with an empty line between two. Comments such as `# --set service.workers=x` are applied as
//! on the command line. Files that they extend are in `wrong/parts`.

use std::fs;
use std::path::{Path, PathBuf};

use model::read::{Diagnostics, load};
use tempfile::TempDir;

/// A wrong scenario.
#[derive(Clone, Debug)]
pub struct Wrong {
    /// Its name, without the ending of its file.
    pub name: String,
    /// The scenario as it is written.
    pub text: String,
    /// The error that is expected.
    pub error: String,
}

/// Files with cases, and the cases in each.
///
/// # Panics
/// A file is not written as it should be.
pub fn wrong_files() -> Vec<(PathBuf, Vec<Wrong>)> {
    let folder = fs::read_dir(folder()).expect("the folder of wrong scenarios").flatten();
    let files = folder.map(|entry| entry.path()).filter(|path| path.is_file());
    files.map(|file| (file.clone(), cases(&fs::read_to_string(file).expect("text")))).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("wrong")
}

fn cases(text: &str) -> Vec<Wrong> {
    let case = |case: &str| {
        let (name, rest) = case.split_once('\n')?;
        let (text, error) = rest.split_once("---\n")?;
        let error = format!("{}\n", error.trim_end());
        Some(Wrong { name: name.to_string(), text: text.to_string(), error })
    };
    let all = text.split("=== ").skip(1);
    all.map(|text| case(text).unwrap_or_else(|| panic!("no case: {text}"))).collect()
}

/// The text of a file with `cases`.
pub fn file_of(cases: &[Wrong]) -> String {
    let text = |case: &Wrong| format!("=== {}\n{}---\n{}", case.name, case.text, case.error);
    cases.iter().map(text).collect::<Vec<_>>().join("\n")
}

/// All wrong scenarios as files in one folder.
#[derive(Debug)]
pub struct Written(TempDir);

impl Written {
    /// Writes them, each under its name, with `parts` beside them.
    ///
    /// # Panics
    /// They cannot be written.
    pub fn new() -> Written {
        let written = Written(tempfile::tempdir().expect("a folder for temporary files"));
        fs::create_dir(written.path("parts")).expect("a folder of ours");
        for part in fs::read_dir(folder().join("parts")).expect("parts").flatten() {
            let to = written.path("parts").join(part.file_name());
            fs::copy(part.path(), to).expect("a folder of ours");
        }
        for case in wrong_files().iter().flat_map(|(_, cases)| cases) {
            fs::write(written.path(&format!("{}.toml", case.name)), &case.text).expect("ours");
        }
        written
    }

    /// A file among them.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Why the scenario `name` is refused, and that as text, in which the folder is `wrong`.
    ///
    /// # Panics
    /// It is accepted.
    pub fn refusal(&self, name: &str) -> (Diagnostics, String) {
        let path = self.path(&format!("{name}.toml"));
        let text = fs::read(&path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let text = text.unwrap_or_default();
        let sets = text.lines().filter_map(|line| line.strip_prefix("# --set "));
        let sets: Vec<String> = sets.map(str::to_string).collect();
        let Err(refused) = load(&path, &sets) else { panic!("{name} is accepted") };
        let folder = format!("{}/", self.0.path().display());
        let text = format!("{refused}\n").replace(&folder, "wrong/");
        (refused, text)
    }
}

impl Default for Written {
    fn default() -> Written {
        Written::new()
    }
}
