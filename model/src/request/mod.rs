//! Requests that a user describes: their text with generated parts, and a list of them in a file.

mod list;
mod template;

pub(crate) use list::RequestList;
pub use list::{Listed, Method};
pub use template::{FORMS, Part, Template, Wrong};
