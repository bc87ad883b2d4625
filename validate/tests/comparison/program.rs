//! The program, in this process.

/// How a command ended: exit code, standard output, standard error.
pub(crate) struct Ended(pub(crate) u8, pub(crate) String, pub(crate) String);

/// Runs the program with `words`.
pub(crate) fn validate(words: &[&str]) -> Ended {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = validate::cli::run(["validate"].iter().chain(words), &mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Ended(exit.code(), text(out), text(err))
}
