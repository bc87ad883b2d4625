//! The command line, run in process: what goes to which stream, in which words.
//!
//! `UPDATE_GOLDEN=1` writes the goldens under `golden/cli/` anew.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use model::read::load;
use model::report::Report;
use model::statistics::{Estimate, round_significant};
use model::stream::replication_seed;
use render::Exit;
use serde_json::Value;
use sim::cli;

/// What a command left behind.
struct Outcome {
    exit: Exit,
    out: String,
    err: String,
}

/// Runs `sim` with these words.
fn sim(words: &str) -> Outcome {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args = ["sim"].into_iter().chain(words.split_whitespace());
    let exit = cli::run(args, &mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Outcome { exit, out: text(out), err: text(err) }
}

/// The data of a command that must succeed and have nothing else to say.
fn answer(words: &str) -> String {
    let Outcome { exit, out, err } = sim(words);
    // The upstream of the shop names no client, which `sim check` says.
    let err: Vec<&str> = err.lines().filter(|line| !line.contains("names no `client`")).collect();
    assert_eq!((exit, &*err), (Exit::Success, &[][..]), "sim {words}");
    out
}

/// The talk of a command that must fail and leave no data.
fn refusal(words: &str) -> String {
    let Outcome { exit, out, err } = sim(words);
    assert_eq!((exit, out.as_str()), (Exit::Failure, ""), "sim {words}");
    assert_eq!(exit.code(), 2);
    err
}

fn json(words: &str) -> Value {
    serde_json::from_str(&answer(words)).expect("JSON")
}

fn compare(name: &str, found: &str) {
    testkit::golden(Path::new("golden/cli").join(name), found);
}

const SHORT: &str = "--replications 3";

#[test]
fn help_opens_with_examples() {
    let help = answer("--help");
    assert!(help.find("Examples:") < help.find("Usage:"), "{help}");
    compare("help.txt", &help);
    for command in ["scenario", "ladder", "explain", "check", "schema", "trace", "completions"] {
        assert!(help.contains(command));
        assert!(answer(&format!("{command} --help")).contains("Usage: sim"));
    }
}

#[test]
fn a_slip_on_the_command_line_is_told_as_what_it_is() {
    let told = refusal("scenario v1.toml --seed -1");
    assert!(told.contains("a seed is a whole number from 0"), "{told}");
    let told = refusal("scenarios --show v66");
    assert!(told.contains("did you mean `v6.toml`?"), "{told}");
}

#[test]
fn texts_are_as_they_were() {
    compare("scenario.txt", &answer(&format!("scenario golden/cli/shop.toml {SHORT}")));
    compare("explain.txt", &answer(&format!("explain golden/cli/shop-async.toml {SHORT}")));
    compare("ladder.txt", &answer(&format!("ladder golden/cli/shop-async.toml {SHORT}")));
    compare("check.txt", &keys_of_the_files(&answer("check golden/cli/shop-async.toml")));
    compare("trace.txt", &answer("trace golden/cli/shop.toml --limit 40"));
}

/// The lines of a printed scenario whose keys stand in its files, and the names of its tables: a new
/// key with a default changes none of them.
fn keys_of_the_files(printed: &str) -> String {
    let files = ["shop.toml", "shop-async.toml", "costs.toml"].map(|file| {
        fs::read_to_string(format!("golden/cli/{file}")).expect("a file of the scenario")
    });
    let words: BTreeSet<&str> = files
        .iter()
        .flat_map(|text| text.split(|c: char| !c.is_alphanumeric() && c != '_'))
        .collect();
    let kept = printed.lines().filter(|line| match line.split_once(" = ") {
        Some((key, _)) => words.contains(key),
        None => true,
    });
    kept.map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_report_keeps_what_other_programs_rely_on() {
    let text = answer(&format!("scenario golden/cli/shop.toml --format json {SHORT}"));
    let report: Report = serde_json::from_str(&text).expect("a report");
    assert!(report.throughput.low <= report.throughput.value);
    assert!(report.throughput.value <= report.throughput.high);
    assert!(!report.knobs.is_empty());
    let parts: f64 = report.time.iter().map(|part| part.seconds).sum();
    assert!((parts / report.response_time.mean - 1.0).abs() < 1e-6, "parts add up");

    let value: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(value["schema"], 1);
    assert_eq!(value["kind"], "predicted");
    assert_eq!(value["scenario"], "shop");
    assert_eq!(value["seed"], 7);
    let number = |pointer: &str| {
        assert!(value.pointer(pointer).is_some_and(Value::is_number), "{pointer}");
    };
    for end in ["value", "low", "high"] {
        number(&format!("/throughput/{end}"));
    }
    for quantile in ["mean", "p50", "p90", "p95", "p99", "p999", "max"] {
        number(&format!("/response_time/{quantile}"));
        number(&format!("/classes/0/response_time/{quantile}"));
    }
    for kind in ["timeout", "rejected", "database_busy"] {
        number(&format!("/errors/{kind}"));
    }
    for field in ["utilisation", "in_flight_mean", "waiting_time_mean"] {
        number(&format!("/stations/0/{field}"));
    }
    assert_eq!(value["stations"][0]["name"], "cpu");
    number("/bottleneck/gain");
    assert!(value["bottleneck"]["knob"].is_string());
}

/// A report without what it says of each replication by itself.
fn without_rounds(words: &str) -> (Report, Vec<Report>) {
    let mut report: Report = serde_json::from_str(&answer(words)).expect("a report");
    let rounds = std::mem::take(&mut report.rounds);
    (report, rounds)
}

#[test]
fn replications_that_were_asked_for_are_told_one_by_one() {
    let ask = |many: u32| {
        let words = format!("scenario golden/cli/shop.toml --format json --replications {many}");
        without_rounds(&words)
    };
    let (three, rounds) = ask(3);
    let (_, first_two) = ask(2);
    assert_eq!(rounds.len(), 3);
    assert_eq!(rounds[..2], first_two, "a round does not depend on how many there are");
    for (round, index) in rounds.iter().zip(0..) {
        assert_eq!(round.seed, replication_seed(three.seed, index));
        assert_eq!((round.run.replications, round.rounds.len()), (1, 0));
        assert_eq!(round.throughput, Estimate::exact(round.throughput.value));
        let parts: f64 = round.time.iter().map(|part| part.seconds).sum();
        assert!((parts / round.response_time.mean - 1.0).abs() < 1e-6, "parts add up");
    }
    // All together they are the whole.
    let sum = |pick: fn(&Report) -> f64| rounds.iter().map(pick).sum::<f64>();
    assert_eq!(sum(|round| round.run.samples as f64), three.run.samples as f64);
    assert!(
        (sum(|round| round.throughput.value) / 3.0 / three.throughput.value - 1.0).abs() < 1e-8
    );
    let longest = rounds.iter().map(|round| round.response_time.max).fold(0.0, f64::max);
    assert_eq!(longest, three.response_time.max);
    let [least, most] = [f64::min, f64::max].map(|pick| {
        rounds.iter().map(|round| round.response_time.p99).reduce(pick).expect("three rounds")
    });
    assert!(least <= three.response_time.p99 && three.response_time.p99 <= most);
    for (station, index) in three.stations.iter().zip(0..) {
        let mean = rounds.iter().map(|round| round.stations[index].utilisation).sum::<f64>() / 3.0;
        assert!((mean - station.utilisation).abs() < 1e-8, "{}", station.id);
    }
}

#[test]
fn a_replication_by_itself_is_what_its_seed_brings() {
    let shop = "scenario golden/cli/shop.toml --format json";
    let (_, rounds) = without_rounds(&format!("{shop} {SHORT}"));
    let resolved = load(Path::new("golden/cli/shop.toml"), &[]).expect("a scenario");
    let seen = sim::replicate::replicate(&resolved.scenario, 1, 1_000_000).expect("it ends");
    assert_eq!(rounds[1].run.samples, seen.good());
    assert_eq!(rounds[1].response_time.p50, {
        let mut times = seen.histograms[0].clone();
        seen.histograms[1..].iter().for_each(|other| times.add(other).expect("the same bounds"));
        round_significant(times.value_at_quantile(0.5) as f64 / 1e9)
    });
}

#[test]
fn replications_that_are_too_many_or_a_matter_of_precision_are_not_told_one_by_one() {
    let shop = "scenario golden/cli/shop.toml --format json";
    for (effort, told) in
        [("--replications 10", 10), ("--replications 11", 0), ("--precision 50%", 0)]
    {
        assert_eq!(without_rounds(&format!("{shop} {effort}")).1.len(), told, "{effort}");
    }
}

#[test]
fn explanations_are_reports_with_programs() {
    let text = answer(&format!("explain golden/cli/shop.toml --format json {SHORT}"));
    serde_json::from_str::<Report>(&text).expect("a report");
    let value: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(value["programs"][1]["endpoint"], "pay");
    assert!(value["programs"][0]["steps"][0]["cpu"].is_number());
}

#[test]
fn a_ladder_has_a_report_for_each_rung() {
    let value = json(&format!("ladder golden/cli/shop-async.toml --format json {SHORT}"));
    assert_eq!(value["kind"], "ladder");
    let rungs = value["rungs"].as_array().expect("rungs");
    assert_eq!(rungs.len(), 2);
    assert_eq!(rungs[0]["turned"], Value::Null);
    assert_eq!(rungs[1]["turned"], "service.concurrency: blocking -> async");
    assert_eq!(rungs[1]["changes"][0]["key"], "service.concurrency");
    assert_eq!(rungs[0]["multiples"]["first"], 1.0);
    assert_eq!(rungs[1]["multiples"]["first"], rungs[1]["multiples"]["previous"]);
    for rung in rungs {
        serde_json::from_value::<Report>(rung.clone()).expect("a report");
    }
}

#[test]
fn the_same_question_has_the_same_bytes_on_any_number_of_threads() {
    let ask = |threads: u32| {
        answer(&format!("scenario golden/cli/shop.toml --format json --threads {threads} {SHORT}"))
    };
    let once = ask(1);
    assert!(once == ask(1) && once == ask(2) && once == ask(5));
    let other = answer(&format!("scenario golden/cli/shop.toml --format json --seed 8 {SHORT}"));
    assert!(once != other, "another seed, another answer");
}

#[test]
fn the_effort_is_what_was_asked_for() {
    let runs =
        |options: &str| json(&format!("scenario golden/cli/shop.toml --format json {options}"));
    assert_eq!(runs("--replications 4")["run"]["replications"], 4);
    assert_eq!(runs("--replications 12 --confidence 99%")["run"]["confidence"], 0.99);
    let report = runs("--precision 5%");
    let of = |end: &str| report["throughput"][end].as_f64().expect("a number");
    assert!((of("high") - of("low")) / 2.0 <= 0.05 * of("value"));
    assert!(report["run"]["replications"].as_u64() >= Some(10));
}

#[test]
fn a_checked_scenario_is_a_scenario() {
    let toml = answer("check golden/cli/shop-async.toml");
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let path = folder.path().join("checked.toml");
    fs::write(&path, &toml).expect("a folder of ours");
    assert_eq!(answer(&format!("check {}", path.display())), toml);

    let value = json("check golden/cli/shop-async.toml --format json --set service.workers=3");
    assert_eq!(value["ok"], true);
    assert_eq!(value["scenario"], "shop-async");
    assert_eq!(value["chain"][0], "golden/cli/shop.toml");
    assert_eq!(value["resolved"]["service"]["workers"], 3);
    assert_eq!(value["resolved"]["load"]["warmup"], "1s");
}

#[test]
fn what_a_client_fills_in_is_said_with_where_it_comes_from() {
    let shop = "check golden/cli/shop.toml";
    let told = sim(shop).err;
    assert!(told.contains("`upstream.bank` names no `client`: no limit of connections is assumed"));
    let httpx = format!("{shop} --set upstream.bank.client=httpx");
    let told = sim(&httpx).err;
    assert!(!told.contains("names no `client`"), "{told}");
    let of = |key: &str, value: &str| {
        format!("note: `upstream.bank.{key}` is {value}: the default of httpx 0.28.1\n")
    };
    let keys = [("max_connections", "100"), ("kept", "20"), ("expiry", "5s"), ("retries", "0")];
    assert!(keys.iter().all(|(key, value)| told.contains(&of(key, value))), "{told}");
    assert!(!told.contains("upstream.bank.timeout"), "it is written: {told}");
    let value: Value =
        serde_json::from_str(&sim(&format!("{httpx} --format json")).out).expect("JSON");
    assert_eq!(value["filled_in"][0]["key"], "upstream.bank.max_connections");
    assert_eq!(value["filled_in"][0]["from"], "httpx 0.28.1");
    let resolved = &value["resolved"]["upstream"]["bank"];
    assert_eq!((&resolved["max_connections"], &resolved["timeout"]), (&100.into(), &"1s".into()));
}

#[test]
fn the_digest_is_that_of_the_resolved_scenario() {
    let digest = |options: &str| {
        json(&format!("check golden/cli/shop.toml --format json {options}"))["digest"].clone()
    };
    assert_eq!(digest(""), digest("--set service.workers=1"));
    assert_ne!(digest(""), digest("--set service.workers=2"));
    assert_ne!(digest(""), digest("--seed 8"));
    let report = json(&format!("scenario golden/cli/shop.toml --format json {SHORT}"));
    assert_eq!(report["digest"], digest(""));
}

/// One key as a table and two as a grid, and the table as a file.
#[test]
fn a_sweep_is_a_table_a_grid_or_a_file() {
    let one = "sweep golden/cli/shop.toml --vary load.users=1..16*2 --replications 3";
    compare("sweep.txt", &answer(&format!("{one} --keep p99<100ms")));
    compare("sweep.csv", &answer(&format!("{one} --format csv")));
    let two = "--vary service.workers=1,2 --show p99 --keep p99<100ms";
    compare("sweep-grid.txt", &answer(&format!("{one} {two}")));
    let document = json(&format!("{one} --format json"));
    assert_eq!(document["points"].as_array().map(Vec::len), Some(5));
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let file = folder.path().join("sweep.csv");
    let written = answer(&format!("{one} --format csv --output {}", file.display()));
    assert_eq!(written, "");
    let text = fs::read_to_string(&file).expect("it was written");
    assert_eq!(text, answer(&format!("{one} --format csv")));
}

#[test]
fn a_sweep_that_cannot_be_is_refused() {
    let tells = |words: &str, parts: &[&str]| {
        let told = refusal(&format!("sweep golden/cli/shop.toml {words}"));
        for part in parts {
            assert!(told.contains(part), "{part}: {told}");
        }
    };
    tells("", &["--vary <KEY=VALUES>"]);
    tells("--vary load.users=8..1", &["`8..1` is empty: its end lies below its start"]);
    tells("--vary load.usrs=1..3", &["unknown key `load.usrs`", "did you mean `users`?"]);
    tells("--vary load.users=1..3 --show p98", &["p99"]);
    tells("--vary load.users=1,2 --keep p99<1s --keep p50>2s", &["--keep"]);
    let parquet = "--vary load.users=1,2 --format parquet";
    tells(parquet, &["error: --format: ", "parquet"]);
    let nowhere = "--vary load.users=1,2 --replications 2 --output golden/no-such-folder/sweep.txt";
    tells(nowhere, &["golden/no-such-folder/sweep.txt: cannot be written: there is no folder"]);
}

#[test]
fn schemas_name_themselves() {
    for document in ["", "scenario", "costs", "report", "size", "sweep"] {
        assert!(json(&format!("schema {document}")).is_object());
    }
    assert_eq!(json("schema"), json("schema scenario"));
}

#[test]
fn a_trace_is_cut_but_its_digest_is_not() {
    let last = |options: &str| {
        let text = answer(&format!("trace golden/cli/shop.toml {options}"));
        text.lines().last().expect("a line").to_string()
    };
    assert_eq!(last("--limit 1"), last("--limit 100"));
    assert_ne!(last("--limit 1"), last("--limit 1 --seed 8"));
    let lines = answer("trace golden/cli/shop.toml --limit 5 --format json");
    assert_eq!(lines.lines().count(), 6);
    for line in lines.lines() {
        serde_json::from_str::<Value>(line).expect("one document per line");
    }
}

#[test]
fn completions_name_the_commands_and_the_keys() {
    for shell in ["bash", "zsh", "fish"] {
        let script = answer(&format!("completions {shell}"));
        for word in ["ladder", "service.workers=", "costs.cpu.async.request="] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn a_rung_with_two_knobs_is_refused_unless_allowed() {
    let words = "ladder golden/cli/shop-two-knobs.toml";
    compare("ladder-refusal.txt", &refusal(words));
    let array: Value =
        serde_json::from_str(&refusal(&format!("{words} --format json"))).expect("JSON");
    assert_eq!(array[0]["file"], "golden/cli/shop-two-knobs.toml");
    let table = answer(&format!("{words} --allow-many {SHORT}"));
    assert!(table.contains("service.workers: 1 -> 2; upstream.bank.max_in_flight: 4 -> 8"));
}

#[test]
fn wrong_usage_leaves_no_data() {
    for words in [
        "",
        "scenari",
        "scenario",
        "scenario golden/cli/shop.toml --replications 1",
        "scenario golden/cli/shop.toml --replications 3 --precision 1%",
        "scenario golden/cli/shop.toml --precision 1",
        "scenario golden/cli/shop.toml --confidence 100%",
        "scenario golden/cli/shop.toml --threads 0",
        "scenario golden/cli/shop.toml --format yaml",
        "schema song",
        "completions dos",
    ] {
        assert!(!refusal(words).is_empty(), "sim {words}");
    }
}

#[test]
fn a_what_if_is_not_held_against_what_others_published() {
    let file = "../scenarios/v2.toml --replications 2";
    assert!(!json(&format!("scenario {file} --format json --seed 7"))["published"].is_null());
    assert!(
        json(&format!("scenario {file} --format json --set service.workers=2"))["published"]
            .is_null()
    );
    let ladder = answer(&format!("ladder {file} --set load.users=100"));
    assert!(!ladder.contains("published"), "{ladder}");
}

#[test]
fn wrong_input_is_told_in_the_words_of_the_reader() {
    let missing = refusal("scenario golden/cli/shopp.toml");
    assert!(missing.contains("there is no such file"), "{missing}");
    assert!(missing.contains("did you mean `golden/cli/shop.toml`?"), "{missing}");
    let set = refusal("scenario golden/cli/shop.toml --set service.worker=2");
    assert!(set.contains("--set service.worker=2"), "{set}");
    assert!(set.contains("did you mean `workers`?"), "{set}");
    let array: Value =
        serde_json::from_str(&refusal("check golden/cli/shop.toml --format json --set seed=x"))
            .expect("JSON");
    assert_eq!(array.as_array().map(Vec::len), Some(1));
}

#[test]
fn a_run_that_is_too_long_is_given_up() {
    for command in ["scenario", "ladder", "explain", "trace"] {
        let words = format!("{command} golden/cli/shop.toml --max-events 100");
        let told = refusal(&words);
        assert!(told.starts_with("error: shop: more than 100 events by "), "{told}");
    }
}

#[test]
fn silence_is_told_plainly() {
    let words = format!("scenario golden/cli/shop.toml {SHORT} --set load.timeout=1ms");
    let text = answer(&format!("{words} --set load.think_time=1s"));
    assert!(text.contains("no good answer in 3 runs"), "{text}");
    assert!(!text.contains("response time"), "{text}");
}

/// A pipe whose reader has gone.
struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_closed_pipe_ends_quietly() {
    for words in [
        "check golden/cli/shop.toml",
        "trace golden/cli/shop.toml",
        "schema",
        "completions bash",
        "--help",
    ] {
        let mut err = Vec::new();
        let args = ["sim"].into_iter().chain(words.split_whitespace());
        assert_eq!(cli::run(args, &mut Closed, &mut err), Exit::Success, "sim {words}");
        let err = String::from_utf8(err).expect("UTF-8");
        assert!(err.lines().all(|line| line.contains("names no `client`")), "sim {words}");
    }
}

#[test]
fn an_objective_is_kept_or_broken_in_words_in_json_and_in_the_exit_code() {
    let of = |keep: &[&str], format: &str| {
        let mut args: Vec<&str> =
            vec!["sim", "scenario", "golden/cli/shop.toml", "--replications", "3"];
        args.extend(keep.iter().flat_map(|keep| ["--keep", keep]));
        args.extend(["--format", format]);
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let exit = cli::run(args, &mut out, &mut err);
        (exit.code(), String::from_utf8(out).expect("UTF-8"))
    };
    let plain = of(&[], "json");
    assert!(plain.0 == 0 && !plain.1.contains("\"objectives\""));
    let (code, text) = of(&["p99 < 1h", "errors <= 100%"], "text");
    assert!(code == 0 && text.contains("✓ kept  p99 < 3600s"), "{text}");
    let (code, text) = of(&["p99 < 1h", "p(50)<0.001"], "text");
    assert!(code == 4 && text.contains("✗ broken  p50 < 1us"), "{text}");
    let (code, json) = of(&["p50 < 1us", "utilisation:cpu < 100%"], "json");
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((code, &json["objectives"][0]["state"]), (4, &Value::from("broken")));
    assert_eq!(json["objectives"][0]["value"], json["response_time"]["p50"]);
    assert_eq!(json["objectives"][1]["state"], "kept");
    assert_eq!(json["bottleneck"]["goal"], "p50", "a change is judged by what is broken");
    // What is kept changes nothing else.
    let (_, json) = of(&["p99 < 1h", "utilisation:cpu < 100%"], "json");
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let mut without: Value = serde_json::from_str(&plain.1).expect("JSON");
    without["objectives"] = json["objectives"].clone();
    assert_eq!(without, json);
    let wrong = refusal("scenario golden/cli/shop.toml --keep p99<5");
    assert!(wrong.contains("--keep: the limit of `p99<5` is `5`"), "{wrong}");
}
