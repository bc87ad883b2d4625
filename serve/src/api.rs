//! What answers questions.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::Problem;

/// What came of a question.
#[derive(Debug)]
pub struct Answer {
    /// A JSON document, or why there is none.
    pub document: Result<String, Problem>,
    /// Events that were simulated for it.
    pub events: u64,
}

/// What answers questions.
pub trait Api: Send + Sync + 'static {
    /// What can be asked: the names of the paths, without a slash.
    fn operations(&self) -> &'static [&'static str];

    /// The description of the paths, as OpenAPI.
    fn description(&self) -> String;

    /// The answer to the body of a request for one of the operations. It is not waited for any more once
    /// `stop` is true.
    fn answer(&self, operation: &'static str, body: &[u8], stop: &Arc<AtomicBool>) -> Answer;
}
