//! The proxy before a server that follows a script.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;

use super::PostgresProxy;
use crate::wait::spans::Work;

const READY: &[u8] = b"Z\0\0\0\x05I";
const QUERY: &[u8] = b"Q\0\0\0\x0dselect 1\0";
const COMPLETE: &[u8] = b"C\0\0\0\x0dSELECT 1\0";
/// Version 3.0, and `user` is `app`.
const START: &[u8] = b"\0\0\0\x12\0\x03\0\0user\0app\0\0";

fn loopback() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

fn exactly(stream: &mut TcpStream, wanted: &[u8]) {
    let mut found = vec![0; wanted.len()];
    stream.read_exact(&mut found).expect("open");
    assert_eq!(found, wanted);
}

#[test]
fn every_byte_passes_and_queries_are_timed() {
    let socket = TcpListener::bind(loopback()).expect("a port");
    let target = socket.local_addr().expect("bound").to_string();
    let server = thread::spawn(move || {
        let (mut stream, _) = socket.accept().expect("a connection");
        exactly(&mut stream, START);
        stream.write_all(READY).expect("open");
        exactly(&mut stream, QUERY);
        stream.write_all(&[COMPLETE, READY].concat()).expect("open");
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).expect("open");
        rest
    });
    let proxy = PostgresProxy::start(loopback(), &target).expect("a port");
    let mut client = TcpStream::connect(proxy.address()).expect("it listens");
    client.write_all(b"\0\0\0\x08\x04\xd2\x16\x2f").expect("open");
    exactly(&mut client, b"N");
    client.write_all(START).expect("open");
    exactly(&mut client, READY);
    assert_eq!(proxy.openings().len(), 1, "the server takes statements");
    client.write_all(QUERY).expect("open");
    exactly(&mut client, &[COMPLETE, READY].concat());
    assert!(proxy.openings().is_empty(), "it opened only once");
    let queries = proxy.take();
    assert_eq!(queries.len(), 1);
    assert!(queries[0].start < queries[0].end);
    let Work::Query { statement, .. } = &queries[0].work else { panic!("no query") };
    assert_eq!(statement.as_deref(), Some("select 1"));
    client.write_all(b"X\0\0\0\x04").expect("open");
    drop(client);
    assert_eq!(server.join().expect("it has ended"), b"X\0\0\0\x04");
}

#[test]
fn it_ends_with_its_connections() {
    let socket = TcpListener::bind(loopback()).expect("a port");
    let target = socket.local_addr().expect("bound").to_string();
    let proxy = PostgresProxy::start(loopback(), &target).expect("a port");
    let address = proxy.address();
    let mut client = TcpStream::connect(address).expect("it listens");
    client.write_all(START).expect("open");
    let (mut server, _) = socket.accept().expect("a connection");
    exactly(&mut server, START);
    drop(proxy);
    assert_eq!(client.read(&mut [0]).unwrap_or(0), 0, "closed");
    assert!(TcpStream::connect(address).is_err());
}
