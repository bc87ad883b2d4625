//! Good answers by endpoint.

use ratatui::Frame;
use ratatui::layout::Rect;
use render::number;

use super::Seen;
use super::table::Columns;
use super::text::{UNKNOWN, differs, known};
use crate::watch::so_far::SoFar;

/// Columns of a number.
const WIDE: u16 = 12;

/// Draws them.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, seen: &Seen<'_>) {
    let Some(planned) = seen.state.planned() else { return };
    let predicts = seen.state.has_predictions();
    let mut table = Columns::measured(" good answers/s", seen.paint, WIDE, predicts);
    let last = seen.state.last_second();
    let nothing = SoFar::default();
    let so_far = seen.state.so_far().unwrap_or(&nothing);
    for (index, name) in planned.endpoints.iter().enumerate() {
        let rate = |all: &SoFar| all.rate(all.good.get(index).copied().unwrap_or(0));
        let class = |report: &model::report::Report| {
            let class = report.classes.iter().find(|class| class.name == *name);
            class.map(|class| class.throughput.value)
        };
        let predicted = seen.state.prediction().and_then(class);
        let cells = [
            format!(" {name}"),
            known(rate(&last), number::rate),
            known(rate(so_far), number::rate),
            predicted.map_or_else(|| UNKNOWN.into(), number::rate),
            differs(rate(so_far), predicted),
        ];
        table.row(cells.into_iter().take(if predicts { 5 } else { 3 }));
    }
    table.draw(frame, area, seen.paint);
}
