//! `live load`: a scenario's load on a service that runs already.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;

use render::{Console, Exit, Failure};

use super::failure;
use super::options::LoadOn;
use super::progress::{Progress, Turn};
use crate::interrupt::Interrupt;
use crate::load::{self, Event};
use crate::machine::Facts;
use crate::machine::{Cpus, Split};
use crate::run::{self, MeasuredOn, Round, RunError, Seen};
use crate::stack::{Target, Unreachable};

/// Puts the load on a service that this program did not start.
pub(super) fn run(options: &LoadOn, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let resolved = options.source.load(&options.timing.sets())?;
    let name = resolved.scenario.name.clone();
    let url = &options.to;
    let unreachable = |error: Unreachable| Failure::System(error.to_string());
    let addresses = url.addresses(&options.hosts.allowed).map_err(unreachable)?;
    let target = url.answering(&addresses).map_err(unreachable)?;
    let interrupt = Interrupt::listen().map_err(|error| failure(&name, RunError::System(error)))?;
    let started = run::now_in_seconds();
    let scenario = Arc::new(resolved.scenario.clone());
    let plan = load::Plan { scenario, target, own: Some(url.authority()) };
    let (tell, events) = channel();
    let stop = interrupt.receiver();
    let generator = std::thread::spawn(move || load::run(&plan, stop, tell));
    let mut progress = Progress::new(console, None, None);
    let cpus = Cpus::default();
    let turn = Turn { scenario: 0, name: &name, round: 0, number: 1, total: Some(1), cpus: &cpus };
    progress.begin(&turn);
    let mut seconds = Vec::new();
    for event in events {
        if let Event::Second(second) = event {
            let seen = Seen { second: &second, cores: 0, busy: None, workers: Vec::new() };
            progress.report(run::Progress::Second(seen));
            seconds.push(*second);
        }
    }
    drop(progress);
    let tally = generator.join().map_err(|_| failure(&name, RunError::Generator))?;
    let tally = tally.map_err(|error| failure(&name, error.into()))?;
    let split = Split::beside(None, &Cpus::allowed(), resolved.scenario.cpu.cores);
    let note = "the service was started by somebody else: nothing is known of its processor";
    let split = Split { note: Some(note.to_string()), ..split };
    let facts = Facts::gather(Path::new("."));
    let on = MeasuredOn {
        target: Target::Own,
        own: Some(url.to_string()),
        split: &split,
        facts: &facts,
        notes: resolved.notes(),
    };
    let report = run::report(&resolved, &[Round::of_load(started, tally, seconds)], &on);
    options.output.answer(&report, console)?;
    Ok(super::measure::exit([&report]))
}
