//! Messages about what is wrong with a file and how to put it right.

use std::fmt;

use serde::Serialize;

use super::source::Sources;
use crate::keys::Position;

/// One problem: where, what was found, what is allowed, what to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Diagnostic {
    /// The file as the user knows it, or `--set KEY=VALUE`.
    pub file: String,
    /// Line, counted from 1; none where the problem has no line.
    pub line: Option<u32>,
    /// Column in characters, counted from 1.
    pub column: Option<u32>,
    /// What was found.
    pub found: String,
    /// What is allowed there.
    pub allowed: Option<String>,
    /// What to do about it: an order, or a question such as "did you mean `workers`?".
    pub advice: Option<String>,
}

impl Diagnostic {
    /// A problem with a whole file, or with an option, without a line.
    pub fn of_file(
        file: impl Into<String>,
        found: impl Into<String>,
        allowed: impl Into<String>,
        advice: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic {
            file: file.into(),
            line: None,
            column: None,
            found: found.into(),
            allowed: Some(allowed.into()),
            advice: Some(advice.into()),
        }
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Diagnostics {
        Diagnostics { diagnostics: vec![diagnostic] }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "error: {}", self.file)?;
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(out, ":{line}:{column}")?;
        }
        write!(out, ": {}", self.found)?;
        if let Some(allowed) = &self.allowed {
            write!(out, "\n  allowed: {allowed}")?;
        }
        match &self.advice {
            Some(question) if question.ends_with('?') => write!(out, "\n  {question}"),
            Some(order) => write!(out, "\n  do: {order}"),
            None => Ok(()),
        }
    }
}

/// Every problem of a scenario and the files that it names, by file and place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostics {
    /// At least one.
    pub diagnostics: Vec<Diagnostic>,
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.diagnostics.iter().enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            write!(out, "{diagnostic}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

/// A problem that still knows its place by number.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    at: Position,
    found: String,
    allowed: Option<String>,
    advice: Option<String>,
}

impl Problem {
    pub(crate) fn new(at: Position, found: impl Into<String>) -> Problem {
        Problem { at, found: found.into(), allowed: None, advice: None }
    }

    pub(crate) fn allowed(mut self, allowed: impl Into<String>) -> Problem {
        self.allowed = Some(allowed.into());
        self
    }

    pub(crate) fn advice(mut self, advice: impl Into<String>) -> Problem {
        self.advice = Some(advice.into());
        self
    }

    pub(crate) fn maybe_advice(mut self, advice: Option<String>) -> Problem {
        self.advice = advice.or(self.advice);
        self
    }
}

/// Problems found so far. Reading goes on after a problem, so that all are reported at once.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<Problem>);

/// Problems beyond this many are not kept.
const MOST_PROBLEMS: usize = 1000;

impl Problems {
    pub(crate) fn push(&mut self, problem: Problem) {
        if self.0.len() < MOST_PROBLEMS {
            self.0.push(problem);
        }
    }

    pub(crate) fn append(&mut self, others: Problems) {
        others.0.into_iter().for_each(|problem| self.push(problem));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The problems as the user sees them: in order of file and place, each once.
    pub(crate) fn finish(mut self, sources: &Sources) -> Diagnostics {
        // Where two are at one place, the one found first is the more basic: stable sort.
        self.0.sort_by_key(|problem| problem.at);
        let mut diagnostics: Vec<Diagnostic> = Vec::with_capacity(self.0.len());
        for problem in self.0 {
            let (file, position) = sources.locate(problem.at);
            let diagnostic = Diagnostic {
                file,
                line: position.map(|(line, _)| line),
                column: position.map(|(_, column)| column),
                found: problem.found,
                allowed: problem.allowed,
                advice: problem.advice,
            };
            if !diagnostics.contains(&diagnostic) {
                diagnostics.push(diagnostic);
            }
        }
        diagnostics.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
        Diagnostics { diagnostics }
    }
}

/// The name in `names` that is nearest to `wrong`, if one is near enough to be meant.
pub fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Names are short; anything longer is no misspelling of one.
    if wrong.len() > 64 {
        return None;
    }
    let plain = |text: &str| text.to_lowercase().replace('-', "_");
    let wrong = plain(wrong);
    names
        .into_iter()
        .filter_map(|name| {
            let other = plain(name);
            let distance = strsim::osa_distance(&wrong, &other);
            let longer = wrong.chars().count().max(other.chars().count());
            let (short, long) =
                if wrong.len() < other.len() { (&wrong, &other) } else { (&other, &wrong) };
            let contained =
                short.len() >= 3 && short.len() * 3 >= long.len() && long.contains(short);
            (distance * 5 <= longer * 2 || contained).then_some((distance, name))
        })
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, name)| name)
}

/// "did you mean `workers`?"
pub(crate) fn did_you_mean<'a>(
    wrong: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    nearest(wrong, names).map(|name| format!("did you mean `{name}`?"))
}

/// "`a`, `b` or `c`".
pub(crate) fn one_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => "nothing".into(),
    }
}

/// `text` cut to a length that fits on a line.
pub(crate) fn brief(text: &str) -> String {
    let mut brief: String = text.chars().take(60).flat_map(char::escape_debug).collect();
    if text.chars().nth(60).is_some() {
        brief.push_str("...");
    }
    brief
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_near() {
        let names = ["workers", "threads", "keep_alive", "spread"];
        assert_eq!(nearest("worker", names), Some("workers"));
        assert_eq!(nearest("keep-alive", names), Some("keep_alive"));
        assert_eq!(nearest("Thraeds", names), Some("threads"));
        assert_eq!(nearest("banana", names), None);
    }

    #[test]
    fn words_are_listed_as_a_sentence_lists_them() {
        assert_eq!(one_of(["a"]), "`a`");
        assert_eq!(one_of(["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
