//! Of what this program is built.

use std::collections::BTreeMap;

/// The versions that were chosen when it was built.
const LOCK: &str = include_str!("../../Cargo.lock");
/// Packages whose versions change what a measurement gives, under the names that reports have
/// for them. The one that carries SQLite has its own version.
const PACKAGES: [(&str, &str); 6] = [
    ("axum", "axum"),
    ("hyper", "hyper"),
    ("tokio", "tokio"),
    ("reqwest", "reqwest"),
    ("sqlx", "sqlx"),
    ("sqlite", "libsqlite3-sys"),
];

/// Versions by name: rung's own, those of the libraries that a measurement is of, and whether
/// the compiler has optimised them.
pub fn versions() -> BTreeMap<String, String> {
    let locked =
        PACKAGES.into_iter().filter_map(|(name, package)| Some((name, locked(LOCK, package)?)));
    let mut all = own();
    all.extend(locked.map(|(name, text)| (name.to_string(), text.to_string())));
    all
}

/// Versions of rung alone.
pub(crate) fn own() -> BTreeMap<String, String> {
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    let own = [("rung", env!("CARGO_PKG_VERSION")), ("build", build)];
    own.into_iter().map(|(name, text)| (name.to_string(), text.to_string())).collect()
}

/// The version of `package` that `lock` names.
fn locked<'l>(lock: &'l str, package: &str) -> Option<&'l str> {
    let value = |line: &'l str, key: &str| Some(line.strip_prefix(key)?.trim_matches('"'));
    let mut lines = lock.lines();
    lines.find(|line| value(line, "name = ") == Some(package))?;
    value(lines.next()?, "version = ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_all_packages_are_found() {
        let found = versions();
        assert_eq!(found.len(), PACKAGES.len() + 2, "{found:?}");
        let numbered = |text: &String| text.starts_with(|first: char| first.is_ascii_digit());
        assert!(found.iter().all(|(name, text)| name == "build" || numbered(text)), "{found:?}");
    }

    #[test]
    fn a_package_that_is_not_there_has_no_version() {
        let lock = "[[package]]\nname = \"axum-core\"\nversion = \"0.5.6\"\n\n\
                    [[package]]\nname = \"axum\"\nversion = \"0.8.9\"\nsource = \"x\"\n";
        assert_eq!(locked(lock, "axum"), Some("0.8.9"));
        assert_eq!(locked(lock, "hyper"), None);
    }
}
