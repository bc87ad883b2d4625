//! The environment that these tests share.

use std::path::PathBuf;
use std::sync::OnceLock;

use crate::support::Lab;

/// Made by the first test that needs it, and kept for later runs.
static SHARED: OnceLock<Option<PathBuf>> = OnceLock::new();

/// The shared environment; none on a machine without Python.
///
/// # Panics
/// There is Python, and yet the environment cannot be made.
pub(crate) fn environment() -> Option<&'static PathBuf> {
    SHARED.get_or_init(make).as_ref()
}

fn make() -> Option<PathBuf> {
    if !testkit::has_python() {
        return None;
    }
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("fastapi");
    let lab = Lab::new("");
    let ended = lab.end(&format!("setup fastapi --environment {}", folder.display()));
    let ended = ended.with_code(0);
    assert!(ended.out.contains("is ready: python 3"), "{ended:?}");
    Some(folder)
}

/// The options of a run on the shared environment.
pub(crate) fn options() -> Option<String> {
    let folder = environment()?;
    Some(format!("--target fastapi --environment {}", folder.display()))
}
