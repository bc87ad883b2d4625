//! Messages from the process that measures to the one that has started it: JSON lines on a socket that
//! is the standard input of the first.
//!
//! Most of them are for the screen, and none of those is waited for. With a question, the process that
//! measures waits for one line with the answer.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;

use model::report::Report;
use serde::{Deserialize, Serialize};

use super::message::Message;

/// Bytes that are kept for a reader that does not read. What comes then is left out.
const KEPT: usize = 4 << 20;
/// Longer than any line: reports of many scenarios with many rounds.
const LONGEST: u64 = 1 << 30;

/// A scenario that was measured, in all rounds so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Came {
    /// Which of the scenarios that are measured together.
    pub scenario: usize,
    /// What was measured of it.
    pub report: Report,
}

/// One line of the process that measures.
#[derive(Debug, Serialize, Deserialize)]
enum Line<M, C> {
    /// For the screen.
    Told(M),
    /// This has come since the last question: which scenario is measured next?
    Asked(C),
}

/// The end of the process that measures. It waits for the other only for an answer.
#[derive(Debug)]
pub struct Socket {
    stream: UnixStream,
    /// What has not been written yet.
    left: Vec<u8>,
}

/// The end of the process that shows.
#[derive(Debug)]
pub struct Heard(UnixStream);

impl Socket {
    /// The socket that the parent has given as standard input.
    ///
    /// # Errors
    /// It is none.
    pub fn from_stdin() -> io::Result<Socket> {
        Socket::of(UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?))
    }

    fn of(stream: UnixStream) -> io::Result<Socket> {
        stream.peer_addr()?;
        stream.set_nonblocking(true)?;
        Ok(Socket { stream, left: Vec::new() })
    }

    /// Tells what has come, and asks which scenario is measured next. None if none is, or if the other
    /// end is gone.
    pub fn ask(&mut self, came: &[Came]) -> Option<usize> {
        let mut line = serde_json::to_vec(&Line::<&Message, _>::Asked(came)).ok()?;
        line.push(b'\n');
        self.stream.set_nonblocking(false).ok()?;
        let before = std::mem::take(&mut self.left);
        let answer = self.stream.write_all(&before).and_then(|()| self.stream.write_all(&line));
        let answer = answer.and_then(|()| self.answer());
        self.stream.set_nonblocking(true).ok()?;
        serde_json::from_slice(&answer.ok()?).ok()?
    }

    /// The line that answers a question. Nothing else comes on this way, so that nothing is read
    /// beyond it.
    fn answer(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        BufReader::new(&self.stream).take(KEPT as u64).read_until(b'\n', &mut line)?;
        Ok(line)
    }

    /// Sends a message, or leaves it out if the other end has not read for long or is gone.
    pub fn tell(&mut self, message: &Message) {
        if self.left.len() < KEPT
            && let Ok(line) = serde_json::to_vec(&Line::<_, &[Came]>::Told(message))
        {
            self.left.extend(line);
            self.left.push(b'\n');
        }
        while !self.left.is_empty() {
            match self.stream.write(&self.left) {
                Ok(0) => return,
                Ok(count) => drop(self.left.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // It is full, or closed: the measurement goes on.
                Err(_) => return,
            }
        }
    }
}

impl Heard {
    /// A pair: the first end is to become the standard input of the process that measures.
    ///
    /// # Errors
    /// The system gives no sockets.
    pub fn pair() -> io::Result<(OwnedFd, Heard)> {
        let (theirs, ours) = UnixStream::pair()?;
        Ok((theirs.into(), Heard(ours)))
    }

    /// Hands each message to `shown` and each question to `decide`, which says what is measured next,
    /// until the other end is closed.
    pub fn listen(
        self,
        mut shown: impl FnMut(Message),
        mut decide: impl FnMut(Vec<Came>) -> Option<usize>,
    ) {
        let mut lines = BufReader::new(&self.0);
        let mut line = Vec::new();
        loop {
            line.clear();
            // Longer than any message: the other end is this program, too.
            let read = lines.by_ref().take(LONGEST).read_until(b'\n', &mut line);
            if !matches!(read, Ok(1..)) {
                return;
            }
            match serde_json::from_slice(&line) {
                Ok(Line::Told(message)) => shown(message),
                Ok(Line::<Message, Vec<Came>>::Asked(came)) => {
                    let Ok(mut answer) = serde_json::to_vec(&decide(came)) else { return };
                    answer.push(b'\n');
                    if (&self.0).write_all(&answer).is_err() {
                        return;
                    }
                }
                Err(_) => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::sample::{plan, round, second};

    fn all() -> Vec<Message> {
        vec![
            Message::Plan(plan(2, 3)),
            round(1, 2),
            Message::Load,
            second(0, 7).into(),
            Message::Ended,
        ]
    }

    fn pair() -> (Socket, Heard) {
        let (theirs, heard) = Heard::pair().expect("sockets");
        (Socket::of(UnixStream::from(theirs)).expect("a socket"), heard)
    }

    /// All messages that come, where nothing is asked.
    fn told(heard: Heard) -> Vec<Message> {
        let mut told = Vec::new();
        heard.listen(|message| told.push(message), |_| panic!("nothing is asked"));
        told
    }

    #[test]
    fn a_question_is_answered_and_what_was_told_before_comes_first() {
        let (mut socket, heard) = pair();
        let reader = std::thread::spawn(move || {
            let (mut told, mut answers) = (0, vec![None, Some(1), Some(0)]);
            heard.listen(|_| told += 1, |_| answers.pop().expect("three questions"));
            (told, answers.len())
        });
        // More than the socket takes before it is read.
        (0..10_000).for_each(|index| socket.tell(&second(index, 7).into()));
        assert_eq!(socket.ask(&[]), Some(0));
        assert!(socket.left.is_empty());
        socket.tell(&Message::Load);
        assert_eq!((socket.ask(&[]), socket.ask(&[])), (Some(1), None));
        drop(socket);
        assert_eq!(reader.join().expect("no panic"), (10_001, 0));
    }

    #[test]
    fn without_an_answer_nothing_more_is_measured() {
        let (mut socket, heard) = pair();
        drop(heard);
        assert_eq!(socket.ask(&[]), None);
    }

    #[test]
    fn messages_come_as_they_were_sent() {
        let (mut socket, heard) = pair();
        all().iter().for_each(|message| socket.tell(message));
        drop(socket);
        assert_eq!(told(heard), all());
    }

    #[test]
    fn a_reader_that_does_not_read_holds_nothing_up() {
        let (mut socket, heard) = pair();
        let many = 40_000;
        (0..many).for_each(|index| socket.tell(&second(index, 7).into()));
        assert!(socket.left.len() < 2 * KEPT);
        let reader = std::thread::spawn(move || told(heard));
        while !socket.left.is_empty() {
            // Each call goes on where the last one had to end.
            socket.tell(&Message::Load);
        }
        drop(socket);
        let received = reader.join().expect("no panic");
        let received = received.iter().filter(|one| matches!(one, Message::Second(_))).count();
        assert!((1..many as usize).contains(&received), "{received}");
    }

    #[test]
    fn nobody_at_the_other_end_is_no_failure() {
        let (mut socket, heard) = pair();
        drop(heard);
        all().iter().for_each(|message| socket.tell(message));
    }
}
