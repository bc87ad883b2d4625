//! `sim ui --export`: the page of what-ifs as a folder for any web server.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use model::read::Diagnostic;
use render::{Console, Failure, Format, MARK, whole};
use serde::Serialize;
use ui::page::{self, Start, Static};

use super::options::Ui;
use crate::sweep::part::SOURCES;
use crate::what_if::{Subject, Texts};

/// What was written, for programs.
#[derive(Serialize)]
struct Written {
    page: String,
}

/// Writes the page into a folder. Everything that could be refused is looked at before.
pub(super) fn run(options: &Ui, folder: &Path, console: &mut Console<'_>) -> Result<(), Failure> {
    let (set, keep) = (options.source.sets(), options.keep.texts().to_vec());
    let subject = Subject::File(options.source.file().to_path_buf());
    subject.load(&set, &keep)?;
    let scenario = Texts::of(&subject.load(&[], &[])?).without_folders();
    let engine = engine(options.engine.as_deref())?;
    refuse_other_files(folder)?;
    let scenario = Static { sources: SOURCES, scenario: serde_json::json!(scenario) };
    let start = Start {
        version: env!("CARGO_PKG_VERSION"),
        set,
        keep,
        saves: false,
        without_server: Some(scenario),
    };
    write(folder, &page::files(&start, engine))?;
    let page = folder.join("index.html").display().to_string();
    Ok(console.data(&match options.output.format {
        Format::Json => render::json(&Written { page }),
        Format::Text | Format::Markdown => format!("{page}\n"),
    })?)
}

/// The first bytes of every WebAssembly module.
const MAGIC: &[u8] = b"\0asm";

/// The bytes of the engine, which is of the same sources as this program.
fn engine(named: Option<&Path>) -> Result<Vec<u8>, Failure> {
    let beside = || {
        let program = std::env::current_exe().unwrap_or_default();
        program.with_file_name("sim.wasm")
    };
    let file = named.map_or_else(beside, Path::to_path_buf);
    let refused = |found: &str| -> Failure {
        Failure::Refused(
            Diagnostic::of_file(
                file.display().to_string(),
                found,
                "this program as WebAssembly, of the same sources and the same compiler",
                "build it from the sources of this program with `rustup target add wasm32-wasip1` \
                 and `cargo build --release -p sim --no-default-features --target wasm32-wasip1`, \
                 and name it: --engine target/wasm32-wasip1/release/sim.wasm",
            )
            .into(),
        )
    };
    let bytes = fs::read(&file).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => refused("there is no such file"),
        _ => refused(&format!("cannot be read: {error}")),
    })?;
    if !bytes.starts_with(MAGIC) {
        return Err(refused("is no WebAssembly"));
    }
    if !bytes.windows(SOURCES.len()).any(|part| part == SOURCES.as_bytes()) {
        return Err(refused("is of another build than this program"));
    }
    Ok(bytes)
}

/// Refuses a folder with files that no earlier run wrote.
fn refuse_other_files(folder: &Path) -> Result<(), Failure> {
    let found = match fs::read_dir(folder) {
        Ok(mut entries) => {
            let index = fs::read_to_string(folder.join("index.html")).unwrap_or_default();
            if entries.next().is_none() || index.contains(MARK) {
                return Ok(());
            }
            "has files, and no page of an earlier run".to_string()
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => format!("cannot be used: {error}"),
    };
    Err(Failure::Refused(
        Diagnostic::of_file(
            folder.display().to_string(),
            found,
            "a new or an empty folder, or one that --export wrote before",
            "name another folder with --export",
        )
        .into(),
    ))
}

/// Writes all files, the page itself last: until then an earlier page is what it was.
fn write(folder: &Path, files: &[(&str, Vec<u8>)]) -> Result<(), Failure> {
    let is_new = !folder.exists();
    let cannot = |error: io::Error| {
        Failure::System(format!("cannot make the folder {}: {error}", folder.display()))
    };
    fs::create_dir_all(folder).map_err(cannot)?;
    let each = |(name, bytes): &(&str, Vec<u8>)| {
        let file: PathBuf = folder.join(name);
        whole::write(&file, |out| Ok(out.write_all(bytes)?))
    };
    let written = files.iter().try_for_each(each);
    if written.is_err() && is_new {
        let _ = fs::remove_dir_all(folder);
    }
    written
}
