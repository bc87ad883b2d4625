//! Time, rates, sizes and shares, each with its unit in its type and in its text.
//!
//! Time is counted in integer nanoseconds so that sums are exact and every machine
//! agrees on every byte of an answer.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, Sub, SubAssign};

use serde::{Deserialize, Serialize};

/// Nanoseconds in a second.
pub const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// A length of time in integer nanoseconds. The longest is about 584 years.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Span(u64);

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);
    /// The longest span, which stands for "never".
    pub const MAX: Span = Span(u64::MAX);

    /// A span of whole nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Span {
        Span(nanos)
    }

    /// A span of whole microseconds.
    pub const fn from_micros(micros: u64) -> Span {
        Span(micros * 1_000)
    }

    /// A span of whole milliseconds.
    pub const fn from_millis(millis: u64) -> Span {
        Span(millis * 1_000_000)
    }

    /// A span of whole seconds.
    pub const fn from_secs(seconds: u64) -> Span {
        Span(seconds * NANOS_PER_SECOND)
    }

    /// The span nearest to `nanos`, clamped to what a span can hold. Not-a-number is zero.
    pub fn from_nanos_f64(nanos: f64) -> Span {
        // `as` saturates and maps NaN to zero, which is what is wanted of a sample. From 2^53 on
        // there is no fraction to round, so that what is cut off is exact.
        let whole = nanos as u64;
        Span(whole.saturating_add(u64::from(nanos - whole as f64 >= 0.5)))
    }

    /// The span nearest to `seconds`.
    pub fn from_secs_f64(seconds: f64) -> Span {
        Span::from_nanos_f64(seconds * NANOS_PER_SECOND as f64)
    }

    /// Whole nanoseconds.
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// Seconds.
    pub fn secs_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_SECOND as f64
    }

    /// True if the span is empty.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// `self - other`, or zero if `other` is longer.
    pub const fn saturating_sub(self, other: Span) -> Span {
        Span(self.0.saturating_sub(other.0))
    }

    /// `self + other`, or [`Span::MAX`].
    pub const fn saturating_add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }

    /// The span times `factor`, rounded to the nearest nanosecond.
    pub fn scale(self, factor: f64) -> Span {
        if factor == 1.0 || self.is_zero() {
            return self;
        }
        Span::from_nanos_f64(self.0 as f64 * factor)
    }

    /// Reads a span such as `250ms`, `1.5s`, `40us`, `2m`, `1h` or `0s`.
    ///
    /// # Errors
    /// A sentence fragment that says what a span looks like.
    pub fn parse(text: &str) -> Result<Span, String> {
        let (number, unit) = split_unit(text);
        let factor = match unit {
            "ns" => 1,
            "us" | "µs" => 1_000,
            "ms" => 1_000_000,
            "s" => NANOS_PER_SECOND,
            "m" | "min" => 60 * NANOS_PER_SECOND,
            "h" => 3600 * NANOS_PER_SECOND,
            _ => return Err("a time with its unit: ns, us, ms, s, m or h, as in \"250ms\"".into()),
        };
        if let Some(nanos) = exact_product(number, factor)
            && nanos <= LONGEST_SPAN_NANOS as u64
        {
            return Ok(Span(nanos));
        }
        let value: f64 =
            number.parse().map_err(|_| "a time such as \"250ms\" or \"1.5s\"".to_string())?;
        let nanos = value * factor as f64;
        if !(0.0..=LONGEST_SPAN_NANOS).contains(&nanos) {
            return Err("a time between 0s and 1000000h".into());
        }
        Ok(Span::from_nanos_f64(nanos))
    }
}

/// `number` times `factor`, if the digits of `number` make that a whole number that fits.
///
/// The text of a [`Span`] is read back exactly, however long the span: a float would lose
/// nanoseconds after a few weeks.
fn exact_product(number: &str, factor: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let whole = whole.parse::<u64>().ok()?.checked_mul(factor)?;
    let scale = 10u64.pow(fraction.len() as u32);
    let part = match fraction {
        "" => 0,
        _ => fraction.parse::<u64>().ok()?.checked_mul(factor)?,
    };
    if part % scale == 0 { whole.checked_add(part / scale) } else { None }
}

/// A million hours: far beyond any load test, far below what overflows.
const LONGEST_SPAN_NANOS: f64 = 1e6 * 3600e9;

impl fmt::Display for Span {
    /// The shortest exact text: `250ms`, `1.5s`, `40us`, `7ns`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, size) = match self.0 {
            0 => return out.pad("0s"),
            n if n >= 1_000_000_000 => ("s", 1_000_000_000),
            n if n >= 1_000_000 => ("ms", 1_000_000),
            n if n >= 1_000 => ("us", 1_000),
            _ => ("ns", 1),
        };
        let whole = self.0 / size;
        let rest = self.0 % size;
        let text = if rest == 0 {
            format!("{whole}{unit}")
        } else {
            let digits = format!("{:0width$}", rest, width = size.ilog10() as usize);
            format!("{whole}.{}{unit}", digits.trim_end_matches('0'))
        };
        out.pad(&text)
    }
}

impl Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span(self.0 + other.0)
    }
}

impl AddAssign for Span {
    fn add_assign(&mut self, other: Span) {
        self.0 += other.0;
    }
}

impl Sub for Span {
    type Output = Span;
    fn sub(self, other: Span) -> Span {
        Span(self.0 - other.0)
    }
}

impl SubAssign for Span {
    fn sub_assign(&mut self, other: Span) {
        self.0 -= other.0;
    }
}

impl Mul<u64> for Span {
    type Output = Span;
    fn mul(self, factor: u64) -> Span {
        Span(self.0 * factor)
    }
}

impl Sum for Span {
    fn sum<I: Iterator<Item = Span>>(spans: I) -> Span {
        spans.fold(Span::ZERO, Add::add)
    }
}

/// A moment on the run's own clock: nanoseconds since its start.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Instant(u64);

impl Instant {
    /// The start of the run.
    pub const START: Instant = Instant(0);
    /// After everything.
    pub const NEVER: Instant = Instant(u64::MAX);

    /// The moment `nanos` nanoseconds after the start.
    pub const fn from_nanos(nanos: u64) -> Instant {
        Instant(nanos)
    }

    /// Nanoseconds since the start.
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// Seconds since the start.
    pub fn secs_f64(self) -> f64 {
        Span(self.0).secs_f64()
    }

    /// The time since `earlier`, or zero if `earlier` is later.
    pub const fn since(self, earlier: Instant) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Span> for Instant {
    type Output = Instant;
    /// Saturates at [`Instant::NEVER`], so that an endless span means never.
    fn add(self, span: Span) -> Instant {
        Instant(self.0.saturating_add(span.0))
    }
}

impl Sub<Instant> for Instant {
    type Output = Span;
    fn sub(self, earlier: Instant) -> Span {
        Span(self.0 - earlier.0)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        Span(self.0).fmt(out)
    }
}

/// Reads a rate such as `200/s`, `12.5/s` or `600/m`, in events per second.
///
/// # Errors
/// A sentence fragment that says what a rate looks like.
pub fn parse_rate(text: &str) -> Result<f64, String> {
    let allowed = || "a rate with its unit, as in \"200/s\" or \"600/m\"".to_string();
    let (number, unit) = text.split_once('/').ok_or_else(allowed)?;
    let per_second = match unit.trim() {
        "s" => 1.0,
        "m" | "min" => 1.0 / 60.0,
        "h" => 1.0 / 3600.0,
        _ => return Err(allowed()),
    };
    let value: f64 = number.trim().parse().map_err(|_| allowed())?;
    if !(0.0..=1e9).contains(&value) {
        return Err("a rate between 0/s and 1000000000/s".into());
    }
    Ok(value * per_second)
}

/// Reads a share such as `2.5%`, in percent: the number as written, to the bit.
///
/// # Errors
/// A sentence fragment that says what a share looks like.
pub fn parse_percent(text: &str) -> Result<f64, String> {
    parse_share(text)?;
    let number = text.trim().trim_end_matches('%').trim();
    number.parse().map(f64::abs).map_err(|_| "a share between \"0%\" and \"100%\"".to_string())
}

/// Reads a size such as `64KiB`, `1.5MiB`, `10kB` or `512B`, in bytes.
///
/// # Errors
/// A sentence fragment that says what a size looks like.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let (number, unit) = split_unit(text);
    let factor = match unit {
        "B" => 1.0,
        "kB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "KiB" => 1024.0,
        "MiB" => 1024.0 * 1024.0,
        "GiB" => 1024.0 * 1024.0 * 1024.0,
        _ => {
            return Err(
                "a size with its unit: B, kB, MB, GB, KiB, MiB or GiB, as in \"64KiB\"".into()
            );
        }
    };
    let value: f64 = number.parse().map_err(|_| "a size such as \"64KiB\"".to_string())?;
    let bytes = value * factor;
    if !(0.0..=1e15).contains(&bytes) {
        return Err("a size between 0B and 1000000GB".into());
    }
    Ok(libm::round(bytes) as u64)
}

/// Reads a share such as `1%`, `0.25%` or `100%` as a fraction between 0 and 1.
///
/// # Errors
/// A sentence fragment that says what a share looks like.
pub fn parse_share(text: &str) -> Result<f64, String> {
    let allowed = || "a share between \"0%\" and \"100%\"".to_string();
    let number = text.trim().strip_suffix('%').ok_or_else(allowed)?;
    let percent: f64 = number.trim().parse().map_err(|_| allowed())?;
    if !(0.0..=100.0).contains(&percent) {
        return Err(allowed());
    }
    Ok(percent / 100.0)
}

/// Splits `1.5ms` into `1.5` and `ms`; blanks around either are dropped.
fn split_unit(text: &str) -> (&str, &str) {
    let text = text.trim();
    let at = text.find(|c: char| c.is_alphabetic()).unwrap_or(text.len());
    (text[..at].trim(), text[at..].trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_and_print_their_unit() {
        for (text, nanos) in [
            ("0s", 0),
            ("7ns", 7),
            ("40us", 40_000),
            ("40µs", 40_000),
            ("1.5ms", 1_500_000),
            ("250 ms", 250_000_000),
            ("2m", 120_000_000_000),
            ("1h", 3_600_000_000_000),
        ] {
            assert_eq!(Span::parse(text), Ok(Span::from_nanos(nanos)), "{text}");
        }
        assert_eq!(Span::from_nanos(1_500_000).to_string(), "1.5ms");
        assert_eq!(Span::from_nanos(1_000_000_001).to_string(), "1.000000001s");
        assert_eq!(Span::ZERO.to_string(), "0s");
    }

    #[test]
    fn every_span_reads_back_what_it_prints() {
        let mut nanos = 1u64;
        while nanos < LONGEST_SPAN_NANOS as u64 / 3 {
            let span = Span::from_nanos(nanos);
            assert_eq!(Span::parse(&span.to_string()), Ok(span));
            nanos = nanos * 3 + 1;
        }
        let longest = Span::from_nanos(LONGEST_SPAN_NANOS as u64);
        assert_eq!(Span::parse(&longest.to_string()), Ok(longest));
    }

    #[test]
    fn spans_without_a_unit_or_out_of_range_are_refused() {
        for text in ["5", "", "ms", "-1s", "1e400s", "nans", "infs", "5 parsecs", "2000000h"] {
            assert!(Span::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn rates_sizes_and_shares_read_their_unit() {
        assert_eq!(parse_rate("600/m"), Ok(10.0));
        assert!(parse_rate("600").is_err());
        assert_eq!(parse_size("64KiB"), Ok(65_536));
        assert!(parse_size("64").is_err());
        assert_eq!(parse_share("2.5%"), Ok(0.025));
        assert!(parse_share("101%").is_err());
        assert!(parse_share("0.5").is_err());
    }
}
