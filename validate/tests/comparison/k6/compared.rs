//! The comparison of summaries with the shop, and its numbers and warnings.

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::program::{Ended, validate};

/// The scenario of all summaries.
pub(crate) fn shop() -> String {
    format!("{}/tests/comparison/k6/shop.toml", env!("CARGO_MANIFEST_DIR"))
}

/// Runs `compare` on files with the texts of `summaries`, and with further `words`.
pub(crate) fn compare(summaries: &[String], words: &[&str]) -> Ended {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |(index, text): (usize, &String)| {
        write(&folder, &format!("summary-{}.json", index + 1), text)
    };
    let files: Vec<String> = summaries.iter().enumerate().map(file).collect();
    let options = files.iter().flat_map(|file| ["--k6", &**file]);
    validate(
        &["compare"].into_iter().chain(options).chain(words.iter().copied()).collect::<Vec<_>>(),
    )
}

/// The comparison of `summaries` with the shop, as JSON.
pub(crate) fn compared(summaries: &[Value]) -> Value {
    let texts: Vec<String> = summaries.iter().map(Value::to_string).collect();
    let Ended(code, out, err) = compare(&texts, &[&*shop(), "--format", "json"]);
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

/// A number that was measured of the whole service.
pub(crate) fn measured(comparison: &Value, metric: &str) -> Option<f64> {
    row(comparison, &"overall".into(), metric)["measured"]["value"].as_f64()
}

/// A number that was measured of an endpoint.
pub(crate) fn measured_of(comparison: &Value, endpoint: &str, metric: &str) -> Option<f64> {
    let scope = serde_json::json!({ "class": endpoint });
    row(comparison, &scope, metric)["measured"]["value"].as_f64()
}

/// A warning has these words.
pub(crate) fn warns(comparison: &Value, words: &str) -> bool {
    let warnings = comparison["warnings"].as_array().expect("warnings");
    warnings.iter().any(|warning| warning.as_str().is_some_and(|text| text.contains(words)))
}

/// The path of a file in `folder` with `text` in it.
pub(crate) fn write(folder: &TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("a folder of ours");
    path.display().to_string()
}

/// The text of a file, which must be there.
pub(crate) fn text_of(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path).expect("a file of ours")
}
