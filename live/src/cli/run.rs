//! `live run`: what does happen?

use model::read::{Diagnostic, Diagnostics, Resolved};
use render::ci::{Suite, VerdictOutput};
use render::ladder::Document;
use render::{Console, Exit, Failure};

use super::measure::{Measured, Session, measure};
use super::options::Run;

/// Measures a scenario, or several in turns.
pub(super) fn run(options: &Run, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let measuring = &options.measuring;
    let mut loaded = options.sources.load(&measuring.timing.sets())?;
    loaded.iter_mut().try_for_each(|resolved| options.keep.apply(resolved))?;
    let scenarios: Vec<&Resolved> = loaded.iter().collect();
    if let (Some(port), 2..) = (options.port, scenarios.len()) {
        return Err(Failure::Refused(one_port(port, &scenarios)));
    }
    if let (Some(port), Some(url)) = (options.port, measuring.on.own()) {
        return Err(Failure::System(format!(
            "--port {port} is for a service that this program starts: {url} has its port"
        )));
    }
    let session = measure(&scenarios, measuring, options.port, console)?;
    let output = &options.output;
    match scenarios[..] {
        [_] => alone(&scenarios, &session, output, console)?,
        _ => side_by_side(&scenarios, &session, output, console)?,
    }
    session.end(console, output.format)
}

/// The report of one scenario.
fn alone(
    scenarios: &[&Resolved],
    session: &Session,
    output: &VerdictOutput,
    console: &mut Console<'_>,
) -> Result<(), Failure> {
    let verdicts = verdicts(scenarios, session);
    session
        .measured
        .iter()
        .try_for_each(|measured| output.judged("live run", &measured.report, &verdicts, console))
}

/// The reports of several scenarios in one table.
fn side_by_side(
    scenarios: &[&Resolved],
    session: &Session,
    output: &VerdictOutput,
    console: &mut Console<'_>,
) -> Result<(), Failure> {
    let files = scenarios.iter().map(|resolved| resolved.path().to_string());
    let reports = session.measured.iter().map(|measured| measured.report.clone());
    let steps = render::ladder::saved(files.zip(reports).collect());
    let verdicts = verdicts(scenarios, session);
    output.judged("live run", &Document::comparison(steps), &verdicts, console)
}

/// The objectives of each scenario that was measured.
pub(super) fn verdicts(scenarios: &[&Resolved], session: &Session) -> Vec<Suite> {
    let one = |(resolved, measured): (&&Resolved, &Measured)| {
        let report = &measured.report;
        let doubts = report.measurement.as_ref().map_or(&[][..], |how| &how.inconclusive);
        Suite::objectives(&resolved.scenario.name, resolved, &report.objectives, doubts)
    };
    scenarios.iter().zip(&session.measured).map(one).collect()
}

/// A named port is for one service.
fn one_port(port: u16, scenarios: &[&Resolved]) -> Diagnostics {
    let files: Vec<&str> = scenarios.iter().map(|resolved| resolved.path()).collect();
    let diagnostic = Diagnostic {
        file: format!("--port {port}"),
        line: None,
        column: None,
        found: format!("{} scenarios are to be measured: {}", files.len(), files.join(", ")),
        allowed: Some("a port for one scenario".into()),
        advice: Some(
            "leave out --port, so that each service gets a free one; or name one FILE".into(),
        ),
    };
    Diagnostics { diagnostics: vec![diagnostic] }
}
