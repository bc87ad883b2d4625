//! The documents name what exists: every link leads to a file, every path to a file or folder.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All Markdown files of the root and of `docs/`.
fn documents() -> Vec<PathBuf> {
    fn collect(folder: &Path, deep: bool, all: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && deep {
                collect(&path, deep, all);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                all.push(path);
            }
        }
    }
    let mut all = Vec::new();
    collect(&root(), false, &mut all);
    collect(&root().join("docs"), true, &mut all);
    assert!(all.len() > 10, "{all:?}");
    all
}

#[test]
fn every_link_leads_to_a_file() {
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        let links = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        for (link, _) in links {
            let path = link.split('#').next().unwrap();
            if path.is_empty() || path.contains("://") {
                continue;
            }
            let target = document.parent().unwrap().join(path);
            assert!(target.exists(), "{}: {link}", document.display());
        }
    }
}

/// A word in backticks that begins with one of the project's folders is a path.
#[test]
fn every_path_in_the_maps_exists() {
    let folders = [
        "model/",
        "sim/",
        "live/",
        "learn/",
        "validate/",
        "render/",
        "serve/",
        "ui/",
        "tests/",
        "testkit/",
        "docs/",
        "examples/",
        "scenarios/",
        ".ci/",
    ];
    let mut found = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for word in text.split('`').skip(1).step_by(2) {
            let is_path = folders.iter().any(|folder| word.starts_with(folder));
            // A star stands for any folder.
            if is_path && !word.contains([' ', '*', '<']) {
                found += 1;
                let path = root().join(word);
                assert!(path.exists(), "{}: `{word}`", document.display());
            }
        }
    }
    assert!(found > 20, "{found} paths");
}
