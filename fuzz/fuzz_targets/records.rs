//! Any bytes as a record of any form: no panic. The first line is also taken as a format string.
//!
//! `cargo +nightly fuzz run records fuzz/corpus/records learn/tests/records learn/tests/otlp`
#![no_main]

#[path = "../../learn/tests/any/read.rs"]
mod read;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| read::read(bytes));
