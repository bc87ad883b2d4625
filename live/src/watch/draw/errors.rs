//! Errors by kind.

use std::collections::BTreeSet;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use render::{number, parts};

use super::Seen;
use super::table::{Align, Columns};
use super::text::{UNKNOWN, known, share};
use crate::watch::so_far::SoFar;

/// Columns of a number.
const WIDE: u16 = 12;

/// Draws them.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, seen: &Seen<'_>) {
    let nothing = SoFar::default();
    let so_far = seen.state.so_far().unwrap_or(&nothing);
    let round = seen.state.this_round();
    let last = seen.state.last_second();
    let [table, sums] = Layout::vertical([Constraint::Min(0), Constraint::Length(3)]).areas(area);
    by_kind(frame, table, seen, [&last, &round, so_far]);
    let share = known(so_far.error_share(), share);
    let text = format!(
        " so far: {} requests sent, {} good, {} errors ({share} of what has ended)",
        so_far.sent,
        so_far.answers(),
        so_far.failed()
    );
    let dropped =
        format!(" arrivals that found every user busy, and were not sent: {}", so_far.dropped);
    let note = " this round: all its seconds; so far: this scenario's windows in all rounds";
    let lines = [text, dropped, note.into()].map(Line::raw);
    frame.render_widget(ratatui::text::Text::from_iter(lines), sums);
}

fn by_kind(frame: &mut Frame<'_>, area: Rect, seen: &Seen<'_>, [last, round, so_far]: [&SoFar; 3]) {
    let prediction = seen.state.prediction();
    let predicts = seen.state.has_predictions();
    let mut table = Columns::new(" errors per second", seen.paint)
        .with("last second", WIDE, Align::Right)
        .with("this round", WIDE, Align::Right)
        .with("so far", WIDE, Align::Right)
        .with_if(predicts, "predicted", WIDE);
    let expected = prediction.into_iter().flat_map(|report| &report.errors);
    let expected = expected.filter(|(_, count)| **count > 0.0).map(|(kind, _)| kind);
    let kinds: BTreeSet<&String> =
        round.errors.keys().chain(so_far.errors.keys()).chain(expected).collect();
    if kinds.is_empty() {
        table.row([" none so far".to_string()]);
    }
    for kind in kinds {
        let count = |all: &SoFar| all.errors.get(kind).copied().unwrap_or(0);
        let rate = |all: &SoFar| known(all.rate(count(all)), number::rate);
        let predicted = prediction.map_or_else(
            || UNKNOWN.into(),
            |report| {
                let count = report.errors.get(kind).copied().unwrap_or(0.0);
                number::rate(count / report.run.duration)
            },
        );
        let cells =
            [format!(" {}", parts::error(kind)), rate(last), rate(round), rate(so_far), predicted];
        let style = if count(last) > 0 { seen.paint.error() } else { Default::default() };
        table.styled(cells.into_iter().take(if predicts { 5 } else { 4 }), style);
    }
    table.draw(frame, area, seen.paint);
}
