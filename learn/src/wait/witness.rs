//! What the probe asks of a watch.

use std::collections::BTreeMap;
use std::time::Duration;

use super::steps::Cpu;
use super::traffic::{Sent, Watch};
use crate::learned::{Figure, Step};
use crate::probe::decide::Alone;
use crate::probe::{Connections, Seen, SeenEndpoint, Witness};

/// Exporters send what they have every five seconds, unless they are told otherwise.
const QUIET: Duration = Duration::from_secs(7);

impl Witness for Watch {
    fn begins(&mut self) {
        self.begin();
    }

    fn ended(&mut self, name: &str, good: bool) {
        let (start, end) = (self.begun(), Watch::now());
        self.sent(Sent { endpoint: name.to_owned(), start, end, good });
    }

    fn connections(&mut self) -> Option<Connections> {
        Watch::connections(self)
    }

    fn openings(&mut self) -> Vec<f64> {
        Watch::openings(self)
    }

    fn remarks(&self) -> Vec<String> {
        Watch::remarks(self)
    }

    fn seen(&mut self, cpu: &BTreeMap<String, Alone>) -> Seen {
        let cpu = cpu.iter().map(|(name, known)| {
            let alone = Figure::derived(1.0, "share of the endpoint's CPU");
            let beside = known.delayed + known.overhead;
            (name.clone(), Cpu { alone, here: known.cpu, beside })
        });
        let mut waits = self.waits(QUIET, &cpu.collect());
        let asks = |step: &Step| !matches!(step, Step::Cpu(_) | Step::Wait(_) | Step::Block(_));
        let endpoints = waits.endpoints.into_iter().map(|one| {
            // Without calls and queries the waits of all turns say more than those of this pass.
            let steps = if one.steps.iter().any(asks) { one.steps } else { Vec::new() };
            let hold = waits.holds.remove(&one.endpoint);
            (one.endpoint, SeenEndpoint { steps, hold })
        });
        let endpoints = endpoints.collect();
        let (upstreams, database) = (waits.upstreams, waits.database);
        Seen { endpoints, upstreams, database, notes: waits.notes }
    }
}
