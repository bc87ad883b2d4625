//! Traces: what requests wait for.

use std::io::Read;
use std::path::Path;

use model::read::Diagnostic;

use crate::records::lines::{self, Broken};
use crate::wait::requests::{Request, requests};
use crate::wait::spans::{self, Span};

/// Requests of traces with what each asked of others.
#[derive(Debug, Default)]
pub(super) struct Traces {
    pub(super) requests: Vec<Request>,
    left_out: usize,
}

/// Spans that are held: of more, the first.
const HELD: usize = 1_000_000;
/// Bytes of a document of Jaeger that are read.
const LONGEST: u64 = 512 << 20;

impl Traces {
    pub(super) fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// Reads one file, and says what a reader has to know of it.
    pub(super) fn read(&mut self, file: &Path, jaeger: bool) -> Result<Option<String>, Diagnostic> {
        let unreadable = |error| lines::unreadable(file, &error);
        let mut from = lines::open(file).map_err(unreadable)?;
        let mut found: Vec<Span> = Vec::new();
        let before = self.left_out;
        let mut note;
        if jaeger {
            let mut text = String::new();
            from.take(LONGEST).read_to_string(&mut text).map_err(unreadable)?;
            let allowed = "what Jaeger answers to /api/traces, as JSON";
            let advice =
                "save it with `curl 'http://HOST:16686/api/traces?service=NAME&limit=5000'`";
            let (spans, account) = spans::jaeger(&text).map_err(|error| {
                let file = file.display().to_string();
                Diagnostic::of_file(file, error.to_string(), allowed, advice)
            })?;
            account.check(file, allowed, advice)?;
            (found, note) = (spans, account.note(file));
        } else {
            let left_out = &mut self.left_out;
            let account = lines::each(&mut from, |line| {
                let spans =
                    spans::otlp_json_line(line).map_err(|bad| Broken::new(bad.to_string()))?;
                if found.len() + spans.len() > HELD {
                    *left_out += spans.len();
                } else {
                    found.extend(spans);
                }
                Ok(())
            });
            let account = account.map_err(unreadable)?;
            account.check(
                file,
                "lines of OTLP in JSON, as the collector's file exporter writes them",
                "let the collector write them: `exporters: file: {path: traces.json}`",
            )?;
            note = account.note(file);
        }
        self.requests.extend(requests(&found));
        self.requests.sort_by_key(|request| (request.start, request.end));
        let left_out = self.left_out - before;
        if left_out > 0 {
            let more = format!("{left_out} spans beyond the first million were left out.");
            note = Some(note.map_or(more.clone(), |note| format!("{note} {more}")));
        }
        Ok(note)
    }
}
