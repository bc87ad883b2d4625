//! A run as it is kept.

use std::fs;
use std::path::{Path, PathBuf};

use model::report::{Class, Report, Station};

/// A measurement that was kept and whose numbers add up.
#[derive(Debug)]
pub(crate) struct Kept {
    /// Its folder.
    pub(crate) folder: PathBuf,
    /// Its report.
    pub(crate) report: Report,
}

/// Largest relative difference by rounding a few numbers to nine digits.
const ROUNDING: f64 = 1e-7;

impl Kept {
    /// The run in `folder`. Whatever was measured and however it ended, its books balance.
    pub(crate) fn read(folder: &Path) -> Kept {
        let text = fs::read_to_string(folder.join("report.json")).expect("a report is kept");
        let report: Report =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let kept = Kept { folder: folder.to_path_buf(), report };
        kept.balances();
        kept.is_possible();
        kept
    }

    /// Every request is accounted for, classes add up to the whole and places to the time.
    fn balances(&self) {
        let report = &self.report;
        let accounting = &self.measurement().accounting;
        assert!(accounting.adds_up(), "{accounting:?}");
        assert!(accounting.good >= report.run.samples, "{accounting:?}");
        let classes = &report.classes;
        let good: f64 = classes.iter().map(|class| class.throughput.value).sum();
        same("good answers of all classes", good, report.throughput.value);
        let counted = report.throughput.value * report.run.duration;
        let counted = counted * f64::from(report.run.replications);
        same("good answers", counted, report.run.samples as f64);
        for (kind, count) in &report.errors {
            let of_classes: f64 = classes.iter().filter_map(|class| class.errors.get(kind)).sum();
            same(kind, of_classes, *count);
        }
        if !report.tells("time") {
            return;
        }
        let whole = ("all classes", report.response_time.mean, &report.time);
        let each =
            classes.iter().map(|class| (&*class.name, class.response_time.mean, &class.time));
        for (name, mean, time) in each.chain([whole]) {
            same(name, time.iter().map(|part| part.seconds).sum(), mean);
        }
    }

    /// Nothing is negative, endless or more than there is.
    fn is_possible(&self) {
        let report = &self.report;
        for station in &report.stations {
            let Station { utilisation, in_flight_mean, waiting_time_mean, visits, .. } = *station;
            let numbers = [utilisation, in_flight_mean, waiting_time_mean, visits];
            let possible = numbers.iter().all(|number| number.is_finite() && *number >= 0.0);
            // Counts and clock are not read at the same instant, and some waits are booked
            // when they end: a run that was interrupted at once may show anything.
            let whole = utilisation < 1.1 || report.run.duration < 0.5;
            assert!(possible && whole, "{station:?}");
        }
        for process in &self.measurement().processes {
            assert!(process.cpu >= 0.0 && process.utilisation.is_finite(), "{process:?}");
        }
        assert!(report.arrivals.rate.is_finite() && report.in_flight.mean.value.is_finite());
        let times = report.response_time;
        let rising = [times.p50, times.p90, times.p95, times.p99, times.p999, times.max];
        assert!(rising.is_sorted(), "{times:?}");
    }

    /// How it was measured.
    pub(crate) fn measurement(&self) -> &model::measurement::Measurement {
        self.report.measurement.as_ref().expect("a measured report says how")
    }

    /// The only kinds of errors in the whole run are `kinds`, and each occurred.
    pub(crate) fn has_errors_of(&self, kinds: &[&str]) {
        let accounting = &self.measurement().accounting;
        let mut wanted = kinds.to_vec();
        wanted.sort_unstable();
        let found: Vec<&str> = accounting.errors.keys().map(String::as_str).collect();
        assert_eq!(found, wanted, "{accounting:?}");
    }

    /// The station of this name, if anything visited it.
    pub(crate) fn station(&self, name: &str) -> Option<&Station> {
        self.report.stations.iter().find(|station| station.id.to_string() == name)
    }

    /// Requests that were settled in each round, its warm-up included.
    pub(crate) fn settled(&self) -> Vec<u64> {
        let series = fs::read_to_string(self.folder.join("seconds.csv")).expect("it is kept");
        let mut rows = series.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let header = rows.next().expect("a header");
        let column = |name: &str| header.iter().position(|title| *title == name).expect("a column");
        let (good, errors) = (column("good"), column("errors"));
        let mut settled = Vec::new();
        for row in rows {
            let number = |column: usize| row[column].parse::<u64>().expect("a number");
            settled.resize(number(0) as usize, 0);
            settled[number(0) as usize - 1] += number(good) + number(errors);
        }
        settled
    }

    /// Every request visited the station, whether it was served there or gave up.
    pub(crate) fn every_request_visited(&self, station: &Station) {
        let report = &self.report;
        let settled = report.run.samples as f64 + report.errors.values().sum::<f64>();
        let visits = station.visits * report.run.duration;
        // But for those at the edges of the window.
        assert!((0.5 * settled..1.5 * settled).contains(&visits), "{settled} and {station:?}");
    }

    /// The class of this name.
    pub(crate) fn class(&self, name: &str) -> &Class {
        let class = self.report.classes.iter().find(|class| class.name == name);
        class.unwrap_or_else(|| panic!("no class {name}"))
    }
}

fn same(what: &str, one: f64, other: f64) {
    let close = (one - other).abs() <= ROUNDING * other.abs().max(1e-9);
    assert!(close, "{what}: {one} and {other} should be the same");
}
