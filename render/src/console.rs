//! The two streams of a command: answers go to one, progress and remarks to the other.

use std::io::{self, BufWriter, IsTerminal, Write};

use crate::{Answer, Failure, Format, Paint};

/// The two streams of a command and what is known of them.
pub struct Console<'a> {
    out: &'a mut (dyn Write + Send),
    err: &'a mut (dyn Write + Send),
    /// The answer goes to a terminal.
    pub out_is_terminal: bool,
    /// Progress goes to a terminal.
    pub err_is_terminal: bool,
    /// Colour is wanted.
    pub colour: bool,
    /// They are the streams of the process, and not of a caller inside of it.
    pub is_of_process: bool,
}

impl<'a> Console<'a> {
    /// Streams that are no terminals: no colour, no progress.
    pub fn plain(out: &'a mut (dyn Write + Send), err: &'a mut (dyn Write + Send)) -> Console<'a> {
        Console {
            out,
            err,
            out_is_terminal: false,
            err_is_terminal: false,
            colour: false,
            is_of_process: false,
        }
    }

    /// The streams of the process. Colour only where a terminal shows it and `NO_COLOR`
    /// (no-color.org) does not forbid it.
    pub fn of_process(out: &'a mut io::Stdout, err: &'a mut io::Stderr) -> Self {
        let (out_is_terminal, err_is_terminal) = (out.is_terminal(), err.is_terminal());
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        let colour = !refused && !dumb;
        Console { out, err, out_is_terminal, err_is_terminal, colour, is_of_process: true }
    }

    /// Writes an answer in a form.
    ///
    /// # Errors
    /// Those of the stream, but for a closed pipe.
    pub fn answer(&mut self, answer: &impl Answer, format: Format) -> io::Result<()> {
        let paint = Paint::new(self.colour && self.out_is_terminal);
        self.data(&answer.print(format, paint))
    }

    /// Writes data. A reader that closes the pipe, such as `head`, is no error.
    ///
    /// # Errors
    /// All others of the stream.
    pub fn data(&mut self, text: &str) -> io::Result<()> {
        match self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written,
        }
    }

    /// Writes data that is made bit by bit. A reader that closes the pipe is no error.
    ///
    /// # Errors
    /// All others of the stream, and those of `fill`.
    pub fn stream(
        &mut self,
        fill: impl FnOnce(&mut (dyn Write + Send)) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut out = Closing { out: BufWriter::new(&mut *self.out), closed: false };
        fill(&mut out)?;
        Ok(out.flush()?)
    }

    /// Writes progress or a remark; errors of the stream are ignored.
    pub fn talk(&mut self, text: &str) {
        let _ = self.err.write_all(text.as_bytes()).and_then(|()| self.err.flush());
    }
}

/// A stream whose reader may go away.
struct Closing<W> {
    out: W,
    closed: bool,
}

impl<W: Write> Closing<W> {
    fn done<T>(&mut self, written: io::Result<T>, all: T) -> io::Result<T> {
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(all)
            }
            written => written,
        }
    }
}

impl<W: Write> Write for Closing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.closed {
            return Ok(bytes.len());
        }
        let written = self.out.write(bytes);
        self.done(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        let written = self.out.flush();
        self.done(written, ())
    }
}
