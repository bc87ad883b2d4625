//! The most important numbers, now and over time.

use model::report::Report;
use model::station::StationId;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::{RenderDirection, Sparkline};
use render::number;

use super::Seen;
use super::table::Columns;
use super::text::{UNKNOWN, differs, doing, known, points, requests, share};
use crate::watch::message::Sample;
use crate::watch::so_far::SoFar;

/// Columns of a number.
const WIDE: u16 = 12;
/// Rows of the table with its heading.
const TABLE: u16 = 10;
/// Places that are named.
const PLACES: usize = 3;

/// Draws it.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, seen: &Seen<'_>) {
    let rows = [Constraint::Length(TABLE), Constraint::Fill(1), Constraint::Fill(1)];
    let rest = [Constraint::Length(1)];
    let [table, rates, times, places] = Layout::vertical(rows.into_iter().chain(rest)).areas(area);
    numbers(frame, table, seen);
    curve(frame, rates, seen, "good answers/s", number::rate, Sample::rate);
    let p99 = |sample: &Sample| sample.quantile(0.99).unwrap_or(0.0);
    curve(frame, times, seen, "P99", number::time, p99);
    frame.render_widget(Line::raw(mostly(seen, area.width.into())), places);
}

/// The table.
fn numbers(frame: &mut Frame<'_>, area: Rect, seen: &Seen<'_>) {
    let predicts = seen.state.has_predictions();
    let mut table = Columns::measured("", seen.paint, WIDE, predicts);
    let last = seen.state.last_second();
    let nothing = SoFar::default();
    let so_far = seen.state.so_far().unwrap_or(&nothing);
    let prediction = seen.state.prediction();
    for figure in FIGURES {
        let [last, measured] = [&last, so_far].map(figure.measured);
        let predicted = prediction.and_then(figure.predicted);
        let differs = if figure.is_share { points } else { differs };
        let numbers = [last, measured, predicted].map(|value| known(value, figure.write));
        let all = [format!(" {}", figure.name)].into_iter().chain(numbers);
        let all = all.chain([differs(measured, predicted)]);
        let failing = figure.is_bad && (last, measured) != (Some(0.0), Some(0.0));
        let failing = failing && (last > Some(0.0) || measured > Some(0.0));
        let style = if failing { seen.paint.error() } else { Default::default() };
        table.styled(all.take(if predicts { 5 } else { 3 }), style);
    }
    table.draw(frame, area, seen.paint);
}

/// A line of the table.
struct Figure {
    name: &'static str,
    measured: fn(&SoFar) -> Option<f64>,
    predicted: fn(&Report) -> Option<f64>,
    write: fn(f64) -> String,
    /// Differences are told in percentage points.
    is_share: bool,
    /// More than nothing is worth a look.
    is_bad: bool,
}

const FIGURES: [Figure; 8] = [
    Figure {
        name: "good answers/s",
        measured: |seconds| seconds.rate(seconds.answers()),
        predicted: |report| Some(report.throughput.value),
        ..Figure::of(number::rate)
    },
    Figure {
        name: "mean response time",
        measured: SoFar::mean,
        predicted: |report| Some(report.response_time.mean),
        ..Figure::of(number::time)
    },
    Figure {
        name: "P50",
        measured: |seconds| seconds.quantile(0.5),
        predicted: |report| Some(report.response_time.p50),
        ..Figure::of(number::time)
    },
    Figure {
        name: "P99",
        measured: |seconds| seconds.quantile(0.99),
        predicted: |report| Some(report.response_time.p99),
        ..Figure::of(number::time)
    },
    Figure {
        name: "errors",
        measured: SoFar::error_share,
        predicted: |report| Some(report.error_share),
        is_share: true,
        is_bad: true,
        ..Figure::of(share)
    },
    Figure {
        name: "requests in flight",
        measured: SoFar::in_flight,
        predicted: |report| Some(report.in_flight.mean.value),
        ..Figure::of(requests)
    },
    Figure {
        name: "CPU of the service",
        measured: SoFar::used,
        predicted: |report| report.station(&StationId::Cpu).map(|cpu| cpu.utilisation),
        is_share: true,
        ..Figure::of(share)
    },
    Figure {
        name: "others on that CPU",
        measured: SoFar::others,
        is_share: true,
        ..Figure::of(share)
    },
];

impl Figure {
    /// One of which nothing is known, written so.
    const fn of(write: fn(f64) -> String) -> Figure {
        Figure {
            name: "",
            measured: |_| None,
            predicted: |_| None,
            write,
            is_share: false,
            is_bad: false,
        }
    }
}

/// What `pick` finds in each second of the round, the last one at the right.
fn curve(
    frame: &mut Frame<'_>,
    area: Rect,
    seen: &Seen<'_>,
    name: &str,
    write: fn(f64) -> String,
    pick: impl Fn(&Sample) -> f64,
) {
    let [heading, picture] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(area);
    let wide = usize::from(picture.width.saturating_sub(2));
    let picture = Rect { x: picture.x + 1, width: wide as u16, ..picture };
    let values: Vec<f64> = seen.state.seconds().iter().rev().take(wide).map(pick).collect();
    let highest = values.iter().copied().fold(0.0, f64::max);
    let top = if values.is_empty() { UNKNOWN.into() } else { write(highest) };
    let text = format!(" {name}, last {} s of this round; highest {top}", values.len());
    frame.render_widget(Line::styled(text, seen.paint.heading()), heading);
    // The widget draws whole numbers.
    let scale = if highest > 0.0 { 1e6 / highest } else { 0.0 };
    let values: Vec<u64> = values.iter().map(|value| (value * scale) as u64).collect();
    let curve = Sparkline::default()
        .data(values)
        .max(1_000_000)
        .direction(RenderDirection::RightToLeft)
        .style(seen.paint.bar());
    frame.render_widget(curve, picture);
}

/// Where most requests are, as far as it fits into so many columns.
fn mostly(seen: &Seen<'_>, columns: usize) -> String {
    let recent = seen.state.recent();
    let Some(planned) = seen.state.planned().filter(|_| recent.knows_places()) else {
        return String::new();
    };
    let mut places: Vec<(f64, String)> =
        planned.places.iter().enumerate().map(|(at, id)| (recent.at(at), doing(id))).collect();
    places.sort_by(|one, other| other.0.total_cmp(&one.0));
    let mut text = String::new();
    for (mean, words) in places.into_iter().take(PLACES).filter(|(mean, _)| *mean > 0.0) {
        let start = if text.is_empty() { " requests: " } else { ", " };
        let longer = format!("{text}{start}{} {words}", requests(mean));
        if !text.is_empty() && Line::raw(longer.as_str()).width() > columns {
            break;
        }
        text = longer;
    }
    text
}
