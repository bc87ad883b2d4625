//! The parent's side of a process that it did not start: a worker of a server that starts its
//! workers itself. The worker connects to the parent's socket.

use std::fs::File;
use std::io;
use std::marker::PhantomData;
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use super::channel::{Channel, Trouble};
use super::child::ChildError;
use super::message::{Order, Reply};

/// How long a process that has connected may take to send its first message.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long to wait for a sign that a process has ended.
const GLANCE: Duration = Duration::from_micros(50);

/// The socket that processes connect to.
#[derive(Debug)]
pub struct Switchboard {
    listener: UnixListener,
}

impl Switchboard {
    /// Listens as `name` in `folder`, where there must be nothing of that name.
    ///
    /// # Errors
    /// The system does not allow it.
    pub fn new(folder: &Path, name: &str) -> io::Result<Switchboard> {
        // The address of a socket is short, and the path of a folder need not be.
        let opened = File::open(folder)?;
        let short = format!("/proc/self/fd/{}/{name}", opened.as_raw_fd());
        let listener = UnixListener::bind(short)?;
        listener.set_nonblocking(true)?;
        Ok(Switchboard { listener })
    }

    /// The next process that has connected and is ready, if there is one: its first message is
    /// `R`, and it answers `B`. Errors call it `name`.
    ///
    /// # Errors
    /// It connected, but its first message is not the expected one.
    pub fn answer<R: DeserializeOwned, B: DeserializeOwned>(
        &self,
        name: &str,
    ) -> Result<Option<(Line<B>, R)>, ChildError> {
        let broken = |why: String| ChildError::Broken { name: name.to_string(), why };
        let stream = match self.listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(broken(error.to_string())),
        };
        stream.set_nonblocking(false).map_err(|error| broken(error.to_string()))?;
        let mut channel = Channel::new(stream);
        match channel.receive::<Reply<R, B>>(Instant::now() + PATIENCE) {
            Ok(Reply::Ready(ready)) => {
                let name = name.to_string();
                Ok(Some((Line { name, channel, answers: PhantomData }, ready)))
            }
            Ok(Reply::Failed(why)) => Err(ChildError::Failed { name: name.to_string(), why }),
            Ok(_) => Err(broken("it talks of something else before it is ready".into())),
            Err(trouble) => Err(broken(trouble.text())),
        }
    }
}

/// A line to a process that is ready, and answers `B` when asked what it has counted.
#[derive(Debug)]
pub struct Line<B> {
    name: String,
    channel: Channel,
    answers: PhantomData<fn() -> B>,
}

impl<B: DeserializeOwned> Line<B> {
    /// Asks what it has counted.
    ///
    /// # Errors
    /// It has ended, or does not listen.
    pub fn ask(&self) -> Result<(), ChildError> {
        self.channel.send(&Order::<()>::Snapshot).map_err(|trouble| self.broken(trouble.text()))
    }

    /// Waits for the answer to [`Line::ask`].
    ///
    /// # Errors
    /// It fails, ends, or takes longer than `timeout`.
    pub fn answer(&mut self, timeout: Duration) -> Result<B, ChildError> {
        match self.channel.receive::<Reply<(), B>>(Instant::now() + timeout) {
            Ok(Reply::Snapshot(snapshot)) => Ok(snapshot),
            Ok(_) => Err(self.broken("it talks of something else than its counts".into())),
            Err(trouble) => Err(self.broken(trouble.text())),
        }
    }

    /// It is still there.
    pub fn is_open(&mut self) -> bool {
        self.channel.is_open(Instant::now() + GLANCE)
    }

    fn broken(&self, why: String) -> ChildError {
        ChildError::Broken { name: self.name.clone(), why }
    }
}

impl Trouble {
    /// In words.
    fn text(self) -> String {
        match self {
            Trouble::Closed => "it has ended".to_string(),
            Trouble::Silent => "it does not answer".to_string(),
            Trouble::Garbled(why) => format!("it sends what is no message ({why})"),
            Trouble::Broken(error) => error.to_string(),
        }
    }
}
