//! The load of a service, from the times of its requests.
//!
//! Pure functions: no input, no output, no clock.

mod arrivals;
mod users;

pub use arrivals::{Dispersion, Stage, Trend};
pub use users::Users;

use model::statistics::Estimate;

use crate::records::Request;

/// Whether requests wait for replies before they come.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// A fixed number of users, each of which waits for its reply and then thinks.
    Closed {
        /// How many.
        users: u32,
        /// Seconds from a reply to the next request of the same user, on average.
        think: f64,
    },
    /// Requests come whatever the service does.
    Open,
}

/// The load of a service.
#[derive(Clone, Debug)]
pub struct Traffic {
    /// Requests.
    pub requests: u64,
    /// Seconds from the first to the last request.
    pub seconds: f64,
    /// Requests per second.
    pub rate: Option<Estimate>,
    /// Times are known to this many seconds: bursts within are not seen.
    pub resolution: f64,
    /// How far counts vary, by the length of the intervals in which they are counted.
    pub dispersion: Vec<Dispersion>,
    /// The rate in the course of the record: one stage if it did not change.
    pub stages: Vec<Stage>,
    /// A steady change from the first to the last request, where there is one.
    pub trend: Option<Trend>,
    /// The single users, where the record can tell them apart.
    pub users: Option<Users>,
    /// What the load is taken for.
    pub shape: Shape,
    /// Why, in a sentence.
    pub why: String,
}

/// The load that `arrivals`, in the order of their times, are; `population` is the number of users where
/// the record says it.
pub fn describe(arrivals: &[Request], population: Option<f64>) -> Traffic {
    let times = || arrivals.iter().map(|arrival| arrival.start);
    let (first, last) = (times().next().unwrap_or(0.0), times().next_back().unwrap_or(0.0));
    let seconds = (last - first).max(0.0);
    let resolution = arrivals::resolution(arrivals);
    let users = users::users(arrivals);
    let rate = arrivals::rate(arrivals);
    let (shape, why) = shape(arrivals, population, users.as_ref(), rate.as_ref());
    Traffic {
        requests: arrivals.len() as u64,
        seconds,
        resolution,
        dispersion: arrivals::dispersion(arrivals, resolution),
        stages: arrivals::stages(arrivals),
        trend: arrivals::trend(arrivals),
        rate,
        users,
        shape,
        why,
    }
}

/// Counts that vary by so many times as much as chance explains are bursts.
const BURSTS: f64 = 3.0;
/// Stages that are told one by one.
const STAGES: usize = 12;

impl Traffic {
    /// The load in words.
    pub fn in_words(&self) -> String {
        match self.shape {
            Shape::Closed { users, think } => {
                format!("closed: {users} users who think for {think:.3} s, as {}", self.why)
            }
            Shape::Open => format!("open: {}", self.why),
        }
    }

    /// What of the load a scenario of one rate does not say, in whole sentences.
    pub fn remarks(&self) -> Vec<String> {
        let mut all = Vec::new();
        if self.resolution >= 1.0 {
            all.push("Times are in whole seconds: bursts within a second are not seen.".into());
        }
        let worst = self.dispersion.iter().max_by(|a, b| a.index.total_cmp(&b.index));
        if let Some(worst) = worst.filter(|of| of.index > BURSTS && self.shape == Shape::Open) {
            all.push(format!(
                "Requests come in bursts: counts in {} s vary {:.1} times as much as those of independent \
                 arrivals (index of dispersion); see `load.on_off`.",
                worst.interval, worst.index
            ));
        }
        if self.stages.len() > 1 {
            let stage = |stage: &Stage| format!("{:.0} s at {:.2}/s", stage.seconds, stage.rate);
            let shown: Vec<String> = self.stages.iter().take(STAGES).map(stage).collect();
            all.push(format!(
                "The rate changed in {} stages: {}{}.",
                self.stages.len(),
                shown.join(", "),
                if self.stages.len() > STAGES { ", and so on" } else { "" }
            ));
        }
        if let Some(trend) = self.trend.filter(|_| self.stages.len() > 1) {
            all.push(format!(
                "From beginning to end it went from {:.2}/s to {:.2}/s.",
                trend.from, trend.to
            ));
        }
        if let Some(users) = self.users.as_ref().filter(|_| self.shape == Shape::Open) {
            all.push(format!(
                "{} users asked, {} of them five times or more; between a reply and the next request they \
                 pause for {:.2} s on average, half of them for less than {:.2} s.",
                users.all, users.regular, users.think_mean, users.think_p50
            ));
        }
        all
    }
}

/// Users who are there for this share of the record are a fixed number of users.
const ALL_THE_TIME: f64 = 0.8;

fn shape(
    arrivals: &[Request],
    population: Option<f64>,
    users: Option<&Users>,
    rate: Option<&Estimate>,
) -> (Shape, String) {
    if let Some(users) = users
        && users.present >= ALL_THE_TIME
    {
        let count = users.at_once.round().max(1.0) as u32;
        let why = format!(
            "{} users ask again and again, each after its reply, from the beginning of the record to its \
             end",
            users.regular
        );
        return (Shape::Closed { users: count, think: users.think_mean }, why);
    }
    let stays = arrivals.iter().filter_map(|arrival| arrival.stay());
    let (count, sum) = stays.fold((0.0, 0.0), |(count, sum), stay| (count + 1.0, sum + stay));
    if let (Some(population), Some(rate)) = (population.filter(|number| *number > 0.0), rate)
        && count > 0.0
    {
        let think = (population / rate.value - sum / count).max(0.0);
        let why = format!(
            "the record says that {population:.0} users were there; their think time follows from users / \
             rate - response time"
        );
        return (Shape::Closed { users: population.round().max(1.0) as u32, think }, why);
    }
    let why = match users {
        Some(users) => format!(
            "users come and go: each of the {} that asked five times or more was there for {:.0} % of the \
             record",
            users.regular,
            100.0 * users.present
        ),
        None => {
            "users cannot be told apart, so that requests are taken to come by themselves".into()
        }
    };
    (Shape::Open, why)
}

#[cfg(test)]
mod tests;
