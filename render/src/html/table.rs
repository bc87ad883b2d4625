//! Tables.

use maud::{Markup, html};

use super::words::marked;
use crate::page::{Align, Table};

/// A table, which can be moved sideways by keys where the screen is too narrow for it. Its caption
/// is for those who do not see the heading above it, unless it is `seen`.
pub(super) fn markup(table: &Table, caption: &str, seen: bool) -> Markup {
    let class = |align: Align| (align == Align::Right).then_some("n");
    let titled = table.columns.iter().any(|(name, _)| !name.is_empty());
    html! {
        div.scroll role="group" tabindex="0" aria-label=(caption) {
            table {
                caption class=[(!seen).then_some("unseen")] { (caption) }
                @if titled {
                    thead {
                        tr {
                            @for (name, align) in &table.columns {
                                // An empty heading would be read out as one.
                                @if name.is_empty() { td {} }
                                @else { th scope="col" class=[class(*align)] { (name) } }
                            }
                        }
                    }
                }
                tbody {
                    @for row in &table.rows {
                        tr {
                            @for (index, (_, align)) in table.columns.iter().enumerate() {
                                @let cell = table.cell(row, index);
                                @if index == 0 && *align == Align::Left && !cell.is_empty() {
                                    th scope="row" { (marked(cell)) }
                                } @else {
                                    td class=[class(*align)] { (marked(cell)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
