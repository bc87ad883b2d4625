//! What `pidstat` prints: `pidstat -u -p PID 1`, best with `-h` and `-H` or `S_TIME_FORMAT=ISO`.

use super::super::lines::Broken;
use super::super::time::{clock, days, instant};
use super::{Cpu, percent};

/// Where a reader is.
#[derive(Default)]
pub(super) struct Pidstat {
    /// Seconds since 1970 at the beginning of the day.
    day: Option<f64>,
    last: f64,
    /// Places of the columns.
    columns: Option<Columns>,
    /// Times were of a day, in a zone that is not known.
    local: bool,
}

#[derive(Clone, Copy)]
struct Columns {
    pid: usize,
    /// Threads are listed below their processes, which have `-` here.
    thread: Option<usize>,
    cpu: usize,
    all: usize,
}

impl Pidstat {
    pub(super) fn line(&mut self, line: &str, cpu: &mut Cpu) -> Result<(), Broken> {
        if line.starts_with("Linux") {
            self.day = line.split_whitespace().find_map(date);
            return Ok(());
        }
        if line.starts_with("Average") {
            return Ok(());
        }
        let words: Vec<&str> = line.trim_start_matches(['#', ' ']).split_whitespace().collect();
        if let Some(place) = words.iter().position(|word| *word == "%CPU") {
            let find = |names: [&str; 2]| words.iter().position(|word| names.contains(word));
            let pid = find(["PID", "TGID"]).ok_or_else(|| Broken::new("no column `PID`"))?;
            let thread = find(["TID", "TID"]);
            self.columns = Some(Columns { pid, thread, cpu: place, all: words.len() });
            return Ok(());
        }
        let columns = self.columns.ok_or_else(|| Broken::new("no line of names before it"))?;
        // Names of programs may have blanks.
        if words.len() < columns.all.max(columns.cpu + 1) {
            return Err(Broken::new("too few columns"));
        }
        if columns.thread.is_some_and(|place| words[place] != "-") {
            return Ok(());
        }
        let time = self.time(words[0], words[1])?;
        let share = percent(words[columns.cpu])
            .ok_or_else(|| Broken::new(format!("`{}` is no share", words[columns.cpu])))?;
        let name = format!("{} {}", words[columns.pid], words[columns.all - 1..].join(" "));
        cpu.share(&name, time, share);
        Ok(())
    }

    fn time(&mut self, first: &str, second: &str) -> Result<f64, Broken> {
        if let Some(time) = instant(first) {
            return Ok(time);
        }
        let wrong = || Broken::new(format!("`{first}` is no time"));
        let mut seconds = clock(first).ok_or_else(wrong)?;
        match second {
            "AM" if seconds >= 43_200.0 => seconds -= 43_200.0,
            "PM" if seconds < 43_200.0 => seconds += 43_200.0,
            _ => {}
        }
        self.local = true;
        let mut day =
            self.day.ok_or_else(|| Broken::new("no date in a line `Linux ...` before it"))?;
        // Past midnight.
        if day + seconds < self.last - 43_200.0 {
            day += 86_400.0;
            self.day = Some(day);
        }
        self.last = day + seconds;
        Ok(self.last)
    }

    pub(super) fn end(&self, cpu: &mut Cpu) {
        if self.local {
            cpu.notes.push(
                "pidstat's times have no zone and were taken for UTC: `pidstat -H` writes seconds since \
                 1970."
                    .into(),
            );
        }
    }
}

/// `11/28/2026`, `11/28/26`, `2026-11-28`, `28.11.2026`.
fn date(word: &str) -> Option<f64> {
    let parts: Vec<u64> =
        word.split(['/', '-', '.']).map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [a, b, c] = parts[..] else { return None };
    let year = |year: u64| if year < 100 { 2000 + year } else { year };
    match () {
        () if a > 31 => days(a, b, c),
        () if word.contains('.') || a > 12 => days(year(c), b, a),
        () => days(year(c), a, b),
    }
}
