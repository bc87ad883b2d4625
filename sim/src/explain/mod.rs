//! The answer of `sim explain`.

pub mod program;

use std::fmt::Write as _;

use model::report::{Knob, Report};
use model::statistics::Estimate;
use render::table::{Align, Table};
use render::{Paint, number, parts, scenario};

use program::Program;

/// Why the service does what it does.
pub fn text(report: &Report, programs: &[Program], paint: Paint) -> String {
    let mut out = format!("{}\n\n", paint.bold(&parts::title(report)));
    out += &scenario::summary(report);
    let mut section = |heading: &str, body: &str| {
        let _ = write!(out, "\n{}\n{body}", paint.bold(heading));
    };
    section("Each limit relaxed in turn, all else and all random numbers equal:", &knobs(report));
    section(parts::BOUNDS, &parts::bounds(&report.bounds));
    if report.run.samples > 0 {
        let mean = number::time(report.response_time.mean);
        section(&format!("Where the {mean} of a good answer go:"), &parts::time(&report.time, 0.0));
    }
    section("What requests use and wait for:", &parts::stations(&report.stations));
    section(
        "What a request does, and what that takes on average if it waits for nobody:",
        &programs.iter().map(Program::text).collect::<Vec<_>>().join("\n"),
    );
    out += &scenario::closing(report, paint);
    out
}

fn knobs(report: &Report) -> String {
    let mut table = Table::new(&[
        ("  knob", Align::Left),
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
        let names = [format!("  {}", knob.knob), knob.from.clone(), knob.to.clone()];
        let rate = [number::rate(knob.throughput)];
        table.row(names.into_iter().chain(rate).chain(gain).chain(times));
    }
    table.text()
}

/// A change and half its interval, in points of the same percentage.
fn estimate(change: &Estimate) -> [String; 2] {
    let half = change.half_width() * 100.0;
    [number::change(change.value), format!("±{half:.1}")]
}
