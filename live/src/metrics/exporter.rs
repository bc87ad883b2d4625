//! The thread that shows metrics to other programs.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use model::report::Report;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{JoinSet, LocalSet};

use super::book::Book;
use super::collector::{Collector, Sender};
use super::endpoints::Endpoints;
use super::families::families;
use super::otlp::Instants;
use super::{otlp, prometheus, server};
use crate::clock;
use crate::machine;
use crate::watch::Message;

/// Connections that are open at the same time at most; others are closed.
const CONNECTIONS: usize = 16;
/// Pause after a connection that could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Shows what is measured to other programs. It ends when this is dropped.
///
/// Its thread runs where the load generator does, and gives way to it: it has the lowest priority.
#[derive(Debug)]
pub(crate) struct Exporter {
    messages: Option<UnboundedSender<Message>>,
    cpu: Arc<AtomicU64>,
    thread: Option<JoinHandle<Option<Exports>>>,
}

/// What came of sending metrics to a collector.
#[derive(Clone, Debug)]
pub(crate) struct Exports {
    collector: Collector,
    sent: u64,
    failed: u64,
    /// Why the last one failed.
    last: String,
}

impl Exporter {
    /// Shows metrics at `endpoints`. `predictions` are those of the scenarios in the order of the plan, or
    /// none.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start(endpoints: Endpoints, predictions: Vec<Report>) -> io::Result<Exporter> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (messages, heard) = unbounded_channel();
        let cpu = Arc::new(AtomicU64::new(0));
        let used = cpu.clone();
        let thread = std::thread::Builder::new().name("metrics".into()).spawn(move || {
            machine::give_way();
            let show = Show::new(predictions, used);
            LocalSet::new().block_on(&runtime, show.until_the_end(endpoints, heard))
        })?;
        Ok(Exporter { messages: Some(messages), cpu, thread: Some(thread) })
    }

    /// Takes in what happened.
    pub(crate) fn tell(&self, message: Message) {
        if let Some(messages) = &self.messages {
            // The thread ends early only if it panics, which it has told.
            let _ = messages.send(message);
        }
    }

    /// CPU time that the thread has used so far, in nanoseconds.
    pub(crate) fn cpu(&self) -> Arc<AtomicU64> {
        self.cpu.clone()
    }

    /// Sends what is not sent yet, and ends. Says what came of it.
    pub(crate) fn end(mut self) -> Option<Exports> {
        self.join()
    }

    fn join(&mut self) -> Option<Exports> {
        self.messages = None;
        self.thread.take()?.join().ok().flatten()
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.join();
    }
}

impl Exports {
    /// What a user should know; none if all went well.
    pub(crate) fn trouble(&self) -> Option<String> {
        let Exports { collector, sent, failed, last } = self;
        let all = sent + failed;
        (*failed > 0).then(|| format!("{failed} of {all} exports to {collector} failed: {last}"))
    }
}

/// What the thread knows.
struct Show {
    book: Rc<RefCell<Book>>,
    cpu: Arc<AtomicU64>,
    /// When it began, in nanoseconds since 1970.
    start: u64,
}

impl Show {
    fn new(predictions: Vec<Report>, cpu: Arc<AtomicU64>) -> Show {
        let book = Rc::new(RefCell::new(Book::new(predictions)));
        Show { book, cpu, start: since_1970() }
    }

    /// Runs until the sender of messages is dropped.
    async fn until_the_end(
        self,
        endpoints: Endpoints,
        mut heard: UnboundedReceiver<Message>,
    ) -> Option<Exports> {
        let listener = endpoints.listener.and_then(|listener| TcpListener::from_std(listener).ok());
        let mut readers = JoinSet::new();
        let mut push = endpoints.collector.map(|(collector, sender)| Push::new(collector, sender));
        loop {
            tokio::select! {
                biased;
                message = heard.recv() => match message {
                    None => break,
                    Some(message) => self.take_in(message, push.as_mut()).await,
                },
                Some(_) = readers.join_next() => {}
                stream = accepted(listener.as_ref()) => if readers.len() < CONNECTIONS {
                    let (book, cpu) = (self.book.clone(), self.cpu.clone());
                    readers.spawn_local(server::connection(stream, move || {
                        let text = prometheus::text(families(&book.borrow(), clock::now()));
                        cpu.store(clock::thread_cpu(), Ordering::Release);
                        text.ok()
                    }));
                },
            }
            self.cpu.store(clock::thread_cpu(), Ordering::Release);
        }
        match push {
            None => None,
            Some(push) => Some(push.end(self.body()).await),
        }
    }

    async fn take_in(&self, message: Message, push: Option<&mut Push>) {
        if let Message::Round { cpus, .. } = &message
            && !cpus.is_empty()
        {
            // Where that cannot be, the service shares its processors with the load, too.
            let _ = machine::pin(cpus);
        }
        let due = matches!(message, Message::Second(_) | Message::Ended);
        self.book.borrow_mut().feed(message, clock::now());
        if let (true, Some(push)) = (due, push) {
            push.begin(|| self.body());
        }
    }

    /// The body of an export.
    fn body(&self) -> Vec<u8> {
        let at = Instants { start: self.start, now: since_1970() };
        otlp::body(&families(&self.book.borrow(), clock::now()), at)
    }
}

/// Sends metrics to a collector, one message at a time.
struct Push {
    sender: Sender,
    exports: Exports,
    /// The one that is under way.
    running: JoinSet<Result<(), String>>,
}

impl Push {
    fn new(collector: Collector, sender: Sender) -> Push {
        let exports = Exports { collector, sent: 0, failed: 0, last: String::new() };
        Push { sender, exports, running: JoinSet::new() }
    }

    /// Sends `body`, unless the message before it is still under way: its numbers come with the next
    /// one.
    fn begin(&mut self, body: impl FnOnce() -> Vec<u8>) {
        if let Some(ended) = self.running.try_join_next() {
            self.exports.count(ended.unwrap_or_else(|error| Err(error.to_string())));
        }
        if self.running.is_empty() {
            let (sender, body) = (self.sender.clone(), body());
            self.running.spawn_local(async move {
                sender.send(body).await.map_err(|error| error.to_string())
            });
        }
    }

    /// Sends the last numbers.
    async fn end(mut self, body: Vec<u8>) -> Exports {
        if let Some(ended) = self.running.join_next().await {
            self.exports.count(ended.unwrap_or_else(|error| Err(error.to_string())));
        }
        self.exports.count(self.sender.send(body).await.map_err(|error| error.to_string()));
        self.exports
    }
}

impl Exports {
    fn count(&mut self, ended: Result<(), String>) {
        match ended {
            Ok(()) => self.sent += 1,
            Err(why) => (self.failed, self.last) = (self.failed + 1, why),
        }
    }
}

/// The next connection; none ever without a listener.
async fn accepted(listener: Option<&TcpListener>) -> tokio::net::TcpStream {
    let Some(listener) = listener else { return std::future::pending().await };
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            // Most likely there are too many open files, and one must close first.
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// Nanoseconds since 1970.
fn since_1970() -> u64 {
    let passed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(passed.as_nanos()).unwrap_or(u64::MAX)
}
