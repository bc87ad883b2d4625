//! The experiment: in which order requests are sent, and what is measured of them.

use std::collections::BTreeMap;
use std::time::Duration;

use live::machine::rest;
use live::witness::Sample;
use live::{Interrupt, clock};

use super::ask::Ask;
use super::decide::{self, Alone, Burst, Decision};
use super::health::Health;
use super::mix::Mixed;
use super::target::{Answer, Connection, Target};
use super::witness::{Seen, Witness};
use crate::process::{Account, ProcessError, Reading};

/// Turns in which each endpoint is asked one request at a time: as many batches.
const TURNS: usize = 8;
/// Fewer say nothing of an interval.
const TURNS_LEAST: usize = 3;
/// Turns of bursts of each size: three values of a mean leave it unknown to 2.5 times their
/// standard deviation, eight to 0.8 times.
const BURST_TURNS: usize = 8;
/// So many turns of bursts there are in any case.
const BURST_TURNS_LEAST: usize = 3;
/// More than those only before this share of the time and of the requests is used.
const BURST_SHARE: f64 = 0.6;
/// A batch lasts about so long, in seconds.
const BATCH: f64 = 1.0;
/// Most requests of a batch.
const BATCH_MOST: u64 = 50;
/// Requests at once that reach each process, so that all of them are warm.
pub(super) const WARM_AT_ONCE: usize = 8;
/// Requests after the first that are not counted: connections, caches and threads are made.
const WARM_UP: u64 = 3;
/// The first part of the time, in which requests go one at a time.
const ALONE_SHARE: f64 = 0.4;
/// Requests of an endpoint while something sees what they wait for.
pub(super) const WITNESSED: u64 = 20;
/// How long nothing is sent, to see what the service computes by itself.
const IDLE: Duration = Duration::from_millis(1000);
/// What a service does after its reply belongs to the request.
const SETTLED: Duration = Duration::from_millis(5);
/// Of the time that is neither CPU nor waiting no more than this is believed, in seconds.
const OVERHEAD_MOST: f64 = 1e-3;

/// What may be sent.
#[derive(Clone, Debug)]
pub struct Budget {
    /// Requests at most.
    pub requests: u64,
    /// Time at most.
    pub time: Duration,
    /// Share of errors at which it stops.
    pub errors: f64,
    /// Requests at once, ascending.
    pub depths: Vec<usize>,
}

/// One batch of requests one at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// Response times, seconds.
    pub times: Vec<f64>,
    /// CPU time of a request, seconds.
    pub cpu: f64,
    /// CPU time of each request, seconds, where each was timed apart; what the service does after
    /// a reply may count for the next.
    pub each: Vec<f64>,
    /// How long a request could have gone on, but no processor was free, seconds.
    pub delayed: f64,
    /// Share of the CPU time on other threads than the first of each process.
    pub off_main: f64,
    /// CPU time of a request in each of the other named processes, seconds.
    pub others: Vec<f64>,
}

/// What is measured of an endpoint.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// Response time and CPU time of its first request, seconds.
    pub cold: Option<(f64, f64)>,
    /// Response time of the last of its first requests, seconds.
    pub warm: Option<f64>,
    /// Batches of requests one at a time.
    pub turns: Vec<Turn>,
    /// The same without proxies between the service and what it waits for.
    pub direct: Vec<Turn>,
    /// Requests at once.
    pub bursts: Vec<Burst>,
    /// Of bursts of so many requests, the most connections to databases that were in use at once,
    /// where they are counted.
    pub connections: Vec<(usize, usize)>,
    /// Connections to databases that a request opened in the mean, where they are counted.
    pub opened: Option<f64>,
    /// Threads before and after the first requests at once, which are not counted.
    pub warm_up: Option<(u64, u64)>,
    /// So many at once fail; and how, in a sentence.
    pub too_many: Option<(usize, String)>,
    /// Why it is left out.
    pub left_out: Option<String>,
}

/// Why an experiment ends before its end, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped(pub String);

/// What the account of the database's processes is called in [`Session::others`].
pub const DATABASE: &str = "the database";

/// An experiment.
pub struct Session<'a> {
    /// Where the service is.
    pub target: &'a Target,
    /// What it is asked.
    pub asks: &'a [Ask],
    /// The CPU time of the service.
    pub account: Account,
    /// That of other processes, by name.
    pub others: Vec<(String, Account)>,
    /// Its limits.
    pub budget: Budget,
    /// Whether the user wants to end.
    pub interrupt: Option<Interrupt>,
    /// Worker processes and processors of the service.
    pub workers: u32,
    /// Processors that the service may use.
    pub cores: u32,
    /// Processors that the database's processes may run on, where they are known.
    pub database_cores: Option<u32>,
    /// They are those of the service.
    pub database_shares: bool,
    /// Sees what requests wait for.
    pub witness: Option<&'a mut dyn Witness>,
    /// What it saw.
    pub seen: Option<Seen>,
    /// Connections to databases that stay open when nothing is under way, where they are counted.
    pub kept: Option<usize>,
    /// How long connections to databases took to open, seconds: those that requests one at a time
    /// opened, and all others.
    pub openings: [Vec<f64>; 2],
    /// What the witness says of all endpoints together.
    pub remarks: Vec<String>,
    /// What was measured of each request, in the order of `asks`.
    pub measured: Vec<Measured>,
    /// The service is started again without proxies, and requests of all endpoints together are left to that:
    /// [`Session::directly`].
    pub is_asked_again: bool,
    /// Turns of requests of all endpoints together.
    pub mixed: Vec<Mixed>,
    /// What a witness of the machine's speed saw, in order; empty without one.
    pub samples: Vec<Sample>,
    pub(super) state: State,
}

/// How far it is.
#[derive(Debug)]
pub(super) struct State {
    started: u64,
    pub(super) sent: u64,
    /// Replies to requests one at a time, and those that closed their connection.
    replies: (u64, u64),
    next: Vec<u64>,
    pub(super) health: Health,
    /// CPU seconds per second while nothing is sent: of the service and of the others.
    idle: Vec<f64>,
}

/// Someone who wants to know how far it is, and to keep what was measured so far.
pub trait Watcher {
    /// Something begins.
    fn stage(&mut self, text: &str);
    /// A stage is over.
    fn keep(&mut self, session: &Session<'_>);
}

impl<'a> Session<'a> {
    /// An experiment that has not begun.
    pub fn new(target: &'a Target, asks: &'a [Ask], account: Account, budget: Budget) -> Self {
        Session {
            target,
            asks,
            account,
            others: Vec::new(),
            state: State {
                started: clock::now(),
                sent: 0,
                replies: (0, 0),
                next: vec![0; asks.len()],
                health: Health::new(budget.errors),
                idle: Vec::new(),
            },
            budget,
            interrupt: None,
            workers: 1,
            cores: 1,
            database_cores: None,
            database_shares: false,
            witness: None,
            seen: None,
            kept: None,
            openings: [Vec::new(), Vec::new()],
            remarks: Vec::new(),
            measured: vec![Measured::default(); asks.len()],
            is_asked_again: false,
            mixed: Vec::new(),
            samples: Vec::new(),
        }
    }

    /// Requests that were sent.
    pub fn sent(&self) -> u64 {
        self.state.sent
    }

    /// Seconds since it began.
    pub fn elapsed(&self) -> f64 {
        (clock::now() - self.state.started) as f64 / 1e9
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// It ended before. What was measured until then is kept.
    pub async fn run(&mut self, watcher: &mut dyn Watcher) -> Result<(), Stopped> {
        self.state.started = clock::now();
        watcher.stage("the service, until it has loaded itself");
        self.settle().await?;
        for index in 0..self.asks.len() {
            watcher.stage(&format!("{}: the first requests", self.asks[index].name));
            self.first(index).await?;
        }
        if self.measured.iter().all(|one| one.left_out.is_some()) {
            let why = self.measured.first().and_then(|one| one.left_out.clone());
            return Err(Stopped(why.unwrap_or_else(|| "there is nothing to ask".into())));
        }
        for index in self.asked() {
            watcher.stage(&format!("{}: a few at once, not counted", self.asks[index].name));
            self.warm_up(index).await?;
        }
        // After the first requests: a service that has just been started may still load itself.
        watcher.stage("nothing is sent, to see what the service computes by itself");
        self.rest().await?;
        for turn in 0..TURNS {
            let share = self.elapsed() / self.budget.time.as_secs_f64();
            if turn >= TURNS_LEAST && share > ALONE_SHARE {
                break;
            }
            for index in self.asked() {
                let name = &self.asks[index].name;
                watcher.stage(&format!("{name}: one at a time, turn {} of {TURNS}", turn + 1));
                // To time each apart takes a while, in which the service sleeps.
                let turn = self.batch(index, turn % 2 == 0).await?;
                self.measured[index].turns.extend(turn);
            }
            watcher.keep(self);
        }
        // Now it shows which of its processes compute.
        self.cores = self.account.cores().unwrap_or(self.cores);
        self.database_shares = self.shares();
        for depth in self.budget.depths.clone() {
            for turn in 0..BURST_TURNS {
                if turn >= BURST_TURNS_LEAST && self.share_used() > BURST_SHARE {
                    break;
                }
                for index in self.asked() {
                    let name = &self.asks[index].name;
                    watcher.stage(&format!("{name}: {depth} at once, turn {}", turn + 1));
                    self.burst_if_short(index, depth, turn).await?;
                }
            }
            watcher.keep(self);
        }
        for index in self.asked() {
            watcher.stage(&format!("{}: where its time doubles", self.asks[index].name));
            self.steps(index).await?;
        }
        watcher.keep(self);
        if !self.is_asked_again {
            self.mixes(watcher).await?;
            watcher.keep(self);
        }
        self.witnessed(watcher).await?;
        watcher.keep(self);
        Ok(())
    }

    /// The endpoints that are not left out.
    pub(super) fn asked(&self) -> Vec<usize> {
        (0..self.asks.len()).filter(|&index| self.measured[index].left_out.is_none()).collect()
    }

    /// Waits until the service computes little: it may take its port before it has loaded itself,
    /// as gunicorn does, and that would count for the first request.
    pub(super) async fn settle(&mut self) -> Result<(), Stopped> {
        let mut before = self.readings()?;
        for _ in 0..rest::LOOKS {
            self.may(0)?;
            tokio::time::sleep(rest::LOOK).await;
            let after = self.readings()?;
            let used = after[0].nanos.saturating_sub(before[0].nanos);
            if rest::rests(used, rest::LOOK.as_nanos() as u64) {
                return Ok(());
            }
            before = after;
        }
        Ok(())
    }

    pub(super) async fn rest(&mut self) -> Result<(), Stopped> {
        let before = self.readings()?;
        let from = clock::now();
        tokio::time::sleep(IDLE).await;
        let after = self.readings()?;
        let seconds = (clock::now() - from) as f64 / 1e9;
        let used = before.iter().zip(&after).map(|(before, after)| cpu(before, after) / seconds);
        self.state.idle = used.collect();
        Ok(())
    }

    /// The first request, apart, and a few more that are not counted.
    async fn first(&mut self, index: usize) -> Result<(), Stopped> {
        let before = self.readings()?;
        let mut connection = Connection::default();
        let mut bad = Vec::new();
        for number in 0..=WARM_UP {
            let answer = self.one(index, &mut connection).await?;
            if number == 0 {
                tokio::time::sleep(SETTLED).await;
                let after = self.readings()?;
                self.measured[index].cold = Some((answer.seconds, cpu(&before[0], &after[0])));
            }
            if answer.is_good() {
                self.state.health.good(clock::now());
                self.measured[index].warm = Some(answer.seconds);
            } else {
                bad.push(answer);
            }
        }
        let Some(answer) = bad.last() else { return Ok(()) };
        let name = &self.asks[index].name;
        // A limit or a service that is gone is about all of them.
        if bad.len() > WARM_UP as usize && Health::is_of_the_request(answer) {
            let meaning = Health::meaning(answer);
            self.measured[index].left_out =
                Some(format!("{name} is left out: {meaning} to each of {} requests", bad.len()));
            return Ok(());
        }
        bad.iter().try_for_each(|answer| self.state.health.bad(name, answer, clock::now()))
    }

    /// A batch of requests one at a time; the CPU time of each is read if `apart`. None if all failed.
    pub(super) async fn batch(
        &mut self,
        index: usize,
        apart: bool,
    ) -> Result<Option<Turn>, Stopped> {
        let usual = self.usual(index);
        let count = ((BATCH / usual.max(1e-4)) as u64).clamp(1, BATCH_MOST);
        let before = self.readings()?;
        let from = clock::now();
        let mut connection = Connection::default();
        let (mut times, mut each) = (Vec::new(), Vec::new());
        let mut last = before[0];
        for _ in 0..count {
            let answer = self.one(index, &mut connection).await?;
            let now = if apart { self.account.read().map_err(gone)? } else { last };
            let used = cpu(&last, &now);
            last = now;
            if answer.is_good() {
                self.state.health.good(clock::now());
                times.push(answer.seconds);
                each.extend(apart.then_some(used));
            } else {
                self.state.health.bad(&self.asks[index].name, &answer, clock::now())?;
            }
        }
        drop(connection);
        let Used { cpu: used, off_main, delayed, .. } = self.used(&before, from).await?;
        let mean = |used: &f64| used / count as f64;
        let others = used[1..].iter().map(mean).collect();
        let (cpu, delayed) = (mean(&used[0]), mean(&delayed));
        let turn = Turn { times, cpu, each, delayed, off_main, others };
        Ok(Some(turn).filter(|turn| !turn.times.is_empty()))
    }

    /// The response time of an endpoint one at a time, as far as it is known.
    pub(super) fn usual(&self, index: usize) -> f64 {
        let measured = &self.measured[index];
        let times: Vec<f64> = measured.turns.iter().flat_map(|turn| turn.times.clone()).collect();
        let first = measured.warm.or(measured.cold.map(|(seconds, _)| seconds)).unwrap_or(0.01);
        if times.is_empty() { first } else { times.iter().sum::<f64>() / times.len() as f64 }
    }

    /// A pass in which something sees what each request waits for.
    async fn witnessed(&mut self, watcher: &mut dyn Watcher) -> Result<(), Stopped> {
        let Some(witness) = self.witness.take() else { return Ok(()) };
        // Nothing is under way: what is open now is kept.
        self.kept = witness.connections().map(|connections| connections.open);
        let ended = self.show(witness, watcher).await;
        let cpu = |index: usize| (self.asks[index].name.clone(), self.alone(index));
        let cpu: BTreeMap<String, Alone> = self.asked().into_iter().map(cpu).collect();
        self.seen = Some(witness.seen(&cpu));
        self.remarks = witness.remarks();
        ended
    }

    /// Sends requests of each endpoint that `witness` sees.
    async fn show(
        &mut self,
        witness: &mut dyn Witness,
        watcher: &mut dyn Watcher,
    ) -> Result<(), Stopped> {
        for index in self.asked() {
            let name = self.asks[index].name.clone();
            watcher.stage(&format!("{name}: what it waits for"));
            let mut connection = Connection::default();
            self.openings[1].extend(witness.openings());
            for _ in 0..WITNESSED {
                witness.begins();
                let answer = self.one(index, &mut connection).await?;
                witness.ended(&name, answer.is_good());
            }
            let openings = witness.openings();
            let opened = openings.len() as f64 / WITNESSED as f64;
            self.measured[index].opened = witness.connections().map(|_| opened);
            self.openings[0].extend(openings);
        }
        Ok(())
    }

    /// The place of the database's processes in `others`.
    pub(super) fn database(&self) -> Option<usize> {
        self.others.iter().position(|(name, _)| name == DATABASE)
    }

    /// The database's processes may run on the same processors as the service's.
    fn shares(&self) -> bool {
        let cpus = self.database().and_then(|number| self.others[number].1.cpus());
        cpus.is_some() && cpus == self.account.cpus()
    }

    /// How an endpoint serves, from what was measured so far.
    pub fn decide(&self, index: usize) -> Decision {
        let measured = &self.measured[index];
        let decision =
            decide::decide(&self.alone(index), &measured.bursts, self.workers, self.cores);
        let in_use = measured.connections.iter().map(|(_, busy)| *busy).max().unwrap_or(0);
        decide::beside(decision, in_use, self.workers)
    }

    /// An endpoint one request at a time.
    pub fn alone(&self, index: usize) -> Alone {
        let turns = &self.measured[index].turns;
        let times = turns.iter().flat_map(|turn| turn.times.iter().copied()).collect();
        let mean =
            |of: fn(&Turn) -> f64| turns.iter().map(of).sum::<f64>() / turns.len().max(1) as f64;
        let (cpu, delayed) = (mean(|turn| turn.cpu), mean(|turn| turn.delayed));
        Alone { times, cpu, delayed, overhead: self.overhead() }
    }

    /// What of a response time is neither CPU nor waiting: no more than the least of any endpoint.
    fn overhead(&self) -> f64 {
        let rest = |measured: &Measured| {
            let all = || measured.turns.iter();
            let time: f64 = all().flat_map(|turn| turn.times.iter()).sum();
            let count = all().map(|turn| turn.times.len()).sum::<usize>();
            let known = all().map(|turn| turn.cpu + turn.delayed).sum::<f64>();
            let cpu = known / all().count().max(1) as f64;
            (count > 0).then(|| (time / count as f64 - cpu).max(0.0))
        };
        self.measured.iter().filter_map(rest).fold(OVERHEAD_MOST, f64::min)
    }

    pub(super) async fn one(
        &mut self,
        index: usize,
        connection: &mut Connection,
    ) -> Result<Answer, Stopped> {
        self.may(1)?;
        let request = self.request(index)?;
        self.state.sent += 1;
        let ask = connection.ask(self.target, request, None);
        let answer = until(self.interrupt.as_ref(), self.left(), ask).await?;
        self.state.replies.0 += u64::from(answer.is_good());
        self.state.replies.1 += u64::from(answer.is_good() && answer.closes);
        Ok(answer)
    }

    /// The service closed the connection with every good reply; none if there was no reply.
    pub fn closes(&self) -> Option<bool> {
        let (all, closing) = self.state.replies;
        (all > 0).then_some(closing == all)
    }

    pub(super) fn request(
        &mut self,
        index: usize,
    ) -> Result<http::Request<http_body_util::Full<bytes::Bytes>>, Stopped> {
        let number = self.state.next[index];
        self.state.next[index] += 1;
        self.asks[index].request(self.target, number).map_err(Stopped)
    }

    /// So many more may be sent.
    pub(super) fn may(&self, count: u64) -> Result<(), Stopped> {
        if self.interrupt.as_ref().is_some_and(Interrupt::is_set) {
            return Err(Stopped("interrupted".into()));
        }
        if self.state.sent + count > self.budget.requests {
            return Err(Stopped(format!(
                "the budget of {} requests is used up; --budget-requests allows more",
                self.budget.requests
            )));
        }
        if self.left().is_zero() {
            return Err(out_of_time(self.budget.time));
        }
        Ok(())
    }

    /// The share of the time or of the requests that is used, whichever is larger.
    fn share_used(&self) -> f64 {
        let time = self.elapsed() / self.budget.time.as_secs_f64();
        time.max(self.state.sent as f64 / self.budget.requests.max(1) as f64)
    }

    pub(super) fn left(&self) -> Duration {
        self.budget.time.saturating_sub(Duration::from_secs_f64(self.elapsed()))
    }

    /// The accounts now: the service's first.
    pub(super) fn readings(&mut self) -> Result<Vec<Reading>, Stopped> {
        let mut service = self.account.read().map_err(gone)?;
        // What this program waits for looks like waiting of the service.
        service.delayed += own_delay();
        let mut readings = vec![service];
        for (_, account) in &mut self.others {
            readings.push(account.read().map_err(gone)?);
        }
        Ok(readings)
    }

    /// What was used since `before`, without what the processes use by themselves.
    pub(super) async fn used(&mut self, before: &[Reading], from: u64) -> Result<Used, Stopped> {
        let seconds = (clock::now() - from) as f64 / 1e9;
        tokio::time::sleep(SETTLED).await;
        let after = self.readings()?;
        let idle = self.state.idle.iter().copied().chain(std::iter::repeat(0.0));
        let pairs = before.iter().zip(&after).zip(idle);
        let used: Vec<f64> =
            pairs.map(|((a, b), idle)| (cpu(a, b) - idle * seconds).max(0.0)).collect();
        let main = seconds_of(before[0].main, after[0].main);
        let off_main = if used[0] > 0.0 { (1.0 - main / used[0]).clamp(0.0, 1.0) } else { 0.0 };
        let delayed = seconds_of(before[0].delayed, after[0].delayed);
        Ok(Used { cpu: used, delayed, off_main, after: after[0] })
    }
}

/// What was used in a while.
#[derive(Debug)]
pub(super) struct Used {
    /// CPU seconds of each account, the service's first.
    pub(super) cpu: Vec<f64>,
    /// Seconds for which no processor was free for what could run.
    pub(super) delayed: f64,
    /// Share of the service's CPU time on other threads than the first of each process.
    off_main: f64,
    /// The service's account at the end.
    pub(super) after: Reading,
}

/// How long this thread could have run, but no processor was free, in nanoseconds.
fn own_delay() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().nth(1).and_then(|text| text.parse().ok()).unwrap_or_default()
}

fn seconds_of(before: u64, after: u64) -> f64 {
    after.saturating_sub(before) as f64 / 1e9
}

fn cpu(before: &Reading, after: &Reading) -> f64 {
    seconds_of(before.nanos, after.nanos)
}

fn gone(error: ProcessError) -> Stopped {
    match error {
        ProcessError::NoProcess(pid) => Stopped(format!("the process {pid} has ended")),
        other => Stopped(other.to_string()),
    }
}

fn out_of_time(time: Duration) -> Stopped {
    Stopped(format!("the budget of {} s is used up; --budget-time allows more", time.as_secs_f64()))
}

/// Waits for `work`, but no longer than there is time and the user wants.
pub(super) async fn until<T>(
    interrupt: Option<&Interrupt>,
    left: Duration,
    work: impl Future<Output = T>,
) -> Result<T, Stopped> {
    let interrupted = async {
        match interrupt {
            Some(interrupt) => interrupt.wait().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        done = work => Ok(done),
        () = interrupted => Err(Stopped("interrupted".into())),
        () = tokio::time::sleep(left) => Err(Stopped(
            "a reply did not come before the time was used up; --budget-time allows more".into()
        )),
    }
}
