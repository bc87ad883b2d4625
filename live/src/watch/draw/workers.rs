//! The processes of the service.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use render::number;

use super::Seen;
use super::bar::bar;
use super::table::{Align, Columns};
use super::text::{UNKNOWN, known, share};

/// Columns of a number.
const WIDE: u16 = 11;
/// Columns of a bar.
const BAR: u16 = 20;

/// Draws them.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, seen: &Seen<'_>) {
    let workers = seen.state.last().map_or(&[][..], |sample| &sample.workers);
    if workers.is_empty() {
        let text = match seen.state.last() {
            Some(_) => " the processes of the service cannot be seen from here",
            None => " the load has not begun",
        };
        frame.render_widget(Line::raw(text), area);
        return;
    }
    let mut table = Columns::new(" process", seen.paint)
        .with("", BAR, Align::Bar)
        .with("of one CPU", WIDE, Align::Right)
        .with("memory", WIDE, Align::Right)
        .with("number", WIDE, Align::Right);
    let memory = |bytes: Option<u64>| known(bytes.map(|bytes| bytes as f64), number::bytes);
    for worker in workers {
        table.row([
            format!(" {}", worker.name),
            bar(worker.cpu.unwrap_or(0.0), BAR.into()),
            known(worker.cpu, share),
            memory(worker.memory),
            worker.process.to_string(),
        ]);
    }
    let cpu = workers.iter().map(|worker| worker.cpu).sum::<Option<f64>>();
    let held = workers.iter().map(|worker| worker.memory).sum::<Option<u64>>();
    let bar = String::new();
    table.row([" all together".into(), bar, known(cpu, share), memory(held), UNKNOWN.into()]);
    table.draw(frame, area, seen.paint);
}
