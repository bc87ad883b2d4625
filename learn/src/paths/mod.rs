//! Paths of requests become endpoints.
//!
//! A route that is known is kept as it is: `/items/{item_id}`, `/items/:id`, `/items/<int:id>`. Of other
//! paths the parts that vary become placeholders: those that look like numbers, UUIDs, hexadecimal
//! digits, dates or random words at once, others where too many values were seen at one place below the
//! same prefix. Memory does not grow with the number of different paths.

mod endpoints;
mod part;
mod pattern;
mod tree;

pub use endpoints::{Endpoints, Found, Settled};
pub use part::Kind;
pub use pattern::{BadPattern, Pattern};

#[cfg(test)]
mod tests;
