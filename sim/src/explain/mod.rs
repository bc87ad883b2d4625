//! The answer of `sim explain`.

pub mod program;

use model::report::{Knob, Report};
use model::statistics::Estimate;
use render::page::{Align, Page, Table};
use render::{Answer, number, parts, scenario};
use serde::Serialize;

use program::Program;

/// Why the service does what it does: the report, and what its requests are made of.
#[derive(Serialize)]
pub struct Explanation<'a> {
    /// The prediction, with all limits relaxed.
    #[serde(flatten)]
    pub report: &'a Report,
    /// What the requests of each endpoint do.
    pub programs: &'a [Program],
}

impl Answer for Explanation<'_> {
    fn page(&self) -> Page {
        let report = self.report;
        let mut page = Page::new();
        page.title(parts::title(report));
        page.fields(scenario::summary(report));
        page.heading("Each limit relaxed in turn, all else and all random numbers equal:");
        page.table(knobs(report));
        page.heading(parts::BOUNDS);
        page.table(parts::bounds(&report.bounds));
        if report.run.samples > 0 {
            let mean = number::time(report.response_time.mean);
            page.heading(format!("Where the {mean} of a good answer go:"));
            page.bars(parts::time(&report.time, 0.0));
        }
        page.heading("What requests use and wait for:");
        page.table(parts::stations(&report.stations));
        page.heading("What a request does, and what that takes on average if it waits for nobody:");
        for program in self.programs {
            program.write(&mut page);
        }
        scenario::closing(&mut page, report);
        page
    }
}

fn knobs(report: &Report) -> Table {
    let mut table = Table::new(&[
        ("knob", Align::Left),
        ("from", Align::Left),
        ("to", Align::Left),
        ("good/s", Align::Right),
        ("gain", Align::Right),
        ("", Align::Left),
        ("mean response time", Align::Right),
        ("", Align::Left),
    ]);
    let silent = report.throughput.value == 0.0;
    for knob in &report.knobs {
        let Knob { gain, response_time_change: slower, .. } = knob;
        let (gain, times) = if silent {
            // A ratio to nothing has no meaning.
            (["-".into(), String::new()], ["-".into(), String::new()])
        } else if !knob.reached {
            (["never reached".into(), String::new()], ["-".into(), String::new()])
        } else {
            (estimate(gain), estimate(slower))
        };
        let names = [knob.knob.clone(), knob.from.clone(), knob.to.clone()];
        let rate = [number::rate(knob.throughput)];
        table.row(names.into_iter().chain(rate).chain(gain).chain(times));
    }
    table.indented(2)
}

/// A change and half its interval, in points of the same percentage.
fn estimate(change: &Estimate) -> [String; 2] {
    let half = change.half_width() * 100.0;
    [number::change(change.value), format!("±{half:.1}")]
}
