//! Several requests at once.

use live::clock;
use render::number;
use tokio::task::JoinSet;

use super::decide::{Burst, Manner};
use super::health::Health;
use super::session::{Session, Stopped, WARM_AT_ONCE, until};
use super::target::{Answer, Connection};
use super::witness::Connections;

/// A burst that lasts longer is not repeated, in seconds.
const LONG_BURST: f64 = 5.0;
/// Steps around the end of a pool that are tried, each for a pool of up to so many.
const STEP_MOST: u32 = 512;

impl Session<'_> {
    /// A burst, unless it lasts longer than there is time.
    pub(super) async fn burst_if_short(
        &mut self,
        index: usize,
        depth: usize,
        turn: usize,
    ) -> Result<(), Stopped> {
        let bursts = &self.measured[index].bursts;
        let before = bursts.iter().max_by_key(|burst| burst.times.len());
        let expected = match before.and_then(|burst| Some((burst.times.len(), burst.times.last()?)))
        {
            Some((size, last)) => last * depth as f64 / size as f64,
            None => self.usual(index) * depth as f64,
        };
        let left = self.budget.time.as_secs_f64() - self.elapsed();
        // What failed is not asked for again.
        let fails = self.measured[index].too_many.as_ref().is_some_and(|(most, _)| depth >= *most);
        if fails || expected > left / self.asks.len() as f64 || (turn > 0 && expected > LONG_BURST)
        {
            return Ok(());
        }
        self.burst(index, depth).await
    }

    /// A burst that is not counted: the first request of each process, thread and connection costs
    /// more than later ones.
    pub(super) async fn warm_up(&mut self, index: usize) -> Result<(), Stopped> {
        let burst = self.uncounted(index).await?;
        let measured = &mut self.measured[index];
        measured.warm_up = burst.and_then(|burst| burst.threads);
        measured.connections.clear();
        Ok(())
    }

    /// A burst that reaches each process, and is not kept with the others; none where the user allows none of that
    /// size, or it failed.
    pub(super) async fn uncounted(&mut self, index: usize) -> Result<Option<Burst>, Stopped> {
        let least = WARM_AT_ONCE.max(2 * self.workers as usize);
        let depths = self.budget.depths.iter().copied();
        let Some(depth) = depths.filter(|depth| *depth <= least).max() else { return Ok(None) };
        let before = self.measured[index].bursts.len();
        self.burst_if_short(index, depth, 0).await?;
        let bursts = &mut self.measured[index].bursts;
        Ok(if bursts.len() > before { bursts.pop() } else { None })
    }

    /// So many requests at once, each on a connection of its own.
    async fn burst(&mut self, index: usize, depth: usize) -> Result<(), Stopped> {
        self.may(depth as u64)?;
        let mut connections: Vec<Connection> = Vec::new();
        connections.resize_with(depth, Connection::default);
        let mut requests = Vec::new();
        for connection in &mut connections {
            connection.open(self.target).await.map_err(Stopped)?;
            requests.push(self.request(index)?);
        }
        if let Some(witness) = &mut self.witness {
            witness.connections();
            self.openings[1].extend(witness.openings());
        }
        let before = self.readings()?;
        let from = clock::now();
        let mut tasks = JoinSet::new();
        for (mut connection, request) in connections.into_iter().zip(requests) {
            let target = self.target.clone();
            tasks.spawn(async move {
                let answer = connection.ask(&target, request, Some(from)).await;
                // Kept open until all are answered: to close it costs the service time too.
                (answer, connection)
            });
        }
        self.state.sent += depth as u64;
        let all = async {
            let mut answers = Vec::new();
            while let Some(ended) = tasks.join_next().await {
                answers.extend(ended);
            }
            answers
        };
        let answers = until(self.interrupt.as_ref(), self.left(), all).await?;
        let used = self.used(&before, from).await?;
        let connections = self.witness.as_mut().and_then(|witness| witness.connections());
        if let Some(connections) = connections {
            self.measured[index].connections.push((depth, connections.busy));
        }
        let openings = self.witness.as_mut().map_or_else(Vec::new, |witness| witness.openings());
        let opened = openings.len();
        self.openings[1].extend(openings);
        let answers: Vec<Answer> = answers.into_iter().map(|(answer, _)| answer).collect();
        let mut times = self.judge(index, &answers, connections)?;
        // Without some of its requests a burst is another one.
        if times.len() == depth {
            times.sort_by(f64::total_cmp);
            let threads = Some((before[0].threads, used.after.threads));
            let (cpu, others) = (used.cpu[0], used.cpu[1..].to_vec());
            let delayed = used.delayed;
            let burst = Burst { times, cpu, others, delayed, threads, opened };
            self.measured[index].bursts.push(burst);
        }
        Ok(())
    }

    /// Tries a pool of so many, and one more: the time doubles there.
    pub(super) async fn steps(&mut self, index: usize) -> Result<(), Stopped> {
        let Manner::Limited { at_once, low, high } = self.decide(index).manner else {
            return Ok(());
        };
        if low == high && at_once < STEP_MOST {
            for depth in [at_once, at_once + 1] {
                let depth = depth as usize;
                let known = self.measured[index].bursts.iter();
                if known.filter(|burst| burst.times.len() == depth).count() == 0 {
                    self.burst_if_short(index, depth, 0).await?;
                }
            }
        }
        Ok(())
    }

    /// The times of good answers to a burst. Errors end the larger bursts of this endpoint; a limit
    /// of the rate, or a service that is gone, ends all.
    fn judge(
        &mut self,
        index: usize,
        answers: &[Answer],
        connections: Option<Connections>,
    ) -> Result<Vec<f64>, Stopped> {
        let name = &self.asks[index].name;
        let (good, bad): (Vec<&Answer>, Vec<&Answer>) =
            answers.iter().partition(|answer| answer.is_good());
        for _ in &good {
            self.state.health.good(clock::now());
        }
        if let Some(first) = bad.iter().find(|answer| Health::is_of_the_request(answer)) {
            let longest = bad.iter().map(|answer| answer.seconds).fold(0.0, f64::max);
            let in_use = connections.map_or(String::new(), |connections| {
                format!("; {} connections to the database were in use at most", connections.busy)
            });
            let why = format!(
                "{name}: {} of {} at once failed within {}: {}{in_use}. So many at once are not \
                 asked again, and are not in the costs.",
                bad.len(),
                answers.len(),
                number::time(longest),
                Health::meaning(first),
            );
            self.measured[index].too_many = Some((answers.len(), why));
        }
        for answer in bad.iter().filter(|answer| !Health::is_of_the_request(answer)) {
            self.state.health.bad(name, answer, clock::now())?;
        }
        Ok(good.iter().map(|answer| answer.seconds).collect())
    }
}
