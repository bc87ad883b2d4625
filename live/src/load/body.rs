//! The body of a reply: how long it is, and that it is complete. Its bytes are dropped.

use httparse::{Header, Status, parse_chunk_size};

use super::http::{NotHttp, has_token};

/// What is left of a body.
#[derive(Debug)]
pub(super) enum Body {
    /// This many bytes.
    Length(u64),
    /// Chunks, this being next.
    Chunks(Chunk),
    /// All that comes until the connection is closed.
    UntilClose,
}

/// What comes next of a body in chunks.
#[derive(Debug)]
pub(super) enum Chunk {
    /// The line that says how long the next chunk is.
    Size,
    /// So many bytes of a chunk.
    Data(u64),
    /// The line end after a chunk.
    End,
    /// The lines after the last chunk.
    Trailer,
}

impl Body {
    /// The body of a reply with this head.
    pub(super) fn of(status: u16, headers: &[Header]) -> Result<Body, NotHttp> {
        if matches!(status, 204 | 304) {
            return Ok(Body::Length(0));
        }
        let mut length = None;
        for Header { name, value } in headers {
            if name.eq_ignore_ascii_case("transfer-encoding") {
                let chunked = has_token(value, b"chunked");
                return Ok(if chunked { Body::Chunks(Chunk::Size) } else { Body::UntilClose });
            }
            if name.eq_ignore_ascii_case("content-length") {
                let text = str::from_utf8(value.trim_ascii()).map_err(|_| NotHttp)?;
                let number: u64 = text.parse().map_err(|_| NotHttp)?;
                if length.is_some_and(|other| other != number) {
                    return Err(NotHttp);
                }
                length = Some(number);
            }
        }
        Ok(length.map_or(Body::UntilClose, Body::Length))
    }

    /// It is complete when the server closes the connection.
    pub(super) fn ends_with_connection(&self) -> bool {
        matches!(self, Body::UntilClose)
    }

    /// Takes in what it can of `bytes`: how many, and whether that was the last.
    pub(super) fn eat(&mut self, bytes: &[u8]) -> Result<(usize, bool), NotHttp> {
        match self {
            Body::Length(left) => {
                let eaten = swallow(left, bytes);
                Ok((eaten, *left == 0))
            }
            Body::UntilClose => Ok((bytes.len(), false)),
            Body::Chunks(chunk) => {
                let mut eaten = 0;
                loop {
                    match chunk.eat(&bytes[eaten..])? {
                        Eaten::Some(count) => eaten += count,
                        Eaten::Last(count) => return Ok((eaten + count, true)),
                        Eaten::Hungry(count) => return Ok((eaten + count, false)),
                    }
                }
            }
        }
    }
}

/// Bytes taken in, and what then.
enum Eaten {
    /// There may be more to take.
    Some(usize),
    /// The body is complete.
    Last(usize),
    /// More must come first.
    Hungry(usize),
}

impl Chunk {
    fn eat(&mut self, bytes: &[u8]) -> Result<Eaten, NotHttp> {
        match self {
            Chunk::Size => match parse_chunk_size(bytes).map_err(|_| NotHttp)? {
                Status::Partial => Ok(Eaten::Hungry(0)),
                Status::Complete((used, size)) => {
                    *self = if size == 0 { Chunk::Trailer } else { Chunk::Data(size) };
                    Ok(Eaten::Some(used))
                }
            },
            Chunk::Data(left) => {
                let eaten = swallow(left, bytes);
                if *left > 0 {
                    return Ok(Eaten::Hungry(eaten));
                }
                *self = Chunk::End;
                Ok(Eaten::Some(eaten))
            }
            Chunk::End => match bytes {
                [b'\r', b'\n', ..] => {
                    *self = Chunk::Size;
                    Ok(Eaten::Some(2))
                }
                [] | [b'\r'] => Ok(Eaten::Hungry(0)),
                _ => Err(NotHttp),
            },
            Chunk::Trailer => match bytes.iter().position(|&byte| byte == b'\n') {
                None => Ok(Eaten::Hungry(0)),
                Some(end) if bytes[..end].trim_ascii().is_empty() => Ok(Eaten::Last(end + 1)),
                Some(end) => Ok(Eaten::Some(end + 1)),
            },
        }
    }
}

/// Takes up to `left` of `bytes`.
fn swallow(left: &mut u64, bytes: &[u8]) -> usize {
    let count = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
    *left -= count as u64;
    count
}
