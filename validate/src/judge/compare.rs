//! Two reports become a comparison.
//!
//! Tolerances: [`super::tolerance`]; when a number agrees: [`super::judgement`]; the verdict on the
//! whole: [`Verdict`](super::comparison::Verdict).
//!
//! A report that lists its rounds knows from them the interval of every number. Without rounds
//! it knows those of its overall numbers, of each endpoint's and group's throughput and of each utilisation,
//! but not those of an endpoint's response times, of a station's waiting time and requests:
//! these are judged by their error alone, and are told with an unknown noise. Endpoints, groups of
//! the load and stations inform and do not decide: with dozens of them some are off by chance.

use model::report::{OTHER_STATIONS, Report};
use model::station::StationId;

use super::bottleneck::{Regime, bottlenecks, regime};
use super::comparison::{Comparison, Origin, Row, SCHEMA, Scope};
use super::judgement::{Judged, Judgement, judge, noise};
use super::metric::Metric;
use super::pair::{self, Mismatch};
use super::recovery;
use super::rounds;
use super::tolerance::Tolerances;
use super::value::{self, Value};
use super::verdict;

/// Part of the mean response time, and of the requests in flight, below which a difference
/// at one station is negligible: twice a microsecond is still little.
const NEGLIGIBLE: f64 = 0.01;

/// Judges the report `predicted` by the report `measured`.
///
/// # Errors
/// They are not a prediction and a measurement of the same.
pub fn compare(
    predicted: &Report,
    measured: &Report,
    tolerances: &Tolerances,
) -> Result<Comparison, Mismatch> {
    pair::check(predicted, measured)?;
    let regime = regime(measured);
    let pair = Pair { predicted, measured, tolerances, regime };
    let mut rows = pair.overall();
    rows.extend(pair.classes());
    rows.extend(pair.groups());
    rows.extend(pair.stations());
    let tolerance = tolerances.of(Metric::Utilisation, regime);
    let doubts = measured.measurement.as_ref().map(|how| how.inconclusive.clone());
    let mut comparison = Comparison {
        schema: SCHEMA,
        name: measured.scenario.clone(),
        scenario: measured.scenario.clone(),
        seed: measured.seed,
        predicted: Origin::of(predicted),
        measured: Origin::of(measured),
        regime,
        bottleneck: bottlenecks(predicted, measured, tolerance),
        verdict: super::comparison::Verdict::Inconclusive,
        reasons: Vec::new(),
        doubts: doubts.unwrap_or_default(),
        untold: measured.untold.clone(),
        warnings: pair::warnings(predicted, measured),
        rows,
    };
    verdict::decide(&mut comparison);
    recovery::judge(&mut comparison, predicted, measured);
    Ok(comparison)
}

struct Pair<'a> {
    predicted: &'a Report,
    measured: &'a Report,
    tolerances: &'a Tolerances,
    regime: Regime,
}

impl Pair<'_> {
    /// False for a part of the report that one source does not have at all: it gets no rows.
    fn both_tell(&self, part: &str) -> bool {
        self.predicted.tells(part) && self.measured.tells(part)
    }

    /// The whole service; below its errors, each kind of them.
    fn overall(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for metric in Metric::OVERALL {
            let row = self.row(Scope::Overall, metric, |r| value::overall(r, metric), 0.0);
            rows.push(Row { headline: metric.is_headline(), ..row });
            if metric == Metric::ErrorShare {
                rows.extend(self.error_kinds());
            }
        }
        rows
    }

    fn error_kinds(&self) -> Vec<Row> {
        if !self.both_tell("error_kinds") {
            return Vec::new();
        }
        let row = |kind: &str| {
            let find = |report: &Report| value::error_kind(report, kind);
            let row = self.row(Scope::Overall, Metric::ErrorShare, find, 0.0);
            Row { error_kind: Some(kind.to_string()), ..row }
        };
        value::error_kinds(self.predicted, self.measured).into_iter().map(row).collect()
    }

    /// Endpoints in the prediction's order, then those that were only measured.
    fn classes(&self) -> Vec<Row> {
        if !self.both_tell("classes") {
            return Vec::new();
        }
        let names = union(
            self.predicted.classes.iter().map(|class| &class.name),
            self.measured.classes.iter().map(|class| &class.name),
        );
        let row = |name: &str, metric: Metric| {
            let find = |report: &Report| {
                let class = report.classes.iter().find(|class| class.name == name);
                class.map_or(Value::NONE, |class| value::of_class(report, class, metric))
            };
            self.row(Scope::Class(name.to_string()), metric, find, 0.0)
        };
        names.into_iter().flat_map(|name| Metric::CLASS.map(|metric| row(name, metric))).collect()
    }

    /// Groups of the load likewise, where both sides have such.
    fn groups(&self) -> Vec<Row> {
        let [predicted, measured] = [&self.predicted.groups, &self.measured.groups];
        if predicted.is_empty() || measured.is_empty() {
            return Vec::new();
        }
        let names = union(
            predicted.iter().map(|group| &group.name),
            measured.iter().map(|group| &group.name),
        );
        let row = |name: &str, metric: Metric| {
            let find = |report: &Report| {
                let group = report.groups.iter().find(|group| group.name == name);
                group.map_or(Value::NONE, |group| value::of_group(report, group, metric))
            };
            self.row(Scope::Group(name.to_string()), metric, find, 0.0)
        };
        names.into_iter().flat_map(|name| Metric::CLASS.map(|metric| row(name, metric))).collect()
    }

    /// Stations likewise; numbers that neither side has are left out.
    fn stations(&self) -> Vec<Row> {
        if !self.both_tell("stations") {
            return Vec::new();
        }
        let all = self.both_tell(OTHER_STATIONS);
        let mut ids = union(
            self.predicted.stations.iter().map(|station| &station.id),
            self.measured.stations.iter().map(|station| &station.id),
        );
        // Of a service that says nothing only some stations are seen, and how much they are used.
        ids.retain(|id| all || self.measured.station(id).is_some());
        let metrics = Metric::STATION.into_iter();
        let metrics = metrics.filter(|metric| all || *metric == Metric::Utilisation);
        let rows = ids
            .into_iter()
            .flat_map(|id| metrics.clone().map(|metric| self.station_row(id, metric)));
        rows.filter(|row| row.predicted.is_some() || row.measured.is_some()).collect()
    }

    fn station_row(&self, id: &StationId, metric: Metric) -> Row {
        let find = |report: &Report| {
            let station = report.station(id);
            let side = station.and_then(|station| value::of_station(report, station, metric));
            Value::of(report, metric.name(), side, report.run.samples)
        };
        let scope = Scope::Station(id.to_string());
        self.row(scope, metric, find, self.negligible(id, metric))
    }

    /// The negligible difference at the station: measured by its share of a good answer, or of all
    /// requests in flight.
    fn negligible(&self, id: &StationId, metric: Metric) -> f64 {
        let report = self.measured;
        let floor = match metric {
            Metric::WaitingTime => report.station(id).map_or(0.0, |station| {
                let visits = station.visits / report.throughput.value;
                NEGLIGIBLE * report.response_time.mean / visits
            }),
            Metric::InFlight => NEGLIGIBLE * report.in_flight.mean.value,
            _ => 0.0,
        };
        if floor.is_finite() { floor } else { 0.0 }
    }

    /// The number that `find` finds in either report and in each of their rounds.
    fn row(
        &self,
        scope: Scope,
        metric: Metric,
        find: impl Fn(&Report) -> Value,
        floor: f64,
    ) -> Row {
        let tolerance = self.tolerances.of(metric, self.regime);
        let unit = metric.unit();
        let p = rounds::read(self.predicted, metric, &find);
        let m = rounds::read(self.measured, metric, &find);
        let (judged, paired) = match (p.side, m.side) {
            (Some(p), Some(m)) => {
                let paired = rounds::paired_half(self.predicted, self.measured, metric, find);
                (judge(p, m, paired, unit, tolerance, floor), paired.is_some())
            }
            (_, m) => (Judged::none(m.and_then(|m| noise(m, unit))), false),
        };
        let unfit = unfit(metric, p, m);
        let verdict = if unfit.is_some() { Judgement::NotJudged } else { judged.judgement };
        Row {
            scope,
            metric,
            error_kind: None,
            headline: false,
            predicted: p.side,
            measured: m.side,
            unit,
            error: judged.error,
            noise: judged.noise,
            margin: judged.margin,
            paired,
            tolerance,
            verdict,
            why: unfit,
        }
    }
}

/// Why the numbers cannot be judged.
fn unfit(metric: Metric, p: Value, m: Value) -> Option<String> {
    let needed = metric.samples_needed();
    let few = |what: &str, samples: u64| {
        format!("{samples} good answers were {what}, and it takes {needed}")
    };
    match (p.side, m.side) {
        _ if !m.told => Some("not in the measurement".to_string()),
        _ if !p.told => Some("not in the prediction".to_string()),
        _ if m.samples < needed => Some(few("measured", m.samples)),
        _ if p.samples < needed => Some(few("predicted", p.samples)),
        (Some(_), Some(_)) => None,
        (None, None) => Some("neither side has it".to_string()),
        (Some(_), None) => Some("not in the measurement".to_string()),
        (None, Some(_)) => Some("not in the prediction".to_string()),
    }
}

/// All of them, those of the first side first.
fn union<'a, T: PartialEq>(
    first: impl Iterator<Item = &'a T>,
    second: impl Iterator<Item = &'a T>,
) -> Vec<&'a T> {
    let mut all = Vec::new();
    for one in first.chain(second) {
        if !all.contains(&one) {
            all.push(one);
        }
    }
    all
}
