//! `live load`: a scenario's load on a service that runs already.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;

use render::{Console, Exit, Failure};

use super::failure;
use super::options::LoadOn;
use super::progress::Progress;
use crate::interrupt::Interrupt;
use crate::load::{self, Event};
use crate::machine::Facts;
use crate::machine::{Cpus, Split};
use crate::run::{self, MeasuredOn, Round, RunError};
use crate::stack::Target;

/// Puts the load on a service that this program did not start.
pub(super) fn run(options: &LoadOn, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let resolved = options.source.load(&options.timing.sets())?;
    let name = resolved.scenario.name.clone();
    let interrupt = Interrupt::listen().map_err(|error| failure(&name, RunError::System(error)))?;
    let started = run::now_in_seconds();
    let plan = load::Plan { scenario: Arc::new(resolved.scenario.clone()), target: options.to };
    let (tell, events) = channel();
    let stop = interrupt.receiver();
    let generator = std::thread::spawn(move || load::run(&plan, stop, tell));
    let mut progress = Progress::new(console);
    progress.begin(&name, 1, 1);
    let mut seconds = Vec::new();
    for event in events {
        if let Event::Second(second) = event {
            progress.report(run::Progress::Second(&second.second, None));
            seconds.push(*second);
        }
    }
    drop(progress);
    let tally = generator.join().map_err(|_| failure(&name, RunError::Generator))?;
    let tally = tally.map_err(|error| failure(&name, error.into()))?;
    let load = Cpus::allowed();
    let note = "the service was started by somebody else: nothing is known of its processor";
    let split =
        Split { service: Cpus::default(), load, separate: true, note: Some(note.to_string()) };
    let facts = Facts::gather(Path::new("."));
    let on =
        MeasuredOn { target: Target::Axum, split: &split, facts: &facts, notes: resolved.notes() };
    let mut report = run::report(&resolved, &[Round::of_load(started, tally, seconds)], &on);
    if let Some(measurement) = &mut report.measurement {
        measurement.target = "a service of your own".to_string();
    }
    console.answer(&report, options.output.format)?;
    Ok(super::measure::exit([&report]))
}
