//! Values that are written as a range.
//!
//! `1..8` are the whole numbers from 1 to 8, `100ms..1s:100ms` goes on by 100 ms and `1..64*2` doubles.
//! The end belongs to the range where a step meets it.

use crate::statistics::round_significant;
use crate::units::{Span, parse_rate, parse_share, parse_size};

/// Most values of one range.
const MOST: usize = 100_000;

/// What kind of number a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Without a unit.
    Plain,
    /// Seconds.
    Time,
    /// Per second.
    Rate,
    /// Bytes.
    Size,
    /// A part of a whole, from 0 to 1.
    Share,
}

const KINDS: [Kind; 5] = [Kind::Plain, Kind::Time, Kind::Rate, Kind::Size, Kind::Share];

impl Kind {
    /// The number; none if the text is of another kind.
    fn read(self, text: &str) -> Option<f64> {
        let text = text.trim().trim_matches(['"', '\'']);
        let number = match self {
            Kind::Plain => text.parse().ok(),
            Kind::Time => Span::parse(text).ok().map(Span::secs_f64),
            Kind::Rate => parse_rate(text).ok(),
            Kind::Size => parse_size(text).ok().map(|bytes| bytes as f64),
            Kind::Share => parse_share(text).ok(),
        };
        number.filter(|x| x.is_finite())
    }

    /// The number as a file has it.
    fn write(self, number: f64) -> String {
        let plain = |x: f64| round_significant(x).to_string();
        match self {
            Kind::Plain => plain(number),
            Kind::Time => Span::from_secs_f64(number).to_string(),
            Kind::Rate => format!("{}/s", plain(number)),
            Kind::Size => size(libm::round(number) as u64),
            Kind::Share => format!("{}%", plain(number * 100.0)),
        }
    }
}

/// Bytes in the largest unit that divides them.
fn size(bytes: u64) -> String {
    let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match units.into_iter().find(|(_, unit)| bytes > 0 && bytes.is_multiple_of(*unit)) {
        Some((name, unit)) => format!("{}{name}", bytes / unit),
        None => format!("{bytes}B"),
    }
}

/// The values as numbers that can be compared; none unless all are of one kind: plain
/// numbers, times, rates, sizes or shares.
pub(super) fn numbers(values: &[String]) -> Option<Vec<f64>> {
    of_a_kind(values).map(|(_, numbers)| numbers)
}

/// The same, with their kind.
pub(super) fn of_a_kind(values: &[String]) -> Option<(Kind, Vec<f64>)> {
    KINDS.into_iter().find_map(|kind| {
        let all: Option<Vec<f64>> = values.iter().map(|value| kind.read(value)).collect();
        all.map(|all| (kind, all))
    })
}

/// The values with every range in place of its text; or every problem of any.
pub(super) fn expand(values: &[String]) -> Result<Vec<String>, Vec<String>> {
    let (mut all, mut problems) = (Vec::new(), Vec::new());
    for value in values {
        match range(value) {
            None => all.push(value.clone()),
            Some(Ok(range)) => all.extend(range),
            Some(Err(problem)) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(all) } else { Err(problems) }
}

/// How a range goes on.
#[derive(Clone, Copy, Debug)]
enum Pace {
    By(f64),
    Times(f64),
}

/// The values of a range; none if the text is none: a path or a name may have two dots in it, too.
fn range(text: &str) -> Option<Result<Vec<String>, String>> {
    if text.contains(['"', '\'', '{', '[']) {
        return None;
    }
    let (from, rest) = text.split_once("..")?;
    let (to, pace) = match rest.find([':', '*']) {
        Some(at) => (&rest[..at], Some(&rest[at..])),
        None => (rest, None),
    };
    let both = |kind: Kind| Some((kind, kind.read(from)?, kind.read(to)?));
    let is_number = |text: &str| KINDS.iter().any(|kind| kind.read(text).is_some());
    let Some((kind, from, to)) = KINDS.into_iter().find_map(both) else {
        return (is_number(from) || is_number(to)).then(|| {
            Err(format!("`{text}` is no range: both ends are numbers with the same kind of unit"))
        });
    };
    Some(values(text, kind, (from, to), pace))
}

fn values(
    text: &str,
    kind: Kind,
    (from, to): (f64, f64),
    pace: Option<&str>,
) -> Result<Vec<String>, String> {
    let pace = match pace.map(|pace| pace.split_at(1)) {
        None if kind == Kind::Plain && from.fract() == 0.0 && to.fract() == 0.0 => Pace::By(1.0),
        None => {
            return Err(format!(
                "`{text}` has no step: write one, as in 100ms..1s:100ms, or a factor, as in 1..64*2"
            ));
        }
        Some(("*", factor)) => {
            Pace::Times(Kind::Plain.read(factor).ok_or_else(|| {
                format!("`{factor}` is no factor: a number above 1, as in 1..64*2")
            })?)
        }
        Some((_, step)) => Pace::By(kind.read(step).ok_or_else(|| {
            format!("`{step}` is no step of `{text}`: a number with the unit of its ends")
        })?),
    };
    if to < from {
        return Err(format!("`{text}` is empty: its end lies below its start"));
    }
    let count = match pace {
        Pace::By(step) if step > 0.0 => (to - from) / step,
        Pace::Times(factor) if factor > 1.0 && from > 0.0 => {
            libm::log(to / from) / libm::log(factor)
        }
        Pace::By(_) => return Err(format!("`{text}` never ends: its step is above 0")),
        Pace::Times(_) => {
            return Err(format!("`{text}` never ends: its factor is above 1, its start above 0"));
        }
    };
    // Steps of 0.1 do not add up to the bit.
    let count = libm::floor(count + 1e-9) as usize + 1;
    if count > MOST {
        return Err(format!("`{text}` has {count} values: at most {MOST}"));
    }
    let value = |index: usize| match pace {
        Pace::By(step) => from + index as f64 * step,
        Pace::Times(factor) => from * libm::pow(factor, index as f64),
    };
    Ok((0..count).map(|index| kind.write(value(index))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> String {
        match expand(&[text.to_string()]) {
            Ok(values) => values.join(" "),
            Err(problems) => problems.join("; "),
        }
    }

    #[test]
    fn a_range_goes_by_steps_or_by_a_factor_to_its_end() {
        for (text, values) in [
            ("1..4", "1 2 3 4"),
            ("1..8:3", "1 4 7"),
            ("0.1..0.5:0.1", "0.1 0.2 0.3 0.4 0.5"),
            ("1..64*4", "1 4 16 64"),
            ("10..100*1.5", "10 15 22.5 33.75 50.625 75.9375"),
            ("250ms..1s:250ms", "250ms 500ms 750ms 1s"),
            ("1s..10s*3", "1s 3s 9s"),
            ("10/s..30/s:10/s", "10/s 20/s 30/s"),
            ("1%..4%*2", "1% 2% 4%"),
            ("1MiB..2MiB:512KiB", "1MiB 1536KiB 2MiB"),
            ("5..5", "5"),
            // No ranges.
            ("costs/a..b.toml", "costs/a..b.toml"),
            ("\"1..2\"", "\"1..2\""),
            ("{ p50 = \"1..2\" }", "{ p50 = \"1..2\" }"),
        ] {
            assert_eq!(of(text), values, "{text}");
        }
    }

    #[test]
    fn a_range_without_values_or_end_is_explained() {
        for (text, told) in [
            ("8..1", "`8..1` is empty: its end lies below its start"),
            ("1..x", "`1..x` is no range: both ends are numbers with the same kind of unit"),
            ("1..2s", "`1..2s` is no range: both ends are numbers with the same kind of unit"),
            ("1..5:0", "`1..5:0` never ends: its step is above 0"),
            ("1..5*1", "`1..5*1` never ends: its factor is above 1, its start above 0"),
            ("0..5*2", "`0..5*2` never ends: its factor is above 1, its start above 0"),
            ("1s..5s:1", "`1` is no step of `1s..5s:1`: a number with the unit of its ends"),
            ("1..5*x", "`x` is no factor: a number above 1, as in 1..64*2"),
            ("1..1000000", "`1..1000000` has 1000000 values: at most 100000"),
        ] {
            assert_eq!(of(text), told, "{text}");
        }
        assert!(of("1s..2s").starts_with("`1s..2s` has no step: write one"), "{}", of("1s..2s"));
    }
}
