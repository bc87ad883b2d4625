//! The scenarios and cost profiles that are built into the programs.
//!
//! They stand in for files of the same path under `scenarios/` where there are none, so that
//! programs find them in any folder.

/// Path below `scenarios/`, with `/`, and text.
static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/builtin.rs"));

/// All of them, in the order of their paths: a path below `scenarios/`, such as `v6.toml` or
/// `costs/study.toml`, and its text.
pub fn builtin() -> impl Iterator<Item = (&'static str, &'static str)> {
    FILES.iter().copied()
}

/// The text of the built-in file that stands in for `path`, as seen from the current folder.
pub(super) fn text(path: &str) -> Option<&'static str> {
    let below = path.strip_prefix("scenarios/")?;
    builtin().find(|(name, _)| *name == below).map(|(_, text)| text)
}

/// File names of the built-in scenarios in a folder as seen from the current one.
pub(super) fn names(folder: &str) -> impl Iterator<Item = String> {
    let below = match folder {
        "scenarios" => Some(String::new()),
        _ => folder.strip_prefix("scenarios/").map(|below| format!("{below}/")),
    };
    builtin().filter_map(move |(path, _)| {
        let name = path.strip_prefix(below.as_deref()?)?;
        (!name.contains('/')).then(|| name.to_string())
    })
}
