//! Summaries of k6 held against predictions, and k6 itself where the machine has it.

mod canned;
mod real;
mod refused;
mod told;

/// What the program told: exit code, data, talk.
pub(crate) struct Told(pub(crate) u8, pub(crate) String, pub(crate) String);

/// Runs the program with `words` in this process.
pub(crate) fn validate(words: &[&str]) -> Told {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = validate::cli::run(["validate"].iter().chain(words), &mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Told(exit.code(), text(out), text(err))
}
