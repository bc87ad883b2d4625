//! For any file: no panic, every refusal with its reason, and what loads reads
//! back from its own print-out.

use proptest::prelude::*;

use super::tests::{SINGLE, WORDS};
use super::{load_text, load_texts};

/// What has to hold of any text.
fn check(text: &str, sets: &[String]) {
    match load_text("any", text, sets) {
        Ok(resolved) => {
            let printed = resolved.to_toml();
            let again = load_text("any", &printed, &[])
                .unwrap_or_else(|error| panic!("{error}\nin the print-out\n{printed}\nof\n{text}"));
            assert_eq!(again.scenario, resolved.scenario, "{printed}");
            assert_eq!(again.to_toml(), printed);
        }
        Err(diagnostics) => {
            assert!(!diagnostics.diagnostics.is_empty());
            assert!(diagnostics.diagnostics.iter().all(|d| !d.found.contains("cannot say why")));
        }
    }
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => proptest::sample::select(WORDS).prop_map(str::to_string),
        1 => "[a-z0-9_.=\"\\[\\]{}, \n-]{0,6}",
        1 => any::<i64>().prop_map(|integer| integer.to_string()),
        1 => any::<f64>().prop_map(|number| format!("{number:?}")),
        1 => (0u32..2000, proptest::sample::select(&["ns", "us", "ms", "s", "h", "/s", "%", "KiB"][..]))
            .prop_map(|(number, unit)| format!("\"{number}{unit}\"")),
        1 => any::<String>(),
    ]
}

/// The text with some of its tokens replaced, doubled or left out.
fn mutated() -> impl Strategy<Value = String> {
    let edit = (any::<prop::sample::Index>(), 0u8..4, word());
    proptest::collection::vec(edit, 0..6).prop_map(|edits| {
        let mut tokens: Vec<String> = tokens(SINGLE);
        for (index, kind, word) in edits {
            if tokens.is_empty() {
                break;
            }
            let at = index.index(tokens.len());
            match kind {
                0 => tokens[at] = word,
                1 => tokens.insert(at, word),
                2 => drop(tokens.remove(at)),
                _ => tokens.insert(at, tokens[at].clone()),
            }
        }
        tokens.concat()
    })
}

/// Words, texts in quotes and what is between them.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut quoted = false;
    let mut joins = false;
    for c in text.chars() {
        let of_word = quoted || c.is_alphanumeric() || c == '_';
        match tokens.last_mut() {
            Some(token) if of_word && joins => token.push(c),
            Some(token) if c == '"' && quoted => token.push(c),
            _ => tokens.push(c.to_string()),
        }
        if c == '"' {
            quoted = !quoted;
        }
        joins = of_word || quoted;
    }
    tokens
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn a_mutated_scenario_is_refused_or_reads_back(text in mutated()) {
        check(&text, &[]);
    }

    #[test]
    fn any_set_is_refused_or_reads_back(
        keys in proptest::collection::vec(word(), 1..5),
        value in word(),
    ) {
        check(SINGLE, &[format!("{}={value}", keys.join("."))]);
    }

    #[test]
    fn any_child_is_refused_or_reads_back(key in word(), inner in word(), value in word()) {
        let child = format!("extends = \"parent\"\n[{key}]\n{inner} = {value}\n");
        if let Ok(resolved) = load_texts("child", &[("parent", SINGLE), ("child", &child)], &[]) {
            check(&resolved.to_toml(), &[]);
        }
    }

    #[test]
    fn any_text_at_all_is_refused(text in any::<String>()) {
        prop_assert!(load_text("any", &text, &[]).is_err());
    }
}

#[test]
fn the_scenario_that_is_mutated_is_sound_to_begin_with() {
    check(&tokens(SINGLE).concat(), &[]);
    assert_eq!(tokens(SINGLE).concat(), SINGLE);
    if let Err(error) = load_text("any", SINGLE, &[]) {
        panic!("{error}");
    }
}
