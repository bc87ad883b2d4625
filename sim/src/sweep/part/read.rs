//! Parts as they are read: line by line, each checked.

use std::io::{self, BufRead, BufReader, Read};

use model::read::{Diagnostic, Diagnostics};

use super::{BUILD, FORM, Head, Line, Numbered, SCHEMA};

/// Bytes of a line beyond which a file is no part: a head names all values of a sweep.
const MOST: u64 = 256 << 20;

/// What a file has to be.
const ALLOWED: &str = "a part that `sim sweep --shard` wrote, as it was written";

/// Where a line of a file is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Where {
    pub(super) offset: u64,
    /// Bytes, its end excluded.
    pub(super) length: u32,
    /// Counted from 1.
    pub(super) line: u32,
}

/// What hears of a part while it is read.
pub(super) trait Listener {
    /// Its head, before any point.
    fn head(&mut self, head: Head) -> Result<(), Diagnostics>;

    /// A point, and where it is.
    fn point(&mut self, at: Where, point: &Numbered) -> Result<(), Diagnostics>;
}

/// Reads the part `name`.
///
/// # Errors
/// It is none, of another build or cut off, or the listener refuses it.
pub(super) fn read(
    name: &str,
    from: impl Read,
    listener: &mut impl Listener,
) -> Result<(), Diagnostics> {
    let mut lines = Lines { from: BufReader::new(from), text: Vec::new(), offset: 0, line: 0 };
    let failed = |error: io::Error| wrong(name, None, format!("cannot be read: {error}"));
    lines.next().map_err(failed)?;
    listener.head(head(name, &lines.text)?)?;
    let mut points = 0;
    loop {
        let at = lines.next().map_err(failed)?.ok_or_else(|| cut_off(name, points))?;
        match serde_json::from_slice(&lines.text) {
            Ok(Line::Point(point)) => listener.point(at, &point)?,
            Ok(Line::End(count)) if count == points => break,
            Ok(Line::End(count)) => {
                let found = format!("has {points} points, and should have {count}");
                return Err(wrong(name, Some(at.line), found));
            }
            // The last line of a file that was cut off is broken.
            Err(error) if error.is_eof() => return Err(cut_off(name, points)),
            Err(error) => {
                return Err(wrong(name, Some(at.line), format!("is no line of a part: {error}")));
            }
        }
        points += 1;
    }
    match lines.next().map_err(failed)? {
        Some(at) => Err(wrong(name, Some(at.line), "goes on after its end".into())),
        None => Ok(()),
    }
}

/// The head of a part of this build.
fn head(name: &str, text: &[u8]) -> Result<Head, Diagnostics> {
    let no_part = || wrong(name, None, "is no part of a sweep".into());
    let value: serde_json::Value = serde_json::from_slice(text).map_err(|_| no_part())?;
    if value["form"] != FORM {
        return Err(no_part());
    }
    if value["schema"] != SCHEMA {
        let found = format!("has the form {}, and this program reads {SCHEMA}", value["schema"]);
        return Err(wrong(name, Some(1), found));
    }
    let build = value["build"].as_str().unwrap_or_default();
    if build != BUILD {
        return Err(Diagnostic::of_file(
            name,
            format!("was computed by another build of sim ({build}) than this one ({BUILD})"),
            "parts of one build, merged by the same",
            "compute all shards and merge them with one program",
        )
        .into());
    }
    let broken = |why: String| wrong(name, Some(1), format!("has a broken head: {why}"));
    let head: Head = serde_json::from_value(value).map_err(|error| broken(error.to_string()))?;
    match head.shard.is_one() {
        true => Ok(head),
        false => Err(broken(format!("there is no shard {}", head.shard))),
    }
}

fn cut_off(name: &str, points: u64) -> Diagnostics {
    wrong(name, None, format!("is cut off after {points} points"))
}

pub(super) fn wrong(name: &str, line: Option<u32>, found: String) -> Diagnostics {
    Diagnostic {
        line,
        column: line.map(|_| 1),
        ..Diagnostic::of_file(name, found, ALLOWED, "copy it again, or compute this shard again")
    }
    .into()
}

/// The lines of a file, and where they are.
struct Lines<R> {
    from: BufReader<R>,
    text: Vec<u8>,
    offset: u64,
    line: u32,
}

impl<R: Read> Lines<R> {
    /// The next line comes into `text`; none at the end.
    fn next(&mut self) -> io::Result<Option<Where>> {
        self.text.clear();
        let read = self.from.by_ref().take(MOST).read_until(b'\n', &mut self.text)?;
        if read == 0 {
            return Ok(None);
        }
        if self.text.last() == Some(&b'\n') {
            self.text.pop();
        }
        self.line += 1;
        let at = Where { offset: self.offset, length: self.text.len() as u32, line: self.line };
        self.offset += read as u64;
        Ok(Some(at))
    }
}
