//! Which processes listen at an address: the kernel's table of sockets and the open files of
//! processes, as `ss -lp` puts them together.

use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// How the table marks a socket that listens.
const LISTENS: &str = "0A";

/// The processes that hold a listening socket at `address`, in ascending order. None are found
/// where it belongs to another machine, another user or a container.
pub fn listening_at(address: SocketAddr) -> Vec<u32> {
    let inodes: BTreeSet<u64> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .flat_map(|table| sockets(&fs::read_to_string(table).unwrap_or_default(), address))
        .collect();
    if inodes.is_empty() {
        return Vec::new();
    }
    let mut found: Vec<u32> = super::tree::pids().filter(|&pid| holds(pid, &inodes)).collect();
    found.sort_unstable();
    found
}

/// The process has one of these sockets open.
fn holds(pid: u32, inodes: &BTreeSet<u64>) -> bool {
    let Ok(files) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    files.flatten().filter_map(|file| fs::read_link(file.path()).ok()).any(|target| {
        let inode = target.to_str().and_then(|text| text.strip_prefix("socket:["));
        let inode = inode.and_then(|text| text.strip_suffix(']')?.parse().ok());
        inode.is_some_and(|inode| inodes.contains(&inode))
    })
}

/// Inodes of the sockets in a kernel's `table` at which a connection to `address` arrives.
fn sockets(table: &str, address: SocketAddr) -> Vec<u64> {
    let row = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (local, state, inode) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
        let (host, port) = local.split_once(':')?;
        let (host, port) = (host_of(host)?, u16::from_str_radix(port, 16).ok()?);
        let here = host.is_unspecified() || host == address.ip().to_canonical();
        (*state == LISTENS && port == address.port() && here).then(|| inode.parse().ok())?
    };
    table.lines().skip(1).filter_map(row).collect()
}

/// An address as the table has it: words of 32 bits in the machine's own order of bytes.
fn host_of(text: &str) -> Option<IpAddr> {
    let word = |at: usize| Some(u32::from_str_radix(text.get(at..at + 8)?, 16).ok()?.to_ne_bytes());
    match text.len() {
        8 => Some(IpAddr::V4(Ipv4Addr::from(word(0)?))),
        32 => {
            let mut bytes = [0; 16];
            for (index, part) in bytes.chunks_mut(4).enumerate() {
                part.copy_from_slice(&word(index * 8)?);
            }
            Some(IpAddr::V6(Ipv6Addr::from(bytes)).to_canonical())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[cfg(target_endian = "little")]
    #[test]
    fn the_table_of_the_kernel_is_read() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 111 1\n\
            1: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 112 1\n\
            2: 0100007F:1F90 0100007F:9999 01 00000000:00000000 00:00000000 00000000  1000        0 113 1\n\
            3: 0200007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 114 1\n\
            4: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 115 1\n";
        assert_eq!(sockets(table, "127.0.0.1:8080".parse().expect("one")), [111, 112]);
        let table = "head\n\
            0: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 7 1\n\
            1: 0000000000000000FFFF00000100007F:1F90 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 8 1\n";
        assert_eq!(sockets(table, "[::1]:8080".parse().expect("one")), [7]);
        assert_eq!(sockets(table, "127.0.0.1:8080".parse().expect("one")), [8]);
    }

    #[test]
    fn this_process_is_found_where_it_listens() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("it has one");
        assert!(listening_at(address).contains(&std::process::id()));
        drop(listener);
        assert!(listening_at(address).is_empty());
    }
}
