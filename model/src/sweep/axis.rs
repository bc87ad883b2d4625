//! A key and its values: `--vary load.users=50,100,200`, `--vary service.workers=1..8`.

use std::collections::BTreeSet;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::range::{self, Kind};

/// A key and the values that it is given, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Axis {
    /// The key.
    pub key: String,
    /// At least two values, each as it was written.
    pub values: Vec<String>,
}

impl Axis {
    /// `KEY=VALUE`, as a change to the scenario.
    pub fn set(&self, value: &str) -> String {
        format!("{}={value}", self.key)
    }

    /// The values as numbers that can be compared: seconds, per second, bytes, shares or plain; none
    /// unless all are of one kind.
    pub fn numbers(&self) -> Option<Vec<f64>> {
        range::numbers(&self.values)
    }

    /// The same, and what kind of numbers they are.
    pub fn numbers_of_a_kind(&self) -> Option<(Kind, Vec<f64>)> {
        range::of_a_kind(&self.values)
    }

    /// The name of a value among others: `users=50`.
    pub fn name(&self, value: &str) -> String {
        let key = self.key.rsplit('.').next().unwrap_or(&self.key);
        format!("{key}={value}")
    }
}

impl FromStr for Axis {
    type Err = String;

    /// Every problem at once, joined by semicolons.
    fn from_str(text: &str) -> Result<Axis, String> {
        let Some((key, list)) = text.split_once('=') else {
            return Err("a key and its values, as in load.users=50,100,200".to_string());
        };
        let mut problems = Vec::new();
        if key.trim().is_empty() {
            problems.push("there is no key before the equals sign".to_string());
        }
        let values = split(list).unwrap_or_else(|problem| {
            problems.push(problem);
            Vec::new()
        });
        if values.iter().any(String::is_empty) && values.len() > 1 {
            problems.push("a value is empty".to_string());
        }
        let values = match range::expand(&values) {
            Ok(values) => values,
            Err(wrong) => {
                problems.extend(wrong);
                values
            }
        };
        let mut seen = BTreeSet::new();
        for value in values.iter().filter(|value| !value.is_empty()) {
            if !seen.insert(value) {
                problems.push(format!("`{value}` is there twice"));
            }
        }
        if problems.is_empty() && values.len() < 2 {
            problems.push("at least two values, as in load.users=50,100".to_string());
        }
        match problems.is_empty() {
            true => Ok(Axis { key: key.trim().to_string(), values }),
            false => Err(problems.join("; ")),
        }
    }
}

/// The values of a list. Commas inside of braces, brackets or quotes are part of a value:
/// `{ p50 = "1s", p99 = "2s" }` is one.
fn split(list: &str) -> Result<Vec<String>, String> {
    let mut values = vec![String::new()];
    let (mut open, mut quote, mut escaped) = (Vec::new(), None, false);
    for c in list.chars() {
        match (quote, c) {
            // In TOML a backslash means something in double quotes only.
            (Some('"'), '\\') if !escaped => {
                escaped = true;
                add(&mut values, c);
                continue;
            }
            (Some(end), _) if c == end && !escaped => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '{') => open.push('}'),
            (None, '[') => open.push(']'),
            (None, '}' | ']') if open.pop() != Some(c) => {
                return Err(format!("`{c}` closes nothing"));
            }
            (None, ',') if open.is_empty() => {
                values.push(String::new());
                continue;
            }
            _ => {}
        }
        escaped = false;
        add(&mut values, c);
    }
    match (quote, open.pop()) {
        (Some(quote), _) => Err(format!("a {quote} is not closed")),
        (None, Some(end)) => Err(format!("a `{end}` is missing")),
        (None, None) => Ok(values.iter().map(|value| value.trim().to_string()).collect()),
    }
}

fn add(values: &mut [String], c: char) {
    if let Some(value) = values.last_mut() {
        value.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<String> {
        text.parse::<Axis>().expect("a list").values
    }

    #[test]
    fn values_are_parted_by_commas_that_are_not_inside_of_anything() {
        assert_eq!(values("load.users=50, 100,200"), ["50", "100", "200"]);
        assert_eq!(
            values(r#"x={ p50 = "1s", p99 = "2s" },{ p50 = "2s", p99 = "4s" }"#),
            [r#"{ p50 = "1s", p99 = "2s" }"#, r#"{ p50 = "2s", p99 = "4s" }"#]
        );
        assert_eq!(
            values(r#"x=[1, [2, 3]],"a,}b",'c,"d'"#),
            ["[1, [2, 3]]", "\"a,}b\"", "'c,\"d'"]
        );
        assert_eq!(values(r#"x="a\",b",'c\',d"#), [r#""a\",b""#, r"'c\'", "d"]);
        assert_eq!(values("x=1..3, 10..30:10"), ["1", "2", "3", "10", "20", "30"]);
        let axis: Axis = " load.users = 1,2".parse().expect("a list");
        assert_eq!(
            (axis.key.as_str(), axis.set("1"), axis.name("1")),
            ("load.users", "load.users=1".to_string(), "users=1".to_string())
        );
    }

    #[test]
    fn a_wrong_list_is_explained() {
        for (wrong, told) in [
            ("load.users", "a key and its values, as in load.users=50,100,200"),
            ("load.users=50", "at least two values, as in load.users=50,100"),
            ("load.users=", "at least two values, as in load.users=50,100"),
            (
                "=1,,1",
                "there is no key before the equals sign; a value is empty; `1` is there twice",
            ),
            ("x=1,{a", "a `}` is missing"),
            ("x=1,a]", "`]` closes nothing"),
            ("x={],1", "`]` closes nothing"),
            ("x=1,\"a", "a \" is not closed"),
            ("x=8..1", "`8..1` is empty: its end lies below its start"),
            ("x=1..3,2", "`2` is there twice"),
        ] {
            assert_eq!(wrong.parse::<Axis>(), Err(told.to_string()), "{wrong}");
        }
    }

    #[test]
    fn values_of_one_kind_are_numbers() {
        let read = |text: &str| range::numbers(&values(text));
        assert_eq!(read("x=1,2.5"), Some(vec![1.0, 2.5]));
        assert_eq!(read("x=250ms,\"1s\""), Some(vec![0.25, 1.0]));
        assert_eq!(read("x=60/m,2/s"), Some(vec![1.0, 2.0]));
        assert_eq!(read("x=1kB,1KiB"), Some(vec![1000.0, 1024.0]));
        assert_eq!(read("x=1%,50%"), Some(vec![0.01, 0.5]));
        for mixed in ["x=1,2s", "x=async,threadpool", "x=1,never", "x=1,inf"] {
            assert_eq!(read(mixed), None, "{mixed}");
        }
    }
}
