//! The parent's side of a child process.

use std::io;
use std::marker::PhantomData;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::channel::{Channel, SEND_PATIENCE, Trouble};
use super::message::{Order, Reply};
use super::stderr_tail::StderrTail;

/// How long a child may take to end when told to, before it is killed.
const PATIENCE: Duration = Duration::from_secs(3);
/// Pause between two looks at whether a wait still makes sense.
const LOOK: Duration = Duration::from_millis(20);

/// Something went wrong with a child. Each sentence names it.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// It cannot be started.
    #[error("cannot start the {name}: {source}")]
    Spawn {
        /// Which child.
        name: String,
        /// What the system says.
        source: io::Error,
    },
    /// It says that it cannot go on.
    #[error("the {name} failed: {why}")]
    Failed {
        /// Which child.
        name: String,
        /// In its own words.
        why: String,
    },
    /// It ended, unasked.
    #[error("the {name} ended unexpectedly ({status}){}", quoted(.stderr_tail))]
    Died {
        /// Which child.
        name: String,
        /// Its exit code, or the signal that ended it.
        status: ExitStatus,
        /// The end of what it wrote to its standard error.
        stderr_tail: String,
    },
    /// It does not answer, or does not end.
    #[error("the {name} did not {what} within {} s{}", .waited.as_secs_f64(), quoted(.stderr_tail))]
    Silent {
        /// Which child.
        name: String,
        /// What it should have done.
        what: &'static str,
        /// How long it had.
        waited: Duration,
        /// The end of what it has written to its standard error.
        stderr_tail: String,
    },
    /// It and its parent do not understand each other.
    #[error("the {name} cannot be talked to: {why}")]
    Broken {
        /// Which child.
        name: String,
        /// What is wrong.
        why: String,
    },
}

fn quoted(stderr_tail: &str) -> String {
    match stderr_tail {
        "" => String::new(),
        words => format!(". Its last words:\n{words}"),
    }
}

/// This program with other `arguments`, to be a child of itself.
///
/// # Errors
/// The system does not say where the program is.
pub fn this_program(arguments: &[&str]) -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(arguments);
    Ok(command)
}

/// A child process: it takes an `S` to start, answers `R` when it is ready and `B` when it
/// is asked what it has counted. It ends when this is dropped.
#[derive(Debug)]
pub struct Child<S, R, B> {
    name: String,
    process: std::process::Child,
    /// None once something went wrong: a late answer must not be taken for the answer to a
    /// later question.
    channel: Option<Channel>,
    stderr_tail: StderrTail,
    messages: PhantomData<fn(S) -> (R, B)>,
}

impl<S: Serialize, R: DeserializeOwned, B: DeserializeOwned> Child<S, R, B> {
    /// Starts `command`. The child finds `listener` as its standard input; `name` is what
    /// errors call it, such as `worker 0`.
    ///
    /// It gets a process group of its own: Ctrl-C in a terminal ends the parent, which ends
    /// its children in good order.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn spawn(
        name: &str,
        mut command: Command,
        listener: Option<&TcpListener>,
    ) -> Result<Child<S, R, B>, ChildError> {
        let failed = |source| ChildError::Spawn { name: name.to_string(), source };
        let listener = listener.map(TcpListener::try_clone).transpose().map_err(failed)?;
        let (ours, theirs) = UnixStream::pair().map_err(failed)?;
        command
            .stdin(listener.map_or_else(Stdio::null, |socket| OwnedFd::from(socket).into()))
            .stdout(OwnedFd::from(theirs))
            .stderr(Stdio::piped())
            .process_group(0);
        let mut process = command.spawn().map_err(failed)?;
        // The command holds the child's end of the socket: with it open here, the end of
        // the child would go unnoticed.
        drop(command);
        let stderr = process.stderr.take().expect("it is piped");
        Ok(Child {
            name: name.to_string(),
            process,
            channel: Some(Channel::new(ours)),
            stderr_tail: StderrTail::of(stderr),
            messages: PhantomData,
        })
    }

    /// Its process number.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Tells it what to start.
    ///
    /// # Errors
    /// It has ended, or does not listen.
    pub fn start(&mut self, start: S) -> Result<(), ChildError> {
        self.send(&Order::Start(start))
    }

    /// Waits until it is ready.
    ///
    /// # Errors
    /// It fails, ends, or takes longer than `timeout`.
    pub fn ready(&mut self, timeout: Duration) -> Result<R, ChildError> {
        let ready = self.ready_unless(timeout, || false)?;
        Ok(ready.expect("without a reason to give up only readiness ends the wait"))
    }

    /// Waits until it is ready, or until `given_up`: then there is none.
    ///
    /// # Errors
    /// It fails, ends, or takes longer than `timeout`.
    pub fn ready_unless(
        &mut self,
        timeout: Duration,
        given_up: impl Fn() -> bool,
    ) -> Result<Option<R>, ChildError> {
        match self.receive("become ready", timeout, given_up)? {
            Some(Reply::Ready(ready)) => Ok(Some(ready)),
            Some(_) => Err(self.broken("it talks of something else before it is ready".into())),
            None => Ok(None),
        }
    }

    /// Tells it when the load began, on the machine's monotonic clock.
    ///
    /// # Errors
    /// It has ended, or does not listen.
    pub fn load_began(&mut self, at: u64) -> Result<(), ChildError> {
        self.send(&Order::LoadBegan(at))
    }

    /// Asks what it has counted. Several children can be asked before the first answer is
    /// taken.
    ///
    /// # Errors
    /// It has ended, or does not listen.
    pub fn ask(&mut self) -> Result<(), ChildError> {
        self.send(&Order::<S>::Snapshot)
    }

    /// Waits for the answer to [`Child::ask`].
    ///
    /// # Errors
    /// It fails, ends, or takes longer than `timeout`.
    pub fn answer(&mut self, timeout: Duration) -> Result<B, ChildError> {
        match self.receive("say what it has counted", timeout, || false)? {
            Some(Reply::Snapshot(snapshot)) => Ok(snapshot),
            _ => Err(self.broken("it says that it is ready when asked for its counts".into())),
        }
    }

    /// Makes sure that it still runs.
    ///
    /// # Errors
    /// It has ended, and why.
    pub fn check(&mut self) -> Result<(), ChildError> {
        match self.process.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(self.died(status)),
            Err(error) => Err(self.broken(error.to_string())),
        }
    }

    /// Ends it.
    ///
    /// # Errors
    /// It had ended before, or does not end by itself and was killed.
    pub fn stop(mut self) -> Result<(), ChildError> {
        self.check()?;
        match self.end() {
            Ok(Some(status)) if status.success() => Ok(()),
            Ok(Some(status)) => Err(self.died(status)),
            Ok(None) => Err(self.silent("end", PATIENCE)),
            Err(error) => Err(self.broken(error.to_string())),
        }
    }

    /// The error for a child that did not do `what` in time.
    pub fn late(&mut self, what: &'static str, waited: Duration) -> ChildError {
        self.silent(what, waited)
    }

    fn send(&mut self, order: &Order<S>) -> Result<(), ChildError> {
        let Some(channel) = &self.channel else { return Err(self.lost()) };
        match channel.send(order) {
            Ok(()) => Ok(()),
            Err(trouble) => Err(self.explain(trouble, "listen", SEND_PATIENCE)),
        }
    }

    /// The next message; none if the wait was `given_up` before it came.
    fn receive(
        &mut self,
        what: &'static str,
        timeout: Duration,
        given_up: impl Fn() -> bool,
    ) -> Result<Option<Reply<R, B>>, ChildError> {
        let deadline = Instant::now() + timeout;
        loop {
            let Some(channel) = &mut self.channel else { return Err(self.lost()) };
            let look = Instant::now() + LOOK;
            match channel.receive(deadline.min(look)) {
                Ok(Reply::Failed(why)) => {
                    self.channel = None;
                    return Err(ChildError::Failed { name: self.name.clone(), why });
                }
                Ok(reply) => return Ok(Some(reply)),
                // What has come of a message so far is kept.
                Err(Trouble::Silent) if given_up() => return Ok(None),
                Err(Trouble::Silent) if look < deadline => {}
                Err(trouble) => return Err(self.explain(trouble, what, timeout)),
            }
        }
    }

    /// Why nothing can be said to the child, or heard of it.
    fn explain(&mut self, trouble: Trouble, what: &'static str, waited: Duration) -> ChildError {
        match trouble {
            Trouble::Closed => match wait(&mut self.process, PATIENCE) {
                Ok(Some(status)) => self.died(status),
                _ => self.broken("it has closed its standard output, but still runs".into()),
            },
            Trouble::Silent => self.silent(what, waited),
            Trouble::Garbled(why) => self.broken(format!("it sends what is no message ({why})")),
            Trouble::Broken(error) => self.broken(error.to_string()),
        }
    }

    /// The error for a child that has ended. If it could still say why, it did so before.
    fn died(&mut self, status: ExitStatus) -> ChildError {
        let (name, stderr_tail) = (self.name.clone(), self.stderr_tail.text());
        let mut channel = self.channel.take();
        let soon = Instant::now() + PATIENCE;
        while let Some(Ok(reply)) = channel.as_mut().map(|it| it.receive::<Reply<R, B>>(soon)) {
            if let Reply::Failed(why) = reply {
                return ChildError::Failed { name, why };
            }
        }
        ChildError::Died { name, status, stderr_tail }
    }

    fn silent(&mut self, what: &'static str, waited: Duration) -> ChildError {
        self.channel = None;
        let stderr_tail = self.stderr_tail.so_far();
        ChildError::Silent { name: self.name.clone(), what, waited, stderr_tail }
    }

    fn broken(&mut self, why: String) -> ChildError {
        self.channel = None;
        ChildError::Broken { name: self.name.clone(), why }
    }

    /// The error for a child that is used after an error.
    fn lost(&mut self) -> ChildError {
        self.broken("it was given up after an earlier error".into())
    }
}

impl<S, R, B> Child<S, R, B> {
    /// Asks the process to end, and kills it if it does not. None if it had to be killed.
    fn end(&mut self) -> io::Result<Option<ExitStatus>> {
        if let Some(channel) = self.channel.take() {
            // Closing the socket says the same, should the message not get through.
            let _ = channel.send(&Order::<()>::Stop);
        }
        if let Some(status) = wait(&mut self.process, PATIENCE)? {
            return Ok(Some(status));
        }
        self.process.kill()?;
        self.process.wait()?;
        Ok(None)
    }
}

impl<S, R, B> Drop for Child<S, R, B> {
    fn drop(&mut self) {
        // There is no caller to return an error to.
        let _ = self.end();
    }
}

/// Waits for the process to end, up to `patience`.
fn wait(process: &mut std::process::Child, patience: Duration) -> io::Result<Option<ExitStatus>> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(status) = process.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}
