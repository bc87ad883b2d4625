//! Emphasis. It repeats what the words say and is never the only signal.

/// How to emphasise, if at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct Paint {
    colour: bool,
}

impl Paint {
    /// Emphasis, or none.
    pub fn new(colour: bool) -> Paint {
        Paint { colour }
    }

    /// A heading or the line that matters most.
    pub fn bold(self, text: &str) -> String {
        if self.colour { format!("\x1b[1m{text}\x1b[0m") } else { text.to_string() }
    }
}
