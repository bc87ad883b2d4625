//! How far the answer may lie from the truth with what is known of the learned numbers.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::statistics::Estimate;

/// Intervals of the answer that hold what is known of the numbers that were learned, beside the
/// noise of the runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Margins {
    /// Sets of values that were drawn of all learned numbers with an interval.
    pub draws: u32,
    /// Sets that no scenario can have, which are left out.
    pub refused: u32,
    /// The learned numbers that were drawn, as their keys.
    pub drawn: Vec<String>,
    /// Learned numbers of which no interval is known: they stand as they are written.
    pub held: Vec<String>,
    /// Good answers per second.
    pub throughput: Estimate,
    /// Response times of good answers, by name.
    pub response_time: BTreeMap<String, Estimate>,
    /// Share of requests that end in an error.
    pub error_share: Estimate,
    /// How the answer changes from one end of each interval to the other, the largest change
    /// first; empty unless that was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub swings: Vec<Swing>,
}

/// What one learned number does to the answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Swing {
    /// Its key.
    pub key: String,
    /// Lower end of its interval, as text.
    pub low: String,
    /// Upper end.
    pub high: String,
    /// Good answers per second at either end.
    pub throughput: [f64; 2],
    /// P99 of the response time at either end, in seconds.
    pub p99: [f64; 2],
}

impl Margins {
    /// What the intervals rest on, in a sentence.
    pub fn sentence(&self) -> String {
        let drawn = match self.drawn.len() {
            1 => "one learned number has an interval".to_string(),
            count => format!("{count} learned numbers have an interval, each taken as independent"),
        };
        let held = match &self.held[..] {
            [] => String::new(),
            [one] => format!("; no interval is known of `{one}`, which stands as it is written"),
            [first, second] => format!(
                "; no interval is known of `{first}` and `{second}`, which stand as they are written"
            ),
            [first, .., last] => format!(
                "; no interval is known of {} others, which stand as they are written (`{first}` \
                 to `{last}`: `learn explain` lists them)",
                self.held.len()
            ),
        };
        format!("what is known of the costs: {drawn}{held}")
    }

    /// What to measure better first, in a sentence; none if nothing was tried, or if nothing that
    /// was tried changes the answer.
    pub fn advice(&self) -> Option<String> {
        let swing = self.swings.first().filter(|swing| swing.largest() > 0.005)?;
        let Swing { key, low, high, throughput, p99 } = swing;
        let time = |seconds: f64| crate::units::Span::from_secs_f64(seconds);
        let digits = |seconds| crate::Quantity::Span(time(seconds)).rounded(3);
        let what = if swing.of_throughput() >= swing.of_p99() {
            let rate = |value: f64| crate::Quantity::Number(value).rounded(3);
            let [low, high] = throughput.map(rate);
            format!("the throughput is {low}/s with the one and {high}/s with the other")
        } else {
            let [low, high] = p99.map(digits);
            format!("the P99 is {low} with the one and {high} with the other")
        };
        Some(format!(
            "Of what was learned, measure `{key}` better first: it lies between {low} and {high}, \
             and {what}."
        ))
    }
}

impl Swing {
    fn of_throughput(&self) -> f64 {
        relative(self.throughput)
    }

    fn of_p99(&self) -> f64 {
        relative(self.p99)
    }

    /// The larger of the two changes, relative to the smaller value.
    pub fn largest(&self) -> f64 {
        self.of_throughput().max(self.of_p99())
    }
}

fn relative([a, b]: [f64; 2]) -> f64 {
    let least = a.min(b);
    if least > 0.0 { (a - b).abs() / least } else { 0.0 }
}
