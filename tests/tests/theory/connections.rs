//! Idle connections that one side closes while the other sends.

use sim::observe::{ErrorKind, Observations};
use tests::claim::{Ratio, error_share};

use crate::case_of;

/// Mean pause, the service's time, the round trip, and the client's notice.
const Z: f64 = 5.0;
const T: f64 = 5.0;
const R: f64 = 0.6;
const N: f64 = 0.4;

/// P(Z > x).
fn longer(x: f64) -> f64 {
    (-x / Z).exp()
}

/// The share of requests that are lost, where the client keeps a connection for `c`.
fn lost(c: f64) -> f64 {
    let p = longer(T - R) - longer(c.min(T + N));
    p / (1.0 + p)
}

fn closed(seen: &[Observations]) -> Ratio {
    error_share(&seen[0], ErrorKind::ConnectionClosed)
}

#[test]
fn the_share_of_requests_into_closed_connections() {
    // Opened after a loss, and where both sides know that the last one is closed.
    let opened = lost(f64::MAX) + (1.0 - lost(f64::MAX)) * longer(T + N);
    case_of("keep-alive", &[])
        .claim("keep-alive: lost", lost(f64::MAX), closed)
        .claim("keep-alive: connections opened", opened, |seen| {
            let connections = seen[0].event_loop.connections.entries();
            Ratio(connections as f64, seen[0].sent as f64)
        })
        .check();
    case_of("keep-alive", &["load.keep_alive_timeout=5s"])
        .claim("keep-alive, both sides 5 s: lost", lost(5.0), closed)
        .check();
}

/// The time from a reply to the next Poisson arrival is exponential, too.
#[test]
fn the_share_for_poisson_arrivals_on_one_connection() {
    case_of("keep-alive-poisson", &[])
        .claim("keep-alive, Poisson arrivals: lost", lost(f64::MAX), closed)
        .check();
}
