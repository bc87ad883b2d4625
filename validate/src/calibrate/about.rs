//! Where the numbers of a profile come from.

use std::collections::BTreeMap;

use live::stack::Target;
use model::measurement::Measurement;
use time::OffsetDateTime;
use time::macros::format_description;

/// The key of `[about]` that only a calibration writes.
pub(crate) const WRITTEN_BY: &str = "written_by";
/// The beginning of its value, before the name of the stack.
pub(crate) const PROGRAM: &str = "validate calibrate";

/// The key of `[about]` that names the costs that do not stand, after [`COMMA`]s.
pub(crate) const IN_DOUBT: &str = "in_doubt";
/// Between their names.
pub(crate) const COMMA: &str = ", ";

/// The key of `[about]` that says where the costs of Postgres were measured.
pub(crate) const POSTGRES: &str = "postgres_on";

/// Machine, kernel and build of a profile whose table `[about]` this is, in one line.
pub(crate) fn of_server(about: &BTreeMap<String, String>) -> String {
    let known = ["machine", "kernel", "stack"].into_iter().filter_map(|key| about.get(key));
    known.map(String::as_str).collect::<Vec<_>>().join("; ")
}

/// The table `[about]` of a profile.
pub(super) fn about(
    target: Target,
    how: &Measurement,
    rounds: u32,
    probes: usize,
) -> BTreeMap<String, String> {
    let all = [
        ("machine", machine(&how.machine)),
        ("stack", stack(&how.versions)),
        ("kernel", how.machine.get("kernel").cloned()),
        ("file_system", how.machine.get("file system").cloned()),
        ("date", date(how.started)),
        (
            "method",
            Some(format!("mean over {rounds} rounds of {probes} probes of the real service")),
        ),
        (WRITTEN_BY, Some(format!("{PROGRAM} {}", target.name()))),
    ];
    let known = all.into_iter().filter_map(|(key, value)| Some((key.to_string(), value?)));
    known.collect()
}

/// The machine in a few words, as far as costs depend on it.
pub(crate) fn machine(facts: &BTreeMap<String, String>) -> Option<String> {
    let fact = |name: &str| facts.get(name).cloned();
    let count = fact("cpus online").map(|count| format!("{count} processors"));
    let all: Vec<String> =
        [fact("cpu"), count, fact("architecture"), fact("memory")].into_iter().flatten().collect();
    (!all.is_empty()).then(|| all.join(", "))
}

/// The versions of the stack in a few words.
pub(crate) fn stack(versions: &BTreeMap<String, String>) -> Option<String> {
    let all: Vec<String> =
        versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

fn date(seconds: u64) -> Option<String> {
    let at = OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok()?;
    at.format(format_description!("[year]-[month]-[day] [hour]:[minute] UTC")).ok()
}
