//! What stands on the screen: the measurement, and what the user wants to see of it.

use model::report::Report;
use ratatui::Frame;
use ratatui::crossterm::event::KeyEvent;

use super::draw::{self, View};
use super::key::{Action, action};
use super::message::Message;
use super::state::State;

/// What a key asks of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// To end the measurement early, with what there is.
    Stop,
    /// To end the program at once.
    AtOnce,
}

/// The live terminal as a value: fed with messages and keys, drawn into a grid of characters.
/// Instants are in nanoseconds, on any clock.
#[derive(Debug)]
pub struct Viewer {
    state: State,
    /// What stood there when the user froze the screen, and when.
    frozen: Option<Box<(State, u64)>>,
    view: View,
    help: bool,
    /// With colours.
    colour: bool,
}

impl Viewer {
    /// Nothing is known yet but the predictions of the scenarios, if there are any, in the order in
    /// which they are measured.
    pub fn new(predictions: Vec<Report>, colour: bool) -> Viewer {
        let (view, state) = (View::Overview, State::new(predictions));
        Viewer { state, frozen: None, view, help: false, colour }
    }

    /// Takes in what happened at `now`.
    pub fn feed(&mut self, message: Message, now: u64) {
        self.state.feed(message, now);
    }

    /// Takes in a key that was pressed at `now`. Returns what the program is to do.
    pub fn press(&mut self, event: KeyEvent, now: u64) -> Option<Wish> {
        match action(event)? {
            Action::Interrupt if self.state.stopping => return Some(Wish::AtOnce),
            Action::Stop if self.state.stopping => {}
            Action::Stop | Action::Interrupt => {
                // What happens now must be seen.
                (self.state.stopping, self.frozen, self.help) = (true, None, false);
                return Some(Wish::Stop);
            }
            Action::Freeze => {
                self.frozen = match self.frozen.take() {
                    Some(_) => None,
                    None => Some(Box::new((self.state.clone(), now))),
                };
            }
            Action::Next => self.show(self.view.next()),
            Action::Previous => self.show(self.view.previous()),
            Action::Show(view) => self.show(view),
            Action::Help => self.help = !self.help,
            Action::Close => self.help = false,
        }
        None
    }

    /// The program was told to end otherwise than by a key.
    pub fn stopping(&mut self) {
        self.state.stopping = true;
    }

    fn show(&mut self, view: View) {
        (self.view, self.help) = (view, false);
    }

    /// Draws what is to be seen at `now`.
    pub fn draw(&self, frame: &mut Frame<'_>, now: u64) {
        let (state, at) = match &self.frozen {
            Some(frozen) => (&frozen.0, frozen.1),
            None => (&self.state, now),
        };
        let paint = draw::Paint { colour: self.colour };
        let seen = draw::Seen { state, at, view: self.view, frozen: self.frozen.is_some(), paint };
        draw::all(frame, &seen, self.help);
    }
}

#[cfg(test)]
mod tests;
