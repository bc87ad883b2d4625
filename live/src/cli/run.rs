//! `live run`: what does happen?

use render::{Console, Exit, Failure, Format, json};

use super::measure::measure;
use super::options::Run;

/// Measures one scenario.
pub(super) fn run(options: &Run, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let measuring = &options.measuring;
    let resolved = options.source.load(&measuring.timing.sets())?;
    let out = &measuring.files.out;
    let session = measure(&[&resolved], measuring.repeat, out, options.port, console)?;
    for measured in &session.measured {
        let text = match options.output.format {
            Format::Text => render::scenario::text(&measured.report, console.paint()),
            Format::Json => json(&measured.report),
        };
        console.data(&text)?;
    }
    session.end(console, options.output.format)
}
