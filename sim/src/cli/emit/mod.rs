//! `sim sweep --emit`: a sweep as an array of tasks, and the merge after it.
//!
//! Nothing is sent anywhere: what is written is for the tools of the system that it is for.

mod batch;
mod k8s;
mod slurm;

use clap::ValueEnum;
use model::read::{Diagnostic, Diagnostics, Resolved};
use render::{Console, Failure, whole};

use super::options::{Sweep, SweepFormat};

/// A system that runs arrays of tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum System {
    /// A script that submits both jobs to Slurm
    Slurm,
    /// Objects for Kubernetes: an indexed job and a job that merges
    K8s,
    /// A script that submits both jobs to AWS Batch
    Batch,
}

/// What is to be run.
struct Tasks<'a> {
    resolved: &'a Resolved,
    /// The name of the scenario in letters that all systems allow.
    name: String,
    shards: u64,
    /// Of each task.
    processors: u16,
    image: &'a str,
    /// The file as it was named, and what changes it.
    source: Vec<String>,
    /// All other words of the sweep.
    rest: Vec<String>,
    /// The form of the merged answer, and the ending of its file.
    form: (&'static str, &'static str),
}

/// Writes the jobs of a sweep that was checked.
pub(super) fn run(
    options: &Sweep,
    resolved: &Resolved,
    system: System,
    console: &mut Console<'_>,
) -> Result<(), Failure> {
    let tasks = Tasks {
        resolved,
        name: plain(&resolved.scenario.name),
        shards: options.shards,
        processors: options.effort.threads.unwrap_or(1),
        image: &options.image,
        source: options.source.words(),
        rest: rest(options),
        form: form(options.form.format),
    };
    let (text, advice) = match system {
        System::Slurm => slurm::write(&tasks)?,
        System::K8s => k8s::write(&tasks)?,
        System::Batch => batch::write(&tasks)?,
    };
    match &options.form.output {
        Some(file) => whole::write(file, |out| Ok(out.write_all(text.as_bytes())?))?,
        None => console.data(&text)?,
    }
    console.talk(&advice);
    Ok(())
}

impl Tasks<'_> {
    /// The command of one shard, which finds its number as `system` tells it.
    fn shard(&self, file: &[String], system: &str, folder: &str) -> Vec<String> {
        let shard = format!("{system}/{}", self.shards);
        let last = ["--shard", &shard, "-o", folder].map(String::from);
        let words = ["sim", "sweep"].map(String::from).into_iter();
        words.chain(file.to_vec()).chain(self.rest.clone()).chain(last).collect()
    }

    /// The command that merges.
    fn merge(&self, folder: &str, answer: &str) -> Vec<String> {
        let (form, ending) = self.form;
        let file = format!("{answer}.{ending}");
        ["sim", "merge", folder, "--format", form, "-o", &file].map(String::from).to_vec()
    }
}

/// What was asked for beside the file, as words.
fn rest(options: &Sweep) -> Vec<String> {
    let vary = options.vary.iter().flat_map(|vary| ["--vary".to_string(), vary.written.clone()]);
    // A task has one processor unless more are asked for.
    let threads = options.effort.threads.unwrap_or(1);
    let threads = ["--threads".to_string(), threads.to_string()];
    vary.chain(options.keep.words()).chain(options.effort.words()).chain(threads).collect()
}

fn form(format: SweepFormat) -> (&'static str, &'static str) {
    match format {
        SweepFormat::Text => ("text", "txt"),
        SweepFormat::Json => ("json", "json"),
        SweepFormat::Markdown => ("markdown", "md"),
        SweepFormat::Csv => ("csv", "csv"),
        SweepFormat::Parquet => ("parquet", "parquet"),
    }
}

/// Lower-case letters, digits and single dashes, at most 40 of them.
fn plain(name: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let all: String = name.chars().map(letter).collect();
    let short: String = all.chars().take(40).collect();
    let parts: Vec<&str> = short.split('-').filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { "scenario".into() } else { parts.join("-") }
}

/// A command as a line of a shell.
fn line(words: &[String]) -> Result<String, Diagnostics> {
    shlex::try_join(words.iter().map(String::as_str)).map_err(|error| {
        Diagnostic::of_file(
            "--emit",
            format!("a word of the command cannot be written in a shell: {error}"),
            "words without the character NUL",
            "remove it",
        )
        .into()
    })
}

/// A document, indented.
fn json(document: &serde_json::Value) -> String {
    render::json(document)
}
