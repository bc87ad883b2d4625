//! Pieces of work that are always the same, of the kinds that a service does.
//!
//! A chase through much memory is not among them: it took either 114 or 160 µs, from one process to
//! the next, for as long as the process ran. That is a property of the memory that a process happens
//! to get, and no speed of the machine.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::fmt::Write as _;
use std::hash::BuildHasherDefault;
use std::hint::black_box;
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;

use super::code::Code;

/// A kind of work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    /// What it is called.
    pub(crate) name: &'static str,
    /// CPU time of a warm pass at the speed 1, in nanoseconds: on 2026-11-29 on an AMD EPYC (family
    /// 25, model 17) under a hypervisor, idle but for a service at full load.
    pub(crate) reference: f64,
}

/// All kinds, in the order in which they are done.
pub(crate) const KINDS: [Kind; 4] = [
    Kind { name: "arithmetic", reference: 23.4e3 },
    Kind { name: "code", reference: 55e3 },
    Kind { name: "allocation", reference: 48e3 },
    Kind { name: "system calls", reference: 37e3 },
];

/// Steps of the arithmetic.
const STEPS: u32 = 8_000;
/// Names that are made and forgotten.
const NAMES: u32 = 250;
/// Messages that are sent and received.
const MESSAGES: u32 = 20;

/// All kinds, with what they work on.
#[derive(Debug)]
pub(super) struct Work {
    code: Code,
    sockets: (UnixStream, UnixStream),
}

impl Work {
    /// # Errors
    /// The system has no more sockets.
    pub(super) fn new() -> io::Result<Work> {
        Ok(Work { code: Code::new(), sockets: UnixStream::pair()? })
    }

    /// One pass of the work with this number in [`KINDS`].
    pub(super) fn pass(&mut self, kind: usize) {
        let result = match kind {
            0 => arithmetic(),
            1 => self.code.pass(),
            2 => allocation(),
            _ => messages(&mut self.sockets),
        };
        // The compiler must not find out that nobody needs it.
        black_box(result);
    }
}

/// Numbers for tables, always the same: xorshift64* (Vigna 2016).
#[derive(Debug)]
pub(super) struct Draws(pub(super) u64);

impl Draws {
    /// The next.
    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }
}

/// Four chains of steps that do not wait for each other: no memory is used.
fn arithmetic() -> u64 {
    let mut chains = black_box([1u64, 2, 3, 4]);
    for _ in 0..STEPS {
        for value in &mut chains {
            *value ^= *value << 13;
            *value ^= *value >> 7;
            *value = value.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ (*value << 17);
        }
    }
    chains.iter().fold(0, |sum, value| sum ^ value)
}

/// Makes names and values of different lengths, looks them up and forgets them.
fn allocation() -> u64 {
    // Without the keys that each process draws for its tables: the work is the same in all.
    let mut all: HashMap<String, Vec<u8>, BuildHasherDefault<DefaultHasher>> = HashMap::default();
    for number in 0..NAMES {
        let mut name = String::new();
        // A string takes what is written to it.
        let _ = write!(name, "name-{}", number.wrapping_mul(2_654_435_761));
        all.insert(name, vec![number as u8; 16 + (number as usize * 37) % 400]);
    }
    all.values().map(|value| value.len() as u64).sum()
}

/// Sends messages from one socket to another and receives them.
fn messages(sockets: &mut (UnixStream, UnixStream)) -> u64 {
    let mut bytes = [7u8; 256];
    for _ in 0..MESSAGES {
        let sent = sockets.0.write_all(&bytes).and_then(|()| sockets.1.read_exact(&mut bytes));
        if sent.is_err() {
            return 0;
        }
    }
    u64::from(bytes[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_the_same_each_time() {
        assert_eq!(arithmetic(), arithmetic());
        assert_eq!(allocation(), allocation());
        let code = Code::new();
        assert_eq!(code.pass(), code.pass());
        let mut sockets = UnixStream::pair().expect("the system has sockets");
        assert_eq!((messages(&mut sockets), messages(&mut sockets)), (7, 7));
    }
}
