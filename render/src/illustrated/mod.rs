//! Answers as people look at them in a browser: what is asked first at the top, then pictures, then
//! all numbers. What is shown is what the documents for programs hold.

mod distribution;
mod first;
mod judged;
mod knobs;
mod ladder;
mod over_time;
mod path;
mod size;
mod stations;
mod sweep;
mod way;
mod workers;

use model::report::{Report, Size};

use crate::page::Page;
use crate::{html, objectives, parts};

pub(crate) use ladder::ladder;
pub(crate) use size::size;
pub(crate) use sweep::sweep;

/// The page of one report.
pub(crate) fn report(report: &Report, numbers: Page) -> Page {
    let mut page = Page::new();
    page.title(parts::title(report));
    first::show(&mut page, report);
    objectives::show(&mut page, &report.objectives);
    pictures(&mut page, report);
    page.part("All numbers", numbers);
    page
}

/// Each picture that the report has the numbers for.
pub(crate) fn pictures(page: &mut Page, report: &Report) {
    let all = [
        way::picture(report),
        knobs::picture(report),
        path::picture(report),
        stations::picture(report),
        distribution::picture(&[report]),
        over_time::picture(report),
        workers::picture(report),
    ];
    all.into_iter().flatten().for_each(|picture| page.picture(picture));
}

/// The pictures of a prediction that show where its time goes and what is in use, each with its heading
/// and its numbers, as HTML.
pub fn figures(report: &Report) -> Vec<String> {
    let all = [way::picture(report), stations::picture(report), distribution::picture(&[report])];
    all.iter().flatten().map(html::headed_figure).collect()
}

/// Those of an answer of how much load a service takes.
pub fn figures_of_size(found: &Size) -> Vec<String> {
    size::pictures(found).iter().map(html::headed_figure).collect()
}

/// Names one after the other: `a, b and c`.
fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
