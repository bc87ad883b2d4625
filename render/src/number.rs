//! Numbers with as many digits as they deserve, and their units.

use model::statistics::Estimate;

/// `digits` significant digits, never an exponent: `20.4`, `1.68`, `12345`.
pub fn significant(x: f64, digits: usize) -> String {
    if !x.is_finite() {
        return "-".into();
    }
    if x == 0.0 {
        return "0".into();
    }
    let rounded = round_to(x, digits);
    let magnitude = rounded.abs().log10().floor() as i64;
    let decimals = (digits as i64 - 1 - magnitude).clamp(0, 9) as usize;
    // The digits before the point are all shown, however many there are.
    if decimals == 0 { format!("{x:.0}") } else { format!("{rounded:.decimals$}") }
}

/// The nearest number of so many significant digits; `9.996` becomes `10.0`, which the
/// choice of decimals and of units has to know beforehand.
fn round_to(x: f64, digits: usize) -> f64 {
    format!("{x:.*e}", digits - 1).parse().unwrap_or(x)
}

/// A rate per second, without its unit.
pub fn rate(x: f64) -> String {
    significant(x, 3)
}

/// Half an interval of a rate, written with the decimals of the rate.
pub fn rate_half(estimate: &Estimate) -> String {
    significant(estimate.half_width(), 2)
}

/// A time with the unit that suits it: `8.66 s`, `26.0 ms`, `450 µs`.
pub fn time(seconds: f64) -> String {
    time_digits(seconds, 3)
}

/// A time with so many digits.
pub fn time_digits(seconds: f64, digits: usize) -> String {
    let size = round_to(seconds, digits).abs();
    let (factor, unit) = match size {
        _ if size < 1e-9 => return "0 s".into(),
        _ if size >= 1.0 => (1.0, "s"),
        _ if size >= 1e-3 => (1e3, "ms"),
        _ if size >= 1e-6 => (1e6, "µs"),
        _ => (1e9, "ns"),
    };
    format!("{} {unit}", significant(seconds * factor, digits))
}

/// A time as it was given: `10 s`, `0.5 s`.
pub fn exact_time(seconds: f64) -> String {
    format!("{seconds} s")
}

/// A share: `84 %`, `9.8 %`, `0.2 %`.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent.abs() {
        0.0 => "0 %".into(),
        x if !x.is_finite() => "-".into(),
        x if x < 0.1 => "<0.1 %".into(),
        x if x < 9.95 => format!("{percent:.1} %"),
        x if x < 99.5 => format!("{percent:.0} %"),
        // 99.6 % in use and 100 % are different answers.
        x if x < 99.95 => format!("{percent:.1} %"),
        _ => format!("{percent:.0} %"),
    }
}

/// A gain or a loss: `+96 %`, `-5.6 %`, `0.0 %`.
pub fn change(share: f64) -> String {
    let percent = share * 100.0;
    match percent.abs() {
        x if !x.is_finite() => "-".into(),
        x if x < 0.05 => "0.0 %".into(),
        x if x < 99.95 => format!("{percent:+.1} %"),
        _ => format!("{percent:+.0} %"),
    }
}

/// Bytes: `130 MiB`.
pub fn bytes(bytes: f64) -> String {
    const KIB: f64 = 1024.0;
    let (size, unit) = match bytes {
        b if b >= KIB * KIB * KIB => (KIB * KIB * KIB, "GiB"),
        b if b >= KIB * KIB => (KIB * KIB, "MiB"),
        b if b >= KIB => (KIB, "KiB"),
        _ => (1.0, "B"),
    };
    format!("{} {unit}", significant(bytes / size, 3))
}

/// A number of things: whole if it is whole, else with three digits.
pub fn count(x: f64) -> String {
    if x.fract() == 0.0 || x.abs() >= 100.0 { format!("{x:.0}") } else { significant(x, 3) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_even_where_rounding_adds_one() {
        for (x, text) in [
            (20.4123, "20.4"),
            (1.6789, "1.68"),
            (9.996, "10.0"),
            (999.6, "1000"),
            (12345.6, "12346"),
            (0.0123456, "0.0123"),
            (0.0, "0"),
            (f64::INFINITY, "-"),
        ] {
            assert_eq!(significant(x, 3), text, "{x}");
        }
    }

    #[test]
    fn times_have_the_unit_that_suits_them() {
        for (seconds, text) in [
            (8.6612, "8.66 s"),
            (0.026, "26.0 ms"),
            (0.9999, "1.00 s"),
            (0.00045, "450 µs"),
            (3e-8, "30.0 ns"),
            (0.0, "0 s"),
        ] {
            assert_eq!(time(seconds), text);
        }
    }

    #[test]
    fn shares_and_changes() {
        let shares = [(0.0, "0 %"), (0.0004, "<0.1 %"), (0.002, "0.2 %"), (0.84, "84 %")];
        for (share, text) in shares {
            assert_eq!(percent(share), text);
        }
        assert_eq!(percent(0.996), "99.6 %");
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(change(0.961), "+96.1 %");
        assert_eq!(change(-0.0001), "0.0 %");
        assert_eq!(change(40.0), "+4000 %");
    }

    #[test]
    fn sizes() {
        assert_eq!(bytes(130.0 * 1024.0 * 1024.0), "130 MiB");
        assert_eq!(bytes(512.0), "512 B");
    }
}
