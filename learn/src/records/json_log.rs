//! Logs of one JSON object per request: Caddy's, Envoy's, nginx' with `escape=json`, those of frameworks.

use serde_json::{Map, Value};

use super::entry::{Entry, Target, is_method, user};
use super::lines::Broken;
use super::time::of_line;

/// Parts of a second in which durations are, where a key does not say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Millis,
    /// Microseconds.
    Micros,
    /// Nanoseconds.
    Nanos,
}

impl Unit {
    fn seconds(self) -> f64 {
        match self {
            Unit::Seconds => 1.0,
            Unit::Millis => 1e-3,
            Unit::Micros => 1e-6,
            Unit::Nanos => 1e-9,
        }
    }
}

/// Reads logs of JSON objects.
#[derive(Clone, Debug, Default)]
pub struct JsonLog {
    /// What the user says of durations.
    pub unit: Option<Unit>,
    /// Keys of which the unit was guessed, with what it was taken for.
    pub guessed: Option<(String, Unit)>,
}

// Lower case, without what separates words. The first that is there counts.
const METHODS: [&str; 6] =
    ["method", "requestmethod", "httpmethod", "httprequestmethod", "reqmethod", "verb"];
const ROUTES: [&str; 5] = ["route", "httproute", "pathtemplate", "routepattern", "matchedpath"];
const PATHS: [&str; 12] = [
    "uri",
    "path",
    "url",
    "requesturi",
    "requesturl",
    "target",
    "httptarget",
    "urlpath",
    "requestpath",
    "httppath",
    "rawpath",
    "requestrequest",
];
const REQUESTS: [&str; 2] = ["request", "requestline"];
const STATUSES: [&str; 9] = [
    "status",
    "statuscode",
    "responsecode",
    "httpstatus",
    "httpstatuscode",
    "resstatuscode",
    "code",
    "httpresponsestatuscode",
    "responsestatus",
];
const STARTS: [&str; 4] = ["starttime", "startedat", "start", "requeststarttime"];
const ENDS: [&str; 10] = [
    "ts",
    "time",
    "timestamp",
    "@timestamp",
    "msec",
    "asctime",
    "datetime",
    "timelocal",
    "timeiso8601",
    "date",
];
const DURATIONS: [&str; 12] = [
    "upstreamresponsetime",
    "upstreamservicetime",
    "requesttime",
    "duration",
    "latency",
    "elapsed",
    "responsetime",
    "took",
    "timetaken",
    "durationtime",
    "processtime",
    "requestduration",
];
const USERS: [&str; 11] = [
    "clientip",
    "remoteip",
    "remoteaddr",
    "requestclientip",
    "requestremoteip",
    "ip",
    "client",
    "remoteaddress",
    "reqremoteaddress",
    "clientaddr",
    "downstreamremoteaddress",
];

impl JsonLog {
    /// The request of a line; none if the line is about something else.
    ///
    /// # Errors
    /// What is wrong with the line.
    pub fn entry(&mut self, line: &str) -> Result<Option<Entry>, Broken> {
        let object: Map<String, Value> =
            serde_json::from_str(line).map_err(|error| Broken::new(format!("no JSON: {error}")))?;
        let mut keys = Vec::with_capacity(2 * object.len());
        flatten(&object, "", 0, &mut keys);
        let find = |names: &[&str]| {
            names.iter().find_map(|name| keys.iter().find(|(key, _)| key == name)).map(|(_, v)| *v)
        };
        let text =
            |names: &[&str]| find(names).and_then(Value::as_str).filter(|text| !text.is_empty());
        let line = text(&REQUESTS).and_then(|line| line.split_once(' '));
        let path = text(&PATHS).or_else(|| line.and_then(|(_, rest)| rest.split(' ').next()));
        let target = match (text(&ROUTES).filter(|route| route.starts_with('/')), path) {
            (Some(route), _) => Target::Route(route.to_owned()),
            (None, Some(path)) => Target::Path(path.to_owned()),
            // A line about something else.
            (None, None) => return Ok(None),
        };
        let method = text(&METHODS).or(line.map(|(method, _)| method)).unwrap_or_default();
        let status = find(&STATUSES).and_then(number).map(|status| status as u16);
        if method.is_empty() && status.is_none() {
            return Ok(None);
        }
        if !method.is_empty() && !is_method(method) {
            return Err(Broken::new(format!("`{method}` is no method")));
        }
        let time = |names: &[&str]| match find(names) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match of_line(value.as_str().unwrap_or(&value.to_string())) {
                Some(time) => Ok(Some(time)),
                None => Err(Broken::new(format!("{value} is no time"))),
            },
        };
        let (duration, elsewhere) = self.duration(&keys)?;
        Ok(Some(Entry {
            start: time(&STARTS)?,
            end: time(&ENDS)?,
            duration,
            status,
            user: text(&USERS).and_then(|of| user(of.split(',').next().unwrap_or(of))),
            elsewhere,
            ..Entry::of(method, target)
        }))
    }

    /// How long it took, and whether a proxy in front of the service answered.
    fn duration(&mut self, keys: &[(String, &Value)]) -> Result<(Option<f64>, bool), Broken> {
        let mut elsewhere = false;
        for name in DURATIONS {
            let Some((key, value)) = keys.iter().find(|(key, _)| stem(key).0 == name) else {
                continue;
            };
            let upstream = name.starts_with("upstream");
            let text = value.as_str().unwrap_or_default();
            if upstream && text.split([',', ':']).all(|part| matches!(part.trim(), "-" | "")) {
                elsewhere |= text.contains('-');
                if !value.is_number() {
                    continue;
                }
            }
            if let Some(seconds) = with_unit(text) {
                return Ok((Some(seconds), false));
            }
            let sum = || {
                let parts = text.split([',', ':']).map(str::trim).filter(|part| *part != "-");
                parts.map(|part| part.parse::<f64>().ok()).sum::<Option<f64>>()
            };
            let number = if upstream && !text.is_empty() { sum() } else { number(value) };
            let Some(number) = number.filter(|number| *number >= 0.0) else {
                if matches!(value, Value::Null) || text == "-" {
                    continue;
                }
                return Err(Broken::new(format!("{value} is no duration")));
            };
            let unit = self.unit(key, name, value, keys);
            return Ok((Some(number * unit.seconds()), false));
        }
        Ok((None, elsewhere))
    }

    /// The unit of a duration: as its key says, as the user says, as the program that is known by its
    /// other keys, else guessed.
    fn unit(&mut self, key: &str, name: &str, value: &Value, keys: &[(String, &Value)]) -> Unit {
        if let (_, Some(unit)) = stem(key) {
            return unit;
        }
        if let Some(unit) = self.unit {
            return unit;
        }
        let caddy = keys.iter().any(|(key, value)| {
            key == "logger" && value.as_str().is_some_and(|name| name.starts_with("http.log"))
        });
        let envoy = keys.iter().any(|(key, _)| key == "responseflags" || key == "upstreamcluster");
        if caddy || matches!(name, "requesttime" | "upstreamresponsetime") {
            return Unit::Seconds;
        }
        // pino-http.
        if envoy || (name == "responsetime" && keys.iter().any(|(key, _)| key == "reqmethod")) {
            return Unit::Millis;
        }
        let unit = if value.is_u64() { Unit::Millis } else { Unit::Seconds };
        self.guessed.get_or_insert_with(|| (key.to_owned(), unit)).1
    }
}

/// Keys of an object and of those in it, in lower case and without what separates words.
fn flatten<'a>(
    object: &'a Map<String, Value>,
    prefix: &str,
    depth: u32,
    keys: &mut Vec<(String, &'a Value)>,
) {
    for (key, value) in object {
        let mut name = prefix.to_owned();
        let kept = key.chars().filter(|c| !matches!(c, '_' | '-' | '.'));
        name.extend(kept.map(|c| c.to_ascii_lowercase()));
        match value {
            Value::Object(inner) if depth < 3 => {
                // Both `method` and `request.method` are the method of the request.
                flatten(inner, &name, depth + 1, keys);
                if matches!(name.as_str(), "request" | "req" | "http" | "response" | "res") {
                    flatten(inner, "", depth + 1, keys);
                }
            }
            _ => keys.push((name, value)),
        }
    }
}

/// A key without its unit.
fn stem(key: &str) -> (&str, Option<Unit>) {
    const UNITS: [(&str, Unit); 10] = [
        ("milliseconds", Unit::Millis),
        ("microseconds", Unit::Micros),
        ("nanoseconds", Unit::Nanos),
        ("seconds", Unit::Seconds),
        ("millis", Unit::Millis),
        ("micros", Unit::Micros),
        ("ms", Unit::Millis),
        ("us", Unit::Micros),
        ("ns", Unit::Nanos),
        ("sec", Unit::Seconds),
    ];
    for (word, unit) in UNITS {
        if let Some(stem) = key.strip_suffix(word)
            && DURATIONS.contains(&stem)
        {
            return (stem, Some(unit));
        }
    }
    match key.strip_suffix('s') {
        Some(stem) if DURATIONS.contains(&stem) => (stem, Some(Unit::Seconds)),
        _ => (key, None),
    }
}

/// `12.5ms`, `1.2s`, `850µs`.
fn with_unit(text: &str) -> Option<f64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let unit = match text[end..].trim() {
        "s" => 1.0,
        "ms" => 1e-3,
        "us" | "µs" | "μs" => 1e-6,
        "ns" => 1e-9,
        _ => return None,
    };
    Some(text[..end].parse::<f64>().ok()? * unit)
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|n: &f64| n.is_finite())
}
