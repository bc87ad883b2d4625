//! Times of day as programs write them.

/// Seconds since 1970 of a number or a date: seconds, milliseconds, microseconds or nanoseconds since
/// 1970, ISO 8601 with a fraction and a zone, or `28/Nov/2026:18:30:19 +0000`. A date without a zone is
/// taken for UTC.
pub fn instant(text: &str) -> Option<f64> {
    let text = text.trim_matches(|c: char| c == '[' || c == ']' || c == '"' || c.is_whitespace());
    let bytes = text.as_bytes();
    if bytes.len() < 9 || !text.is_ascii() {
        return None;
    }
    let time = match bytes.iter().find(|byte| !byte.is_ascii_digit()) {
        None | Some(b'.') => epoch(text),
        Some(b'-') if bytes[4] == b'-' => iso(text),
        Some(b'/') => common(text),
        _ => None,
    };
    time.filter(|time| time.is_finite())
}

/// The instant of a line of a log. Logs cut off what they do not write: a time in whole seconds stands
/// for all of its second, and is taken as the middle of it.
pub fn of_line(text: &str) -> Option<f64> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let is_number = text.trim().bytes().all(|byte| byte.is_ascii_digit());
    let is_finer = text.contains(['.', ',']) || (is_number && digits > 11);
    instant(text).map(|time| time + if is_finer { 0.0 } else { 0.5 })
}

/// A number of seconds since 1970, or of a smaller unit, told by its size.
pub fn epoch(text: &str) -> Option<f64> {
    let whole = text.split('.').next()?.len();
    let number: f64 = match text.contains('.') {
        true => text.parse().ok()?,
        false => text.parse::<u64>().ok()? as f64,
    };
    let unit = match whole {
        9..=11 => 1.0,
        12..=14 => 1e3,
        15..=17 => 1e6,
        18..=20 => 1e9,
        _ => return None,
    };
    Some(number / unit)
}

/// `2026-11-28T18:30:19.914262282Z`, with a blank or a comma as others write it.
fn iso(text: &str) -> Option<f64> {
    let day = days(number(text.get(0..4)?)?, number(text.get(5..7)?)?, number(text.get(8..10)?)?)?;
    if text.as_bytes().get(7) != Some(&b'-') {
        return None;
    }
    let Some(rest) = text.get(11..) else { return (text.len() == 10).then_some(day) };
    if !matches!(text.as_bytes()[10], b'T' | b' ' | b't' | b'_') {
        return None;
    }
    let seconds = clock(rest.get(0..8)?)?;
    let rest = rest.get(8..)?;
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (fraction, zone) = match rest.strip_prefix(['.', ',']) {
        Some(rest) => rest.split_at(digits(rest)),
        None => ("", rest),
    };
    let fraction = match fraction {
        "" => 0.0,
        _ => fraction.parse::<f64>().ok()? / 10f64.powi(fraction.len() as i32),
    };
    Some(day + seconds + fraction - offset(zone.trim())?)
}

/// `28/Nov/2026:18:30:19 +0000`: the form of the common log.
fn common(text: &str) -> Option<f64> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let month = MONTHS.find(text.get(3..6)?).filter(|place| place % 3 == 0)? as u64 / 3 + 1;
    let day = days(number(text.get(7..11)?)?, month, number(text.get(0..2)?)?)?;
    let marks = [(2, b'/'), (6, b'/'), (11, b':')];
    if marks.iter().any(|(place, mark)| text.as_bytes().get(*place) != Some(mark)) {
        return None;
    }
    Some(day + clock(text.get(12..20)?)? - offset(text.get(20..)?.trim())?)
}

/// Seconds of a day: `18:30:19`.
pub fn clock(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    if bytes.len() != 8 || bytes[2] != b':' || bytes[5] != b':' {
        return None;
    }
    let part = |from: usize| number(text.get(from..from + 2)?);
    let (hours, minutes, seconds) = (part(0)?, part(3)?, part(6)?);
    let possible = hours < 24 && minutes < 60 && seconds <= 60;
    possible.then_some((hours * 3600 + minutes * 60 + seconds) as f64)
}

/// Seconds since 1970 at the beginning of a day.
pub fn days(year: u64, month: u64, day: u64) -> Option<f64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !(1970..=9999).contains(&year) {
        return None;
    }
    // Years from March on, in eras of 400: Howard Hinnant, "chrono-compatible low-level date algorithms".
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    Some((days as f64 - 719_468.0) * 86_400.0)
}

/// Seconds by which a zone is ahead of UTC: `Z`, `+01:00`, `-0500`, `+02`, nothing.
fn offset(zone: &str) -> Option<f64> {
    let sign = match zone.as_bytes().first() {
        None => return Some(0.0),
        Some(b'Z' | b'z') if zone.len() == 1 => return Some(0.0),
        Some(b'+') => 1.0,
        Some(b'-') => -1.0,
        Some(_) => return (zone == "UTC").then_some(0.0),
    };
    let digits: String = zone.get(1..)?.chars().filter(|c| *c != ':').collect();
    let number = number(&digits)?;
    match digits.len() {
        2 => Some(sign * (number * 3600) as f64),
        4 => Some(sign * ((number / 100) * 3600 + (number % 100) * 60) as f64),
        _ => None,
    }
}

/// A number of decimal digits alone.
fn number(digits: &str) -> Option<u64> {
    let all = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if all { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_form() {
        let at = 1_795_890_619.0;
        for (text, seconds) in [
            ("1795890619", at),
            ("1795890619.25", at + 0.25),
            ("1795890619250", at + 0.25),
            ("1795890619250000", at + 0.25),
            ("1795890619250000000", at + 0.25),
            ("2026-11-28T18:30:19Z", at),
            ("2026-11-28T18:30:19.250Z", at + 0.25),
            ("2026-11-28 18:30:19,250", at + 0.25),
            ("2026-11-28T19:30:19.25+01:00", at + 0.25),
            ("[28/Nov/2026:18:30:19 +0000]", at),
            ("28/Nov/2026:13:30:19 -0500", at),
            ("2026-11-28", at - 66_619.0),
        ] {
            let found = instant(text).unwrap_or_else(|| panic!("{text}"));
            assert!((found - seconds).abs() < 1e-6, "{text}: {found}");
        }
        for wrong in
            ["", "12", "2026-13-28T18:30:19Z", "28/Foo/2026:18:30:19", "2026-11-28T18:3", "-"]
        {
            assert_eq!(instant(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_line_in_whole_seconds_lies_in_the_middle_of_its_second() {
        for (text, beyond) in [
            ("[28/Nov/2026:18:30:19 +0000]", 0.5),
            ("2026-11-28T18:30:19Z", 0.5),
            ("1795890619", 0.5),
            ("1795890619.000", 0.0),
            ("1795890619000", 0.0),
            ("2026-11-28T18:30:19.000Z", 0.0),
        ] {
            assert_eq!(of_line(text), Some(1_795_890_619.0 + beyond), "{text}");
        }
    }
}
