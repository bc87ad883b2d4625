//! A visitor by hand.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

/// The whole reply to a plain request with further `headers`, each with its line end.
pub(crate) fn get(address: SocketAddr, path: &str, headers: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n{headers}\r\n")?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    Ok(reply)
}
