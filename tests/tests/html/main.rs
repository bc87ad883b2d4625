//! Answers as pages for a browser: `--html FILE`.

mod browser;
mod page;

use std::fs;

use page::{page, sim, written};
use render::Exit;

/// A small scenario and a small ladder, three runs each; how much a small scenario takes; and sweeps of
/// one key and of two.
const PAGES: [&str; 9] = [
    "scenario golden/cli/shop.toml --replications 3",
    "scenario golden/cli/shop-async.toml --replications 3",
    "explain golden/cli/shop-async.toml --replications 3",
    "ladder golden/cli/shop-async.toml --replications 3",
    SIZE,
    "size golden/cli/shop-async.toml --set load.duration=5s --keep p99<1s --under service.workers=2",
    "sweep golden/cli/shop-async.toml --vary load.users=5,20,80 --replications 3 --keep p99<1s",
    "sweep golden/cli/shop.toml --vary service.concurrency=blocking,threadpool,async --replications 3",
    "sweep golden/cli/shop-async.toml --vary load.users=5,20,80 --vary service.workers=1..3 \
     --replications 3 --keep p99<1s",
];

/// How much a small scenario takes, and how much of each thing is left.
const SIZE: &str = "size golden/cli/shop-async.toml --set load.duration=5s --keep p99<1s --keep errors<1% --headroom";

#[test]
fn a_page_asks_for_nothing() {
    for words in PAGES {
        let page = page(words);
        for forbidden in ["script", "link", "img", "iframe", "object", "embed", "base", "form"] {
            assert_eq!(page.all(forbidden).count(), 0, "{words}: {forbidden}");
        }
        for (element, name, value) in page.attributes() {
            let asks = ["http:", "https:", "//", "file:", "javascript:"];
            assert!(
                !asks.iter().any(|start| value.trim().starts_with(start)),
                "{words}: {name} of {element} is {value}"
            );
            assert!(!name.starts_with("on"), "{words}: {element} has {name}");
        }
        let style = page.text_of("style");
        assert!(!style.contains("url(") && !style.contains("@import"), "{words}");
        let policy = page.all("meta[http-equiv=Content-Security-Policy]").next();
        assert!(
            policy.and_then(|meta| meta.attr("content")).is_some_and(|it| it.contains("'none'"))
        );
    }
}

#[test]
fn each_picture_has_words_and_the_same_numbers_as_a_table_and_as_a_file() {
    for words in PAGES {
        let page = page(words);
        // A size may have one only, and so may a sweep.
        let few = words.starts_with("size") || words.starts_with("sweep");
        assert!(page.all("figure").count() >= if few { 1 } else { 2 }, "{words}");
        for figure in page.figures() {
            assert_eq!(figure.pictures.len(), 2, "{words}: for wide and for narrow screens");
            for alternative in &figure.pictures {
                assert!(alternative.len() > 30, "{words}: {alternative}");
                assert!(
                    !alternative.contains("NaN") && !alternative.contains("inf"),
                    "{alternative}"
                );
            }
            figure.compare(words);
        }
    }
}

#[test]
fn a_page_can_be_read_out() {
    for words in PAGES {
        let page = page(words);
        let html = page.all("html").next().expect("a root");
        assert_eq!(html.attr("lang"), Some("en"));
        let levels = page.headings();
        assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1, "{words}");
        assert_eq!(levels[0], 1, "{words}");
        for pair in levels.windows(2) {
            assert!(pair[1] <= pair[0] + 1, "{words}: {levels:?}");
        }
        let ids: Vec<&str> = page.all("[id]").filter_map(|one| one.attr("id")).collect();
        for id in &ids {
            assert_eq!(ids.iter().filter(|other| *other == id).count(), 1, "{words}: {id}");
        }
        for link in page.all("nav a") {
            let target = link.attr("href").and_then(|href| href.strip_prefix('#'));
            assert!(target.is_some_and(|target| ids.contains(&target)), "{words}");
        }
        for table in page.all("table") {
            let caption = page.within(table, "caption").next();
            assert!(
                caption.is_some_and(|one| !one.text().collect::<String>().is_empty()),
                "{words}"
            );
        }
        for svg in page.all("svg") {
            let said = svg.attr("role") == Some("img") && svg.attr("aria-label").is_some();
            assert!(said || svg.attr("aria-hidden") == Some("true"), "{words}");
        }
        assert_eq!(page.all("main").count(), 1);
    }
}

#[test]
fn what_people_ask_first_comes_first() {
    let page = page(PAGES[0]);
    let main = page.text_of("main");
    let at = |what: &str| main.find(what).unwrap_or_else(|| panic!("no {what}: {main}"));
    let first = ["good answers per second", "What does it do?", "Which resource is full?"];
    let limit = at("The limit is service.concurrency: from blocking to async");
    assert!(first.iter().all(|what| at(what) < limit));
    assert!(at("async def") > limit && limit < at("Where the time of a request goes"));
}

#[test]
fn the_same_file_and_seed_give_the_same_bytes() {
    for words in PAGES {
        let bytes = page(words).bytes;
        assert_eq!(bytes, written(&format!("{words} --threads 1")), "{words}");
        assert!(bytes.len() < 1_000_000, "{words}: {} bytes", bytes.len());
    }
    let other = page(&format!("{} --seed 2", PAGES[0]));
    assert_ne!(other.bytes, page(PAGES[0]).bytes);
}

#[test]
fn what_a_file_says_is_shown_and_not_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("evil.toml");
    let shop = fs::canonicalize("golden/cli/shop.toml").expect("a scenario");
    let text = format!(
        "question = '</style></title><script>alert(1)</script> & \"so\" on?'\nextends = '{}'\n",
        shop.display()
    );
    fs::write(&file, text).expect("written");
    let page = page(&format!("scenario {} --replications 2", file.display()));
    assert_eq!(page.all("script").count(), 0);
    let title = page.text_of("h1");
    assert!(title.contains("</style></title><script>alert(1)</script> & \"so\" on?"), "{title}");
}

#[test]
fn the_answer_itself_stays_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("out.html");
    let plain = sim(PAGES[0]);
    let with = sim(&format!("{} --html {}", PAGES[0], file.display()));
    assert_eq!((plain.exit, &plain.out, &plain.err), (with.exit, &with.out, &with.err));
    assert!(file.exists());
}

#[test]
fn a_file_that_is_no_page_is_kept_and_told_before_the_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("mine.toml");
    fs::write(&file, "by hand").expect("written");
    let refused = sim(&format!("{} --html {}", PAGES[0], file.display()));
    assert_eq!((refused.exit, refused.out.as_str()), (Exit::Failure, ""));
    assert!(refused.err.contains("is there already, and is no page of rung"), "{}", refused.err);
    assert_eq!(fs::read_to_string(&file).expect("text"), "by hand");
    let nowhere =
        sim(&format!("{} --html {}", PAGES[0], folder.path().join("no/out.html").display()));
    assert_eq!((nowhere.exit, nowhere.out.as_str()), (Exit::Failure, ""));
    assert!(nowhere.err.contains("there is no folder"), "{}", nowhere.err);
}

#[test]
fn what_a_page_shows_is_in_the_document_for_programs() {
    let told = sim(&format!("{} --over-time --format json", PAGES[0]));
    let document: serde_json::Value = serde_json::from_str(&told.out).expect("JSON");
    let intervals = document["over_time"]["intervals"].as_array().expect("intervals");
    let page = page(PAGES[0]);
    let figures = page.figures();
    let over_time =
        figures.iter().find(|figure| figure.file == "over-time.csv").expect("a picture");
    assert_eq!(over_time.records.len(), intervals.len());
    for (record, interval) in over_time.records.iter().zip(intervals) {
        assert_eq!(record[3].parse::<f64>().ok(), interval["good"].as_f64());
    }
    let bins = document["distribution"].as_array().expect("bins");
    let times =
        figures.iter().find(|figure| figure.file == "response-times.csv").expect("a picture");
    assert_eq!(times.records.len(), bins.len());
    let without = sim(&format!("{} --format json", PAGES[0]));
    assert!(!without.out.contains("over_time"));
}

#[test]
fn pictures_of_a_size_and_a_sweep_show_limits_and_hold_the_numbers_of_the_document() {
    let told = sim(&format!("{SIZE} --format json"));
    let document: serde_json::Value = serde_json::from_str(&told.out).expect("JSON");
    let sized = page(SIZE);
    let figures = sized.figures();
    let of = |name: &str| {
        figures.iter().find(|figure| figure.file == name).unwrap_or_else(|| panic!("no {name}"))
    };
    let levels = document["levels"].as_array().expect("levels");
    assert_eq!(of("loads.csv").records.len(), levels.len());
    for (record, level) in of("loads.csv").records.iter().zip(levels) {
        assert_eq!(record[0].parse::<f64>().ok(), level["load"].as_f64());
        assert_eq!(record[2].parse::<f64>().ok(), level["objectives"][0]["value"].as_f64());
    }
    let headroom = document["headroom"].as_array().expect("headroom");
    assert_eq!(of("headroom.csv").records.len(), headroom.len());
    assert!(sized.text_of("figure").contains("limit: p99 < 1s"));

    let words = PAGES.iter().find(|words| words.contains("load.users=5,20,80")).expect("a sweep");
    let told = sim(&format!("{words} --format json"));
    let document: serde_json::Value = serde_json::from_str(&told.out).expect("JSON");
    let points = document["points"].as_array().expect("points");
    let swept = page(words);
    let drawn = swept.text_of("figure");
    assert!(drawn.contains("limit: p99 < 1s"), "{drawn}");
    assert_eq!(drawn.contains("knee"), document["lines"][0]["knee"]["at"].is_string());
    assert_eq!(swept.figures()[0].records.len(), points.len());
    for (record, point) in swept.figures()[0].records.iter().zip(points) {
        assert_eq!(record[1].parse::<f64>().ok(), point["throughput"]["value"].as_f64());
    }
}
