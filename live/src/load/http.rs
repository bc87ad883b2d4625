//! What the parsers of a reply's head and of its body share.

/// The bytes are not an HTTP reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotHttp;

/// A header's comma-separated value has `token`.
pub(super) fn has_token(value: &[u8], token: &[u8]) -> bool {
    value.split(|&byte| byte == b',').any(|part| part.trim_ascii().eq_ignore_ascii_case(token))
}
