//! The engine: a clock, an agenda, and the stations that requests queue for.

mod accounts;
mod agenda;
mod audit;
mod event;
mod footprint;
mod state;
mod step;
mod trace;

pub use agenda::{Agenda, Due};
pub use event::Event;
pub use trace::{Record, Recorder, Silent, Trace};

pub(crate) use accounts::Accounts;
pub(crate) use state::{Arena, NONE, Request, Role, Task, Thread, ThreadState, Worker};
pub(crate) use step::Flow;

use std::cell::Cell;
use std::fmt;

use model::costs::Costs;
use model::place::{self, Place};
use model::retry::Retries;
use model::scenario::Scenario;
use model::stream::{Draws, Purpose};
use model::units::{Instant, Span};

use crate::client::{Door, User};
use crate::cpu::{Host, Hosts};
use crate::database::Database;
use crate::event_loop::{Listener, Via};
use crate::lock::Locks;
use crate::observe::{Histograms, Observations};
use crate::plan::{DrawId, Plan};
use crate::standstill::Waits;
use crate::stop;
use crate::upstream;
use agenda::Deadlines;
use footprint::Footprint;

/// Events at one instant after which time is taken to stand still.
const STANDSTILL: u64 = 20_000_000;

/// Requests in flight at which a run is given up: they need about half a kilobyte each.
const IN_FLIGHT_MAX: u64 = 5_000_000;

/// Events after which a run looks whether it is to end: about ten milliseconds.
const LOOK: u64 = 50_000;

thread_local! {
    /// Draws that runs on this thread have computed. A draw is a pure function, so that a run finds
    /// what it would compute; only the memory and its contents go from run to run.
    static DRAWS: Cell<Draws> = Cell::default();
}

/// A run that does not come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Runaway {
    /// Time does not advance.
    Standstill {
        /// When.
        at: Instant,
    },
    /// More requests in flight than memory is kept for.
    TooManyInFlight {
        /// When.
        at: Instant,
        /// They are of closed users.
        closed: bool,
    },
    /// More events than allowed.
    TooManyEvents {
        /// The limit.
        limit: u64,
        /// Simulated time reached.
        at: Instant,
    },
    /// Nobody waits for the answer any more.
    Stopped,
}

impl fmt::Display for Runaway {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Runaway::Standstill { at } => write!(
                out,
                "time stands still at {at}: {STANDSTILL} events without a nanosecond between \
                 them. A request that takes no time is answered and sent again for ever: give \
                 it a cost, or its users a think time"
            ),
            Runaway::TooManyInFlight { at, closed: true } => write!(
                out,
                "more than {IN_FLIGHT_MAX} requests are in flight at {at}: each user has one. \
                 Lower load.users"
            ),
            Runaway::TooManyInFlight { at, closed: false } => write!(
                out,
                "more than {IN_FLIGHT_MAX} requests are in flight at {at}: they arrive faster \
                 than the service answers. Lower the load, shorten its duration, or cap its \
                 users with load.max_users"
            ),
            Runaway::TooManyEvents { limit, at } => write!(
                out,
                "more than {limit} events by {at}: shorten the load's duration, lower its \
                 rate, or raise the limit with --max-events"
            ),
            Runaway::Stopped => write!(out, "the run was given up: nobody waits for its answer"),
        }
    }
}

impl std::error::Error for Runaway {}

/// Where an event comes from: the agenda, or one of the queues that are in order by
/// themselves.
#[derive(Clone, Copy)]
enum Source {
    Core(Host, u32),
    Agenda,
    Arrival,
    Patience,
    Idle,
}

/// One replication under way.
pub struct Engine<'p, T: Trace> {
    pub(crate) plan: &'p Plan,
    pub(crate) trace: T,
    pub(crate) now: Instant,
    pub(crate) agenda: Agenda<Event>,
    /// Ends of clients' patience, as (request, generation).
    pub(crate) patience: Deadlines<(u32, u32)>,
    /// Ends of idle connections, as (user, iteration).
    pub(crate) idle: Deadlines<(u32, u64)>,
    /// The open arrivals of each load; none of a closed one.
    pub(crate) doors: Vec<Option<Door>>,
    /// The next arrival of all, and whose it is.
    pub(crate) next_arrival: Due,
    pub(crate) next_door: usize,
    pub(crate) draws: Draws,
    pub(crate) spread: Purpose,
    pub(crate) cpu: Hosts,
    pub(crate) listener: Listener,
    pub(crate) database: Database,
    /// Those of upstreams that work on so many calls at a time.
    pub(crate) servers: Vec<Option<upstream::Server>>,
    pub(crate) locks: Locks,
    pub(crate) waits: Vec<Waits>,
    pub(crate) workers: Vec<Worker>,
    pub(crate) threads: Arena<Thread>,
    pub(crate) tasks: Arena<Task>,
    /// Time of each task by place.
    pub(crate) accounts: Accounts,
    pub(crate) requests: Arena<Request>,
    pub(crate) users: Vec<User>,
    pub(crate) retries: Retries,
    /// When the client's thread has opened all connections that are due.
    pub(crate) client_free: Instant,
    /// Connections that are still to be opened before the first request.
    pub(crate) connecting: u32,
    pub(crate) seen: Observations,
    pub(crate) window_opened: Instant,
    pub(crate) events: u64,
    /// Those that the budget of this thread knows of.
    told: u64,
    footprint: Footprint,
    /// Requests in flight at which the run is given up.
    crowd: u64,
}

impl<'p> Engine<'p, Silent> {
    /// Runs `plan` from start to end and returns what was observed.
    ///
    /// # Errors
    /// [`Runaway`] if it takes more than `events_max` events.
    pub fn observe(plan: &'p Plan, events_max: u64) -> Result<Observations, Runaway> {
        let mut workspace = Workspace::default();
        let mut seen = Engine::observe_again(plan, events_max, &mut workspace)?;
        seen.histograms = workspace.histograms;
        Ok(seen)
    }

    /// The same, adding response times to the histograms of earlier runs.
    ///
    /// # Errors
    /// [`Runaway`] if it takes more than `events_max` events.
    pub fn observe_again(
        plan: &'p Plan,
        events_max: u64,
        workspace: &mut Workspace,
    ) -> Result<Observations, Runaway> {
        // Before anything is allocated.
        stop::look(0, Footprint::of(plan).fixed)?;
        let mut engine = Engine::with(plan, Silent, std::mem::take(workspace));
        engine.run_to_end(events_max)?;
        workspace.histograms = std::mem::take(&mut engine.seen.histograms);
        DRAWS.set(engine.draws);
        Ok(engine.seen)
    }
}

/// What goes from run to run: histograms, which the next run adds to. Nothing in it changes what a
/// run does: histograms are only written.
#[derive(Debug, Default)]
pub struct Workspace {
    /// Response times of the runs so far.
    pub histograms: Histograms,
}

impl<'p, T: Trace> Engine<'p, T> {
    /// An engine before its first event.
    pub fn new(plan: &'p Plan, trace: T) -> Engine<'p, T> {
        Engine::with(plan, trace, Workspace::default())
    }

    fn with(plan: &'p Plan, trace: T, workspace: Workspace) -> Engine<'p, T> {
        let scenario = &plan.scenario;
        let service = &scenario.service;
        let footprint = Footprint::of(plan);
        let mut threads = Arena::new();
        let mut worker = |id: u32| {
            let thread = threads.insert(Thread::new(id, Role::Loop), |_, _| {});
            Worker::new(plan, id, thread, 0, Instant::START)
        };
        let workers = (0..service.workers).map(&mut worker).collect();
        Engine {
            plan,
            trace,
            now: Instant::START,
            agenda: Agenda::new(),
            patience: Deadlines::new(),
            idle: Deadlines::new(),
            doors: plan.groups.iter().map(|of| Door::of(plan.seed, &of.group)).collect(),
            next_arrival: Due::NEVER,
            next_door: 0,
            draws: DRAWS.take(),
            spread: Purpose::new(plan.seed, "connection"),
            cpu: Hosts::new(scenario, &plan.cpu),
            listener: Listener::new(service.spread, service.workers, service.backlog),
            database: Database::new(scenario),
            servers: scenario.upstreams.iter().map(upstream::Server::of).collect(),
            locks: Locks::new(scenario),
            waits: Waits::of(scenario),
            workers,
            threads,
            tasks: Arena::new(),
            accounts: Accounts::new(plan.place_count()),
            requests: Arena::new(),
            users: Vec::new(),
            retries: Retries::new(plan.seed, &scenario.load.retry),
            client_free: Instant::START,
            connecting: 0,
            seen: Observations::new(plan, workspace.histograms),
            window_opened: Instant::START,
            events: 0,
            told: 0,
            footprint,
            crowd: footprint.most(stop::memory()).min(IN_FLIGHT_MAX),
        }
    }

    /// What is run.
    #[inline]
    pub(crate) fn scenario(&self) -> &'p Scenario {
        &self.plan.scenario
    }

    /// What its stack costs.
    #[inline]
    pub(crate) fn costs(&self) -> &'p Costs {
        &self.plan.scenario.costs
    }

    /// Runs to the end of the window.
    ///
    /// Five sources of events are merged by time and sequence: the agenda, and four that are in
    /// order by themselves and need no sorting: the cores' timers, the open arrivals, the clients'
    /// patience and the ends of idle connections.
    ///
    /// # Errors
    /// [`Runaway`] if time stands still or there are more than `events_max` events.
    pub fn run(mut self, events_max: u64) -> Result<(Observations, T), Runaway> {
        self.run_to_end(events_max)?;
        Ok((self.seen, self.trace))
    }

    fn run_to_end(&mut self, events_max: u64) -> Result<(), Runaway> {
        let load = &self.scenario().load;
        let half = Span::from_nanos(load.duration.nanos() / 2);
        let end = Instant::START + load.total();
        self.begin();
        self.run_until(Instant::START + load.warmup + half, events_max)?;
        self.seen.halve_window(&self.plan.places);
        self.seen.after.queued[0] = self.after_in_queues();
        self.run_until(end, events_max)?;
        self.seen.after.queued[1] = self.after_in_queues();
        self.seen.sojourn += self.sojourn_in_flight(end);
        self.close_standstills(end);
        self.seen.events = self.events;
        self.tell()?;
        self.seen.close_window(end, load.duration, &self.plan.places);
        Ok(())
    }

    /// Runs all events before `end`.
    fn run_until(&mut self, end: Instant, events_max: u64) -> Result<(), Runaway> {
        let mut standstill = 0;
        let mut next_look = self.events;
        loop {
            let (source, due) = self.next_event();
            if due.at() >= end {
                return Ok(());
            }
            if due.at() > self.now {
                (self.now, standstill) = (due.at(), 0);
            } else {
                standstill += 1;
            }
            self.events += 1;
            let crowded = self.work_in_flight() > self.crowd;
            if self.events > next_look || standstill > STANDSTILL || crowded {
                self.look(standstill, events_max)?;
                next_look = events_max.min(self.events + LOOK);
            }
            match source {
                Source::Core(host, core) => self.core_timer(host, core),
                Source::Agenda => self.agenda_event(),
                Source::Arrival => self.open_arrival(),
                Source::Patience => self.patience_ends(),
                Source::Idle => self.idle_ends(),
            }
            self.schedule();
            if T::AUDITS {
                self.audit();
            }
        }
    }

    /// Where the next event comes from, and when.
    #[inline]
    fn next_event(&self) -> (Source, Due) {
        let (mut due, host, core) = self.cpu.next();
        let mut source = Source::Core(host, core);
        let others = [
            (Source::Agenda, self.agenda.next_due()),
            (Source::Patience, self.patience.front()),
            (Source::Idle, self.idle.front()),
            (Source::Arrival, self.next_arrival),
        ];
        // Branches that are nearly always guessed right beat selecting without them.
        for (other, its_due) in others {
            if its_due < due {
                (source, due) = (other, its_due);
            }
        }
        (source, due)
    }

    /// Requests that are not answered, and work after replies.
    #[inline]
    fn work_in_flight(&self) -> u64 {
        self.seen.in_flight.value() + self.seen.after.at_work.value()
    }

    /// Whether the run has to end before its time.
    #[cold]
    fn look(&mut self, standstill: u64, limit: u64) -> Result<(), Runaway> {
        self.tell()?;
        if standstill > STANDSTILL {
            Err(Runaway::Standstill { at: self.now })
        } else if self.work_in_flight() > IN_FLIGHT_MAX {
            let closed = self.doors.iter().all(Option::is_none);
            Err(Runaway::TooManyInFlight { at: self.now, closed })
        } else if self.events > limit {
            Err(Runaway::TooManyEvents { limit, at: self.now })
        } else {
            Ok(())
        }
    }

    /// Tells the budget of this thread what the run has used.
    fn tell(&mut self) -> Result<(), Runaway> {
        // Events that turn out to be none are taken off again.
        let events = self.events.saturating_sub(self.told);
        self.told = self.told.max(self.events);
        stop::look(events, self.footprint.with(self.work_in_flight()))
    }

    fn begin(&mut self) {
        let warm = Instant::START + self.scenario().load.warmup;
        self.agenda.push(warm, Event::WindowOpens);
        if let Some(period) = self.cpu.period() {
            self.agenda.push(Instant::START + period, Event::QuotaRefill);
        }
        self.schedule_faults();
        self.start_supervisor();
        self.start_users();
        (0..self.doors.len()).for_each(|group| self.draw_next_arrival(group));
    }

    fn agenda_event(&mut self) {
        let Some((_, event)) = self.agenda.pop() else { return };
        if event != Event::SupervisorLooks {
            self.trace.record(self.now, Record::Event(event));
        }
        match event {
            Event::WindowOpens => {
                self.seen.open_window(self.now);
                self.window_opened = self.now;
            }
            Event::Send { user } => self.user_turn(user),
            Event::Retry { user } => self.send_again(user),
            Event::Connected { task } => self.connected(task),
            Event::Arrive { task } => self.arrive(task),
            Event::Written { task } => self.written(task),
            Event::Deliver { task } => self.deliver(task),
            Event::ClientCloses { user, iteration } => self.client_closes(user, iteration),
            Event::CloseNoticed { user } => self.close_noticed(user),
            Event::Lost { task } => self.lost(task),
            Event::SupervisorLooks => self.supervisor_looks(),
            Event::Recycle { worker, life } => self.recycle(worker, life),
            // Ready threads are given processors after every event.
            Event::CoreAwake => {}
            Event::Resume { task, ticket } => self.wait_over(task, ticket),
            Event::Poll { task } => self.poll(task),
            Event::GiveUp { task, ticket } => self.give_up(task, ticket),
            Event::RetryHandshake { task, request, generation } => {
                self.retry_handshake(task, request, generation)
            }
            Event::Patience { request, generation } => self.gives_up(request, generation),
            Event::LockTimer { worker } => self.lock_timer(worker),
            Event::ServerArrival { task } => self.server_arrival(task),
            Event::PoolerPassed { task } => self.pooler_passed(task),
            Event::RowGranted { task, ticket } => self.row_granted(task, ticket),
            Event::DeadlockTimeout { task, ticket } => self.deadlock_timeout(task, ticket),
            Event::LockTimeout { task, ticket } => self.lock_timeout(task, ticket),
            Event::StatementTimeout { task, ticket } => self.statement_timeout(task, ticket),
            Event::IdleInTransaction { connection } => self.idle_in_transaction(connection),
            Event::LogSynced => self.log_synced(),
            Event::FaultBegins { fault } => self.fault_begins(fault),
            Event::FaultEnds => self.fault_ends(),
            Event::UpstreamDone { upstream, task, ticket } => {
                self.upstream_done(upstream, task, ticket)
            }
            Event::QuotaRefill => {
                self.cpu.refill(self.now);
                if let Some(period) = self.cpu.period() {
                    self.agenda.push(self.now + period, Event::QuotaRefill);
                }
            }
        }
    }

    /// Moves a task to another place; its time so far belongs to the one that it leaves.
    #[inline]
    pub(crate) fn set_place(&mut self, task: u32, place: Place) {
        let entry = &mut self.tasks[task];
        let (from, stay) = (entry.place, self.now - entry.since);
        if from == place::LOOP && !self.seen.event_loop.workers.is_empty() {
            self.seen.event_loop.waited(self.requests[entry.request].worker, stay);
        }
        if !stay.is_zero() {
            entry.since = self.now;
            self.accounts.add(task, from, stay);
        }
        if from != place {
            entry.place = place;
            let gauges = &mut self.seen.places[..];
            gauges[from.index()].leave(self.now);
            gauges[place.index()].enter(self.now);
        }
    }

    /// Books the time of a task up to now at the place where it is.
    pub(crate) fn book(&mut self, task: u32) {
        let entry = &mut self.tasks[task];
        self.accounts.add(task, entry.place, self.now - entry.since);
        entry.since = self.now;
    }

    /// The time that `draw` gives the request of `task`.
    #[inline]
    pub(crate) fn sample(&mut self, task: u32, draw: DrawId) -> Span {
        self.sample_attempt(task, draw, 0)
    }

    /// The same for a repeated attempt: each draws anew.
    #[inline]
    pub(crate) fn sample_attempt(&mut self, task: u32, draw: DrawId, attempt: u32) -> Span {
        let spec = &self.plan.draws[draw as usize];
        if let model::distribution::Distribution::Constant(span) = spec.distribution {
            return span;
        }
        let key = self.requests[self.tasks[task].request].key;
        let lane = model::stream::lane_of_attempt(key.lane, attempt);
        spec.distribution.sample(self.draws.draw(&spec.purpose, lane, key.index))
    }

    /// `task` goes on after `span`, unless it goes on before.
    pub(crate) fn resume_after(&mut self, task: u32, span: Span) {
        let ticket = self.tasks[task].ticket;
        self.agenda.push(self.now + span, Event::Resume { task, ticket });
    }

    fn wait_over(&mut self, task: u32, ticket: u32) {
        if self.tasks[task].ticket == ticket {
            self.resume(task, Via::Poll);
        }
    }

    /// A wait of `task` is over: its thread goes on, or the loop is told.
    pub(crate) fn resume(&mut self, task: u32, via: Via) {
        let thread = self.tasks[task].thread;
        if thread == NONE {
            self.enqueue(task, via);
        } else {
            debug_assert!(self.threads[thread].state == ThreadState::Blocked);
            self.make_ready(thread);
        }
    }
}
