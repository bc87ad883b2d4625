//! How quickly the load generator opens connections.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use model::units::{Instant, Span};
use tokio::net::TcpSocket;
use tokio::runtime::{Builder, LocalOptions};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::connection::{Connection, Failure};
use crate::clock;
use crate::machine::raise_open_files;

/// Connections that are opened together: no more than the smallest queue of handshakes
/// (`net.core.somaxconn`) that kernels have had.
const TOGETHER: u32 = 100;
/// A burst takes milliseconds; what takes this long is not going to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// Opens many connections together, `bursts` times, like users that all arrive at once, to a
/// socket that does not accept them. Gives the time per connection of each burst.
///
/// # Errors
/// There are no sockets to be had, or connections are refused or not answered.
pub fn opening_times(bursts: u32) -> io::Result<Vec<Span>> {
    raise_open_files();
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default())?;
    let burst = || runtime.block_on(async { timeout(PATIENCE, burst()).await });
    // The first one finds nothing in the caches.
    burst()??;
    (0..bursts).map(|_| burst()?).collect()
}

async fn burst() -> io::Result<Span> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let listener = socket.listen(TOGETHER)?;
    let target = listener.local_addr()?;
    let start = Instant::from_nanos(clock::now());
    let mut users = JoinSet::new();
    for _ in 0..TOGETHER {
        users.spawn_local(Connection::open(target));
    }
    let opened = users.join_all().await;
    let spent = Instant::from_nanos(clock::now()) - start;
    match opened.into_iter().find_map(Result::err) {
        None => Ok(spent.scale(1.0 / f64::from(TOGETHER))),
        Some(Failure::Exhausted(error)) => Err(error),
        Some(_) => Err(io::Error::other("this machine refuses connections to itself")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_burst_has_its_time() {
        let times = opening_times(3).expect("sockets");
        assert_eq!(times.len(), 3);
        assert!(times.iter().all(|time| !time.is_zero()), "{times:?}");
    }
}
