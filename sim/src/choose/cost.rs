//! What a setting costs: an expression of the keys that are chosen.
//!
//! A key stands there by its whole name, or by its last words where no other key has them:
//! `database.connections.size`, `connections.size` or `size`; `pool` is that key too.

use exmex::prelude::*;
use model::read::Diagnostics;
use model::sweep::Axis;

use super::words::refusal;

/// A key by another name.
const ALIASES: [(&str, &str); 1] = [("database.connections.size", "pool")];

/// An expression, read.
#[derive(Clone, Debug)]
pub struct Cost {
    text: String,
    expression: FlatEx<f64>,
    /// For each variable of the expression the key that it is.
    keys: Vec<usize>,
}

impl Cost {
    /// Reads `text`; the value of the only key where there is no expression.
    ///
    /// # Errors
    /// It is no expression, or names what is not chosen; or there are several keys and no expression.
    pub fn new(text: Option<&str>, keys: &[Axis]) -> Result<Cost, Diagnostics> {
        let text = match (text, keys) {
            (Some(text), _) => text,
            (None, [only]) => only.key.as_str(),
            (None, _) => {
                return Err(refusal(
                    "--cost",
                    "there is no cost, and several keys are chosen".into(),
                    &allowed(keys),
                    "say what a setting costs: --cost 'workers*1 + pool*0.01'",
                ));
            }
        };
        let wrong = |found: String| {
            let advice =
                "write numbers, keys, + - * / ^ and brackets, as in 'workers*1 + pool*0.01'";
            refusal("--cost", found, &allowed(keys), advice)
        };
        let expression = FlatEx::<f64>::parse(&in_braces(text))
            .map_err(|_| wrong(format!("`{text}` is no expression")))?;
        let (mut found, mut unknown) = (Vec::new(), Vec::new());
        for name in expression.var_names() {
            match keys.iter().position(|axis| is_called(axis, name, keys)) {
                Some(key) => found.push(key),
                None => unknown.push(format!("`{name}`")),
            }
        }
        if !unknown.is_empty() {
            return Err(wrong(format!("{} is no key that is chosen", unknown.join(", "))));
        }
        Ok(Cost { text: text.to_string(), expression, keys: found })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The cost of a setting, given the number of each key.
    ///
    /// # Errors
    /// It is no finite number.
    pub fn of(&self, numbers: &[f64]) -> Result<f64, Diagnostics> {
        let values: Vec<f64> = self.keys.iter().map(|&key| numbers[key]).collect();
        let cost = self.expression.eval(&values);
        match cost.ok().filter(|cost| cost.is_finite()) {
            Some(cost) => Ok(model::statistics::round_significant(cost)),
            None => Err(refusal(
                "--cost",
                format!("`{}` is no number where the values are {numbers:?}", self.text),
                "a finite number for every setting",
                "do not divide by what may be 0",
            )),
        }
    }
}

fn allowed(keys: &[Axis]) -> String {
    let names: Vec<&str> = keys.iter().map(|axis| axis.key.as_str()).collect();
    format!("an expression of {}", names.join(", "))
}

/// Names in braces, so that the parser takes none for one of its operators, as `max_in_flight` for
/// `max`. What is followed by a bracket is a function.
fn in_braces(text: &str) -> String {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c: char| !is_part(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end.max(first.len_utf8()));
        let is_name = first.is_alphabetic() || first == '_';
        match is_name && !after.trim_start().starts_with('(') {
            true => out.push_str(&format!("{{{word}}}")),
            false => out.push_str(word),
        }
        rest = after;
    }
    out
}

/// `name` is the key of `axis`, or the end of that key and of no other.
fn is_called(axis: &Axis, name: &str, keys: &[Axis]) -> bool {
    let ends = |key: &str| key == name || key.ends_with(&format!(".{name}"));
    let alone = keys.iter().filter(|other| ends(&other.key)).count() == 1;
    let alias = ALIASES.iter().any(|(key, alias)| *key == axis.key && *alias == name);
    axis.key == name || alias || (ends(&axis.key) && alone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Vec<Axis> {
        let all = ["service.workers=1,2", "database.connections.size=1..50"];
        all.iter().map(|text| text.parse().expect("values")).collect()
    }

    fn cost(text: &str, numbers: &[f64]) -> Result<f64, String> {
        let told = |problems: Diagnostics| problems.to_string();
        Cost::new(Some(text), &keys()).map_err(told)?.of(numbers).map_err(told)
    }

    #[test]
    fn keys_stand_by_their_names_or_the_ends_of_them() {
        for text in [
            "workers*1 + pool*0.01",
            "workers + size/100",
            "service.workers + 0.01 * connections.size",
            "0.01*database.connections.size+workers",
        ] {
            assert_eq!(cost(text, &[3.0, 7.0]), Ok(3.07), "{text}");
        }
        assert_eq!(cost("(workers - 1)^2 * 10", &[3.0, 7.0]), Ok(40.0));
        let only: Vec<Axis> = vec!["cpu.speed=1,2".parse().expect("values")];
        assert_eq!(Cost::new(None, &only).expect("its value").of(&[2.0]).ok(), Some(2.0));
    }

    /// `max` and `sin` are operators of the parser.
    #[test]
    fn keys_may_begin_like_a_function() {
        let all = ["upstream.a.max_in_flight=1..9", "upstream.since.capacity=1..9"];
        let keys: Vec<Axis> = all.iter().map(|text| text.parse().expect("values")).collect();
        let of = |text: &str| {
            let cost = Cost::new(Some(text), &keys).unwrap_or_else(|problems| panic!("{problems}"));
            cost.of(&[4.0, 9.0]).ok()
        };
        assert_eq!(of("max_in_flight*0.5 + 10"), Some(12.0));
        assert_eq!(of("since.capacity + sqrt(max_in_flight)"), Some(11.0));
    }

    #[test]
    fn what_is_no_expression_of_the_keys_is_explained() {
        let told = |text: &str| cost(text, &[1.0, 1.0]).expect_err("it is wrong");
        assert!(told("workers + users").contains("`users` is no key that is chosen"));
        assert!(told("workers +").contains("is no expression"), "{}", told("workers +"));
        assert!(told("1/(workers - 1)").contains("is no number where"));
        let none = Cost::new(None, &keys()).map(|_| ()).expect_err("two keys").to_string();
        assert!(none.contains("--cost 'workers*1 + pool*0.01'"), "{none}");
    }
}
