//! Whatever bytes a body has: it is read or refused, without a panic. The fuzzer in `fuzz/` does the same
//! for as long as one likes.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Bodies that are right, or nearly so; the fuzzer begins with them too.
const BODIES: [&str; 4] = [
    include_str!("../../../fuzz/seeds/bodies/text.json"),
    include_str!("../../../fuzz/seeds/bodies/object.json"),
    include_str!("../../../fuzz/seeds/bodies/files.json"),
    include_str!("../../../fuzz/seeds/bodies/wrong.json"),
];

/// Gives the bytes to every path. A problem is one of the question and not of the program.
fn read(bytes: &[u8]) {
    for operation in sim::api::OPERATIONS {
        if let Err(problem) = sim::api::read(operation, bytes) {
            assert!([400, 422].contains(&problem.status), "{problem:?}");
            assert_eq!(problem.status == 422, !problem.errors.is_empty(), "{problem:?}");
        }
    }
}

/// A change of a body: where, what is cut out there, and what is put in.
fn change() -> impl Strategy<Value = (Index, usize, &'static str)> {
    const PIECES: &[&str] = &[
        "\"",
        "\\",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "null",
        "true",
        "-1",
        "1e999",
        "\\u0000",
        "\u{e4}",
        "../",
        "18446744073709551616",
        "\\n",
        "=",
        "\"extends\":\"scenario.toml\",",
        "/",
        "~",
        "",
        "[[",
        "#",
    ];
    (any::<Index>(), prop_oneof![3 => 0..3usize, 1 => 0..40usize], select(PIECES))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bodies_that_were_changed_here_and_there_are_read_or_refused(
        which in select(&BODIES[..]),
        changes in vec(change(), 0..6),
    ) {
        let mut bytes = which.as_bytes().to_vec();
        for (at, cut, put) in changes {
            let from = at.index(bytes.len() + 1);
            let to = (from + cut).min(bytes.len());
            bytes.splice(from..to, put.bytes());
        }
        read(&bytes);
    }

    #[test]
    fn any_bytes_are_refused(bytes in vec(any::<u8>(), 0..200)) {
        read(&bytes);
    }
}

#[test]
fn bodies_as_they_are_are_read() {
    for (index, body) in BODIES.iter().enumerate() {
        let read = sim::api::read("predict", body.as_bytes());
        assert_eq!(read.is_ok(), index < 3, "{body}: {read:?}");
    }
}
