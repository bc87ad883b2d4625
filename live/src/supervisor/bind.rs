//! Listening sockets: bound by the parent, inherited by its children.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::AsFd;

use socket2::{Domain, Protocol, Socket, Type};

/// No listening socket.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another program listens there.
    #[error(
        "port {port} is taken by another program: choose another, or leave `--port` out (or \
         say `--port 0`) to have a free one picked"
    )]
    Taken {
        /// The port.
        port: u16,
    },
    /// Low ports are the system's.
    #[error(
        "port {port} is reserved for the system: choose one from 1024 up, or leave `--port` out"
    )]
    Reserved {
        /// The port.
        port: u16,
    },
    /// Anything else.
    #[error("cannot listen on 127.0.0.1:{port}: {source}")]
    Failed {
        /// The port, 0 for any.
        port: u16,
        /// What the system says.
        source: io::Error,
    },
    /// The standard input is something else.
    #[error(
        "the standard input is not a listening socket: `live run` starts this command, not a person"
    )]
    NotInherited,
}

/// Listens on `port` of 127.0.0.1, on a free one if there is none or it is 0. The socket
/// does not block.
///
/// `backlog` connections may wait to be accepted, unless the system allows fewer
/// ([`backlog_max`]). With `reuse_port`, other sockets may share the port, and connections
/// are hashed over them.
///
/// # Errors
/// The port is taken or forbidden.
///
/// [`backlog_max`]: crate::machine::backlog_max
pub fn bind(port: Option<u16>, backlog: u32, reuse_port: bool) -> Result<TcpListener, BindError> {
    let port = port.unwrap_or(0);
    try_bind(port, backlog, reuse_port).map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => BindError::Taken { port },
        io::ErrorKind::PermissionDenied => BindError::Reserved { port },
        _ => BindError::Failed { port, source },
    })
}

fn try_bind(port: u16, backlog: u32, reuse_port: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    // Connections of an earlier run that the kernel still remembers do not hold the port.
    socket.set_reuse_address(true)?;
    if reuse_port {
        socket.set_reuse_port(true)?;
    }
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
    socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// The listening socket that the parent gave to this process, as its standard input.
///
/// # Errors
/// A person has started the command.
pub fn inherited_listener() -> Result<TcpListener, BindError> {
    let inherited = std::io::stdin().as_fd().try_clone_to_owned();
    let listener = TcpListener::from(inherited.map_err(|_| BindError::NotInherited)?);
    // Only a socket has an address, and only one of the network one with a port.
    listener.local_addr().map_err(|_| BindError::NotInherited)?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    fn port_of(listener: &TcpListener) -> u16 {
        listener.local_addr().expect("it is bound").port()
    }

    #[test]
    fn a_taken_port_is_told_with_what_to_do() {
        let first = bind(None, 16, false).expect("a free port");
        let port = port_of(&first);
        let error = bind(Some(port), 16, false).expect_err("the port is taken").to_string();
        assert!(error.contains(&port.to_string()) && error.contains("--port 0"), "{error}");
    }

    #[test]
    fn sockets_that_all_allow_it_share_a_port() {
        let first = bind(Some(0), 16, true).expect("a free port");
        let second = bind(Some(port_of(&first)), 16, true).expect("the port is shared");
        assert_eq!(port_of(&first), port_of(&second));
    }

    #[test]
    fn nobody_waits_in_accept() {
        let listener = bind(None, 16, false).expect("a free port");
        let error = listener.accept().expect_err("nobody has connected");
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        TcpStream::connect(listener.local_addr().expect("it is bound")).expect("it listens");
    }
}
