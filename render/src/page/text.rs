//! A page as text for a terminal.

use unicode_width::UnicodeWidthStr;

use super::{Align, Bar, Block, Fact, Fields, Note, Series, Table, Value};
use crate::{Paint, number};

/// Longest bar, in characters.
const BAR: f64 = 30.0;

/// Blocks with an empty line between them, but none behind a heading or a caption. No line ends in a blank.
pub(super) fn write(blocks: &[Block], paint: Paint) -> String {
    let mut out = String::new();
    let mut apart = false;
    for block in blocks {
        if apart {
            out.push('\n');
        }
        out += &self::block(block, paint);
        apart = !matches!(block, Block::Heading(_) | Block::Caption(_));
    }
    out
}

fn block(block: &Block, paint: Paint) -> String {
    match block {
        Block::Title(text) | Block::Heading(text) | Block::Sentence(text) => {
            format!("{}\n", paint.bold(text))
        }
        Block::Caption(text) => format!("{text}\n"),
        Block::Verdict { sentence, basis } => format!("{}\n{basis}\n", paint.bold(sentence)),
        Block::Lines { lines, first_is_strong } => {
            let line = |(index, line): (usize, &String)| match *first_is_strong && index == 0 {
                true => format!("{}\n", paint.bold(line)),
                false => format!("{line}\n"),
            };
            lines.iter().enumerate().map(line).collect()
        }
        Block::Notes(notes) => notes.iter().map(|note| self::note(note, paint)).collect(),
        Block::Table { table, legend } => {
            let legend = legend.map_or(String::new(), |legend| format!("{legend}\n"));
            self::table(table) + &legend
        }
        Block::Fields(fields) => self::fields(fields),
        Block::Bars(bars) => self::bars(bars),
        Block::Series(series) => self::series(series),
        Block::Facts(facts) => facts.iter().map(fact).collect(),
        Block::Answers(answers) => answers.iter().map(|one| answer(one, paint)).collect(),
        // A picture needs a browser.
        Block::Picture(_) => String::new(),
    }
}

fn fact(Fact { name, value, detail }: &Fact) -> String {
    let detail = if detail.is_empty() { String::new() } else { format!(" ({detail})") };
    format!("{name}: {value}{detail}\n")
}

fn answer((question, sentences): &(String, Vec<String>), paint: Paint) -> String {
    let lines = sentences.iter().map(|sentence| format!("  {sentence}\n"));
    format!("{}\n{}", paint.bold(question), lines.collect::<String>())
}

fn note(note: &Note, paint: Paint) -> String {
    let kind = format!("{}:", note.kind);
    let kind = if note.strong { paint.bold(&kind) } else { kind };
    format!("{kind} {}\n", note.text)
}

/// The headings, if any column has one, then the rows.
fn table(table: &Table) -> String {
    let headings: Vec<String> = table.columns.iter().map(|(name, _)| name.clone()).collect();
    let widths: Vec<usize> = (0..headings.len())
        .map(|column| {
            let cells = table.rows.iter().map(|row| table.cell(row, column));
            cells.chain([headings[column].as_str()]).map(UnicodeWidthStr::width).max().unwrap_or(0)
        })
        .collect();
    let titled = headings.iter().any(|heading| !heading.is_empty()).then_some(&headings);
    titled.into_iter().chain(&table.rows).map(|row| line(table, row, &widths)).collect()
}

fn line(table: &Table, row: &[String], widths: &[usize]) -> String {
    let mut line = " ".repeat(table.indent);
    for (index, ((_, align), &column)) in table.columns.iter().zip(widths).enumerate() {
        let cell = table.cell(row, index);
        let blanks = " ".repeat(column.saturating_sub(cell.width()));
        if index > 0 {
            line.push_str("  ");
        }
        match align {
            Align::Left => line.extend([cell, blanks.as_str()]),
            Align::Right => line.extend([blanks.as_str(), cell]),
        }
    }
    format!("{}\n", line.trim_end())
}

/// A table's first line stands beside the name of its field, the others below it.
fn fields(fields: &Fields) -> String {
    let Fields { indent, width, fields } = fields;
    let mut out = String::new();
    for (name, value) in fields {
        let table;
        let lines: Vec<&str> = match value {
            Value::Text(text) => vec![text],
            Value::Table(inner) => {
                table = self::table(inner);
                table.lines().collect()
            }
        };
        for (index, text) in lines.into_iter().enumerate() {
            let name = if index == 0 { name } else { "" };
            out += &format!("{:indent$}{name:<width$}{text}\n", "");
        }
    }
    out
}

fn bars(bars: &[Bar]) -> String {
    let columns = [("", Align::Left), ("", Align::Right), ("", Align::Right), ("", Align::Left)];
    let mut table = Table::new(&columns).indented(2);
    for Bar { name, amount, share } in bars {
        let percent = number::percent(*share);
        table.row([name.clone(), amount.clone(), percent, bar(*share)]);
    }
    self::table(&table)
}

/// A line for each curve at each point; the longest bar is the greatest value of any curve.
fn series(series: &Series) -> String {
    let known = |(_, curve): &&(String, Vec<Option<f64>>)| curve.iter().any(Option::is_some);
    let curves: Vec<_> = series.curves.iter().filter(known).collect();
    let values = curves.iter().flat_map(|(_, curve)| curve.iter().flatten());
    let most = values.copied().fold(f64::MIN_POSITIVE, f64::max);
    let mut columns = vec![(series.key.as_str(), Align::Right)];
    // A single curve needs no name.
    columns.extend((curves.len() > 1).then_some(("", Align::Left)));
    columns.push((&series.quantity, Align::Left));
    let mut table = Table::new(&columns);
    for (index, point) in series.points.iter().enumerate() {
        for (which, (name, curve)) in curves.iter().enumerate() {
            let mut row = vec![if which == 0 { point.clone() } else { String::new() }];
            row.extend((curves.len() > 1).then(|| name.clone()));
            row.push(match curve.get(index).copied().flatten() {
                Some(value) => format!("{} {}", bar(value / most), number::significant(value, 3)),
                None => "-".into(),
            });
            table.row(row);
        }
    }
    self::table(&table)
}

fn bar(share: f64) -> String {
    "█".repeat((share * BAR).round().max(0.0) as usize)
}
