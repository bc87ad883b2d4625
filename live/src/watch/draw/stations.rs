//! What requests use, and where they are.

use model::place::PlaceId;
use model::report::Report;
use model::station::StationId;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;

use super::Seen;
use super::bar::{bar, length};
use super::table::{Align, Columns};
use super::text::{UNKNOWN, doing, known, requests, share};
use crate::watch::message::{Planned, Slots};
use crate::watch::so_far::SoFar;
use crate::watch::state::RECENT;

/// Columns of a number.
const WIDE: u16 = 9;
/// Columns of a bar.
const BAR: u16 = 16;

/// Draws them.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, seen: &Seen<'_>) {
    let Some(planned) = seen.state.planned() else { return };
    let limits = 2 + planned.slots.len() as u16;
    // A third is enough for limits, should there be very many.
    let limits = limits.min(area.height / 3).max(2);
    let rows = [Constraint::Length(limits), Constraint::Length(1), Constraint::Min(0)];
    let [used, _, places] = Layout::vertical(rows).areas(area);
    let recent = seen.state.recent();
    in_use(frame, used, seen, planned, &recent);
    if recent.knows_places() {
        whereabouts(frame, places, seen, planned, &recent);
    } else {
        let text = match recent.is_empty() {
            true => " no answer has come yet",
            false => " where requests wait is not known: the service does not say it",
        };
        frame.render_widget(Line::raw(text), places);
    }
}

/// What has a limit.
fn in_use(frame: &mut Frame<'_>, area: Rect, seen: &Seen<'_>, planned: &Planned, recent: &SoFar) {
    let predicts = seen.state.has_predictions();
    let mut table = Columns::new(&format!(" in use, last {RECENT} s"), seen.paint)
        .with("", BAR, Align::Bar)
        .with("now", WIDE, Align::Right)
        .with("of", WIDE, Align::Right)
        .with("so far", WIDE, Align::Right)
        .with_if(predicts, "predicted", WIDE);
    let prediction = seen.state.prediction();
    let so_far = seen.state.so_far();
    let used = |id: &StationId| {
        prediction.and_then(|report| report.station(id)).map(|station| station.utilisation)
    };
    let cores = match seen.state.last().map(|sample| sample.cores) {
        None => UNKNOWN.into(),
        Some(1) => "1 CPU".into(),
        Some(cores) => format!("{cores} CPUs"),
    };
    let cells = [
        " CPU of the service".into(),
        bar(recent.used().unwrap_or(0.0), BAR.into()),
        known(recent.used(), share),
        cores,
        known(so_far.and_then(SoFar::used), share),
        known(used(&StationId::Cpu), share),
    ];
    let columns = if predicts { 6 } else { 5 };
    table.row(cells.into_iter().take(columns));
    for Slots { station, most, place } in &planned.slots {
        let now = recent.at(*place).min(*most as f64);
        let before = so_far.filter(|all| !all.is_empty()).map(|all| all.at(*place));
        let cells = [
            format!(" {}", station.words()),
            bar(now / *most as f64, BAR.into()),
            requests(now),
            most.to_string(),
            known(before, requests),
            known(used(station).map(|share| share * *most as f64), requests),
        ];
        table.row(cells.into_iter().take(columns));
    }
    table.draw(frame, area, seen.paint);
}

/// How many requests are where.
fn whereabouts(
    frame: &mut Frame<'_>,
    area: Rect,
    seen: &Seen<'_>,
    planned: &Planned,
    recent: &SoFar,
) {
    let predicts = seen.state.has_predictions();
    let mut table = Columns::new(&format!(" requests there, last {RECENT} s"), seen.paint)
        .with("", BAR, Align::Bar)
        .with("now", WIDE, Align::Right)
        .with("so far", WIDE, Align::Right)
        .with_if(predicts, "predicted", WIDE);
    let so_far = seen.state.so_far().filter(|all| !all.is_empty());
    let predicted = |id: &PlaceId| seen.state.prediction().map(|report| at(report, id));
    let now: Vec<f64> = (0..planned.places.len()).map(|place| recent.at(place)).collect();
    let all: f64 = now.iter().sum();
    let mut rows: Vec<(f64, [String; 5])> = Vec::new();
    for ((place, id), now) in planned.places.iter().enumerate().zip(&now) {
        let before = so_far.map(|all| all.at(place));
        let most = now.max(before.unwrap_or(0.0)).max(predicted(id).unwrap_or(0.0));
        if most <= 0.0 {
            continue;
        }
        let cells = [
            format!(" {}", doing(id)),
            length(now / all, BAR.into()),
            requests(*now),
            known(before, requests),
            predicted(id).map_or_else(|| UNKNOWN.into(), requests),
        ];
        rows.push((*now, cells));
    }
    rows.sort_by(|one, other| other.0.total_cmp(&one.0));
    let columns = if predicts { 5 } else { 4 };
    rows.into_iter().for_each(|(_, cells)| table.row(cells.into_iter().take(columns)));
    table.draw(frame, area, seen.paint);
}

/// The predicted mean number of requests at a place: by Little's law the mean time of an answer
/// there times the answers per second.
fn at(report: &Report, id: &PlaceId) -> f64 {
    let parts = report.time.iter().filter(|part| part.place == *id);
    parts.map(|part| part.seconds).sum::<f64>() * report.throughput.value
}
