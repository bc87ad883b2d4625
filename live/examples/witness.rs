//! Does the witness tell how fast the machine was? One saturated scenario in many rounds, in half of
//! them beside a program that computes on the load's processor; and how much of what changes in its
//! CPU time per request the witness explains.
//!
//!     cargo run --release -p live --example witness -- measure fastapi-async rounds.ndjson 15 --target fastapi
//!     cargo run --release -p live --example witness -- judge rounds.ndjson
//!
//! `measure` adds a line for each round to the file; words behind the number go to `live run`. The
//! program computes in the second and third of every four rounds, so that what drifts steadily drifts
//! for both kinds; `measure-alone` does without it.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program of its own")]

use std::error::Error;
use std::fs::{File, OpenOptions, read_to_string};
use std::io::Write as _;
use std::process::{Child, Command, ExitCode, Stdio};

use live::machine::{Cpus, Split, pin};
use model::measurement::Measurement;
use model::report::Report;
use rustix::process::{Signal, nice, set_parent_process_death_signal};
use serde::{Deserialize, Serialize};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let words: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
    let done = match words.as_slice() {
        ["measure", scenario, file, rounds, rest @ ..] => {
            measure(scenario, file, rounds, rest, |number| matches!(number % 4, 1 | 2))
        }
        ["measure-alone", scenario, file, rounds, rest @ ..] => {
            measure(scenario, file, rounds, rest, |_| false)
        }
        ["judge", file] => judge(file),
        ["burn"] => burn(),
        // This program is the program `live` too, and its children.
        _ => return live::cli::run_on_terminal(std::env::args_os()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A round, as it is kept.
#[derive(Serialize, Deserialize)]
struct Line {
    disturbed: bool,
    /// CPU time of the service per good answer, in seconds.
    cpu: f64,
    /// How it was measured.
    how: Measurement,
}

/// Adds rounds to the file, with the disturbing program in those whose numbers `disturbs` takes.
fn measure(
    scenario: &str,
    file: &str,
    rounds: &str,
    rest: &[&str],
    disturbs: fn(usize) -> bool,
) -> Result<(), Box<dyn Error>> {
    let rounds: usize = rounds.parse()?;
    let begun = read_to_string(file).map_or(0, |text| text.lines().count());
    let mut out = OpenOptions::new().create(true).append(true).open(file)?;
    for number in begun..begun + rounds {
        let disturbed = disturbs(number);
        let burner = disturbed.then(|| this("burn").spawn().map(Running)).transpose()?;
        let answer = tempfile::NamedTempFile::new()?;
        let seed = format!("--set=seed={}", number + 1);
        let status = this("run")
            .args([scenario, "--format=json", &seed])
            .args(rest)
            .stdout(File::create(answer.path())?)
            .stderr(Stdio::inherit())
            .status()?;
        drop(burner);
        let report: Report = serde_json::from_str(&read_to_string(answer.path())?)
            .map_err(|error| format!("round {number} failed ({status}): {error}"))?;
        let how = report.measurement.unwrap_or_default();
        let workers = how.processes.iter().filter(|process| process.is_worker());
        let cpu = workers.map(|worker| worker.cpu).sum::<f64>() / report.run.samples as f64;
        println!("round {number}: {:.3} ms per request, disturbed: {disturbed}", cpu * 1e3);
        serde_json::to_writer(&out, &Line { disturbed, cpu, how })?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// This program with another first word.
fn this(word: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("the system knows this program"));
    command.arg(word);
    command
}

/// A process that ends with its owner.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Computes on the processors of the load, behind the load, and goes through much memory.
fn burn() -> Result<(), Box<dyn Error>> {
    pin(&Split::new(&Cpus::allowed(), 1).load)?;
    nice(19)?;
    // It ends with the program that started it, even if that is killed.
    set_parent_process_death_signal(Some(Signal::TERM))?;
    let mut memory = vec![1u64; 4 << 20];
    let mut sum = 1u64;
    loop {
        for index in 0..memory.len() {
            let at = (sum as usize).wrapping_mul(64) % memory.len();
            sum = sum.wrapping_mul(0x2545_f491_4f6c_dd1d).wrapping_add(memory[at] ^ index as u64);
            memory[at] = sum;
        }
    }
}

/// Rounds without which nothing is fitted.
const FEWEST: usize = 6;

/// Whether a round is one of a group.
type Pick = fn(&Line) -> bool;

/// What the file says of the witness.
fn judge(file: &str) -> Result<(), Box<dyn Error>> {
    let lines: Result<Vec<Line>, _> =
        read_to_string(file)?.lines().map(serde_json::from_str::<Line>).collect();
    let lines = lines?;
    let groups: [(&str, Pick); 3] = [
        ("all", |_| true),
        ("alone", |line| !line.disturbed),
        ("disturbed", |line| line.disturbed),
    ];
    println!("CPU time per request");
    for (name, pick) in groups {
        let costs: Vec<f64> =
            lines.iter().filter(|line| pick(line)).map(|line| line.cpu.ln()).collect();
        if costs.len() > 1 {
            let (mean, spread) = (mean(&costs).exp() * 1e3, 100.0 * spread(&costs));
            println!("  {name:<10} {:>3} rounds: {mean:.3} ms, spread {spread:.1} %", costs.len());
        }
    }
    let seen: Vec<&Line> = lines.iter().filter(|line| line.how.speed.is_some()).collect();
    if seen.len() < FEWEST {
        return Err(format!("{} rounds have a witness; it takes {FEWEST}", seen.len()).into());
    }
    let costs: Vec<f64> = seen.iter().map(|line| line.cpu.ln()).collect();
    let (first, second) = costs.split_at(costs.len() / 2);
    let halves = ((spread(first).powi(2) + spread(second).powi(2)) / 2.0).sqrt() * 100.0;
    println!("  within halves: spread {halves:.1} %\n");
    println!("what is divided out   varies by  correlation  spread left  held out  exponents");
    for measure in measures(seen[0]) {
        let slowness: Vec<f64> = seen.iter().map(|line| measure.of(line).ln()).collect();
        let (fitted, exponents) = held_out(&slowness, &costs);
        println!(
            "{:<20}  {:>7.1} %  {:>11.2}  {:>9.1} %  {:>6.1} %  {exponents}",
            measure.name(),
            100.0 * spread(&slowness),
            correlation(&slowness, &costs),
            100.0 * spread(&without(&slowness, &costs, 1.0)),
            100.0 * fitted,
        );
    }
    Ok(())
}

/// What tells how slow the machine was.
enum Measure {
    /// The speed as reports have it.
    Speed,
    /// A kind of work with what the service has left in the caches.
    Cold(String),
    /// A kind of work right after that.
    Warm(String),
}

/// All measures that `line` has.
fn measures(line: &Line) -> Vec<Measure> {
    let kinds = || line.how.speed.iter().flat_map(|speed| speed.kinds.keys().cloned());
    let (cold, warm) = (kinds().map(Measure::Cold), kinds().map(Measure::Warm));
    std::iter::once(Measure::Speed).chain(cold).chain(warm).collect()
}

impl Measure {
    fn name(&self) -> String {
        match self {
            Measure::Speed => "the speed".to_string(),
            Measure::Cold(kind) => format!("{kind}, cold"),
            Measure::Warm(kind) => format!("{kind}, warm"),
        }
    }

    /// How slow it says that the machine was; one where it does not.
    fn of(&self, line: &Line) -> f64 {
        let Some(speed) = &line.how.speed else { return 1.0 };
        match self {
            Measure::Speed => 1.0 / speed.mean,
            Measure::Cold(kind) => speed.kinds.get(kind).map_or(1.0, |work| work.cold),
            Measure::Warm(kind) => speed.kinds.get(kind).map_or(1.0, |work| work.warm),
        }
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Sum of the products of what `a` and `b` differ from their means by.
fn product(a: &[f64], b: &[f64]) -> f64 {
    let (of_a, of_b) = (mean(a), mean(b));
    a.iter().zip(b).map(|(a, b)| (a - of_a) * (b - of_b)).sum()
}

/// Standard deviation: of logarithms, it is the coefficient of variation.
fn spread(values: &[f64]) -> f64 {
    (product(values, values) / (values.len() - 1) as f64).sqrt()
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    product(a, b) / (product(a, a) * product(b, b)).sqrt()
}

/// The logarithms of the costs with the slowness to the power of `exponent` divided out.
fn without(slowness: &[f64], costs: &[f64], exponent: f64) -> Vec<f64> {
    costs.iter().zip(slowness).map(|(cost, slow)| cost - exponent * slow).collect()
}

/// The spread of each half of the rounds with the exponent that fits the other half by least
/// squares, and both exponents.
fn held_out(slowness: &[f64], costs: &[f64]) -> (f64, String) {
    let middle = costs.len() / 2;
    let (x, y) = (slowness.split_at(middle), costs.split_at(middle));
    let fitted = |x: &[f64], y: &[f64]| product(x, y) / product(x, x);
    let (early, late) = (fitted(x.0, y.0), fitted(x.1, y.1));
    let left = [spread(&without(x.0, y.0, late)), spread(&without(x.1, y.1, early))];
    let square = (left[0].powi(2) + left[1].powi(2)) / 2.0;
    (square.sqrt(), format!("{early:.2}, {late:.2}"))
}
