//! Runs that come to their end, and what they measured.

use std::fs;

use model::read::Resolved;
use model::report::{Class, Station};

use crate::support::{Ended, Kept, Lab};

impl Ended {
    /// It has measured. Whether the numbers stand is not asked: other tests run beside.
    pub(crate) fn measured(self) -> Ended {
        assert!(matches!(self.code, Some(0 | 3)), "{self:?}");
        self
    }
}

impl Lab {
    /// The scenario with `sets`, as the program should understand it.
    pub(crate) fn resolved(&self, sets: &[&str]) -> Resolved {
        let sets: Vec<String> = sets.iter().map(|set| set.to_string()).collect();
        model::read::load(&self.path("shop.toml"), &sets).expect("a valid scenario")
    }

    /// Measures the scenario, with further `options`.
    pub(crate) fn run(&self, options: &str) -> Kept {
        let ended = self.live(&format!("run shop.toml {options}")).measured();
        self.kept(&ended)
    }
}

impl Kept {
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
    pub(crate) fn everybody_came_to(&self, station: &Station) {
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
