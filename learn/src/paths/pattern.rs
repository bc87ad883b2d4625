//! Endpoints as a user writes them: `GET /items/{id}`.

use super::part::Kind;

/// An endpoint that the user has named: what is not a placeholder must be as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// What it is called.
    pub(super) name: Option<String>,
    /// None where any will do.
    pub(super) method: Option<String>,
    /// The path as it was written.
    pub(super) path: String,
    parts: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Fixed(String),
    Any,
    Rest,
}

/// Why a text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no endpoint: write `GET /items/{{id}}`, `/static/*` or `NAME=GET /items/{{id}}`")]
pub struct BadPattern(String);

impl std::str::FromStr for Pattern {
    type Err = BadPattern;

    fn from_str(text: &str) -> Result<Pattern, BadPattern> {
        let bad = || BadPattern(text.to_owned());
        let (before, path) = text.split_at(text.find('/').ok_or_else(bad)?);
        let (name, method) = match before.split_once('=') {
            Some((name, method)) => (Some(name.trim()), method.trim()),
            None => (None, before.trim()),
        };
        let word = |word: &str| word.bytes().all(|byte| byte.is_ascii_alphabetic());
        if !word(method) || name.is_some_and(str::is_empty) || path.contains(char::is_whitespace) {
            return Err(bad());
        }
        let parts: Vec<Piece> = parts(path)
            .map(|part| match (part, Kind::of(part)) {
                ("*" | "**", _) => Piece::Rest,
                (_, Some(Kind::Named(_))) => Piece::Any,
                _ => Piece::Fixed(part.to_owned()),
            })
            .collect();
        let inside = parts.iter().rev().skip(1).any(|part| *part == Piece::Rest);
        if inside {
            return Err(bad());
        }
        Ok(Pattern {
            name: name.map(str::to_owned),
            method: (!method.is_empty()).then(|| method.to_ascii_uppercase()),
            path: path.to_owned(),
            parts,
        })
    }
}

impl Pattern {
    /// Whether a request belongs to it.
    pub(super) fn holds(&self, method: &str, path: &str) -> bool {
        if self.method.as_ref().is_some_and(|own| own != method) {
            return false;
        }
        let mut found = parts(path);
        for piece in &self.parts {
            match (piece, found.next()) {
                (Piece::Rest, _) => return true,
                (Piece::Any, Some(_)) => {}
                (Piece::Fixed(own), Some(part)) if own == part => {}
                _ => return false,
            }
        }
        found.next().is_none()
    }
}

/// The parts of a path between its slashes. A slash at the end makes no difference.
pub(super) fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_holds_what_it_says() {
        let holds = |pattern: &str, method: &str, path: &str| {
            pattern.parse::<Pattern>().expect("a pattern").holds(method, path)
        };
        assert!(holds("GET /items/{id}", "GET", "/items/x"));
        assert!(!holds("GET /items/{id}", "POST", "/items/x"));
        assert!(!holds("GET /items/{id}", "GET", "/items"));
        assert!(!holds("GET /items/{id}", "GET", "/items/x/y"));
        assert!(holds("/static/*", "GET", "/static/a/b.js"));
        assert!(holds("page=GET /", "GET", "/"));
        for wrong in ["GET", "", "GET items", "=GET /a", "GET /a b", "/a/*/b"] {
            assert!(wrong.parse::<Pattern>().is_err(), "{wrong}");
        }
    }
}
