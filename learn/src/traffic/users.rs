//! What single users do, where they can be told apart.

use crate::records::Request;

/// What single users do.
#[derive(Clone, Debug, PartialEq)]
pub struct Users {
    /// Users that asked at all.
    pub all: u32,
    /// Users that asked five times or more.
    pub regular: u32,
    /// Regular users who were there at one time, on average.
    pub at_once: f64,
    /// The share of the record between a regular user's first and last request, on average.
    pub present: f64,
    /// Seconds from a reply to the next request of the same user, on average.
    pub think_mean: f64,
    /// Half of these pauses are shorter.
    pub think_p50: f64,
    /// Standard deviation divided by mean of these pauses: 0 constant, 1 as if exponential.
    pub think_variation: f64,
}

/// Requests that make a user a regular one.
const REGULAR: usize = 5;
/// The share of requests that regular users must have.
const MOST: f64 = 0.8;
/// The share of requests that came before the reply to the last one of the same user, at most. More:
/// several people behind one address.
const OVERLAPPING: f64 = 0.05;
/// Requests that are looked at.
const LOOKED_AT: usize = 2_000_000;
/// Pauses longer than this end a session: they are no think time.
const SESSION: f64 = 1800.0;
/// A request that begins less than this before the end of the last one came after it: clocks are coarse.
const BLUR: f64 = 2e-3;

/// What users do; none if they cannot be told apart, or if they do not wait for their replies.
pub(super) fn users(arrivals: &[Request]) -> Option<Users> {
    // Of many users some, each with all that it asked.
    let some = (arrivals.len() / LOOKED_AT + 1) as u32;
    let chosen = || arrivals.iter().filter(|arrival| arrival.user().unwrap_or(0) % some == 0);
    let mut known: Vec<(u32, f64, f64)> = chosen()
        .filter_map(|arrival| {
            Some((arrival.user()?, arrival.start, arrival.start + arrival.stay()?))
        })
        .collect();
    if (known.len() as f64) < MOST * chosen().count() as f64 || known.is_empty() {
        return None;
    }
    known.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let whole = arrivals.last()?.start - arrivals.first()?.start;
    let mut users = Users {
        all: 0,
        regular: 0,
        at_once: 0.0,
        present: 0.0,
        think_mean: 0.0,
        think_p50: 0.0,
        think_variation: 0.0,
    };
    let (mut of_regular, mut early) = (0, 0);
    let mut pauses = Vec::new();
    for own in known.chunk_by(|a, b| a.0 == b.0) {
        users.all += 1;
        if own.len() < REGULAR {
            continue;
        }
        users.regular += 1;
        of_regular += own.len();
        users.at_once += own[own.len() - 1].1 - own[0].1;
        for pair in own.windows(2) {
            let pause = pair[1].1 - pair[0].2;
            if pause < -BLUR {
                early += 1;
            } else if pause <= SESSION {
                pauses.push(pause.max(0.0));
            }
        }
    }
    let regular = of_regular as f64 >= MOST * known.len() as f64;
    let waiting = f64::from(early) <= OVERLAPPING * of_regular as f64;
    if !regular || !waiting || pauses.is_empty() || whole <= 0.0 {
        return None;
    }
    users.at_once /= whole;
    users.present = users.at_once / f64::from(users.regular);
    (users.all, users.regular) = (users.all * some, users.regular * some);
    users.at_once *= f64::from(some);
    let n = pauses.len() as f64;
    let mean = pauses.iter().sum::<f64>() / n;
    let variance = pauses.iter().map(|pause| (pause - mean).powi(2)).sum::<f64>() / n;
    pauses.sort_by(f64::total_cmp);
    users.think_mean = mean;
    users.think_p50 = pauses[pauses.len() / 2];
    users.think_variation = if mean > 0.0 { variance.sqrt() / mean } else { 0.0 };
    Some(users)
}
