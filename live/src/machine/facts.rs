//! What a report says about the machine that it was measured on.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::cpus::Cpus;
use super::{bytes_of, line_of, value_of};
use crate::versions::versions;

/// The machine. What it does not tell is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// What the processor calls itself.
    pub cpu_model: Option<String>,
    /// CPUs that are online, whether this process may use them or not.
    pub cpus_online: Option<u32>,
    /// The operating system, with its version where it has one.
    pub os: Option<String>,
    /// Release of the kernel.
    pub kernel: Option<String>,
    /// Instruction set.
    pub architecture: String,
    /// Main memory, in bytes.
    pub memory: Option<u64>,
    /// Size of a page of memory, in bytes.
    pub page_size: u64,
    /// Type of the file system that the database lies on.
    pub filesystem: Option<String>,
    /// Where the clock's time comes from.
    pub clock_source: Option<String>,
    /// Of what rung is built.
    pub versions: BTreeMap<String, String>,
}

impl Facts {
    /// The facts of this machine; the file system is that of `directory`.
    pub fn gather(directory: &Path) -> Facts {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let uname = rustix::system::uname();
        let owned = |text: &std::ffi::CStr| text.to_str().ok().map(str::to_string);
        let online = line_of("/sys/devices/system/cpu/online").and_then(|text| Cpus::parse(&text));
        Facts {
            cpu_model: value_of(&read("/proc/cpuinfo"), "model name").map(str::to_string),
            cpus_online: online.map(|cpus| cpus.count() as u32),
            os: pretty_name(&read("/etc/os-release")).or_else(|| owned(uname.sysname())),
            kernel: owned(uname.release()),
            architecture: std::env::consts::ARCH.to_string(),
            memory: bytes_of(&read("/proc/meminfo"), "MemTotal"),
            page_size: rustix::param::page_size() as u64,
            filesystem: filesystem_of(&read("/proc/self/mountinfo"), directory),
            clock_source: clock_source(),
            versions: versions(),
        }
    }
}

/// Where the clock's time comes from, such as `tsc`.
pub(super) fn clock_source() -> Option<String> {
    line_of("/sys/devices/system/clocksource/clocksource0/current_clocksource")
}

/// The name of the system in the text of `/etc/os-release`.
fn pretty_name(text: &str) -> Option<String> {
    let value = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(value.trim_matches('"').to_string()).filter(|name| !name.is_empty())
}

/// The type of the file system that holds `directory`, by the text of `mountinfo`: that of
/// the deepest mount above it, and the last one if several lie on top of each other.
fn filesystem_of(mountinfo: &str, directory: &Path) -> Option<String> {
    let directory = directory.canonicalize().ok()?;
    let mounts = mountinfo.lines().filter_map(mount);
    let above = mounts.filter(|(point, _)| directory.starts_with(point));
    let (_, kind) = above.max_by_key(|(point, _)| Path::new(point).components().count())?;
    Some(kind.to_string())
}

/// Mount point and type of a line such as `27 1 254:0 / /home rw shared:1 - ext4 /dev/a rw`.
fn mount(line: &str) -> Option<(String, &str)> {
    let (mount, filesystem) = line.split_once(" - ")?;
    let point = mount.split(' ').nth(4)?;
    Some((unescape(point), filesystem.split(' ').next()?))
}

/// The kernel writes blanks in paths as octal numbers: `\040`.
fn unescape(path: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(path.to_string(), |path, (code, character)| path.replace(code, character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deepest_and_last_mount_gives_the_file_system() {
        let here = std::env::temp_dir().canonicalize().expect("a directory");
        let point = here.to_str().expect("a path of letters").replace(' ', "\\040");
        let root = "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n";
        let other = "28 27 0:25 / /nowhere ro master:1 - squashfs none ro\n";
        assert_eq!(filesystem_of(&format!("{root}{other}"), &here).as_deref(), Some("ext4"));
        let over = format!("29 27 0:26 / {point} rw shared:7 - tmpfs none rw\n");
        let upper = format!("30 29 0:27 / {point} rw - overlay none rw\n");
        // The order of unrelated lines does not matter.
        let text = format!("{over}{root}{other}");
        assert_eq!(filesystem_of(&text, &here).as_deref(), Some("tmpfs"));
        let text = format!("{root}{over}{upper}");
        assert_eq!(filesystem_of(&text, &here).as_deref(), Some("overlay"));
        assert_eq!(filesystem_of("nonsense\n", &here), None);
        assert_eq!(unescape("/a\\040b\\134c"), "/a b\\c");
    }

    #[test]
    fn the_system_s_name_comes_without_quotes() {
        let text = "NAME=\"Some\"\nPRETTY_NAME=\"Some Linux 12 (twelve)\"\n";
        assert_eq!(pretty_name(text).as_deref(), Some("Some Linux 12 (twelve)"));
        assert_eq!(pretty_name("NAME=x"), None);
    }

    #[test]
    fn facts_survive_the_report() {
        let facts = Facts::gather(Path::new("/"));
        assert!(facts.page_size.is_power_of_two());
        assert!(facts.versions.contains_key("rung"));
        #[cfg(target_os = "linux")]
        assert!(facts.kernel.is_some() && facts.memory.is_some() && facts.cpus_online >= Some(1));
        let json = serde_json::to_string(&facts).expect("plain data");
        assert_eq!(serde_json::from_str::<Facts>(&json).expect("the same data"), facts);
    }
}
