//! A metric with its points, before it is written in one of the formats.

/// Attributes of a point by their names in OpenTelemetry, such as `rung.source`.
pub(super) type Labels = Vec<(&'static str, String)>;

/// A metric with its points.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Family {
    /// Its name in OpenTelemetry, such as `http.server.request.duration`.
    pub(super) name: &'static str,
    /// What its numbers count.
    pub(super) unit: Unit,
    /// What it says, as a phrase without a full stop.
    pub(super) help: &'static str,
    /// Its points, each with other labels.
    pub(super) points: Points,
}

/// The points of a metric.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Points {
    /// Sums since the exporter began. They never fall.
    Counter(Vec<(Labels, f64)>),
    /// Sums that may fall: how many there are now.
    UpDown(Vec<(Labels, f64)>),
    /// Values that cannot be added up.
    Gauge(Vec<(Labels, f64)>),
    /// Times since the exporter began.
    Histogram(Vec<(Labels, Times)>),
}

/// How often which time occurred.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Times {
    /// Their sum, in seconds.
    pub(super) sum: f64,
    /// How many are in each bucket: those up to each of the bounds, and the longer ones.
    pub(super) counts: Vec<u64>,
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Seconds,
    Bytes,
    /// A share between 0 and 1.
    Ratio,
    Requests,
    RequestsPerSecond,
    /// Nothing that has a unit.
    None,
}

impl Unit {
    /// In the Unified Code for Units of Measure, as OpenTelemetry writes units.
    pub(super) fn ucum(self) -> &'static str {
        match self {
            Unit::Seconds => "s",
            Unit::Bytes => "By",
            Unit::Ratio => "1",
            Unit::Requests => "{request}",
            Unit::RequestsPerSecond => "{request}/s",
            Unit::None => "",
        }
    }

    /// What Prometheus adds to the name of a metric that OpenTelemetry writes with this unit.
    pub(super) fn suffix(self) -> Option<&'static str> {
        match self {
            Unit::Seconds => Some("seconds"),
            Unit::Bytes => Some("bytes"),
            Unit::Ratio => Some("ratio"),
            Unit::RequestsPerSecond => Some("per_second"),
            Unit::Requests | Unit::None => None,
        }
    }
}

impl Points {
    /// There is none.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Points::Counter(all) | Points::UpDown(all) | Points::Gauge(all) => all.is_empty(),
            Points::Histogram(all) => all.is_empty(),
        }
    }
}

impl Times {
    /// All of them.
    pub(super) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}
