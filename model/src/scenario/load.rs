//! The load: who sends requests, and for how long they are counted.

use crate::distribution::Distribution;
use crate::keys::{Fields, Key, Keys, MOST_USERS};
use crate::units::Span;

section! {
    /// Who sends requests, and for how long they are counted.
    #[section("load")]
    #[one_of(users, rate)]
    #[one_of(duration, stages)]
    pub struct Load {
        /// Closed users or open arrivals.
        #[key(flatten)]
        pub source: Source,
        /// Time at the start that is run but not counted.
        pub warmup: Span = "0s",
        /// Time that is counted, after the warm-up. With `stages` it is what the warm-up leaves
        /// of them.
        #[key(at_least(Span::from_nanos(1)), absent())]
        pub duration: Span,
        /// A client gives up after this long: a time, or a distribution from which each request
        /// draws its own.
        #[key(or("never"), usually(Span::from_secs(24 * 3600)))]
        pub timeout: Option<Distribution> = "60s",
        /// Connections are kept between requests of the same user.
        pub keep_alive: bool = true,
        /// A client, or the balancer in its place, closes a connection that has been idle for so
        /// long. If the server closes it before, what the client sends until it knows of that
        /// fails with `connection_closed`. Without this key a client sends such a request once
        /// again at once, as browsers do, and nothing fails. A client that never closes one has
        /// `"1h"`.
        pub keep_alive_timeout: Option<Span>,
    }
}

section! {
    /// The keys of a [`Source`].
    #[section("load")]
    pub(crate) struct SourceKeys {
        /// Closed load: this many users send, wait for the reply, think, repeat. With `stages`,
        /// the number at the start.
        #[key(within(0, MOST_USERS))]
        users: Option<u64>,
        /// Open load: requests arrive at this rate whether or not earlier ones are answered.
        /// With `stages`, the rate at the start.
        #[key(rate())]
        rate: Option<f64>,
        /// Pause between a reply and the same user's next request.
        #[key(with("users"), usually(Span::from_secs(2 * 3600)))]
        think_time: Option<Distribution> = "0s",
        /// Every user's connection is open before the first request, as behind a balancer that
        /// keeps them; without it each user connects when it sends.
        #[key(with("users"))]
        preconnect: Option<bool> = false,
        /// How arrivals are spaced.
        #[key(with("rate"))]
        spacing: Option<Spacing> = "poisson",
        /// Arrivals come in bursts: `rate` holds while the process is on, and nothing comes while
        /// it is off. With Poisson arrivals this is an interrupted Poisson process (IPP).
        #[key(with("rate"))]
        on_off: Option<OnOff>,
        /// Most requests in flight; an arrival beyond it is dropped and counted.
        #[key(within(1, MOST_USERS), with("rate"), or("none"))]
        max_users: Option<u32>,
        /// Straight lines from the start value to each target in turn; they set the length of
        /// the run.
        stages: Option<Vec<Stage>>,
    }
}

section! {
    /// One straight line of a load over time.
    #[section("stage")]
    #[derive(Copy)]
    pub struct Stage {
        /// How long the line is; with `0s` the load jumps to the target at once.
        pub duration: Span,
        /// Value at its end: users of a closed load, a rate of an open one.
        #[key(users_or_rate())]
        pub target: f64,
    }
}

section! {
    /// An on/off process, which begins with an on time. Times as in `"2s"` are all equally long,
    /// those as in `{ mean = "2s" }` exponential.
    #[section("on/off process")]
    pub struct OnOff {
        /// How long arrivals come.
        #[key(usually(Span::from_secs(2 * 3600)))]
        pub on: Distribution,
        /// How long none comes after that.
        #[key(usually(Span::from_secs(24 * 3600)))]
        pub off: Distribution,
    }
}

/// Where requests come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// Each user sends, waits for the reply, thinks, repeats.
    Closed {
        /// How many users there are, over time.
        users: Profile,
        /// Pause between a reply and the next request (Z).
        think_time: Distribution,
        /// All connections are open before the first request.
        preconnect: bool,
    },
    /// Requests come whether or not earlier ones are answered.
    Open {
        /// Arrivals per second, over time.
        rate: Profile,
        /// How they are spaced.
        spacing: Spacing,
        /// When they come at all, if not always.
        on_off: Option<OnOff>,
        /// Most requests in flight; an arrival beyond it is dropped and counted.
        max_users: Option<u32>,
    },
}

words! {
    /// How open arrivals are spaced.
    pub enum Spacing {
        /// independent arrivals: exponential gaps
        Poisson = "poisson",
        /// arrival i at i/rate, as k6 does it
        Even = "even",
    }
}

/// A quantity over time: a start value, then straight lines to the target of each stage.
/// After the last stage the last value holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Value at the start of the run, the warm-up included.
    pub start: f64,
    /// Straight lines, one after the other.
    pub stages: Vec<Stage>,
}

impl Keys for Source {
    const KEYS: &'static [Key] = SourceKeys::KEYS;

    fn read(fields: &Fields, upstreams: &[&str]) -> Option<Source> {
        let SourceKeys {
            users, rate, think_time, preconnect, spacing, on_off, max_users, stages
        } =
            SourceKeys::read(fields, upstreams)?;
        let stages = stages.unwrap_or_default();
        match (users, rate) {
            (Some(users), _) => Some(Source::Closed {
                users: Profile { start: users as f64, stages },
                think_time: think_time?,
                preconnect: preconnect?,
            }),
            (_, Some(rate)) => Some(Source::Open {
                rate: Profile { start: rate, stages },
                spacing: spacing?,
                on_off,
                max_users,
            }),
            _ => None,
        }
    }
}

impl Profile {
    /// The same value for ever.
    pub fn constant(value: f64) -> Profile {
        Profile { start: value, stages: Vec::new() }
    }

    /// The value at `at` after the start of the run.
    pub fn value(&self, at: Span) -> f64 {
        let mut value = self.start;
        let mut begin = Span::ZERO;
        for stage in &self.stages {
            let end = begin + stage.duration;
            if at < end {
                let share = (at - begin).nanos() as f64 / stage.duration.nanos() as f64;
                return value + (stage.target - value) * share;
            }
            value = stage.target;
            begin = end;
        }
        value
    }

    /// The highest value it ever has.
    pub fn peak(&self) -> f64 {
        self.stages.iter().fold(self.start, |peak, stage| peak.max(stage.target))
    }
}

impl OnOff {
    /// The share of the time in which arrivals come, in the long run.
    pub fn share(&self) -> f64 {
        self.on.mean() / (self.on.mean() + self.off.mean())
    }
}

impl Source {
    /// Users, or arrivals per second, over time.
    pub(crate) fn profile(&self) -> &Profile {
        match self {
            Source::Closed { users, .. } => users,
            Source::Open { rate, .. } => rate,
        }
    }
}

impl Load {
    /// Warm-up and counted time together.
    pub fn total(&self) -> Span {
        self.warmup + self.duration
    }
}
