use super::*;

fn text(fill: impl FnOnce(&mut Page)) -> String {
    let mut page = Page::new();
    fill(&mut page);
    page.text(Paint::default())
}

fn markdown(fill: impl FnOnce(&mut Page)) -> String {
    let mut page = Page::new();
    fill(&mut page);
    page.markdown()
}

#[test]
fn columns_line_up_and_lines_end_in_no_blank() {
    let mut table = Table::new(&[("name", Align::Left), ("µs", Align::Right), ("", Align::Left)]);
    table.row(["quote".into(), "5".into(), "é".into()]);
    table.row(["a".into(), "1234".into()]);
    let expected = "name     µs\nquote     5  é\na      1234\n";
    assert_eq!(text(|page| page.table(table)), expected);
}

#[test]
fn a_wide_character_takes_two_columns() {
    let mut table = Table::new(&[("", Align::Left), ("", Align::Right)]);
    table.row(["購入".into(), "5".into()]);
    table.row(["cart".into(), "6".into()]);
    assert_eq!(text(|page| page.table(table)), "購入  5\ncart  6\n");
}

#[test]
fn markdown_has_as_many_cells_in_each_row() {
    let mut table = Table::new(&[("name", Align::Left), ("µs", Align::Right)]);
    table.row(["a|b".into(), " 5 ".into()]);
    table.row(["c".into()]);
    let expected = "| name | µs |\n| --- | ---: |\n| a\\|b | 5 |\n| c |  |\n";
    assert_eq!(markdown(|page| page.table(table)), expected);
}

#[test]
fn blocks_stand_apart_but_a_heading_belongs_to_the_block_below() {
    let fill = |page: &mut Page| {
        page.title("shop");
        page.heading("Numbers:");
        let mut fields = Fields::new(2, 8);
        let mut table = Table::new(&[("P50", Align::Right), ("P99", Align::Right)]);
        table.row(["1 s".into(), "10 s".into()]);
        fields.text("rate", "5/s");
        fields.table("time", table);
        page.fields(fields);
        page.lines(Vec::new());
        page.notes(vec![Note { kind: "note", text: "short".into(), strong: false }]);
    };
    let expected = "shop\n\nNumbers:\n  rate    5/s\n  time    P50   P99\n          1 s  10 s\n\n\
                    note: short\n";
    assert_eq!(text(fill), expected);
    let expected = "# shop\n\nNumbers:\n\n- rate: 5/s\n- time:\n\n| P50 | P99 |\n| ---: | ---: |\n\
                    | 1 s | 10 s |\n\n\n- note: short\n";
    assert_eq!(markdown(fill), expected);
}

#[test]
fn the_greatest_value_of_a_series_has_the_longest_bar() {
    let at = Some::<f64>;
    let series = Series {
        key: "workers".into(),
        points: vec!["1".into(), "2".into()],
        quantity: "good/s".into(),
        curves: vec![
            ("predicted".into(), vec![at(10.0), at(20.0)]),
            ("measured".into(), vec![at(15.0), None]),
        ],
    };
    let bar = |length: usize| "█".repeat(length);
    let expected = format!(
        "workers             good/s\n      1  predicted  {} 10.0\n         measured   {} 15.0\n      \
         2  predicted  {} 20.0\n         measured   -\n",
        bar(15),
        bar(23),
        bar(30)
    );
    assert_eq!(text(|page| page.series(series)), expected);
}
