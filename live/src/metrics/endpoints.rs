//! The port that Prometheus reads and the collector that OTLP is sent to: opened before anything is
//! measured.

use std::io;
use std::net::{SocketAddr, TcpListener};

use tokio::runtime::Builder;

use super::collector::{Collector, ExportError, Sender};
use super::otlp::{self, Instants};

/// A port that is open, and a collector that has answered.
#[derive(Debug)]
pub(crate) struct Endpoints {
    pub(super) listener: Option<TcpListener>,
    pub(super) collector: Option<(Collector, Sender)>,
}

/// Why a port cannot be opened, or a collector cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EndpointError {
    /// Nothing can listen there.
    #[error("--metrics-listen {address}: {}", listening(.error))]
    Address {
        /// Where.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// The collector does not take metrics.
    #[error(
        "--otlp: no metrics can be sent to {collector}: {error}. Start the collector first, and give \
         the address below which it has /v1/metrics; or leave out --otlp"
    )]
    Collector {
        /// Where it should be.
        collector: Collector,
        /// What happened.
        error: String,
    },
    /// The system gives no sockets.
    #[error("metrics cannot be exported: {0}")]
    System(#[from] io::Error),
}

fn listening(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another program listens there already. End it, or name another port; 0 takes a free one"
                .into()
        }
        io::ErrorKind::AddrNotAvailable => {
            "this machine has no such address. 127.0.0.1 is for programs on this machine".into()
        }
        io::ErrorKind::PermissionDenied => {
            "this port is for the administrator. Name one above 1023, such as 9464".into()
        }
        _ => format!("nothing can listen there ({error})"),
    }
}

impl Endpoints {
    /// Listens at `address`, and sends a message without metrics to `collector`, whichever is wanted.
    ///
    /// # Errors
    /// The address is taken, or the collector does not take the message.
    pub(crate) fn open(
        address: Option<SocketAddr>,
        collector: Option<&Collector>,
    ) -> Result<Endpoints, EndpointError> {
        let listen = |address| {
            let listener = TcpListener::bind(address);
            let listener = listener.map_err(|error| EndpointError::Address { address, error })?;
            listener.set_nonblocking(true)?;
            Ok::<_, EndpointError>(listener)
        };
        let listener = address.map(listen).transpose()?;
        let collector = collector.map(reached).transpose()?;
        Ok(Endpoints { listener, collector })
    }

    /// Where `/metrics` is, if it is anywhere.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.listener.as_ref()?.local_addr().ok()
    }

    /// The same endpoints, for another exporter.
    ///
    /// # Errors
    /// The system gives no more open files.
    pub(crate) fn try_clone(&self) -> io::Result<Endpoints> {
        let listener = self.listener.as_ref().map(TcpListener::try_clone).transpose()?;
        Ok(Endpoints { listener, collector: self.collector.clone() })
    }
}

/// A collector that takes metrics.
fn reached(collector: &Collector) -> Result<(Collector, Sender), EndpointError> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let sent = || -> Result<Sender, ExportError> {
        let sender = Sender::new(collector)?;
        // A message without metrics; not an empty one, which has no length in HTTP.
        let body = otlp::body(&[], Instants { start: 0, now: 0 });
        runtime.block_on(sender.send(body))?;
        Ok(sender)
    };
    let failed = |error: ExportError| EndpointError::Collector {
        collector: collector.clone(),
        error: error.to_string(),
    };
    // Connections belong to the runtime in which they were opened.
    sent()
        .and_then(|_| Sender::new(collector))
        .map(|sender| (collector.clone(), sender))
        .map_err(failed)
}
