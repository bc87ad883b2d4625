//! Several loads at once: their names, what they call, and what only the whole load may say.

use std::collections::BTreeMap;

use super::load::check_source;
use crate::keys::{Fields, path, read_field};
use crate::read::diagnostic::{Problem, Problems, brief, did_you_mean};
use crate::stream::lanes_of_group;

/// Most groups: more of them would make it likely that two have draws in common.
const MOST_GROUPS: usize = 100;

/// Checks the groups of `load`.
pub(super) fn check(root: &Fields, load: &Fields, groups: &[Fields], problems: &mut Problems) {
    if load.has("stages") {
        problems.push(
            Problem::new(load.position("stages"), "`load.stages` beside `load.group`")
                .allowed("`stages` in a group, and `duration` in `load` for all of them")
                .advice("write the stages into the groups that they are meant for"),
        );
    }
    if groups.is_empty() || groups.len() > MOST_GROUPS {
        let found = format!("`load.group` has {} entries", groups.len());
        problems.push(
            Problem::new(load.position("group"), found)
                .allowed(format!("1 to {MOST_GROUPS} groups"))
                .advice("without groups write `users` or `rate` into `load` itself"),
        );
    }
    let mut seen: BTreeMap<u64, &str> = BTreeMap::new();
    for group in groups {
        let Some(name) = group.text("name") else { continue };
        check_source(group, &path(&["load", "group", name]), problems);
        mix(root, group, name, problems);
        match seen.insert(lanes_of_group(name), name) {
            Some(other) if other == name => problems.push(
                Problem::new(group.position("name"), format!("a second group `{name}`"))
                    .allowed("one group of each name")
                    .advice("rename one of them, or join them"),
            ),
            Some(other) => problems.push(
                Problem::new(
                    group.position("name"),
                    format!("the groups `{name}` and `{other}` would draw the same numbers"),
                )
                .allowed("names with draws of their own")
                .advice("rename one of them, by any letter"),
            ),
            None => {}
        }
    }
}

/// The shares of a group's requests.
fn mix(root: &Fields, group: &Fields, name: &str, problems: &mut Problems) {
    let Some(shares) = group.list("mix") else { return };
    let endpoints: Vec<&str> = root
        .list("endpoint")
        .unwrap_or_default()
        .iter()
        .filter_map(|endpoint| endpoint.text("name"))
        .collect();
    for share in shares {
        let Some(endpoint) = share.text("endpoint") else { continue };
        if !endpoints.contains(&endpoint) {
            let found = format!("the group `{name}` calls `{}`", brief(endpoint));
            problems.push(
                Problem::new(share.position("endpoint"), found)
                    .allowed("the names of endpoints of this scenario")
                    .maybe_advice(did_you_mean(endpoint, endpoints.iter().copied())),
            );
        }
    }
    let weights: Option<Vec<f64>> =
        shares.iter().map(|share| read_field(share, "weight", &[])).collect();
    if weights.is_some_and(|weights| weights.iter().all(|&weight| weight == 0.0)) {
        problems.push(
            Problem::new(group.position("mix"), format!("the mix of the group `{name}` sums to 0"))
                .allowed("at least one endpoint with a weight above 0")
                .advice("leave `mix` out for all endpoints by their own weights"),
        );
    }
}
