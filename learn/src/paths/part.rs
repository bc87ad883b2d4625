//! What one part of a path looks like.

/// What stands at a place where the parts of paths vary.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Decimal digits.
    Number,
    /// Of 32 hexadecimal digits in five groups.
    Uuid,
    /// A year, a month and a day.
    Date,
    /// At least eight hexadecimal digits.
    Hex,
    /// Letters and digits without a meaning for people.
    Token,
    /// Anything: names, titles.
    Word,
    /// All parts to the end of the path.
    Rest,
    /// A placeholder of a known route, by its name there.
    Named(Box<str>),
}

impl Kind {
    /// Its name between braces.
    pub fn name(&self) -> &str {
        match self {
            Kind::Number => "id",
            Kind::Uuid => "uuid",
            Kind::Date => "date",
            Kind::Hex => "hex",
            Kind::Token => "token",
            Kind::Word => "slug",
            Kind::Rest => "rest",
            Kind::Named(name) => name,
        }
    }

    /// What `part` says by itself, whatever other paths say; none for what may be a fixed word.
    pub(super) fn of(part: &str) -> Option<Kind> {
        let bytes = part.as_bytes();
        let first = *bytes.first()?;
        // Nearly all fixed parts end here.
        if bytes.len() < 8 && !first.is_ascii_digit() && !matches!(first, b'{' | b':' | b'<') {
            return None;
        }
        let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
        if digits == bytes.len() {
            return Some(Kind::Number);
        }
        if let Some(name) = placeholder(part) {
            return Some(Kind::Named(name.into()));
        }
        if grouped(bytes, &[8, 4, 4, 4, 12], u8::is_ascii_hexdigit) {
            return Some(Kind::Uuid);
        }
        if grouped(bytes, &[4, 2, 2], u8::is_ascii_digit) {
            return Some(Kind::Date);
        }
        if digits > 0 && bytes.len() >= 8 && bytes.iter().all(u8::is_ascii_hexdigit) {
            return Some(Kind::Hex);
        }
        let plain = bytes.iter().filter(|byte| byte.is_ascii_alphanumeric()).count();
        let separators = bytes.iter().filter(|byte| matches!(byte, b'-' | b'_')).count();
        let random = bytes.len() >= 16 && digits >= 2 && digits < plain && separators <= 1;
        (random && plain + separators == bytes.len()).then_some(Kind::Token)
    }
}

/// Groups of the given lengths between hyphens.
fn grouped(bytes: &[u8], lengths: &[usize], of: fn(&u8) -> bool) -> bool {
    let all = lengths.iter().sum::<usize>() + lengths.len() - 1;
    bytes.len() == all
        && bytes
            .split(|byte| *byte == b'-')
            .map(Some)
            .chain([None])
            .zip(lengths.iter().map(Some).chain([None]))
            .all(|(group, length)| match (group, length) {
                (Some(group), Some(length)) => group.len() == *length && group.iter().all(of),
                (None, None) => true,
                _ => false,
            })
}

/// The name of a placeholder as routers write it: `{id}`, `{id:int}`, `:id`, `<int:id>`.
fn placeholder(part: &str) -> Option<&str> {
    let name = if let Some(inner) = part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        inner.split(':').next()?
    } else if let Some(inner) = part.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')) {
        inner.rsplit(':').next()?
    } else {
        part.strip_prefix(':')?
    };
    let name = name.trim_start_matches('*');
    let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (!name.is_empty() && name.bytes().all(known)).then_some(name)
}

/// Whether `part` looks like a value that somebody chose freely, rather than a word of the program.
pub(super) fn looks_free(part: &str) -> bool {
    let separators = part.bytes().filter(|byte| matches!(byte, b'-' | b'_')).count();
    let odd = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'%' | b'@' | b'+' | b'.' | b',');
    part.len() > 24 || separators >= 2 || part.bytes().any(odd) || !part.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_says_what_it_is() {
        let named = |name: &str| Some(Kind::Named(name.into()));
        for (part, kind) in [
            ("42", Some(Kind::Number)),
            ("00000000000000000000000000000000000001", Some(Kind::Number)),
            ("6fa459ea-ee8a-3ca4-894e-db77e160355e", Some(Kind::Uuid)),
            ("2026-11-28", Some(Kind::Date)),
            ("507f1f77bcf86cd799439011", Some(Kind::Hex)),
            ("01ARZ3NDEKTSV4RRFFQ69G5FAV", Some(Kind::Token)),
            ("cus_NffrFeUfNV2Hib4x9", Some(Kind::Token)),
            ("{item_id}", named("item_id")),
            ("{path:path}", named("path")),
            ("<int:pk>", named("pk")),
            (":id", named("id")),
            ("v1", None),
            ("items", None),
            ("facade", None),
            ("defaced1", Some(Kind::Hex)),
            ("how-to-train-your-dragon", None),
            ("openapi.json", None),
            ("", None),
        ] {
            assert_eq!(Kind::of(part), kind, "{part}");
        }
    }
}
