//! Who is next: so many questions are worked on at a time, and so many wait.
//!
//! No client can keep the others waiting. It has fewer turns at a time than there are, a free turn goes to
//! the client that has the fewest, and where the queue is full the client that has most in it makes room.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// How many turns there are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turns {
    /// At a time.
    pub(crate) all: usize,
    /// At a time of one client.
    pub(crate) of_one: usize,
    /// That are waited for.
    pub(crate) waiting: usize,
}

/// Why a client gets no turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Too many wait.
    Full,
    /// The server ends.
    Closed,
}

/// The queue.
#[derive(Debug)]
pub(crate) struct Queue {
    turns: Turns,
    line: Mutex<Line>,
}

#[derive(Debug, Default)]
struct Line {
    closed: bool,
    /// Numbers of tickets.
    next: u64,
    /// Turns of each client that has one.
    taken: BTreeMap<String, usize>,
    /// In the order of arrival.
    waiting: Vec<Ticket>,
    /// When clients had their last turn, as a number of turns.
    last: BTreeMap<String, u64>,
}

#[derive(Debug)]
struct Ticket {
    number: u64,
    client: String,
    call: oneshot::Sender<Result<Turn, Refused>>,
}

/// What is told to those who wait, once the line is free.
type Calls = Vec<(oneshot::Sender<Result<Turn, Refused>>, Result<Turn, Refused>)>;

/// The right to work on a question, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    queue: Arc<Queue>,
    client: String,
}

impl Queue {
    pub(crate) fn new(turns: Turns) -> Arc<Queue> {
        Arc::new(Queue { turns, line: Mutex::default() })
    }

    /// Waits for a turn of `client`. Whose wait is given up leaves the queue.
    ///
    /// # Errors
    /// Too many wait, or the server ends.
    pub(crate) async fn turn(self: &Arc<Self>, client: &str) -> Result<Turn, Refused> {
        let (call, called) = oneshot::channel();
        let number = self.join(client, call);
        let _place = Place { queue: self, number };
        called.await.unwrap_or(Err(Refused::Closed))
    }

    /// From now on no one gets a turn; those who wait are told so.
    pub(crate) fn close(&self) {
        let mut line = self.line();
        line.closed = true;
        let waiting = std::mem::take(&mut line.waiting);
        drop(line);
        tell(waiting.into_iter().map(|one| (one.call, Err(Refused::Closed))).collect());
    }

    /// Questions that are worked on.
    pub(crate) fn taken(&self) -> usize {
        self.line().taken.values().sum()
    }

    /// Questions that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.line().waiting.len()
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Joins the line, and is called at once if there is a free turn, or none to wait for.
    fn join(self: &Arc<Self>, client: &str, call: oneshot::Sender<Result<Turn, Refused>>) -> u64 {
        let mut line = self.line();
        line.next += 1;
        let number = line.next;
        let mut calls = Calls::new();
        if line.closed {
            calls.push((call, Err(Refused::Closed)));
        } else {
            line.waiting.push(Ticket { number, client: client.into(), call });
            calls.extend(self.ready(&mut line));
            if line.waiting.len() > self.turns.waiting {
                calls.push((line.crowder().call, Err(Refused::Full)));
            }
        }
        drop(line);
        tell(calls);
        number
    }

    /// Those whose turn it is now.
    fn ready(self: &Arc<Self>, line: &mut Line) -> Calls {
        let mut calls = Calls::new();
        while line.taken.values().sum::<usize>() < self.turns.all {
            let Some(Ticket { client, call, .. }) = line.next_up(self.turns.of_one) else { break };
            *line.taken.entry(client.clone()).or_default() += 1;
            calls.push((call, Ok(Turn { queue: self.clone(), client })));
        }
        calls
    }

    fn give_back(self: &Arc<Self>, client: &str) {
        let mut line = self.line();
        if let Some(taken) = line.taken.get_mut(client) {
            *taken -= 1;
        }
        line.taken.retain(|_, taken| *taken > 0);
        let calls = self.ready(&mut line);
        drop(line);
        tell(calls);
    }

    fn leave(&self, number: u64) {
        self.line().waiting.retain(|ticket| ticket.number != number);
    }
}

impl Line {
    /// Takes the ticket of the client that has the fewest turns and has had none for longest.
    fn next_up(&mut self, most: usize) -> Option<Ticket> {
        let taken = |client: &str| self.taken.get(client).copied().unwrap_or(0);
        let last = |client: &str| self.last.get(client).copied();
        let may = self.waiting.iter().enumerate().filter(|(_, one)| taken(&one.client) < most);
        let order = |one: &Ticket| (taken(&one.client), last(&one.client), one.number);
        let index = may.min_by_key(|(_, one)| order(one))?.0;
        let ticket = self.waiting.remove(index);
        self.next += 1;
        self.last.insert(ticket.client.clone(), self.next);
        // Those who have nothing here are as good as new.
        let Line { last, waiting, taken, .. } = self;
        last.retain(|client, _| {
            *client == ticket.client
                || taken.contains_key(client)
                || waiting.iter().any(|one| one.client == *client)
        });
        Some(ticket)
    }

    /// Takes the newest ticket of the client that has most tickets, the newest of several such.
    fn crowder(&mut self) -> Ticket {
        let count = |client: &str| self.waiting.iter().filter(|one| one.client == client).count();
        let most = |(_, one): &(usize, &Ticket)| (count(&one.client), one.number);
        let index = self.waiting.iter().enumerate().max_by_key(most).map_or(0, |(index, _)| index);
        self.waiting.remove(index)
    }
}

/// One who is gone gives the turn back by dropping it, for which the line must be free.
fn tell(calls: Calls) {
    for (call, outcome) in calls {
        drop(call.send(outcome));
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.queue.give_back(&self.client);
    }
}

/// A place in the line, which is left when it is dropped.
struct Place<'q> {
    queue: &'q Queue,
    number: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.queue.leave(self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    type Wait = Pin<Box<dyn Future<Output = Result<Turn, Refused>>>>;

    fn queue(all: usize, of_one: usize, waiting: usize) -> Arc<Queue> {
        Queue::new(Turns { all, of_one, waiting })
    }

    /// One who has joined the queue.
    fn join(queue: &Arc<Queue>, client: &'static str) -> Wait {
        let queue = queue.clone();
        let mut wait: Wait = Box::pin(async move { queue.turn(client).await });
        assert!(poll(&mut wait).is_none(), "{client} is called at once");
        wait
    }

    fn poll(wait: &mut Wait) -> Option<Result<Turn, Refused>> {
        match wait.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => Some(outcome),
            Poll::Pending => None,
        }
    }

    fn take(queue: &Arc<Queue>, client: &'static str) -> Turn {
        let queue = queue.clone();
        let mut wait: Wait = Box::pin(async move { queue.turn(client).await });
        poll(&mut wait).expect("at once").expect("a turn")
    }

    fn turn(wait: &mut Wait) -> Turn {
        poll(wait).expect("its turn").expect("a turn")
    }

    #[test]
    fn one_client_cannot_have_all_turns() {
        let queue = queue(3, 2, 9);
        let _two = [take(&queue, "a"), take(&queue, "a")];
        let mut third = join(&queue, "a");
        let other = take(&queue, "b");
        assert_eq!((queue.taken(), queue.waiting()), (3, 1));
        drop(other);
        assert!(poll(&mut third).is_none());
    }

    #[test]
    fn a_free_turn_goes_to_the_client_that_has_the_fewest() {
        let queue = queue(2, 2, 9);
        let (one, two) = (take(&queue, "a"), take(&queue, "a"));
        let mut waiting = [join(&queue, "a"), join(&queue, "a"), join(&queue, "b")];
        drop(one);
        let of_b = turn(&mut waiting[2]);
        // It has none now, and `a` still has one.
        let mut more = join(&queue, "b");
        drop(of_b);
        let of_b = turn(&mut more);
        drop(two);
        let of_a = turn(&mut waiting[0]);
        assert!(poll(&mut waiting[1]).is_none());
        drop((of_a, of_b));
        turn(&mut waiting[1]);
        assert_eq!((queue.taken(), queue.waiting()), (0, 0));
    }

    #[test]
    fn where_it_is_full_the_client_with_most_in_it_makes_room() {
        let queue = queue(1, 1, 3);
        let _turn = take(&queue, "a");
        let mut waiting = [join(&queue, "a"), join(&queue, "a"), join(&queue, "a")];
        let mut other = join(&queue, "b");
        assert!(matches!(poll(&mut waiting[2]), Some(Err(Refused::Full))));
        assert!(poll(&mut other).is_none() && poll(&mut waiting[1]).is_none());
        // The newcomer itself, if none has more.
        let line = queue.clone();
        let mut more: Wait = Box::pin(async move { line.turn("a").await });
        assert!(matches!(poll(&mut more), Some(Err(Refused::Full))));
        assert_eq!(queue.waiting(), 3);
    }

    #[test]
    fn who_gives_up_leaves_the_queue_and_loses_no_turn() {
        let queue = queue(1, 1, 9);
        let turn_of_a = take(&queue, "a");
        let (gone, called, mut third) = (join(&queue, "b"), join(&queue, "c"), join(&queue, "d"));
        drop(gone);
        assert_eq!(queue.waiting(), 2);
        // Called, and gone before it hears of it.
        drop(turn_of_a);
        drop(called);
        turn(&mut third);
        assert_eq!((queue.taken(), queue.waiting()), (0, 0));
    }

    #[test]
    fn a_closed_queue_tells_those_who_wait() {
        let queue = queue(1, 1, 9);
        let held = take(&queue, "a");
        let mut waiting = join(&queue, "a");
        queue.close();
        assert!(matches!(poll(&mut waiting), Some(Err(Refused::Closed))));
        let line = queue.clone();
        let mut late: Wait = Box::pin(async move { line.turn("b").await });
        assert!(matches!(poll(&mut late), Some(Err(Refused::Closed))));
        drop(held);
        assert_eq!(queue.taken(), 0);
    }
}
