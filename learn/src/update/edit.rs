//! A scenario file whose values change, and whose comments and order stay.

use model::Quantity;
use model::read::{Part, key_parts};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, Value};

/// A file that is being changed.
pub(super) struct Edit(DocumentMut);

/// What the entry `[[learned]]` of a key is to say.
pub(super) struct Entry<'e> {
    pub(super) low: Option<String>,
    pub(super) high: Option<String>,
    pub(super) origin: &'e str,
    pub(super) how: &'e str,
    pub(super) better: Option<&'e str>,
}

impl Edit {
    /// None if the text is no TOML.
    pub(super) fn new(text: &str) -> Option<Edit> {
        text.parse().ok().map(Edit)
    }

    /// The whole text.
    pub(super) fn text(&self) -> String {
        self.0.to_string()
    }

    /// True if both the value of the key and its entry stand in this file.
    pub(super) fn has(&mut self, key: &str) -> bool {
        let Some(parts) = key_parts(key) else { return false };
        in_table(self.0.as_table_mut(), &parts).is_some() && self.entry(&parts).is_some()
    }

    /// Writes a value and what is known of it.
    pub(super) fn write(&mut self, key: &str, value: Quantity, entry: &Entry<'_>) -> Option<()> {
        let parts = key_parts(key)?;
        let place = in_table(self.0.as_table_mut(), &parts)?;
        put(place, number(value));
        if entry.origin != "assumed" {
            no_longer_assumed(place);
        }
        let table = self.entry(&parts)?;
        let mut text = |name: &str, text: Option<&str>| match text {
            Some(text) => match table.get_mut(name).and_then(Item::as_value_mut) {
                Some(value) => put(value, Value::from(text)),
                None => {
                    table.insert(name, Item::Value(Value::from(text)));
                }
            },
            None => {
                table.remove(name);
            }
        };
        text("low", entry.low.as_deref());
        text("high", entry.high.as_deref());
        text("origin", Some(entry.origin));
        text("how", Some(entry.how));
        text("better", entry.better);
        Some(())
    }

    fn entry(&mut self, parts: &[Part]) -> Option<&mut Table> {
        let list: &mut ArrayOfTables = self.0.get_mut("learned")?.as_array_of_tables_mut()?;
        list.iter_mut().find(|table| {
            let key = table.get("key").and_then(Item::as_str);
            key.and_then(key_parts).is_some_and(|found| found == parts)
        })
    }
}

/// A number as a file has it.
fn number(value: Quantity) -> Value {
    match value {
        Quantity::Integer(integer) => Value::from(i64::try_from(integer).unwrap_or(i64::MAX)),
        Quantity::Number(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
            Value::from(number as i64)
        }
        Quantity::Number(number) => Value::from(number),
        other => Value::from(other.to_string()),
    }
}

/// Replaces a value; the blanks and the comment around it stay.
fn put(place: &mut Value, value: Value) {
    let decor = place.decor().clone();
    *place = value;
    *place.decor_mut() = decor;
}

/// Takes the remark away that the value is assumed.
fn no_longer_assumed(value: &mut Value) {
    let suffix = value.decor().suffix().and_then(|suffix| suffix.as_str()).unwrap_or_default();
    if suffix.trim() == "# assumed" {
        value.decor_mut().set_suffix("");
    }
}

fn in_table<'t>(table: &'t mut Table, parts: &[Part]) -> Option<&'t mut Value> {
    match parts.split_first()? {
        (Part::Name(name), rest) => in_item(table.get_mut(name)?, rest),
        (Part::Index(_), _) => None,
    }
}

fn in_item<'t>(item: &'t mut Item, parts: &[Part]) -> Option<&'t mut Value> {
    match item {
        Item::None => None,
        Item::Value(value) => in_value(value, parts),
        Item::Table(table) => in_table(table, parts),
        Item::ArrayOfTables(list) => {
            let (first, rest) = parts.split_first()?;
            let table = match first {
                Part::Index(index) => list.get_mut(*index)?,
                Part::Name(name) => list
                    .iter_mut()
                    .find(|table| table.get("name").and_then(Item::as_str) == Some(name))?,
            };
            in_table(table, rest)
        }
    }
}

fn in_value<'t>(value: &'t mut Value, parts: &[Part]) -> Option<&'t mut Value> {
    let Some((first, rest)) = parts.split_first() else { return Some(value) };
    match (value, first) {
        (Value::InlineTable(table), Part::Name(name)) => in_value(table.get_mut(name)?, rest),
        (Value::Array(array), Part::Index(index)) => in_value(array.get_mut(*index)?, rest),
        (Value::Array(array), Part::Name(name)) => {
            let named = |value: &&mut Value| {
                let table = value.as_inline_table();
                table.and_then(|table| table.get("name")).and_then(Value::as_str) == Some(name)
            };
            in_value(array.iter_mut().find(named)?, rest)
        }
        _ => None,
    }
}
