//! JUnit XML, as build servers read it.
//!
//! No time and no date is in it: the same answer has the same bytes.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{Case, Outcome, Place, Suite};

/// The document of `program`.
///
/// # Errors
/// None that such a document can have; those of the library are passed on.
pub(super) fn write(program: &str, suites: &[Suite]) -> Result<String, String> {
    let mut report = Report::new(program);
    for suite in suites {
        let mut written = TestSuite::new(suite.name.as_str());
        // Of a case, schemas know no file.
        let mut files = suite.cases.iter().filter_map(|case| case.place.as_ref());
        if let Some(place) = files.next() {
            written.extra.insert("file".into(), place.file.as_str().into());
        }
        written.add_test_cases(suite.cases.iter().map(|case| test_case(suite, case)));
        report.add_test_suite(written);
    }
    report.to_string().map_err(|error| error.to_string())
}

/// A case without a verdict is written as skipped, with the reason: it has neither passed nor failed.
fn test_case(suite: &Suite, case: &Case) -> TestCase {
    let mut status = match case.outcome {
        Outcome::Passed | Outcome::Unsure => TestCaseStatus::success(),
        Outcome::Failed => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Outcome::Open => TestCaseStatus::skipped(),
    };
    let told = case.sentence();
    match case.outcome {
        Outcome::Failed => {
            let whole = format!("{}\n{}", heading(case), lines(case));
            status.set_message(told.as_str()).set_type("broken").set_description(whole);
        }
        Outcome::Open => {
            status.set_message(told.as_str());
        }
        Outcome::Passed | Outcome::Unsure => {}
    }
    let mut written = TestCase::new(case.name.as_str(), status);
    written.set_classname(suite.name.as_str());
    if matches!(case.outcome, Outcome::Passed | Outcome::Unsure) {
        written.set_system_out(lines(case));
    }
    written
}

/// The case after its place, as compilers name one.
fn heading(case: &Case) -> String {
    let Some(Place { file, line }) = &case.place else { return case.name.clone() };
    match line {
        Some(line) => format!("{file}:{line}: {}", case.name),
        None => format!("{file}: {}", case.name),
    }
}

fn lines(case: &Case) -> String {
    let found = Some(&case.found).filter(|found| !found.is_empty());
    found.into_iter().chain(&case.more).map(String::as_str).collect::<Vec<_>>().join("\n")
}
