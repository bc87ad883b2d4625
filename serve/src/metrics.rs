//! Numbers of the server itself, as Prometheus reads them.

use std::time::Duration;

use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::queue::Queue;

/// Labels: names and values.
type Labels = Vec<(&'static str, String)>;

/// What is counted.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Labels, Counter>,
    seconds: Family<Labels, Histogram>,
    waited: Histogram,
    events: Counter,
    working: Gauge,
    waiting: Gauge,
    connections: Gauge,
}

/// The shortest time that is told apart, in seconds; each further one is twice as long.
const SHORTEST: f64 = 0.001;
const TIMES: u16 = 18;

fn times() -> Histogram {
    Histogram::new(exponential_buckets(SHORTEST, 2.0, TIMES))
}

impl Metrics {
    pub(crate) fn new() -> Metrics {
        let mut metrics = Metrics {
            registry: Registry::with_prefix("rung_serve"),
            requests: Family::default(),
            seconds: Family::new_with_constructor(times),
            waited: times(),
            events: Counter::default(),
            working: Gauge::default(),
            waiting: Gauge::default(),
            connections: Gauge::default(),
        };
        let Metrics { registry, requests, seconds, waited, events, working, waiting, connections } =
            &mut metrics;
        registry.register("requests", "Requests by path and status", requests.clone());
        registry.register(
            "request_seconds",
            "Time from the body of a request to its answer, by path",
            seconds.clone(),
        );
        registry.register("queue_seconds", "Time in the queue", waited.clone());
        registry.register("events", "Simulated events of answers", events.clone());
        registry.register("working", "Requests that are worked on", working.clone());
        registry.register("waiting", "Requests in the queue", waiting.clone());
        registry.register("connections", "Connections that are open", connections.clone());
        metrics
    }

    /// A request was answered; `seconds` since its body was there, for questions.
    pub(crate) fn answered(&self, path: &str, status: u16, took: Option<Duration>) {
        let path = ("path", path.to_string());
        let labels = vec![path.clone(), ("status", status.to_string())];
        self.requests.get_or_create(&labels).inc();
        if let Some(took) = took {
            self.seconds.get_or_create(&vec![path]).observe(took.as_secs_f64());
        }
    }

    /// A question has waited so long for its turn.
    pub(crate) fn waited(&self, waited: Duration) {
        self.waited.observe(waited.as_secs_f64());
    }

    /// So many events were simulated.
    pub(crate) fn simulated(&self, events: u64) {
        self.events.inc_by(events);
    }

    /// Connections that are open.
    pub(crate) fn connections(&self) -> &Gauge {
        &self.connections
    }

    /// All as text, with what the queue is at now.
    pub(crate) fn text(&self, queue: &Queue) -> String {
        self.working.set(queue.taken() as i64);
        self.waiting.set(queue.waiting() as i64);
        let mut text = String::new();
        // A text takes everything.
        prometheus_text::encode(&mut text, &self.registry).expect("a text");
        text
    }

    /// What the text is.
    pub(crate) const TYPE: &'static str = prometheus_text::CONTENT_TYPE;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::Turns;

    #[test]
    fn requests_are_counted_by_path_and_status() {
        let metrics = Metrics::new();
        metrics.answered("/predict", 200, Some(Duration::from_millis(3)));
        metrics.answered("/predict", 200, Some(Duration::from_millis(5)));
        metrics.answered("/predict", 422, None);
        metrics.simulated(17);
        let text = metrics.text(&Queue::new(Turns { all: 1, of_one: 1, waiting: 1 }));
        for line in [
            r#"rung_serve_requests_total{path="/predict",status="200"} 2"#,
            r#"rung_serve_requests_total{path="/predict",status="422"} 1"#,
            r#"rung_serve_request_seconds_bucket{path="/predict",le="0.004"} 1"#,
            r#"rung_serve_request_seconds_count{path="/predict"} 2"#,
            "rung_serve_events_total 17",
            "rung_serve_working 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }
}
