//! A scenario as JSON, with its keys in the order in which they were sent, as the text of a TOML file.
//!
//! Each key has a line of its own, so that a problem in a line is one of a key.

use std::fmt;

use model::keys::{quote, quote_key};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

/// A value, its keys in order.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Json>),
    Table(Vec<(String, Json)>),
}

/// The text of a file, and which key is in which line.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pub(super) text: String,
    /// Pointers as RFC 6901 has them, one for each line.
    pointers: Vec<String>,
}

impl Lines {
    /// Writes the keys of a table. `null` is no value of a scenario, and is refused as one.
    pub(super) fn of(table: &[(String, Json)]) -> Lines {
        let mut lines = Lines::default();
        lines.table(table, "", "");
        lines
    }

    /// The key in a line, which is counted from 1.
    pub(super) fn pointer(&self, line: u32) -> &str {
        let index = (line as usize).saturating_sub(1);
        self.pointers.get(index).or(self.pointers.last()).map_or("", String::as_str)
    }

    fn push(&mut self, text: &str, pointer: &str) {
        self.text.push_str(text);
        self.text.push('\n');
        self.pointers.push(pointer.to_string());
    }

    fn table(&mut self, table: &[(String, Json)], above: &str, pointer: &str) {
        for (key, value) in table {
            let path = format!("{above}{}", quote_key(key));
            let pointer = format!("{pointer}/{}", escaped(key));
            match value {
                Json::Table(below) if !below.is_empty() => {
                    self.table(below, &format!("{path}."), &pointer);
                }
                Json::List(items) if items.iter().any(|item| matches!(item, Json::Table(_))) => {
                    self.push(&format!("{path} = ["), &pointer);
                    for (index, item) in items.iter().enumerate() {
                        self.push(&format!("{},", inline(item)), &format!("{pointer}/{index}"));
                    }
                    self.push("]", &pointer);
                }
                value => self.push(&format!("{path} = {}", inline(value)), &pointer),
            }
        }
    }
}

/// A name as a part of a pointer.
pub(super) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// A value on one line.
fn inline(value: &Json) -> String {
    match value {
        // TOML has no such value, and says so in its own words.
        Json::Null => "null".into(),
        Json::Bool(value) => value.to_string(),
        Json::Number(number) => number.to_string(),
        Json::Text(text) => quote(text),
        Json::List(items) => {
            let items: Vec<String> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Json::Table(table) => {
            let pair =
                |(key, value): &(String, Json)| format!("{} = {}", quote_key(key), inline(value));
            let pairs: Vec<String> = table.iter().map(pair).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Json, D::Error> {
        from.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Json;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Number::from_f64(value).map_or(Json::Null, Json::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_string()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut table = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            table.push(entry);
        }
        Ok(Json::Table(table))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(json: &str) -> Lines {
        match serde_json::from_str(json).expect("JSON") {
            Json::Table(table) => Lines::of(&table),
            other => panic!("no table: {other:?}"),
        }
    }

    #[test]
    fn each_key_has_a_line_in_the_order_in_which_it_was_sent() {
        let lines = lines(
            r#"{ "seed": 3, "load": { "users": 5, "duration": "2s" }, "costs": {},
                 "a/b": 1.5, "endpoint": [{ "name": "x\ny", "steps": [{ "cpu": "1ms" }] }] }"#,
        );
        let text = "seed = 3\nload.users = 5\nload.duration = \"2s\"\ncosts = {  }\n\"a/b\" = 1.5\n\
            endpoint = [\n{ name = \"x\\ny\", steps = [{ cpu = \"1ms\" }] },\n]\n";
        assert_eq!(lines.text, text);
        assert_eq!(lines.pointer(2), "/load/users");
        assert_eq!(lines.pointer(5), "/a~1b");
        assert_eq!(lines.pointer(7), "/endpoint/0");
        assert_eq!(lines.pointer(99), "/endpoint");
    }
}
