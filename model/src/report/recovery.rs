//! Whether a service recovers from a peak, and with which retry budget.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::statistics::Estimate;

/// Whether a service recovers once a peak of its load is over: whether from some instant on, and
/// until the end, 95 % of the requests of each second are answered well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Recovery {
    /// When the load changed for the last time, in seconds since it began.
    pub last_change: f64,
    /// Seconds from then to the end.
    pub watched: f64,
    /// Runs that were watched.
    pub runs: u32,
    /// Those of them that recovered.
    pub recovered: u32,
    /// Seconds from the last change to the recovery, in the runs that did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Estimate>,
    /// Share of the requests that were answered well in the later half of what was watched.
    pub answered: f64,
    /// The largest retry budget with which it recovers; none if that was not looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
}

/// Retry budgets with which a service recovers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Budget {
    /// The largest with which each run recovered, as a share of the requests; none if not even
    /// the floor alone is small enough.
    pub most: Option<f64>,
    /// The smallest that was tried with which no run recovered. Between the two, runs differ.
    pub none_from: Option<f64>,
    /// Retries per second that are allowed beside the share.
    pub floor: f64,
    /// Runs of each budget.
    pub runs: u32,
}

impl Recovery {
    /// In one sentence.
    pub fn sentence(&self) -> String {
        let Recovery { watched, runs, recovered, answered, .. } = self;
        let answered = answered * 100.0;
        let Some(after) = &self.after else {
            return format!(
                "not within {watched:.0} s of the load's last change: {answered:.0} % of the \
                 requests are answered well in the end"
            );
        };
        let when = format!("{:.1} s after the load's last change", after.value);
        match recovered {
            _ if recovered == runs => when,
            _ => format!("not sure: {recovered} of {runs} runs within {watched:.0} s, {when}"),
        }
    }
}

impl Budget {
    /// In one sentence.
    pub fn sentence(&self) -> String {
        let percent = |share: f64| format!("{:.0} %", share * 100.0);
        let Budget { floor, runs, .. } = self;
        let Some(most) = self.most else {
            return format!(
                "no retry budget lets it recover, not even {floor}/s without any share of the \
                 requests: retry less, pause longer, or give the service more room"
            );
        };
        let most = percent(most);
        let first = format!(
            "with a retry budget of up to {most} of the requests (and {floor}/s) it recovers in \
             each of {runs} runs"
        );
        match self.none_from {
            None => first,
            Some(none) => format!("{first}; with {} it does in none", percent(none)),
        }
    }
}
