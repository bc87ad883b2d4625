//! The load, drawn alike for a prediction and a measurement: which user sends a request of
//! which class at what time, by key.

use std::sync::Arc;

use crate::distribution::{Distribution, unit_interval};
use crate::scenario::{Endpoint, Group, Load, OnOff, Profile, Source, Spacing, Stage};
use crate::stream::{Draws, Purpose, lane_of_retry};
use crate::trace::Trace;
use crate::units::{Instant, Span};

/// The purpose of the draw that chooses a request's endpoint.
pub const CLASS: &str = "class";
/// The purpose of the draw of a user's pause.
pub const THINK: &str = "think";
/// The purpose of the draw of a client's patience.
pub const PATIENCE: &str = "patience";
/// The shortest patience. One of no time at all would be lost before it begins.
pub const LEAST_PATIENCE: Span = Span::from_micros(1);

/// The key of a request: every draw that it causes is made from it.
///
/// Closed load: the user and that user's iteration. Open load: lane 0 and the number of
/// the arrival. A group of a load has lanes of its own, see [`Group::lane`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestKey {
    /// The user; 0 for open arrivals.
    pub lane: u64,
    /// How many requests the lane had before this one.
    pub index: u64,
}

impl RequestKey {
    /// The key of attempt number `attempt` of this request. The first, number 0, has this one.
    pub fn attempt(self, attempt: u32) -> RequestKey {
        RequestKey { lane: lane_of_retry(self.lane, attempt), ..self }
    }
}

/// Draws of the load itself.
#[derive(Clone, Debug)]
pub struct Workload {
    lane: u64,
    cumulative: Vec<f64>,
    class: Purpose,
    think: Purpose,
    think_time: Distribution,
    patience: Purpose,
    timeout: Option<Distribution>,
    recorded: Option<Recorded>,
}

/// What recorded arrivals called.
#[derive(Clone, Debug)]
struct Recorded {
    trace: Arc<Trace>,
    /// The endpoint of each name.
    endpoints: Vec<Option<usize>>,
}

impl Workload {
    /// The workload of a load without groups, or of the first of its groups.
    pub fn new(seed: u64, load: &Load, endpoints: &[Endpoint]) -> Workload {
        Workload::of(seed, &load.groups()[0], endpoints)
    }

    /// The workload of `group` on `endpoints` under `seed`.
    pub fn of(seed: u64, group: &Group, endpoints: &[Endpoint]) -> Workload {
        let weights = group.weights(endpoints);
        let total: f64 = weights.iter().sum();
        let mut sum = 0.0;
        let cumulative = weights
            .iter()
            .map(|weight| {
                sum += weight / total;
                sum
            })
            .collect();
        let think_time = match &group.load.source {
            Source::Closed { think_time, .. } => think_time.clone(),
            _ => Distribution::Constant(Span::ZERO),
        };
        Workload {
            lane: group.lane(),
            cumulative,
            class: Purpose::new(seed, CLASS),
            think: Purpose::new(seed, THINK),
            think_time,
            patience: Purpose::new(seed, PATIENCE),
            timeout: group.load.timeout.clone(),
            recorded: match &group.load.source {
                Source::Replay { trace, .. } => Some(Recorded {
                    trace: Arc::clone(trace),
                    endpoints: trace.endpoints(endpoints).unwrap_or_default(),
                }),
                _ => None,
            },
        }
    }

    /// The key of request `index` of the group's closed user `number`; of its arrival `index`
    /// with the number 0.
    pub fn key(&self, number: u32, index: u64) -> RequestKey {
        RequestKey { lane: self.lane + u64::from(number), index }
    }

    /// The index of the endpoint that the request calls.
    pub fn class(&self, draws: &mut Draws, key: RequestKey) -> usize {
        if self.cumulative.len() == 1 {
            return 0;
        }
        if let Some(Recorded { trace, endpoints }) = &self.recorded
            && let Some(Some(class)) = trace.name(key.index).map(|name| endpoints.get(name))
            && let Some(class) = *class
        {
            return class;
        }
        let u = unit_interval(draws.draw(&self.class, key.lane, key.index));
        // Rounding may leave the last sum below one; a weight of zero is never chosen.
        let last =
            self.cumulative.partition_point(|&c| c < self.cumulative[self.cumulative.len() - 1]);
        self.cumulative.partition_point(|&c| c <= u).min(last)
    }

    /// The pause of `key.lane` after the reply to request `key.index`.
    pub fn think_time(&self, draws: &mut Draws, key: RequestKey) -> Span {
        match self.think_time {
            Distribution::Constant(span) => span,
            ref drawn => drawn.sample(draws.draw(&self.think, key.lane, key.index)),
        }
    }
}

impl Workload {
    /// How long the client of the request waits; none if for ever.
    pub fn patience(&self, draws: &mut Draws, key: RequestKey) -> Option<Span> {
        match self.timeout.as_ref()? {
            Distribution::Constant(span) => Some(*span),
            drawn => {
                let span = drawn.sample(draws.draw(&self.patience, key.lane, key.index));
                Some(span.max(LEAST_PATIENCE))
            }
        }
    }
}

/// The instants of open arrivals, in order.
#[derive(Clone, Debug)]
pub enum Arrivals {
    /// Arrivals at a rate.
    Drawn(Box<Drawn>),
    /// Recorded arrivals, from the one of this number on.
    Replayed(Arc<Trace>, u64),
}

/// Arrivals at a rate, in order.
#[derive(Clone, Debug)]
pub struct Drawn {
    rate: Profile,
    spacing: Spacing,
    gaps: Purpose,
    lane: u64,
    /// Arrivals expected up to the last one given out.
    expected: f64,
    index: u64,
    phases: Option<Phases>,
    /// Arrivals that the off times so far have left out.
    left_out: f64,
}

impl Arrivals {
    /// The arrivals of `group` under `seed`; none of a closed load.
    pub fn of(seed: u64, group: &Group) -> Option<Arrivals> {
        let (rate, spacing, on_off) = match &group.load.source {
            Source::Open { rate, spacing, on_off, .. } => (rate, *spacing, on_off),
            Source::Replay { trace, .. } => return Some(Arrivals::Replayed(Arc::clone(trace), 0)),
            Source::Closed { .. } | Source::Several(_) => return None,
        };
        let all = Drawn::new(seed, rate, spacing, None);
        let phases = on_off.as_ref().map(|on_off| Phases::new(seed, group.lane(), on_off));
        Some(Arrivals::Drawn(Box::new(Drawn { lane: group.lane(), phases, ..all })))
    }

    /// Arrivals at `rate` per second under `seed`, while the process is on.
    pub fn new(seed: u64, rate: &Profile, spacing: Spacing, on_off: Option<&OnOff>) -> Arrivals {
        Arrivals::Drawn(Box::new(Drawn::new(seed, rate, spacing, on_off)))
    }

    /// The number and instant of the next arrival, or none if there is no other.
    pub fn next(&mut self, draws: &mut Draws) -> Option<(u64, Instant)> {
        match self {
            Arrivals::Drawn(drawn) => drawn.next(draws),
            Arrivals::Replayed(trace, next) => {
                let index = *next;
                *next += 1;
                Some((index, trace.at(index)?))
            }
        }
    }
}

impl Drawn {
    fn new(seed: u64, rate: &Profile, spacing: Spacing, on_off: Option<&OnOff>) -> Drawn {
        Drawn {
            rate: rate.clone(),
            spacing,
            gaps: Purpose::new(seed, "arrivals"),
            lane: 0,
            expected: 0.0,
            index: 0,
            phases: on_off.map(|on_off| Phases::new(seed, 0, on_off)),
            left_out: 0.0,
        }
    }

    /// The number and instant of the next arrival, or none if the rate stays at zero.
    ///
    /// Even spacing puts arrival `i` where the integrated rate is `i`; Poisson arrivals
    /// where it is the sum of `i + 1` exponential gaps of mean one.
    fn next(&mut self, draws: &mut Draws) -> Option<(u64, Instant)> {
        let index = self.index;
        match self.spacing {
            Spacing::Poisson => {
                let u = unit_interval(draws.draw(&self.gaps, self.lane, index));
                self.expected -= libm::log(u);
            }
            Spacing::Even => self.expected = index as f64,
        }
        self.index += 1;
        let mut seconds = self.rate.time_of_integral(self.expected)?;
        if let Some(phases) = &mut self.phases {
            // The arrivals expected during an off time do not come: those after it come later
            // by as many.
            seconds = self.rate.time_of_integral(self.expected + self.left_out)?;
            while seconds >= phases.on.1 {
                let off = phases.go_on();
                self.left_out += self.rate.integral(off.1) - self.rate.integral(off.0);
                seconds = self.rate.time_of_integral(self.expected + self.left_out)?;
            }
        }
        Some((index, Instant::START + Span::from_secs_f64(seconds)))
    }
}

/// The on times of an on/off process, one after the other, in seconds.
#[derive(Clone, Debug)]
pub struct Phases {
    times: OnOff,
    lengths: Purpose,
    lane: u64,
    count: u64,
    /// The present on time, from and to.
    on: (f64, f64),
}

impl Phases {
    /// The process `times` under `seed`, in its first on time.
    pub fn new(seed: u64, lane: u64, times: &OnOff) -> Phases {
        let lengths = Purpose::new(seed, "on-off");
        let mut phases = Phases { times: times.clone(), lengths, lane, count: 0, on: (0.0, 0.0) };
        phases.on.1 = phases.length();
        phases
    }

    /// The present on time, from and to.
    pub fn on(&self) -> (f64, f64) {
        self.on
    }

    /// A constant `rate` during the on times and none in between, as a profile of the length
    /// `total` that jumps. None if it takes more than `most` stages.
    pub fn profile(mut self, rate: f64, total: Span, most: usize) -> Option<Profile> {
        let at = |seconds: f64| Span::from_secs_f64(seconds).min(total);
        let (mut stages, mut begin) = (Vec::new(), Span::ZERO);
        while begin < total {
            if stages.len() >= most {
                return None;
            }
            let on = at(self.on.1);
            let off = at(self.go_on().1);
            stages.push(Stage { duration: on.saturating_sub(begin), target: rate });
            stages.push(Stage { duration: Span::ZERO, target: 0.0 });
            stages.push(Stage { duration: off.saturating_sub(on), target: 0.0 });
            stages.push(Stage { duration: Span::ZERO, target: rate });
            begin = off;
        }
        Some(Profile { start: rate, stages })
    }

    /// Goes on to the next on time. Gives the off time before it, from and to.
    pub fn go_on(&mut self) -> (f64, f64) {
        let from = self.on.1;
        let to = from + self.length();
        self.on = (to, to + self.length());
        (from, to)
    }

    /// The length of the phase after the last one: on times have even numbers.
    fn length(&mut self) -> f64 {
        let kind = if self.count.is_multiple_of(2) { &self.times.on } else { &self.times.off };
        self.count += 1;
        kind.sample(self.lengths.draw(self.lane, self.count - 1)).secs_f64()
    }
}

impl Profile {
    /// The time in seconds at which the integral of the profile reaches `wanted`.
    fn time_of_integral(&self, wanted: f64) -> Option<f64> {
        let (mut value, mut begin, mut sum) = (self.start, 0.0, 0.0);
        for stage in &self.stages {
            let length = stage.duration.secs_f64();
            let area = (value + stage.target) / 2.0 * length;
            if sum + area > wanted && area > 0.0 {
                let slope = (stage.target - value) / length;
                return Some(begin + time_of_area(value, slope, wanted - sum).min(length));
            }
            sum += area;
            begin += length;
            value = stage.target;
        }
        (value > 0.0).then(|| begin + (wanted - sum) / value)
    }

    /// The integral of the profile up to `end`, in seconds.
    fn integral(&self, end: f64) -> f64 {
        let (mut value, mut begin, mut sum) = (self.start, 0.0, 0.0);
        for stage in &self.stages {
            let length = stage.duration.secs_f64();
            if end < begin + length {
                let slope = (stage.target - value) / length;
                let part = end - begin;
                return sum + (value + slope * part / 2.0) * part;
            }
            sum += (value + stage.target) / 2.0 * length;
            begin += length;
            value = stage.target;
        }
        sum + value * (end - begin)
    }

    /// The instants at which the profile, in whole users, first exceeds `user` (counted
    /// from 0) and falls back to it; [`Instant::NEVER`] if it does not.
    ///
    /// User k is active while the profile is above k, as k6's ramping users are.
    pub fn active_spans(&self, user: u32) -> Vec<(Instant, Instant)> {
        let threshold = f64::from(user);
        let mut spans = Vec::new();
        let mut open = (self.start > threshold).then_some(Instant::START);
        let (mut value, mut begin) = (self.start, Span::ZERO);
        for stage in &self.stages {
            let crosses = (value > threshold) != (stage.target > threshold);
            if crosses {
                let share = (threshold - value) / (stage.target - value);
                let at = Instant::START + begin + stage.duration.scale(share);
                match open.take() {
                    // A load that jumps up and down again at once has no such user.
                    Some(from) if from == at => {}
                    Some(from) => spans.push((from, at)),
                    None => open = Some(at),
                }
            }
            begin += stage.duration;
            value = stage.target;
        }
        spans.extend(open.map(|from| (from, Instant::NEVER)));
        spans
    }
}

/// The time after which a line that starts at `value` with `slope` has the area `area`.
fn time_of_area(value: f64, slope: f64, area: f64) -> f64 {
    if area == 0.0 {
        // A line that starts at zero has no speed by which to divide.
        return 0.0;
    }
    if slope == 0.0 {
        return area / value;
    }
    // Stable form of the root of slope/2 t^2 + value t - area = 0.
    let root = libm::sqrt((value * value + 2.0 * slope * area).max(0.0));
    2.0 * area / (value + root)
}

/// The name of the stream that a step draws from, shared with the live service's headers.
///
/// `path` counts steps from 0, `1.0` being the first branch of a gather at step 1.
pub fn step_purpose(what: &str, endpoint: &str, path: &str) -> String {
    format!("{what}@{endpoint}/{path}")
}

/// What draw `number` of a part of an endpoint's request is for. `part` is `path`, `body` or
/// `header.NAME`.
pub fn request_purpose(seed: u64, endpoint: &str, part: &str, number: usize) -> Purpose {
    Purpose::new(seed, &format!("request.{part}@{endpoint}/{number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp() -> Profile {
        Profile {
            start: 0.0,
            stages: vec![
                Stage { duration: Span::from_secs(10), target: 100.0 },
                Stage { duration: Span::from_secs(10), target: 100.0 },
                Stage { duration: Span::from_secs(10), target: 0.0 },
            ],
        }
    }

    #[test]
    fn even_arrivals_come_where_the_integrated_rate_says() {
        let mut draws = Draws::new();
        let mut arrivals = Arrivals::new(1, &Profile::constant(200.0), Spacing::Even, None);
        let at: Vec<u64> =
            (0..3).filter_map(|_| arrivals.next(&mut draws)).map(|(_, at)| at.nanos()).collect();
        assert_eq!(at, [0, 5_000_000, 10_000_000]);

        let mut arrivals = Arrivals::new(1, &ramp(), Spacing::Even, None);
        let all: Vec<Instant> =
            std::iter::from_fn(|| arrivals.next(&mut draws)).map(|(_, at)| at).collect();
        // The area under the ramp is 500 + 1000 + 500.
        assert_eq!(all.len(), 2000);
        // The first stage integrates to 5 t^2, and arrival 0 is where it is 0.
        assert_eq!(all[0], Instant::START);
        assert_eq!(all[45].nanos(), 3_000_000_000);
        assert_eq!(all[600].nanos(), 11_000_000_000);
    }

    #[test]
    fn poisson_arrivals_have_the_rate_and_exponential_gaps() {
        let mut draws = Draws::new();
        let mut arrivals = Arrivals::new(3, &Profile::constant(100.0), Spacing::Poisson, None);
        let (mut last, mut sum, mut square) = (0.0, 0.0, 0.0);
        let n = 200_000;
        for _ in 0..n {
            let (_, at) = arrivals.next(&mut draws).expect("the rate never ends");
            let gap = at.secs_f64() - last;
            last = at.secs_f64();
            sum += gap;
            square += gap * gap;
        }
        let mean = sum / f64::from(n);
        let scv = square / f64::from(n) / mean / mean - 1.0;
        // Standard errors: mean 0.0022, scv 0.0063 (relative); four of them.
        assert!((mean / 0.01 - 1.0).abs() < 0.009, "mean gap {mean}");
        assert!((scv - 1.0).abs() < 0.026, "scv {scv}");
    }

    #[test]
    fn a_load_jumps_where_a_stage_has_no_length() {
        let jumps = Profile {
            start: 10.0,
            stages: vec![
                Stage { duration: Span::from_secs(10), target: 10.0 },
                Stage { duration: Span::ZERO, target: 100.0 },
                Stage { duration: Span::from_secs(1), target: 100.0 },
                Stage { duration: Span::ZERO, target: 10.0 },
            ],
        };
        let at = |seconds: u64| Instant::from_nanos(seconds * 1_000_000_000);
        assert_eq!(jumps.value(Span::from_nanos(9_999_999_999)), 10.0);
        assert_eq!(jumps.value(Span::from_secs(10)), 100.0);
        assert_eq!(jumps.value(Span::from_secs(11)), 10.0);
        assert_eq!(jumps.peak(), 100.0);
        assert_eq!(jumps.active_spans(9), [(at(0), Instant::NEVER)]);
        assert_eq!(jumps.active_spans(50), [(at(10), at(11))]);
        let mut draws = Draws::new();
        let mut arrivals = Arrivals::new(1, &jumps, Spacing::Even, None);
        let all: Vec<Instant> =
            (0..300).filter_map(|_| arrivals.next(&mut draws)).map(|(_, at)| at).collect();
        assert_eq!(
            [all[99], all[100], all[101], all[200]].map(Instant::nanos),
            [9_900_000_000, 10_000_000_000, 10_010_000_000, 11_000_000_000]
        );
        let peak = Profile {
            start: 0.0,
            stages: [100.0, 0.0].map(|target| Stage { duration: Span::ZERO, target }).into(),
        };
        assert_eq!(peak.active_spans(0), []);
    }

    #[test]
    fn arrivals_come_while_the_process_is_on_and_not_while_it_is_off() {
        let seconds = |n| Distribution::Constant(Span::from_secs(n));
        let on_off = OnOff { on: seconds(2), off: seconds(8) };
        let mut draws = Draws::new();
        let mut arrivals = Arrivals::new(1, &Profile::constant(10.0), Spacing::Even, Some(&on_off));
        let all: Vec<u64> =
            (0..60).filter_map(|_| arrivals.next(&mut draws)).map(|(_, at)| at.nanos()).collect();
        // Twenty in each burst, as evenly as without pauses.
        for (index, nanos) in all.iter().enumerate() {
            let (burst, place) = (index as u64 / 20, index as u64 % 20);
            assert_eq!(*nanos / 1_000_000, burst * 10_000 + place * 100, "arrival {index}");
        }
        assert_eq!(on_off.share(), 0.2);

        // A rate that rises meanwhile rises through the pauses too.
        let rising = Profile {
            start: 0.0,
            stages: vec![Stage { duration: Span::from_secs(100), target: 100.0 }],
        };
        let mut arrivals = Arrivals::new(1, &rising, Spacing::Even, Some(&on_off));
        let all: Vec<f64> = std::iter::from_fn(|| arrivals.next(&mut draws))
            .map(|(_, at)| at.secs_f64())
            .take_while(|at| *at < 100.0)
            .collect();
        assert!(all.iter().all(|at| at % 10.0 < 2.0 + 1e-6));
        // The integral of t from 10 to 12, and from 90 to 92.
        let within = |from: f64| all.iter().filter(|at| (from..from + 2.0).contains(*at)).count();
        assert!(within(10.0).abs_diff(22) <= 1 && within(90.0).abs_diff(182) <= 1);
    }

    #[test]
    fn ramped_users_start_and_stop_where_the_line_crosses_them() {
        let spans = ramp().active_spans(50);
        assert_eq!(
            spans,
            [(Instant::from_nanos(5_000_000_000), Instant::from_nanos(25_000_000_000))]
        );
        assert_eq!(Profile::constant(3.0).active_spans(2), [(Instant::START, Instant::NEVER)]);
        assert_eq!(Profile::constant(3.0).active_spans(3), []);
    }

    #[test]
    fn classes_follow_their_weights() {
        let endpoint = |name: &str, weight| Endpoint {
            name: name.into(),
            weight,
            concurrency: None,
            response_model: None,
            dependencies: None,
            hold: None,
            request: None,
            steps: Vec::new(),
            after: Vec::new(),
        };
        let endpoints =
            [endpoint("a", 1.0), endpoint("never", 0.0), endpoint("b", 3.0), endpoint("no", 0.0)];
        let source = Source::Open {
            rate: Profile::constant(1.0),
            spacing: Spacing::Even,
            on_off: None,
            max_users: None,
        };
        let load = Load {
            source,
            warmup: Span::ZERO,
            duration: Span::from_secs(1),
            timeout: None,
            retry: crate::scenario::Retry::NEVER,
            keep_alive: true,
            keep_alive_timeout: None,
        };
        let workload = Workload::new(1, &load, &endpoints);
        let mut draws = Draws::new();
        let mut counts = [0u32; 4];
        for index in 0..40_000 {
            counts[workload.class(&mut draws, RequestKey { lane: 0, index })] += 1;
        }
        assert_eq!((counts[1], counts[3]), (0, 0));
        // Standard deviation of the count is 87.
        assert!(counts[0].abs_diff(10_000) < 350, "{counts:?}");
    }
}
