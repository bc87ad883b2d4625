//! A database server with its own processors: several servers, one queue.

use std::collections::VecDeque;

use model::units::Span;

/// The server's processors and the statements that wait for one.
#[derive(Debug)]
pub(crate) struct Processors {
    cores: u32,
    busy: u32,
    queue: VecDeque<(u32, Span)>,
}

impl Processors {
    /// An idle server.
    pub(crate) fn new(cores: u32) -> Processors {
        Processors { cores, busy: 0, queue: VecDeque::new() }
    }

    /// A statement arrives; true if it starts at once, else it waits.
    pub(crate) fn arrive(&mut self, task: u32, service_time: Span) -> bool {
        if self.busy < self.cores {
            self.busy += 1;
            return true;
        }
        self.queue.push_back((task, service_time));
        false
    }

    /// A statement is done; the next one starts.
    pub(crate) fn done(&mut self) -> Option<(u32, Span)> {
        assert!(self.busy > 0, "a busy processor finishes");
        let next = self.queue.pop_front();
        if next.is_none() {
            self.busy -= 1;
        }
        next
    }

    /// Forgets the statements that wait for `gone` tasks, and says how many they were.
    pub(crate) fn abandon(&mut self, gone: impl Fn(u32) -> bool) -> usize {
        let before = self.queue.len();
        self.queue.retain(|&(task, _)| !gone(task));
        before - self.queue.len()
    }

    /// Ends all statements. Returns how many were worked on, and those that waited.
    pub(crate) fn end_all(&mut self) -> (u32, Vec<u32>) {
        let waiting = self.queue.drain(..).map(|(task, _)| task).collect();
        (std::mem::take(&mut self.busy), waiting)
    }

    /// Processors at work.
    pub(crate) fn busy(&self) -> u32 {
        self.busy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_wait_in_order_for_a_processor() {
        let mut server = Processors::new(1);
        let span = Span::from_millis;
        assert!(server.arrive(1, span(1)));
        assert!(!server.arrive(2, span(2)) && !server.arrive(3, span(3)));
        assert_eq!(server.done(), Some((2, span(2))));
        assert_eq!(server.done(), Some((3, span(3))));
        assert_eq!(server.done(), None);
        assert_eq!(server.busy(), 0);
    }
}
