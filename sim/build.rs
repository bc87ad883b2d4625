//! Names the build by what it computes with: the sources of the simulator and of the model, the
//! versions of all packages, and the compiler.
//!
//! `RUNG_SOURCES` is the same for all processors, `RUNG_BUILD` is not.
//!
//! Not by the program's file, which differs from machine to machine for one and the same answer, and
//! not by the commit, which does not see a change that is not committed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

use sha2::{Digest, Sha256};

fn main() -> io::Result<()> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let mut digest = Sha256::new();
    let parts = [
        "src",
        "Cargo.toml",
        "../model/src",
        "../model/Cargo.toml",
        "../Cargo.toml",
        "../Cargo.lock",
    ];
    for part in parts {
        let path = here.join(part);
        println!("cargo::rerun-if-changed={}", path.display());
        add(&path, &mut digest)?;
    }
    let compiler = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(compiler).arg("--version").output()?;
    digest.update(&version.stdout);
    println!("cargo::rustc-env=RUNG_SOURCES={}", digits(digest.clone()));
    digest.update(env::var("TARGET").unwrap_or_default());
    println!("cargo::rustc-env=RUNG_BUILD={}", digits(digest));
    Ok(())
}

fn digits(digest: Sha256) -> String {
    digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// All files of a folder, in the order of their names.
fn add(path: &Path, digest: &mut Sha256) -> io::Result<()> {
    if !path.is_dir() {
        digest.update(path.file_name().unwrap_or_default().as_encoded_bytes());
        // A package by itself has no lock file.
        digest.update(fs::read(path).unwrap_or_default());
        return Ok(());
    }
    let mut entries: Vec<PathBuf> =
        fs::read_dir(path)?.map(|entry| entry.map(|one| one.path())).collect::<io::Result<_>>()?;
    entries.sort();
    entries.iter().try_for_each(|entry| add(entry, digest))
}
