//! What can be written after `sim`.

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

use model::read::{Diagnostics, Resolved};
use model::report::Report;
use model::scenario::Scenario;
use model::statistics::round_significant;
use model::sweep::Axis;
use model::units::parse_share;
use render::HELP;
use render::ci::{Form, VerdictOutput};
use render::sweep::Show as Number;
use render::{
    Completions, Console, Failure, Format, Keep, LadderSource, Manual, Output, PlainOutput, Source,
};

use super::emit::System;
#[cfg(feature = "serve")]
use super::serve::Serve;
use crate::knob::Goal;
use crate::over_time::over_time;
use crate::replicate::Effort;
use crate::starter::{Data, Stack};
use crate::store::{self, Store};

const EXAMPLES: &str = "\
Examples:
  sim scenario v6.toml                        what would happen, and what is the limit?
  sim scenario v6.toml --set service.workers=4
  sim scenario v6.toml --keep 'p99 < 10s' --keep 'errors < 1%'   exit code 4 if one is broken
  sim size v6.toml --keep 'p99 < 45s'         how much does it take?
  sim sweep v6.toml --vary load.users=50..400:50   and at each of these?
  sim ladder v5.toml                          what did each change buy?
  sim ui v5.toml                              what if? in a browser, with sliders
  sim serve                                   the same questions over HTTP, for programs
  sim explain v6.toml                         why? every knob turned, every step in words
  sim explain v6.toml --goal p99              ... judged by the slowest requests
  sim check v6.toml                           is the file right? print it complete
  sim new --stack fastapi > mine.toml         start from a service like yours; --ask asks for it
  sim scenario v6.toml --format json | jq .throughput.value
  sim scenario v6.toml --keep 'p99 < 10s' --format junit > objectives.xml   for a build server

A FILE is looked for as given, then under scenarios/, then among the built-in scenarios; its
.toml may be left out.

Exit codes: 0 an answer, 2 none (wrong usage, wrong input), 4 an answer that breaks an objective
(--keep, or `[[objective]]` of the file).";

/// Predicts what a web service on one vCPU does, from a scenario file.
#[derive(Debug, Parser)]
#[command(name = "sim", version, before_help = EXAMPLES, help_template = HELP)]
pub(super) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(super) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Predict one scenario: throughput, response times, errors, and the limit
    Scenario(Predict),
    /// Predict a scenario and all that it extends, one row per rung
    Ladder(Ladder),
    /// Find how much load it takes: the highest rate, or number of users, that keeps the objectives
    Size(Size),
    /// Predict it at several values of one or two keys: a table or a grid, and where the curve bends
    Sweep(Sweep),
    /// Merge the parts of a sweep that several processes have computed
    Merge(Merge),
    /// Say why: every knob turned, the bounds, where time goes, each endpoint's steps
    Explain(Predict),
    /// Show an answer that was saved as JSON: as text, as Markdown, or with pictures
    Show(Show),
    /// What-ifs in a browser on this machine: a slider for each key, answers at once
    #[cfg(feature = "ui")]
    Ui(Ui),
    /// Answer questions over HTTP: predict, explain, size and ladder as JSON, with limits for each question
    #[cfg(feature = "serve")]
    Serve(Serve),
    /// Check a scenario and print it complete, every default filled in
    Check(Check),
    /// List the built-in scenarios, or print one to start from
    Scenarios(Scenarios),
    /// Print the JSON Schema of a scenario, a cost profile or a report
    Schema(Schema),
    /// Print every event of one simulated run, in order
    Trace(Trace),
    /// Print a commented scenario of a service of your own, to start from
    New(New),
    /// Print a completion script for a shell
    Completions(Completions),
    /// Answer a question of a page of what-ifs, which is read from standard input
    #[command(hide = true)]
    Ask,
    /// Write manual pages
    #[command(hide = true)]
    Man(Manual),
}

/// `sim scenario` and `sim explain`.
#[derive(Debug, Args)]
pub(super) struct Predict {
    #[command(flatten)]
    pub(super) source: Source,
    #[command(flatten)]
    pub(super) keep: Keep,
    #[command(flatten)]
    pub(super) goal: GoalOption,
    #[command(flatten)]
    pub(super) effort: EffortOptions,
    /// Tell what happens when, too, as `over_time` in JSON; --html does so by itself
    #[arg(long)]
    pub(super) over_time: bool,
    #[command(flatten)]
    pub(super) output: VerdictOutput,
}

impl Predict {
    /// Adds to the report what happens when, if that is asked for.
    ///
    /// # Errors
    /// A run does not come to its end.
    pub(super) fn add_over_time(&self, of: &Resolved, report: &mut Report) -> Result<(), Failure> {
        if self.over_time || self.output.page().is_some() {
            let told = over_time(&of.scenario, report.run.replications, self.effort.max_events)
                .map_err(|runaway| Failure::run(&report.scenario, runaway))?;
            report.over_time = Some(told);
        }
        Ok(())
    }
}

#[cfg(feature = "ui")]
const PAGES: &str = "\
Examples:
  sim ui v5.toml                              prints an address: open it in a browser
  sim ui mine.toml --set service.workers=4 --keep 'p99 < 800ms'    begin with these changes
  sim ui v5.toml --port 8080                  on this port of this machine
  sim ui v5.toml --export site/ --engine sim.wasm    a folder for any web server: no program is needed

The page is for this machine alone, and for who has the address with its token. Ctrl-C ends it. Exit
codes: 0 ended by Ctrl-C, 2 wrong input or no port. A mistake in a line of the file is shown in the page.";

/// `sim ui`.
#[cfg(feature = "ui")]
#[derive(Debug, Args)]
#[command(before_help = PAGES, help_template = HELP)]
pub(super) struct Ui {
    #[command(flatten)]
    pub(super) source: Source,
    #[command(flatten)]
    pub(super) keep: Keep,
    /// The port on 127.0.0.1; 0 is any that is free
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(super) port: u16,
    /// Serve nothing, and write the page into this folder, with the engine inside: any web server can
    /// hand it out. It replaces a page that was written there before, and no other files
    #[arg(long, value_name = "FOLDER", conflicts_with = "port")]
    pub(super) export: Option<PathBuf>,
    /// The engine of the page, for --export: this program as WebAssembly; sim.wasm beside this program
    /// if left out
    #[arg(long, value_name = "FILE", requires = "export")]
    pub(super) engine: Option<PathBuf>,
    #[command(flatten)]
    pub(super) output: PlainOutput,
}

const SIZES: &str = "\
Examples:
  sim size v6.toml --keep 'p99 < 45s' --keep 'errors < 1%'     how many users?
  sim size v6.toml --open --keep 'endpoint:list_items.p99 < 100ms'   how many requests/s?
  sim size mine.toml --set service.workers=4                  with the `[[objective]]` of the file
  sim size mine.toml --keep 'p99 < 800ms' --under upstream.partner.latency.p50=1s   and if it is slower?
  sim size v6.toml --keep 'p99 < 60s' --headroom              how much slower may the partner become?
  sim size v5.toml --keep 'p99 < 6s' --advise                 what to change first, for how many users then?
  sim size mine.toml --format json | jq .holds
  sim size mine.toml --rate 120/s --choose service.workers=1..8 --choose database.connections.size=1..50 \\
      --cost 'workers*1 + pool*0.01'                          which is the cheapest that holds?

An open load must also be served as fast as it comes. Exit codes: 0 an answer, 2 none, 3 the search has
used up its events, 4 no load, or no setting, keeps the objectives; the answer says how near one
comes.";

/// `sim size`.
#[derive(Debug, Args)]
#[command(before_help = SIZES, help_template = HELP)]
pub(super) struct Size {
    #[command(flatten)]
    pub(super) source: Source,
    #[command(flatten)]
    pub(super) keep: Keep,
    /// Look for a rate of Poisson arrivals, where the file has users
    #[arg(long, conflicts_with = "choose")]
    pub(super) open: bool,
    /// How much is left before an objective breaks, too: how much more load, how much slower each
    /// upstream, how much more CPU time, each by itself under the load of the file
    #[arg(long, conflicts_with_all = ["choose", "open"])]
    pub(super) headroom: bool,
    /// What to change first to take more load, and how much is taken then (told in any case where no load
    /// keeps the objectives)
    #[arg(long, conflicts_with = "choose")]
    pub(super) advise: bool,
    /// Look for the cheapest value of this key, among so many, that keeps the objectives under the
    /// file's load, or that of --rate or --users: service.workers=1..8 (repeatable)
    #[arg(long, value_name = "KEY=VALUES")]
    pub(super) choose: Vec<Axis>,
    /// What a setting costs, an expression of the keys that are chosen: 'workers*1 + pool*0.01'
    #[arg(long, value_name = "EXPRESSION", requires = "choose")]
    pub(super) cost: Option<String>,
    /// Ask the same again with this key changed, and show both answers beside each other (repeatable,
    /// each change for itself)
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) under: Vec<String>,
    /// The load under which settings are chosen, as Poisson arrivals: 120/s
    #[arg(long, value_name = "RATE", requires = "choose", conflicts_with = "users")]
    pub(super) rate: Option<String>,
    /// The load under which settings are chosen, as users
    #[arg(long, value_name = "N", requires = "choose")]
    pub(super) users: Option<u32>,
    /// Give up after this many events in one run
    #[arg(long, value_name = "N", default_value_t = Effort::default().events_max)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) max_events: u64,
    /// Processors to use; the answer is the same with any number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) threads: Option<u16>,
    #[command(flatten)]
    pub(super) output: VerdictOutput,
}

const SWEEPS: &str = "\
Examples:
  sim sweep v6.toml --vary load.users=50,100,200,400
  sim sweep v6.toml --vary upstream.partner.max_in_flight=25..400*2 --keep 'p99 < 45s'
  sim sweep v5.toml --vary service.workers=1..4 --vary load.users=50..250:50 --show p99
  sim sweep v5.toml --vary load.users=25..400*2 --keep 'p99 < 5s' --html users.html    with pictures
  sim sweep mine.toml --vary upstream.partner.latency.p50=100ms..1s:100ms --format csv -o sweep.csv
  sim sweep v6.toml --vary load.users=1..100 --vary service.workers=1..100 --replications 2 \\
      --format csv -o grid.csv                                 ten thousand points
  sim sweep v5.toml --vary load.users=25..400*2 --shard 3/4 -o part-3.jsonl   then: sim merge part-*.jsonl
  sim sweep v5.toml --vary load.users=1..1000 --format csv --emit slurm --shards 50 -o users.sh

Values are a list, a range with a step (10..100:10; of whole numbers 1..8) or a factor (1..64*2), or
several of these with commas between them. Ctrl-C ends a sweep early: the points that are done are
kept. Exit codes: 0 an answer, 2 none, 3 interrupted.";

const MERGES: &str = "\
Examples:
  sim sweep v5.toml --vary load.users=25..400*2 --shard 1/2 -o part-1.jsonl    on one machine
  sim sweep v5.toml --vary load.users=25..400*2 --shard 2/2 -o part-2.jsonl    on another
  sim merge part-1.jsonl part-2.jsonl --format csv -o users.csv
  sim merge parts/ --format json -o grid.json

The answer is that of `sim sweep` without --shard, byte by byte. Exit codes: 0 an answer, 2 none: a part
is missing, broken, of another sweep or of another build.";

/// `sim sweep`.
#[derive(Debug, Args)]
#[command(before_help = SWEEPS, help_template = HELP)]
pub(super) struct Sweep {
    #[command(flatten)]
    pub(super) source: Source,
    /// A key and its values: a list, or a range such as 1..8, 10..100:10 or 1..64*2 (once or twice);
    /// commas inside of braces, brackets or quotes do not part values
    #[arg(long, value_name = "KEY=VALUES", required = true)]
    pub(super) vary: Vec<Vary>,
    #[command(flatten)]
    pub(super) keep: Keep,
    #[command(flatten)]
    pub(super) effort: EffortOptions,
    /// Compute one of several shards, such as 3/64 (counted from 1), and write it as a part for `sim
    /// merge`; in an array of tasks slurm/64, k8s/64 or batch/64 takes the index of the task. With -o
    /// FOLDER the part is part-3.jsonl in it
    #[arg(long, value_name = "SHARD/OF", conflicts_with_all = ["format", "show", "html"])]
    pub(super) shard: Option<String>,
    /// Compute nothing, and write jobs that compute the shards and merge them (-o names the script)
    #[arg(long, value_enum, value_name = "SYSTEM", conflicts_with_all = ["shard", "html", "show"])]
    pub(super) emit: Option<System>,
    /// How many shards --emit writes
    #[arg(long, value_name = "N", default_value_t = 64, requires = "emit")]
    #[arg(value_parser = clap::value_parser!(u64).range(2..=10_000))]
    pub(super) shards: u64,
    /// The image that Kubernetes runs: one that has this program
    #[arg(long, value_name = "IMAGE", default_value = "sim", requires = "emit")]
    pub(super) image: String,
    #[command(flatten)]
    pub(super) form: SweepForm,
}

/// A key and its values, and how they were written.
#[derive(Clone, Debug)]
pub(super) struct Vary {
    pub(super) written: String,
    pub(super) axis: Axis,
}

impl std::str::FromStr for Vary {
    type Err = String;

    fn from_str(text: &str) -> Result<Vary, String> {
        Ok(Vary { written: text.to_string(), axis: text.parse()? })
    }
}

impl Sweep {
    /// The keys and their values.
    pub(super) fn axes(&self) -> Vec<Axis> {
        self.vary.iter().map(|vary| vary.axis.clone()).collect()
    }
}

/// `sim merge`.
#[derive(Debug, Args)]
#[command(before_help = MERGES, help_template = HELP)]
pub(super) struct Merge {
    /// Parts that `sim sweep --shard` wrote, or folders that have them
    #[arg(required = true, value_name = "PART")]
    pub(super) parts: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) form: SweepForm,
}

/// How to write a sweep.
#[derive(Debug, Args)]
pub(super) struct SweepForm {
    /// The number that the grid of two keys shows
    #[arg(long, value_enum, value_name = "NUMBER", default_value_t = Number::default())]
    pub(super) show: Number,
    /// For people, for programs, for documents or for tables; parquet needs a file
    #[arg(long, value_enum, default_value_t = SweepFormat::Text)]
    pub(super) format: SweepFormat,
    /// Write the answer to this file
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Write the answer with pictures into this file too, as a page for a browser that needs no
    /// network: curves of one key, maps of colours of two. It replaces a page of an earlier run, and
    /// no other file
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,
}

/// A form of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum SweepFormat {
    /// For people
    Text,
    /// For programs
    Json,
    /// For documents
    Markdown,
    /// Comma-separated values: a header, and a row for each point
    Csv,
    /// The same table as Apache Parquet, for which this program has to be built with its feature
    /// `parquet`
    Parquet,
}

/// By what changes are judged.
#[derive(Debug, Args)]
pub(super) struct GoalOption {
    /// What to improve: throughput, errors, p99 (or mean, p50, p90, p95, p999), or such a time of
    /// one endpoint: endpoint:health.p99. Left out: errors if there are many, else throughput if
    /// something is full, else p99
    #[arg(long, value_name = "GOAL")]
    goal: Option<Goal>,
}

impl GoalOption {
    /// The goal, if one is given.
    ///
    /// # Errors
    /// It is about an endpoint that the scenario does not have.
    pub(super) fn checked(&self, scenario: &Scenario) -> Result<Option<Goal>, Diagnostics> {
        self.goal.iter().try_for_each(|goal| goal.check(scenario))?;
        Ok(self.goal.clone())
    }
}

/// `sim ladder`.
#[derive(Debug, Args)]
pub(super) struct Ladder {
    #[command(flatten)]
    pub(super) source: LadderSource,
    #[command(flatten)]
    pub(super) effort: EffortOptions,
    #[command(flatten)]
    pub(super) output: VerdictOutput,
}

const SHOWS: &str = "\
Examples:
  sim explain v6.toml --format json > v6.json
  sim show v6.json                            what sim explain would have printed
  sim show v6.json --html v6.html             the same with pictures, for a browser
  sim sweep v6.toml --vary load.users=50,100 --format json | sim show - --format markdown

Nothing is computed again.";

/// `sim show`.
#[derive(Debug, Args)]
#[command(before_help = SHOWS, help_template = HELP)]
pub(super) struct Show {
    /// The JSON of `sim scenario`, `explain`, `ladder`, `size` or `sweep`, or of `live run`; - reads it
    /// from standard input
    pub(super) file: PathBuf,
    #[command(flatten)]
    pub(super) output: Output,
}

/// `sim check`.
#[derive(Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    pub(super) source: Source,
    #[command(flatten)]
    pub(super) output: PlainOutput,
}

/// `sim scenarios`.
#[derive(Debug, Args)]
pub(super) struct Scenarios {
    /// Print this file, a scenario or a cost profile: --show v6.toml, --show costs/study.toml
    #[arg(long, value_name = "FILE")]
    pub(super) show: Option<String>,
    /// List the scenarios of the theory and of the validation, too
    #[arg(long)]
    pub(super) all: bool,
    #[command(flatten)]
    pub(super) output: Output,
}

/// `sim new`.
#[derive(Debug, Args)]
pub(super) struct New {
    /// What the service is written in, and what serves it
    #[arg(long, value_enum, default_value_t = Stack::Fastapi)]
    pub(super) stack: Stack,
    /// What keeps its data
    #[arg(long, value_enum, default_value_t = Data::Postgres)]
    pub(super) database: Data,
    /// Ask ten questions first; the answers are read from standard input
    #[arg(long)]
    pub(super) ask: bool,
}

/// `sim schema`.
#[derive(Debug, Args)]
pub(super) struct Schema {
    /// Of what
    #[arg(value_enum, default_value_t = Document::Scenario)]
    pub(super) document: Document,
}

/// What has a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Document {
    /// A scenario file
    Scenario,
    /// A cost profile
    Costs,
    /// The answer of `sim scenario --format json`
    Report,
    /// The answer of `sim explain --format json`
    Explanation,
    /// The answer of `sim ladder --format json`
    Ladder,
    /// The answer of `sim size --format json`
    Size,
    /// The answer of `sim size --choose --format json`
    Choice,
    /// The answer of `sim sweep --format json`
    Sweep,
}

/// `sim trace`.
#[derive(Debug, Args)]
pub(super) struct Trace {
    #[command(flatten)]
    pub(super) source: Source,
    /// Print at most this many events; the digest is that of all
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(super) limit: usize,
    /// Give up after this many events
    #[arg(long, value_name = "N", default_value_t = Effort::default().events_max)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) max_events: u64,
    #[command(flatten)]
    pub(super) output: PlainOutput,
}

/// How hard to try.
#[derive(Debug, Args)]
#[command(next_help_heading = "Effort")]
pub(super) struct EffortOptions {
    /// Run exactly this many replications (at least 2)
    #[arg(long, value_name = "N", conflicts_with = "precision")]
    #[arg(value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    replications: Option<u32>,
    /// Replicate until the throughput's interval is within this share of it, such as 1%
    #[arg(long, value_name = "SHARE", value_parser = share)]
    precision: Option<f64>,
    /// Confidence of every interval
    #[arg(long, value_name = "SHARE", default_value = "95%", value_parser = share)]
    confidence: f64,
    /// Give up after this many events in one replication
    #[arg(long, value_name = "N", default_value_t = Effort::default().events_max)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    max_events: u64,
    /// Processors to use; the answer is the same with any number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) threads: Option<u16>,
    /// Folder of answers that were computed before, which several processes and machines may share;
    /// .rung/cache if left out
    #[arg(long, value_name = "FOLDER", conflicts_with = "no_cache")]
    cache: Option<PathBuf>,
    /// Compute everything, and keep nothing
    #[arg(long)]
    no_cache: bool,
}

/// Where answers are kept unless the user says otherwise.
const CACHE: &str = ".rung/cache";

impl EffortOptions {
    /// The answers that were computed before. A call from inside of another program keeps none unless
    /// it is told where.
    pub(super) fn store(&self, console: &Console<'_>) -> Option<Store> {
        let usual = console.is_of_process.then(|| Path::new(CACHE));
        let folder = self.cache.as_deref().or(usual).filter(|_| !self.no_cache)?;
        Some(Store::new(folder, store::MOST))
    }

    /// As words of a command line, but for the number of processors.
    pub(super) fn words(&self) -> Vec<String> {
        let replications = self.replications.map(|number| number.to_string());
        let percent = |share: f64| format!("{}%", round_significant(share * 100.0));
        let all = [
            ("--replications", replications),
            ("--precision", self.precision.map(percent)),
            ("--confidence", Some(percent(self.confidence))),
            ("--max-events", Some(self.max_events.to_string())),
        ];
        let written = all.into_iter().filter_map(|(name, value)| Some([name.into(), value?]));
        written.flatten().collect()
    }

    /// The effort; `precision` is aimed at unless the user says otherwise.
    pub(super) fn effort(&self, precision: f64) -> Effort {
        let effort = Effort {
            confidence: self.confidence,
            events_max: self.max_events,
            ..Effort::default()
        };
        effort.with(self.replications, self.precision.unwrap_or(precision))
    }
}

/// A share that can be a precision or a confidence: neither nothing nor all.
fn share(text: &str) -> Result<f64, String> {
    match parse_share(text) {
        Ok(share) if share > 0.0 && share < 1.0 => Ok(share),
        _ => Err("a share above 0% and below 100%, with its sign, as in \"1%\"".into()),
    }
}

impl Command {
    /// The form that the user asked for.
    pub(super) fn format(&self) -> Format {
        match self {
            Command::Scenario(options) | Command::Explain(options) => options.output.format,
            Command::Ladder(options) => options.output.format,
            Command::Size(options) => options.output.format,
            Command::Show(options) => options.output.format,
            Command::Sweep(options) => options.form.failures(),
            Command::Merge(options) => options.form.failures(),
            #[cfg(feature = "ui")]
            Command::Ui(options) => options.output.format,
            #[cfg(feature = "serve")]
            Command::Serve(options) => options.output.format,
            Command::Check(options) => options.output.format,
            Command::Trace(options) => options.output.format,
            Command::Scenarios(options) => options.output.format,
            Command::Schema(_)
            | Command::New(_)
            | Command::Ask
            | Command::Completions(_)
            | Command::Man(_) => Format::Text,
        }
    }

    /// How the answer is to be written, if it may go to a file too.
    pub(super) fn output(&self) -> Option<&Output> {
        match self {
            Command::Scenario(options) | Command::Explain(options) => Some(&options.output),
            Command::Ladder(options) => Some(&options.output),
            Command::Size(options) => Some(&options.output),
            Command::Show(options) => Some(&options.output),
            Command::Scenarios(options) => Some(&options.output),
            _ => None,
        }
    }

    /// The form for build servers, if one is asked for.
    pub(super) fn form(&self) -> Option<Form> {
        match self {
            Command::Scenario(options) | Command::Explain(options) => options.output.form(),
            Command::Ladder(options) => options.output.form(),
            Command::Size(options) => options.output.form(),
            _ => None,
        }
    }

    /// How many processors the user allows.
    pub(super) fn threads(&self) -> Option<u16> {
        match self {
            Command::Scenario(options) | Command::Explain(options) => options.effort.threads,
            Command::Ladder(options) => options.effort.threads,
            Command::Size(options) => options.threads,
            Command::Sweep(options) => options.effort.threads,
            _ => None,
        }
    }
}
