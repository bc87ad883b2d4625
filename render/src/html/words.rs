//! Words of a page: what stands between backticks is code.

use maud::{Markup, html};

/// With code set apart.
pub(super) fn marked(text: &str) -> Markup {
    // Without a partner, a backtick is a character like any other.
    if text.matches('`').count() % 2 == 1 {
        return html! { (text) };
    }
    html! {
        @for (index, part) in text.split('`').enumerate() {
            @if index % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// A heading or a caption, without what leads over to the block below.
pub(super) fn plain(text: &str) -> &str {
    text.trim().trim_end_matches(':')
}
