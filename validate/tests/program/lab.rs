//! Where a test runs the program.

use std::ops::Deref;

use testkit::Ended;

/// A service whose users always wait for something.
pub(crate) const SHOP: &str = r#"
    load = { users = 6, warmup = "500ms", duration = "1s" }
    service = { server = "axum", concurrency = "async", workers = 1 }
    database = { journal_mode = "wal", connections = { kind = "pool" } }
    upstream.partner.latency = "50ms"
    endpoint = [
        { name = "quote", weight = 3, steps = [{ read = "item" }, { call = "partner" }] },
        { name = "order", weight = 1, steps = [{ write = "order" }, { call = "partner" }] },
    ]
    costs = { interpreter = { lock = false }, query.default = { engine = "50us" } }
"#;

/// The costs of axum in these tests: a guess.
const PLATFORM: &str = r#"
    [about]
    method = "a guess"
    [cpu]
    request = "0.3ms"
    statement = "50us"
    call = "0.1ms"
    [interpreter]
    lock = false
    [query.default]
    engine = "50us"
"#;

/// A folder of a test's own: `shop.toml` is a scenario, `platform.toml` the costs of axum.
#[derive(Debug)]
pub(crate) struct Lab(testkit::Lab);

impl Deref for Lab {
    type Target = testkit::Lab;

    fn deref(&self) -> &testkit::Lab {
        &self.0
    }
}

impl Lab {
    pub(crate) fn new() -> Lab {
        let lab = Lab::empty();
        lab.write("shop.toml", SHOP);
        lab.write("platform.toml", PLATFORM);
        lab
    }

    /// An empty folder.
    pub(crate) fn empty() -> Lab {
        Lab(testkit::Lab::new(env!("CARGO_BIN_EXE_validate")))
    }

    /// Runs the program with `words` to an answer, in two short rounds: there is a verdict,
    /// whichever it is.
    pub(crate) fn measures(&self, words: &str) -> Ended {
        self.answers(&format!("{words} --repeat 2 --costs platform.toml"))
    }

    /// Runs the program with `words` to an answer.
    pub(crate) fn answers(&self, words: &str) -> Ended {
        self.end(words).with_one_of(&[0, 1, 3])
    }
}
