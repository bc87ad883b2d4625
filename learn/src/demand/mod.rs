//! CPU seconds per request of each class, from what a service left behind.
//!
//! Pure functions: no input, no output, no clock, no random number: the same windows give the same bytes.
//!
//! The estimators have their published names. Spinner, Casale, Brosig, Kounev, "Evaluating approaches to
//! resource demand estimation" (Performance Evaluation 92, 2015) compares them by the length of windows,
//! the number of classes, the load, collinearity and the mismatch of the model; which one is used, and
//! what it costs where one of the five is bad, is in docs/decisions/demands.md.

mod collinear;
mod demands;
mod nnls;
mod regression;
mod response;
mod utilisation;
mod windows;

pub use demands::{Demands, Group, Method, Trend};
pub use response::complete_information;
pub use windows::{Counted, Seen, Stay, Window, Windows};

/// Response times that a window should hold.
const RESPONSES_PER_WINDOW: f64 = 20.0;
/// Windows that are left when short ones are joined.
const WINDOWS_AFTER_JOINING: usize = 40;
/// Windows that are joined to see whether costs depend on their length.
const JOINED_TO_COMPARE: usize = 10;
/// With fewer joined the comparison says little.
const LEAST_JOINED: usize = 4;

/// The demands of the classes in `windows`, by the estimator that fits the data.
///
/// With CPU the utilisation law, which holds under every discipline and every load. Without it, what
/// response times say: with what requests found in flight if the processors were busy, else as they are.
pub fn estimate(windows: &Windows) -> Demands {
    let joined = long_enough(windows);
    let windows = joined.as_ref().unwrap_or(windows);
    let mut demands = utilisation::regression(windows)
        .or_else(|| utilisation::service_demand_law(windows))
        .or_else(|| response::extended_regression(windows))
        .or_else(|| response::approximation(windows))
        .unwrap_or_else(|| nothing(windows));
    if let Some(better) = of_longer_windows(windows, &demands) {
        demands = better;
    }
    if joined.is_some() {
        demands.notes.push(format!(
            "Windows were joined to {:.0} s, as requests stay for long against shorter ones.",
            windows.length
        ));
    }
    remarks(windows, &mut demands);
    demands
}

/// The regression of joined windows, if it finds surely more CPU per request.
///
/// Where the clocks of CPU and counts differ, or samples of CPU come late, CPU falls into other windows
/// than the requests that used it. Costs then come out too low, with narrow intervals, and what is missing
/// goes to the background; the longer the windows, the less.
fn of_longer_windows(windows: &Windows, demands: &Demands) -> Option<Demands> {
    let factor = (windows.windows.len() / WINDOWS_AFTER_JOINING).min(JOINED_TO_COMPARE);
    if factor < LEAST_JOINED || demands.method != Method::UtilisationRegression {
        return None;
    }
    let joined = windows.joined(factor);
    let mut found = utilisation::regression(&joined)?;
    let (short, low) = (demands.mean.as_ref()?.value, found.mean.as_ref()?.low?);
    found.notes.push(format!(
        "Windows of {:.1} s give lower costs than windows of {:.1} s, which are used: CPU falls into other \
         windows than its requests, as where two clocks differ or windows are full now and then.",
        windows.length, joined.length
    ));
    (low > short).then_some(found)
}

fn nothing(windows: &Windows) -> Demands {
    let mut demands = Demands::none(Method::ResponseTimeApproximation, windows.classes.len());
    demands.why = "neither CPU nor response times are known".to_owned();
    demands
}

/// Joined windows, if requests stay for so long that the windows cut too many of them.
fn long_enough(windows: &Windows) -> Option<Windows> {
    let response = response(windows)?;
    let factor = (RESPONSES_PER_WINDOW * response / windows.length).ceil() as usize;
    let factor = factor.min(windows.windows.len() / WINDOWS_AFTER_JOINING);
    (factor > 1 && windows.counted != Counted::Parts).then(|| windows.joined(factor))
}

/// The mean response time of all classes.
fn response(windows: &Windows) -> Option<f64> {
    let seen = windows.windows.iter().flat_map(|window| &window.classes);
    let timed = seen.filter_map(|seen| Some((seen.requests, seen.requests * seen.response?)));
    let [requests, times] =
        timed.fold([0.0; 2], |sum, (requests, time)| [sum[0] + requests, sum[1] + time]);
    (requests > 0.0).then(|| times / requests)
}

/// What holds whatever the estimator.
fn remarks(windows: &Windows, demands: &mut Demands) {
    for (class, name) in windows.classes.iter().enumerate() {
        if windows.windows.iter().all(|window| window.classes[class].requests <= 0.0) {
            demands.notes.push(format!("`{name}` had no requests: nothing is known of it."));
        }
    }
    let cut = response(windows).is_some_and(|time| time * 5.0 > windows.length);
    if cut && windows.counted != Counted::Parts {
        demands.notes.push(format!(
            "Requests stay for long against windows of {:.1} s, so that their CPU falls into other \
             windows than their count: costs come out too low. Longer windows would tell.",
            windows.length
        ));
    }
}
