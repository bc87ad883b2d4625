//! The answer of a sweep on its way to a stream or a file.

use std::io::Write;
use std::path::Path;

use model::read::{Diagnostic, Diagnostics};
use model::sweep::Sweep;
use render::sweep::{Show, Shown};
use render::{Answer, Console, Failure, Format, Output, Paint, whole};

use super::options::SweepFormat;
use crate::sweep::{self, Form, Told};

/// Most points that are told to people: more are a table that nobody reads.
const MOST_SHOWN: usize = 100_000;

/// In which form an answer is wanted, and where.
pub(super) struct Wanted<'a> {
    pub(super) format: SweepFormat,
    pub(super) show: Show,
    pub(super) output: Option<&'a Path>,
    pub(super) html: Option<&'a Path>,
}

impl Wanted<'_> {
    /// Refuses, before a long run, what could not be written after it.
    ///
    /// # Errors
    /// The form needs a file or another build, or the page would replace another file.
    pub(super) fn check(&self) -> Result<(), Failure> {
        self.refuse_parquet()?;
        self.output.map_or(Ok(()), whole::check)?;
        self.page().check()
    }

    /// Refuses to tell people of very many points.
    ///
    /// # Errors
    /// There are too many.
    pub(super) fn refuse_too_many(&self, points: usize) -> Result<(), Diagnostics> {
        if points <= MOST_SHOWN || (self.form().is_some() && self.html.is_none()) {
            return Ok(());
        }
        Err(refusal(
            &format!("{points} points are too many for people"),
            &format!("text, markdown and --html up to {MOST_SHOWN} points"),
            "take json, csv or parquet",
        ))
    }

    /// Writes the answer: all of `sweep` but the points, which come one by one.
    ///
    /// # Errors
    /// A point cannot be told, or the file or stream takes no more.
    pub(super) fn write<'p>(
        &self,
        sweep: &Sweep,
        points: impl Iterator<Item = Told<'p>>,
        console: &mut Console<'_>,
    ) -> Result<(), Failure> {
        match (self.form(), self.html) {
            (Some(form), None) => self.table(form, sweep, points, console),
            (form, _) => {
                let points = points.map(|point| Ok(point?.into_owned()));
                let points = points.collect::<Result<_, String>>().map_err(Failure::System)?;
                let sweep = Sweep { points, ..sweep.clone() };
                match form {
                    Some(form) => self.table(form, &sweep, sweep::told(&sweep), console)?,
                    None => self.text(&sweep, console)?,
                }
                self.page().write(&Shown { sweep: &sweep, show: self.show })
            }
        }
    }

    /// For programs: point by point.
    fn table<'p>(
        &self,
        form: Form,
        sweep: &Sweep,
        points: impl Iterator<Item = Told<'p>>,
        console: &mut Console<'_>,
    ) -> Result<(), Failure> {
        let fill = |out: &mut (dyn Write + Send)| {
            sweep::write(form, sweep, points, out).map_err(Failure::System)
        };
        match self.output {
            Some(file) => whole::write(file, fill),
            None => console.stream(fill),
        }
    }

    /// For people.
    fn text(&self, sweep: &Sweep, console: &mut Console<'_>) -> Result<(), Failure> {
        let shown = Shown { sweep, show: self.show };
        let paint = Paint::new(console.colour && console.out_is_terminal && self.output.is_none());
        let format = match self.format {
            SweepFormat::Markdown => Format::Markdown,
            _ => Format::Text,
        };
        let text = shown.print(format, paint);
        match self.output {
            Some(file) => whole::write(file, |out| Ok(out.write_all(text.as_bytes())?)),
            None => Ok(console.data(&text)?),
        }
    }

    /// The form that is written point by point, if it is one.
    fn form(&self) -> Option<Form> {
        match self.format {
            SweepFormat::Text | SweepFormat::Markdown => None,
            SweepFormat::Json => Some(Form::Json),
            SweepFormat::Csv => Some(Form::Csv),
            #[cfg(feature = "parquet")]
            SweepFormat::Parquet => Some(Form::Parquet),
            // It was refused before.
            #[cfg(not(feature = "parquet"))]
            SweepFormat::Parquet => Some(Form::Csv),
        }
    }

    /// The page with pictures, if one is wanted.
    fn page(&self) -> Output {
        Output { format: Format::Text, html: self.html.map(Path::to_path_buf) }
    }

    /// Bytes of a table are nothing for a terminal; and not every build can write them.
    fn refuse_parquet(&self) -> Result<(), Diagnostics> {
        if self.format != SweepFormat::Parquet {
            return Ok(());
        }
        Err(match (cfg!(feature = "parquet"), self.output) {
            (true, Some(_)) => return Ok(()),
            (true, None) => refusal(
                "parquet is bytes, and there is no file for them",
                "parquet with -o FILE",
                "name a file: -o sweep.parquet",
            ),
            (false, _) => refusal(
                "this program was built without parquet",
                "text, json, markdown, csv",
                "take csv, or build with it: cargo build --release -p sim --features parquet",
            ),
        })
    }
}

fn refusal(found: &str, allowed: &str, advice: &str) -> Diagnostics {
    Diagnostic::of_file("--format", found, allowed, advice).into()
}
