//! Any bytes as the body of a request to `sim serve`: read or refused, as a mistake of the question.
//!
//! `cargo +nightly fuzz run bodies fuzz/corpus/bodies fuzz/seeds/bodies -- -dict=fuzz/words.dict`
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for operation in sim::api::OPERATIONS {
        if let Err(problem) = sim::api::read(operation, bytes) {
            assert!([400, 422].contains(&problem.status), "{problem:?}");
        }
    }
});
