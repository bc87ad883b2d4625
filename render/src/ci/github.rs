//! Annotations of GitHub: lines that its runner shows at the line of a file.
//!
//! An objective that is kept gets a plain line of text, so that the log lists every objective.

use model::read::Diagnostic;

use super::{Case, Outcome, Place, Suite};
use crate::Failure;

/// A line for each case.
pub(super) fn write(suites: &[Suite]) -> String {
    let lines = suites.iter().flat_map(|suite| suite.cases.iter().map(|case| line(suite, case)));
    lines.collect()
}

fn line(suite: &Suite, case: &Case) -> String {
    let level = match case.outcome {
        // A line that begins with two colons would be an order to the runner.
        Outcome::Passed => {
            let [suite, case, sentence] =
                [&*suite.name, &*case.name, &*case.sentence()].map(on_one_line);
            return format!("✓ {suite}: {case}: {sentence}\n");
        }
        Outcome::Unsure => "notice",
        Outcome::Failed => "error",
        Outcome::Open => "warning",
    };
    let title = match suite.name == case.name {
        true => case.name.clone(),
        false => format!("{}: {}", suite.name, case.name),
    };
    annotation(level, case.place.as_ref(), &title, &case.sentence())
}

/// Annotations for a command that has no answer.
pub(crate) fn of_failure(failure: &Failure) -> String {
    let one = |problem: &Diagnostic| {
        let named = Some(&problem.file).filter(|file| !file.is_empty() && !file.starts_with("--"));
        let place = named.map(|file| Place { file: file.clone(), line: problem.line });
        let allowed = problem.allowed.iter().map(|allowed| format!("allowed: {allowed}"));
        let more: Vec<String> = allowed.chain(problem.advice.clone()).collect();
        let whole = std::iter::once(problem.found.clone()).chain(more).collect::<Vec<_>>();
        annotation("error", place.as_ref(), "no answer", &whole.join("\n"))
    };
    failure.diagnostics().iter().map(one).collect()
}

fn annotation(level: &str, place: Option<&Place>, title: &str, message: &str) -> String {
    let mut properties = Vec::new();
    if let Some(place) = place {
        properties.push(format!("file={}", property(&place.file)));
        properties.extend(place.line.map(|line| format!("line={line}")));
    }
    properties.push(format!("title={}", property(title)));
    format!("::{level} {}::{}\n", properties.join(","), data(message))
}

/// In a plain line nothing is escaped; but no text begins another line, which could be an order.
fn on_one_line(text: &str) -> String {
    text.replace(['\r', '\n'], " ")
}

/// A message: percent signs and line ends are escaped.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property: colons and commas as well.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_annotation_is_escaped_as_its_reader_undoes_it() {
        let place = Place { file: "a,b:c.toml".into(), line: Some(7) };
        let line = annotation("error", Some(&place), "errors < 1%", "5 %\nof 100: too, many");
        let wanted =
            "::error file=a%2Cb%3Ac.toml,line=7,title=errors < 1%25::5 %25%0Aof 100: too, many\n";
        assert_eq!(line, wanted);
        assert_eq!(on_one_line("5 %\r\n::error::x"), "5 %  ::error::x");
    }
}
