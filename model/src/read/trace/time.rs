//! A time in a file of arrivals.

use ::time::{Date, Month, PrimitiveDateTime, Time as TimeOfDay, UtcOffset};

/// Nanoseconds of a second.
pub(super) const SECOND: u64 = 1_000_000_000;
/// From here on, seconds are counted from 1970 and not from the start of a run: 1973.
pub(super) const FIRST_EPOCH: u64 = 100_000_000;
/// From here on, they can be no seconds: these are milliseconds since 1970.
const FIRST_MILLIS: u64 = 100_000_000_000;
/// Digits of a second that count.
const DIGITS: usize = 9;

const ALLOWED: &str = "seconds from the start as in 12.5, seconds since 1970 as in 1795888448.25, \
                       or ISO 8601 as in 2026-11-28T17:54:08.25Z";
const MILLIS: &str = "seconds: divide milliseconds by 1000";

/// A time as one of its forms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Time {
    /// Nanoseconds from the start of the run.
    FromStart(u64),
    /// Nanoseconds since 1970, written as a number.
    Epoch(i128),
    /// Nanoseconds since 1970, written as date and time.
    Calendar(i128),
}

impl Time {
    pub(super) fn parse(text: &str) -> Result<Time, &'static str> {
        if text.contains(['-', ':', 'T']) && !text.starts_with('-') {
            return iso(text).map(Time::Calendar).ok_or(ALLOWED);
        }
        let (seconds, nanos) = decimal(text).ok_or(ALLOWED)?;
        match seconds {
            FIRST_MILLIS.. => Err(MILLIS),
            FIRST_EPOCH.. => {
                Ok(Time::Epoch(i128::from(seconds) * i128::from(SECOND) + i128::from(nanos)))
            }
            _ => Ok(Time::FromStart(seconds * SECOND + nanos)),
        }
    }

    /// `28/Nov/2026:17:54:08 +0000`.
    pub(super) fn of_log(text: &str) -> Option<Time> {
        let (moment, zone) = text.split_once(' ')?;
        let (date, clock) = moment.split_once(':')?;
        let mut parts = date.split('/');
        let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
        let months = "JanFebMarAprMayJunJulAugSepOctNovDec";
        let index = months.find(month).filter(|index| index % 3 == 0 && month.len() == 3)?;
        let date = date_of(year, u8::try_from(index / 3 + 1).ok()?, day)?;
        moment_of(date, clock, zone).map(Time::Calendar)
    }

    /// Nanoseconds from the start of the run, if the first line of the file is `first`. None if
    /// the two have different forms; none inside of it if this one is earlier.
    pub(super) fn since(self, first: Time) -> Option<Option<u64>> {
        match (self, first) {
            (Time::FromStart(nanos), Time::FromStart(_)) => Some(Some(nanos)),
            (Time::Epoch(at), Time::Epoch(start)) | (Time::Calendar(at), Time::Calendar(start)) => {
                Some(u64::try_from(at - start).ok())
            }
            _ => None,
        }
    }
}

/// Seconds and nanoseconds of a number such as `12.5`; digits beyond the ninth are cut.
fn decimal(text: &str) -> Option<(u64, u64)> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let empty = whole.is_empty() && part.is_empty();
    if empty || !digits(whole) || !digits(part) {
        return None;
    }
    let whole = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let part: u64 = format!("{:0<DIGITS$}", &part[..part.len().min(DIGITS)]).parse().ok()?;
    Some((whole, part))
}

/// `2026-11-28T17:54:08.25Z`: a blank may stand for the `T`, and without a zone it is UTC.
fn iso(text: &str) -> Option<i128> {
    let (date, rest) = text.split_once(['T', ' '])?;
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let date = date_of(year, month.parse().ok()?, day).filter(|_| parts.next().is_none())?;
    let (clock, zone) = match rest.find(['Z', '+', '-']) {
        Some(index) => rest.split_at(index),
        None => (rest, "Z"),
    };
    moment_of(date, clock.trim_end(), zone)
}

fn date_of(year: &str, month: u8, day: &str) -> Option<Date> {
    let year = year.parse().ok().filter(|_| year.len() == 4)?;
    Date::from_calendar_date(year, Month::try_from(month).ok()?, day.parse().ok()?).ok()
}

/// Nanoseconds since 1970 of a day, a time such as `17:54:08.25` and a zone.
fn moment_of(date: Date, clock: &str, zone: &str) -> Option<i128> {
    let mut parts = clock.split(':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    let (second, nanos) = decimal(second).filter(|_| parts.next().is_none())?;
    let (hour, minute) = (hour.parse().ok()?, minute.parse().ok()?);
    let clock =
        TimeOfDay::from_hms_nano(hour, minute, u8::try_from(second).ok()?, nanos as u32).ok()?;
    let moment = PrimitiveDateTime::new(date, clock).assume_offset(offset(zone)?);
    Some(moment.unix_timestamp_nanos())
}

/// `Z`, `+02:00`, `-0130`.
fn offset(zone: &str) -> Option<UtcOffset> {
    if zone == "Z" {
        return Some(UtcOffset::UTC);
    }
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+", digits) => (1, digits.replace(':', "")),
        ("-", digits) => (-1, digits.replace(':', "")),
        _ => return None,
    };
    if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes): (i8, i8) = (digits[..2].parse().ok()?, digits[2..].parse().ok()?);
    UtcOffset::from_hms(sign * hours, sign * minutes, 0).ok()
}
