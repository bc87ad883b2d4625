//! A program on a terminal that this test draws by itself.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::num::NonZero;
use std::os::fd::OwnedFd;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fs::{Mode, OFlags, open};
use rustix::io::dup;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::processes::Processes;
use crate::running::{Ended, Running};
use crate::wait::{wait_for, wait_until};

/// A terminal with a program on it: its keys are standard input, its screen shows standard error.
/// Standard output is a file.
pub struct Terminal {
    running: Running,
    processes: Processes,
    keys: File,
    /// The program's end, which the test keeps open to ask for its modes.
    device: OwnedFd,
    screen: Arc<Mutex<vt100::Parser>>,
}

impl Terminal {
    /// Starts `command`, whose processes are `processes`, on a terminal of this size.
    pub(crate) fn start(
        mut command: Command,
        processes: Processes,
        [columns, rows]: [u16; 2],
    ) -> Terminal {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC);
        let ours = ours.expect("the system has terminals");
        grantpt(&ours).and_then(|()| unlockpt(&ours)).expect("a terminal of ours");
        let name = ptsname(&ours, Vec::new()).expect("a terminal of ours");
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let device = open(&*name, flags, Mode::empty()).expect("a terminal of ours");
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&device, size).expect("a terminal of ours");
        // What the environment of the tests says of their own terminal is not about this one.
        for name in ["NO_COLOR", "CI", "COLUMNS", "LINES"] {
            if command.get_envs().all(|(set, _)| set != name) {
                command.env_remove(name);
            }
        }
        if command.get_envs().all(|(set, _)| set != "TERM") {
            command.env("TERM", "xterm-256color");
        }
        let end = || dup(&device).expect("files can be opened");
        let running = Running::start_on(command, processes.clone(), end(), end());
        let [rows, columns] = [rows, columns].map(|count| NonZero::new(count).expect("a screen"));
        let screen = Arc::new(Mutex::new(vt100::Parser::new(rows, columns, 0)));
        let mut output = File::from(dup(&ours).expect("files can be opened"));
        let shown = screen.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // It ends when the last end of the device is closed.
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                shown.lock().unwrap_or_else(PoisonError::into_inner).process(&bytes[..count]);
            }
        });
        Terminal { running, processes, keys: ours.into(), device, screen }
    }

    fn screen(&self) -> MutexGuard<'_, vt100::Parser> {
        self.screen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What stands there.
    pub fn text(&self) -> String {
        self.screen().screen().contents()
    }

    /// The program has taken the whole screen.
    pub fn is_taken(&self) -> bool {
        self.screen().screen().alternate_screen()
    }

    /// All is as a program finds it: its own screen, with a cursor, lines are edited and keys make
    /// signals.
    pub fn is_restored(&self) -> bool {
        let modes = tcgetattr(&self.device).expect("a terminal of ours").local_modes;
        let usual = LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
        !self.is_taken() && !self.screen().screen().hide_cursor() && modes.contains(usual)
    }

    /// Something is shown in a colour.
    pub fn has_colour(&self) -> bool {
        let all = self.screen();
        let (rows, columns) = all.screen().size();
        let columns = columns.get();
        let cells = (0..rows.get()).flat_map(|row| (0..columns).map(move |column| (row, column)));
        let mut cells = cells.filter_map(|(row, column)| all.screen().cell(row, column));
        cells.any(|cell| cell.fgcolor() != vt100::Color::Default)
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("a terminal of ours");
    }

    /// Waits until `text` stands there.
    ///
    /// # Panics
    /// The program ends without.
    pub fn shows(&mut self, text: &str) {
        self.shows_what(text, |screen| screen.contains(text));
    }

    /// Waits until `what` stands there, of which `is` tells.
    ///
    /// # Panics
    /// The program ends without.
    pub fn shows_what(&mut self, what: &str, is: impl Fn(&str) -> bool) {
        let processes = self.processes.clone();
        wait_for(
            what,
            || processes.progress(),
            || {
                let ended = self.running.has_ended();
                let text = self.text();
                assert!(is(&text) || !ended, "{what} was not shown: {text}");
                is(&text).then_some(())
            },
        );
    }

    /// The program.
    pub fn running(&self) -> &Running {
        &self.running
    }

    /// Waits for its end, and for a terminal that is as it was, on which `last` stands. What stands
    /// there is its standard error.
    pub fn ended(mut self, last: &str) -> Ended {
        let processes = self.processes.clone();
        let ended = || self.running.has_ended().then_some(());
        wait_for("the end of the program", || processes.progress(), ended);
        // What was written is read a moment later.
        wait_until("a terminal that is as it was", || self.is_restored());
        wait_until(last, || self.text().contains(last));
        let err = self.text();
        Ended { err, ..self.running.ended() }
    }
}
