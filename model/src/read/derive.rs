//! Defaults that follow from other keys.

use super::value::{Checked, Field, Fields, Origin, Typed};
use crate::scenario::base_slice;
use crate::units::Span;

/// Fills in what the table of keys calls derived.
pub(crate) fn derive(root: &mut Fields) {
    if let Some(service) = root.table_mut("service")
        && !service.has("keep_alive")
        && let Some(server) = service.word("server")
    {
        let value = match server {
            "uvicorn" => Typed::Span(Span::from_secs(5)),
            "gunicorn" => Typed::Span(Span::from_secs(2)),
            _ => Typed::Word("never"),
        };
        service.put_behind("backlog", "keep_alive", value);
    }
    if let Some(service) = root.table_mut("service")
        && !service.has("event_loop")
        && let Some(server) = service.word("server")
    {
        let event_loop = if server == "axum" { "tokio" } else { "uvloop" };
        service.put_behind("spread", "event_loop", Typed::Word(event_loop));
    }
    if let Some(cpu) = root.table_mut("cpu")
        && !cpu.has("slice")
        && let Some(cores) = cpu.count("cores")
    {
        cpu.put_behind("speed", "slice", Typed::Span(base_slice(cores)));
    }
    if let Some(costs) = root.table_mut("costs") {
        if !costs.has("name") {
            costs.put_behind("", "name", Typed::Text("inline".into()));
        }
        if let Some(cpu) = costs.table_mut("cpu") {
            inherit(cpu);
        }
        if let Some(cache) = costs.table_mut("cache") {
            inherit(cache);
        }
    }
}

/// A concurrency model costs what its table says, and else what the table around it says.
fn inherit(costs: &mut Fields) {
    // When caches lose what they have is no cost of a model.
    let is_cost = |field: &&Field| {
        let key = field.key.as_ref();
        !matches!(field.value.value, Typed::Table(_)) && !["decay", "shape"].contains(&key)
    };
    let shared: Vec<Field> = costs.fields.iter().filter(is_cost).cloned().collect();
    for model in ["blocking", "threadpool", "async"] {
        let Some(table) = costs.table_mut(model) else { continue };
        for field in &shared {
            if !table.has(&field.key) {
                let value = Checked { origin: Origin::Implied, ..field.value.clone() };
                table.fields.push(Field { key: field.key.clone(), value });
            }
        }
    }
}
