//! The order in which the requests of one endpoint do things, as far as they agree.
//!
//! Operations that overlap are one stage. Stages that follow each other again and again, such as a
//! query for each row of another, are one block that is repeated. Requests that differ are laid
//! side by side by their longest common subsequence.

use std::collections::{BTreeMap, BTreeSet};

use super::requests::{Asked, Operation, Request};

/// A block of more stages is not looked for.
const LONGEST_BLOCK: usize = 4;
/// Times of Jaeger are whole microseconds: less is no overlap.
const OVERLAP: u64 = 1000;
/// More kinds of requests of one endpoint are not laid side by side.
const KINDS: usize = 200;

/// What the requests of an endpoint do, in order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shape {
    /// The blocks in order.
    pub(super) blocks: Vec<Block>,
    /// Of each request, the seconds that nothing covers after the last block.
    pub(super) rest: Vec<f64>,
    /// Requests that fit in with no others, and are not in here.
    pub(super) left_out: usize,
    /// Branches of one stage that asked several times, which are written in rounds.
    pub(super) rounds: bool,
}

/// Stages that are repeated together.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Block {
    /// Groups of calls and queries that run at the same time, one group after another.
    pub(super) stages: Vec<Stage>,
    /// Of each request, how often it comes; 0 where it does not.
    pub(super) times: Vec<usize>,
    /// Of each request, the seconds that nothing covers before and in it.
    pub(super) gaps: Vec<f64>,
}

impl Block {
    /// Which share of the requests has it.
    pub(super) fn share(&self) -> f64 {
        let present = self.times.iter().filter(|times| **times > 0).count();
        present as f64 / self.times.len() as f64
    }
}

/// Calls and queries that run at the same time: the mean number of each.
pub(super) type Stage = BTreeMap<Asked, f64>;

/// A stage of one request.
struct Unit<'a> {
    operations: Vec<&'a Operation>,
    /// Nanoseconds since 1970.
    start: u64,
    end: u64,
}

/// A block of one request: which one, how often, and its stages.
struct Piece {
    block: Vec<usize>,
    times: usize,
    from: usize,
}

impl Shape {
    /// What these requests, of one endpoint, do in order.
    pub(super) fn of(requests: &[&Request]) -> Shape {
        let mut rounds = false;
        let units: Vec<Vec<Unit<'_>>> =
            requests.iter().map(|request| units(request, &mut rounds)).collect();
        let letters = Letters::of(&units);
        let words: Vec<Vec<usize>> = units
            .iter()
            .map(|units| units.iter().map(|unit| letters.letter(unit)).collect())
            .collect();
        let known = repeated(&words);
        let pieces: Vec<Vec<Piece>> = words.iter().map(|word| parse(word, &known)).collect();
        let columns = columns(&pieces);
        let mut shape = Shape {
            blocks: columns.iter().map(|_| Block::empty()).collect(),
            rest: Vec::new(),
            left_out: 0,
            rounds,
        };
        let mut widths: Vec<Vec<BTreeMap<Asked, (f64, f64)>>> =
            columns.iter().map(|block| vec![BTreeMap::new(); block.len()]).collect();
        for ((request, units), pieces) in requests.iter().zip(&units).zip(&pieces) {
            match places(pieces, &columns) {
                Some(places) => shape.add(request, units, pieces, &places, &mut widths),
                None => shape.left_out += 1,
            }
        }
        for (block, widths) in shape.blocks.iter_mut().zip(widths) {
            block.stages = widths.into_iter().map(means).collect();
        }
        shape
    }

    /// Adds a request whose pieces stand at these places.
    fn add(
        &mut self,
        request: &Request,
        units: &[Unit<'_>],
        pieces: &[Piece],
        places: &[usize],
        widths: &mut [Vec<BTreeMap<Asked, (f64, f64)>>],
    ) {
        for block in &mut self.blocks {
            block.times.push(0);
            block.gaps.push(0.0);
        }
        let mut covered = request.start;
        for (piece, place) in pieces.iter().zip(places) {
            let block = &mut self.blocks[*place];
            let last = block.times.len() - 1;
            block.times[last] = piece.times;
            let count = piece.times * piece.block.len();
            for (index, unit) in units[piece.from..piece.from + count].iter().enumerate() {
                block.gaps[last] += unit.start.saturating_sub(covered) as f64 / 1e9;
                covered = covered.max(unit.end);
                let stage = &mut widths[*place][index % piece.block.len()];
                for (asked, width) in unit.widths() {
                    let (sum, seen) = stage.entry(asked.clone()).or_default();
                    *sum += width as f64;
                    *seen += 1.0;
                }
            }
        }
        self.rest.push(request.end.saturating_sub(covered) as f64 / 1e9);
    }

    /// Requests that are in here.
    pub(super) fn requests(&self) -> usize {
        self.rest.len()
    }
}

impl Block {
    fn empty() -> Block {
        Block { stages: Vec::new(), times: Vec::new(), gaps: Vec::new() }
    }
}

fn means(stage: BTreeMap<Asked, (f64, f64)>) -> Stage {
    stage.into_iter().map(|(asked, (sum, seen))| (asked, sum / seen)).collect()
}

impl<'a> Unit<'a> {
    fn new(operations: Vec<&'a Operation>) -> Unit<'a> {
        let start = operations.iter().map(|operation| operation.start).min().unwrap_or_default();
        let end = operations.iter().map(|operation| operation.end).max().unwrap_or_default();
        Unit { operations, start, end }
    }

    fn widths(&self) -> BTreeMap<&'a Asked, usize> {
        let mut widths = BTreeMap::new();
        for operation in &self.operations {
            *widths.entry(&operation.asked).or_default() += 1;
        }
        widths
    }
}

/// The stages of a request. Of operations that overlap, those that begin when another has ended
/// are a round of their own; `rounds` says that there were some.
fn units<'a>(request: &'a Request, rounds: &mut bool) -> Vec<Unit<'a>> {
    let mut units = Vec::new();
    let mut rest = request.operations.as_slice();
    while let Some(first) = rest.first() {
        let mut end = first.end;
        let mut count = 1;
        while let Some(next) = rest.get(count).filter(|next| next.start + OVERLAP < end) {
            end = end.max(next.end);
            count += 1;
        }
        let (group, after) = rest.split_at(count);
        let in_rounds = split_into_rounds(group);
        *rounds |= in_rounds.len() > 1;
        units.extend(in_rounds.into_iter().map(Unit::new));
        rest = after;
    }
    units
}

fn split_into_rounds(group: &[Operation]) -> Vec<Vec<&Operation>> {
    let mut branches: Vec<(u64, usize)> = Vec::new();
    let mut rounds: Vec<Vec<&Operation>> = Vec::new();
    for operation in group {
        let ended = branches.iter_mut().filter(|(end, _)| *end <= operation.start + OVERLAP);
        let round = match ended.max_by_key(|(end, _)| *end) {
            Some((end, round)) => {
                (*end, *round) = (operation.end, *round + 1);
                *round
            }
            None => {
                branches.push((operation.end, 0));
                0
            }
        };
        if rounds.len() <= round {
            rounds.push(Vec::new());
        }
        rounds[round].push(operation);
    }
    rounds
}

/// Each kind of stage as a number: what is asked in it, however often.
struct Letters<'a>(BTreeMap<BTreeSet<&'a Asked>, usize>);

impl<'a> Letters<'a> {
    fn of(units: &[Vec<Unit<'a>>]) -> Letters<'a> {
        let kinds: BTreeSet<BTreeSet<&Asked>> = units.iter().flatten().map(kind).collect();
        Letters(kinds.into_iter().zip(0..).collect())
    }

    fn letter(&self, unit: &Unit<'a>) -> usize {
        self.0[&kind(unit)]
    }
}

fn kind<'a>(unit: &Unit<'a>) -> BTreeSet<&'a Asked> {
    unit.operations.iter().map(|operation| &operation.asked).collect()
}

/// How often `block` comes at the begin of `word`.
fn repeats(word: &[usize], block: &[usize]) -> usize {
    word.chunks(block.len()).take_while(|chunk| *chunk == block).count()
}

/// The blocks that some request repeats.
fn repeated(words: &[Vec<usize>]) -> BTreeSet<Vec<usize>> {
    let mut known = BTreeSet::new();
    for word in words {
        let mut at = 0;
        while at < word.len() {
            let blocks = (1..=LONGEST_BLOCK).filter_map(|length| word[at..].get(..length));
            let times = blocks.map(|block| (block, repeats(&word[at..], block)));
            let best = times
                .filter(|(_, times)| *times > 1)
                .max_by_key(|(block, times)| (times * block.len(), LONGEST_BLOCK - block.len()));
            if let Some((block, times)) = best {
                known.insert(block.to_vec());
                at += times * block.len();
            } else {
                at += 1;
            }
        }
    }
    known
}

fn parse(word: &[usize], known: &BTreeSet<Vec<usize>>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < word.len() {
        let blocks = (1..=LONGEST_BLOCK).filter_map(|length| word[at..].get(..length));
        let best = blocks
            .filter(|block| known.contains(*block))
            .map(|block| (block, repeats(&word[at..], block)))
            .max_by_key(|(block, times)| (times * block.len(), LONGEST_BLOCK - block.len()));
        let (block, times) = best.unwrap_or((&word[at..=at], 1));
        pieces.push(Piece { block: block.to_vec(), times, from: at });
        at += times * block.len();
    }
    pieces
}

/// The blocks of all requests in one order: the most usual order first, others fitted in.
fn columns(pieces: &[Vec<Piece>]) -> Vec<Vec<usize>> {
    let mut kinds: BTreeMap<Vec<&Vec<usize>>, usize> = BTreeMap::new();
    for pieces in pieces {
        *kinds.entry(pieces.iter().map(|piece| &piece.block).collect()).or_default() += 1;
    }
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    let mut columns: Vec<Vec<usize>> = Vec::new();
    for (kind, _) in kinds.into_iter().take(KINDS) {
        let kind: Vec<Vec<usize>> = kind.into_iter().cloned().collect();
        columns = merged(&columns, &kind);
    }
    columns
}

/// A sequence that holds both, as short as can be.
fn merged(one: &[Vec<usize>], other: &[Vec<usize>]) -> Vec<Vec<usize>> {
    // common[i][j]: length of the longest common subsequence of one[i..] and other[j..].
    let mut common = vec![vec![0usize; other.len() + 1]; one.len() + 1];
    for i in (0..one.len()).rev() {
        for j in (0..other.len()).rev() {
            common[i][j] = if one[i] == other[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut both = Vec::new();
    while i < one.len() || j < other.len() {
        let (left, right) = (one.get(i), other.get(j));
        if left.is_some() && left == right {
            both.extend(left.cloned());
            (i, j) = (i + 1, j + 1);
        } else if right.is_none() || (left.is_some() && common[i + 1][j] >= common[i][j + 1]) {
            both.extend(left.cloned());
            i += 1;
        } else {
            both.extend(right.cloned());
            j += 1;
        }
    }
    both
}

/// The column of each piece; none where they do not fit in.
fn places(pieces: &[Piece], columns: &[Vec<usize>]) -> Option<Vec<usize>> {
    let mut next = 0;
    pieces
        .iter()
        .map(|piece| {
            let found = columns[next..].iter().position(|block| *block == piece.block)?;
            next += found + 1;
            Some(next - 1)
        })
        .collect()
}
