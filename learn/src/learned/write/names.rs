//! Names as a scenario may have them, each once.

use std::collections::BTreeMap;

use super::Learned;

/// The names in the file of what was learned, by the names that it has there.
pub(super) struct Names {
    /// Two endpoints may have the same name: what tells them apart was left out.
    endpoints: Vec<String>,
    upstreams: BTreeMap<String, String>,
    queries: BTreeMap<String, (String, bool)>,
}

impl Names {
    pub(super) fn of(learned: &Learned) -> Names {
        let queries = learned.database.iter().flat_map(|database| &database.queries);
        let written: Vec<(&str, bool)> =
            queries.map(|query| (query.name.as_str(), query.writes)).collect();
        let queries = different(written.iter().map(|(name, _)| *name));
        let names: BTreeMap<&str, String> =
            written.iter().map(|(name, _)| *name).zip(queries).collect();
        let upstreams: Vec<&str> = learned.upstreams.iter().map(|one| one.name.as_str()).collect();
        Names {
            endpoints: different(learned.endpoints.iter().map(|one| one.name.as_str())),
            upstreams: upstreams
                .iter()
                .map(|name| name.to_string())
                .zip(different(upstreams.iter().copied()))
                .collect(),
            queries: written
                .iter()
                .map(|(name, writes)| (name.to_string(), (names[*name].clone(), *writes)))
                .collect(),
        }
    }

    /// The names of the endpoints, in their order.
    pub(super) fn endpoints(&self) -> &[String] {
        &self.endpoints
    }

    pub(super) fn upstream<'n>(&'n self, name: &'n str) -> &'n str {
        self.upstreams.get(name).map_or(name, String::as_str)
    }

    pub(super) fn query<'n>(&'n self, name: &'n str) -> &'n str {
        self.queries.get(name).map_or(name, |(name, _)| name)
    }

    /// The query of this name writes.
    pub(super) fn writes(&self, name: &str) -> bool {
        self.queries.get(name).is_some_and(|(_, writes)| *writes)
    }
}

/// Names that a file may have, no two the same, in the same order.
fn different<'n>(names: impl Iterator<Item = &'n str>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for name in names {
        let base = plain(name);
        let mut found = base.clone();
        let mut count = 2;
        while all.contains(&found) {
            found = format!("{base} ({count})");
            count += 1;
        }
        all.push(found);
    }
    all
}

/// A name on one line, of at most 90 characters, which leaves room for a number.
pub(super) fn plain(name: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let text: String = name.chars().map(plain).take(90).collect();
    let text = text.trim();
    if text.is_empty() { "unnamed".into() } else { text.to_string() }
}
