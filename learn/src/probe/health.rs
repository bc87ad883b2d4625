//! Whether the service stands what is asked of it, and what its errors mean.

use std::collections::VecDeque;

use super::session::Stopped;
use super::target::Answer;

/// The share of errors is that of so many answers.
const LAST: usize = 50;
/// Fewer errors end nothing.
const ERRORS_LEAST: usize = 3;
/// A limit of the rate is told by the minute.
const MINUTE: u64 = 60_000_000_000;

/// What the service has answered lately.
#[derive(Debug)]
pub(super) struct Health {
    /// Share of errors at which it ends.
    most: f64,
    /// Whether each of the last answers was good.
    last: VecDeque<bool>,
    /// When good ones came, in the last minute.
    good: VecDeque<u64>,
    first: Option<u64>,
}

impl Health {
    pub(super) fn new(most: f64) -> Health {
        Health { most, last: VecDeque::new(), good: VecDeque::new(), first: None }
    }

    /// A good answer came at `now`.
    pub(super) fn good(&mut self, now: u64) {
        self.first.get_or_insert(now);
        self.push(true);
        self.good.push_back(now);
        while self.good.front().is_some_and(|&at| at + MINUTE < now) {
            self.good.pop_front();
        }
    }

    /// An error of the endpoint `name` came at `now`.
    ///
    /// # Errors
    /// There are too many.
    pub(super) fn bad(&mut self, name: &str, answer: &Answer, now: u64) -> Result<(), Stopped> {
        self.push(false);
        let errors = self.last.iter().filter(|good| !**good).count();
        let share = errors as f64 / self.last.len() as f64;
        if errors < ERRORS_LEAST || share <= self.most {
            return Ok(());
        }
        let meaning = match answer.outcome {
            Ok(429) => self.rate(answer, now),
            _ => Health::meaning(answer),
        };
        let of = self.last.len();
        Err(Stopped(format!("{meaning}; {errors} of the last {of} answers, lately to {name}")))
    }

    fn push(&mut self, good: bool) {
        self.last.push_back(good);
        if self.last.len() > LAST {
            self.last.pop_front();
        }
    }

    /// "it limits its rate; about 100 a minute".
    fn rate(&self, answer: &Answer, now: u64) -> String {
        let seconds =
            self.first.map_or(0, |first| now.saturating_sub(first).min(MINUTE)) / 1_000_000_000;
        let count = self.good.len();
        let said = answer.limits.as_ref().map_or(String::new(), |said| format!(" ({said})"));
        format!(
            "the service answers 429{said}: it limits its rate; {count} requests were answered in \
             the last {seconds} s, so about {count} a minute; switch the limit off while it is \
             probed"
        )
    }

    /// It is about this kind of request, and others may be answered.
    pub(super) fn is_of_the_request(answer: &Answer) -> bool {
        matches!(answer.outcome, Ok(status) if status != 429 && status != 503)
    }

    /// What an error means, in words.
    pub(super) fn meaning(answer: &Answer) -> String {
        let status = match &answer.outcome {
            Ok(status) => *status,
            Err(why) => return format!("the service does not answer ({why})"),
        };
        let meaning = match status {
            400 | 422 => {
                "it does not take the request: a parameter or the body is wrong or missing"
            }
            401 | 403 => "it wants to know who asks: add the header to the request",
            404 | 410 => "it has no such thing: generate parts of the path that exist",
            405 => "it does not know the method for this path",
            408 | 504 => "something that it waits for takes too long",
            413 | 415 => "it does not take the body, or its content type",
            429 => "it limits its rate",
            502 => "what stands in front of it gets no reply from it",
            503 => "it refuses because too many requests are under way, or is not ready",
            500..=599 => "it fails: its log says why",
            _ => "no good reply",
        };
        format!("the service answers {status}: {meaning}")
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn answer(status: u16) -> Answer {
        let limits = (status == 429).then(|| "retry-after: 20".into());
        Answer { seconds: 0.1, outcome: Ok(status), limits, closes: false, body: Bytes::new() }
    }

    #[test]
    fn a_limit_of_the_rate_is_told_with_the_rate() {
        let mut health = Health::new(0.1);
        (0..100).for_each(|index| health.good(index * 100_000_000));
        let mut stopped = None;
        for index in 0..20 {
            if let Err(why) = health.bad("items", &answer(429), 10_000_000_000 + index) {
                stopped = Some((index, why.0));
                break;
            }
        }
        let (errors, told) = stopped.expect("it stops");
        // Six of fifty are more than a tenth.
        assert_eq!(errors, 5);
        assert!(told.starts_with("the service answers 429 (retry-after: 20): it limits its rate"));
        assert!(told.contains("about 100 a minute"), "{told}");
    }

    #[test]
    fn a_few_errors_end_nothing() {
        let mut health = Health::new(0.1);
        (0..48).for_each(|index| health.good(index));
        assert_eq!(health.bad("items", &answer(500), 50), Ok(()));
        assert_eq!(health.bad("items", &answer(500), 51), Ok(()));
        assert!(Health::meaning(&answer(404)).contains("no such thing"));
        assert!(
            Health::is_of_the_request(&answer(404)) && !Health::is_of_the_request(&answer(429))
        );
    }
}
