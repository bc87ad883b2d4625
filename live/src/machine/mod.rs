//! The machine below a measurement: its CPUs, its limits, its noise, and its name.
//!
//! What a machine does not tell is `None`; only what a measurement cannot do without is an
//! error.

mod cpus;
mod facts;
mod kernel;
mod limits;
mod listener;
mod noise;
mod process;
/// Whether a service that was just started has loaded itself.
pub mod rest;
mod scheduler;
mod tree;

use std::path::Path;

pub use cpus::{Cpus, PinError, Split, pin};
pub use facts::Facts;
pub(crate) use limits::give_way;
pub use limits::{backlog_max, raise_open_files};
pub use listener::listening_at;
pub use noise::{ClockTrouble, MachineReading, Noise};
pub use process::Holdings;
pub use scheduler::{Turns, turns};
pub(crate) use tree::cpu_of;
pub use tree::{ProcessReading, ProcessTree, ThreadReading, TreeReading};

/// The value of `key` in a table of `key: value` lines, as `/proc` writes them.
fn value_of<'t>(table: &'t str, key: &str) -> Option<&'t str> {
    table.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.trim() == key).then_some(value.trim())
    })
}

/// The value of `key` in bytes, where the table says `12 kB`.
fn bytes_of(table: &str, key: &str) -> Option<u64> {
    let kilobytes = value_of(table, key)?.strip_suffix("kB")?;
    kilobytes.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// A file of one line, without its end.
fn line_of(path: impl AsRef<Path>) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    Some(text.trim().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_the_kernel_are_read_by_key() {
        let table = "Name:\tlive\nVmHWM:\t    1728 kB\nmodel name\t: Some CPU: fast\nThreads:\t3\n";
        assert_eq!(bytes_of(table, "VmHWM"), Some(1728 * 1024));
        assert_eq!(value_of(table, "model name"), Some("Some CPU: fast"));
        assert_eq!(value_of(table, "Threads"), Some("3"));
        assert_eq!(bytes_of(table, "Threads"), None);
        assert_eq!(value_of(table, "Vm"), None);
    }
}
