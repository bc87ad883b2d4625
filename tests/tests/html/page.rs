//! A page as a browser reads it.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Mutex, PoisonError};

use percent_encoding::percent_decode_str;
use render::Exit;
use scraper::{ElementRef, Html, Selector};
use sim::cli;

/// What a command left behind.
pub(crate) struct Outcome {
    pub(crate) exit: Exit,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs `sim` with these words.
pub(crate) fn sim(words: &str) -> Outcome {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args = ["sim"].into_iter().chain(words.split_whitespace());
    let exit = cli::run(args, &mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Outcome { exit, out: text(out), err: text(err) }
}

/// A page.
pub(crate) struct Page {
    pub(crate) bytes: String,
    html: Html,
}

/// The page that `sim` with these words writes, which is made only once: pages are the same each time.
pub(crate) fn page(words: &str) -> Page {
    static MADE: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let bytes = made.entry(words.to_string()).or_insert_with(|| written(words)).clone();
    drop(made);
    let html = Html::parse_document(&bytes);
    assert!(html.errors.is_empty(), "{words}: {:?}", html.errors);
    Page { bytes, html }
}

/// The same, made anew.
pub(crate) fn written(words: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("out.html");
    let outcome = sim(&format!("{words} --html {}", file.display()));
    assert_eq!(outcome.exit, Exit::Success, "{words}: {}", outcome.err);
    fs::read_to_string(file).expect("a page")
}

fn selector(text: &str) -> Selector {
    Selector::parse(text).expect("a selector")
}

impl Page {
    pub(crate) fn all(&self, what: &str) -> impl Iterator<Item = ElementRef<'_>> {
        let found: Vec<ElementRef<'_>> = self.html.select(&selector(what)).collect();
        found.into_iter()
    }

    pub(crate) fn within<'p>(
        &'p self,
        element: ElementRef<'p>,
        what: &str,
    ) -> impl Iterator<Item = ElementRef<'p>> {
        let found: Vec<ElementRef<'p>> = element.select(&selector(what)).collect();
        found.into_iter()
    }

    pub(crate) fn text_of(&self, what: &str) -> String {
        self.all(what).flat_map(|element| element.text()).collect()
    }

    /// Every attribute of every element: element, name, value.
    pub(crate) fn attributes(&self) -> Vec<(String, String, String)> {
        let of = |element: ElementRef<'_>| -> Vec<(String, String, String)> {
            let name = element.value().name().to_string();
            let attributes = element.value().attrs();
            attributes
                .map(|(key, value)| (name.clone(), key.to_string(), value.to_string()))
                .collect()
        };
        self.all("*").flat_map(of).collect()
    }

    /// Levels of headings, in order.
    pub(crate) fn headings(&self) -> Vec<u8> {
        let level = |name: &str| name.strip_prefix('h').and_then(|level| level.parse().ok());
        self.all("h1, h2, h3, h4, h5, h6").filter_map(|one| level(one.value().name())).collect()
    }

    pub(crate) fn figures(&self) -> Vec<Figure> {
        self.all("figure").map(|figure| Figure::of(self, figure)).collect()
    }
}

/// A picture with its numbers.
pub(crate) struct Figure {
    /// What is said of it, once for each width.
    pub(crate) pictures: Vec<String>,
    /// Columns and rows as they are shown.
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Name of the file, its heading and its records.
    pub(crate) file: String,
    heading: Vec<String>,
    pub(crate) records: Vec<Vec<String>>,
}

impl Figure {
    fn of<'p>(page: &'p Page, figure: ElementRef<'p>) -> Figure {
        let text = |cell: ElementRef<'_>| cell.text().collect::<String>();
        let tables: Vec<ElementRef<'_>> = page.within(figure, "details table").collect();
        let [table] = tables[..] else { panic!("{} tables of a picture", tables.len()) };
        let row = |row| page.within(row, "th, td").map(text).collect();
        let link = page.within(figure, "a[download]").next().expect("a download");
        let address = link.attr("href").expect("an address");
        let csv = address.strip_prefix("data:text/csv;charset=utf-8,").expect("CSV");
        let csv = percent_decode_str(csv).decode_utf8().expect("UTF-8").into_owned();
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        let fields = |record: &csv::StringRecord| record.iter().map(String::from).collect();
        let heading = fields(reader.headers().expect("a heading"));
        let records = reader.records().map(|record| fields(&record.expect("a record"))).collect();
        let svgs = page.within(figure, "svg[role=img]");
        Figure {
            pictures: svgs.map(|svg| svg.attr("aria-label").expect("words").to_string()).collect(),
            columns: page.within(table, "thead th").map(text).collect(),
            rows: page.within(table, "tbody tr").map(row).collect(),
            file: link.attr("download").expect("a name").to_string(),
            heading,
            records,
        }
    }

    /// The file has the numbers of the table, with all their digits.
    pub(crate) fn compare(&self, words: &str) {
        let name = format!("{words}, {}", self.file);
        assert!(!self.rows.is_empty(), "{name}");
        assert_eq!(self.rows.len(), self.records.len(), "{name}");
        assert_eq!(self.columns.len(), self.heading.len(), "{name}");
        for (column, heading) in self.columns.iter().zip(&self.heading) {
            assert!(heading.starts_with(column.as_str()), "{name}: {heading} is not {column}");
        }
        for (row, record) in self.rows.iter().zip(&self.records) {
            assert_eq!(row.len(), record.len(), "{name}");
            for (shown, kept) in row.iter().zip(record) {
                assert!(same(shown, kept), "{name}: {shown} is not {kept}");
            }
        }
    }
}

/// A cell shows what the file keeps: the same words, no number, or one that is rounded.
fn same(shown: &str, kept: &str) -> bool {
    let Ok(number) = kept.parse::<f64>() else {
        // Code is set apart by marks in a file, by letters on a page.
        return shown == kept.replace('`', "") || (shown == "-" && kept.is_empty());
    };
    if shown == "<0.1 %" {
        return number.abs() < 0.001;
    }
    let (digits, unit) = shown.split_once(' ').unwrap_or((shown, ""));
    let factor = match unit {
        "ms" => 1e-3,
        "µs" => 1e-6,
        "ns" => 1e-9,
        "%" => 1e-2,
        "" | "s" => 1.0,
        _ => return false,
    };
    let Ok(value) = digits.replace(',', "").parse::<f64>() else { return false };
    let rounded = match (unit, digits.contains('.')) {
        ("%", true) => 0.0006,
        ("%", false) => 0.0051,
        _ => 0.006 * number.abs() + 1e-9,
    };
    (value * factor - number).abs() <= rounded
}
