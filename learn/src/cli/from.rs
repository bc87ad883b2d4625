//! `learn from`: a service that only left records.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use model::scenario::{Concurrency, Server};
use render::{Console, Exit, Failure, Output};

use crate::from::{Records, learn};
use crate::learned::save;
use crate::paths::Pattern;
use crate::records::json_log::Unit;

pub(super) const EXAMPLES: &str = "\
Examples:
  learn from --k6 run.ndjson --cpu cpu.csv -o mine.toml
  learn from --access-log access.log.gz --prometheus metrics.json -o mine.toml
  learn from --access-log access.log --log-format '%(h)s %(t)s \"%(r)s\" %(s)s %(D)s' --cpu pidstat.txt
  learn from --otlp traces.json --cpu cpu.csv --cores 2 -o mine.toml
  learn from --access-log access.log                      what endpoints are there?";

/// `learn from`.
#[derive(Debug, Args)]
pub(super) struct From {
    /// Samples of a k6 run: `k6 run --out json=FILE` or `--out csv=FILE`
    #[arg(long, value_name = "FILE", help_heading = "Requests")]
    k6: Vec<PathBuf>,
    /// An access log of uvicorn, gunicorn, nginx, Caddy, Envoy, Apache, or of JSON lines
    #[arg(long, value_name = "FILE", help_heading = "Requests")]
    access_log: Vec<PathBuf>,
    /// The server's own format string (`$remote_addr ...`, `%(h)s ...`, `%START_TIME% ...`), or common,
    /// combined, gunicorn, nginx, envoy, uvicorn, caddy, json; found out unless given
    #[arg(long, value_name = "FORMAT", help_heading = "Requests", allow_hyphen_values = true)]
    log_format: Option<String>,
    /// The unit of durations in JSON logs, where their keys do not say it
    #[arg(long, value_enum, value_name = "UNIT", help_heading = "Requests")]
    duration_unit: Option<DurationUnit>,
    /// Traces as lines of OTLP in JSON: what the collector's file exporter writes
    #[arg(long, value_name = "FILE", help_heading = "Requests")]
    otlp: Vec<PathBuf>,
    /// Traces as Jaeger's /api/traces answers them
    #[arg(long, value_name = "FILE", help_heading = "Requests")]
    jaeger: Vec<PathBuf>,
    /// Answers of Prometheus to range queries, or /metrics saved again and again: CPU and requests
    #[arg(long, value_name = "FILE", help_heading = "CPU")]
    prometheus: Vec<PathBuf>,
    /// CPU of the service: CSV, or what pidstat and docker stats print, or samples of cpu.stat
    #[arg(long, visible_alias = "cpu-series", value_name = "FILE", help_heading = "CPU")]
    cpu: Vec<PathBuf>,
    /// Only CPU of processes or containers with this in their name
    #[arg(long, value_name = "NAME", help_heading = "CPU")]
    process: Option<String>,
    /// An endpoint as it should be cut: `GET /items/{id}`, or `NAME=GET /items/{id}`
    #[arg(long, value_name = "PATTERN", help_heading = "Endpoints")]
    endpoint: Vec<Pattern>,
    /// Endpoints at most; those that are asked for least are counted together
    #[arg(long, value_name = "N", default_value_t = 20, help_heading = "Endpoints")]
    endpoints: usize,
    /// Processors that the service may use
    #[arg(long, value_name = "N", help_heading = "Service", value_parser = clap::value_parser!(u32).range(1..))]
    cores: Option<u32>,
    /// Worker processes
    #[arg(long, value_name = "N", help_heading = "Service", value_parser = clap::value_parser!(u32).range(1..))]
    workers: Option<u32>,
    /// The server: uvicorn, gunicorn, axum
    #[arg(long, value_name = "NAME", help_heading = "Service", value_parser = server)]
    server: Option<Server>,
    /// How handlers run: async, threadpool, blocking
    #[arg(long, value_name = "NAME", help_heading = "Service", value_parser = concurrency)]
    concurrency: Option<Concurrency>,
    /// The scenario to write; without it, what was learned is only printed
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long, requires = "out")]
    force: bool,
    #[command(flatten)]
    pub(super) output: Output,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DurationUnit {
    S,
    Ms,
    Us,
    Ns,
}

fn server(word: &str) -> Result<Server, String> {
    let all = [Server::Uvicorn, Server::Gunicorn, Server::Axum];
    all.into_iter().find(|one| one.as_str() == word).ok_or("uvicorn, gunicorn or axum".into())
}

fn concurrency(word: &str) -> Result<Concurrency, String> {
    let all = [Concurrency::Async, Concurrency::Threadpool, Concurrency::Blocking];
    let found = all.into_iter().find(|one| one.as_str() == word);
    found.ok_or("async, threadpool or blocking".into())
}

impl From {
    pub(super) fn run(&self, console: &mut Console<'_>) -> Result<Exit, Failure> {
        let (learned, mut answer) = learn(&self.records())?;
        if let Some(file) = &self.out {
            save(&learned, file, self.force)?;
            answer.written = Some(file.display().to_string());
        }
        self.output.answer(&answer, console)?;
        Ok(Exit::Success)
    }

    fn records(&self) -> Records {
        let stem = self.out.as_deref().and_then(Path::file_stem);
        Records {
            k6: self.k6.clone(),
            access_logs: self.access_log.clone(),
            log_format: self.log_format.clone(),
            unit: self.duration_unit.map(|unit| match unit {
                DurationUnit::S => Unit::Seconds,
                DurationUnit::Ms => Unit::Millis,
                DurationUnit::Us => Unit::Micros,
                DurationUnit::Ns => Unit::Nanos,
            }),
            otlp: self.otlp.clone(),
            jaeger: self.jaeger.clone(),
            prometheus: self.prometheus.clone(),
            cpu: self.cpu.clone(),
            endpoints: self.endpoint.clone(),
            most: self.endpoints,
            process: self.process.clone(),
            cores: self.cores,
            workers: self.workers,
            server: self.server,
            concurrency: self.concurrency,
            name: stem.map_or_else(|| "mine".into(), |stem| stem.to_string_lossy().into_owned()),
        }
    }
}
