//! The load in several instances of k6 at once: a `TestRun` of k6's operator for Kubernetes.
//!
//! The operator gives each instance a segment of the load and all of them the sequence of segments. k6
//! then numbers users and arrivals over all instances, so that the instances together send the same
//! requests as one.

use model::scenario::{Group, Scenario, Source};

use super::executor;

/// Most characters of a name in Kubernetes.
const NAME: usize = 63;

/// A load in several instances of k6.
#[derive(Clone, Copy, Debug)]
pub struct TestRun<'a> {
    /// Name of the scenario.
    pub scenario: &'a str,
    /// Name of the file with the script.
    pub script: &'a str,
    /// Name of this file.
    pub file: &'a str,
    /// Instances.
    pub parallelism: u32,
    /// Where the service is, as the instances see it.
    pub base_url: &'a str,
}

/// Users that k6 makes ready for `scenario`, at most.
pub fn users(scenario: &Scenario) -> u64 {
    let of = |group: &Group| match &group.load.source {
        Source::Several(_) => 0.0,
        Source::Closed { users, .. } => users.peak(),
        Source::Open { .. } | Source::Replay { .. } => executor::users(scenario, group),
    };
    scenario.load.groups().iter().map(of).sum::<f64>() as u64
}

impl TestRun<'_> {
    /// The file, and how it is used.
    pub fn text(&self) -> String {
        let TestRun { scenario, script, file, parallelism, .. } = *self;
        let name = name(scenario);
        let title = super::comment(scenario);
        // A text in JSON is one in YAML, too.
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        format!(
            "# The load of {title} by {parallelism} instances of k6 at once, with k6's operator.\n\
             # Written by `live export k6`, beside its script.\n\
             #\n\
             #   kubectl create configmap {name} --from-file={}\n\
             #   kubectl apply -f {}\n\
             #\n\
             # The instances together send the requests that one would send, each of them once.\n\
             apiVersion: k6.io/v1alpha1\n\
             kind: TestRun\n\
             metadata:\n\
             \x20 name: {name}\n\
             spec:\n\
             \x20 parallelism: {parallelism}\n\
             \x20 script:\n\
             \x20   configMap:\n\
             \x20     name: {name}\n\
             \x20     file: {}\n\
             \x20 runner:\n\
             \x20   env:\n\
             \x20     - name: BASE_URL\n\
             \x20       value: {}\n\
             \x20     # Each instance writes the summary of its own part.\n\
             \x20     - name: SUMMARY\n\
             \x20       value: /tmp/summary.json\n\
             \x20     - name: K6_NO_USAGE_REPORT\n\
             \x20       value: \"true\"\n",
            shlex(script),
            shlex(file),
            quoted(script),
            quoted(self.base_url),
        )
    }
}

/// A file's name as a word of a shell, on one line.
fn shlex(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_string(),
        false => super::comment(&format!("'{}'", word.replace('\'', "'\\''"))),
    }
}

/// `text` as a name in Kubernetes (RFC 1123): small letters, digits and dashes, which it does not
/// begin or end with.
fn name(text: &str) -> String {
    let small = |c: char| match c.to_ascii_lowercase() {
        c @ ('a'..='z' | '0'..='9') => c,
        _ => '-',
    };
    let all: String = text.chars().map(small).collect();
    let name: String = all.trim_matches('-').chars().take(NAME).collect();
    match name.trim_end_matches('-') {
        "" => "load".into(),
        name => name.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_kubernetes_takes() {
        for (given, taken) in
            [("v5", "v5"), ("My Shop_2", "my-shop-2"), ("-ä-", "load"), ("a.b", "a-b")]
        {
            assert_eq!(name(given), taken);
        }
        let long = name(&"x-".repeat(60));
        assert!(long.len() <= NAME && long.ends_with('x'), "{long}");
    }

    #[test]
    fn file_names_are_words_of_a_shell() {
        assert_eq!(shlex("v5.js"), "v5.js");
        assert_eq!(shlex("it's.js"), r"'it'\''s.js'");
    }
}
