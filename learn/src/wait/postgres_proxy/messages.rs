//! Messages of Postgres' protocol, version 3: a type of one byte, a length, a body.

/// Of a longer body the rest is not kept: a statement is known by its begin.
const KEPT: usize = 16 * 1024;

/// Finds the messages in a stream of bytes.
#[derive(Debug, Default)]
pub(super) struct Messages {
    head: Vec<u8>,
    body: Vec<u8>,
    /// Bytes of the body that are still to come; none between messages.
    left: Option<usize>,
    /// It is no such stream: nothing more is looked at.
    lost: bool,
}

impl Messages {
    /// Calls `each` with the type and the body of every message that ends in these bytes. Bodies
    /// of types that are not `wanted` are empty.
    pub(super) fn read(&mut self, bytes: &[u8], wanted: &[u8], mut each: impl FnMut(u8, &[u8])) {
        let mut rest = bytes;
        while !self.lost {
            let Some(left) = self.left else {
                let Some((byte, after)) = rest.split_first() else { return };
                self.head.push(*byte);
                rest = after;
                if self.head.len() == 5 {
                    self.begin();
                }
                continue;
            };
            let (part, after) = rest.split_at(left.min(rest.len()));
            if wanted.contains(&self.head[0]) {
                let room = KEPT.saturating_sub(self.body.len()).min(part.len());
                self.body.extend_from_slice(&part[..room]);
            }
            rest = after;
            if part.len() < left {
                self.left = Some(left - part.len());
                return;
            }
            each(self.head[0], &self.body);
            self.head.clear();
            self.body.clear();
            self.left = None;
        }
    }

    /// The length counts itself.
    fn begin(&mut self) {
        match (number(&self.head[1..]) as usize).checked_sub(4) {
            Some(length) => self.left = Some(length),
            None => self.lost = true,
        }
    }
}

/// A number of four bytes, the highest first.
pub(super) fn number(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// The text before the next zero byte, and what follows it.
pub(super) fn text(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    (&bytes[..end], bytes.get(end + 1..).unwrap_or_default())
}
