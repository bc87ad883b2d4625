//! A file line by line, plain or gzip, with an account of the lines that are broken.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use model::read::Diagnostic;

/// A line that is not what its format says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken(pub String);

impl Broken {
    /// What is wrong with it.
    pub fn new(why: impl Into<String>) -> Broken {
        Broken(why.into())
    }
}

/// What a record consists of, each of which may be broken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// Lines.
    #[default]
    Line,
    /// Time series in a document.
    Series,
    /// Spans in a document.
    Span,
}

/// An account of the lines of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// What is counted.
    pub unit: Unit,
    /// All of them, without empty ones.
    pub lines: u64,
    /// Those that are broken.
    pub broken: u64,
    /// The first broken ones: number, what is wrong, how it begins.
    pub first: Vec<(u64, String, String)>,
}

/// A share of broken lines that is too large.
const TOO_MANY: f64 = 0.05;
/// Broken lines that are named.
const NAMED: usize = 3;
/// Characters of a broken line that are shown.
const SHOWN: usize = 60;
/// Bytes of a line that are read; what is longer is broken. A batch of spans is one line.
const LONGEST: u64 = 64 << 20;
/// Bytes that are read at once.
const BUFFER: usize = 1 << 18;

/// Opens a file, and unpacks it if it is gzip.
///
/// # Errors
/// Those of the file.
pub fn open(file: &Path) -> io::Result<Box<dyn BufRead>> {
    let mut raw = BufReader::with_capacity(BUFFER, File::open(file)?);
    if raw.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
        return Ok(Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(raw))));
    }
    Ok(Box::new(raw))
}

/// Gives each line of `from` that is not empty to `take`.
///
/// # Errors
/// Those of the stream.
pub fn each(
    mut from: impl BufRead,
    mut take: impl FnMut(&str) -> Result<(), Broken>,
) -> io::Result<Account> {
    let mut account = Account::default();
    let (mut line, mut number) = (Vec::new(), 0);
    loop {
        line.clear();
        if from.by_ref().take(LONGEST).read_until(b'\n', &mut line)? == 0 {
            return Ok(account);
        }
        number += 1;
        let cut = line.len() as u64 == LONGEST && line.last() != Some(&b'\n');
        if cut {
            skip_line(&mut from)?;
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches(['\n', '\r']);
        if text.trim().is_empty() {
            continue;
        }
        let taken = if cut { Err(Broken::new("it is longer than 64 MiB")) } else { take(text) };
        account.count(number, text, taken);
    }
}

fn skip_line(from: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = from.fill_buf()?;
        let (found, used) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(place) => (true, place + 1),
            None => (buffer.is_empty(), buffer.len()),
        };
        from.consume(used);
        if found {
            return Ok(());
        }
    }
}

impl Unit {
    /// The word for `count` of them.
    fn word(self, count: u64) -> &'static str {
        match (self, count) {
            (Unit::Line, 1) => "line",
            (Unit::Line, _) => "lines",
            (Unit::Series, _) => "series",
            (Unit::Span, 1) => "span",
            (Unit::Span, _) => "spans",
        }
    }
}

impl Account {
    /// One more, with this number, which begins with `text`.
    pub fn count(&mut self, number: u64, text: &str, taken: Result<(), Broken>) {
        self.lines += 1;
        let Err(Broken(why)) = taken else { return };
        self.broken += 1;
        if self.first.len() < NAMED {
            self.first.push((number, why, text.chars().take(SHOWN).collect()));
        }
    }

    /// What to say of broken lines that were passed over; none if there are none.
    pub fn note(&self, file: &Path) -> Option<String> {
        (self.broken > 0).then(|| {
            format!(
                "{}: {} and were left out: {}",
                file.display(),
                self.broken_of_all(),
                self.named()
            )
        })
    }

    fn broken_of_all(&self) -> String {
        format!("{} of {} {} are broken", self.broken, self.lines, self.unit.word(self.lines))
    }

    fn named(&self) -> String {
        let unit = self.unit.word(1);
        let one = |(number, why, text): &(u64, String, String)| {
            format!("{unit} {number}: {why} (`{text}`)")
        };
        self.first.iter().map(one).collect::<Vec<_>>().join("; ")
    }

    /// Refuses a file of which more than one line in twenty is broken.
    ///
    /// # Errors
    /// What the first broken lines are.
    pub fn check(&self, file: &Path, format: &str, advice: &str) -> Result<(), Diagnostic> {
        if self.broken as f64 <= TOO_MANY * self.lines as f64 {
            return Ok(());
        }
        let found = format!("{}: {}", self.broken_of_all(), self.named());
        let first = self.first.first().filter(|_| self.unit == Unit::Line);
        let line = first.and_then(|(line, _, _)| u32::try_from(*line).ok());
        let whole = Diagnostic::of_file(file.display().to_string(), found, format, advice);
        Err(Diagnostic { line, column: line.map(|_| 1), ..whole })
    }
}

/// A file that cannot be read.
pub fn unreadable(file: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::of_file(
        file.display().to_string(),
        format!("cannot be read: {error}"),
        "a text file, or one packed with gzip",
        "name the record's file",
    )
}
