//! Keys and what they do.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::draw::View;

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Ends the measurement early. Pressed again, it does nothing.
    Stop,
    /// The same; pressed again, it ends the program at once.
    Interrupt,
    /// Keeps the screen as it is, or lets it go on.
    Freeze,
    /// The view after the present one.
    Next,
    /// The view before it.
    Previous,
    /// This view.
    Show(View),
    /// The help, or what was there before.
    Help,
    /// Leaves the help.
    Close,
}

/// What `event` does; none if nothing.
pub(super) fn action(event: KeyEvent) -> Option<Action> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let control = event.modifiers.contains(KeyModifiers::CONTROL);
    Some(match event.code {
        KeyCode::Char('c') if control => Action::Interrupt,
        _ if control => return None,
        KeyCode::Char('q' | 'Q') => Action::Stop,
        KeyCode::Char(' ') => Action::Freeze,
        KeyCode::Tab | KeyCode::Right => Action::Next,
        KeyCode::BackTab | KeyCode::Left => Action::Previous,
        KeyCode::Char('?' | 'h') => Action::Help,
        KeyCode::Esc | KeyCode::Enter => Action::Close,
        KeyCode::Char(digit) => {
            let number = digit.to_digit(10)?.checked_sub(1)?;
            Action::Show(*View::ALL.get(number as usize)?)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: KeyCode, modifiers: KeyModifiers) -> Option<Action> {
        action(KeyEvent::new(code, modifiers))
    }

    #[test]
    fn keys_do_what_the_help_says() {
        let plain = |code| of(code, KeyModifiers::NONE);
        assert_eq!(plain(KeyCode::Char('q')), Some(Action::Stop));
        assert_eq!(plain(KeyCode::Char(' ')), Some(Action::Freeze));
        assert_eq!(plain(KeyCode::Tab), Some(Action::Next));
        assert_eq!(of(KeyCode::BackTab, KeyModifiers::SHIFT), Some(Action::Previous));
        assert_eq!(plain(KeyCode::Char('1')), Some(Action::Show(View::ALL[0])));
        assert_eq!(plain(KeyCode::Char('?')), Some(Action::Help));
        assert_eq!(plain(KeyCode::Esc), Some(Action::Close));
        for nothing in [KeyCode::Char('0'), KeyCode::Char('9'), KeyCode::Char('c'), KeyCode::Up] {
            assert_eq!(plain(nothing), None, "{nothing:?}");
        }
        assert_eq!(of(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Action::Interrupt));
        assert_eq!(of(KeyCode::Char('q'), KeyModifiers::CONTROL), None);
    }

    #[test]
    fn a_key_that_is_let_go_does_nothing() {
        let mut event = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE);
        event.kind = KeyEventKind::Release;
        assert_eq!(action(event), None);
    }
}
