//! A proxy in front of Postgres: every byte passes as it is, and each query is timed.
//!
//! The one exception are requests for encryption, which are answered with no: what is encrypted
//! cannot be watched.

mod conversation;
mod gauge;
mod messages;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::background::{Background, Seen, accepted, now};
use super::spans::Span;
use crate::probe::Connections;
use conversation::Conversation;
use gauge::{Counted, Gauge};

/// A start is never longer: Postgres refuses more.
const LONGEST_START: usize = 10_000;
const SSL: u32 = 80_877_103;
const GSS: u32 = 80_877_104;

/// Forwards connections to one server of Postgres.
#[derive(Debug)]
pub struct PostgresProxy {
    background: Background,
    seen: Arc<Seen>,
    gauge: Arc<Gauge>,
}

impl PostgresProxy {
    /// Listens at `listen` for clients of the server at `target`, host and port.
    ///
    /// # Errors
    /// The port is taken.
    pub fn start(listen: SocketAddr, target: &str) -> io::Result<PostgresProxy> {
        let seen = Arc::<Seen>::default();
        let (target, queries) = (Arc::<str>::from(target), seen.clone());
        let gauge = Arc::<Gauge>::default();
        let counter = Arc::clone(&gauge);
        let background = Background::listen(listen, async move |socket| {
            for number in 1.. {
                let client = accepted(&socket).await;
                let (target, queries) = (target.clone(), queries.clone());
                let (conversation, counted) =
                    (Conversation::new(number), Counted::new(Arc::clone(&counter)));
                tokio::spawn(async move {
                    // Either side has gone: the other side sees its connection closed.
                    let _ = serve(client, &target, &queries, conversation, counted).await;
                });
            }
        })?;
        Ok(PostgresProxy { background, seen, gauge })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.background.address()
    }

    /// The connections through it.
    pub(in crate::wait) fn connections(&self) -> Connections {
        self.gauge.read()
    }

    /// How long each connection took to open since the last call of this, seconds.
    pub(in crate::wait) fn openings(&self) -> Vec<f64> {
        self.gauge.openings()
    }

    /// The queries that ended since the last call of this.
    pub fn take(&self) -> Vec<Span> {
        self.seen.take()
    }
}

async fn serve(
    mut client: TcpStream,
    target: &str,
    seen: &Seen,
    conversation: Conversation,
    counted: Counted,
) -> io::Result<()> {
    let begin = now();
    let mut server = TcpStream::connect(target).await?;
    server.set_nodelay(true)?;
    start(&mut client, &mut server).await?;
    let watched = Mutex::new((conversation, counted));
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let asks = pass(&mut from_client, &mut to_server, |bytes| {
        if let Ok(mut watched) = watched.lock() {
            let (conversation, counted) = &mut *watched;
            conversation.asked(bytes, now());
            counted.set_busy(conversation.is_busy());
        }
    });
    let answers = pass(&mut from_server, &mut to_client, |bytes| {
        if let Ok(mut watched) = watched.lock() {
            let (conversation, counted) = &mut *watched;
            conversation.answered(bytes, now(), seen);
            if conversation.is_open() {
                counted.set_opened(now().saturating_sub(begin));
            }
            counted.set_busy(conversation.is_busy());
        }
    });
    tokio::try_join!(asks, answers).map(|_| ())
}

/// Forwards the first message, which has no type, and says no to encryption before it.
async fn start(client: &mut TcpStream, server: &mut TcpStream) -> io::Result<()> {
    loop {
        let mut head = [0; 8];
        client.read_exact(&mut head).await?;
        let [length, code] = [&head[..4], &head[4..]].map(messages::number);
        if code == SSL || code == GSS {
            client.write_all(b"N").await?;
            continue;
        }
        let rest = (length as usize).saturating_sub(head.len()).min(LONGEST_START);
        let mut message = head.to_vec();
        message.resize(head.len() + rest, 0);
        client.read_exact(&mut message[head.len()..]).await?;
        return server.write_all(&message).await;
    }
}

/// Passes all bytes from one side to the other, to the end; each piece is looked at first.
async fn pass(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    mut look: impl FnMut(&[u8]),
) -> io::Result<()> {
    let mut bytes = vec![0; 64 * 1024];
    loop {
        let count = from.read(&mut bytes).await?;
        if count == 0 {
            return to.shutdown().await;
        }
        look(&bytes[..count]);
        to.write_all(&bytes[..count]).await?;
    }
}

#[cfg(test)]
mod tests;
