//! The end of what a child writes to its standard error.

use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Bytes that are kept.
const KEPT: usize = 4 << 10;
/// How long to wait for the rest of what a child that has ended wrote.
const PATIENCE: Duration = Duration::from_secs(2);

/// The bytes that are kept, and the thread that reads them.
#[derive(Debug)]
pub(super) struct StderrTail {
    tail: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl StderrTail {
    /// Reads `source` on a thread of its own until it ends.
    pub(super) fn of(mut source: impl Read + Send + 'static) -> StderrTail {
        let tail = Arc::new(Mutex::new(Vec::new()));
        let kept = tail.clone();
        let reader = std::thread::spawn(move || {
            let mut chunk = [0; 1024];
            while let Ok(length @ 1..) = source.read(&mut chunk) {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend_from_slice(&chunk[..length]);
                let surplus = kept.len().saturating_sub(KEPT);
                kept.drain(..surplus);
            }
        });
        StderrTail { tail, reader }
    }

    /// The tail of a child that has ended; empty if it wrote nothing.
    pub(super) fn text(&self) -> String {
        let deadline = Instant::now() + PATIENCE;
        while !self.reader.is_finished() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.so_far()
    }

    /// The tail of a child that still runs.
    pub(super) fn so_far(&self) -> String {
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&tail).trim().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_kept_and_the_beginning_forgotten() {
        let text = format!("begin{}the end \n", "-".repeat(3 * KEPT));
        let tail = StderrTail::of(std::io::Cursor::new(text)).text();
        assert!(tail.ends_with("-the end") && !tail.contains("begin"));
        assert!(tail.len() <= KEPT);
        assert_eq!(StderrTail::of(std::io::empty()).text(), "");
    }
}
