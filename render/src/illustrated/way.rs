//! A request's way through the service: where its time goes, by endpoint.

use model::place::PlaceId;
use model::report::{Part, Report};

use super::listed;
use crate::number;
use crate::picture::{Axis, Bar, Colour, Numbers, Picture, Row, Rows, Shape, Unit};

/// Places that have a colour of their own; the last colour is that of all others together.
const NAMED: usize = Colour::COUNT - 1;

/// The parts of the mean response time of each endpoint.
pub(super) fn picture(report: &Report) -> Option<Picture> {
    let whole = whole(&report.time);
    if report.run.samples == 0 || whole <= 0.0 {
        return None;
    }
    let named = named(&report.time);
    let all = ("all endpoints", report.response_time.mean, &report.time);
    let each =
        report.classes.iter().map(|one| (one.name.as_str(), one.response_time.mean, &one.time));
    // One endpoint is all of them.
    let alone = report.classes.len() < 2;
    let shown: Vec<(&str, f64, &Vec<Part>)> = std::iter::once(all)
        .chain(each.filter(|_| !alone))
        .filter(|one| !one.2.is_empty())
        .collect();
    let mut numbers = Numbers::new(&[
        ("endpoint", None),
        ("where", None),
        ("mean time", Some(Unit::Time)),
        ("share", Some(Unit::Share)),
    ]);
    let (mut rows, mut seen) = (Vec::new(), Vec::new());
    for (name, mean, parts) in shown {
        let sum = self::whole(parts);
        let mut largest: Vec<&Part> = parts.iter().collect();
        largest.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
        for part in &largest {
            let share = part.seconds / sum;
            numbers.row([
                name.into(),
                part.place.words().into(),
                part.seconds.into(),
                share.into(),
            ]);
        }
        let most = largest
            .iter()
            .take(2)
            .map(|part| format!("{} {}", number::percent(part.seconds / sum), part.place.words()));
        let most: Vec<String> = most.collect();
        seen.push(format!("{name}, {}: {}", number::time(mean), listed(&most)));
        rows.push(Row {
            label: name.to_string(),
            value: number::time(mean),
            bars: bars(parts, &named, sum),
            band: None,
            interval: None,
        });
    }
    Some(Picture {
        title: "Where the time of a request goes".into(),
        explanation:
            "Each bar is the mean response time of an endpoint, which stands at its right: \
                      cut into the places where a request spends that time, in the order of its \
                      way. Most of a bar is where it waits or works longest."
                .into(),
        alternative: format!("Bars of equal length, cut into shares of time. {}.", seen.join(". ")),
        legend: legend(report, &named),
        shape: Shape::Rows(Rows { axis: Axis::between(Unit::Share, 0.0, 1.0), line: None, rows }),
        numbers,
        name: "time-by-place",
    })
}

fn whole(parts: &[Part]) -> f64 {
    parts.iter().map(|part| part.seconds).sum()
}

/// The places that take most time, in the order of a request's way.
fn named(parts: &[Part]) -> Vec<PlaceId> {
    let mut sorted: Vec<(usize, &Part)> = parts.iter().enumerate().collect();
    sorted.sort_by(|a, b| b.1.seconds.total_cmp(&a.1.seconds));
    sorted.truncate(NAMED);
    sorted.sort_by_key(|(index, _)| *index);
    sorted.into_iter().map(|(_, part)| part.place.clone()).collect()
}

fn bars(parts: &[Part], named: &[PlaceId], sum: f64) -> Vec<Bar> {
    let share = |wanted: &dyn Fn(&PlaceId) -> bool| -> f64 {
        let of = parts.iter().filter(|part| wanted(&part.place));
        of.map(|part| part.seconds).sum::<f64>() / sum
    };
    let mut shares: Vec<(Colour, f64)> = named
        .iter()
        .enumerate()
        .map(|(index, name)| (Colour::new(index), share(&|place| place == name)))
        .collect();
    shares.push((Colour::new(NAMED), share(&|place| !named.contains(place))));
    let mut from = 0.0;
    let mut bars = Vec::new();
    for (colour, share) in shares.into_iter().filter(|(_, share)| *share > 0.0) {
        bars.push(Bar { from, to: from + share, colour: Some(colour), share: Some(share) });
        from += share;
    }
    bars
}

fn legend(report: &Report, named: &[PlaceId]) -> Vec<(Colour, String)> {
    let mut legend: Vec<(Colour, String)> = named
        .iter()
        .enumerate()
        .map(|(index, place)| (Colour::new(index), place.words()))
        .collect();
    let times = report.classes.iter().map(|class| &class.time).chain([&report.time]);
    let others = times.flatten().any(|part| !named.contains(&part.place));
    legend.extend(others.then(|| (Colour::new(NAMED), "all else".to_string())));
    legend
}
