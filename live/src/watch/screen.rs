//! The thread that draws the live terminal and reads its keys.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use model::report::Report;
use model::units::NANOS_PER_SECOND;
use ratatui::crossterm::event::{self, Event};

use super::message::Message;
use super::suitable::wants_colour;
use super::terminal::Terminal;
use super::viewer::{Viewer, Wish};
use crate::clock;
use crate::interrupt::Interrupt;
use crate::machine::{self, Cpus};

/// How long it waits for a key before it looks for messages.
const PAUSE: Duration = Duration::from_millis(100);

/// The live terminal, on the terminal of the process. It is given back when this is dropped.
///
/// The thread draws once a second and after each key, runs where the load generator does, and gives
/// way to it: it has the lowest priority.
#[derive(Debug)]
pub struct Screen {
    messages: Sender<Message>,
    over: Arc<AtomicBool>,
    cpu: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Screen {
    /// Takes the terminal. `predictions` are those of the scenarios in the order of the plan, or
    /// none. A key that ends the measurement interrupts this process as Ctrl-C does elsewhere.
    ///
    /// # Errors
    /// The terminal cannot be taken.
    pub fn open(predictions: Vec<Report>, interrupt: Interrupt) -> io::Result<Screen> {
        let terminal = Terminal::take()?;
        let (messages, heard) = channel();
        let (over, cpu) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let viewer = Viewer::new(predictions, wants_colour());
        let mut show =
            Show { terminal, viewer, heard, interrupt, over: over.clone(), cpu: cpu.clone() };
        let thread = std::thread::Builder::new().name("screen".into()).spawn(move || {
            machine::give_way();
            // A terminal that has gone is none to tell of it.
            let _ = show.until_the_end();
        })?;
        Ok(Screen { messages, over, cpu, thread: Some(thread) })
    }

    /// Shows what happened.
    pub fn tell(&self, message: Message) {
        // The thread ends early if the terminal goes away.
        let _ = self.messages.send(message);
    }

    /// CPU time that the thread has used so far, in nanoseconds, up to its last look.
    pub fn cpu(&self) -> Arc<AtomicU64> {
        self.cpu.clone()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // It has told its panic already.
            let _ = thread.join();
        }
    }
}

struct Show {
    terminal: Terminal,
    viewer: Viewer,
    heard: Receiver<Message>,
    interrupt: Interrupt,
    over: Arc<AtomicBool>,
    cpu: Arc<AtomicU64>,
}

impl Show {
    fn until_the_end(&mut self) -> io::Result<()> {
        let mut drawn = None;
        while !self.over.load(Ordering::Acquire) {
            let mut changed = self.keys()?;
            changed |= self.messages();
            if self.interrupt.is_set() {
                self.viewer.stopping();
            }
            let now = clock::now();
            let second = Some(now / NANOS_PER_SECOND);
            if changed || second != drawn {
                let viewer = &self.viewer;
                if !self.terminal.draw(|frame| viewer.draw(frame, now))? {
                    return Ok(());
                }
                drawn = second;
            }
            self.cpu.store(clock::thread_cpu(), Ordering::Release);
        }
        Ok(())
    }

    /// Takes in the keys that were pressed, and waits for one. True if the screen is to change.
    fn keys(&mut self) -> io::Result<bool> {
        let mut changed = false;
        let mut wait = PAUSE;
        while event::poll(wait)? {
            wait = Duration::ZERO;
            changed = true;
            if let Event::Key(key) = event::read()? {
                match self.viewer.press(key, clock::now()) {
                    // The first interrupt stops the run, and the second ends the program.
                    Some(Wish::Stop | Wish::AtOnce) => self.interrupt.raise(),
                    None => {}
                }
            }
        }
        Ok(changed)
    }

    /// Takes in the messages that have come. True if there were any.
    fn messages(&mut self) -> bool {
        let mut any = false;
        loop {
            match self.heard.try_recv() {
                Ok(message) => {
                    if let Message::Round { cpus, .. } = &message {
                        beside_the_load(cpus);
                    }
                    self.viewer.feed(message, clock::now());
                    any = true;
                }
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return any,
            }
        }
    }
}

/// Keeps this thread away from the service's processors.
fn beside_the_load(cpus: &Cpus) {
    if !cpus.is_empty() {
        // Where that cannot be, the service shares its processors with the load, too.
        let _ = machine::pin(cpus);
    }
}
