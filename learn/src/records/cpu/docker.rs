//! What `docker stats` prints, as a table or with `--format json`, each sample after a line with its time;
//! and what Docker's API says of a container, which has the time in it.

use serde_json::Value;

use super::super::lines::Broken;
use super::super::time::instant;
use super::{Cpu, no_time, percent, stamp, stamped};

/// Where a reader is.
#[derive(Default)]
pub(super) struct Docker {
    time: Option<f64>,
}

impl Docker {
    pub(super) fn line(&mut self, line: &str, cpu: &mut Cpu) -> Result<(), Broken> {
        // Sequences that clear the screen stand before each table.
        let start = line.rfind('\u{1b}').map_or(0, |escape| {
            let end = line[escape..].find(|c: char| c.is_ascii_alphabetic());
            end.map_or(line.len(), |end| escape + end + 1)
        });
        let line = line[start..].trim();
        if line.is_empty() || line.starts_with("CONTAINER") || line.starts_with("NAME ") {
            return Ok(());
        }
        if let Some(time) = stamp(line) {
            self.time = Some(time);
            return Ok(());
        }
        let (time, rest) = stamped(line);
        let time = time.or(self.time);
        if rest.starts_with('{') {
            return self.object(rest, time, cpu);
        }
        let mut words = rest.split_whitespace();
        let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let name = if second.ends_with('%') { first } else { second };
        let share = rest.split_whitespace().find(|word| word.ends_with('%')).and_then(percent);
        let share =
            share.ok_or_else(|| Broken::new("no share of a processor, such as `12.34%`"))?;
        cpu.share(name, time.ok_or_else(no_time)?, share);
        Ok(())
    }

    fn object(&mut self, line: &str, time: Option<f64>, cpu: &mut Cpu) -> Result<(), Broken> {
        let value: Value =
            serde_json::from_str(line).map_err(|error| Broken::new(format!("no JSON: {error}")))?;
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        let name = text("Name").or(text("name")).or(text("Container")).unwrap_or("container");
        let name = name.trim_start_matches('/');
        let total = value.pointer("/cpu_stats/cpu_usage/total_usage").and_then(Value::as_f64);
        if let Some(nanos) = total {
            let time = text("read").and_then(instant).or(time).ok_or_else(no_time)?;
            cpu.total(name, time, nanos / 1e9);
            return Ok(());
        }
        let share = text("CPUPerc").and_then(percent);
        let share = share.ok_or_else(|| Broken::new("no `CPUPerc`"))?;
        cpu.share(name, time.ok_or_else(no_time)?, share);
        Ok(())
    }
}
