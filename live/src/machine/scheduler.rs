//! How this machine's kernel shares its processors among threads.

use model::scenario::{Scheduler, base_slice};
use model::units::Span;

use super::Facts;
use crate::clock;

/// The first release of Linux with EEVDF.
const EEVDF: [u32; 2] = [6, 6];

/// The rules by which threads take turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turns {
    /// Who is next.
    pub scheduler: Scheduler,
    /// How long a turn is before another thread may take its place.
    pub slice: Span,
    /// The interval at which the kernel sees that a turn is over.
    pub tick: Span,
}

/// The rules of the machine with these `facts`; none where its kernel is no Linux, or only looks like
/// one.
pub fn turns(facts: &Facts) -> Option<Turns> {
    let scheduler = of_release(facts.kernel.as_deref()?)?;
    Some(Turns { scheduler, slice: base_slice(facts.cpus_online?), tick: clock::tick()? })
}

/// The scheduler of a `release` such as `6.18.44-fc`.
fn of_release(release: &str) -> Option<Scheduler> {
    let mut numbers = release.split(['.', '-', '+']).map_while(|part| part.parse().ok());
    let version: [u32; 2] = [numbers.next()?, numbers.next()?];
    Some(if version >= EEVDF { Scheduler::Eevdf } else { Scheduler::Cfs })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheduler_is_that_of_the_release() {
        for (release, scheduler) in [
            ("6.18.44-fc-v595", Some(Scheduler::Eevdf)),
            ("6.6-rc1", Some(Scheduler::Eevdf)),
            ("7.0.0", Some(Scheduler::Eevdf)),
            ("6.1.0-18-amd64", Some(Scheduler::Cfs)),
            ("5.15.167.4-microsoft-standard-WSL2", Some(Scheduler::Cfs)),
            ("Darwin", None),
            ("", None),
        ] {
            assert_eq!(of_release(release), scheduler, "{release}");
        }
    }
}
