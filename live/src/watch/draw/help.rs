//! What the keys do, and what the words mean.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Text};

const HELP: [&str; 19] = [
    " q               stop early; what was measured is kept and told",
    " Ctrl-C          the same; a second time ends the program at once",
    " space           freeze the screen, and let it go on; the measurement goes on",
    " tab, → or 1-5   another view;  shift-tab or ← goes back",
    " ? or Esc        leave this help",
    "",
    " last second     counted by the load generator in the last whole second",
    " so far          counted in the windows of this scenario, in all rounds so far;",
    "                 the warm-up does not count",
    " predicted       for the same scenario and seeds, before it was measured",
    " differs by      so far, against predicted; pt are percentage points",
    " requests there  how many requests are at a place, on average; computed from the",
    "                 times in the answers of the last seconds (Little's law)",
    " CPU, others     used by the service, and by all else, of the service's processors",
    " of one CPU      what the threads of a process use, by its own clock",
    "",
    " These numbers are a first look. The answer comes at the end: it has the exact",
    " windows, intervals, and what disturbed the measurement.",
    "",
];

/// Draws it.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect) {
    frame.render_widget(Text::from_iter(HELP.map(Line::raw)), area);
}
