//! A scenario and all that led to it.

use std::sync::Arc;

use super::check::check;
use super::child;
use super::controls::{self, Control};
use super::derive::{client, client_of_database, derive};
use super::diagnostic::{Diagnostic, Diagnostics, Problem, Problems};
use super::extends::{Layer, merge_layers};
use super::files::{Files, parent, stem};
use super::item::{find, parts};
use super::learned::Known;
use super::set::{Setting, split};
use super::source::Sources;
use super::tree::Table;
use super::{learned, print, rules};
use crate::digest::Digest;
use crate::keys::{Fields, KeyKind, Origin, Position, Typed, names};
use crate::objective::Objective;
use crate::scenario::{Filled, Scenario};

/// A scenario, complete and checked, with the keys that it came from.
///
/// It can be asked for any key, printed as one file, and changed key by key.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The scenario itself.
    pub scenario: Scenario,
    /// Keys as written, files and `--set` merged.
    tree: Table,
    at: Position,
    /// Keys as checked, defaults filled in.
    pub(crate) fields: Fields,
    sources: Sources,
    files: Arc<dyn Files>,
    chain: Vec<String>,
    /// Which keys of the files a `--set` took away, in sentences.
    replaced: Vec<String>,
}

/// Resolves the last of `layers` with `sets` over it.
pub(crate) fn resolve(
    layers: &[Layer],
    sets: &[String],
    files: &Arc<dyn Files>,
    sources: &mut Sources,
    problems: &mut Problems,
    complete: bool,
) -> Option<Resolved> {
    let leaf = layers.last()?;
    let mut tree = merge_layers(layers);
    let directories = directories(&leaf.path);
    let mut setting = Setting { files: &**files, directories: &directories, sources, problems };
    let mut replaced = Vec::new();
    learned::keep(&mut tree, |tree| {
        for set in sets {
            if let Some((key, value)) = split(set, &mut setting) {
                replaced.extend(replacement(tree, &key));
                setting.set(tree, &key, &value);
            }
        }
    });
    let (fields, scenario) = read(&tree, leaf.at, stem(&leaf.path), !complete, problems)?;
    Some(Resolved {
        scenario,
        tree,
        at: leaf.at,
        fields,
        sources: sources.clone(),
        files: files.clone(),
        chain: layers.iter().map(|layer| layer.path.clone()).collect(),
        replaced,
    })
}

/// What setting `key` takes away from `tree`: another key that a file may not have beside it.
fn replacement(tree: &Table, key: &str) -> Option<String> {
    let names = names(key)?;
    let (last, above) = names.split_last()?;
    let (mut table, mut section) = (tree, crate::scenario::keys());
    for name in above {
        let KeyKind::Table(below) = section.key(name)?.kind else { return None };
        section = below();
        table = table.get(name)?.node.table()?;
    }
    let group = section.one_of.iter().find(|group| group.contains(&last.as_str()))?;
    let other = group.iter().find(|other| **other != last.as_str() && table.has(other))?;
    let above = above.join(".");
    Some(format!(
        "`--set {key}` replaces `{above}.{other}` of the file, and what stands there for it alone"
    ))
}

/// A path given to `--set` is meant from where the user is, or else from the scenario.
fn directories(path: &str) -> [String; 2] {
    [String::new(), parent(path).to_string()]
}

fn read(
    tree: &Table,
    at: Position,
    name: &str,
    partial: bool,
    problems: &mut Problems,
) -> Option<(Fields, Scenario)> {
    let mut fields = check(tree, at, partial, problems);
    if partial {
        return None;
    }
    derive(&mut fields);
    let scenario = rules::scenario(name, &fields, problems);
    if scenario.is_none() && problems.is_empty() {
        // A bug, but the user still deserves an answer rather than a panic.
        problems.push(Problem::new(at, "the scenario cannot be built, and rung cannot say why"));
    }
    Some((fields, scenario?)).filter(|_| problems.is_empty())
}

impl Resolved {
    /// The scenario with some keys changed, as by `--set`: `("service.workers", "4")`.
    ///
    /// Reads no file, unless a key names another cost profile.
    ///
    /// # Errors
    /// Every problem that the changes bring.
    pub fn with(&self, sets: &[(String, String)]) -> Result<Scenario, Diagnostics> {
        self.changed(sets).map(|changed| changed.scenario)
    }

    /// The same with all that led to it. Objectives stay, those of the command line too.
    ///
    /// # Errors
    /// Every problem that the changes bring.
    pub fn changed(&self, sets: &[(String, String)]) -> Result<Resolved, Diagnostics> {
        let mut problems = Problems::default();
        let mut sources = self.sources.clone();
        let mut tree = self.tree.clone();
        let directories = directories(self.path());
        let mut setting = Setting {
            files: &*self.files,
            directories: &directories,
            sources: &mut sources,
            problems: &mut problems,
        };
        learned::keep(&mut tree, |tree| {
            for (key, value) in sets {
                setting.set(tree, key, value);
            }
        });
        let read = read(&tree, self.at, stem(self.path()), false, &mut problems);
        let Some((fields, mut scenario)) = read else { return Err(problems.finish(&sources)) };
        scenario.objectives.clone_from(&self.scenario.objectives);
        Ok(Resolved { scenario, tree, fields, sources, ..self.clone() })
    }

    /// The value of a key as text, defaults included: `service.workers`,
    /// `upstream.partner.latency.p50`, `endpoint.quote.steps[0].cpu`.
    ///
    /// A limit that is not set is `none` or `never`. None if there is no such key.
    pub fn get(&self, key: &str) -> Option<String> {
        find(&self.fields, &parts(key)?).map(|found| found.plain())
    }

    /// Where numbers of the scenario come from, in the order of the file.
    pub fn known(&self) -> Vec<Known> {
        learned::known(&self.scenario.learned, &self.fields)
    }

    /// True if the user has set `key`, in a file or with `--set`: it is no default.
    pub fn is_written(&self, key: &str) -> bool {
        let names = names(key).unwrap_or_default();
        let Some((last, tables)) = names.split_last() else { return false };
        let mut tables = tables.iter();
        let table = tables.try_fold(&self.fields, |fields, name| fields.table(name));
        let value = table.and_then(|table| table.get(last));
        value.is_some_and(|value| value.origin == Origin::Written)
    }

    /// Notes on values that are allowed but probably a mistake, in whole sentences.
    pub fn notes(&self) -> Vec<String> {
        let queries = self.fields.table("costs").and_then(|costs| costs.table("query"));
        let own = |name: &str| {
            let cost = queries.and_then(|queries| queries.get(name));
            cost.is_some_and(|cost| {
                let (file, _) = self.sources.locate(cost.at);
                cost.at.offset == Position::SET || self.chain.contains(&file)
            })
        };
        let mut notes = self.replaced.clone();
        notes.extend(super::notes::unusual(&self.fields));
        notes.extend(super::notes::notes(&self.scenario, own));
        if !self.is_written("database.hold") {
            notes.extend(super::notes::session(&self.scenario));
        }
        notes
    }

    /// What the clients of the database and of upstreams give the keys that are not written.
    pub fn filled_in(&self) -> Vec<Filled> {
        let mut all = self.filled_in_for_the_database().unwrap_or_default();
        let Some(named) = self.fields.table("upstream") else { return all };
        for field in &named.fields {
            let Typed::Table(upstream) = &field.value.value else { continue };
            let Some(client) = client(upstream) else { continue };
            for (key, _) in client.defaults() {
                let Some(checked) = upstream.get(key) else { continue };
                if checked.origin != Origin::Written {
                    all.push(Filled {
                        key: crate::keys::path(&["upstream", &field.key, key]),
                        value: checked.value.plain(),
                        from: client.library(),
                    });
                }
            }
        }
        all
    }

    fn filled_in_for_the_database(&self) -> Option<Vec<Filled>> {
        let database = self.fields.table("database")?;
        let client = client_of_database(database)?;
        let mut all = Vec::new();
        let mut add = |table: &Fields, path: &[&str], key: &'static str| {
            let Some(checked) = table.get(key) else { return };
            if checked.origin != Origin::Written {
                all.push(Filled {
                    key: crate::keys::path(&[path, &[key]].concat()),
                    value: checked.value.plain(),
                    from: client.library(),
                });
            }
        };
        client.server_defaults().iter().for_each(|(key, _)| add(database, &["database"], key));
        if let Some(pool) = database.table("connections") {
            let path = ["database", "connections"];
            client.pool_defaults().iter().for_each(|(key, _)| add(pool, &path, key));
        }
        Some(all)
    }

    /// Every key that a page can offer to be changed.
    pub fn controls(&self) -> Vec<Control> {
        controls::controls(&self.fields)
    }

    /// The text of a file that extends the file at `parent` and gives each of `keys` the value that it
    /// has here. None if one of them is no key of the scenario.
    pub fn child(&self, parent: &str, keys: &[String]) -> Option<String> {
        child::child(&self.fields, parent, keys)
    }

    /// Every file that was read for the scenario: its path and its text.
    pub fn texts(&self) -> Vec<(String, String)> {
        self.sources.texts()
    }

    /// The scenario as one file: every default filled in, the cost profile inside it.
    pub fn to_toml(&self) -> String {
        print::to_toml(&self.fields)
    }

    /// The scenario as the file `name`, and recorded arrivals as files beside it: names and texts.
    pub fn to_files(&self, name: &str) -> Vec<(String, String)> {
        let (scenario, mut files) = print::to_files(&self.fields);
        files.push((name.to_string(), scenario));
        files
    }

    /// The scenario for a service under its load, which needs to know no recorded arrivals.
    pub fn to_service_toml(&self) -> String {
        print::to_service_toml(&self.fields)
    }

    /// A fingerprint of the resolved scenario, its costs included: equal inputs have equal
    /// digests.
    pub fn digest(&self) -> String {
        let mut digest = Digest::new();
        digest.add(self.to_toml().as_bytes());
        digest.hex()
    }

    /// A problem with the value of `key` that only a program knows which runs the scenario:
    /// it is reported where the key is written, or else where the scenario begins.
    pub fn refusal(&self, key: &str, found: &str, allowed: &str, advice: &str) -> Diagnostic {
        let names = names(key).unwrap_or_default();
        let at = position_of(&self.fields, &names).unwrap_or(self.at);
        let mut problems = Problems::default();
        problems.push(Problem::new(at, found).allowed(allowed).advice(advice));
        problems.finish(&self.sources).diagnostics.remove(0)
    }

    /// File and line where `objective` is written, given as it is printed; none if no file has it.
    pub fn line_of_objective(&self, objective: &str) -> Option<(String, u32)> {
        let is_it = |entry: &&Fields| {
            let read = entry.text("keep").and_then(|text| text.parse::<Objective>().ok());
            read.is_some_and(|one| one.to_string() == objective)
        };
        let entry = self.fields.list("objective")?.iter().find(is_it)?;
        let (file, place) = self.sources.locate(entry.position("keep"));
        place.map(|(line, _)| (file, line))
    }

    /// The files of the chain, root first; the scenario's own is the last.
    pub fn chain(&self) -> &[String] {
        &self.chain
    }

    /// The scenario's own file.
    pub fn path(&self) -> &str {
        self.chain.last().map_or("", String::as_str)
    }
}

/// Where the key, or the nearest table around it, is written.
fn position_of(fields: &Fields, names: &[String]) -> Option<Position> {
    let (first, rest) = names.split_first()?;
    let checked = fields.get(first)?;
    let below = match &checked.value {
        Typed::Table(below) if !rest.is_empty() => position_of(below, rest),
        _ => None,
    };
    below.or((checked.origin == Origin::Written).then_some(checked.at))
}
