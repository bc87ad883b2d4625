//! The end of what a child writes to its standard error: why it failed, in its own words.

use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Bytes that are kept.
const KEPT: usize = 4 << 10;
/// How long to wait for the rest of what a child that has ended wrote.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is kept, and the thread that listens.
#[derive(Debug)]
pub(super) struct LastWords {
    tail: Arc<Mutex<Vec<u8>>>,
    listener: JoinHandle<()>,
}

impl LastWords {
    /// Listens to `source` until it ends.
    pub(super) fn of(mut source: impl Read + Send + 'static) -> LastWords {
        let tail = Arc::new(Mutex::new(Vec::new()));
        let kept = tail.clone();
        let listener = std::thread::spawn(move || {
            let mut chunk = [0; 1024];
            while let Ok(length @ 1..) = source.read(&mut chunk) {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend_from_slice(&chunk[..length]);
                let surplus = kept.len().saturating_sub(KEPT);
                kept.drain(..surplus);
            }
        });
        LastWords { tail, listener }
    }

    /// The last words of a child that has ended; empty if it said nothing.
    pub(super) fn text(&self) -> String {
        let deadline = Instant::now() + PATIENCE;
        while !self.listener.is_finished() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.so_far()
    }

    /// The last words of a child that may go on.
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
        let words = LastWords::of(std::io::Cursor::new(text)).text();
        assert!(words.ends_with("-the end") && !words.contains("begin"));
        assert!(words.len() <= KEPT);
        assert_eq!(LastWords::of(std::io::empty()).text(), "");
    }
}
