//! `learn explain`: what is known of each number of a scenario, the most doubtful first.

use model::read::{Known, Resolved};
use model::scenario::Origin;
use render::page::{Align, Note, Page, Table};
use render::{Answer, number};
use serde::Serialize;

/// All learned numbers of a scenario.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// The scenario's name.
    scenario: String,
    /// The most doubtful first.
    numbers: Vec<Number>,
}

/// A learned value.
#[derive(Debug, Serialize)]
struct Number {
    /// The key, as `--set` takes it.
    key: String,
    /// The value as it is written.
    value: String,
    /// Lower end of the 95 % interval, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    low: Option<String>,
    /// Upper end.
    #[serde(skip_serializing_if = "Option::is_none")]
    high: Option<String>,
    /// Width of the interval relative to the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    relative_width: Option<f64>,
    /// How it is known.
    origin: Origin,
    /// How it was found.
    how: String,
    /// What would make it certain.
    #[serde(skip_serializing_if = "Option::is_none")]
    better: Option<String>,
    #[serde(skip)]
    doubt: Doubt,
}

/// Why a value is in doubt, the greatest doubt first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Doubt {
    /// Nothing was seen of it.
    Assumed,
    /// It is a number, and nothing says how sure it is.
    Unbounded,
    /// It lies in an interval.
    Bounded,
    /// It is a word that follows from what was seen.
    Word,
}

impl Explanation {
    /// What `resolved` says of its numbers.
    pub fn of(resolved: &Resolved) -> Explanation {
        let mut numbers: Vec<Number> = resolved.known().into_iter().map(number).collect();
        let width = |number: &Number| number.relative_width.unwrap_or(f64::INFINITY);
        numbers.sort_by(|a, b| (a.doubt.cmp(&b.doubt)).then(width(b).total_cmp(&width(a))));
        Explanation { scenario: resolved.scenario.name.clone(), numbers }
    }
}

fn number(known: Known) -> Number {
    let doubt = match (known.origin, known.interval, known.number) {
        (Origin::Assumed, ..) => Doubt::Assumed,
        (_, Some(_), _) => Doubt::Bounded,
        (_, None, Some(_)) => Doubt::Unbounded,
        (_, None, None) => Doubt::Word,
    };
    let end = |pick: fn(&model::read::Interval) -> model::Quantity| {
        known.interval.as_ref().map(|interval| pick(interval).to_string())
    };
    Number {
        low: end(|interval| interval.low),
        high: end(|interval| interval.high),
        // An interval about zero has no relative width.
        relative_width: known
            .interval
            .map(|interval| interval.relative_width())
            .filter(|width| width.is_finite()),
        key: known.key,
        value: known.value,
        origin: known.origin,
        how: known.how,
        better: known.better,
        doubt,
    }
}

impl Explanation {
    /// How each number was found, in the order of the table; those found in the same way together.
    fn reasons(&self) -> Vec<String> {
        let mut ways: Vec<(Vec<&str>, &Number)> = Vec::new();
        for one in &self.numbers {
            let same = |way: &&mut (Vec<&str>, &Number)| {
                way.1.how == one.how && way.1.better == one.better
            };
            match ways.iter_mut().find(same) {
                Some((keys, _)) => keys.push(&one.key),
                None => ways.push((vec![&one.key], one)),
            }
        }
        let mut lines = Vec::new();
        for (keys, one) in ways {
            lines.push(keys.join(", "));
            lines.push(format!("  found by: {}", one.how));
            lines.extend(one.better.iter().map(|better| format!("  better: {better}")));
        }
        lines
    }
}

impl Answer for Explanation {
    fn page(&self) -> Page {
        let mut page = Page::new();
        if self.numbers.is_empty() {
            page.title(format!(
                "{}: nothing is said about where its numbers come from",
                self.scenario
            ));
            page.lines(vec![
                "A file that `learn` writes says it under [[learned]]; `--set` of a key takes its \
                 entry away."
                    .into(),
            ]);
            return page;
        }
        page.title(format!("{}: what is known of its numbers", self.scenario));
        let mut table = Table::new(&[
            ("key", Align::Left),
            ("value", Align::Right),
            ("95 % interval", Align::Right),
            ("width", Align::Right),
            ("origin", Align::Left),
        ]);
        for one in &self.numbers {
            table.row([
                one.key.clone(),
                one.value.clone(),
                interval(one),
                one.relative_width.map_or("-".into(), number::percent),
                one.origin.as_str().to_string(),
            ]);
        }
        page.table(table);
        page.heading("How each was found, and what would make it certain");
        page.lines(self.reasons());
        let text = "a number that is not listed is the user's own, or a default: `sim check` prints \
                    all of them";
        page.notes(vec![Note { kind: "note", text: text.into(), strong: false }]);
        page
    }
}

fn interval(one: &Number) -> String {
    match (&one.low, &one.high, one.doubt) {
        (Some(low), Some(high), _) => format!("{low} to {high}"),
        (_, _, Doubt::Word) => String::new(),
        _ => "not known".into(),
    }
}
