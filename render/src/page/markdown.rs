//! A page as Markdown.

use super::{Align, Bar, Block, Fact, Fields, Table, Value};
use crate::number;

/// Blocks with an empty line between them.
pub(super) fn write(blocks: &[Block]) -> String {
    let written = blocks.iter().map(block).filter(|text| !text.is_empty());
    written.collect::<Vec<_>>().join("\n")
}

fn block(block: &Block) -> String {
    match block {
        Block::Title(text) => format!("# {text}\n"),
        Block::Heading(text) => format!("{text}\n"),
        Block::Caption(text) => format!("{}\n", text.trim_start()),
        Block::Sentence(text) => format!("**{text}**\n"),
        Block::Verdict { sentence, basis } => format!("**{sentence}** {basis}\n"),
        Block::Lines { lines, first_is_strong } => {
            let line = |(index, line): (usize, &String)| match *first_is_strong && index == 0 {
                true => format!("- **{line}**\n"),
                false => format!("- {line}\n"),
            };
            lines.iter().enumerate().map(line).collect()
        }
        Block::Notes(notes) => {
            notes.iter().map(|note| format!("- {}: {}\n", note.kind, note.text)).collect()
        }
        Block::Table { table, legend } => {
            let legend = legend.map_or(String::new(), |legend| format!("\n{legend}\n"));
            self::table(table) + &legend
        }
        Block::Fields(fields) => self::fields(fields),
        Block::Bars(bars) => self::bars(bars),
        // A chart of characters needs a terminal; its numbers are in the table beside it.
        Block::Series(_) => String::new(),
        Block::Facts(facts) => facts.iter().map(fact).collect(),
        Block::Answers(answers) => answers.iter().map(answer).collect(),
        // A picture needs a browser.
        Block::Picture(_) => String::new(),
    }
}

fn fact(Fact { name, value, detail }: &Fact) -> String {
    let detail = if detail.is_empty() { String::new() } else { format!(" ({detail})") };
    format!("- {name}: {value}{detail}\n")
}

fn answer((question, sentences): &(String, Vec<String>)) -> String {
    format!("**{question}** {}\n", sentences.join(" "))
}

/// Markdown needs a heading; it may be empty.
fn table(table: &Table) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let escape = |cell: &str| cell.trim().replace('|', "\\|");
    let headings = table.columns.iter().map(|(name, _)| escape(name)).collect();
    let aligns = table.columns.iter().map(|(_, align)| match align {
        Align::Left => "---".to_string(),
        Align::Right => "---:".to_string(),
    });
    let cells = |row: &Vec<String>| {
        line((0..table.columns.len()).map(|column| escape(table.cell(row, column))).collect())
    };
    let rows = table.rows.iter().map(cells);
    [line(headings), line(aligns.collect())].into_iter().chain(rows).collect()
}

fn fields(fields: &Fields) -> String {
    let mut out = String::new();
    for (name, value) in &fields.fields {
        match value {
            Value::Text(text) => out += &format!("- {name}: {text}\n"),
            Value::Table(inner) => out += &format!("- {name}:\n\n{}\n", table(inner)),
        }
    }
    out
}

fn bars(bars: &[Bar]) -> String {
    let mut table =
        Table::new(&[("", Align::Left), ("time", Align::Right), ("share", Align::Right)]);
    for Bar { name, amount, share } in bars {
        table.row([name.clone(), amount.clone(), number::percent(*share)]);
    }
    self::table(&table)
}
