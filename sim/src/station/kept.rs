//! The connections of an HTTP client to one upstream: which it keeps open.
//!
//! As httpx has it: with more connections than the limit, in use and idle, each that falls idle
//! is closed. So a client that is busier than that opens one for every call.

/// Connections of a client, in use and idle.
#[derive(Debug)]
pub struct Kept {
    limit: Option<u32>,
    in_use: u32,
    idle: u32,
}

impl Kept {
    /// No connection yet; more than `limit` are not kept.
    pub fn new(limit: Option<u32>) -> Kept {
        Kept { limit, in_use: 0, idle: 0 }
    }

    /// Takes a connection. True if it must be opened first.
    pub fn take(&mut self) -> bool {
        let opens = self.idle == 0;
        self.idle -= u32::from(!opens);
        self.in_use += 1;
        opens
    }

    /// Gives one back, which is closed if it is `broken` or one too many.
    pub fn give_back(&mut self, broken: bool) {
        let surplus = self.limit.is_some_and(|limit| self.in_use + self.idle > limit);
        self.in_use -= 1;
        self.idle += u32::from(!broken && !surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_idle_is_used_again() {
        let mut kept = Kept::new(None);
        assert!(kept.take() && kept.take());
        kept.give_back(false);
        kept.give_back(true);
        assert!(!kept.take());
        assert!(kept.take());
    }

    #[test]
    fn beyond_the_limit_connections_are_closed_as_they_fall_idle() {
        let mut kept = Kept::new(Some(2));
        assert!((0..3).all(|_| kept.take()));
        kept.give_back(false);
        assert!(kept.take(), "it was one of three");
        kept.give_back(false);
        kept.give_back(false);
        assert!(!kept.take(), "it was one of two");
    }
}
