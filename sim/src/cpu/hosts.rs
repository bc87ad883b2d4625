//! The machines that threads run on: the service's, and that of a database server of its own.

use std::ops::{Index, IndexMut};

use model::scenario::{Cpu as Machine, Scenario};
use model::units::{Instant, Span};

use super::{Cores, Plan};
use crate::database;
use crate::engine::Due;

/// Which machine a thread runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// The service's, and of all that shares its processors.
    Service,
    /// The database server's.
    Database,
}

impl Host {
    pub(crate) const ALL: [Host; 2] = [Host::Service, Host::Database];
}

/// The processors of all machines.
#[derive(Debug)]
pub(crate) struct Hosts {
    service: Cores,
    /// None of them where the server has no machine of its own.
    database: Cores,
}

impl Hosts {
    /// Idle machines. That of the server has the kernel of the service's, with its scheduler, slice and
    /// tick. `[cpu]` says nothing else of it: neither a speed nor a quota. How long its processors take
    /// to wake up is part of the network to it, as it is in a measurement of a lone statement.
    pub(crate) fn new(scenario: &Scenario, plan: &Plan) -> Hosts {
        let machine = &scenario.cpu;
        let cores = database::postgres::own_cores(scenario);
        let own = Machine { cores, quota: None, ..*machine };
        let idle_exit = scenario.costs.machine.idle_exit;
        Hosts {
            service: Cores::new(machine, plan.service, idle_exit),
            database: Cores::new(&own, plan.database, Span::ZERO),
        }
    }

    /// When the next timer of a processor rings, and which one's.
    #[inline]
    pub(crate) fn next(&self) -> (Due, Host, u32) {
        let ((due, core), (its_due, its_core)) = (self.service.next(), self.database.next());
        if its_due < due { (its_due, Host::Database, its_core) } else { (due, Host::Service, core) }
    }

    /// A new period of the service's quota begins.
    pub(crate) fn refill(&mut self, now: Instant) {
        self.service.refill(now);
    }

    /// The period of the service's quota, if there is one.
    pub(crate) fn period(&self) -> Option<Span> {
        self.service.period()
    }
}

impl Index<Host> for Hosts {
    type Output = Cores;

    #[inline]
    fn index(&self, host: Host) -> &Cores {
        match host {
            Host::Service => &self.service,
            Host::Database => &self.database,
        }
    }
}

impl IndexMut<Host> for Hosts {
    #[inline]
    fn index_mut(&mut self, host: Host) -> &mut Cores {
        match host {
            Host::Service => &mut self.service,
            Host::Database => &mut self.database,
        }
    }
}
