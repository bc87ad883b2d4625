//! What travels in HTTP headers between load generator, service and upstream.
//!
//! The key of a request goes with it as far as the upstream, so that a measured run and a
//! predicted one draw the same latency for the same call. The answer says where its time
//! went.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use model::place::Place;
use model::stream::lane_of_attempt;
use model::workload::RequestKey;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Request to the service: whose it is, and when it was sent. See [`Key`].
pub const KEY: &str = "rung-key";
/// Request to the service: results of its draws by number, for services that cannot make
/// them.
pub const DRAWS: &str = "rung-draws";
/// Call of an upstream: which step of which request. See [`Call`].
pub const CALL: &str = "rung-call";
/// Reply of an upstream: nanoseconds from the call's arrival to this reply.
pub const TOOK: &str = "rung-took";
/// Reply of an upstream: when it was sent, in nanoseconds of the machine's monotonic clock.
pub const REPLIED: &str = "rung-replied";
/// Reply of the service: where the time went. See [`Times`].
pub const TIME: &str = "rung-time";
/// Reply of the service: the name of the error's kind.
pub const ERROR: &str = "rung-error";

/// The time at which a request was sent, where its client does not know the machine's monotonic
/// clock: later than any, so that the service takes the time of its arrival.
pub const NOT_TOLD: u64 = u64::MAX;

/// The value of [`KEY`]: `lane.index.sent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The key of every draw that the request causes.
    pub request: RequestKey,
    /// When it was sent, on the machine's monotonic clock; or [`NOT_TOLD`].
    pub sent: u64,
}

impl fmt::Display for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}.{}", self.request.lane, self.request.index, self.sent)
    }
}

impl Key {
    /// Reads what [`Key`]'s text says; none if it says something else.
    pub fn parse(text: &str) -> Option<Key> {
        let mut numbers = text.split('.').map(|number| number.parse().ok());
        let mut next = || numbers.next().flatten();
        let key = Key { request: RequestKey { lane: next()?, index: next()? }, sent: next()? };
        numbers.next().is_none().then_some(key)
    }
}

/// The value of [`CALL`]: `lane.index.endpoint/path`. The upstream draws from
/// `latency@endpoint/path` and `failure@endpoint/path`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call<'a> {
    /// The lane, that of the attempt.
    pub lane: u64,
    /// The index.
    pub index: u64,
    /// Endpoint and path of the step, as [`step`] writes them.
    pub step: &'a str,
}

impl<'a> Call<'a> {
    /// The call of `step` (`endpoint/path`) in its `attempt`, from 0.
    pub fn new(key: RequestKey, step: &'a str, attempt: u32) -> Call<'a> {
        Call { lane: lane_of_attempt(key.lane, attempt), index: key.index, step }
    }

    /// Reads what [`Call`]'s text says.
    pub fn parse(text: &'a str) -> Option<Call<'a>> {
        let (lane, rest) = text.split_once('.')?;
        let (index, step) = rest.split_once('.')?;
        Some(Call { lane: lane.parse().ok()?, index: index.parse().ok()?, step })
    }
}

impl fmt::Display for Call<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}.{}", self.lane, self.index, self.step)
    }
}

/// The value of [`TIME`]: `done;place:nanos,place:nanos`.
///
/// The parts add up to the time from [`Key::sent`] to `done`; what the client sees beyond
/// is `reply`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// When the service had the answer, on the machine's monotonic clock.
    pub done: u64,
    /// Nanoseconds by place; places that took none may be left out.
    pub parts: Vec<(Place, u64)>,
}

impl fmt::Display for Times {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.done)?;
        for (index, (place, nanos)) in self.parts.iter().enumerate() {
            out.write_char(if index == 0 { ';' } else { ',' })?;
            write!(out, "{place}:{nanos}")?;
        }
        Ok(())
    }
}

impl Times {
    /// Reads what [`Times`]' text says.
    pub fn parse(text: &str) -> Option<Times> {
        let (done, rest) = text.split_once(';').unwrap_or((text, ""));
        let part = |part: &str| {
            let (place, nanos) = part.split_once(':')?;
            Some((Place::new(place.parse().ok()?), nanos.parse().ok()?))
        };
        let parts: Option<Vec<_>> =
            rest.split(',').filter(|text| !text.is_empty()).map(part).collect();
        Some(Times { done: done.parse().ok()?, parts: parts? })
    }
}

/// A step in the value of [`CALL`]: a header can have no more characters than a path.
pub fn step(endpoint: &str, path: &str) -> String {
    format!("{}/{path}", label_of(endpoint))
}

/// The step as `model::workload::step_purpose` joins endpoint and path.
pub fn step_in_words(step: &str) -> Cow<'_, str> {
    percent_decode_str(step).decode_utf8_lossy()
}

/// What a path shows as it is.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'-').remove(b'.').remove(b'~');

/// The path under which the service answers for an endpoint, and an upstream for itself.
pub fn path_of(name: &str) -> String {
    format!("/{}", label_of(name))
}

/// `name` in the characters that a path shows as they are.
pub fn label_of(name: &str) -> String {
    utf8_percent_encode(name, ESCAPED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let key = Key { request: RequestKey { lane: 7, index: u64::MAX }, sent: 12 };
        assert_eq!(Key::parse(&key.to_string()), Some(key));
        for endpoint in ["get item", "日本", "a.b/c", "100%25", "e\u{301}"] {
            let step = step(endpoint, "1.0");
            let call = Call::new(key.request, &step, 3);
            let text = call.to_string();
            assert!(text.is_ascii());
            assert_eq!(Call::parse(&text), Some(call));
            assert_eq!(step_in_words(&step), format!("{endpoint}/1.0"));
        }
        for parts in [vec![], vec![(1, 5)], vec![(3, 0), (17, 9)]] {
            let place = |(number, nanos)| (Place::new(number), nanos);
            let parts = parts.into_iter().map(place).collect();
            let times = Times { done: 99, parts };
            assert_eq!(Times::parse(&times.to_string()), Some(times));
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for text in ["", "1", "1.2", "1.2.x", "1.2.3.4", "-1.2.3"] {
            assert_eq!(Key::parse(text), None, "{text}");
        }
        for text in ["", "1", "1.x.a"] {
            assert_eq!(Call::parse(text), None, "{text}");
        }
        for text in ["", "x", "1;a", "1;3:x", "1;65536:5"] {
            assert_eq!(Times::parse(text), None, "{text}");
        }
    }

    #[test]
    fn any_name_is_a_path() {
        assert_eq!(path_of("list_items"), "/list_items");
        assert_eq!(path_of("a b/ü"), "/a%20b%2F%C3%BC");
    }
}
