//! Demands from response times, where CPU was not recorded.
//!
//! All of them take what a request does for computing: from outside, waiting for a database cannot be
//! told from service. So no interval begins above what the data can show.

use model::statistics::Estimate;
use nalgebra::DVector;

use super::demands::{Demands, Method};
use super::regression::{Fit, Row};
use super::windows::{Seen, Stay, Windows};
use crate::learned::{Figure, Origin};

/// Below this share of busy processors a response time has almost no waiting in it.
const IDLE: f64 = 0.2;
/// The share of windows that count as those of the lowest load.
const LOWEST: usize = 4;
/// Batches of requests, whose means are nearly independent.
const BATCHES: usize = 30;

const WAITS: &str = "CPU of the service's processes, recorded beside the requests";

/// Extended regression for processor sharing: under processor sharing a request takes as many times its
/// demand as there are requests for each processor, `R = D max(1, (1 + A) / m)`.
///
/// Kraft, Pacheco-Sanchez, Casale, Dawson, "Estimating service resource consumption from response time
/// measurements" (VALUETOOLS 2009); Perez, Casale, Pacheco-Sanchez, "Estimating computational requirements
/// in multi-threaded applications" (IEEE Transactions on Software Engineering 41, 2015).
///
/// None unless it is known what requests found in flight when they came, and the processors were busy
/// enough that this matters.
pub(super) fn extended_regression(windows: &Windows) -> Option<Demands> {
    let processors = f64::from(windows.processors.max(1));
    let mut demands = Demands::none(Method::ExtendedRegression, windows.classes.len());
    let mut found = [0.0; 2];
    for class in 0..windows.classes.len() {
        let known = |seen: &Seen| Some((seen.requests, seen.response?, seen.in_flight?));
        let each = windows.windows.iter().filter_map(|window| known(&window.classes[class]));
        let seen: Vec<(f64, f64, f64)> = each.filter(|&(requests, ..)| requests > 0.0).collect();
        for (requests, _, others) in &seen {
            found = [found[0] + requests, found[1] + requests * others];
        }
        let slowed = |others: f64| ((1.0 + others) / processors).max(1.0);
        let row =
            |&(weight, y, others): &(f64, f64, f64)| Row { x: vec![slowed(others)], y, weight };
        let rows: Vec<Row> = seen.iter().map(row).collect();
        let Some(fit) = Fit::of(&rows) else { continue };
        let one = DVector::from_element(1, 1.0);
        let how = format!(
            "response times of {} windows on the requests found in flight (extended regression for \
             processor sharing)",
            rows.len()
        );
        let mut figure = outside(fit.value[0], fit.interval(&one), how);
        if let Some(share) = waits(&rows, &fit) {
            figure.low = Some(0.0);
            demands.notes.push(format!(
                "`{}` takes {share:.0} % of its time however many requests are in flight: it waits for \
                 something that is no processor of the service. Its CPU is less than what is said.",
                windows.classes[class]
            ));
        }
        demands.classes[class] = Some(figure);
    }
    let load = found[1] / found[0] / processors;
    demands.why = format!(
        "no CPU is known; requests found {:.1} others in flight on {processors:.0} processors",
        found[1] / found[0]
    );
    (load > IDLE).then_some(demands)
}

/// The share of the response time, in per cent, that does not grow with the requests in flight; none if
/// it is not surely above zero.
fn waits(rows: &[Row], fit: &Fit) -> Option<f64> {
    let with_wait = |row: &Row| Row { x: vec![row.x[0], 1.0], ..row.clone() };
    let (wait, significance) =
        Fit::of(&rows.iter().map(with_wait).collect::<Vec<_>>())?.significance(1);
    let weight: f64 = rows.iter().map(|row| row.weight).sum();
    let mean = rows.iter().map(|row| row.weight * row.x[0]).sum::<f64>() / weight * fit.value[0];
    (significance > 1.0 && wait > 0.1 * mean).then_some(100.0 * wait / mean)
}

/// Response time approximation: the demand of a class is its response time where the load is lowest.
///
/// Nou, Kounev, Julia, Torres, "Autonomic QoS control in enterprise Grid environments using online
/// simulation" (2009); Brosig, Kounev, Krogmann, "Automated extraction of Palladio component models from
/// running enterprise Java applications" (2009). An upper bound: all that it waits for is in it.
pub(super) fn approximation(windows: &Windows) -> Option<Demands> {
    let mut demands = Demands::none(Method::ResponseTimeApproximation, windows.classes.len());
    for class in 0..windows.classes.len() {
        let load = |seen: &Seen, all: f64| seen.in_flight.unwrap_or(all);
        let known = windows.windows.iter().filter_map(|window| {
            let seen = &window.classes[class];
            let all = window.classes.iter().map(|seen| seen.requests).sum();
            Some((load(seen, all), seen.requests, seen.response?))
        });
        let mut seen: Vec<(f64, f64, f64)> = known.filter(|seen| seen.1 > 0.0).collect();
        seen.sort_by(|a, b| a.0.total_cmp(&b.0));
        seen.truncate(seen.len().div_ceil(LOWEST).max(2));
        let (requests, times): (Vec<f64>, Vec<f64>) =
            seen.iter().map(|&(_, requests, time)| (requests, requests * time)).unzip();
        if requests.len() < 2 {
            continue;
        }
        let ratio = Estimate::of_ratio(&times, &requests, 0.95);
        let how = format!(
            "response time in the {} windows of the lowest load: an upper bound (response time \
             approximation)",
            requests.len()
        );
        demands.classes[class] = Some(outside(ratio.value, [0.0, ratio.high], how));
    }
    demands.why = "no CPU is known, and not what requests found in flight under load".to_owned();
    demands.classes.iter().any(Option::is_some).then_some(demands)
}

/// A figure that follows from response times.
fn outside(value: f64, [low, high]: [f64; 2], how: String) -> Figure {
    let mut figure = Figure::measured(value, [low, high], how);
    figure.origin = Origin::Derived;
    figure.better = WAITS.to_owned();
    figure
}

/// Complete information: with every start and end known, processor sharing gives each request an equal
/// part of the processors at each instant, so that what it received is known exactly.
///
/// Perez, Pacheco-Sanchez, Casale, "An offline demand estimation method for multi-threaded applications"
/// (MASCOTS 2013). It takes the place of maximum likelihood (Kraft et al. 2009), whose state space has a
/// dimension for each class and each request in flight.
///
/// Right only if requests compute all the time that they stay, on threads of their own; a handler that
/// holds an event loop is served in the order of arrival instead, with the same total.
pub fn complete_information(classes: &[String], stays: &[Stay], processors: u32) -> Demands {
    let mut demands = Demands::none(Method::CompleteInformation, classes.len());
    let received = received(stays, f64::from(processors.max(1)));
    for class in 0..classes.len() {
        let own = stays.iter().zip(&received).filter(|(stay, _)| stay.class == class);
        let own: Vec<f64> = own.map(|(_, &received)| received).collect();
        if own.len() < 2 {
            continue;
        }
        let batches = BATCHES.min(own.len());
        let batch = |i: usize| &own[i * own.len() / batches..(i + 1) * own.len() / batches];
        let (sums, counts): (Vec<f64>, Vec<f64>) =
            (0..batches).map(batch).map(|own| (own.iter().sum::<f64>(), own.len() as f64)).unzip();
        let mean = Estimate::of_ratio(&sums, &counts, 0.95);
        let how = format!(
            "starts and ends of {} requests, if they only compute (complete information)",
            own.len()
        );
        demands.classes[class] = Some(outside(mean.value, [mean.low.max(0.0), mean.high], how));
    }
    demands.why = "starts and ends of all requests are known".to_owned();
    demands
}

/// What each request received under processor sharing: the difference of a time that runs as fast as one
/// request is served.
fn received(stays: &[Stay], processors: f64) -> Vec<f64> {
    let start = |(i, stay): (usize, &Stay)| (stay.from, 1.0, i);
    let end = |(i, stay): (usize, &Stay)| (stay.to, -1.0, i);
    let mut events: Vec<(f64, f64, usize)> =
        stays.iter().enumerate().flat_map(|each| [start(each), end(each)]).collect();
    // At one instant starts come first, so that a request of no length ends after it starts.
    events.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
    let mut received = vec![0.0; stays.len()];
    let (mut served, mut last, mut in_flight) = (0.0, 0.0, 0.0f64);
    for (time, change, i) in events {
        if in_flight > 0.0 {
            served += (time - last) * (processors / in_flight).min(1.0);
        }
        received[i] = if change > 0.0 { -served } else { received[i] + served };
        in_flight += change;
        last = time;
    }
    received
}
