//! Reading an HTTP/1.1 reply as it arrives, in pieces of any size.

use std::mem::MaybeUninit;

use httparse::{Header, ParserConfig, Response, Status};
use model::failure::ErrorKind;

use super::body::Body;
use super::http::{NotHttp, has_token};
use crate::wire::{self, Times};

/// Room for a reply at first; most fit.
const ROOM: usize = 4 << 10;
/// Longest head, or line of a body's framing, that is accepted.
const ROOM_MOST: usize = 256 << 10;
/// Most headers of a reply.
const HEADERS: usize = 128;

/// What is kept of a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    /// The status code.
    pub(super) status: u16,
    /// Why it is no good answer, if the service says so.
    pub(super) error: Option<ErrorKind>,
    /// Where its time went, if the service says so.
    pub(super) times: Stamp,
    /// The connection may carry another request.
    pub(super) keep: bool,
}

/// The header that says where the time went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stamp {
    /// There is none.
    Absent,
    /// There is one that makes no sense.
    Malformed,
    /// It says this.
    Times(Times),
}

impl Reply {
    /// Why it is no good answer; none if it is one.
    pub(super) fn failure(&self) -> Option<ErrorKind> {
        match self.status {
            200..=299 => None,
            503 => Some(self.error.unwrap_or(ErrorKind::Rejected)),
            _ => Some(self.error.unwrap_or(ErrorKind::ServiceFailed)),
        }
    }

    /// The same of a service of the user's own: a redirection is an answer, and 429 refuses.
    pub(super) fn failure_of_own(&self) -> Option<ErrorKind> {
        match self.status {
            200..=399 => None,
            429 | 503 => Some(ErrorKind::Rejected),
            _ => Some(ErrorKind::ServiceFailed),
        }
    }
}

/// Reads replies, one after the other.
#[derive(Debug)]
pub(super) struct Reader {
    buffer: Vec<u8>,
    /// Bytes of the buffer that hold what has come and is not understood yet.
    filled: usize,
    /// A byte of the present reply has come.
    begun: bool,
    /// The present reply has no body, whatever its head says.
    bodyless: bool,
    /// The present reply once its head is understood, and what is left of its body.
    head: Option<(Reply, Body)>,
}

impl Reader {
    pub(super) fn new() -> Reader {
        Reader { buffer: vec![0; ROOM], filled: 0, begun: false, bodyless: false, head: None }
    }

    /// Whether the next reply is one that has no body, as that to a HEAD request.
    pub(super) fn expect(&mut self, bodyless: bool) {
        self.bodyless = bodyless;
    }

    /// A byte of the present reply has come.
    pub(super) fn begun(&self) -> bool {
        self.begun
    }

    /// Where the next bytes go; never empty.
    pub(super) fn room(&mut self) -> &mut [u8] {
        &mut self.buffer[self.filled..]
    }

    /// Takes in `count` bytes that were put into the room. Gives the reply once it is whole.
    pub(super) fn take(&mut self, count: usize) -> Result<Option<Reply>, NotHttp> {
        self.filled += count;
        self.begun |= count > 0;
        let mut used = 0;
        if self.head.is_none() {
            used = self.read_head()?;
        }
        let mut whole = false;
        if let Some((_, body)) = &mut self.head {
            let (eaten, complete) = body.eat(&self.buffer[used..self.filled])?;
            used += eaten;
            whole = complete;
        }
        self.buffer.copy_within(used..self.filled, 0);
        self.filled -= used;
        if whole {
            return Ok(self.finish());
        }
        if self.filled == self.buffer.len() {
            self.grow()?;
        }
        Ok(None)
    }

    /// The server has closed the connection. Gives the reply if that is how it ends.
    pub(super) fn end(&mut self) -> Option<Reply> {
        let ends_so = self.head.as_ref().is_some_and(|(_, body)| body.ends_with_connection());
        if ends_so { self.finish() } else { None }
    }

    fn finish(&mut self) -> Option<Reply> {
        let (mut reply, body) = self.head.take()?;
        // What follows a whole reply was not asked for: the connection is out of step.
        reply.keep &= !body.ends_with_connection() && self.filled == 0;
        self.begun = false;
        Some(reply)
    }

    fn grow(&mut self) -> Result<(), NotHttp> {
        if self.buffer.len() >= ROOM_MOST {
            return Err(NotHttp);
        }
        self.buffer.resize(self.buffer.len() * 2, 0);
        Ok(())
    }

    /// Reads the head if it is there, past any interim ones. Gives the bytes used.
    fn read_head(&mut self) -> Result<usize, NotHttp> {
        let mut used = 0;
        loop {
            let mut headers = [const { MaybeUninit::uninit() }; HEADERS];
            let mut response = Response::new(&mut []);
            let parsed = ParserConfig::default().parse_response_with_uninit_headers(
                &mut response,
                &self.buffer[used..self.filled],
                &mut headers,
            );
            let Status::Complete(length) = parsed.map_err(|_| NotHttp)? else { return Ok(used) };
            used += length;
            match response.code {
                Some(101) | None => return Err(NotHttp),
                Some(100..=199) => {}
                Some(status) => {
                    let body = match self.bodyless {
                        true => Body::Length(0),
                        false => Body::of(status, response.headers)?,
                    };
                    self.head = Some((understand(status, &response), body));
                    return Ok(used);
                }
            }
        }
    }
}

fn understand(status: u16, response: &Response) -> Reply {
    let mut reply = Reply {
        status,
        error: None,
        times: Stamp::Absent,
        // HTTP/1.0 closes unless it says otherwise.
        keep: response.version == Some(1),
    };
    for Header { name, value } in response.headers.iter() {
        if name.eq_ignore_ascii_case("connection") {
            if has_token(value, b"close") {
                reply.keep = false;
            } else if has_token(value, b"keep-alive") {
                reply.keep = true;
            }
        } else if name.eq_ignore_ascii_case(wire::TIME) {
            let times = str::from_utf8(value).ok().and_then(Times::parse);
            reply.times = times.map_or(Stamp::Malformed, Stamp::Times);
        } else if name.eq_ignore_ascii_case(wire::ERROR) {
            reply.error = str::from_utf8(value).ok().and_then(ErrorKind::from_name);
        }
    }
    reply
}

#[cfg(test)]
mod tests {
    use model::place::Place;

    use super::*;

    /// Reads `text` in pieces of `size` bytes.
    fn read(text: &[u8], size: usize) -> Result<Option<Reply>, NotHttp> {
        let mut reader = Reader::new();
        for piece in text.chunks(size) {
            let mut piece = piece;
            while !piece.is_empty() {
                let room = reader.room();
                let count = room.len().min(piece.len());
                room[..count].copy_from_slice(&piece[..count]);
                piece = &piece[count..];
                if let Some(reply) = reader.take(count)? {
                    assert!(piece.is_empty(), "it ended too early");
                    return Ok(Some(reply));
                }
            }
        }
        Ok(reader.end())
    }

    fn plain(status: u16, keep: bool) -> Reply {
        Reply { status, error: None, times: Stamp::Absent, keep }
    }

    #[test]
    fn a_reply_is_the_same_in_pieces_of_any_size() {
        let long =
            format!("HTTP/1.1 200 OK\r\nx: {}\r\ncontent-length: 2\r\n\r\nok", "y".repeat(9000));
        let texts: [(&str, Reply); 9] = [
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", plain(200, true)),
            ("HTTP/1.1 204 No Content\r\n\r\n", plain(204, true)),
            (
                "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: Close\r\n\r\n",
                plain(404, false),
            ),
            ("HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok", plain(200, false)),
            (
                "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok",
                plain(200, true),
            ),
            ("HTTP/1.1 200 OK\r\n\r\nuntil the end", plain(200, false)),
            (
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
                plain(200, true),
            ),
            (
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n\
                 10\r\n0123456789abcdef\r\n0\r\nrung-late: 1\r\n\r\n",
                plain(200, true),
            ),
            (&long, plain(200, true)),
        ];
        for (text, reply) in &texts {
            for size in [1, 2, 3, 7, 64, 100_000] {
                assert_eq!(read(text.as_bytes(), size), Ok(Some(reply.clone())), "{size}: {text}");
            }
        }
    }

    #[test]
    fn a_reply_that_breaks_off_is_none() {
        for text in [
            "",
            "HTTP/1.1 200",
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n",
        ] {
            assert_eq!(read(text.as_bytes(), 100), Ok(None), "{text}");
        }
    }

    #[test]
    fn what_is_no_reply_is_refused() {
        let endless = format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(ROOM_MOST));
        for text in [
            "SSH-2.0-OpenSSH\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: two\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab\r\n",
            "HTTP/1.1 101 Switching Protocols\r\n\r\n",
            &endless,
        ] {
            let brief: String = text.chars().take(60).collect();
            assert_eq!(read(text.as_bytes(), 1000), Err(NotHttp), "{brief}");
        }
    }

    #[test]
    fn more_than_was_asked_for_ends_the_connection() {
        let mut reader = Reader::new();
        let text = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok?";
        reader.room()[..text.len()].copy_from_slice(text);
        assert_eq!(reader.take(text.len()), Ok(Some(plain(200, false))));
    }

    #[test]
    fn the_reply_to_a_head_request_has_no_body() {
        let mut reader = Reader::new();
        reader.expect(true);
        let text = b"HTTP/1.1 200 OK\r\ncontent-length: 200\r\n\r\n";
        reader.room()[..text.len()].copy_from_slice(text);
        assert_eq!(reader.take(text.len()), Ok(Some(plain(200, true))));
    }

    #[test]
    fn services_of_ones_own_are_judged_by_the_status() {
        let judged = |status| plain(status, true).failure_of_own();
        assert_eq!([200, 204, 302, 304].map(judged), [None; 4]);
        assert_eq!([429, 503].map(judged), [Some(ErrorKind::Rejected); 2]);
        assert_eq!([400, 404, 500, 502].map(judged), [Some(ErrorKind::ServiceFailed); 4]);
    }

    #[test]
    fn the_service_says_what_went_wrong_and_where_the_time_went() {
        let said = |headers: &str| {
            let text = format!("HTTP/1.1 503 No\r\n{headers}content-length: 0\r\n\r\n");
            read(text.as_bytes(), 5).expect("a reply").expect("whole")
        };
        assert_eq!(said("").failure(), Some(ErrorKind::Rejected));
        assert_eq!(said("rung-error: pool_timeout\r\n").failure(), Some(ErrorKind::PoolTimeout));
        assert_eq!(said("rung-error: nonsense\r\n").failure(), Some(ErrorKind::Rejected));
        assert_eq!(plain(500, true).failure(), Some(ErrorKind::ServiceFailed));
        assert_eq!(plain(302, true).failure(), Some(ErrorKind::ServiceFailed));
        assert_eq!(plain(201, true).failure(), None);
        let times = Times { done: 9, parts: vec![(Place::new(3), 4)] };
        assert_eq!(said("Rung-Time: 9;3:4\r\n").times, Stamp::Times(times));
        assert_eq!(said("rung-time: soon\r\n").times, Stamp::Malformed);
    }
}
