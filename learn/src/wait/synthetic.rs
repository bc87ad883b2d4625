//! Random times and requests whose truth is known, for tests.

use super::requests::{Asked, Operation, Request};
use super::sql::Statement;

/// A splitmix64 generator: tests need no better one.
pub(super) struct Draws(u64);

impl Draws {
    pub(super) fn new(seed: u64) -> Draws {
        Draws(seed)
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to 1.
    pub(super) fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// By the method of Box and Muller.
    pub(super) fn lognormal(&mut self, median: f64, sigma: f64) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * self.uniform()).cos();
        median * (sigma * normal).exp()
    }
}

/// A request that is written down step by step; times are seconds.
pub(super) struct Script {
    endpoint: String,
    now: f64,
    operations: Vec<Operation>,
}

impl Script {
    pub(super) fn new(endpoint: &str) -> Script {
        Script { endpoint: endpoint.into(), now: 1000.0, operations: Vec::new() }
    }

    /// Time that nothing covers.
    pub(super) fn gap(mut self, seconds: f64) -> Script {
        self.now += seconds;
        self
    }

    pub(super) fn query(mut self, text: &str, seconds: f64) -> Script {
        let asked = Asked::Query { system: "postgresql".into(), statement: Statement::new(text) };
        self.push(asked, seconds);
        self.gap(seconds)
    }

    pub(super) fn call(mut self, peer: &str, seconds: f64) -> Script {
        self.push(call(peer), seconds);
        self.gap(seconds)
    }

    /// Calls at the same time.
    pub(super) fn gather(mut self, calls: &[(&str, f64)]) -> Script {
        for (peer, seconds) in calls {
            self.push(call(peer), *seconds);
        }
        let longest = calls.iter().map(|(_, seconds)| *seconds).fold(0.0, f64::max);
        self.gap(longest)
    }

    pub(super) fn end(self) -> Request {
        let Script { endpoint, now, operations } = self;
        Request { endpoint, start: nanos(1000.0), end: nanos(now), good: true, operations }
    }

    fn push(&mut self, asked: Asked, seconds: f64) {
        let (start, end) = (nanos(self.now), nanos(self.now + seconds));
        self.operations.push(Operation { asked, start, end, outside: false });
    }
}

fn call(peer: &str) -> Asked {
    Asked::Call { peer: peer.into(), method: "GET".into(), path: "/".into() }
}

fn nanos(seconds: f64) -> u64 {
    (seconds * 1e9) as u64
}
