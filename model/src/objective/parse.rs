//! An objective from its text.

use std::str::FromStr;

use super::{Measure, Objective, Relation, Statistic};
use crate::read::nearest;
use crate::units::{Span, parse_rate, parse_share, parse_size};

/// What an objective may be.
pub const ALLOWED: &str = "`p99 < 800ms` (any quantile, mean, max), `errors < 0.1%`, \
     `throughput > 100/s`, each also of an endpoint as in `endpoint:checkout.p99 < 800ms`; \
     `utilisation:cpu < 80%`, `in_flight < 50`, `in_flight.peak < 90`, `memory < 512MiB`; or as \
     k6 writes it, `p(99)<800` in milliseconds, `rate<0.01`";

/// Names beside quantiles.
const NAMES: [&str; 9] = [
    "mean",
    "max",
    "p99",
    "errors",
    "throughput",
    "utilisation",
    "in_flight",
    "in_flight.peak",
    "memory",
];

/// Why a text is no objective.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What was found.
    pub found: String,
    /// What is allowed.
    pub allowed: String,
    /// What to do.
    pub advice: Option<String>,
}

fn refused(found: impl Into<String>, allowed: impl Into<String>) -> Refused {
    Refused { found: found.into(), allowed: allowed.into(), advice: None }
}

impl FromStr for Objective {
    type Err = Refused;

    fn from_str(text: &str) -> Result<Objective, Refused> {
        let shown: String = text.chars().filter(|c| !c.is_control()).take(100).collect();
        let (left, relation, right) =
            split(text).ok_or_else(|| refused(format!("`{shown}` is no objective"), ALLOWED))?;
        let (measure, k6) = measure(left)?;
        let limit = limit(&measure, k6, right)
            .map_err(|allowed| refused(format!("the limit of `{shown}` is `{right}`"), allowed))?;
        let objective = Objective { measure, relation, limit };
        if limit == 0.0 && relation == Relation::Below {
            let found = format!("`{shown}` cannot hold: no number is below 0");
            return Err(refused(found, "a limit above 0, or `<=` for none at all"));
        }
        Ok(objective)
    }
}

/// The texts on both sides of the sign. A name may hold signs: the last one counts.
fn split(text: &str) -> Option<(&str, Relation, &str)> {
    let at = text.rfind(['<', '>'])?;
    let (left, rest) = text.split_at(at);
    let (relation, right) = match (rest.strip_prefix("<="), rest.strip_prefix(">=")) {
        (Some(right), _) => (Relation::AtMost, right),
        (_, Some(right)) => (Relation::AtLeast, right),
        _ if rest.starts_with('<') => (Relation::Below, &rest[1..]),
        _ => (Relation::Above, &rest[1..]),
    };
    let (left, right) = (left.trim(), right.trim());
    (!left.is_empty() && !right.is_empty()).then_some((left, relation, right))
}

/// The number that is meant, and whether k6 writes it so.
fn measure(text: &str) -> Result<(Measure, bool), Refused> {
    if let Some(of) = text.strip_prefix("endpoint:") {
        let found = of.rsplit_once('.').and_then(|(name, number)| {
            // `p99.9` has a point of its own.
            let whole = of.len() - number.len() - 1;
            let longer = name.rfind('.').map(|at| (&of[..at], &of[at + 1..]));
            let short = (&of[..whole], number);
            [Some(short), longer].into_iter().flatten().find_map(|(name, number)| {
                let endpoint = Some(name.trim().to_string());
                match number.trim() {
                    "throughput" => Some(Measure::Throughput(endpoint)),
                    "errors" => Some(Measure::Errors(endpoint)),
                    time => statistic(time).map(|(of, _)| Measure::Time(endpoint, of)),
                }
            })
        });
        return found.map(|found| (found, false)).ok_or_else(|| {
            refused(
                format!("`{text}` names no number of an endpoint"),
                "`endpoint:NAME.` and then `p99` or another quantile, `mean`, `max`, `errors` or \
                 `throughput`",
            )
        });
    }
    if let Some(station) = text.strip_prefix("utilisation:") {
        return Ok((Measure::Utilisation(station.trim().replace('_', " ")), false));
    }
    let (text, name) = match text.split_once(':') {
        Some(("http_req_duration", time)) => (time.trim(), "time"),
        Some(("http_req_failed", share)) => (share.trim(), "share"),
        Some(("http_reqs", rate)) => (rate.trim(), "rate"),
        _ => (text, ""),
    };
    if let Some((statistic, k6)) = statistic(text).filter(|_| ["", "time"].contains(&name)) {
        return Ok((Measure::Time(None, statistic), k6 || name == "time"));
    }
    match (name, text) {
        ("", "throughput") => Ok((Measure::Throughput(None), false)),
        ("rate", "rate") => Ok((Measure::Throughput(None), true)),
        ("", "errors") => Ok((Measure::Errors(None), false)),
        ("" | "share", "rate") => Ok((Measure::Errors(None), true)),
        ("", "in_flight") => Ok((Measure::InFlight, false)),
        ("", "in_flight.peak") => Ok((Measure::InFlightPeak, false)),
        ("", "memory") => Ok((Measure::Memory, false)),
        _ => Err(unknown(text)),
    }
}

fn unknown(text: &str) -> Refused {
    let advice = match text {
        "utilisation" => Some("name the station: `utilisation:cpu < 80%`".to_string()),
        _ => nearest(text, NAMES).map(|name| format!("did you mean `{name}`?")),
    };
    let shown: String = text.chars().filter(|c| !c.is_control()).take(60).collect();
    Refused { advice, ..refused(format!("there is no number `{shown}` to keep"), ALLOWED) }
}

/// A response time by its name, and whether only k6 calls it so.
fn statistic(text: &str) -> Option<(Statistic, bool)> {
    let (percent, k6) = match text {
        "mean" => return Some((Statistic::Mean, false)),
        "max" => return Some((Statistic::Max, false)),
        "avg" => return Some((Statistic::Mean, true)),
        "med" => ("50", true),
        "p999" => ("99.9", false),
        _ => {
            let rest = text.strip_prefix('p').or_else(|| text.strip_prefix('P'))?;
            match rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
                Some(percent) => (percent.trim(), true),
                None => (rest, false),
            }
        }
    };
    let plain = !percent.is_empty() && percent.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let percent: f64 = percent.parse().ok().filter(|_| plain)?;
    (percent > 0.0 && percent < 100.0).then_some((Statistic::Quantile(percent), k6))
}

/// The limit in the unit of the report.
fn limit(measure: &Measure, k6: bool, text: &str) -> Result<f64, String> {
    let plain = text.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
    match measure {
        Measure::Time(..) => match plain.filter(|_| k6) {
            Some(millis) => Ok(millis / 1e3),
            None => Span::parse(text).map(Span::secs_f64),
        },
        Measure::Throughput(_) => match plain.filter(|_| k6) {
            Some(rate) => Ok(rate),
            None => parse_rate(text),
        },
        Measure::Errors(_) => match plain.filter(|share| k6 && *share <= 1.0) {
            Some(share) => Ok(share),
            None if k6 => Err("a share between 0 and 1 (`http_reqs:rate>100` or \
                               `throughput > 100/s` is a rate)"
                .into()),
            None => parse_share(text),
        },
        Measure::Utilisation(_) => parse_share(text),
        Measure::InFlight | Measure::InFlightPeak => {
            plain.ok_or_else(|| "a number of requests, as in `50`".into())
        }
        Measure::Memory => parse_size(text).map(|bytes| bytes as f64),
    }
}
