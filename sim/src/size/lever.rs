//! The keys of what is turned up, as a file or `--set` has them.

use model::distribution::Distribution;
use model::keys::path;
use model::read::Resolved;
use model::report::{LoadKind, Turned};
use model::units::Span;

use super::dial::Dial;

/// A thing of a scenario that may become worse.
pub(super) struct Lever {
    pub(super) dial: Dial,
    /// In words.
    pub(super) what: String,
    /// The key whose value is told.
    pub(super) key: String,
    /// All keys that are turned, that key the first.
    keys: Vec<Turns>,
}

/// A key, and its value at a factor.
enum Turns {
    Load(String, LoadKind, f64),
    Span(String, Span),
    /// A table of measured quantiles.
    Quantiles(String, Distribution),
    Speed(String, f64),
}

impl Lever {
    /// The load itself, which is `start` in the scenario.
    pub(super) fn load(kind: LoadKind, start: f64) -> Lever {
        let key = kind.key();
        let keys = vec![Turns::Load(key.into(), kind, start)];
        Lever { dial: Dial::Load(kind), what: "load".into(), key: key.into(), keys }
    }

    /// Each upstream that takes time, and the CPU.
    pub(super) fn others(resolved: &Resolved) -> Vec<Lever> {
        let scenario = &resolved.scenario;
        let upstreams = scenario.upstreams.iter().enumerate();
        let upstreams = upstreams.filter(|(_, upstream)| !upstream.latency.is_zero());
        let upstream = |(index, upstream): (usize, &model::scenario::Upstream)| {
            let (keys, point) = latency(resolved, &upstream.name, &upstream.latency);
            let what = format!("latency of {}{point}", upstream.name);
            let key = keys.first().map_or(String::new(), |first| first.key().to_string());
            Lever { dial: Dial::Upstream(index), what, key, keys }
        };
        let speed = || "cpu.speed".to_string();
        let cpu = Lever {
            dial: Dial::Cpu,
            what: "CPU time (cpu.speed)".into(),
            key: speed(),
            keys: vec![Turns::Speed(speed(), scenario.cpu.speed)],
        };
        upstreams.map(upstream).chain([cpu]).collect()
    }

    /// Its value in the scenario as it is.
    pub(super) fn now(&self) -> String {
        self.at(1.0).value
    }

    /// So many times as much.
    pub(super) fn at(&self, times: f64) -> Turned {
        let values: Vec<String> = self.keys.iter().map(|key| key.value(times)).collect();
        let set =
            self.keys.iter().zip(&values).map(|(key, value)| format!("{}={value}", key.key()));
        let shown = match self.keys.first() {
            Some(Turns::Quantiles(_, of)) => of.quantile(0.5).scale(times).to_string(),
            _ => values.first().cloned().unwrap_or_default(),
        };
        Turned { times, value: shown, set: set.collect() }
    }
}

impl Turns {
    fn key(&self) -> &str {
        match self {
            Turns::Load(key, ..)
            | Turns::Span(key, _)
            | Turns::Quantiles(key, _)
            | Turns::Speed(key, _) => key,
        }
    }

    fn value(&self, times: f64) -> String {
        match self {
            Turns::Load(_, LoadKind::Users, users) => libm::round(users * times).to_string(),
            Turns::Load(_, LoadKind::Rate, rate) => format!("{}/s", digits(rate * times)),
            Turns::Span(_, span) => span.scale(times).to_string(),
            Turns::Quantiles(_, of) => quantiles(of, times),
            Turns::Speed(_, speed) => four(speed / times).to_string(),
        }
    }
}

/// Four digits, as factors have.
fn four(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

/// Without the last bits, which a division leaves behind.
fn digits(value: f64) -> f64 {
    format!("{value:.9e}").parse().unwrap_or(value)
}

/// A table of quantiles as a file has it.
fn quantiles(of: &Distribution, times: f64) -> String {
    let Distribution::Empirical(table) = of else { return String::new() };
    let one = |(probability, nanos): &(f64, f64)| {
        let span = Span::from_nanos_f64(nanos * times);
        format!("\"p{}\" = \"{span}\"", digits(100.0 * probability))
    };
    let all: Vec<String> = table.points().iter().map(one).collect();
    format!("{{ quantiles = {{ {} }} }}", all.join(", "))
}

/// The keys of a latency, and which of its points the first one is, in words.
fn latency(resolved: &Resolved, name: &str, of: &Distribution) -> (Vec<Turns>, &'static str) {
    let key = |point: &[&str]| {
        let names: Vec<&str> =
            ["upstream", name, "latency"].into_iter().chain(point.iter().copied()).collect();
        path(&names)
    };
    let points = |points: &[&str]| -> Vec<Turns> {
        let span = |point: &&str| {
            let key = key(&[point]);
            let span = resolved.get(&key).and_then(|text| Span::parse(&text).ok())?;
            Some(Turns::Span(key, span))
        };
        points.iter().filter_map(span).collect()
    };
    match of {
        Distribution::Constant(span) => (vec![Turns::Span(key(&[]), *span)], ""),
        Distribution::Lognormal { .. } => (points(&["p50", "p99"]), " (P50)"),
        Distribution::Exponential { .. } => (points(&["mean"]), " (mean)"),
        Distribution::Uniform { .. } => (points(&["high", "low"]), " (longest)"),
        Distribution::Empirical(_) => (vec![Turns::Quantiles(key(&[]), of.clone())], " (P50)"),
    }
}

#[cfg(test)]
mod tests {
    use model::read::load_text;
    use model::stream::Purpose;

    use super::*;

    fn service(latency: &str, sets: &[String]) -> Resolved {
        let text = format!(
            "question = \"?\"\n[costs]\n[load]\nusers = 3\nwarmup = \"1s\"\nduration = \"5s\"\n[service]\n\
             concurrency = \"async\"\n[upstream.\"a.b\"]\nlatency = {latency}\n[[endpoint]]\nname = \"x\"\n\
             weight = 1\nsteps = [{{ call = \"a.b\" }}]\n"
        );
        load_text("x", &text, sets).unwrap_or_else(|problems| panic!("{problems}"))
    }

    /// What `--set` is to be given makes the scenario that was run.
    #[test]
    fn keys_do_what_the_dial_does() {
        for (latency, key, now) in [
            ("\"200ms\"", "upstream.\"a.b\".latency", "200ms"),
            ("{ p50 = \"200ms\", p99 = \"1s\" }", "upstream.\"a.b\".latency.p50", "200ms"),
            ("{ mean = \"30ms\" }", "upstream.\"a.b\".latency.mean", "30ms"),
            ("{ low = \"1ms\", high = \"3ms\" }", "upstream.\"a.b\".latency.high", "3ms"),
            (
                "{ quantiles = { p0 = \"1ms\", p50 = \"5ms\", \"p99.9\" = \"80ms\", p100 = \"90ms\" } }",
                "upstream.\"a.b\".latency",
                "5ms",
            ),
        ] {
            let as_it_is = service(latency, &[]);
            let levers = Lever::others(&as_it_is);
            assert_eq!((levers[0].key.as_str(), levers[0].now().as_str()), (key, now));
            for (lever, times) in levers.iter().zip([1.483, 1.483]) {
                let dialled = lever.dial.turned(&as_it_is.scenario, times);
                let set = service(latency, &lever.at(times).set).scenario;
                let relative = set.cpu.speed / dialled.cpu.speed;
                // Half of the fourth digit of a speed.
                assert!((relative - 1.0).abs() <= 5e-4, "{latency}: {relative}");
                let draws = Purpose::new(1, "test");
                for index in 0..100 {
                    let draw = draws.draw(0, index);
                    let of = |one: &model::scenario::Scenario| {
                        one.upstreams[0].latency.sample(draw).secs_f64()
                    };
                    let relative = of(&set) / of(&dialled);
                    assert!((relative - 1.0).abs() < 1e-5, "{latency}: {relative}");
                }
            }
        }
    }

    #[test]
    fn the_processors_are_no_slower_and_no_faster_than_a_file_may_say() {
        let slow = service("\"1ms\"", &["cpu.speed=0.02".to_string()]);
        let (least, most) = Dial::Cpu.ends(&slow.scenario);
        assert!((most - 2.0).abs() < 1e-9 && least == 1.0 / 64.0, "{least} to {most}");
    }
}
