//! Objectives and the scenario that they are about.

use super::{Scenario, WorkerClass};
use crate::objective::{Measure, Objective, Refused, is_called};
use crate::read::{contradiction, nearest};
use crate::station::StationId;

impl Scenario {
    /// Adds an objective; it replaces one about the same number and side.
    ///
    /// # Errors
    /// It is about nothing that the scenario has, or contradicts another.
    pub fn keep(&mut self, objective: Objective) -> Result<(), Refused> {
        if let Some(refused) = self.lacks(&objective) {
            return Err(refused);
        }
        let is_same = |other: &Objective| {
            other.measure == objective.measure
                && other.relation.is_upper() == objective.relation.is_upper()
        };
        self.objectives.retain(|other| !is_same(other));
        if let Some(refused) = contradiction(&objective, &self.objectives) {
            return Err(refused);
        }
        self.objectives.push(objective);
        Ok(())
    }

    /// What `objective` is about and the scenario does not have.
    pub(crate) fn lacks(&self, objective: &Objective) -> Option<Refused> {
        if let Some(name) = objective.measure.endpoint() {
            let names: Vec<&str> = self.endpoints.iter().map(|one| one.name.as_str()).collect();
            return unknown("endpoint", name, &names);
        }
        let Measure::Utilisation(name) = &objective.measure else { return None };
        let stations = self.limited_stations();
        if stations.iter().any(|station| is_called(station, name)) {
            return None;
        }
        let names: Vec<String> = stations.iter().map(ToString::to_string).collect();
        unknown("station", name, &names.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// The stations that can be full.
    fn limited_stations(&self) -> Vec<StationId> {
        let mut all = vec![StationId::Cpu];
        all.extend(match self.service.worker_class {
            WorkerClass::Sync => vec![StationId::Worker],
            WorkerClass::Uvicorn | WorkerClass::Gthread => {
                vec![StationId::Loop, StationId::InterpreterLock, StationId::Threads]
            }
        });
        if self.database.is_some() {
            all.extend([
                StationId::DatabasePool,
                StationId::DatabaseLock,
                StationId::Disk,
                StationId::DatabaseServer,
            ]);
        }
        for upstream in &self.upstreams {
            let name = || upstream.name.clone();
            all.extend(upstream.max_in_flight.map(|_| StationId::Semaphore(name())));
            all.extend(upstream.max_connections.map(|_| StationId::Connections(name())));
            all.extend(upstream.capacity.map(|_| StationId::Upstream(name())));
        }
        all.extend(self.locks.iter().map(|lock| StationId::Lock(lock.name.clone())));
        all.extend(self.rows().iter().map(|rows| StationId::Row(rows.name.clone())));
        all
    }
}

fn unknown(what: &str, name: &str, names: &[&str]) -> Option<Refused> {
    (!names.contains(&name)).then(|| {
        let shown: Vec<String> = names.iter().take(16).map(|name| format!("`{name}`")).collect();
        let more = if names.len() > 16 { ", ..." } else { "" };
        Refused {
            found: format!("there is no {what} `{name}` to keep an objective about"),
            allowed: format!("{}{more}", shown.join(", ")),
            advice: nearest(name, names.iter().copied())
                .map(|name| format!("did you mean `{name}`?")),
        }
    })
}
