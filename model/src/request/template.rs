//! The text of a request with parts that are generated anew for each: `/items/{1..5000}`.

use std::fmt::{self, Write as _};
use std::ops::Range;

/// What may be written between braces.
pub const FORMS: &str = "`{1..5000}` for a whole number, `{uuid}`, or `{a|b|c}` for one of these; \
                         `{{` and `}}` for the braces themselves";

/// A text with generated parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    written: String,
    parts: Vec<Part>,
}

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The same each time.
    Text(String),
    /// A whole number.
    Number {
        /// The least.
        low: u64,
        /// The largest.
        high: u64,
        /// It has at least so many digits.
        width: usize,
    },
    /// A random UUID.
    Uuid,
    /// One of these words.
    Word(Vec<String>),
}

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The bytes of the text that are wrong.
    pub at: Range<usize>,
    /// What was found.
    pub found: String,
    /// What may stand there.
    pub allowed: String,
    /// What to do.
    pub advice: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}; allowed: {}; {}", self.found, self.allowed, self.advice)
    }
}

impl Template {
    /// A path with its query: it begins with `/`, and braces hold generated parts only.
    ///
    /// # Errors
    /// All that is wrong with it, in order.
    pub fn path(text: &str) -> Result<Template, Vec<Wrong>> {
        let mut wrong = Vec::new();
        if !text.starts_with('/') {
            wrong.push(Wrong {
                at: 0..text.len(),
                found: format!("`{text}` does not begin with `/`"),
                allowed: "a path with its query, such as `/items/{1..5000}?page=2`".into(),
                advice: "write the path without the host".into(),
            });
        }
        let stray = |c: char| !c.is_ascii_graphic() || c == '#';
        wrong.extend(text.char_indices().filter(|&(_, c)| stray(c)).map(|(at, c)| Wrong {
            at: at..at + c.len_utf8(),
            found: format!("{c:?} cannot stand in a path"),
            allowed: "ASCII letters, digits and signs without blanks and `#`".into(),
            advice: "write it percent-encoded, as `%20` for a blank".into(),
        }));
        let mut template = Template { written: text.into(), parts: Vec::new() };
        let mut rest = 0;
        while let Some(brace) = text[rest..].find(['{', '}']).map(|at| rest + at) {
            template.text(&text[rest..brace]);
            rest = template.brace(text, brace, &mut wrong);
        }
        template.text(&text[rest..]);
        if wrong.is_empty() { Ok(template) } else { Err(wrong) }
    }

    /// A header or a body, in which braces may mean anything: what is none of the forms stays
    /// as it is.
    pub fn body(text: &str) -> Template {
        let mut template = Template { written: text.into(), parts: Vec::new() };
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let close = rest[open..].find('}').map(|at| open + at);
            let part = close.and_then(|close| Part::parse(&rest[open + 1..close]).ok());
            if let (Some(part), Some(close)) = (part, close) {
                template.text(&rest[..open]);
                template.parts.push(part);
                rest = &rest[close + 1..];
            } else {
                template.text(&rest[..=open]);
                rest = &rest[open + 1..];
            }
        }
        template.text(rest);
        template
    }

    /// Takes in what begins with the brace at `at`. Gives where the rest begins.
    fn brace(&mut self, text: &str, at: usize, wrong: &mut Vec<Wrong>) -> usize {
        let brace = &text[at..=at];
        if text[at + 1..].starts_with(brace) {
            self.text(brace);
            return at + 2;
        }
        let mut refuse = |end: usize, found: String, advice: &str| {
            wrong.push(Wrong { at: at..end, found, allowed: FORMS.into(), advice: advice.into() });
            end
        };
        let close = text[at + 1..].find(['{', '}']).map(|inside| at + 1 + inside);
        let close = close.filter(|&close| text[close..].starts_with('}'));
        let (true, Some(close)) = (brace == "{", close) else {
            let missing = if brace == "{" { "without its `}`" } else { "without its `{`" };
            return refuse(at + 1, format!("`{brace}` {missing}"), "close it, or write it twice");
        };
        match Part::parse(&text[at + 1..close]) {
            Ok(part) => self.parts.push(part),
            Err(why) => {
                let found = format!("`{}`: {why}", &text[at..=close]);
                refuse(close + 1, found, "say which values the service knows");
            }
        }
        close + 1
    }

    fn text(&mut self, text: &str) {
        match self.parts.last_mut() {
            _ if text.is_empty() => {}
            Some(Part::Text(last)) => last.push_str(text),
            _ => self.parts.push(Part::Text(text.into())),
        }
    }

    /// Its parts, in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// As it was written.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// It is the same each time.
    pub fn is_constant(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Text(_)))
    }

    /// How many draws [`Template::fill`] needs.
    pub fn draws(&self) -> usize {
        self.parts.iter().map(Part::draws).sum()
    }

    /// The text with its generated parts. `draw` gives the uniform draw of each number, counted
    /// from 0, such as [`Purpose::draw`] does: the same draws give the same text.
    ///
    /// [`Purpose::draw`]: crate::stream::Purpose::draw
    pub fn fill(&self, draw: impl FnMut(usize) -> u64) -> String {
        let mut text = String::with_capacity(self.written.len() + 16);
        self.fill_into(draw, &mut text);
        text
    }

    /// Appends what [`Template::fill`] gives to `out`.
    pub fn fill_into(&self, mut draw: impl FnMut(usize) -> u64, out: &mut String) {
        let mut number = 0;
        for part in &self.parts {
            part.fill(|index| draw(number + index), out);
            number += part.draws();
        }
    }
}

impl fmt::Display for Template {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.written)
    }
}

impl Part {
    /// The part that is written between braces, or what is wrong with it.
    fn parse(text: &str) -> Result<Part, &'static str> {
        if text == "uuid" {
            return Ok(Part::Uuid);
        }
        if let Some((low, high)) = text.split_once("..") {
            let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            if !digits(low) || !digits(high) {
                return Err("the ends of the range are not whole numbers");
            }
            let width = if low.len() > 1 && low.starts_with('0') { low.len() } else { 0 };
            let (Ok(low), Ok(high)) = (low.parse(), high.parse::<u64>()) else {
                return Err("an end of the range does not fit into 64 bits");
            };
            if low > high {
                return Err("the range ends before it begins");
            }
            return Ok(Part::Number { low, high, width });
        }
        let known = |c: char| c.is_ascii_alphanumeric() || "-._~%+@:".contains(c);
        let words: Vec<String> = text.split('|').map(String::from).collect();
        if words.len() < 2 || text.is_empty() {
            return Err("it does not say which values there are");
        }
        if words.iter().any(|word| word.is_empty() || !word.chars().all(known)) {
            return Err("a word is empty, or has a sign that is not percent-encoded");
        }
        Ok(Part::Word(words))
    }

    /// How many draws it needs.
    pub fn draws(&self) -> usize {
        match self {
            Part::Text(_) => 0,
            Part::Number { .. } | Part::Word(_) => 1,
            Part::Uuid => 2,
        }
    }

    fn fill(&self, mut draw: impl FnMut(usize) -> u64, out: &mut String) {
        const INFALLIBLE: &str = "a string takes what is written to it";
        match self {
            Part::Text(text) => out.push_str(text),
            Part::Number { low, high, width } => {
                let number = low + below(draw(0), u128::from(high - low) + 1);
                write!(out, "{number:0width$}").expect(INFALLIBLE);
            }
            Part::Word(words) => {
                let index = below(draw(0), words.len() as u128);
                out.push_str(&words[usize::try_from(index).unwrap_or_default()]);
            }
            Part::Uuid => {
                let (high, low) = (draw(0), draw(1));
                // Version 4 and its variant (RFC 9562).
                let high = high & !0xF000 | 0x4000;
                let low = low & !(0b11 << 62) | 0b10 << 62;
                let (first, second, third) = (high >> 32, high >> 16 & 0xFFFF, high & 0xFFFF);
                let (fourth, last) = (low >> 48, low & 0xFFFF_FFFF_FFFF);
                write!(out, "{first:08x}-{second:04x}-{third:04x}-{fourth:04x}-{last:012x}")
                    .expect(INFALLIBLE);
            }
        }
    }
}

/// A uniform number below `end` from a uniform draw: the upper half of their product.
fn below(draw: u64, end: u128) -> u64 {
    ((u128::from(draw) * end) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::Purpose;

    fn path(text: &str) -> Template {
        Template::path(text).expect("a good path")
    }

    #[test]
    fn each_draw_gives_another_path_and_the_same_draws_the_same() {
        let template = path("/items/{1..5000}/{uuid}?sort={up|down}&part={{x}}");
        assert_eq!(template.draws(), 4);
        assert!(!template.is_constant());
        assert_eq!(
            template.fill(|number| [0, 0, 0, u64::MAX][number]),
            "/items/1/00000000-0000-4000-8000-000000000000?sort=down&part={x}"
        );
        assert_eq!(
            template.fill(|number| if number == 3 { 0 } else { u64::MAX }),
            "/items/5000/ffffffff-ffff-4fff-bfff-ffffffffffff?sort=up&part={x}"
        );
        let purpose = Purpose::new(1, "request@items");
        let draw = |index: u64| template.fill(|number| purpose.draw(number as u64, index));
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn every_number_of_a_range_comes_about_as_often() {
        let template = path("/{1..4}");
        let purpose = Purpose::new(1, "request");
        let mut seen = [0u32; 4];
        for index in 0..4000 {
            let number: usize = template.fill(|_| purpose.draw(0, index))[1..].parse().expect("1");
            seen[number - 1] += 1;
        }
        assert!(seen.iter().all(|&count| (850..1150).contains(&count)), "{seen:?}");
        let all = path(&format!("/{{0..{}}}", u64::MAX));
        assert_eq!(all.fill(|_| 7), "/7");
        assert_eq!(path("/{007..110}").fill(|_| 0), "/007");
        assert!(path("/health").is_constant());
    }

    #[test]
    fn all_that_is_wrong_with_a_path_is_told_with_its_place() {
        let wrong = |text: &str| {
            let wrong = Template::path(text).expect_err("a bad path");
            wrong.into_iter().map(|one| (one.at, one.found)).collect::<Vec<_>>()
        };
        let id = "`{id}`: it does not say which values there are".to_string();
        assert_eq!(
            wrong("/a/{id}/{5..1}"),
            [(3..7, id), (8..14, "`{5..1}`: the range ends before it begins".into()),]
        );
        assert_eq!(wrong("/a b")[0].0, 2..3);
        assert_eq!(wrong("items")[0].1, "`items` does not begin with `/`");
        assert_eq!(wrong("/a{1..2")[0], (2..3, "`{` without its `}`".into()));
        assert_eq!(wrong("/a}")[0], (2..3, "`}` without its `{`".into()));
        assert_eq!(wrong("/{1..x}").len(), 1);
        assert_eq!(wrong("/{a|}").len(), 1);
        assert_eq!(wrong("/{1..99999999999999999999}").len(), 1);
    }

    #[test]
    fn a_body_keeps_the_braces_that_are_none_of_the_forms() {
        let body = Template::body(r#"{"id": {1..9}, "kind": "{a|b}", "x": {"y": []}}"#);
        let text = body.fill(|_| 0);
        assert_eq!(text, r#"{"id": 1, "kind": "a", "x": {"y": []}}"#);
        assert_eq!(body.written(), r#"{"id": {1..9}, "kind": "{a|b}", "x": {"y": []}}"#);
        assert_eq!(Template::body("{{1..9}}").fill(|_| 0), "{1}");
    }
}
