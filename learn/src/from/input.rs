//! All records, read.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use model::read::{Diagnostic, Diagnostics};

use super::Records;
use super::metered::Metered;
use super::waits::Traces;
use crate::records::cpu::{self, Cpu};
use crate::records::json_log::JsonLog;
use crate::records::k6::Run;
use crate::records::lines::{self, Account, Broken};
use crate::records::log_format::{LogFormat, NAMES};
use crate::records::prometheus::{self, Metrics};
use crate::records::{Entry, Requests, Target};

/// What the records say.
pub(super) struct Input {
    pub(super) requests: Requests,
    /// Requests by the service's own metrics, if nothing tells of single ones.
    pub(super) metered: Option<Metered>,
    pub(super) cpu: Option<Cpu>,
    pub(super) traces: Traces,
    /// Users, where a record says how many there were.
    pub(super) population: Option<f64>,
    /// From what it was read, in words.
    pub(super) sources: Vec<String>,
    pub(super) notes: Vec<String>,
}

/// Lines by which the format of a log is found out.
const LOOK: usize = 200;

pub(super) fn read(records: &Records) -> Result<Input, Diagnostics> {
    let mut problems = Vec::new();
    let mut input = Input {
        requests: Requests::new(records.endpoints.clone()),
        metered: None,
        cpu: None,
        traces: Traces::default(),
        population: None,
        sources: Vec::new(),
        notes: Vec::new(),
    };
    for file in &records.k6 {
        input.k6(file).unwrap_or_else(|problem| problems.push(problem));
    }
    for file in &records.access_logs {
        input.access_log(file, records).unwrap_or_else(|problem| problems.push(problem));
    }
    for (file, jaeger) in records
        .otlp
        .iter()
        .map(|file| (file, false))
        .chain(records.jaeger.iter().map(|file| (file, true)))
    {
        let read = input.traces.read(file, jaeger);
        read.map(|note| input.notes.extend(note)).unwrap_or_else(|problem| problems.push(problem));
    }
    if !records.prometheus.is_empty() {
        match prometheus::read(&records.prometheus) {
            Ok(metrics) => input.metrics(&records.prometheus, &metrics, records),
            Err(problem) => problems.push(problem),
        }
    }
    for file in &records.cpu {
        match cpu::read(file) {
            Ok(found) => {
                let all = input.cpu.get_or_insert_default();
                all.notes.extend(found.notes.clone());
                let found = found.only(records.process.as_deref());
                all.sources.extend(found.sources);
                input.sources.push(format!("CPU of {}", shown(file)));
            }
            Err(problem) => problems.push(problem),
        }
    }
    input.traced();
    if let Some(problem) = input.missing(records).filter(|_| problems.is_empty()) {
        problems.push(problem);
    }
    if problems.is_empty() { Ok(input) } else { Err(Diagnostics { diagnostics: problems }) }
}

fn shown(file: &Path) -> String {
    file.display().to_string()
}

impl Input {
    fn k6(&mut self, file: &Path) -> Result<(), Diagnostic> {
        let unreadable = |error| lines::unreadable(file, &error);
        let mut from = lines::open(file).map_err(unreadable)?;
        let json = from.fill_buf().map_err(unreadable)?.starts_with(b"{");
        let mut run = Run::default();
        let before = self.requests.all;
        let account =
            self.lines(file, from, |line| if json { run.json(line) } else { run.csv(line) })?;
        let form = "samples of k6: --out json=FILE or --out csv=FILE";
        account.check(
            file,
            form,
            "a summary has no single requests: run k6 with --out json=run.ndjson",
        )?;
        self.some(file, before, form)?;
        self.population = run.population().or(self.population);
        if !json {
            self.notes.push(format!(
                "{}: k6's CSV has times in whole seconds; `--out json=FILE` has them in nanoseconds.",
                shown(file)
            ));
        }
        if run.dropped > 0.0 {
            self.notes.push(format!("k6 dropped {} iterations for want of a user.", run.dropped));
        }
        self.sources.push(format!("requests of the k6 run {}", shown(file)));
        Ok(())
    }

    fn access_log(&mut self, file: &Path, records: &Records) -> Result<(), Diagnostic> {
        let problem = |found: String| {
            let allowed = format!("{}, json, or the format string of the server", NAMES.join(", "));
            Diagnostic::of_file(shown(file), found, allowed, "say it with --log-format")
        };
        let format = match records.log_format.as_deref() {
            Some("json" | "caddy") => None,
            Some(format) => Some(LogFormat::new(format).map_err(|bad| problem(bad.to_string()))?),
            None => {
                guess(file).map_err(|error| lines::unreadable(file, &error))?.ok_or_else(|| {
                    problem("is written in no format that is known by itself".to_owned())
                })?
            }
        };
        let from = lines::open(file).map_err(|error| lines::unreadable(file, &error))?;
        let before = self.requests.all;
        let name = format.as_ref().map_or("json", |format| &format.name).to_owned();
        let mut json = JsonLog { unit: records.unit, guessed: None };
        let account = match &format {
            Some(format) => self.lines(file, from, |line| format.entry(line))?,
            None => self.lines(file, from, |line| json.entry(line))?,
        };
        account.check(
            file,
            &format!("lines in the format `{name}`"),
            "give the format string of the server with --log-format, as its configuration has it",
        )?;
        self.some(file, before, &format!("requests in the format `{name}`"))?;
        if let Some((key, unit)) = json.guessed {
            self.notes.push(format!(
                "{}: `{key}` was taken for {}; --duration-unit says otherwise.",
                shown(file),
                format!("{unit:?}").to_lowercase()
            ));
        }
        if format.as_ref().is_some_and(|format| !format.has_duration()) {
            self.notes.push(format!(
                "{}: the format `{name}` has no duration, so nothing is known of response times.",
                shown(file)
            ));
        }
        self.sources.push(format!("requests of {} ({name})", shown(file)));
        Ok(())
    }

    fn lines(
        &mut self,
        file: &Path,
        from: Box<dyn BufRead>,
        mut entry: impl FnMut(&str) -> Result<Option<Entry>, Broken>,
    ) -> Result<Account, Diagnostic> {
        let requests = &mut self.requests;
        let account = lines::each(from, |line| {
            if let Some(entry) = entry(line)? {
                requests.add(&entry);
            }
            Ok(())
        });
        let account = account.map_err(|error| lines::unreadable(file, &error))?;
        self.notes.extend(account.note(file));
        Ok(account)
    }

    fn some(&self, file: &Path, before: u64, form: &str) -> Result<(), Diagnostic> {
        if self.requests.all > before {
            return Ok(());
        }
        let advice = "name a record in which the service was in use";
        Err(Diagnostic::of_file(shown(file), "has no request in it", form, advice))
    }

    fn metrics(&mut self, files: &[PathBuf], metrics: &Metrics, records: &Records) {
        self.notes.extend(metrics.notes.iter().cloned());
        let names = files.iter().map(|file| shown(file)).collect::<Vec<_>>().join(", ");
        let cpu = metrics.cpu().only(records.process.as_deref());
        if !cpu.sources.is_empty() && records.cpu.is_empty() {
            self.cpu = Some(cpu);
            self.sources.push(format!("CPU of {names}"));
        }
        if self.requests.all == 0 && self.traces.is_empty() {
            self.metered = Metered::of(metrics.requests(), &records.endpoints, records.most);
            if self.metered.is_some() {
                self.sources.push(format!("requests counted in {names}"));
            }
        }
    }

    /// Requests of traces, if nothing else tells of requests.
    fn traced(&mut self) {
        if self.requests.all > 0 || self.traces.is_empty() {
            return;
        }
        for request in &self.traces.requests {
            let (method, route) =
                request.endpoint.split_once(' ').unwrap_or(("", &request.endpoint));
            let target = match route.starts_with('/') {
                true => Target::Route(route.to_owned()),
                false => Target::Named(request.endpoint.clone(), String::new()),
            };
            let seconds = |nanos: u64| Some(nanos as f64 / 1e9);
            let status = (!request.good).then_some(500);
            let (start, end) = (seconds(request.start), seconds(request.end));
            self.requests.add(&Entry { start, end, status, ..Entry::of(method, target) });
        }
        self.sources.push("requests of the traces".into());
        self.notes.push(
            "Requests were counted in the traces: where only some are sampled, rates and costs per request \
             are wrong by that share."
                .into(),
        );
    }

    fn missing(&self, records: &Records) -> Option<Diagnostic> {
        let problem = |found: &str, advice: &str| {
            Diagnostic::of_file(
                "records",
                found,
                "--k6, --access-log, --otlp, --prometheus, --cpu",
                advice,
            )
        };
        let nothing = self.requests.all == 0 && self.metered.is_none();
        if nothing {
            return Some(problem(
                "no record tells of requests",
                "name one with --k6 or --access-log",
            ));
        }
        let empty = self.cpu.as_ref().is_some_and(|cpu| cpu.sources.is_empty());
        (empty && records.process.is_some()).then(|| {
            problem(
                "no source of CPU has the name of --process in its own",
                "leave --process out to see them",
            )
        })
    }
}

/// The format of a log by its first lines: the one in which the most are requests. The outer none is no
/// format, the inner one JSON.
fn guess(file: &Path) -> std::io::Result<Option<Option<LogFormat>>> {
    let mut first = Vec::new();
    let mut from = lines::open(file)?;
    let mut line = String::new();
    while first.len() < LOOK && from.read_line(&mut line).unwrap_or(0) > 0 {
        first.push(std::mem::take(&mut line));
    }
    let count = |entry: &mut dyn FnMut(&str) -> bool| {
        first.iter().filter(|line| entry(line.trim_end_matches(['\n', '\r']))).count()
    };
    let mut json = JsonLog::default();
    let jsons = count(&mut |line| matches!(json.entry(line), Ok(Some(_))));
    let formats = NAMES.iter().filter_map(|name| LogFormat::new(name).ok());
    let counted = formats.map(|format| {
        let found = count(&mut |line| matches!(format.entry(line), Ok(Some(_))));
        (found, Some(format))
    });
    // Of formats that fit alike, the one that comes last says the most.
    let best = counted.chain([(jsons, None)]).max_by_key(|(found, _)| *found);
    Ok(best.filter(|(found, _)| *found * 10 >= first.len() && *found > 0).map(|(_, format)| format))
}
