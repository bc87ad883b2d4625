//! Which CPUs the service has for itself, and which the load runs on.
//!
//! A load generator that takes turns with the service on one CPU measures itself. So the
//! two sides are pinned to different CPUs wherever there are enough.

use std::fmt;
use std::io;

use serde::{Deserialize, Serialize};

/// One more than the highest number of a CPU that can be pinned to.
const CPUS_MAX: usize = 1024;

/// A set of CPUs by number, rising. Written as the kernel writes it: `0-3,7`.
///
/// An empty set stands for a system that does not let a process choose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cpus(Vec<usize>);

impl Cpus {
    /// The CPUs with these numbers.
    pub fn new(mut numbers: Vec<usize>) -> Cpus {
        numbers.sort_unstable();
        numbers.dedup();
        Cpus(numbers)
    }

    /// The CPUs that this process may run on; empty if the system does not say.
    pub fn allowed() -> Cpus {
        os::allowed()
    }

    /// Reads a list such as `0-3,7`.
    pub fn parse(text: &str) -> Option<Cpus> {
        let mut numbers = Vec::new();
        for part in text.trim().split(',').filter(|part| !part.is_empty()) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
            if first > last || last >= CPUS_MAX {
                return None;
            }
            numbers.extend(first..=last);
        }
        Some(Cpus::new(numbers))
    }

    /// The numbers, rising.
    pub fn numbers(&self) -> &[usize] {
        &self.0
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// All of them are among `others`, and there are any.
    pub fn is_within(&self, others: &Cpus) -> bool {
        !self.is_empty() && self.0.iter().all(|cpu| others.0.contains(cpu))
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Cpus {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let runs = self.0.chunk_by(|a, b| a + 1 == *b);
        for (index, run) in runs.enumerate() {
            let comma = if index == 0 { "" } else { "," };
            match run {
                [only] => write!(out, "{comma}{only}")?,
                [first, .., last] => write!(out, "{comma}{first}-{last}")?,
                [] => {}
            }
        }
        Ok(())
    }
}

impl From<Cpus> for String {
    fn from(cpus: Cpus) -> String {
        cpus.to_string()
    }
}

impl TryFrom<String> for Cpus {
    type Error = String;
    fn try_from(text: String) -> Result<Cpus, String> {
        Cpus::parse(&text).ok_or_else(|| format!("`{text}` is not a list of CPUs such as `0-3,7`"))
    }
}

/// Which processes run on which CPUs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// The CPUs of the worker processes.
    pub service: Cpus,
    /// The CPUs of load generator, upstream and database server.
    pub load: Cpus,
    /// The two have no CPU in common.
    pub separate: bool,
    /// The service may run on the load's CPUs too, but there are enough for both.
    #[serde(default)]
    pub room: bool,
    /// What a reader should know about it; none if all is as it should be.
    pub note: Option<String>,
}

impl Split {
    /// The CPUs of a database server with so many `cores`, away from the service: the highest of
    /// the load's, of which it leaves the load at least one to itself if there are several.
    pub fn beside_load(&self, cores: u32) -> Cpus {
        let most = self.load.count().saturating_sub(1).max(1);
        let first = self.load.count() - most.min(cores as usize).min(self.load.count());
        Cpus(self.load.0[first..].to_vec())
    }

    /// Gives `cores` of the `allowed` CPUs to the service, the highest, and the rest to the
    /// load: CPU 0 serves most interrupts, which are the load's rather than the service's.
    ///
    /// With too few CPUs the load runs on the service's too.
    pub fn new(allowed: &Cpus, cores: u32) -> Split {
        let (have, want) = (allowed.count(), (cores as usize).max(1));
        if have > want {
            let (load, service) = allowed.0.split_at(have - want);
            let (load, service) = (Cpus(load.to_vec()), Cpus(service.to_vec()));
            let note = shared_cores(&service, &load, siblings);
            return Split { service, load, separate: true, room: false, note };
        }
        let note = match have {
            0 => "Service and load run on whatever CPUs the system picks: it does not let a \
                  process choose."
                .to_string(),
            _ if have < want => format!(
                "The service should have {want} CPUs and the load others, but there {}: both \
                 share what there is.",
                if have == 1 { "is 1".to_string() } else { format!("are {have}") }
            ),
            1 => "Service and load share the only CPU: each slows the other down.".to_string(),
            _ => format!(
                "Service and load share all {have} CPUs: the service should have as many, and \
                 none is left for the load alone."
            ),
        };
        let (service, load) = (allowed.clone(), allowed.clone());
        Split { service, load, separate: false, room: false, note: Some(note) }
    }

    /// Keeps the load out of the way of a service that runs already on the CPUs `service`, as far
    /// as it leaves some of the `allowed`, and needs `cores`. None are known of one that cannot be
    /// seen.
    pub fn beside(service: Option<Cpus>, allowed: &Cpus, cores: u32) -> Split {
        let Some(service) = service else {
            let note = "nothing is known of the processors of the service: its processes cannot \
                        be seen from here";
            let (service, load) = (Cpus::default(), allowed.clone());
            return Split { service, load, separate: true, room: false, note: Some(note.into()) };
        };
        let left = allowed.0.iter().copied().filter(|cpu| !service.0.contains(cpu));
        let left = Cpus(left.collect());
        let (count, cores) = (service.count(), cores.max(1));
        let more = || {
            format!(
                "the service may run on {count} processors, and the scenario says `cpu.cores = \
                 {cores}`: start it with `taskset -c` and as many, or say how many it has"
            )
        };
        if !left.is_empty() {
            let note = shared_cores(&service, &left, siblings);
            let note = note.or((count != cores as usize).then(more));
            return Split { service, load: left, separate: true, room: false, note };
        }
        let apart = Split::new(allowed, cores);
        if !apart.separate {
            return Split { service, ..apart };
        }
        let mine = &apart.load;
        let note = format!(
            "the service may run on the processors of the load too ({mine}): `taskset -c {}` in \
             front of its command keeps it away from them",
            apart.service
        );
        Split { service, load: apart.load, separate: false, room: true, note: Some(note) }
    }
}

/// Says so if a CPU of one side and a CPU of the other are two threads of one core, which
/// slow each other down.
fn shared_cores(
    service: &Cpus,
    load: &Cpus,
    siblings: impl Fn(usize) -> Option<Cpus>,
) -> Option<String> {
    let of_load = |cpu: &usize| load.0.contains(cpu);
    service.0.iter().find_map(|&cpu| {
        let other = siblings(cpu)?.0.into_iter().find(of_load)?;
        Some(format!(
            "CPU {cpu} of the service and CPU {other} of the load are threads of one core: the \
             load slows the service down."
        ))
    })
}

/// The threads of the core that `cpu` is one of, where the kernel tells.
fn siblings(cpu: usize) -> Option<Cpus> {
    let path = format!("/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list");
    Cpus::parse(&super::line_of(path)?)
}

/// The thread could not be pinned.
#[derive(Debug, thiserror::Error)]
#[error("cannot run on CPU {cpus}: {source}")]
pub struct PinError {
    /// Where it should run.
    pub cpus: Cpus,
    /// Why it cannot.
    pub source: io::Error,
}

/// Runs the calling thread on `cpus` alone, and the threads and processes that it starts
/// from now on. Threads that run already stay where they are. An empty set changes nothing.
///
/// # Errors
/// A CPU of the set does not exist, or is forbidden to this process.
pub fn pin(cpus: &Cpus) -> Result<(), PinError> {
    if cpus.is_empty() {
        return Ok(());
    }
    os::pin(cpus).map_err(|source| PinError { cpus: cpus.clone(), source })
}

#[cfg(target_os = "linux")]
mod os {
    use std::io;

    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    use super::{CPUS_MAX, Cpus};

    pub(super) fn allowed() -> Cpus {
        let Ok(set) = sched_getaffinity(None) else { return Cpus::default() };
        Cpus((0..CPUS_MAX).filter(|&cpu| set.is_set(cpu)).collect())
    }

    pub(super) fn pin(cpus: &Cpus) -> io::Result<()> {
        let mut set = CpuSet::new();
        for &cpu in cpus.numbers() {
            if cpu >= CPUS_MAX {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            set.set(cpu);
        }
        sched_setaffinity(None, &set)?;
        // The kernel keeps those that exist and are allowed, and says nothing of the rest.
        if allowed() != *cpus {
            return Err(io::Error::other("this process may not use all of them"));
        }
        Ok(())
    }
}

#[cfg(not(target_os = "linux"))]
mod os {
    use std::io;

    use super::Cpus;

    pub(super) fn allowed() -> Cpus {
        Cpus::default()
    }

    pub(super) fn pin(_: &Cpus) -> io::Result<()> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "this system cannot pin a process"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(allowed: &str, cores: u32) -> (String, String, bool) {
        let split = Split::new(&Cpus::parse(allowed).expect("a list"), cores);
        assert!(split.separate || split.note.is_some());
        (split.service.to_string(), split.load.to_string(), split.separate)
    }

    #[test]
    fn the_service_gets_the_highest_cpus_and_the_load_the_rest() {
        let apart = |service: &str, load: &str| (service.to_string(), load.to_string(), true);
        assert_eq!(split("0-1", 1), apart("1", "0"));
        assert_eq!(split("0-3", 1), apart("3", "0-2"));
        assert_eq!(split("0-3", 2), apart("2-3", "0-1"));
        assert_eq!(split("2,5,9", 1), apart("9", "2,5"));
    }

    #[test]
    fn with_too_few_cpus_both_sides_share_and_say_so() {
        let shared = |cpus: &str| (cpus.to_string(), cpus.to_string(), false);
        assert_eq!(split("0", 1), shared("0"));
        assert_eq!(split("0-1", 2), shared("0-1"));
        assert_eq!(split("0-1", 4), shared("0-1"));
        assert_eq!(split("", 1), shared(""));
        let note = |allowed, cores| {
            Split::new(&Cpus::parse(allowed).expect("a list"), cores).note.unwrap_or_default()
        };
        assert!(note("0", 1).contains("the only CPU"));
        assert!(note("0-1", 4).contains("should have 4 CPUs"), "{}", note("0-1", 4));
        assert!(note("0", 2).contains("there is 1"));
        assert!(note("", 1).contains("does not let a process choose"));
    }

    #[test]
    fn the_load_stays_away_from_a_service_that_runs_already() {
        let cpus = |text: &str| Cpus::parse(text).expect("a list");
        let beside = |service: Option<&str>, allowed, cores| {
            let split = Split::beside(service.map(cpus), &cpus(allowed), cores);
            (split.load.to_string(), split.separate, split.room, split.note.unwrap_or_default())
        };
        let (load, separate, _, _) = beside(Some("1"), "0-1", 1);
        assert_eq!((&*load, separate), ("0", true));
        let (load, separate, room, note) = beside(Some("0-1"), "0-1", 1);
        assert_eq!((&*load, separate, room), ("0", false, true));
        assert!(note.contains("taskset -c 1"), "{note}");
        let (_, separate, room, note) = beside(Some("0-1"), "0-1", 2);
        assert!(!separate && !room && note.contains("share all 2"), "{note}");
        let (load, separate, _, note) = beside(None, "0-1", 1);
        assert!(load == "0-1" && separate && note.contains("cannot be seen"), "{note}");
        assert!(beside(Some("2-3"), "0-3", 1).3.contains("may run on 2 processors"));
    }

    #[test]
    fn threads_of_one_core_on_both_sides_are_told() {
        let cpus = |text| Cpus::parse(text).expect("a list");
        let pairs = |cpu: usize| Some(Cpus::new(vec![cpu, cpu ^ 1]));
        let told = shared_cores(&cpus("3"), &cpus("0-2"), pairs).expect("3 is 2's sibling");
        assert!(told.contains("CPU 3 of the service and CPU 2 of the load"), "{told}");
        assert_eq!(shared_cores(&cpus("2-3"), &cpus("0-1"), pairs), None);
        assert_eq!(shared_cores(&cpus("3"), &cpus("0-2"), |_| None), None);
    }

    #[test]
    fn lists_read_what_they_print() {
        for text in ["", "0", "0-1", "0,2", "0-3,7,9-10"] {
            let cpus = Cpus::parse(text).expect("a list");
            assert_eq!(cpus.to_string(), text);
            let json = serde_json::to_string(&cpus).expect("a string");
            assert_eq!(serde_json::from_str::<Cpus>(&json).expect("the same string"), cpus);
        }
        for text in ["a", "1-", "3-1", "0-99999999999", "-1"] {
            assert_eq!(Cpus::parse(text), None, "{text}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_pinned_thread_and_those_it_starts_stay_where_they_are_put() {
        let last = |cpus: Cpus| Cpus::new(vec![*cpus.numbers().last().expect("at least one")]);
        // A thread of its own: the pin must not outlive the test.
        let pinned = std::thread::spawn(move || {
            let one = last(Cpus::allowed());
            pin(&one).expect("an allowed CPU");
            let inherited = std::thread::spawn(Cpus::allowed).join().expect("no panic");
            (one, Cpus::allowed(), inherited)
        });
        let (one, own, inherited) = pinned.join().expect("no panic");
        assert_eq!((&own, &inherited), (&one, &one));
        assert!(pin(&Cpus::new(vec![CPUS_MAX - 1])).is_err());
        assert!(pin(&Cpus::default()).is_ok());
    }
}
