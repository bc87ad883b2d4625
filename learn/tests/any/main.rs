//! Whatever bytes a record has: no reader panics. A fuzzer (`fuzz/`) does the same for as long as one
//! likes; this is what a test can do in a few seconds.
#![forbid(unsafe_code)]

mod read;

use std::fs;
use std::path::{Path, PathBuf};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// All records that are there, of each format.
fn records() -> Vec<Vec<u8>> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let folder = |name: &str| fs::read_dir(tests.join(name)).expect("a folder of ours");
    let mut files: Vec<PathBuf> = folder("records")
        .chain(folder("otlp"))
        .map(|entry| entry.expect("a file of ours").path())
        .collect();
    files.sort();
    assert!(files.len() > 20, "{files:?}");
    files.iter().map(|file| fs::read(file).expect("a file of ours")).collect()
}

/// A change of a record: where, what is cut out there, and what is put in.
#[derive(Clone, Debug)]
struct Change {
    at: Index,
    cut: usize,
    put: Vec<u8>,
}

fn change() -> impl Strategy<Value = Change> {
    let pieces: [&[u8]; 26] = [
        b"\"",
        b"\\",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b" ",
        b"\n",
        b"\r\n",
        b"-",
        b"%",
        b"$",
        b"null",
        b"NaN",
        b"-1e308",
        b"1e999",
        b"18446744073709551616",
        b"\0",
        b"\xff",
        "\u{e4}".as_bytes(),
        b"\x1b[H",
        b"99/Feb/9999:99:99:99 +9999",
        b"9999-12-31T23:59:60-99:99",
        b"",
    ];
    let put = prop_oneof![
        4 => prop::sample::select(pieces.map(<[u8]>::to_vec).to_vec()),
        1 => vec(any::<u8>(), 0..6),
    ];
    let cut = prop_oneof![3 => 0..3usize, 1 => 0..80usize];
    (any::<Index>(), cut, put).prop_map(|(at, cut, put)| Change { at, cut, put })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn records_that_were_changed_here_and_there_are_read_or_refused(
        which in any::<Index>(),
        other in any::<Index>(),
        changes in vec(change(), 0..8),
    ) {
        let records = records();
        let mut bytes = which.get(&records).clone();
        // Sometimes a record of another format follows it.
        if changes.len() > 6 {
            bytes.extend(other.get(&records).iter());
        }
        for Change { at, cut, put } in changes {
            let from = at.index(bytes.len() + 1);
            let to = (from + cut).min(bytes.len());
            bytes.splice(from..to, put);
        }
        read::read(&bytes);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..400)) {
        read::read(&bytes);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "(\\PC|\n|\"|\\{|%\\(|\\$){0,200}") {
        read::read(text.as_bytes());
    }
}

#[test]
fn records_as_they_are_can_be_read_by_every_reader() {
    records().iter().for_each(|bytes| read::read(bytes));
}
