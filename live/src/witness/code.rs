//! More instructions than the first cache of a core holds, called in an order without a pattern, with
//! branches that depend on data: as an interpreter has it.

use std::array;

use super::work::Draws;

/// Functions by row and column.
const SIDE: usize = 32;
/// Calls of a pass.
const CALLS: usize = 3000;

/// What the functions work on.
#[derive(Clone, Copy, Debug)]
struct State {
    a: u64,
    b: u64,
    stack: [u64; 64],
}

type Function = fn(&mut State);

/// One of many functions that differ in their numbers, and so in their instructions.
#[inline(never)]
fn function<const A: u64, const B: u64>(state: &mut State) {
    let index = ((state.a >> (B % 40)) & 63) as usize;
    let top = state.stack[index];
    if (state.a ^ top) & (1 << (A % 8)) == 0 {
        state.b = state.b.wrapping_mul(2 * (A * 32 + B) + 3).wrapping_add(top);
        state.stack[(index + A as usize) & 63] = state.b ^ (A << 7);
    } else {
        state.b = (state.b ^ (B * 0x9e37_79b9 + A)).rotate_left(1 + (A % 60) as u32);
        state.stack[(index + B as usize) & 63] = state.b.wrapping_add(top >> 3);
    }
    if top & (2 << (B % 5)) != 0 {
        state.a = state.a.wrapping_add(state.b | (A + 1)).rotate_right(7 + (B % 32) as u32);
    } else {
        state.a = state.a.wrapping_sub(state.b ^ (B * 77 + A)).rotate_left(3 + (A % 32) as u32);
    }
}

/// A row of the table: the functions of one `A` for each `B`.
macro_rules! row {
    ($a:literal) => {
        row!($a: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31)
    };
    ($a:literal: $($b:literal)*) => { [$(function::<$a, $b> as Function),*] };
}

macro_rules! table {
    ($($a:literal)*) => { [$(row!($a)),*] };
}

static TABLE: [[Function; SIDE]; SIDE] = table!(
    0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31
);

/// The functions in the order of their calls.
#[derive(Debug)]
pub(super) struct Code {
    program: Vec<u16>,
    state: State,
}

impl Code {
    pub(super) fn new() -> Code {
        let mut draws = Draws(3);
        let program = (0..CALLS).map(|_| (draws.next() % (SIDE * SIDE) as u64) as u16).collect();
        let state = State { a: 1, b: 2, stack: array::from_fn(|_| draws.next()) };
        Code { program, state }
    }

    /// One pass, which begins as all others do.
    pub(super) fn pass(&self) -> u64 {
        let mut state = self.state;
        for &number in &self.program {
            TABLE[usize::from(number) / SIDE][usize::from(number) % SIDE](&mut state);
        }
        state.a ^ state.b
    }
}
