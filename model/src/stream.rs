//! Keyed random draws.
//!
//! A draw is a pure function of the seed, what it is for, whose it is and how many came
//! before it for the same owner: `draw(seed, purpose, lane, index)`. Nothing depends on
//! the order in which draws are asked for, so that turning one knob leaves every other
//! draw as it was, and the live mock upstream draws the latency that was predicted.
//!
//! The function is ChaCha with 8 rounds: the key is seed and purpose, the nonce is the
//! lane (a user, say), the counter the index (that user's iteration).

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Draws in one cached run of the counter.
const RUN: usize = 32;
/// Cached runs. Bounds the memory however many lanes there are.
const RUNS: usize = 2048;
/// Bits of the lane that are a user's number within its group, see [`lanes_of_group`].
const GROUP_SHIFT: u32 = 24;
/// Bits above them that tell groups apart.
const GROUP_BITS: u32 = 24;
/// Bits that the lane leaves for the attempt, see [`lane_of_attempt`].
const ATTEMPT_SHIFT: u32 = 48;
/// Bits that those leave for the attempt of the client, see [`lane_of_retry`].
const RETRY_SHIFT: u32 = 56;

/// What a draw is for: one independent stream of numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purpose {
    key: [u8; 32],
    /// Tells purposes apart in the cache.
    id: u64,
}

impl Purpose {
    /// The purpose `name` (such as `upstream.partner@quote/1`) under `seed`.
    pub fn new(seed: u64, name: &str) -> Purpose {
        let hash = fnv1a(name.as_bytes());
        let mut key = *b"rung draw stream v1 ............";
        key[16..24].copy_from_slice(&seed.to_le_bytes());
        key[24..32].copy_from_slice(&hash.to_le_bytes());
        Purpose { key, id: hash ^ seed.wrapping_mul(0xD6E8_FEB8_6659_FD93) }
    }

    /// The key of the stream cipher, for programs in other languages that are to draw the same.
    pub fn key(&self) -> &[u8; 32] {
        &self.key
    }

    /// The draw of `lane` at `index`, a uniform 64-bit number.
    pub fn draw(&self, lane: u64, index: u64) -> u64 {
        let mut chacha = self.generator(lane);
        chacha.set_word_pos(u128::from(index) * 2);
        chacha.next_u64()
    }

    fn generator(&self, lane: u64) -> ChaCha8Rng {
        let mut chacha = ChaCha8Rng::from_seed(self.key);
        chacha.set_stream(lane);
        chacha
    }
}

/// The first lane of the group `name` of a load; 0 without a name.
pub fn lanes_of_group(name: &str) -> u64 {
    match name {
        "" => 0,
        _ => (fnv1a(name.as_bytes()) % ((1 << GROUP_BITS) - 1) + 1) << GROUP_SHIFT,
    }
}

/// The lane of a repeated attempt of the same call: each attempt draws anew.
pub fn lane_of_attempt(lane: u64, attempt: u32) -> u64 {
    lane ^ u64::from(attempt) << ATTEMPT_SHIFT
}

/// The lane of the attempt number `attempt` of a client's request: the service draws anew for it.
pub fn lane_of_retry(lane: u64, attempt: u32) -> u64 {
    lane ^ u64::from(attempt) << RETRY_SHIFT
}

/// The lane of the request itself, of which `lane` is that of an attempt of its client.
pub fn lane_of_request(lane: u64) -> u64 {
    lane & ((1 << RETRY_SHIFT) - 1)
}

/// The seed of replication `index`, or of round `index` of a measurement. The first has the
/// scenario's own.
///
/// The multiplier is odd, so that different replications of a seed differ.
pub fn replication_seed(seed: u64, index: u32) -> u64 {
    seed.wrapping_add(u64::from(index).wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

/// A cache of draws: the same numbers as [`Purpose::draw`], a run of them computed at once.
#[derive(Debug, Default)]
pub struct Draws {
    /// Empty until the first draw.
    runs: Vec<Run>,
}

#[derive(Clone, Debug)]
struct Run {
    purpose: u64,
    lane: u64,
    /// Index of the first draw in units of [`RUN`], or `u64::MAX` for an empty run.
    block: u64,
    values: [u64; RUN],
}

impl Draws {
    /// An empty cache.
    pub fn new() -> Draws {
        Draws::default()
    }

    #[cold]
    fn allocate(&mut self) {
        let empty = Run { purpose: 0, lane: 0, block: u64::MAX, values: [0; RUN] };
        self.runs = vec![empty; RUNS];
    }

    /// The same number as `purpose.draw(lane, index)`.
    pub fn draw(&mut self, purpose: &Purpose, lane: u64, index: u64) -> u64 {
        if self.runs.is_empty() {
            self.allocate();
        }
        let block = index / RUN as u64;
        let mixed = (purpose.id ^ lane.wrapping_mul(0x9E37_79B9_7F4A_7C15)).wrapping_add(block);
        let slot = (mixed ^ mixed >> 32) as usize % RUNS;
        let run = &mut self.runs[slot];
        if run.block != block || run.lane != lane || run.purpose != purpose.id {
            let mut chacha = purpose.generator(lane);
            chacha.set_word_pos(u128::from(block) * (RUN as u128 * 2));
            for value in &mut run.values {
                *value = chacha.next_u64();
            }
            (run.purpose, run.lane, run.block) = (purpose.id, lane, block);
        }
        run.values[index as usize % RUN]
    }
}

/// FNV-1a, 64 bits: a stable hash of a purpose's name (Fowler, Noll, Vo).
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_gives_the_draws_of_the_function() {
        let purposes = [Purpose::new(1, "class"), Purpose::new(1, "upstream.partner@quote/1")];
        let mut draws = Draws::new();
        for step in 0..20_000u64 {
            let lane = step * 7 % 3001;
            let index = step * 13 % 97;
            let purpose = &purposes[(step % 2) as usize];
            assert_eq!(draws.draw(purpose, lane, index), purpose.draw(lane, index));
        }
    }

    #[test]
    fn seed_purpose_lane_index_and_attempt_each_change_the_draw() {
        let base = Purpose::new(1, "class").draw(0, 0);
        assert_ne!(base, Purpose::new(2, "class").draw(0, 0));
        assert_ne!(base, Purpose::new(1, "think").draw(0, 0));
        assert_ne!(base, Purpose::new(1, "class").draw(1, 0));
        assert_ne!(base, Purpose::new(1, "class").draw(0, 1));
        assert_ne!(base, Purpose::new(1, "class").draw(lane_of_attempt(0, 1), 0));
        assert_ne!(lane_of_retry(3, 1), lane_of_attempt(3, 20));
    }

    #[test]
    fn replications_have_seeds_of_their_own_and_the_first_has_the_scenario_s() {
        let seeds: Vec<u64> = (0..1000).map(|index| replication_seed(7, index)).collect();
        assert_eq!(seeds[0], 7);
        let mut sorted = seeds.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), seeds.len());
    }

    #[test]
    fn draws_are_pinned_across_versions_and_machines() {
        let purpose = Purpose::new(1, "class");
        let found = [purpose.draw(0, 0), purpose.draw(0, 1), purpose.draw(5, 1_000_000)];
        assert_eq!(found, PINNED, "the draws changed: every golden and every live key changes");
    }

    const PINNED: [u64; 3] =
        [15_641_855_392_333_597_351, 14_188_530_540_254_522_834, 3_154_343_149_288_798_239];

    #[test]
    fn draws_are_uniform_along_both_axes() {
        let purpose = Purpose::new(7, "uniformity");
        let n = 40_000u64;
        for along_lanes in [true, false] {
            let mut bins = [0u32; 64];
            for i in 0..n {
                let draw = if along_lanes { purpose.draw(i, 3) } else { purpose.draw(3, i) };
                bins[(draw >> 58) as usize] += 1;
            }
            let expected = n as f64 / 64.0;
            let chi2: f64 =
                bins.iter().map(|&b| (f64::from(b) - expected).powi(2) / expected).sum();
            // 63 degrees of freedom: the 99.99 % point is 113.
            assert!(chi2 < 113.0, "chi-squared {chi2}");
        }
    }
}
