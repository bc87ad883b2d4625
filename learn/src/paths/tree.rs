//! The tree of all paths, with bounded memory.

use std::collections::HashMap;

use super::part::{Kind, looks_free};
use super::pattern::parts;

/// Fixed parts at one place before they count as values.
const FIXED_AT_MOST: usize = 1000;
/// So many words at one place are values.
const WORDS_ARE_VALUES: usize = 60;
/// So many parts at one place that look freely chosen are values.
const FREE_ARE_VALUES: usize = 12;
/// Places in the tree; paths that would need more are counted together.
const PLACES: usize = 100_000;
/// Parts of a path that are looked at.
const DEPTH: usize = 16;
/// A word among values keeps its place with this share of the requests there…
const WORD_SHARE: f64 = 0.05;
/// …and this many times the requests of the value in the middle.
const WORD_TIMES: u64 = 10;

/// A place in the tree.
#[derive(Debug, Default)]
struct Place {
    fixed: HashMap<Box<str>, usize>,
    varied: Vec<(Kind, usize)>,
    /// A part of a path that is in neither list is taken as a value, such as a name or a slug.
    values: bool,
    requests: u64,
    /// The lowest and the highest number that stood here.
    numbers: Option<[u64; 2]>,
    leaves: Vec<(u16, u32)>,
}

/// All paths that were seen.
#[derive(Debug)]
pub(super) struct Tree {
    places: Vec<Place>,
}

/// A leaf with its path as a template.
pub(super) struct Template {
    pub(super) leaf: u32,
    pub(super) path: String,
    /// The lowest and the highest number at each placeholder; none where others stood there too.
    pub(super) numbers: Vec<Option<[u64; 2]>>,
}

/// Makes a leaf for a method, or says that two have become one.
pub(super) trait Leaves {
    /// A new leaf.
    fn leaf(&mut self) -> u32;
    /// `gone` is now `kept`.
    fn join(&mut self, kept: u32, gone: u32);
}

impl Tree {
    pub(super) fn new() -> Tree {
        Tree { places: vec![Place::default()] }
    }

    /// The leaf of a request.
    pub(super) fn leaf(&mut self, method: u16, path: &str, leaves: &mut impl Leaves) -> u32 {
        let mut at = 0;
        self.places[0].requests += 1;
        for (depth, part) in parts(path).enumerate() {
            let last = depth + 1 == DEPTH;
            at = if last { self.varied(at, Kind::Rest) } else { self.child(at, part, leaves) };
            self.places[at].requests += 1;
            if last {
                break;
            }
        }
        let place = &mut self.places[at];
        if let Some((_, leaf)) = place.leaves.iter().find(|(of, _)| *of == method) {
            return *leaf;
        }
        let leaf = leaves.leaf();
        place.leaves.push((method, leaf));
        leaf
    }

    fn child(&mut self, at: usize, part: &str, leaves: &mut impl Leaves) -> usize {
        if let Some(kind) = Kind::of(part) {
            let number = (kind == Kind::Number).then(|| part.parse().unwrap_or(u64::MAX));
            let child = self.varied(at, kind);
            let numbers = &mut self.places[child].numbers;
            if let Some(number) = number {
                let [low, high] = numbers.unwrap_or([number; 2]);
                *numbers = Some([low.min(number), high.max(number)]);
            }
            return child;
        }
        if let Some(&child) = self.places[at].fixed.get(part) {
            return child;
        }
        if self.places[at].values || self.places.len() >= PLACES {
            return self.varied(at, Kind::Word);
        }
        if self.places[at].fixed.len() >= FIXED_AT_MOST {
            self.values_at(at, leaves);
            return self.varied(at, Kind::Word);
        }
        let child = self.grow();
        self.places[at].fixed.insert(part.into(), child);
        child
    }

    fn varied(&mut self, at: usize, kind: Kind) -> usize {
        if let Some((_, child)) = self.places[at].varied.iter().find(|(of, _)| *of == kind) {
            return *child;
        }
        // Beyond all bounds, paths end where they leave the tree.
        if self.places.len() >= 2 * PLACES {
            return at;
        }
        let child = self.grow();
        self.places[at].varied.push((kind, child));
        child
    }

    fn grow(&mut self) -> usize {
        self.places.push(Place::default());
        self.places.len() - 1
    }

    /// The fixed parts at a place become values, but for words that are asked for far more often.
    fn values_at(&mut self, at: usize, leaves: &mut impl Leaves) {
        self.places[at].values = true;
        let mut fixed: Vec<(Box<str>, usize)> = self.places[at].fixed.drain().collect();
        fixed.sort();
        let mut requests: Vec<u64> =
            fixed.iter().map(|(_, child)| self.places[*child].requests).collect();
        requests.sort_unstable();
        let middle = requests.get(requests.len() / 2).copied().unwrap_or(0);
        let all = self.places[at].requests as f64;
        for (part, child) in fixed {
            let own = self.places[child].requests;
            let often = own >= WORD_TIMES * middle && own as f64 >= WORD_SHARE * all;
            if often && !looks_free(&part) {
                self.places[at].fixed.insert(part, child);
            } else {
                let word = self.varied(at, Kind::Word);
                self.merge(word, child, leaves);
            }
        }
        self.rare_shapes(at, leaves);
    }

    /// Values that look like numbers by chance belong to the others.
    fn rare_shapes(&mut self, at: usize, leaves: &mut impl Leaves) {
        let word = self.varied(at, Kind::Word);
        let all = self.places[word].requests;
        let (rare, kept): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.places[at].varied).into_iter().partition(|(kind, child)| {
                !matches!(kind, Kind::Word | Kind::Rest | Kind::Named(_))
                    && self.places[*child].requests * 10 < all
            });
        self.places[at].varied = kept;
        for (_, child) in rare {
            self.merge(word, child, leaves);
        }
    }

    /// All that is below `gone` goes below `kept`.
    fn merge(&mut self, kept: usize, gone: usize, leaves: &mut impl Leaves) {
        if kept == gone {
            return;
        }
        let gone = std::mem::take(&mut self.places[gone]);
        let place = &mut self.places[kept];
        place.requests += gone.requests;
        place.numbers = None;
        for (method, leaf) in gone.leaves {
            match place.leaves.iter().find(|(of, _)| *of == method) {
                Some((_, own)) => leaves.join(*own, leaf),
                None => place.leaves.push((method, leaf)),
            }
        }
        for (kind, child) in gone.varied {
            match self.places[kept].varied.iter().find(|(of, _)| *of == kind) {
                Some((_, own)) => self.merge(*own, child, leaves),
                None => self.places[kept].varied.push((kind, child)),
            }
        }
        let mut fixed: Vec<(Box<str>, usize)> = gone.fixed.into_iter().collect();
        fixed.sort();
        for (part, child) in fixed {
            let own = self.places[kept].fixed.get(&part).copied();
            match own {
                Some(own) => self.merge(own, child, leaves),
                None if self.places[kept].values => {
                    let word = self.varied(kept, Kind::Word);
                    self.merge(word, child, leaves);
                }
                None => {
                    self.places[kept].fixed.insert(part, child);
                }
            }
        }
        if self.places[kept].fixed.len() > FIXED_AT_MOST {
            self.values_at(kept, leaves);
        }
    }

    /// Decides everywhere what is a value, and says what paths there are, in the order of their names.
    pub(super) fn settle(mut self, leaves: &mut impl Leaves) -> Vec<Template> {
        let mut found = Vec::new();
        self.settle_below(0, &mut String::new(), &mut Vec::new(), leaves, &mut found);
        found
    }

    fn settle_below(
        &mut self,
        at: usize,
        path: &mut String,
        numbers: &mut Vec<Option<[u64; 2]>>,
        leaves: &mut impl Leaves,
        found: &mut Vec<Template>,
    ) {
        let fixed = &self.places[at].fixed;
        let free = fixed.keys().filter(|part| looks_free(part)).count();
        if !self.places[at].values && (free > FREE_ARE_VALUES || fixed.len() > WORDS_ARE_VALUES) {
            self.values_at(at, leaves);
        }
        for &(_, leaf) in &self.places[at].leaves {
            let path = if path.is_empty() { "/".to_owned() } else { path.clone() };
            found.push(Template { leaf, path, numbers: numbers.clone() });
        }
        let length = path.len();
        let mut fixed: Vec<(Box<str>, usize)> = self.places[at].fixed.drain().collect();
        fixed.sort();
        for (part, child) in fixed {
            path.push('/');
            path.push_str(&part);
            self.settle_below(child, path, numbers, leaves, found);
            path.truncate(length);
        }
        let mut varied = std::mem::take(&mut self.places[at].varied);
        varied.sort();
        for (kind, child) in varied {
            path.push_str(&format!("/{{{}}}", kind.name()));
            numbers.push(self.places[child].numbers);
            self.settle_below(child, path, numbers, leaves, found);
            numbers.pop();
            path.truncate(length);
        }
    }
}
