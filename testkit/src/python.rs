//! Whether there is a Python that FastAPI runs on.

use std::io::Write as _;
use std::process::{Command, Stdio};

/// True if there is Python 3.11 or later with the module venv; otherwise says that a test is
/// skipped.
pub fn has_python() -> bool {
    let script = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))";
    let mut python = Command::new("python3");
    python.args(["-c", script]).stdin(Stdio::null()).stderr(Stdio::null());
    let found = python.status().is_ok_and(|status| status.success());
    if !found {
        let text = "SKIPPED: this test needs python3, 3.11 or later, with the module venv";
        let _ = writeln!(std::io::stderr(), "{text}");
    }
    found
}
