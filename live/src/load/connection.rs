//! A connection to the service: requests go out, replies come in, one at a time.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::http::NotHttp;
use super::reply::{Reader, Reply};
use crate::clock;

/// Why there is no reply.
#[derive(Debug)]
pub(super) enum Failure {
    /// The connection was refused or broke.
    Broken {
        /// Not a byte of the reply had come.
        silent: bool,
    },
    /// The server had closed it before it read the request.
    ClosedBefore,
    /// The worker ended while it served the request.
    WorkerEnded,
    /// What came is no HTTP reply.
    NotHttp,
    /// The load generator's own machine can open no more connections.
    Exhausted(io::Error),
}

/// An open connection.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    reader: Reader,
}

impl Connection {
    /// Opens a connection.
    pub(super) async fn open(target: SocketAddr) -> Result<Connection, Failure> {
        let stream = TcpStream::connect(target).await.map_err(refused)?;
        // A request is one write: to hold it back would only delay it.
        stream.set_nodelay(true).map_err(refused)?;
        Ok(Connection { stream, reader: Reader::new() })
    }

    /// Nothing has come since the last reply, neither bytes nor the end. Costs no call of
    /// the kernel: the runtime knows.
    pub(super) fn is_quiet(&self) -> bool {
        let mut byte = [0];
        self.stream
            .try_read(&mut byte)
            .is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Sends `request` and waits for the reply, which may be one that has no body. Gives it and
    /// when its last byte had come.
    pub(super) async fn exchange(
        &mut self,
        request: &[u8],
        bodyless: bool,
    ) -> Result<(Reply, u64), Failure> {
        self.reader.expect(bodyless);
        if self.stream.write_all(request).await.is_err() {
            return Err(Failure::Broken { silent: true });
        }
        loop {
            let silent = !self.reader.begun();
            let count = match self.stream.read(self.reader.room()).await {
                Ok(0) => match self.reader.end() {
                    Some(reply) => return Ok((reply, clock::now())),
                    None => return Err(Failure::Broken { silent }),
                },
                Ok(count) => count,
                Err(_) => return Err(Failure::Broken { silent }),
            };
            match self.reader.take(count) {
                Ok(Some(reply)) => return Ok((reply, clock::now())),
                Ok(None) => {}
                Err(NotHttp) => return Err(Failure::NotHttp),
            }
        }
    }
}

/// Whether the service or this machine is the cause of a connection that was not opened.
fn refused(error: io::Error) -> Failure {
    use io::ErrorKind::{
        ConnectionAborted, ConnectionRefused, ConnectionReset, HostUnreachable, Interrupted,
        NetworkUnreachable, NotConnected, TimedOut,
    };
    match error.kind() {
        ConnectionAborted | ConnectionRefused | ConnectionReset | HostUnreachable | Interrupted
        | NetworkUnreachable | NotConnected | TimedOut => Failure::Broken { silent: true },
        // set_nodelay on a connection that was reset meanwhile.
        io::ErrorKind::InvalidInput => Failure::Broken { silent: true },
        _ => Failure::Exhausted(error),
    }
}
