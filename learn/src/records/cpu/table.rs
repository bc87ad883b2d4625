//! A CSV file with a line of names: a time, and CPU seconds or a share of a processor.

use super::super::lines::Broken;
use super::super::time::instant;
use super::{Cpu, percent};

/// Where a reader is.
#[derive(Default)]
pub(super) struct Table {
    columns: Option<Columns>,
    separator: u8,
    /// CPU seconds by source and time, until it is clear whether they are sums.
    seconds: Vec<(String, f64, f64)>,
}

#[derive(Clone)]
struct Columns {
    time: usize,
    cpu: usize,
    what: What,
    source: Option<usize>,
}

#[derive(Clone, Copy, PartialEq)]
enum What {
    /// A share of a processor, 100 being one.
    Percent,
    /// A share of a processor, 1 being one.
    Cores,
    /// A sum, in units of so many seconds.
    Total(f64),
    /// Seconds: a sum if it never falls, else those since the last sample.
    Seconds,
}

const TIMES: [&str; 7] = ["time", "timestamp", "ts", "date", "datetime", "epoch", "t"];
const SOURCES: [&str; 8] =
    ["process", "name", "pid", "container", "pod", "instance", "command", "service"];
/// Samples that are held.
const HELD: usize = 1_000_000;

fn what(name: &str) -> Option<What> {
    match name {
        "cpu_percent" | "cpu%" | "%cpu" | "cpu" | "pcpu" | "cpu_usage" | "cpu_pct" => {
            Some(What::Percent)
        }
        "cpu_cores" | "cores" | "cpu_share" => Some(What::Cores),
        "cpu_seconds_total" | "process_cpu_seconds_total" => Some(What::Total(1.0)),
        "usage_usec" | "cpu_usec" | "cpu_microseconds" => Some(What::Total(1e-6)),
        "cpu_nanoseconds" | "cpu_ns" | "schedstat_ns" => Some(What::Total(1e-9)),
        "cpu_ms" | "cpu_milliseconds" => Some(What::Total(1e-3)),
        "cpu_seconds" | "cpu_time" | "cpu_s" => Some(What::Seconds),
        _ => None,
    }
}

impl Table {
    pub(super) fn line(&mut self, line: &str, cpu: &mut Cpu) -> Result<(), Broken> {
        let Some(columns) = self.columns.clone() else { return self.names(line) };
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .delimiter(self.separator)
            .from_reader(line.as_bytes());
        let mut record = csv::StringRecord::new();
        reader.read_record(&mut record).map_err(|error| Broken::new(format!("no CSV: {error}")))?;
        let get = |at: usize| record.get(at).unwrap_or_default().trim();
        let time = get(columns.time);
        let time = instant(time).ok_or_else(|| Broken::new(format!("`{time}` is no time")))?;
        let source = columns.source.map_or("process", get);
        let text = get(columns.cpu);
        let wrong = || Broken::new(format!("`{text}` is no CPU"));
        let number = || text.parse::<f64>().ok().filter(|n| n.is_finite() && *n >= 0.0);
        match columns.what {
            What::Percent => cpu.share(source, time, percent(text).ok_or_else(wrong)?),
            What::Cores => cpu.share(source, time, number().ok_or_else(wrong)?),
            What::Total(unit) => cpu.total(source, time, unit * number().ok_or_else(wrong)?),
            What::Seconds if self.seconds.len() < HELD => {
                self.seconds.push((source.to_owned(), time, number().ok_or_else(wrong)?));
            }
            What::Seconds => {}
        }
        Ok(())
    }

    fn names(&mut self, line: &str) -> Result<(), Broken> {
        self.separator = *[b',', b';', b'\t']
            .iter()
            .max_by_key(|mark| line.bytes().filter(|byte| byte == *mark).count())
            .unwrap_or(&b',');
        let names: Vec<String> = line
            .split(char::from(self.separator))
            .map(|name| name.trim().trim_matches('"').to_ascii_lowercase().replace(' ', "_"))
            .collect();
        let find = |known: &[&str]| names.iter().position(|name| known.contains(&name.as_str()));
        let time = find(&TIMES)
            .ok_or_else(|| Broken::new(format!("no column for the time: {}", TIMES.join(", "))))?;
        let cpu = names.iter().enumerate().find_map(|(at, name)| Some((at, what(name)?)));
        let (cpu, what) = cpu.ok_or_else(|| {
            Broken::new("no column for CPU: cpu_seconds, cpu_seconds_total, cpu_percent, cpu_cores, usage_usec")
        })?;
        self.columns = Some(Columns { time, cpu, what, source: find(&SOURCES) });
        Ok(())
    }

    pub(super) fn end(self, cpu: &mut Cpu) {
        let mut last: std::collections::BTreeMap<&str, f64> = Default::default();
        let mut falls = 0;
        for (source, _, seconds) in &self.seconds {
            let before = last.insert(source, *seconds);
            falls += usize::from(before.is_some_and(|before| before > *seconds));
        }
        // Seconds of single intervals fall every other time, a sum only where its process began anew.
        let sum = falls * 4 <= self.seconds.len();
        let mut sums: std::collections::BTreeMap<String, f64> = Default::default();
        for (source, time, seconds) in &self.seconds {
            if sum {
                cpu.total(source, *time, *seconds);
                continue;
            }
            let all = sums.entry(source.clone()).or_insert(0.0);
            *all += seconds;
            cpu.total(source, *time, *all);
        }
        if !self.seconds.is_empty() {
            let form =
                if sum { "a sum since the start" } else { "the seconds since the last line" };
            cpu.notes.push(format!("The column of CPU seconds was taken for {form}."));
        }
    }
}
