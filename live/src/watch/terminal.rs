//! The terminal: taken for the whole screen, and given back as it was, however the program ends.

use std::io::{self, BufWriter, Stderr, stderr};
use std::sync::{Mutex, MutexGuard, Once, PoisonError, TryLockError};
use std::thread::sleep;
use std::time::Duration;

use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::layout::Rect;
use ratatui::{Frame, TerminalOptions, Viewport};
use rustix::termios::tcgetwinsize;

/// The terminal is taken. A thread that writes to it holds the lock.
static TAKEN: Mutex<bool> = Mutex::new(false);
/// How often the lock is tried when the terminal is given back, and the pause in between: a
/// terminal that takes no more characters must not keep the program from ending.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(10);

/// The terminal at standard error, all of it. It is given back when this is dropped, before a panic
/// is told, and by [`restore`].
#[derive(Debug)]
pub(super) struct Terminal {
    drawn: ratatui::Terminal<CrosstermBackend<BufWriter<Stderr>>>,
    /// How large it was when it was last drawn.
    size: Rect,
}

impl Terminal {
    /// Takes the terminal.
    ///
    /// # Errors
    /// It cannot be taken; it is then as it was.
    pub(super) fn take() -> io::Result<Terminal> {
        tell_panics_afterwards();
        let size = size();
        let backend = CrosstermBackend::new(BufWriter::new(stderr()));
        let options = TerminalOptions { viewport: Viewport::Fixed(size) };
        let drawn = ratatui::Terminal::with_options(backend, options)?;
        let mut taken = locked();
        *taken = true;
        let begun = enable_raw_mode().and_then(|()| execute!(stderr(), EnterAlternateScreen, Hide));
        drop(taken);
        match begun {
            Ok(()) => Ok(Terminal { drawn, size }),
            Err(error) => {
                restore();
                Err(error)
            }
        }
    }

    /// Draws the screen anew. False if the terminal was given back meanwhile.
    ///
    /// # Errors
    /// It cannot be written to.
    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<bool> {
        let taken = locked();
        if *taken {
            let size = size();
            if size != self.size {
                self.drawn.resize(size)?;
                self.size = size;
            }
            self.drawn.draw(draw)?;
        }
        Ok(*taken)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        restore();
    }
}

/// How large the terminal at standard error is. crossterm would ask the one that controls the process,
/// or standard output, which may be a file.
fn size() -> Rect {
    const USUAL: (u16, u16) = (80, 24);
    let size = tcgetwinsize(stderr()).map_or(USUAL, |size| (size.ws_col, size.ws_row));
    // A terminal that does not know says zero.
    let (columns, rows) = if size.0 == 0 || size.1 == 0 { USUAL } else { size };
    Rect::new(0, 0, columns, rows)
}

fn locked() -> MutexGuard<'static, bool> {
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives the terminal back, if it is taken. It may be called by any thread at any time, also
/// before the process is ended without further ado.
pub(crate) fn restore() {
    let mut tries = 0..TRIES;
    let lock = loop {
        match TAKEN.try_lock() {
            Ok(taken) => break Some(taken),
            Err(TryLockError::Poisoned(poisoned)) => break Some(poisoned.into_inner()),
            // The thread that draws may have panicked in the middle of it.
            Err(TryLockError::WouldBlock) if tries.next().is_none() => break None,
            Err(TryLockError::WouldBlock) => sleep(PAUSE),
        }
    };
    if let Some(mut taken) = lock {
        if !*taken {
            return;
        }
        *taken = false;
        give_back();
    } else {
        give_back();
    }
}

fn give_back() {
    // Should one fail, the other may not.
    let _ = disable_raw_mode();
    let _ = execute!(stderr(), LeaveAlternateScreen, Show);
}

/// What a panic says must not vanish with the screen.
fn tell_panics_afterwards() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            restore();
            before(panic);
        }));
    });
}
