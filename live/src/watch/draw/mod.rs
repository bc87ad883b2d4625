//! What is known, as characters. Nothing here changes anything.

mod bar;
mod endpoints;
mod errors;
mod help;
mod overview;
mod paint;
mod stations;
mod table;
mod text;
mod top;
mod view;
mod workers;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Text};
use ratatui::widgets::{Paragraph, Wrap};

use super::state::State;
pub(super) use paint::Paint;
pub(super) use view::View;

/// Columns and rows that everything fits into.
const LEAST: (u16, u16) = (80, 24);

/// What is to be seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'a> {
    /// What is known.
    pub(super) state: &'a State,
    /// When, in nanoseconds.
    pub(super) at: u64,
    /// Which part of it.
    pub(super) view: View,
    /// The user has frozen it.
    pub(super) frozen: bool,
    /// How it is emphasised.
    pub(super) paint: Paint,
}

/// Draws the whole screen, with the help instead of the view if it is wanted.
pub(super) fn all(frame: &mut Frame<'_>, seen: &Seen<'_>, help: bool) {
    let area = frame.area();
    if area.width < LEAST.0 || area.height < LEAST.1 {
        return too_small(frame, area);
    }
    let rows = [Constraint::Length(3), Constraint::Length(1), Constraint::Min(0)];
    let [top, _, rest] = Layout::vertical(rows).areas(area);
    let [body, foot] = Layout::vertical([Constraint::Min(0), Constraint::Length(1)]).areas(rest);
    top::draw(frame, top, seen);
    if help {
        help::draw(frame, body);
    } else if seen.state.planned().is_none() || seen.state.turn().is_none() {
        frame.render_widget(Line::raw(" nothing is measured yet"), body);
    } else {
        match seen.view {
            View::Overview => overview::draw(frame, body, seen),
            View::Stations => stations::draw(frame, body, seen),
            View::Errors => errors::draw(frame, body, seen),
            View::Endpoints => endpoints::draw(frame, body, seen),
            View::Workers => workers::draw(frame, body, seen),
        }
    }
    let keys = " q stop and keep   space freeze   tab or 1 to 5 another view   ? help";
    frame.render_widget(Line::styled(keys, seen.paint.quiet()), foot);
}

fn too_small(frame: &mut Frame<'_>, area: Rect) {
    let text = format!(
        "This terminal is {} × {}; {} × {} are needed. Make it larger.\nThe measurement goes on. q stops \
         it and keeps what was measured.",
        area.width, area.height, LEAST.0, LEAST.1
    );
    frame.render_widget(Paragraph::new(Text::raw(text)).wrap(Wrap { trim: true }), area);
}
