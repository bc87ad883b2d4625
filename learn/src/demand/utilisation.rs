//! Demands from the CPU of windows: the utilisation law.

use nalgebra::DVector;

use super::collinear::Collinearity;
use super::demands::{Demands, Method, Trend};
use super::regression::{Fit, Row, value};
use super::windows::{Window, Windows};
use crate::learned::Figure;

/// Windows per coefficient below which no regression is tried.
const WINDOWS_PER_COEFFICIENT: usize = 4;
/// A class whose variance inflation is beyond this and whose interval is wide cannot be told apart: 90 %
/// of its variation is that of other classes (Marquardt 1970).
const INFLATED: f64 = 10.0;
/// With this inflation not even a narrow interval is believed: what tells the classes apart is where
/// their requests happen to be cut by the ends of windows.
const HOPELESS: f64 = 100.0;
/// Half width of a wide interval, relative to the value.
const WIDE: f64 = 0.5;
/// Windows with a greater share of their processors busy say nothing of a trend.
const FULL: f64 = 0.9;
/// A trend whose effect over the seen load is below this is not worth a word.
const FAINT_TREND: f64 = 0.02;

/// Utilisation-based regression: the CPU of each window is that of the background and of its requests,
/// `C(t) = U0 L + sum N_c(t) D_c`, by non-negative least squares.
///
/// Bard and Shatzoff, "Statistical methods in computer performance analysis" (1978); Rolia and Vetland,
/// "Correlating resource demand information with ARM data" (WOSP 1998). Robust weights after Huber, each
/// window weighted by one over its work, as the variance of a sum of requests is in proportion to it.
///
/// None where there are too few windows for the classes.
pub(super) fn regression(windows: &Windows) -> Option<Demands> {
    let known: Vec<&[Window]> =
        windows.windows.chunks(1).filter(|part| part[0].cpu.is_some()).collect();
    let seen = present(windows, &known);
    // Where all processors are busy, work waits for later windows, and CPU no longer follows the counts.
    let stretches = windows.stretches();
    let least = WINDOWS_PER_COEFFICIENT * (seen.len() + 1);
    let whole = stretches.len() >= least && present(windows, &stretches) == seen;
    let used = if whole { stretches } else { known };
    if seen.is_empty() || used.len() < least {
        return None;
    }
    let rows = weighted(rows_of(windows, &used, &seen));
    let fit = Fit::of(&rows)?;
    let law = Law { windows, used, seen, rows, fit, whole };
    Some(law.demands())
}

/// The service demand law: all CPU divided by all requests, `D = U / X`. It needs no variation, and says
/// nothing of single classes or of the background.
///
/// Denning and Buzen, "The operational analysis of queueing network models", ACM Computing Surveys 10
/// (1978).
pub(super) fn service_demand_law(windows: &Windows) -> Option<Demands> {
    let used: Vec<&[Window]> =
        windows.windows.chunks(1).filter(|part| part[0].cpu.is_some()).collect();
    let seen = present(windows, &used);
    let all = |row: Row| Row { x: vec![row.x[..seen.len()].iter().sum()], ..row };
    let rows: Vec<Row> = rows_of(windows, &used, &seen).into_iter().map(all).collect();
    // One over the requests: then the regression is the ratio of the sums.
    let busy = rows.into_iter().filter(|row| row.x[0] > 0.0);
    let rows: Vec<Row> = busy.map(|row| Row { weight: 1.0 / row.x[0], ..row }).collect();
    let fit = Fit::of(&rows)?;
    let one = DVector::from_element(1, 1.0);
    let how =
        format!("all CPU of {} windows divided by all requests (service demand law)", rows.len());
    let mut mean = Figure::measured(fit.value[0], fit.interval(&one), how);
    mean.better = "more windows, with and without requests, in which the mix varies".to_owned();
    let mut demands = Demands::none(Method::ServiceDemandLaw, windows.classes.len());
    demands.why = format!(
        "{} windows with CPU are too few to tell {} apart: that takes {}",
        used.len(),
        counted(seen.len(), "class", "classes"),
        WINDOWS_PER_COEFFICIENT * (seen.len() + 1)
    );
    let counts = totals(&used, &seen);
    demands.group(seen, &counts, mean.clone());
    demands.mean = Some(mean);
    demands.notes.push("What the service uses without requests is counted in.".to_owned());
    Some(demands)
}

/// Places of classes that had requests.
fn present(windows: &Windows, used: &[&[Window]]) -> Vec<usize> {
    let each = || used.iter().copied().flatten();
    let some = |&class: &usize| each().any(|window| window.classes[class].requests > 0.0);
    (0..windows.classes.len()).filter(some).collect()
}

/// Requests of each class of `seen` over all windows.
fn totals(used: &[&[Window]], seen: &[usize]) -> Vec<f64> {
    let each = || used.iter().copied().flatten();
    let total = |&class: &usize| each().map(|window| window.classes[class].requests).sum();
    seen.iter().map(total).collect()
}

/// A row for each stretch of windows: its counts, then its length for the background.
fn rows_of(windows: &Windows, used: &[&[Window]], seen: &[usize]) -> Vec<Row> {
    let row = |part: &&[Window]| {
        let window = windows.join(part);
        let counts = seen.iter().map(|&class| window.classes[class].requests);
        let x = counts.chain([windows.length * part.len() as f64]).collect();
        Row { x, y: window.cpu.unwrap_or(0.0), weight: 1.0 }
    };
    used.iter().map(row).collect()
}

/// Weighs each row by one over the work that a first fit expects in it.
fn weighted(mut rows: Vec<Row>) -> Vec<Row> {
    let first = value(&rows);
    let work: Vec<f64> = rows.iter().map(|row| predicted(row, &first)).collect();
    let mut sorted = work.clone();
    sorted.sort_by(f64::total_cmp);
    // A window almost without work is not exact: its CPU is read with an error of its own.
    let least = (sorted[sorted.len() / 2] / 10.0).max(f64::MIN_POSITIVE);
    for (row, work) in rows.iter_mut().zip(work) {
        row.weight = 1.0 / work.max(least);
    }
    rows
}

fn predicted(row: &Row, value: &DVector<f64>) -> f64 {
    row.x.iter().zip(value.iter()).map(|(x, value)| x * value).sum()
}

/// "1 class", "3 classes".
fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// A fitted utilisation law.
struct Law<'a> {
    windows: &'a Windows,
    /// Windows with CPU, those together of which one did the work of another.
    used: Vec<&'a [Window]>,
    /// Classes with requests: the columns.
    seen: Vec<usize>,
    rows: Vec<Row>,
    fit: Fit,
    /// Each of `used` did the work of its own requests, as far as can be known.
    whole: bool,
}

impl Law<'_> {
    fn demands(self) -> Demands {
        let mut demands = Demands::none(Method::UtilisationRegression, self.windows.classes.len());
        demands.why = format!(
            "CPU is known in {} windows, enough for {}",
            self.count(),
            counted(self.seen.len(), "class", "classes")
        );
        demands.trend = self.trend();
        let counts = totals(&self.used, &self.seen);
        let collinearity = Collinearity::of(&self.rows, self.seen.len());
        let sets = collinearity.sets(&self.doubtful(&collinearity));
        for (column, &class) in self.seen.iter().enumerate() {
            if !sets.iter().any(|set| set.contains(&column)) {
                let figure = self.figure(&[column], &counts, demands.trend);
                demands.classes[class] = Some(figure);
            }
        }
        for set in &sets {
            let figure = self.figure(set, &counts, demands.trend);
            let classes = set.iter().map(|&column| self.seen[column]).collect();
            let counts: Vec<f64> = set.iter().map(|&column| counts[column]).collect();
            demands.notes.push(self.apart(set, &collinearity));
            demands.group(classes, &counts, figure);
        }
        let all: Vec<usize> = (0..self.seen.len()).collect();
        demands.mean = Some(self.figure(&all, &counts, demands.trend));
        demands.background = Some(self.background());
        self.remarks(&mut demands);
        demands
    }

    /// Classes whose counts follow from others, so that their costs are not known.
    fn doubtful(&self, collinearity: &Collinearity) -> Vec<bool> {
        let doubtful = |(column, &inflation): (usize, &f64)| {
            let one = self.unit(column);
            let [low, high] = self.fit.interval(&one);
            let wide = (high - low) / 2.0 > WIDE * self.fit.value[column];
            inflation > HOPELESS || inflation > INFLATED && wide
        };
        collinearity.inflation.iter().enumerate().map(doubtful).collect()
    }

    /// Windows that are used.
    fn count(&self) -> usize {
        self.used.iter().map(|part| part.len()).sum()
    }

    fn unit(&self, column: usize) -> DVector<f64> {
        DVector::from_fn(self.seen.len() + 1, |i, _| f64::from(i == column))
    }

    /// CPU seconds per request of the classes in `columns`, at the mix that was seen.
    fn figure(&self, columns: &[usize], counts: &[f64], trend: Option<Trend>) -> Figure {
        let total: f64 = columns.iter().map(|&column| counts[column]).sum();
        let mut sum = DVector::zeros(self.seen.len() + 1);
        for &column in columns {
            sum[column] = counts[column] / total;
        }
        let [low, high] = self.fit.interval(&sum);
        // The seen load reaches from one cost to the other.
        let [least, most] = trend.map_or([1.0, 1.0], |trend| trend.factor);
        let interval = [low * least.min(most).min(1.0), high * least.max(most).max(1.0)];
        let how = format!(
            "CPU of {} windows on {total:.0} requests (utilisation-based regression)",
            self.count()
        );
        let mut figure = Figure::measured(self.fit.value.dot(&sum), interval, how);
        if trend.is_some() {
            figure.better = "its cost at the load that is asked about".to_owned();
        } else if (high - low) / 2.0 > 0.1 * figure.value {
            figure.better = "more windows, in which the mix of requests varies more".to_owned();
        }
        figure
    }

    fn background(&self) -> Figure {
        let one = self.unit(self.seen.len());
        let value = self.fit.value[self.seen.len()];
        let how = format!("CPU that the requests of {} windows do not explain", self.count());
        let mut figure = Figure::measured(value, self.fit.interval(&one), how);
        let idle = self.rows.iter().any(|row| row.x[..self.seen.len()].iter().all(|&x| x == 0.0));
        if !idle {
            figure.better = "windows without requests".to_owned();
        }
        figure
    }

    /// Whether the cost of a request changes with the load.
    ///
    /// Zhang, Li, Zhou, "Estimate load-dependent service demand for modern CPU", Information Technology
    /// Journal 12 (2013), have polynomials of the utilisation; windows of production tell a straight line.
    fn trend(&self) -> Option<Trend> {
        let n = self.seen.len();
        let processors = f64::from(self.windows.processors.max(1));
        let of = |row: &Row| predicted(row, &self.fit.value) / (row.x[n] * processors);
        let load: Vec<f64> = self.rows.iter().map(of).collect();
        let work = |row: &Row| predicted(row, &self.fit.value) - row.x[n] * self.fit.value[n];
        let all: f64 = self.rows.iter().map(work).sum();
        let mean =
            self.rows.iter().zip(&load).map(|(row, load)| work(row) * load).sum::<f64>() / all;
        let bent = |(row, load): (&Row, &f64)| {
            let mut x = row.x.clone();
            x.push(work(row) * (load - mean));
            Row { x, ..row.clone() }
        };
        // Where processors are full, work moves to later windows, which looks like a trend.
        let free = |(_, load): &(&Row, &f64)| **load < FULL;
        let rows: Vec<Row> = self.rows.iter().zip(&load).filter(free).map(bent).collect();
        let (slope, significance) = Fit::of(&rows)?.significance(n + 1);
        let ends = [
            load.iter().copied().fold(FULL, f64::min),
            load.iter().copied().filter(|&load| load < FULL).fold(0.0, f64::max),
        ];
        let factor = ends.map(|load| (1.0 + slope * (load - mean)).max(0.0));
        let strong = significance > 1.0 && (factor[1] - factor[0]).abs() > FAINT_TREND;
        strong.then_some(Trend { at: ends, factor })
    }

    /// Why the classes of `set` cannot be told apart, and what would tell.
    fn apart(&self, set: &[usize], collinearity: &Collinearity) -> String {
        let name = |&column: &usize| format!("`{}`", self.windows.classes[self.seen[column]]);
        let names: Vec<String> = set.iter().map(name).collect();
        let most = set.iter().map(|&column| collinearity.inflation[column]).fold(0.0, f64::max);
        let share = 100.0 * (1.0 - 1.0 / most.max(1.0));
        format!(
            "{} cannot be told apart: {:.1} % of the changes of one are those of the others (condition \
             number {:.0}). Their sum is known. Some minutes in which only {} is asked for would tell.",
            names.join(" and "),
            (share * 10.0).floor() / 10.0,
            collinearity.condition,
            names[0]
        )
    }

    /// What a reader has to know of the windows.
    fn remarks(&self, demands: &mut Demands) {
        let missing = self.windows.windows.iter().filter(|window| window.cpu.is_none()).count();
        if missing > 0 {
            let all = self.windows.windows.len();
            demands.notes.push(format!("{missing} of {all} windows have no CPU and are left out."));
        }
        let all = &self.windows.windows;
        let full = all.iter().filter(|window| self.windows.full(window)).count();
        if full > 0 {
            let then = match self.whole {
                true => "each counts together with those after it, up to one with time to spare.",
                false => {
                    "costs come out too low, as too few windows had time to spare. Hours of less load \
                     would tell."
                }
            };
            demands.notes.push(format!(
                "In {full} of {} windows all processors were busy, so that work waited for later \
                 windows: {then}",
                all.len()
            ));
        }
        let outliers = &self.fit.outliers;
        if !outliers.is_empty() {
            let first = self.used[outliers[0]][0].start;
            demands.notes.push(format!(
                "{} used CPU that their requests do not explain, the first at {first:.0} s: something \
                 else ran. They count little.",
                counted(outliers.len(), "window", "windows")
            ));
        }
        if let Some(Trend { at, factor }) = demands.trend {
            demands.notes.push(format!(
                "A request costs {:+.0} % CPU at {:.0} % load against {:.0} %: the cost depends on the \
                 load, and the intervals reach from one to the other.",
                100.0 * (factor[1] / factor[0] - 1.0),
                100.0 * at[1],
                100.0 * at[0]
            ));
        }
    }
}
