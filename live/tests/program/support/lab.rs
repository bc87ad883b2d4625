//! A folder with a scenario in it.

use std::ops::Deref;

use model::read::Resolved;
use testkit::Ended;

use super::Kept;

/// The costs in all of these tests: low, so that two cores run several services at a time.
const COSTS: &str = r#"
    [costs.cpu]
    request = "0.3ms"
    accept = "50us"
    call = "0.1ms"
    hop = "50us"
    statement = "50us"
    commit = "50us"
    open = "50us"
    [costs.query.default]
    engine = "50us"
"#;

/// Where a test runs the program: a folder with the scenario `shop.toml`.
#[derive(Debug)]
pub(crate) struct Lab(testkit::Lab);

impl Deref for Lab {
    type Target = testkit::Lab;

    fn deref(&self) -> &testkit::Lab {
        &self.0
    }
}

impl Lab {
    /// A folder with `scenario` in it, to which the costs of all tests are added.
    pub(crate) fn new(scenario: &str) -> Lab {
        let lab = testkit::Lab::new(env!("CARGO_BIN_EXE_live"));
        lab.write("shop.toml", &format!("{scenario}\n{COSTS}"));
        Lab(lab)
    }

    /// The scenario with `sets`, as the program should understand it.
    pub(crate) fn resolved(&self, sets: &[&str]) -> Resolved {
        let sets: Vec<String> = sets.iter().map(|set| set.to_string()).collect();
        model::read::load(&self.path("shop.toml"), &sets).expect("a valid scenario")
    }

    /// Measures with `words`. Whether the numbers are sound is not asked: other tests run at
    /// the same time.
    pub(crate) fn measures(&self, words: &str) -> Ended {
        self.end(words).with_one_of(&[0, 3])
    }

    /// Measures the scenario, with further `options`.
    pub(crate) fn run(&self, options: &str) -> Kept {
        self.kept(&self.measures(&format!("run shop.toml {options}")))
    }

    /// The run that `ended` says it has kept.
    pub(crate) fn kept(&self, ended: &Ended) -> Kept {
        let folder = ended.err.lines().find_map(|line| line.strip_prefix("kept in "));
        Kept::read(&self.path(folder.unwrap_or_else(|| panic!("nothing is kept: {ended:?}"))))
    }
}
