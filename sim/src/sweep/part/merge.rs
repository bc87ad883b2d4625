//! From parts to the answer of one process.
//!
//! Parts are read twice: once to check all of them and to note where each point is, and once to write
//! the points in their order. So no more than a few numbers of a point are in memory.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;

use model::read::{Diagnostic, Diagnostics};
use model::sweep::Sweep;

use super::read::{self, Listener, Where, wrong};
use super::{Head, Job, Line, Numbered, Share};
use crate::sweep::words::Tally;
use crate::sweep::{self, MOST, Told};

/// Most files that are open at a time.
const OPEN: usize = 64;
/// Shards or points that are named where more are missing.
const NAMED: usize = 20;

/// Bytes that can be read from any place.
pub trait Source: Read + Seek {}

impl<T: Read + Seek> Source for T {}

/// A part that can be opened again and again.
pub trait Part {
    /// What it is called in messages.
    fn name(&self) -> String;

    /// Its bytes from the beginning.
    ///
    /// # Errors
    /// Those of the system.
    fn open(&self) -> io::Result<Box<dyn Source + '_>>;
}

impl Part for PathBuf {
    fn name(&self) -> String {
        self.display().to_string()
    }

    fn open(&self) -> io::Result<Box<dyn Source + '_>> {
        if !self.metadata()?.is_file() {
            return Err(io::Error::other("it is no file"));
        }
        Ok(Box::new(File::open(self)?))
    }
}

/// A part in memory, after its name.
impl Part for (String, Vec<u8>) {
    fn name(&self) -> String {
        self.0.clone()
    }

    fn open(&self) -> io::Result<Box<dyn Source + '_>> {
        Ok(Box::new(io::Cursor::new(&self.1[..])))
    }
}

/// Parts that make up a whole sweep.
pub struct Merged<'a, P> {
    parts: &'a [P],
    /// All but its points.
    sweep: Sweep,
    places: Vec<Place>,
    open: RefCell<Open<'a>>,
}

/// Where a point is; of length 0 if it is nowhere.
#[derive(Clone, Copy, Default)]
struct Place {
    offset: u64,
    length: u32,
    part: u32,
}

/// Files that are open: the ones opened first are closed first.
#[derive(Default)]
struct Open<'a> {
    files: BTreeMap<u32, Box<dyn Source + 'a>>,
    order: VecDeque<u32>,
}

impl<'a, P: Part> Merged<'a, P> {
    /// Reads and checks all parts.
    ///
    /// # Errors
    /// One is no part, of another build or of another sweep; two do not agree; or a point is in none.
    pub fn of(parts: &'a [P]) -> Result<Merged<'a, P>, Diagnostics> {
        let mut found = Found {
            parts,
            job: None,
            splits: Vec::new(),
            places: Vec::new(),
            tally: Tally::default(),
            open: Open::default(),
        };
        for index in 0..parts.len() {
            found.add(index as u32)?;
        }
        let Some((job, _)) = found.job else {
            return Err(Diagnostic::of_file(
                "sim merge",
                "there is no part to merge",
                "the parts of a sweep",
                "name their files, or the folder that has them",
            )
            .into());
        };
        complete(&job, &found.places, &found.splits)?;
        let sweep = sweep::document(&job, found.tally);
        Ok(Merged { parts, sweep, places: found.places, open: RefCell::new(found.open) })
    }

    /// The answer, without its points.
    pub fn sweep(&self) -> &Sweep {
        &self.sweep
    }

    /// How many points there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// There is no point.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The points in order, each read when it is asked for.
    pub fn points(&self) -> impl Iterator<Item = Told<'_>> {
        self.places.iter().map(|place| {
            let bytes = self.open.borrow_mut().read(self.parts, *place)?;
            match serde_json::from_slice(&bytes) {
                Ok(Line::Point(one)) => Ok(Cow::Owned(one.point)),
                _ => {
                    Err(format!("{} has changed meanwhile", self.parts[place.part as usize].name()))
                }
            }
        })
    }
}

/// What is known of the parts that were read so far.
struct Found<'a, P> {
    parts: &'a [P],
    /// The sweep, and the part that said so first.
    job: Option<(Job, String)>,
    /// Into how many shards it was split, by any part.
    splits: Vec<u64>,
    places: Vec<Place>,
    tally: Tally,
    open: Open<'a>,
}

impl<'a, P: Part> Found<'a, P> {
    fn add(&mut self, part: u32) -> Result<(), Diagnostics> {
        let of: &'a P = &self.parts[part as usize];
        let name = of.name();
        let cannot = |error: io::Error| wrong(&name, None, format!("cannot be read: {error}"));
        let from = of.open().map_err(cannot)?;
        read::read(&name, from, &mut Adding { found: self, part, name: &name })
    }
}

/// A part that is being read.
struct Adding<'f, 'a, P> {
    found: &'f mut Found<'a, P>,
    part: u32,
    name: &'f str,
}

impl<P: Part> Listener for Adding<'_, '_, P> {
    fn head(&mut self, head: Head) -> Result<(), Diagnostics> {
        let Found { job, splits, places, tally, .. } = &mut *self.found;
        let points = same_sweep(self.name, head, job, splits)?;
        places.resize(points, Place::default());
        tally.expect(points);
        Ok(())
    }

    fn point(&mut self, at: Where, numbered: &Numbered) -> Result<(), Diagnostics> {
        let Found { parts, places, tally, open, .. } = &mut *self.found;
        let index = usize::try_from(numbered.index).unwrap_or(usize::MAX);
        let Some(place) = places.get_mut(index) else {
            let found = format!("has a point {index}, which is beyond the last");
            return Err(wrong(self.name, Some(at.line), found));
        };
        let here = Place { offset: at.offset, length: at.length, part: self.part };
        if place.length == 0 {
            *place = here;
            tally.add(index, &numbered.point);
            return Ok(());
        }
        agree(parts, open, *place, here, at, self.name)
    }
}

/// Takes the sweep from the first head; all others have to be of the same. How many points it has.
fn same_sweep(
    name: &str,
    head: Head,
    job: &mut Option<(Job, String)>,
    splits: &mut Vec<u64>,
) -> Result<usize, Diagnostics> {
    if !splits.contains(&head.shard.of) {
        splits.push(head.shard.of);
    }
    let points = head.job.points();
    match job {
        Some((first, _)) if *first == head.job => Ok(points),
        Some((first, other)) => {
            let difference = first.difference(&head.job).unwrap_or_default();
            Err(Diagnostic::of_file(
                name,
                format!("is of another sweep than {other}: {difference}"),
                "parts of one sweep",
                "leave it out, or merge it with its own parts",
            )
            .into())
        }
        None if points > MOST => {
            Err(wrong(name, Some(1), format!("is of a sweep of {points} points; at most {MOST}")))
        }
        None => {
            *job = Some((head.job, name.to_string()));
            Ok(points)
        }
    }
}

/// A point that is there twice counts once, if both say the same.
fn agree<'a, P: Part>(
    parts: &'a [P],
    open: &mut Open<'a>,
    one: Place,
    two: Place,
    at: Where,
    name: &str,
) -> Result<(), Diagnostics> {
    let other = parts[one.part as usize].name();
    let unreadable = |why: String| wrong(name, Some(at.line), why);
    let first = open.read(parts, one).map_err(unreadable)?;
    let second = open.read(parts, two).map_err(unreadable)?;
    if first == second {
        return Ok(());
    }
    Err(Diagnostic {
        line: Some(at.line),
        column: Some(1),
        ..Diagnostic::of_file(
            name,
            format!("has another answer at a point than {other}"),
            "one answer at each point",
            "compute both shards again: one of them was changed",
        )
    }
    .into())
}

/// Refuses a sweep of which points are in no part.
fn complete(job: &Job, places: &[Place], splits: &[u64]) -> Result<(), Diagnostics> {
    let missing: Vec<usize> =
        (0..places.len()).filter(|index| places[*index].length == 0).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let (found, advice) = match splits {
        // With one split, whole shards are missing.
        [of] => {
            let mut shards: Vec<Share> =
                missing.iter().map(|index| Share::of_point(*index, *of)).collect();
            shards.sort_unstable();
            shards.dedup();
            let first = shards[0];
            let names = named(shards.iter().map(ToString::to_string));
            let word = if shards.len() == 1 { "shard" } else { "shards" };
            let is = if shards.len() == 1 { "is" } else { "are" };
            let advice = format!("run the same sweep with --shard {first}");
            (format!("{word} {names} {is} missing"), advice)
        }
        _ => {
            let names = named(missing.iter().map(|index| job.name(*index)));
            let advice = "run the shards that have them".to_string();
            (format!("{} points are missing: {names}", missing.len()), advice)
        }
    };
    Err(Diagnostic::of_file("sim merge", found, "parts that have every point", advice).into())
}

/// The first names of many.
fn named(names: impl ExactSizeIterator<Item = String>) -> String {
    let all = names.len();
    let mut text = names.take(NAMED).collect::<Vec<_>>().join(", ");
    if all > NAMED {
        text += &format!(" and {} more", all - NAMED);
    }
    text
}

impl<'a> Open<'a> {
    /// The line at a place.
    fn read<P: Part>(&mut self, parts: &'a [P], place: Place) -> Result<Vec<u8>, String> {
        let of = &parts[place.part as usize];
        let failed = |error: io::Error| format!("cannot read {}: {error}", of.name());
        if !self.files.contains_key(&place.part) {
            if self.order.len() == OPEN
                && let Some(first) = self.order.pop_front()
            {
                self.files.remove(&first);
            }
            self.files.insert(place.part, of.open().map_err(failed)?);
            self.order.push_back(place.part);
        }
        let mut bytes = vec![0; place.length as usize];
        if let Some(file) = self.files.get_mut(&place.part) {
            file.seek(SeekFrom::Start(place.offset)).map_err(failed)?;
            file.read_exact(&mut bytes).map_err(failed)?;
        }
        Ok(bytes)
    }
}
