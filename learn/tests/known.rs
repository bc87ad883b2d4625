//! `learn explain` and `learn update`, as they are typed.

use std::fs;
use std::path::{Path, PathBuf};

const MINE: &str = r#"# mine: what the shop costs.
costs.query.items.engine = "1ms"  # seen in pg_stat_statements
load = { rate = "20/s", duration = "60s" }

[service]
concurrency = "async"
workers = 2  # assumed

[database]
engine = "postgres"

[[endpoint]]
name = "GET /items"
weight = 3
steps = [
  { cpu = "4ms" },  # the handler
  { read = "items" },
  { sleep = { p50 = "20ms", p99 = "90ms" } },
]
"#;

fn entry(key: &str, ends: &str, origin: &str) -> String {
    format!("\n[[learned]]\nkey = '{key}'\n{ends}\norigin = \"{origin}\"\nhow = \"seen in May\"\n")
}

fn ends(low: &str, high: &str) -> String {
    format!("low = \"{low}\"\nhigh = \"{high}\"")
}

const CPU: &str = "endpoint.\"GET /items\".steps[0].cpu";
const SLEEP: &str = "endpoint.\"GET /items\".steps[2].sleep.p50";

fn mine() -> String {
    MINE.to_string()
        + &entry(CPU, &ends("3.8ms", "4.2ms"), "measured")
        + &entry(SLEEP, &ends("10ms", "40ms"), "derived")
        + &entry("costs.query.items.engine", &ends("0.9ms", "1.1ms"), "measured")
        + &entry("service.workers", "", "assumed")
        + &entry("service.concurrency", "", "derived")
        + &entry("load.rate", "", "measured")
}

fn folder(files: &[(&str, &str)]) -> (tempfile::TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().expect("a folder");
    let paths = files.iter().map(|(name, text)| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("a file");
        path
    });
    let paths = paths.collect();
    (folder, paths)
}

fn learn(words: &[&str]) -> Result<String, String> {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = learn::cli::run(["learn"].iter().chain(words), &mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).expect("text");
    if exit == render::Exit::Success { Ok(text(out)) } else { Err(text(err)) }
}

fn shown(path: &Path) -> &str {
    path.to_str().expect("a name")
}

#[test]
fn the_most_doubtful_number_comes_first() {
    let (_folder, paths) = folder(&[("mine.toml", &mine())]);
    let answer = learn(&["explain", shown(&paths[0])]).unwrap_or_else(|error| panic!("{error}"));
    let place = |text: &str| answer.find(text).unwrap_or_else(|| panic!("{text} in\n{answer}"));
    let order =
        ["service.workers", "load.rate", SLEEP, "costs.query.items", CPU, "service.concurrency"];
    assert!(order.map(place).is_sorted(), "{answer}");
    assert!(answer.contains("10ms to 40ms") && answer.contains("150 %"), "{answer}");
    assert!(answer.contains("not known") && answer.contains("seen in May"), "{answer}");
    let json = learn(&["explain", shown(&paths[0]), "--format", "json"]).unwrap_or_default();
    assert!(json.contains("\"relative_width\": 1.5"), "{json}");
    let markdown =
        learn(&["explain", shown(&paths[0]), "--format", "markdown"]).unwrap_or_default();
    assert!(markdown.contains("| key "), "{markdown}");
    let set =
        learn(&["explain", shown(&paths[0]), "--set", "service.workers=4"]).unwrap_or_default();
    assert!(!set.contains("service.workers"), "it is the user's now\n{set}");
}

#[test]
fn a_file_without_entries_says_so() {
    let (_folder, paths) = folder(&[("mine.toml", MINE)]);
    let answer = learn(&["explain", shown(&paths[0])]).unwrap_or_default();
    assert!(answer.contains("nothing is said"), "{answer}");
}

#[test]
fn a_later_run_that_contradicts_widens_and_one_that_agrees_narrows() {
    let other = mine()
        .replace("cpu = \"4ms\"", "cpu = \"6ms\"")
        .replace(&ends("3.8ms", "4.2ms"), &ends("5.8ms", "6.2ms"))
        .replace("workers = 2", "workers = 3")
        .replace(
            "key = 'service.workers'\n\norigin = \"assumed\"",
            "key = 'service.workers'\norigin = \"measured\"",
        )
        .replace("May", "June");
    let (_folder, paths) = folder(&[("mine.toml", &mine()), ("other.toml", &other)]);
    let words = ["update", shown(&paths[0]), "--with", shown(&paths[1])];
    let dry = learn(&[&words[..], &["--dry-run"]].concat()).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(fs::read_to_string(&paths[0]).ok(), Some(mine()), "a dry run writes nothing");
    let answer = learn(&words).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(answer, dry);
    assert!(answer.contains("contradicts: widened to hold both"), "{answer}");
    assert!(answer.contains("agrees") && answer.contains("was not known before"), "{answer}");

    let resolved = model::read::load(&paths[0], &[]).unwrap_or_else(|error| panic!("{error}"));
    let known = resolved.known();
    let find = |key: &str| known.iter().find(|one| one.key == key).expect("a number");
    let interval = |key: &str| {
        let interval = find(key).interval.expect("an interval");
        [interval.low, interval.value, interval.high].map(|end| end.number())
    };
    let [low, value, high] = interval(CPU);
    assert!(low <= 0.0038 && high >= 0.0062 && (0.0045..0.0055).contains(&value), "{low} {high}");
    assert!(find(CPU).how.contains("contradict each other"), "{:?}", find(CPU));
    let [low, _, high] = interval(SLEEP);
    assert!(low > 0.010 && high < 0.040, "two that agree are surer: {low} {high}");
    assert_eq!(find("service.workers").value, "3");
    assert_eq!(find("load.rate").value, "20/s");

    // What a person wrote stays.
    let text = fs::read_to_string(&paths[0]).unwrap_or_default();
    for kept in ["# mine: what the shop costs.", "# seen in pg_stat_statements", "# the handler"] {
        assert!(text.contains(kept), "{kept}\n{text}");
    }
    assert!(text.contains("workers = 3") && !text.contains("# assumed"), "{text}");
    let lines = text.lines().count();
    assert!(lines >= mine().lines().count() && lines <= mine().lines().count() + 3, "{text}");
}

#[test]
fn a_value_of_another_file_is_named_and_left_alone() {
    let child = format!("extends = \"mine.toml\"\n{}", entry(CPU, &ends("3ms", "5ms"), "measured"));
    let (_folder, paths) = folder(&[("mine.toml", &mine()), ("child.toml", &child)]);
    let answer =
        learn(&["update", shown(&paths[1]), "--with", shown(&paths[0])]).unwrap_or_default();
    assert!(answer.contains("stands in another file"), "{answer}");
    assert_eq!(fs::read_to_string(&paths[1]).ok(), Some(child));
}
