//! Closed users, each with a task of its own, and the users that carry open arrivals.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use model::scenario::Profile;
use model::units::{Instant, Span};
use model::workload::Arrivals;

use super::LoadError;
use super::client::Client;
use super::traffic::{Call, Traffic};
use crate::alarm::NEVER;
use crate::clock;

/// A closed user whose connection was refused or broke pauses at least this long: a dead
/// service would otherwise be asked as fast as the processor allows, and the counted errors
/// would measure the load generator. A hundred attempts a second per user still find a
/// service that restarts without delay.
const PAUSE_AFTER_DISCONNECT: Span = Span::from_millis(10);

/// A closed user: sends while it is active, waits for the reply, thinks, repeats.
pub(super) async fn closed_user(
    traffic: Rc<Traffic>,
    load: usize,
    user: u32,
    active: Vec<(Instant, Instant)>,
    mut client: Client,
) -> Result<(), LoadError> {
    let start = traffic.schedule.start;
    let mut free = start;
    for index in 0.. {
        let Some(intended) = turn(&active, start, free) else { break };
        let expires_at = client.expires_at(&traffic);
        if expires_at < intended {
            traffic.alarm.sleep_until(expires_at).await;
            client.close(&traffic);
        }
        traffic.alarm.sleep_until(intended).await;
        let workload = &traffic.loads[load].workload;
        let key = workload.key(user, index);
        let call = traffic.begin(load, key, intended);
        let settled = client.carry(&traffic, call).await?;
        let mut pause = workload.think_time(&mut traffic.draws(), key);
        if settled.disconnected {
            pause = pause.max(PAUSE_AFTER_DISCONNECT);
        }
        free = settled.at.saturating_add(pause.nanos());
    }
    client.close(&traffic);
    Ok(())
}

/// When a user that is free at `free` sends: then if it is active then, else when it next
/// becomes active.
fn turn(active: &[(Instant, Instant)], start: u64, free: u64) -> Option<u64> {
    let now = Instant::from_nanos(free - start);
    let &(from, _) = active.iter().find(|&&(_, to)| now < to)?;
    Some(start.saturating_add(from.max(now).nanos()))
}

/// The spans in which each closed user is active.
pub(super) fn closed_users(
    users: &Profile,
) -> impl Iterator<Item = (u32, Vec<(Instant, Instant)>)> {
    let count = libm::ceil(users.peak()) as u32;
    (0..count).map(|user| (user, users.active_spans(user)))
}

/// Open arrivals and the users that wait for them.
pub(super) struct Door {
    load: usize,
    arrivals: Arrivals,
    /// Number and instant of the next arrival.
    next: Option<(u64, u64)>,
    /// Users that wait, the one that has waited longest first.
    idle: Rc<RefCell<VecDeque<Client>>>,
    users: u64,
    users_most: u64,
}

impl Door {
    pub(super) fn new(
        traffic: &Traffic,
        load: usize,
        arrivals: Arrivals,
        users_most: Option<u32>,
    ) -> Door {
        let mut door = Door {
            load,
            arrivals,
            next: None,
            idle: Rc::default(),
            users: 0,
            users_most: users_most.map_or(u64::MAX, u64::from),
        };
        door.draw(traffic);
        door
    }

    fn draw(&mut self, traffic: &Traffic) {
        let drawn = self.arrivals.next(&mut traffic.draws());
        self.next =
            drawn.map(|(index, at)| (index, traffic.schedule.start.saturating_add(at.nanos())));
    }

    /// The instant of the next arrival.
    pub(super) fn next_arrival(&self) -> u64 {
        self.next.map_or(NEVER, |(_, at)| at)
    }

    /// Starts the arrivals that are due by now: `serve` is given the work of each. An arrival
    /// that is due after the end of the load is not started, even if this is called late.
    pub(super) fn open(&mut self, traffic: &Rc<Traffic>, mut serve: impl FnMut(Visit)) {
        let now = clock::now();
        while let Some((index, intended)) = self.next
            && intended <= now
            && intended < traffic.schedule.close
        {
            self.draw(traffic);
            match self.user() {
                Some(client) => serve(Visit {
                    traffic: Rc::clone(traffic),
                    idle: Rc::clone(&self.idle),
                    client,
                    call: traffic.begin(
                        self.load,
                        traffic.loads[self.load].workload.key(0, index),
                        intended,
                    ),
                }),
                None => traffic.ledger.borrow_mut().drop_arrival(self.load, intended, now),
            }
        }
    }

    /// The user that has been idle longest; a new one if there is none and may be one more.
    fn user(&mut self) -> Option<Client> {
        let idle = self.idle.borrow_mut().pop_front();
        if idle.is_none() && self.users < self.users_most {
            self.users += 1;
            return Some(Client::default());
        }
        idle
    }
}

/// An open arrival in the hands of its user.
pub(super) struct Visit {
    traffic: Rc<Traffic>,
    idle: Rc<RefCell<VecDeque<Client>>>,
    client: Client,
    call: Call,
}

impl Visit {
    /// Sends the request, sees it settled and leaves the user to the next.
    pub(super) async fn run(mut self) -> Result<(), LoadError> {
        self.client.carry(&self.traffic, self.call).await?;
        self.idle.borrow_mut().push_back(self.client);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_sends_when_it_is_free_and_active() {
        let at = Instant::from_nanos;
        let active = [(at(10), at(20)), (at(40), Instant::NEVER)];
        let turn = |free| turn(&active, 1000, free);
        assert_eq!(turn(1000), Some(1010));
        assert_eq!(turn(1010), Some(1010));
        assert_eq!(turn(1019), Some(1019));
        assert_eq!(turn(1020), Some(1040));
        assert_eq!(turn(5000), Some(5000));
        assert_eq!(super::turn(&active[..1], 1000, 1020), None);
        // An endless pause is one.
        assert_eq!(super::turn(&active, 1000, u64::MAX), Some(u64::MAX));
    }
}
