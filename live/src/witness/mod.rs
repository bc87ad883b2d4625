//! The witness: how fast the service's processors are while it runs.
//!
//! A process of its own does pieces of work that are always the same, now and then, on the
//! service's processors in turns, and times each by the CPU clock of its thread: what it waits for
//! the service does not count. Its own CPU time is 0.4 % of each processor: it rests for as
//! long as that takes.
//!
//! Each piece is done twice. The first pass finds in the caches what the service has left there,
//! which depends on what the service did meanwhile; the second finds all that it needs, and its time
//! can be compared between an idle service and a busy one.

mod code;
mod sample;
mod speed;
mod work;

use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock;
use crate::interrupt::Interrupt;
use crate::machine::{Cpus, pin};
use crate::supervisor::{
    ANSWER_TIMEOUT, Child, ChildError, Control, ControlError, START_TIMEOUT, this_program,
};

pub use sample::Sample;
pub use speed::speed;
pub(crate) use speed::usual;
pub(crate) use work::KINDS;

/// Share of each processor that the witness uses.
const SHARE: f64 = 0.004;

/// Samples after which it rests twice as long, after as many again three times, and so on: what a day
/// leaves must fit into memory. They come in more than half an hour.
const MANY: usize = 20_000;

/// Which work it is: times of other work, or of a build without optimisation, cannot be compared.
pub fn version() -> &'static str {
    if cfg!(debug_assertions) { "2, debug build" } else { "2" }
}

/// Where the witness is to work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// The service's processors.
    pub cpus: Cpus,
}

/// What the witness has seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// CPU time of its process, in nanoseconds.
    pub cpu: u64,
    /// Since it began, in order.
    pub samples: Vec<Sample>,
}

/// The process of a witness. It ends when this is dropped.
#[derive(Debug)]
pub struct Witness(Child<Start, (), Snapshot>);

impl Witness {
    /// Starts it on `cpus`; none if the user wants to end meanwhile.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(cpus: Cpus, interrupt: &Interrupt) -> Result<Option<Witness>, ChildError> {
        let name = "witness";
        let failed = |source| ChildError::Spawn { name: name.into(), source };
        let command = this_program(&["witness-process"]).map_err(failed)?;
        let mut child = Child::spawn(name, command, None)?;
        child.start(Start { cpus })?;
        let ready = child.ready_unless(START_TIMEOUT, || interrupt.is_set())?;
        Ok(ready.map(|()| Witness(child)))
    }

    /// What it has seen so far.
    ///
    /// # Errors
    /// It has ended, or does not answer.
    pub fn read(&mut self) -> Result<Snapshot, ChildError> {
        self.0.ask()?;
        self.0.answer(ANSWER_TIMEOUT)
    }
}

/// Does its work on the processors that the parent names, until that says stop. Ends the process.
///
/// # Errors
/// The process has no parent that speaks to it.
pub fn run_as_child() -> Result<(), ControlError> {
    let control = Control::from_stdout()?;
    match run(&control) {
        Ok(never) => match never {},
        Err(error) => control.fail(&format!("the system fails it: {error}")),
    }
}

fn run(control: &Control<Start, (), Snapshot>) -> io::Result<Infallible> {
    let cpus = control.start().cpus;
    let mut work = work::Work::new()?;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = seen.clone();
    control.ready((), move || {
        let samples = told.lock().unwrap_or_else(PoisonError::into_inner);
        Snapshot { cpu: clock::process_cpu(), samples: samples.clone() }
    });
    loop {
        for &cpu in cpus.numbers() {
            let before = clock::thread_cpu();
            // A service of the user's own may have processors that this process may not use.
            if pin(&Cpus::new(vec![cpu])).is_ok() {
                let sample = Sample::take(&mut work);
                seen.lock().unwrap_or_else(PoisonError::into_inner).push(sample);
            }
            let samples = seen.lock().unwrap_or_else(PoisonError::into_inner).len();
            let longer = 1 + (samples / MANY) as u32;
            thread::sleep(longer * rest(clock::thread_cpu() - before, cpus.count()));
        }
    }
}

/// How long to rest after so many nanoseconds of work on one of so many processors.
fn rest(used: u64, processors: usize) -> Duration {
    /// Where nothing could be done.
    const LEAST: Duration = Duration::from_millis(10);
    let each = used as f64 / SHARE / processors.max(1) as f64;
    Duration::from_nanos(each as u64).max(LEAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_rests_until_its_work_is_less_than_a_hundredth() {
        for (used, processors) in [(1_000_000, 1), (1_000_000, 4), (30_000_000, 2)] {
            // Until it comes back to the same processor.
            let around = rest(used, processors).as_nanos() as f64 * processors as f64;
            let share = used as f64 / around;
            assert!((0.003..0.005).contains(&share), "{used} on {processors}: {share}");
        }
        assert!(!rest(0, 0).is_zero());
    }
}
