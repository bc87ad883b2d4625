//! How much of each resource is in use.

use model::report::{OTHER_STATIONS, Report, Station};

use super::listed;
use crate::number;
use crate::picture::{Axis, Bar, Cell, Colour, Numbers, Picture, Row, Rows, Shape, Unit};

/// From here on a bar is in the colour of what needs attention.
const FULL: f64 = 0.9;

/// The stations with a limit, the fullest first.
pub(super) fn picture(report: &Report) -> Option<Picture> {
    let mut limited: Vec<&Station> =
        report.stations.iter().filter(|station| station.capacity.is_some()).collect();
    if limited.is_empty() {
        return None;
    }
    limited.sort_by(|a, b| b.utilisation.total_cmp(&a.utilisation));
    let words = |station: &&Station| {
        format!("{} {}", station.id.words(), number::percent(station.utilisation))
    };
    let each: Vec<String> = limited.iter().map(words).collect();
    let full = limited.iter().any(|station| station.utilisation >= FULL);
    let legend =
        [(Colour::ALARM, "in use, 90 % or more".to_string()), (Colour::MAIN, "in use".to_string())];
    Some(Picture {
        title: "How full each resource is".into(),
        explanation: "A bar is the share of a resource that is in use on average over the counted \
                      time; in brackets how many can be used at a time. What is full makes \
                      requests wait."
            .into(),
        alternative: format!("Bars of what is in use, the fullest first: {}.", listed(&each)),
        legend: if full { legend.into() } else { Vec::new() },
        shape: Shape::Rows(Rows {
            axis: Axis::between(Unit::Share, 0.0, 1.0),
            line: None,
            rows: limited.iter().map(row).collect(),
        }),
        numbers: numbers(report),
        name: "resources",
    })
}

fn row(station: &&Station) -> Row {
    let used = station.utilisation.clamp(0.0, 1.0);
    let colour = if used >= FULL { Colour::ALARM } else { Colour::MAIN };
    let of = station.capacity.map_or(String::new(), |capacity| format!(" ({capacity})"));
    Row {
        label: format!("{}{of}", station.id.words()),
        value: format!("{} in use", number::percent(station.utilisation)),
        bars: vec![
            Bar { from: 0.0, to: used, colour: Some(colour), share: None },
            Bar { from: used, to: 1.0, colour: None, share: None },
        ],
        band: None,
        interval: None,
    }
}

fn numbers(report: &Report) -> Numbers {
    let told = report.tells(OTHER_STATIONS);
    let mut numbers = Numbers::new(&[
        ("resource", None),
        ("in use", Some(Unit::Share)),
        ("of", Some(Unit::Count)),
        ("requests there", Some(Unit::Count)),
        ("uses", Some(Unit::Rate)),
        ("wait before each", Some(Unit::Time)),
    ]);
    for station in &report.stations {
        let limited = station.capacity.is_some();
        let known = |value: f64| Cell::from(told.then_some(value));
        numbers.row([
            station.id.words().into(),
            limited.then_some(station.utilisation).into(),
            station.capacity.map(|capacity| capacity as f64).into(),
            known(station.in_flight_mean),
            known(station.visits),
            Cell::from((told && limited).then_some(station.waiting_time_mean)),
        ]);
    }
    numbers
}
