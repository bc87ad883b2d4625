//! A number with the unit in which its key is written.

use std::fmt;

use crate::keys::Typed;
use crate::units::{Span, parse_percent, parse_rate, parse_size};

/// The value of a key that is a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Quantity {
    /// A length of time.
    Span(Span),
    /// Events per second.
    Rate(f64),
    /// A percentage.
    Percent(f64),
    /// Bytes.
    Size(u64),
    /// Whole things.
    Integer(u64),
    /// Any number.
    Number(f64),
}

impl Quantity {
    /// The number that a checked value is; none if it is a word, a text or a table.
    pub(crate) fn of(value: &Typed) -> Option<Quantity> {
        Some(match value {
            Typed::Span(span) => Quantity::Span(*span),
            Typed::Distribution(written) => Quantity::Span(written.constant()?),
            Typed::Rate(rate) => Quantity::Rate(*rate),
            Typed::Percent(percent) => Quantity::Percent(*percent),
            Typed::Size(bytes) => Quantity::Size(*bytes),
            Typed::Integer(integer) => Quantity::Integer(*integer),
            Typed::Number(number) => Quantity::Number(*number),
            _ => return None,
        })
    }

    /// Reads another value of the same key.
    ///
    /// # Errors
    /// A sentence fragment that says what such a value looks like.
    pub fn parse_like(&self, text: &str) -> Result<Quantity, String> {
        let text = text.trim();
        match self {
            Quantity::Span(_) => Span::parse(text).map(Quantity::Span),
            Quantity::Rate(_) => parse_rate(text).map(Quantity::Rate),
            Quantity::Percent(_) => parse_percent(text).map(Quantity::Percent),
            Quantity::Size(_) => parse_size(text).map(Quantity::Size),
            Quantity::Integer(_) => text
                .parse()
                .map(Quantity::Integer)
                .map_err(|_| "a whole number in quotes, as in \"3\"".into()),
            Quantity::Number(_) => match text.parse() {
                Ok(number) if f64::is_finite(number) => Ok(Quantity::Number(number)),
                _ => Err("a number in quotes, as in \"2.5\"".into()),
            },
        }
    }

    /// The number without its unit: seconds, events per second, percent, bytes, a count.
    pub fn number(&self) -> f64 {
        match *self {
            Quantity::Span(span) => span.secs_f64(),
            Quantity::Rate(number) | Quantity::Percent(number) | Quantity::Number(number) => number,
            Quantity::Size(integer) | Quantity::Integer(integer) => integer as f64,
        }
    }

    /// The value nearest to `number` that this key can have as far as its kind goes: nothing
    /// is below zero, and things are counted whole.
    #[must_use]
    pub fn at(&self, number: f64) -> Quantity {
        let positive = number.max(0.0);
        match self {
            Quantity::Span(_) => Quantity::Span(Span::from_secs_f64(positive)),
            Quantity::Rate(_) => Quantity::Rate(positive),
            Quantity::Percent(_) => Quantity::Percent(positive.min(100.0)),
            // `as` saturates.
            Quantity::Size(_) => Quantity::Size(libm::round(positive) as u64),
            Quantity::Integer(_) => Quantity::Integer(libm::round(positive) as u64),
            Quantity::Number(_) => Quantity::Number(positive),
        }
    }

    /// The value with so many significant digits; whole things stay as they are.
    #[must_use]
    pub fn rounded(&self, digits: i32) -> Quantity {
        let number = self.number();
        if matches!(self, Quantity::Size(_) | Quantity::Integer(_)) || number == 0.0 {
            return *self;
        }
        let scale = libm::pow(10.0, f64::from(digits - 1) - libm::floor(libm::log10(number.abs())));
        let rounded = libm::round(number * scale) / scale;
        if rounded.is_finite() { self.at(rounded) } else { *self }
    }
}

impl fmt::Display for Quantity {
    /// As a file has it, without quotes.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Quantity::Span(span) => span.fmt(out),
            Quantity::Rate(rate) => write!(out, "{rate}/s"),
            Quantity::Percent(percent) => write!(out, "{percent}%"),
            Quantity::Size(bytes) => write!(out, "{bytes}B"),
            Quantity::Integer(integer) => write!(out, "{integer}"),
            Quantity::Number(number) => write!(out, "{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_in_the_unit_of_its_key_and_printed_in_it() {
        for (like, text) in [
            (Quantity::Span(Span::ZERO), "4.3ms"),
            (Quantity::Rate(1.0), "20.5/s"),
            (Quantity::Percent(1.0), "5%"),
            (Quantity::Integer(1), "3"),
            (Quantity::Number(1.0), "2.5"),
        ] {
            assert_eq!(like.parse_like(text).map(|read| read.to_string()), Ok(text.to_string()));
            assert!(like.parse_like("much").is_err(), "{like}");
        }
        assert!(Quantity::Integer(1).parse_like("2.5").is_err());
    }

    #[test]
    fn rounding_keeps_significant_digits() {
        let span = |seconds| Quantity::Span(Span::from_secs_f64(seconds)).rounded(3).to_string();
        assert_eq!(span(0.004_312_345), "4.31ms");
        assert_eq!(span(0.000_099_96), "100us");
        assert_eq!(span(0.0), "0s");
        assert_eq!(Quantity::Integer(12_345).rounded(2), Quantity::Integer(12_345));
    }
}
