//! Tokens that clients show.

use std::io;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use subtle::ConstantTimeEq as _;

/// A token that cannot be guessed: 128 random bits in hexadecimal.
///
/// # Errors
/// The machine gives no random bytes.
pub fn random() -> io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Takes as long whether the first or the last character differs.
pub fn is_same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

/// Who may ask.
#[derive(Clone, Default)]
pub struct Tokens(Vec<Token>);

#[derive(Clone)]
struct Token {
    client: String,
    secret: String,
}

/// Tokens are secret: their number is all that is printed.
impl std::fmt::Debug for Tokens {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} tokens", self.0.len())
    }
}

/// A shorter token could be guessed.
const SHORTEST: usize = 16;

impl Tokens {
    /// No client needs one.
    pub fn none() -> Tokens {
        Tokens::default()
    }

    /// Those of a text: each line is a name and a token, or a token alone. Empty lines and lines that begin
    /// with `#` say nothing.
    ///
    /// # Errors
    /// What is wrong with which line, and what is allowed there.
    pub fn read(text: &str) -> Result<Tokens, String> {
        let mut all: Vec<Token> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            let words: Vec<&str> = line.split_whitespace().collect();
            let (client, secret) = match words[..] {
                [] => continue,
                [first, ..] if first.starts_with('#') => continue,
                [secret] => ("token", secret),
                [client, secret] => (client, secret),
                _ => return Err(format!("line {number}: {} words", words.len())),
            };
            let plain = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c);
            if secret.len() < SHORTEST || !secret.chars().all(plain) {
                return Err(format!(
                    "line {number}: the token is too short, or has other characters"
                ));
            }
            if all.iter().any(|known| known.client == client) {
                return Err(format!("line {number}: {client:?} has a token already"));
            }
            all.push(Token { client: client.into(), secret: secret.into() });
        }
        if all.is_empty() { Err("there is no token".into()) } else { Ok(Tokens(all)) }
    }

    /// What a text of tokens may be.
    pub const ALLOWED: &'static str = "a line for each client: a name and a token, or a token alone; a \
        token has 16 characters or more, of A-Z a-z 0-9 - . _ ~ + / =";

    /// No client needs one.
    pub fn are_none(&self) -> bool {
        self.0.is_empty()
    }

    /// Whose token a request shows. All are compared, so that the time tells nothing.
    pub(crate) fn owner(&self, headers: &HeaderMap) -> Option<&str> {
        let shown = headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (scheme, shown) = shown.split_once(' ')?;
        let shown = if scheme.eq_ignore_ascii_case("bearer") { shown.trim() } else { "" };
        let same = |token: &&Token| is_same(&token.secret, shown);
        self.0.iter().filter(same).fold(None, |_, token| Some(&token.client))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "0123456789abcdef";
    const OTHER: &str = "fedcba9876543210";

    fn shown(value: &str) -> HeaderMap {
        let value = value.parse().expect("a value");
        [(AUTHORIZATION, value)].into_iter().collect()
    }

    #[test]
    fn each_random_token_is_another() {
        let tokens = [1, 2].map(|_| random().expect("random bytes"));
        assert_ne!(tokens[0], tokens[1]);
        assert!(tokens.iter().all(|token| token.len() == 32));
    }

    #[test]
    fn a_token_names_its_owner() {
        let text = format!("# who may ask\n\nci {ONE}\nann  {OTHER}\n");
        let tokens = Tokens::read(&text).expect("right");
        let owner = |value: &str| tokens.owner(&shown(value)).map(str::to_string);
        assert_eq!(owner(&format!("Bearer {ONE}")).as_deref(), Some("ci"));
        assert_eq!(owner(&format!("bearer {OTHER}")).as_deref(), Some("ann"));
        let long = format!("Bearer {ONE}0");
        for wrong in [ONE, "Bearer ", "Bearer", &format!("Basic {ONE}"), &long, "Bearer 0123"] {
            assert_eq!(owner(wrong), None, "{wrong}");
        }
        assert_eq!(tokens.owner(&HeaderMap::new()), None);
        assert!(!format!("{tokens:?}").contains(ONE));
    }

    #[test]
    fn a_text_that_names_no_tokens_is_refused() {
        let twice = format!("ci {ONE}\nci {OTHER}");
        let three = format!("ci and {ONE}");
        for text in ["", "# none\n", "ci short", &twice, &three, "ci 0123456789abc\u{e4}\u{e4}"] {
            assert!(Tokens::read(text).is_err(), "{text}");
        }
        assert!(!Tokens::read(ONE).expect("a token alone").are_none());
    }
}
