//! Bars of characters.

/// A bar `width` columns long, of which the `share`, between 0 and 1, is full.
pub(super) fn bar(share: f64, width: usize) -> String {
    let full = filled(share, width);
    "█".repeat(full) + &"░".repeat(width - full)
}

/// The same as one bar among others: without the part that is empty, and with the last eighths.
pub(super) fn length(share: f64, width: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (clamped(share) * width as f64 * 8.0).round() as usize;
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

fn clamped(share: f64) -> f64 {
    if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 }
}

/// What is more than nothing is seen, and what is not whole is not seen as whole.
fn filled(share: f64, width: usize) -> usize {
    let share = clamped(share);
    let full = (share * width as f64).round() as usize;
    match share {
        0.0 => 0,
        1.0 => width,
        _ => full.max(1).min(width.saturating_sub(1).max(1)).min(width),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_full_only_when_all_is_in_use() {
        assert_eq!(bar(0.5, 4), "██░░");
        assert_eq!(bar(0.999, 4), "███░");
        assert_eq!(bar(0.001, 4), "█░░░");
        assert_eq!(
            (bar(0.0, 3), bar(1.0, 3), bar(7.0, 3)),
            ("░░░".into(), "███".into(), "███".into())
        );
        assert_eq!(
            (bar(f64::NAN, 2), bar(0.5, 0), bar(0.5, 1)),
            ("░░".into(), "".into(), "█".into())
        );
        let lengths = [0.5, 0.6, 0.15, 0.001, 1.0, f64::NAN].map(|share| length(share, 4));
        assert_eq!(lengths, ["██", "██▍", "▋", "", "████", ""]);
    }
}
