//! The load: who sends requests, and for how long they are counted.

use super::Retry;
use crate::distribution::Distribution;
use std::borrow::Cow;
use std::sync::Arc;

use super::Endpoint;
use crate::keys::{Fields, Key, Keys, MOST_USERS, Section, TableType, concat, count};
use crate::stream::lanes_of_group;
use crate::trace::Trace;
use crate::units::Span;

section! {
    /// Who sends requests, and for how long they are counted.
    #[section("load")]
    #[one_of(users, rate, trace, group)]
    #[one_of(duration, stages)]
    #[implied(duration, by(trace))]
    pub struct Load {
        /// Closed users or open arrivals, or groups of both.
        #[key(flatten)]
        pub source: Source,
        /// Time at the start that is run but not counted.
        pub warmup: Span = "0s",
        /// Time that is counted, after the warm-up. With `stages` it is what the warm-up leaves
        /// of them; with `trace` and without this key the load ends with the trace's last second.
        #[key(at_least(Span::from_nanos(1)), absent())]
        pub duration: Span,
        /// A client abandons an attempt after this long: a time, or a distribution from which each
        /// attempt draws its own.
        #[key(or("never"), usually(Span::from_secs(24 * 3600)))]
        pub timeout: Option<Distribution> = "60s",
        /// What it does then, and after an answer that is not good.
        #[key(flatten)]
        pub retry: Retry,
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
        /// Open load: requests arrive when those of a file did. Each line is a time, or
        /// `time,endpoint`: seconds from the start of the warm-up, seconds since 1970 or ISO 8601,
        /// which are counted from the first line. The access log of a server is read too (common
        /// or combined format): its requests call the endpoints whose names fit, such as
        /// `GET /items/{id}`. A request whose endpoint is not known calls one by the weights.
        trace: Option<Arc<Trace>>,
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
        #[key(within(1, MOST_USERS), with_either("rate", "trace"), or("none"))]
        max_users: Option<u32>,
        /// Straight lines from the start value to each target in turn; they set the length of
        /// the run.
        stages: Option<Vec<Stage>>,
    }
}

section! {
    /// Several loads at once.
    #[section("load")]
    pub(crate) struct GroupList {
        /// Several loads at once, in the place of `users` or `rate`: users of a page beside a
        /// poller or a health probe. They have `warmup` and `duration` of the load in common.
        group: Option<Vec<Group>>,
    }
}

section! {
    /// One of several loads at once.
    #[section("group")]
    #[one_of(users, rate, trace)]
    pub(crate) struct GroupKeys {
        /// Its name in the report.
        name: String,
        /// The endpoints that it calls and their shares; without it all endpoints, by their own
        /// weights.
        mix: Option<Vec<Share>>,
        /// Closed users or open arrivals.
        #[key(flatten)]
        source: Alone,
        /// A client gives up after this long, as `load.timeout` says it for all groups.
        #[key(or("never"), derived("`load.timeout`"))]
        timeout: Option<Distribution>,
        /// Connections are kept between requests of the same user.
        #[key(derived("`load.keep_alive`"))]
        keep_alive: bool,
    }
}

section! {
    /// An endpoint that a group calls.
    #[section("share")]
    pub struct Share {
        /// The endpoint.
        pub endpoint: String,
        /// Its share of the group's requests, relative to the other weights.
        #[key(between(0.0, 1e9))]
        pub weight: f64 = 1,
    }
}

/// The source of one group.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Alone(pub(crate) Source);

/// One of several loads at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Its name; empty for a load without groups.
    pub name: String,
    /// The endpoints that it calls; empty for all.
    pub mix: Vec<Share>,
    /// Its load.
    pub load: Load,
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
    /// Requests come when recorded ones did.
    Replay {
        /// The arrivals that were recorded.
        trace: Arc<Trace>,
        /// Most requests in flight; an arrival beyond it is dropped and counted.
        max_users: Option<u32>,
    },
    /// Several loads at once, each closed or open.
    Several(Vec<Group>),
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
    const KEYS: &'static [Key] = {
        const PARTS: &[&[Key]] = &[SourceKeys::KEYS, GroupList::KEYS];
        const ALL: [Key; count(PARTS)] = concat(PARTS);
        &ALL
    };

    fn read(fields: &Fields, upstreams: &[&str]) -> Option<Source> {
        match GroupList::read(fields, upstreams)?.group {
            Some(groups) => Some(Source::Several(groups)),
            None => Alone::read(fields, upstreams).map(|Alone(source)| source),
        }
    }
}

impl Keys for Group {
    const KEYS: &'static [Key] = GroupKeys::KEYS;

    fn read(fields: &Fields, upstreams: &[&str]) -> Option<Group> {
        let GroupKeys { name, mix, source: Alone(source), timeout, keep_alive } =
            GroupKeys::read(fields, upstreams)?;
        // The rest is common to all groups, see `Load::complete`.
        let (warmup, duration) = (Span::ZERO, Span::ZERO);
        let keep_alive_timeout = None;
        let retry = Retry::NEVER;
        let load =
            Load { source, warmup, duration, timeout, retry, keep_alive, keep_alive_timeout };
        Some(Group { name, mix: mix.unwrap_or_default(), load })
    }
}

impl TableType for Group {
    fn section() -> &'static Section {
        GroupKeys::section()
    }
}

impl Keys for Alone {
    const KEYS: &'static [Key] = SourceKeys::KEYS;

    fn read(fields: &Fields, upstreams: &[&str]) -> Option<Alone> {
        let SourceKeys {
            users,
            rate,
            trace,
            think_time,
            preconnect,
            spacing,
            on_off,
            max_users,
            stages,
        } = SourceKeys::read(fields, upstreams)?;
        let stages = stages.unwrap_or_default();
        if let Some(trace) = trace {
            return Some(Alone(Source::Replay { trace, max_users }));
        }
        match (users, rate) {
            (Some(users), _) => Some(Alone(Source::Closed {
                users: Profile { start: users as f64, stages },
                think_time: think_time?,
                preconnect: preconnect?,
            })),
            (_, Some(rate)) => Some(Alone(Source::Open {
                rate: Profile { start: rate, stages },
                spacing: spacing?,
                on_off,
                max_users,
            })),
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

impl Group {
    /// The first of the lanes of its draws: those of one group are its own, whatever other groups
    /// there are.
    pub fn lane(&self) -> u64 {
        lanes_of_group(&self.name)
    }

    /// The share of each of the endpoints, up to a factor: by weight, or as recorded.
    pub fn shares(&self, endpoints: &[Endpoint]) -> Vec<f64> {
        let weights = self.weights(endpoints);
        let Source::Replay { trace, .. } = &self.load.source else { return weights };
        let (calls, unknown) = trace.calls(endpoints, self.load.total());
        let sum: f64 = weights.iter().sum();
        let each = calls.iter().zip(weights);
        each.map(|(&calls, weight)| calls as f64 + unknown as f64 * weight / sum).collect()
    }

    /// The weight of each of the endpoints.
    pub fn weights(&self, endpoints: &[Endpoint]) -> Vec<f64> {
        let of = |endpoint: &Endpoint| {
            let own = self.mix.iter().filter(|share| share.endpoint == endpoint.name);
            own.fold(0.0, |sum, share| sum + share.weight)
        };
        match self.mix.is_empty() {
            true => endpoints.iter().map(|endpoint| endpoint.weight).collect(),
            false => endpoints.iter().map(of).collect(),
        }
    }

    /// A key of this load as a file writes it: `load.timeout`, `load.group.page.timeout`.
    pub fn key(&self, name: &str) -> String {
        match self.name.is_empty() {
            true => format!("load.{name}"),
            false => crate::keys::path(&["load", "group", self.name.as_str(), name]),
        }
    }
}

impl Source {
    /// Users, or arrivals per second, over time; none of several loads, or of recorded arrivals.
    pub fn profile(&self) -> Option<&Profile> {
        match self {
            Source::Closed { users, .. } => Some(users),
            Source::Open { rate, .. } => Some(rate),
            Source::Replay { .. } | Source::Several(_) => None,
        }
    }

    /// Requests come, or some of them do, whether or not earlier ones are answered.
    pub fn is_open(&self) -> bool {
        match self {
            Source::Closed { .. } => false,
            Source::Open { .. } | Source::Replay { .. } => true,
            Source::Several(groups) => groups.iter().any(|group| group.load.source.is_open()),
        }
    }
}

impl Load {
    /// Warm-up and counted time together.
    pub fn total(&self) -> Span {
        self.warmup + self.duration
    }

    /// Each load by itself: the groups, or the one load without a name.
    pub fn groups(&self) -> Cow<'_, [Group]> {
        match &self.source {
            Source::Several(groups) => Cow::Borrowed(groups),
            _ => {
                Cow::Owned(vec![Group { name: String::new(), mix: Vec::new(), load: self.clone() }])
            }
        }
    }

    /// Gives the groups what they have in common.
    pub(crate) fn complete(&mut self) {
        if let Source::Several(groups) = &mut self.source {
            for group in groups {
                (group.load.warmup, group.load.duration) = (self.warmup, self.duration);
                group.load.keep_alive_timeout = self.keep_alive_timeout;
                group.load.retry = self.retry.clone();
            }
        }
    }
}
