//! First come, first served: a thread runs until it has had its slice while another is ready, and then
//! goes to the end of the queue.

use std::collections::VecDeque;

use model::scenario::Cpu as Machine;
use model::units::{Instant, Span};

use super::Ticks;

#[derive(Debug)]
pub(in crate::cpu) struct Turns {
    pub(super) ready: VecDeque<u32>,
    slice: Span,
    ticks: Ticks,
    /// When the turn on each core began.
    began: Vec<Instant>,
}

impl Turns {
    pub(super) fn new(machine: &Machine, ticks: Ticks) -> Turns {
        let began = vec![Instant::START; machine.cores as usize];
        Turns { ready: VecDeque::new(), slice: machine.slice, ticks, began }
    }

    pub(super) fn start(&mut self, core: usize, from: Instant) {
        self.began[core] = from;
    }

    /// When the turn on `core` ends if another thread is ready: not before `now`.
    pub(super) fn end(&self, core: usize, now: Instant) -> Instant {
        self.ticks.not_before((self.began[core] + self.slice).max(now))
    }
}
