//! The load generator and its connections: users, arrivals, patience, handshakes.

use model::place::{self, Place};
use model::scenario::Source;
use model::units::{Instant, Span};
use model::workload::RequestKey;

use super::{Attempt, User};
use crate::engine::{Due, Engine, Event, NONE, Record, Request, Task, Trace};
use crate::event_loop::Via;
use crate::observe::{ErrorKind, Limit};
use crate::plan::LoadGroup;
use crate::{database, upstream};

/// Where a task stands that only opens a connection: at no instruction.
pub(crate) const CONNECT_ONLY: u32 = u32::MAX;

impl<'p, T: Trace> Engine<'p, T> {
    /// Creates the closed users and schedules the first request of each.
    pub(crate) fn start_users(&mut self) {
        let plan = self.plan;
        let ahead = |source: &Source| matches!(source, Source::Closed { preconnect: true, .. });
        // None begins before the connections of all are open that are opened ahead.
        let waits = plan.groups.iter().any(|group| ahead(&group.group.load.source));
        for (group, of) in (0..).zip(&plan.groups) {
            let Source::Closed { users, preconnect, .. } = &of.group.load.source else { continue };
            let first = self.users.len() as u32;
            let count = libm::ceil(users.peak()) as u32;
            self.connecting += if *preconnect { count } else { 0 };
            for number in 0..count {
                let user = first + number;
                self.users.push(User::new(group, number, false));
                match waits {
                    true if *preconnect => self.preconnect(user),
                    true => {}
                    false => self.agenda.push(Instant::START, Event::Send { user }),
                }
            }
        }
    }

    /// Opens the connection of `user` ahead of its requests, by a task that sends nothing.
    fn preconnect(&mut self, user: u32) {
        let request = self.new_request(Request {
            key: self.closed_key(user),
            sent: self.now,
            first: self.now,
            attempt: 0,
            class: 0,
            user,
            worker: NONE,
            generation: 0,
            tasks: 1,
            settled: false,
            admitted: false,
            handler: NONE,
            gone: false,
        });
        let task = self.new_task(request, CONNECT_ONLY, NONE, place::CONNECT);
        self.open_connection(task);
    }

    /// A connection is open ahead of its user's requests.
    pub(crate) fn preconnected(&mut self, task: u32) {
        self.free_task(task);
        self.connecting -= 1;
    }

    /// All connections are open ahead: the users begin at `at`.
    pub(crate) fn begin_users(&mut self, at: Instant) {
        for user in 0..self.users.len() as u32 {
            if self.doors[self.users[user as usize].group as usize].is_some() {
                continue;
            }
            self.users[user as usize].idle = true;
            self.watch_idle(user, Span::MAX);
            self.agenda.push(at, Event::Send { user });
        }
    }

    /// A closed user sends if it is active now, else when it next becomes active.
    pub(crate) fn user_turn(&mut self, user: u32) {
        let Source::Closed { users, .. } = &self.group_of(user).group.load.source else { return };
        if users.stages.is_empty() {
            return self.send(user, self.closed_key(user));
        }
        let spans = users.active_spans(user);
        let active = spans.iter().any(|&(from, to)| from <= self.now && self.now < to);
        if active {
            return self.send(user, self.closed_key(user));
        }
        let next = spans.iter().map(|&(from, _)| from).find(|&from| from > self.now);
        self.agenda.push(next.unwrap_or(Instant::NEVER), Event::Send { user });
    }

    /// The load that `user` belongs to.
    #[inline]
    pub(crate) fn group_of(&self, user: u32) -> &'p LoadGroup {
        &self.plan.groups[self.users[user as usize].group as usize]
    }

    pub(crate) fn closed_key(&self, user: u32) -> RequestKey {
        let User { number, iteration, .. } = self.users[user as usize];
        self.group_of(user).workload.key(number, iteration)
    }

    /// Schedules the open arrival of a load after its last one.
    pub(crate) fn draw_next_arrival(&mut self, group: usize) {
        let Some(door) = &mut self.doors[group] else { return };
        door.next = Due::NEVER;
        if let Some((index, at)) = door.arrivals.next(&mut self.draws) {
            door.index = index;
            door.next = Due::new(at, self.agenda.ticket());
        }
        let doors = self.doors.iter().map(|door| door.as_ref().map_or(Due::NEVER, |d| d.next));
        if let Some((next, group)) = doors.zip(0..).min() {
            (self.next_arrival, self.next_door) = (next, group);
        }
    }

    /// An open arrival: an idle user sends it, a new one if none is idle, none if the
    /// number of users is capped.
    pub(crate) fn open_arrival(&mut self) {
        let group = self.next_door;
        let Some(door) = &mut self.doors[group] else { return };
        let key = self.plan.groups[group].workload.key(0, door.index);
        let idle = door.idle.pop_front();
        let comes = idle.is_none() && door.users < door.users_most;
        door.users += u32::from(comes);
        self.draw_next_arrival(group);
        let user = idle.or_else(|| comes.then(|| self.new_user(group as u32)));
        match user {
            Some(user) => self.send(user, key),
            None => {
                self.seen.dropped += 1;
                self.seen.group(group as u32, |seen| seen.dropped += 1);
                self.seen.reach(Limit::Users);
            }
        }
    }

    /// One more user for the arrivals of an open load.
    fn new_user(&mut self, group: u32) -> u32 {
        let user = self.users.len() as u32;
        self.users.push(User::new(group, 0, true));
        user
    }

    /// A user sends a request, on its connection if it has one.
    pub(crate) fn send(&mut self, user: u32, key: RequestKey) {
        let group = self.users[user as usize].group;
        let workload = &self.group_of(user).workload;
        let class = workload.class(&mut self.draws, key) as u32;
        self.trace.record(self.now, Record::Sent { lane: key.lane, index: key.index, class });
        let entry = &mut self.users[user as usize];
        entry.iteration += 1;
        entry.idle = false;
        self.seen.sent += 1;
        self.seen.group(group, |seen| seen.sent += 1);
        self.seen.client.aftermath.came(self.now);
        self.seen.in_flight.enter(self.now);
        self.retries.request(self.now - Instant::START);
        self.attempt(user, Attempt { key, class, number: 0, first: self.now });
    }

    /// A user sends one attempt of a request.
    pub(super) fn attempt(&mut self, user: u32, attempt: Attempt) {
        let Attempt { key, class, number, first } = attempt;
        let worker = self.users[user as usize].worker;
        let request = self.new_request(Request {
            key: key.attempt(number),
            sent: self.now,
            first,
            attempt: number,
            class,
            user,
            worker,
            generation: 0,
            tasks: 1,
            settled: false,
            admitted: false,
            handler: NONE,
            gone: false,
        });
        self.seen.client.attempts += 1;
        self.start_patience(request);
        let start = self.plan.classes[class as usize].start;
        let task = self.new_task(request, start, NONE, place::CONNECT);
        self.requests[request].handler = task;
        if worker == NONE && !self.costs().network.connect.is_zero() {
            self.client_free = self.client_free.max(self.now) + self.costs().network.connect;
            self.agenda.push(self.client_free, Event::Connected { task });
        } else {
            self.reach(task);
        }
    }

    /// The client has opened the connection of `task`, and sends on it when it has opened all
    /// others that were due by now.
    pub(crate) fn connected(&mut self, task: u32) {
        self.tasks[task].sent = self.client_free + self.costs().network.client.scale(0.5);
        self.reach(task);
    }

    /// The request of `task`, or the handshake before it, is on its way to the service.
    pub(crate) fn reach(&mut self, task: u32) {
        match self.costs().network.client.scale(0.5) {
            Span::ZERO => self.arrive(task),
            there => self.agenda.push(self.now + there, Event::Arrive { task }),
        }
    }

    /// A request reaches the service: on its connection, or with a handshake before it.
    pub(crate) fn arrive(&mut self, task: u32) {
        let Request { worker, user, settled, .. } = self.requests[self.tasks[task].request];
        if worker == NONE {
            return self.open_connection(task);
        }
        if !settled && !self.is_open(user) {
            return self.arrive_too_late(task);
        }
        if !settled {
            self.reached(user);
        }
        self.enqueue(task, Via::Poll);
    }

    /// The handshake of `task` is done: its request follows, at once if the client opens
    /// connections in no time.
    pub(crate) fn write(&mut self, task: u32) {
        if self.costs().network.connect.is_zero() {
            self.tasks[task].written = true;
        } else {
            let at = self.tasks[task].sent.max(self.now);
            self.agenda.push(at, Event::Written { task });
        }
    }

    /// What the client sends on a new connection is there to be read.
    pub(crate) fn written(&mut self, task: u32) {
        self.tasks[task].written = true;
        if self.requests[self.tasks[task].request].worker != NONE {
            self.enqueue(task, Via::Poll);
        }
    }

    pub(crate) fn new_request(&mut self, request: Request) -> u32 {
        self.requests.insert(request, |old, new| new.generation = old.generation.wrapping_add(1))
    }

    /// A task that begins now at `pc`.
    pub(crate) fn new_task(&mut self, request: u32, pc: u32, parent: u32, place: Place) -> u32 {
        let parent_ticket = if parent == NONE { 0 } else { self.tasks[parent].ticket };
        let task = self.tasks.insert(
            Task {
                since: self.now,
                request,
                pc,
                thread: NONE,
                parent,
                parent_ticket,
                branches: 0,
                ticket: 0,
                handshakes: 0,
                database: database::OfTask::NEW,
                call: upstream::OfTask::NEW,
                sent: self.now,
                written: parent != NONE,
                place,
                token: false,
                after: false,
                beside: false,
                dropped: false,
                failed: None,
            },
            |old, new| new.ticket = old.ticket.wrapping_add(1),
        );
        self.accounts.open(task);
        self.seen.places[place.index()].enter(self.now);
        task
    }

    /// Ends a task.
    pub(crate) fn free_task(&mut self, task: u32) {
        let entry = &self.tasks[task];
        let (place, request) = (entry.place, entry.request);
        self.seen.places[place.index()].leave(self.now);
        self.tasks.remove(task);
        let entry = &mut self.requests[request];
        entry.tasks -= 1;
        if entry.handler == task {
            entry.handler = NONE;
        }
        if entry.tasks == 0 {
            self.requests.remove(request);
        }
    }

    pub(crate) fn start_patience(&mut self, request: u32) {
        let Request { key, user, .. } = self.requests[request];
        let workload = &self.group_of(user).workload;
        let patience = workload.patience(&mut self.draws, key);
        let (patience, gives_up) = self.patience_left(request, patience);
        if patience == Span::MAX {
            return;
        }
        let generation = self.requests[request].generation;
        if gives_up || !self.plan.patience_in_order {
            return self.agenda.push(self.now + patience, Event::Patience { request, generation });
        }
        let requests = &self.requests;
        let live = |(request, generation): (u32, u32)| {
            let entry = &requests[request];
            entry.generation == generation && !entry.settled
        };
        self.patience.drop_dead(live);
        self.patience.compact(self.seen.in_flight.value() as usize, live);
        let due = Due::new(self.now + patience, self.agenda.ticket());
        self.patience.push(due, (request, generation));
    }

    /// The first client in line has waited long enough.
    pub(crate) fn patience_ends(&mut self) {
        let Some((_, (request, generation))) = self.patience.pop() else { return };
        self.gives_up(request, generation);
    }

    /// The client of a request gives up, if it still waits.
    pub(crate) fn gives_up(&mut self, request: u32, generation: u32) {
        let entry = &self.requests[request];
        if entry.generation != generation || entry.settled {
            return;
        }
        let user = entry.user;
        self.seen.reach(Limit::Patience);
        self.end_connection(user, Via::Poll);
        self.hang_up_on(request);
        self.settle(request, Some(ErrorKind::Timeout));
    }

    /// The client of `request` has its answer, good or not, or has given up.
    pub(crate) fn settle(&mut self, request: u32, error: Option<ErrorKind>) {
        let entry = &mut self.requests[request];
        debug_assert!(!entry.settled);
        entry.settled = true;
        if error.is_some_and(|kind| self.try_again(request, kind)) {
            return;
        }
        let entry = &self.requests[request];
        // The key of an attempt of the attempt is that of the request again.
        let key = entry.key.attempt(entry.attempt);
        let (user, class, sent, worker) = (entry.user, entry.class, entry.first, entry.worker);
        let record = Record::Settled { lane: key.lane, index: key.index, error };
        self.trace.record(self.now, record);
        self.seen.in_flight.leave(self.now);
        self.seen.sojourn += u128::from((self.now - sent.max(self.window_opened)).nanos());
        self.seen.client.aftermath.settled(sent, error.is_none());
        match error {
            None => {
                self.seen.record(class, self.now - sent);
                self.seen.record_of_group(self.users[user as usize].group, self.now - sent);
                self.seen.event_loop.answered(worker);
            }
            Some(kind) => {
                self.seen.classes[class as usize].fail(kind);
                let group = self.users[user as usize].group;
                self.seen.group(group, |seen| seen.answers.fail(kind));
            }
        }
        self.user_is_free(user, key);
    }

    pub(crate) fn user_is_free(&mut self, user: u32, key: RequestKey) {
        self.users[user as usize].idle = true;
        if let Some(door) = &mut self.doors[self.users[user as usize].group as usize] {
            door.idle.push_back(user);
            return self.watch_idle(user, Span::MAX);
        }
        let pause = self.group_of(user).workload.think_time(&mut self.draws, key);
        if pause.is_zero() {
            return self.user_turn(user);
        }
        self.watch_idle(user, pause);
        self.agenda.push(self.now + pause, Event::Send { user });
    }

    /// Time in the system of requests that are in flight at `end`, cut to the window.
    pub(crate) fn sojourn_in_flight(&self, end: Instant) -> u128 {
        // Connections that are opened ahead are no requests.
        let ahead = |id: u32| {
            self.connecting > 0
                && self.tasks.live().any(|(_, task)| task.request == id && task.pc == CONNECT_ONLY)
        };
        let in_flight =
            self.requests.live().filter(|&(id, request)| !request.settled && !ahead(id));
        let pauses = self.users.iter().filter_map(|user| user.again.map(|(next, _)| next.first));
        let stay = |first: Instant| u128::from((end - first.max(self.window_opened)).nanos());
        in_flight.map(|(_, request)| request.first).chain(pauses).map(stay).sum()
    }
}
