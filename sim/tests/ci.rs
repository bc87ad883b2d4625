//! Objectives for build servers: what they read, and that the page on it tells the truth.

use std::path::Path;
use std::process::{Command, Output};

const PAGE: &str = include_str!("../../docs/ci.md");

const SCENARIO: &str = r#"
extends = "v5.toml"
load.users = 50
load.warmup = "1s"
load.duration = "5s"
[[objective]]
keep = "p99 < 2s"

[[objective]]
keep = "errors < 100%"
"#;

/// Runs a line of a shell in `folder`, where `sim` is on the path.
fn shell(folder: &Path, line: &str) -> Output {
    let programs = Path::new(env!("CARGO_BIN_EXE_sim")).parent().expect("a folder");
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new("bash");
    command.current_dir(folder).env("PATH", path).args(["-e", "-c", line]);
    command.output().expect("bash starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

/// The folder with the scenario, and what `sim` says there.
fn sim(words: &str) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    std::fs::write(folder.path().join("shop.toml"), SCENARIO).expect("the folder is ours");
    let output = shell(folder.path(), &format!("sim {words}"));
    (output.status.code(), text(&output.stdout).into(), text(&output.stderr).into())
}

#[test]
fn a_case_of_junit_is_an_objective_and_a_failure_has_its_numbers() {
    let words = "scenario shop.toml --keep 'throughput > 1/s' --replications 3 --format junit";
    let (code, xml, _) = sim(words);
    assert_eq!(code, Some(4), "{xml}");
    let document = roxmltree::Document::parse(&xml).expect("XML");
    let root = document.root_element();
    let counts = ["tests", "failures", "errors", "skipped"].map(|name| root.attribute(name));
    assert_eq!(counts, [Some("3"), Some("1"), Some("0"), Some("0")]);
    let cases = root.descendants().filter(|node| node.has_tag_name("testcase"));
    let cases: Vec<_> = cases.collect();
    let names: Vec<_> = cases.iter().filter_map(|case| case.attribute("name")).collect();
    assert_eq!(names, ["p99 < 2s", "errors < 100%", "throughput > 1/s"]);
    let failures: Vec<_> = cases
        .iter()
        .map(|case| case.children().find(|node| node.has_tag_name("failure")))
        .collect();
    let broken = failures[0].expect("the first is broken");
    assert!(failures[1].is_none() && failures[2].is_none(), "{xml}");
    let told = broken.text().expect("text");
    assert!(told.starts_with("shop.toml:7: p99 < 2s\n"), "{told}");
    assert!(told.ends_with(broken.attribute("message").expect("a message")), "{told}");
    // The number and both ends of its interval.
    assert_eq!(told.matches("s").count() > 3, told.contains(" to "), "{told}");
    // The same answer has the same bytes.
    assert_eq!(sim(words).1, xml);
}

#[test]
fn an_annotation_is_at_the_line_of_the_objective() {
    let (code, lines, _) =
        sim("scenario shop.toml --keep 'max < 1ms' --replications 3 --format github");
    assert_eq!(code, Some(4));
    let lines: Vec<&str> = lines.lines().collect();
    assert!(lines[0].starts_with("::error file=shop.toml,line=7,title=shop%3A p99 < 2s::"));
    assert_eq!(lines[1], "✓ shop: errors < 100%: 0%");
    // That of the command line is in no line of a file.
    assert!(lines[2].starts_with("::error file=shop.toml,title=shop%3A max < 1ms::"), "{lines:?}");
    assert_eq!(lines.len(), 3);
}

#[test]
fn what_is_not_told_is_skipped_and_what_is_not_sure_is_told() {
    // The longest of a few runs has no interval; the mean's limit lies in its interval.
    let (_, json, _) = sim("scenario shop.toml --replications 3 --format json");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let mean = json["response_time"]["mean"].as_f64().expect("a number");
    let words = format!(
        "scenario shop.toml --keep 'mean < {}us' --replications 3",
        (mean * 1e6) as u64 + 1
    );
    let (_, lines, _) = sim(&format!("{words} --format github"));
    let unsure = lines.lines().find(|line| line.contains("mean")).expect("the objective");
    assert!(unsure.starts_with("::notice ") && unsure.contains("not sure"), "{lines}");
    let (_, xml, _) = sim(&format!("{words} --format junit"));
    let document = roxmltree::Document::parse(&xml).expect("XML");
    let out = document.descendants().filter(|node| node.has_tag_name("system-out"));
    assert!(out.filter_map(|node| node.text()).any(|text| text.contains("not sure")), "{xml}");
}

#[test]
fn the_form_of_the_answer_does_not_change_how_a_command_ends() {
    const ALL: &[&str] = &["text", "json", "junit", "github"];
    for (words, code, forms) in [
        ("scenario shop.toml --replications 3", 4, ALL),
        ("scenario shop.toml --keep 'p99 < 60s' --replications 3", 0, ALL),
        ("scenario shop.toml --set load.users=0", 2, ALL),
        ("explain shop.toml --replications 2", 4, &["junit"]),
        ("ladder shop.toml --allow-many --replications 2", 4, &["text"]),
        ("size shop.toml --keep 'p99 < 1us'", 4, &["junit"]),
    ] {
        for form in forms {
            let (found, out, err) = sim(&format!("{words} --format {form}"));
            assert_eq!(found, Some(code), "{words} --format {form}: {out}{err}");
            assert_eq!(out.is_empty(), code == 2, "{words} --format {form}: {out}");
        }
    }
}

#[test]
fn a_file_that_is_refused_is_annotated_too() {
    let (code, out, err) = sim("scenario shop.toml --set load.users=0 --format github");
    assert_eq!((code, &*out), (Some(2), ""));
    let orders: Vec<&str> = err.lines().filter(|line| line.starts_with("::")).collect();
    assert_eq!(orders.len(), 1, "{err}");
    assert!(
        orders[0].starts_with("::error title=no answer::") && orders[0].contains("%0A"),
        "{err}"
    );
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    std::fs::write(folder.path().join("bad.toml"), "[load]\nusers = 0\n").expect("written");
    let output = shell(folder.path(), "sim scenario bad.toml --format github || true");
    let err = text(&output.stderr);
    assert!(err.contains("\n::error file=bad.toml,line=2,title=no answer::"), "{err}");
}

/// The text of the page's block that begins so.
fn block(head: &str) -> &'static str {
    let from = PAGE.split(head).nth(1).unwrap_or_else(|| panic!("no block {head}"));
    from.split("```").next().expect("its end")
}

/// Each command of the page ends well with its scenario, and as the page says with the change.
#[test]
fn the_commands_of_the_page_do_what_it_says() {
    let commands = PAGE.lines().filter_map(|line| {
        let line = line.trim_start_matches("      - run: ").trim_start_matches("    - ");
        line.starts_with("sim scenario").then_some(line)
    });
    let commands: Vec<&str> = commands.collect();
    assert_eq!(commands.len(), 3, "{commands:?}");
    let scenario = block("```toml\n");
    let changed = scenario.replace("load.users = 50", "load.users = 250");
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    std::fs::create_dir(folder.path().join("capacity")).expect("the folder is ours");
    for (text_of, code) in [(scenario, 0), (&*changed, 4)] {
        std::fs::write(folder.path().join("capacity/shop.toml"), text_of).expect("written");
        for command in &commands {
            let output = shell(folder.path(), command);
            assert_eq!(output.status.code(), Some(code), "{command}: {output:?}");
        }
    }
    let output = shell(folder.path(), commands[1]);
    let quoted = PAGE.split("```\n::error").nth(1).and_then(|rest| rest.split("```").next());
    assert_eq!(text(&output.stdout), format!("::error{}", quoted.expect("the lines")));
    let xml = std::fs::read_to_string(folder.path().join("objectives.xml")).expect("written");
    assert!(roxmltree::Document::parse(&xml).is_ok_and(|xml| xml.descendants().count() > 5));
}
