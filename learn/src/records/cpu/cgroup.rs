//! Samples of a control group's `cpu.stat`, each after a line with its time.

use super::super::lines::Broken;
use super::{Cpu, no_time, stamp, stamped};

/// Where a reader is.
#[derive(Default)]
pub(super) struct Cgroup {
    time: Option<f64>,
}

impl Cgroup {
    pub(super) fn line(&mut self, line: &str, cpu: &mut Cpu) -> Result<(), Broken> {
        if let Some(time) = stamp(line) {
            self.time = Some(time);
            return Ok(());
        }
        let (time, rest) = stamped(line);
        let mut words = rest.split_whitespace();
        let (key, value) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let value: f64 =
            value.parse().map_err(|_| Broken::new(format!("`{value}` is no number of `{key}`")))?;
        let time = time.or(self.time).ok_or_else(no_time)?;
        if key == "usage_usec" {
            cpu.total("cgroup", time, value / 1e6);
        }
        Ok(())
    }
}
