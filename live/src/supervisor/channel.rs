//! The parent's end of the socket to a child.

use std::io::{self, Read as _};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::message;

/// Longest time that a message waits for room in the socket. A child reads at any time.
pub(super) const SEND_PATIENCE: Duration = Duration::from_secs(30);

/// The parent's end.
#[derive(Debug)]
pub(super) struct Channel {
    stream: UnixStream,
    /// What has come of the next message.
    line: Vec<u8>,
}

/// Why there is no message.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The child's end is closed.
    Closed,
    /// None came in time.
    Silent,
    /// It makes no sense.
    Garbled(String),
    /// The socket failed.
    Broken(io::Error),
}

impl Channel {
    pub(super) fn new(stream: UnixStream) -> Channel {
        Channel { stream, line: Vec::new() }
    }

    pub(super) fn send(&self, message: &impl Serialize) -> Result<(), Trouble> {
        self.stream.set_write_timeout(Some(SEND_PATIENCE)).map_err(Trouble::Broken)?;
        message::send(&self.stream, message).map_err(Trouble::from)
    }

    /// Waits for the next message, but not beyond `deadline`.
    pub(super) fn receive<M: DeserializeOwned>(&mut self, deadline: Instant) -> Result<M, Trouble> {
        let line = self.receive_line(deadline)?;
        serde_json::from_slice(&line).map_err(|error| Trouble::Garbled(error.to_string()))
    }

    /// The other end is open: it is known to be closed once that is seen before `deadline`.
    pub(super) fn is_open(&mut self, deadline: Instant) -> bool {
        !matches!(self.receive_some(deadline), Err(Trouble::Closed | Trouble::Broken(_)))
    }

    fn receive_line(&mut self, deadline: Instant) -> Result<Vec<u8>, Trouble> {
        let mut seen = 0;
        loop {
            if let Some(end) = self.line[seen..].iter().position(|&byte| byte == b'\n') {
                let rest = self.line.split_off(seen + end + 1);
                return Ok(std::mem::replace(&mut self.line, rest));
            }
            seen = self.line.len();
            self.receive_some(deadline)?;
        }
    }

    fn receive_some(&mut self, deadline: Instant) -> Result<(), Trouble> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Trouble::Silent);
        }
        self.stream.set_read_timeout(Some(left)).map_err(Trouble::Broken)?;
        let mut chunk = [0; 16 << 10];
        match self.stream.read(&mut chunk) {
            Ok(0) => Err(Trouble::Closed),
            Ok(length) => {
                self.line.extend_from_slice(&chunk[..length]);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Trouble {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Trouble::Silent,
            io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => Trouble::Closed,
            _ => Trouble::Broken(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn pair() -> (Channel, UnixStream) {
        let (parent, child) = UnixStream::pair().expect("two sockets");
        (Channel::new(parent), child)
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(10)
    }

    #[test]
    fn messages_come_whole_however_they_are_cut() {
        let (mut channel, mut child) = pair();
        let long = "x".repeat(100_000);
        let text = format!("\"a\"\n\"{long}\"\n\"b");
        let sender = std::thread::spawn(move || {
            child.write_all(text.as_bytes()).expect("it is read");
            child.write_all(b"c\"\n").expect("it is read");
        });
        assert_eq!(channel.receive::<String>(soon()).expect("a message"), "a");
        assert_eq!(channel.receive::<String>(soon()).expect("a message"), long);
        assert_eq!(channel.receive::<String>(soon()).expect("a message"), "bc");
        sender.join().expect("no panic");
        assert!(matches!(channel.receive::<String>(soon()), Err(Trouble::Closed)));
        // Where the end comes first depends on the system; a send after it fails.
        assert!(matches!(channel.send(&1), Err(Trouble::Closed)));
    }

    #[test]
    fn silence_and_nonsense_are_told_apart() {
        let (mut channel, mut child) = pair();
        child.write_all(b"\"half").expect("there is room");
        let deadline = Instant::now() + Duration::from_millis(20);
        assert!(matches!(channel.receive::<String>(deadline), Err(Trouble::Silent)));
        assert!(Instant::now() >= deadline);
        child.write_all(b"\"\nnonsense\n").expect("there is room");
        assert_eq!(channel.receive::<String>(soon()).expect("a message"), "half");
        assert!(matches!(channel.receive::<String>(soon()), Err(Trouble::Garbled(_))));
    }
}
