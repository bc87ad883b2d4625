//! An invented measurement for tests.

use model::place::PlaceId;
use model::station::StationId;

use super::message::{Message, Plan, Planned, Sample, Slots, WorkerSample};
use crate::machine::Cpus;

pub(crate) const SECOND: u64 = 1_000_000_000;
pub(crate) const MILLISECOND: u64 = 1_000_000;
/// The place of the upstream.
pub(crate) const PARTNER: usize = 2;

/// So many scenarios of 2 s and 10 s.
pub(crate) fn plan(scenarios: usize, rounds: u32) -> Plan {
    let planned = |index: usize| Planned {
        name: format!("shop-{index}"),
        warmup: 2 * SECOND,
        duration: 10 * SECOND,
        endpoints: vec!["quote".into(), "order".into()],
        places: vec![PlaceId::Cpu, PlaceId::Loop, PlaceId::Upstream("partner".into())],
        slots: vec![Slots {
            station: StationId::Semaphore("partner".into()),
            most: 10,
            place: PARTNER,
        }],
    };
    Plan { target: "axum".into(), rounds, scenarios: (0..scenarios).map(planned).collect() }
}

pub(crate) fn round(scenario: usize, round: u32) -> Message {
    Message::Round { scenario, round, cpus: Cpus::new(vec![0]) }
}

/// A second with so many good answers, of 20 ms each, half of that at the upstream, and one error.
pub(crate) fn second(index: u64, good: u64) -> Sample {
    let cpu = Some(0.45);
    Sample {
        index,
        length: SECOND,
        sent: good + 1,
        dropped: 0,
        good: vec![good - good / 4, good / 4],
        errors: vec![("pool_timeout".into(), 1)],
        in_flight: 4,
        times: vec![(20 * MILLISECOND, good)],
        places: vec![4 * good * MILLISECOND, 6 * good * MILLISECOND, 10 * good * MILLISECOND],
        cores: 1,
        busy: Some(0.5),
        workers: vec![WorkerSample {
            name: "worker 0".into(),
            process: 4711,
            cpu,
            memory: Some(80 << 20),
        }],
    }
}

impl From<Sample> for Message {
    fn from(sample: Sample) -> Message {
        Message::Second(Box::new(sample))
    }
}
