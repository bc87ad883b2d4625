//! The way between the service and the database server: bytes arrive as late as the round trip of
//! the scenario is long, half of it in either direction, and never out of order.
//!
//! A round trip is drawn for each piece that the service sends; the answer to it travels half of
//! the same one. The handshake of a connection takes one as well.

use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use model::distribution::Distribution;
use model::stream::Purpose;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use super::HOST;
use crate::alarm::Alarm;
use crate::clock;

/// Bytes that are read at a time.
const PIECE: usize = 64 << 10;
/// Pause after a connection that could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// A way to the server at a port of this machine.
#[derive(Debug)]
pub(super) struct Network {
    /// The server's port.
    pub(super) port: u16,
    /// How long there and back.
    pub(super) round_trip: Distribution,
    /// Root of its draws.
    pub(super) seed: u64,
    /// Connections so far.
    pub(super) connections: AtomicU64,
}

/// The way to a server while there is one: without it connections are refused.
#[derive(Debug)]
pub(super) struct Way {
    network: Arc<Network>,
    /// Where the service connects.
    pub(super) port: u16,
    carrying: Option<JoinHandle<io::Result<Infallible>>>,
}

impl Way {
    /// A way that is open, at a free port.
    ///
    /// # Errors
    /// The system gives none.
    pub(super) fn open(network: Network) -> io::Result<Way> {
        let mut way = Way { network: Arc::new(network), port: 0, carrying: None };
        way.open_again()?;
        Ok(way)
    }

    /// Opens it at its port.
    ///
    /// # Errors
    /// Somebody else has taken the port.
    pub(super) fn open_again(&mut self) -> io::Result<()> {
        let listener = TcpListener::bind((HOST, self.port))?;
        listener.set_nonblocking(true)?;
        self.port = listener.local_addr()?.port();
        self.carrying = Some(tokio::spawn(self.network.clone().carry(listener)));
        Ok(())
    }

    /// Takes no new connections. Those that are open end with the server.
    pub(super) async fn close(&mut self) {
        let Some(carrying) = self.carrying.take() else { return };
        carrying.abort();
        let _ = carrying.await;
    }
}

/// Bytes, and when they arrive.
type Piece = (u64, Vec<u8>);

/// How one connection's pieces are delayed.
#[derive(Debug)]
struct Line {
    network: Arc<Network>,
    purpose: Purpose,
    number: u64,
    alarm: Alarm,
    /// The round trip that was drawn last, in nanoseconds.
    last: AtomicU64,
}

impl Network {
    /// Carries everything between the connections to `listener` and the server.
    ///
    /// # Errors
    /// The system gives no timer.
    async fn carry(self: Arc<Self>, listener: TcpListener) -> io::Result<Infallible> {
        let network = self;
        let (alarm, listener) = (Alarm::new()?, tokio::net::TcpListener::from_std(listener)?);
        loop {
            let Ok((service, _)) = listener.accept().await else {
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            };
            let purpose = Purpose::new(network.seed, "network");
            let number = network.connections.fetch_add(1, Ordering::Relaxed);
            let (network, alarm, last) = (network.clone(), alarm.clone(), AtomicU64::new(0));
            tokio::spawn(connect(
                Arc::new(Line { network, purpose, number, alarm, last }),
                service,
            ));
        }
    }
}

/// One connection from its beginning to its end. One that finds no server is closed.
async fn connect(line: Arc<Line>, service: TcpStream) {
    let handshake = line.draw(0);
    line.alarm.sleep_until(clock::now().saturating_add(handshake)).await;
    let Ok(server) = TcpStream::connect((HOST, line.network.port)).await else { return };
    for stream in [&service, &server] {
        // No piece waits for the one after it.
        let _ = stream.set_nodelay(true);
    }
    let ((from_service, to_service), (from_server, to_server)) =
        (service.into_split(), server.into_split());
    let (there, arrives) = unbounded_channel();
    let (back, returns) = unbounded_channel();
    let others = [
        tokio::spawn(read(line.clone(), from_service, there, true)),
        tokio::spawn(read(line.clone(), from_server, back, false)),
        tokio::spawn(write(line.clone(), arrives, to_server)),
        tokio::spawn(write(line, returns, to_service)),
    ];
    for other in others {
        let _ = other.await;
    }
}

impl Line {
    /// The round trip of the piece with this number.
    fn draw(&self, piece: u64) -> u64 {
        let trip = match &self.network.round_trip {
            Distribution::Constant(span) => *span,
            drawn => drawn.sample(self.purpose.draw(self.number, piece)),
        };
        self.last.store(trip.nanos(), Ordering::Relaxed);
        trip.nanos()
    }
}

/// Reads pieces until the sender closes or fails, and says when they arrive.
async fn read(line: Arc<Line>, mut from: OwnedReadHalf, to: UnboundedSender<Piece>, draws: bool) {
    let (mut piece, mut arrives) = (0, 0);
    let mut buffer = vec![0; PIECE];
    while let Ok(length) = from.read(&mut buffer).await
        && length > 0
    {
        piece += 1;
        let trip = if draws { line.draw(piece) } else { line.last.load(Ordering::Relaxed) };
        let half = if draws { trip / 2 } else { trip - trip / 2 };
        arrives = clock::now().saturating_add(half).max(arrives);
        if to.send((arrives, buffer[..length].to_vec())).is_err() {
            return;
        }
    }
}

/// Delivers pieces when they arrive, and then the end.
async fn write(line: Arc<Line>, mut pieces: UnboundedReceiver<Piece>, mut to: OwnedWriteHalf) {
    while let Some((at, bytes)) = pieces.recv().await {
        line.alarm.sleep_until(at).await;
        if to.write_all(&bytes).await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await;
}

#[cfg(test)]
mod tests {
    use model::units::Span;

    use super::*;

    const TRIP: u64 = 8_000_000;

    #[test]
    fn each_exchange_takes_a_round_trip_and_nothing_is_lost_or_turned_round() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let server = tokio::net::TcpListener::bind((HOST, 0)).await.expect("a port");
            let port = server.local_addr().expect("its own").port();
            let round_trip = Distribution::Constant(Span::from_nanos(TRIP));
            let connections = AtomicU64::new(0);
            let network = Network { port, round_trip, seed: 1, connections };
            let way = Way::open(network).expect("a port");
            let address = (HOST, way.port);
            let began = clock::now();
            let mut client = TcpStream::connect(address).await.expect("it listens");
            let (mut served, _) = server.accept().await.expect("it is carried on");
            assert!(clock::now() - began >= TRIP, "the handshake takes a round trip");
            let mut told = Vec::new();
            for number in 0..4_u8 {
                let asked = clock::now();
                client.write_all(&[number]).await.expect("it is open");
                told.push(served.read_u8().await.expect("it arrives"));
                assert!(clock::now() - asked >= TRIP / 2, "half of it there");
                served.write_all(&[number]).await.expect("it is open");
                client.read_u8().await.expect("it comes back");
                assert!(clock::now() - asked >= TRIP, "half of it back");
            }
            assert_eq!(told, [0, 1, 2, 3]);
            client.shutdown().await.expect("it is open");
            assert!(served.read_u8().await.is_err(), "the end is carried too");

            let mut way = way;
            way.close().await;
            assert!(TcpStream::connect(address).await.is_err(), "it takes no connections");
            way.open_again().expect("the port is still ours");
            TcpStream::connect(address).await.expect("it listens at the same port");
        });
    }
}
