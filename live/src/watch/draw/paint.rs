//! Emphasis. Words and shapes say the same: no colour is the only signal.

use ratatui::style::{Color, Modifier, Style};

/// How to emphasise.
#[derive(Clone, Copy, Debug)]
pub(in crate::watch) struct Paint {
    /// With colours; without them in bold and reversed.
    pub(in crate::watch) colour: bool,
}

impl Paint {
    fn coloured(self, colour: Color) -> Style {
        if self.colour { Style::new().fg(colour) } else { Style::new() }
    }

    /// The line at the top, and what is chosen.
    pub(super) fn reversed(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// Headings.
    pub(super) fn heading(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What is measured, as bars and curves.
    pub(super) fn bar(self) -> Style {
        self.coloured(Color::Cyan)
    }

    /// Errors, where there are some.
    pub(super) fn error(self) -> Style {
        self.coloured(Color::Red).add_modifier(Modifier::BOLD)
    }

    /// What can be overlooked.
    pub(super) fn quiet(self) -> Style {
        self.coloured(Color::DarkGray)
    }
}
