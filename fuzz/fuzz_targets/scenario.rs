//! Any bytes as a scenario: the first line may set a key, the rest is the file.
//!
//! `cargo +nightly fuzz run scenario fuzz/corpus/scenario fuzz/seeds -- -dict=fuzz/words.dict`
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::read::load_text;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let sets: Vec<String> = match text.lines().next().and_then(|line| line.strip_prefix("# --set "))
    {
        Some(set) => vec![set.to_string()],
        None => Vec::new(),
    };
    match load_text("fuzz", text, &sets) {
        Ok(resolved) => {
            let printed = resolved.to_toml();
            let again = load_text("fuzz", &printed, &[]).expect("a print-out that loads");
            assert_eq!(again.scenario, resolved.scenario);
            assert_eq!(again.to_toml(), printed);
        }
        Err(diagnostics) => assert!(!diagnostics.diagnostics.is_empty()),
    }
});
