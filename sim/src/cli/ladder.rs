//! `sim ladder`: what did each change buy?

use model::read::{Diagnostic, Diagnostics, Rung, ladder};
use serde::Serialize;

use super::console::Console;
use super::failure::Failure;
use super::options::{Format, Ladder};
use super::progress::Progress;
use crate::predict::{Experiment, predict};
use crate::render;
use crate::render::ladder::{Step, steps};

/// Half width of each throughput's interval that is aimed at.
const PRECISION: f64 = 0.01;

/// Replications on which each knob is tried, as in `sim scenario`.
const KNOB_REPLICATIONS: u32 = 4;

/// The document for programs.
#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    kind: &'static str,
    scenario: &'a str,
    rungs: &'a [Step],
}

/// Predicts every rung of a ladder.
pub(super) fn run(options: &Ladder, console: &mut Console<'_>) -> Result<(), Failure> {
    let mut rungs = ladder(options.source.path(), &options.source.sets())?;
    rungs.iter_mut().for_each(|rung| options.source.forget_published(&mut rung.resolved));
    if !options.allow_many {
        refuse_many(&rungs)?;
    }
    let effort = options.effort.effort(PRECISION);
    let mut progress = Progress::new(console, effort.confidence);
    let mut reports = Vec::with_capacity(rungs.len());
    for rung in &rungs {
        let experiment = Experiment::First(KNOB_REPLICATIONS);
        let mut told = |stage: crate::predict::Stage<'_>| progress.report(&rung.name, stage);
        let report = predict(&rung.resolved, &effort, experiment, &mut told)
            .map_err(|runaway| Failure::runaway(&rung.name, runaway))?;
        reports.push(report);
    }
    drop(progress);
    let steps = steps(&rungs, reports);
    let scenario = rungs.last().map_or("", |rung| rung.name.as_str());
    let text = match options.output.format {
        Format::Text => render::ladder::text(&steps, console.paint()),
        Format::Json => super::json(&Document {
            schema: model::report::SCHEMA,
            kind: "ladder",
            scenario,
            rungs: &steps,
        }),
    };
    Ok(console.data(&text)?)
}

/// A gain can be put down to a knob only if it is the one that was turned.
fn refuse_many(rungs: &[Rung]) -> Result<(), Diagnostics> {
    let diagnostics: Vec<Diagnostic> =
        rungs.iter().filter(|rung| rung.knobs_turned() > 1).map(refusal).collect();
    if diagnostics.is_empty() { Ok(()) } else { Err(Diagnostics { diagnostics }) }
}

fn refusal(rung: &Rung) -> Diagnostic {
    let turned = render::ladder::turned_knobs(rung);
    let keys: Vec<String> =
        rung.changes.iter().map(|change| format!("\"{}\"", change.key)).collect();
    Diagnostic {
        file: rung.resolved.path().to_string(),
        line: None,
        column: None,
        found: format!(
            "rung `{}` turns {} knobs at once, so that no gain can be put down to one of them: {}",
            rung.name,
            turned.len(),
            turned.join("; ")
        ),
        allowed: Some("one knob per rung".into()),
        advice: Some(format!(
            "give each knob a rung of its own; or, if they belong together, name them: \
             knob = {{ name = \"...\", keys = [{}] }}; or pass --allow-many",
            keys.join(", ")
        )),
    }
}
