//! `validate live`: this program as `live`, which it starts to measure, and as its children.

use std::ffi::OsString;

use render::{Exit, Failure};

use super::options::LiveOptions;
use crate::measure::child;

/// Does what `live` does. Its streams are those of the process.
pub(super) fn run(options: &LiveOptions) -> Result<Exit, Failure> {
    child::end_with_parent();
    Ok(live::cli::run_for(words(options.words.iter().cloned()), options.failures))
}

/// Is a child of `live`: whatever `live` calls it, it is called here too.
pub(super) fn child(process: &str) -> Result<Exit, Failure> {
    Ok(live::cli::run_for(words([process.into()]), None))
}

fn words(words: impl IntoIterator<Item = OsString>) -> impl Iterator<Item = OsString> {
    [OsString::from("live")].into_iter().chain(words)
}
