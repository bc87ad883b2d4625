//! Writes the list of the scenarios and cost profiles that are built into the programs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

fn main() -> io::Result<()> {
    let folder = Path::new(&variable("CARGO_MANIFEST_DIR")).join("../scenarios").canonicalize()?;
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files = Vec::new();
    collect(&folder, &mut files)?;
    files.sort();
    let entry = |file: &PathBuf| {
        let name = file.strip_prefix(&folder).unwrap_or(file);
        format!("({name:?}, include_str!({file:?})),\n")
    };
    let list: String = files.iter().map(entry).collect();
    fs::write(Path::new(&variable("OUT_DIR")).join("builtin.rs"), format!("&[\n{list}]\n"))
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

/// Adds every TOML file below `folder`.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    Ok(())
}
