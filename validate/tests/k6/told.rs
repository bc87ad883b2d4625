//! Files that tests share, and what is said of them.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Told, validate};

/// A file beside the tests.
pub(crate) fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/k6").join(name);
    path.display().to_string()
}

/// The comparison of `summaries` with the shop, as JSON.
pub(crate) fn compared(summaries: &[&str]) -> Value {
    let (files, shop): (Vec<String>, _) =
        (summaries.iter().map(|name| file(name)).collect(), file("shop.toml"));
    let mut words = vec!["compare", &*shop, "--format", "json"];
    words.extend(files.iter().flat_map(|file| ["--k6", &**file]));
    let Told(code, out, err) = validate(&words);
    assert!([0, 1, 3].contains(&code), "{code}: {err}");
    serde_json::from_str(&out).expect("JSON")
}

/// The row of a number of `scope`.
pub(crate) fn row<'a>(comparison: &'a Value, scope: &Value, metric: &str) -> &'a Value {
    let rows = comparison["rows"].as_array().expect("rows");
    let found = rows.iter().find(|row| {
        row["scope"] == *scope && row["metric"] == metric && row.get("error_kind").is_none()
    });
    found.unwrap_or_else(|| panic!("no {metric} of {scope}: {comparison}"))
}

/// What was measured of the whole service.
pub(crate) fn measured(comparison: &Value, metric: &str) -> Option<f64> {
    row(comparison, &"overall".into(), metric)["measured"]["value"].as_f64()
}

/// A warning has these words.
pub(crate) fn warns(comparison: &Value, words: &str) -> bool {
    let warnings = comparison["warnings"].as_array().expect("warnings");
    warnings.iter().any(|warning| warning.as_str().is_some_and(|text| text.contains(words)))
}

/// A file in `folder` with `text` in it.
pub(crate) fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("the folder is ours");
    path
}
