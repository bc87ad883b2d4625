//! From requests to endpoints, with a count and an example of each.

use std::collections::HashMap;

use super::pattern::Pattern;
use super::tree::{Leaves, Tree};

/// Endpoints with names of their own; more are counted together.
const NAMED: usize = 1000;
/// Methods that are told apart.
const METHODS: usize = 64;
/// Of what is longer, no example is kept.
const EXAMPLE: usize = 400;

/// All endpoints that were seen so far.
#[derive(Debug)]
pub struct Endpoints {
    given: Vec<(Pattern, HashMap<u16, u32>)>,
    tree: Tree,
    named: HashMap<Box<str>, u32>,
    methods: Vec<String>,
    leaves: Table,
}

/// The requests counted at each leaf.
#[derive(Debug, Default)]
struct Table(Vec<Leaf>);

#[derive(Debug, Default)]
struct Leaf {
    /// The leaf that it has become.
    became: Option<u32>,
    method: u16,
    requests: u64,
    not_found: u64,
    example: Box<str>,
}

impl Leaves for Table {
    fn leaf(&mut self) -> u32 {
        self.0.push(Leaf::default());
        (self.0.len() - 1) as u32
    }

    fn join(&mut self, kept: u32, gone: u32) {
        let (kept, gone) = (self.root(kept), self.root(gone));
        if kept == gone {
            return;
        }
        let other = std::mem::take(&mut self.0[gone as usize]);
        let leaf = &mut self.0[kept as usize];
        leaf.requests += other.requests;
        leaf.not_found += other.not_found;
        if leaf.example.is_empty() {
            leaf.example = other.example;
        }
        self.0[gone as usize].became = Some(kept);
    }
}

impl Table {
    fn root(&self, mut leaf: u32) -> u32 {
        while let Some(next) = self.0[leaf as usize].became {
            leaf = next;
        }
        leaf
    }
}

/// An endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// `GET /items/{id}`, or what the user or the records call it.
    pub name: String,
    /// The method in capitals; empty if it is not known.
    pub method: String,
    /// Requests.
    pub requests: u64,
    /// Of those, answered with 404.
    pub not_found: u64,
    /// A path of a request, with its query; empty if none was short enough.
    pub example: String,
    /// What to ask for: the example, with a range of numbers where numbers were seen. None if the
    /// path is not known.
    pub request: Option<String>,
}

/// The endpoints, and where each request belongs.
#[derive(Clone, Debug, Default)]
pub struct Settled {
    /// Most requests first.
    pub endpoints: Vec<Found>,
    /// Per leaf its place in `endpoints`.
    pub class: Vec<u32>,
}

impl Endpoints {
    /// None yet, but those that the user has `given`.
    pub fn new(given: Vec<Pattern>) -> Endpoints {
        Endpoints {
            given: given.into_iter().map(|pattern| (pattern, HashMap::new())).collect(),
            tree: Tree::new(),
            named: HashMap::new(),
            methods: Vec::new(),
            leaves: Table::default(),
        }
    }

    /// Counts a request to `target`, a path or a whole address with or without its query.
    pub fn path(&mut self, method: &str, target: &str, status: Option<u16>) -> u32 {
        let target = without_host(target);
        let path = target.split(['?', '#']).next().unwrap_or_default();
        let method = self.method(method);
        let name = &self.methods[usize::from(method)];
        let leaf = match self.given.iter_mut().find(|(pattern, _)| pattern.holds(name, path)) {
            Some((_, leaves)) => *leaves.entry(method).or_insert_with(|| self.leaves.leaf()),
            None => self.tree.leaf(method, path, &mut self.leaves),
        };
        self.count(leaf, method, target, status)
    }

    /// Counts a request to an endpoint whose name the records have: `list_items`.
    pub fn named(&mut self, method: &str, name: &str, target: &str, status: Option<u16>) -> u32 {
        let name = if self.named.len() < NAMED { name } else { "(other names)" };
        let leaf = match self.named.get(name) {
            Some(leaf) => *leaf,
            None => {
                let leaf = self.leaves.leaf();
                self.named.insert(name.into(), leaf);
                leaf
            }
        };
        let method = self.method(method);
        self.count(leaf, method, without_host(target), status)
    }

    fn count(&mut self, leaf: u32, method: u16, target: &str, status: Option<u16>) -> u32 {
        let root = self.leaves.root(leaf);
        let known = &mut self.leaves.0[root as usize];
        if known.requests == 0 && target.len() <= EXAMPLE {
            known.example = target.into();
        }
        known.method = method;
        known.requests += 1;
        known.not_found += u64::from(status == Some(404));
        leaf
    }

    fn method(&mut self, method: &str) -> u16 {
        let place = self.methods.iter().position(|known| known == method);
        let place = place.unwrap_or_else(|| {
            if self.methods.len() < METHODS {
                self.methods.push(method.to_owned());
            }
            self.methods.len() - 1
        });
        place as u16
    }

    /// Decides what the endpoints are.
    pub fn settle(self) -> Settled {
        let Endpoints { given, tree, named, methods, mut leaves } = self;
        let mut found: Vec<(u32, Found)> = Vec::new();
        let templates = tree.settle(&mut leaves);
        let endpoint = |leaf: u32, name: &dyn Fn(&str) -> String| {
            let leaf = &leaves.0[leaf as usize];
            let method = methods.get(usize::from(leaf.method)).cloned().unwrap_or_default();
            let example = leaf.example.to_string();
            let usable = !example.is_empty() && !example.contains(['{', '}', '<']);
            Found {
                name: name(&method),
                requests: leaf.requests,
                not_found: leaf.not_found,
                request: usable.then(|| example.clone()),
                example,
                method,
            }
        };
        for template in templates {
            let mut one = endpoint(template.leaf, &|method| join(method, &template.path));
            one.request =
                one.request.map(|request| ranged(&request, &template.path, &template.numbers));
            found.push((template.leaf, one));
        }
        for (pattern, by_method) in &given {
            for &leaf in by_method.values() {
                let name = |method: &str| match (&pattern.name, &pattern.method) {
                    (Some(name), Some(_)) => name.clone(),
                    (Some(name), None) => format!("{name} {method}"),
                    (None, _) => join(method, &pattern.path),
                };
                found.push((leaf, endpoint(leaf, &name)));
            }
        }
        for (name, leaf) in &named {
            found.push((*leaf, endpoint(*leaf, &|_| name.to_string())));
        }
        found.sort_by(|(_, a), (_, b)| b.requests.cmp(&a.requests).then(a.name.cmp(&b.name)));
        // Two leaves may have one name, as `/items/` is `/items`.
        let mut endpoints: Vec<Found> = Vec::new();
        let mut class = vec![0; leaves.0.len()];
        let mut place = HashMap::new();
        for (leaf, one) in found {
            let at = *place.entry(one.name.clone()).or_insert(endpoints.len());
            class[leaf as usize] = at as u32;
            match endpoints.get_mut(at) {
                Some(known) => {
                    known.requests += one.requests;
                    known.not_found += one.not_found;
                }
                None => endpoints.push(one),
            }
        }
        for leaf in 0..leaves.0.len() {
            class[leaf] = class[leaves.root(leaf as u32) as usize];
        }
        Settled { endpoints, class }
    }
}

impl Settled {
    /// At most `most` endpoints: requests of which all were answered with 404 are one endpoint, and so are
    /// those of the endpoints that are asked for least.
    pub fn at_most(self, most: usize) -> Settled {
        let missing = |found: &Found| found.requests == found.not_found && found.requests > 0;
        let real = self.endpoints.iter().filter(|found| !missing(found)).count();
        let rest = real.saturating_sub(most.max(2) - 1);
        let rest = if rest > 1 { rest } else { 0 };
        let mut endpoints: Vec<Found> = Vec::new();
        let mut other = [None, None];
        let mut place = Vec::new();
        let mut kept = 0;
        for found in self.endpoints {
            let group = if missing(&found) {
                Some((0, "(not found)"))
            } else if kept + rest >= real {
                Some((1, "(others)"))
            } else {
                kept += 1;
                None
            };
            let Some((group, name)) = group else {
                place.push(endpoints.len());
                endpoints.push(found);
                continue;
            };
            let at = *other[group].get_or_insert(endpoints.len());
            place.push(at);
            match endpoints.get_mut(at) {
                Some(known) => {
                    known.requests += found.requests;
                    known.not_found += found.not_found;
                }
                None => endpoints.push(Found { name: name.to_owned(), ..found }),
            }
        }
        let class = self.class.iter().map(|&class| place.get(class as usize).copied());
        let class = class.map(|class| class.unwrap_or(0) as u32).collect();
        Settled { endpoints, class }
    }
}

fn join(method: &str, path: &str) -> String {
    if method.is_empty() { path.to_owned() } else { format!("{method} {path}") }
}

/// The path and query of an address.
fn without_host(target: &str) -> &str {
    let Some((scheme, rest)) = target.split_once("://") else { return target };
    if scheme.contains(['/', '?']) {
        return target;
    }
    rest.find(['/', '?']).map_or("/", |start| &rest[start..])
}

/// The example with a range in the place of each number.
fn ranged(example: &str, template: &str, numbers: &[Option<[u64; 2]>]) -> String {
    let (path, query) = example.split_at(example.find(['?', '#']).unwrap_or(example.len()));
    let mut numbers = numbers.iter();
    let mut template = template.split('/').filter(|part| !part.is_empty());
    let parts = path.split('/').map(|part| {
        if part.is_empty() {
            return part.to_owned();
        }
        let placeholder = template.next().is_some_and(|part| part.starts_with('{'));
        match placeholder.then(|| numbers.next().copied().flatten()).flatten() {
            Some([low, high]) if low < high => format!("{{{low}..{high}}}"),
            _ => part.to_owned(),
        }
    });
    parts.collect::<Vec<_>>().join("/") + query
}
