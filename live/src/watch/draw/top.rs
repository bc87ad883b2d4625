//! The first three lines: what is measured, how far it is, and the views.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use super::bar::bar;
use super::text::{about, share};
use super::{Seen, View};
use crate::watch::state::Phase;

/// Columns of the bar of all rounds.
const BAR: usize = 30;

/// Draws them.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, seen: &Seen<'_>) {
    let [title, progress, views] = Layout::vertical([Constraint::Length(1); 3]).areas(area);
    let (left, right) = (subject(seen), phase(seen));
    let style = seen.paint.reversed();
    frame.render_widget(Line::styled(" ".repeat(title.width.into()), style), title);
    let wide = Line::raw(right.as_str()).width() as u16;
    let [subject, state] =
        Layout::horizontal([Constraint::Min(0), Constraint::Length(wide)]).spacing(2).areas(title);
    frame.render_widget(Line::styled(left, style), subject);
    frame.render_widget(Line::styled(right, style), state);
    frame.render_widget(Line::raw(far(seen)), progress);
    frame.render_widget(tabs(seen), views);
}

/// What is measured, and which turn it is.
fn subject(seen: &Seen<'_>) -> String {
    let (Some(plan), Some(planned)) = (seen.state.plan(), seen.state.planned()) else {
        return " starting".into();
    };
    let turn = match seen.state.turn() {
        Some([_, 1, _, 1]) | None => String::new(),
        Some([_, 1, round, rounds]) => format!(", round {round} of {rounds}"),
        Some([one, all, _, 1]) => format!(", scenario {one} of {all}"),
        Some([one, all, round, rounds]) => {
            format!(", scenario {one} of {all}, round {round} of {rounds}")
        }
    };
    format!(" {} on {}{turn}", planned.name, plan.target)
}

/// What the round is at.
fn phase(seen: &Seen<'_>) -> String {
    if seen.frozen {
        return "FROZEN: space goes on ".into();
    }
    if seen.state.stopping {
        return "stopping: what was measured is kept ".into();
    }
    let seconds = |nanos: u64| nanos / 1_000_000_000;
    match seen.state.phase(seen.at) {
        Phase::Waiting => String::new(),
        Phase::Starting => "starting processes ".into(),
        Phase::WarmingUp(passed, all) => {
            format!("warming up, {} of {} ", seconds(passed), about(all))
        }
        Phase::Counting(passed, all) => format!("counting, {} of {} ", seconds(passed), about(all)),
        Phase::Ending => "ending processes ".into(),
    }
}

/// How far all rounds are.
fn far(seen: &Seen<'_>) -> String {
    let Some((left, over)) = seen.state.left(seen.at) else { return String::new() };
    let rounds = seen.state.plan().map_or(0, |plan| plan.rounds as usize * plan.scenarios.len());
    let more = seen
        .state
        .turn()
        .map_or(rounds, |[one, all, round, _]| rounds.saturating_sub((round - 1) * all + one));
    let to_go = match (rounds, more) {
        (1, _) => String::new(),
        (_, 0) => ", the last round".into(),
        (_, 1) => ", 1 more round".into(),
        (_, more) => format!(", {more} more rounds"),
    };
    format!(" {} {}, about {} left{to_go}", bar(over, BAR), share(over), about(left))
}

/// The views and their numbers. Brackets mark the one that is shown.
fn tabs(seen: &Seen<'_>) -> Line<'static> {
    let tab = |(index, view): (usize, View)| {
        let name = format!("{} {}", index + 1, view.name());
        if view == seen.view {
            Span::styled(format!("[{name}]"), seen.paint.reversed())
        } else {
            Span::raw(format!(" {name} "))
        }
    };
    Line::from_iter(View::ALL.into_iter().enumerate().map(tab))
}
