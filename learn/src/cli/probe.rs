//! `learn probe`: what does a service that runs here cost?

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use live::Interrupt;
use live::witness::Witness;
use model::read::{Diagnostic, load_requests};
use model::request::Listed;
use render::{Console, Exit, Failure, Format, PlainOutput};
use serde_json::json;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::learned::{Endpoint, Learned, Step, save, write};
use crate::probe::{
    Ask, Budget, Connection, DATABASE, Found, Origin, Session, Target, Watcher, fill,
};
use crate::process::{Account, Facts, ProcessError, Started, facts};
use crate::wait::direct::without_proxies;
use crate::wait::traffic::{Route, UpstreamRoute, Watch};

/// How long a service that is started may take until it listens.
const START_SECONDS: u64 = 60;
/// Pause between two looks at whether it does.
const LOOK: Duration = Duration::from_millis(50);

/// Options of `learn probe`: the requests, the processes whose CPU time counts, the limits.
#[derive(Debug, Args)]
pub(super) struct Probe {
    /// Address of the service: http://127.0.0.1:8000
    url: String,
    /// List of requests, a TOML file whose tables are named request
    #[arg(long, value_name = "FILE")]
    requests: Option<PathBuf>,
    /// OpenAPI document: a path of the service, or a file
    #[arg(long, value_name = "PATH", conflicts_with_all = ["requests", "har"])]
    openapi: Option<String>,
    /// Requests that a browser recorded, as an HTTP archive
    #[arg(long, value_name = "FILE", conflicts_with = "requests")]
    har: Option<PathBuf>,
    /// Send what may change something too (POST, PUT, PATCH, DELETE) from --openapi and --har
    #[arg(long, conflicts_with = "requests")]
    writes: bool,
    /// The service's process; its children count too [default: what listens on the port]
    #[arg(long, value_name = "PID")]
    pid: Option<u32>,
    /// The service's control group, a folder below /sys/fs/cgroup
    #[arg(long, value_name = "DIR", conflicts_with = "pid")]
    cgroup: Option<PathBuf>,
    /// Start the service with this command, and end it afterwards
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["pid", "cgroup"])]
    start: Option<String>,
    /// A process of the database, whose CPU time is told apart
    #[arg(long, value_name = "PID")]
    database_pid: Option<u32>,
    /// A process of an upstream, whose CPU time is told apart
    #[arg(long, value_name = "PID")]
    upstream_pid: Option<u32>,
    /// Listen for OpenTelemetry spans of the service at this port, by OTLP over HTTP
    #[arg(long, value_name = "PORT")]
    otlp: Option<u16>,
    /// Watch an upstream through a proxy that the service calls instead: partner=9001->127.0.0.1:9000
    #[arg(long, value_name = "NAME=LISTEN->TARGET")]
    upstream: Vec<UpstreamRoute>,
    /// Watch Postgres through a proxy that the service connects to instead: 5433->127.0.0.1:5432
    #[arg(long, value_name = "LISTEN->TARGET")]
    postgres: Vec<Route>,
    /// Requests that are sent at once, from the least to the most
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "2,8,64",
          value_parser = clap::value_parser!(u16).range(2..=1000))]
    at_once: Vec<u16>,
    /// Requests at most
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    budget_requests: u64,
    /// Seconds at most, as 300s or 5m
    #[arg(long, value_name = "TIME", default_value = "300s")]
    budget_time: String,
    /// Share of errors at which it stops
    #[arg(long, value_name = "PERCENT", default_value = "10%")]
    stop_at_errors: String,
    /// A host other than this machine that may be asked
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,
    /// Print what would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Where the scenario goes; it is kept up to date while the probe runs [default: printed]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace the file of --output if it is there already
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    form: PlainOutput,
}

impl Probe {
    pub(super) fn format(&self) -> Format {
        self.form.format
    }
}

/// Probes a service, and writes what is known of it.
pub(super) fn run(options: &Probe, console: &mut Console<'_>) -> Result<Exit, Failure> {
    refuse_old(options)?;
    let target = Target::new(&options.url, &options.allow_host).map_err(system)?;
    let budget = budget(options)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::System(error.to_string()))?;
    let interrupt = Interrupt::listen().map_err(|error| Failure::System(error.to_string()))?;
    // A list that needs no service is refused before the service is started.
    let given = given(options, &target)?;
    if options.dry_run
        && let Some(found) = &given
    {
        return dry_run(&asks(found.clone(), "")?.0, &budget, options, console);
    }
    let mut watch = Watch::start(options.otlp, &options.upstream, &options.postgres)
        .map_err(|error| Failure::System(error.to_string()))?;
    let mut started = options.start.as_deref().map(Started::new).transpose().map_err(system)?;
    let listens = listen(&target, started.as_mut(), &interrupt);
    listens.map_err(|error| Failure::run(&options.url, error))?;
    let (asks, notes) = match given {
        Some(found) => asks(found, &options.url)?,
        None => {
            let path = options.openapi.as_deref().unwrap_or("/openapi.json");
            let found = runtime.block_on(openapi(&target, path, options.writes))?;
            asks(found, path)?
        }
    };
    if options.dry_run {
        return dry_run(&asks, &budget, options, console);
    }
    let (account, known) = account(options, &target, started.as_ref())?;
    let mut witness = witness(&account, &interrupt);
    let mut session = Session::new(&target, &asks, account, budget);
    session.interrupt = Some(interrupt);
    if watch.is_on() {
        session.witness = Some(&mut watch);
    }
    session.workers = known.workers.value;
    session.cores = session.account.cores().unwrap_or(1);
    for (name, pid) in [(DATABASE, options.database_pid), ("the upstream", options.upstream_pid)] {
        if let Some(pid) = pid {
            session.others.push((name.into(), Account::of_process(pid).map_err(system)?));
        }
    }
    if options.database_pid.is_some() {
        session.database_cores = session.others.first().and_then(|(_, one)| one.cores());
    }
    let mut origin = origin(options, notes);
    if (!options.upstream.is_empty() || !options.postgres.is_empty()) && direct(options).is_none() {
        origin.notes.push(THROUGH_PROXIES.into());
    }
    let mut keeper =
        Keeper { options, facts: &known, origin: origin.clone(), console, failed: None };
    let direct = direct(options);
    session.is_asked_again = direct.is_some();
    let mut ended = runtime.block_on(session.run(&mut keeper));
    if let Some(direct) = direct.filter(|_| ended.is_ok()) {
        // Its port has to be free first.
        drop(started.take());
        match again(&direct, &mut session) {
            Ok((again, account)) => {
                started = Some(again);
                ended = runtime.block_on(session.directly(account, &mut keeper));
            }
            Err(why) => origin.notes.push(format!("{DIRECTLY_FAILS} ({why}). {THROUGH_PROXIES}")),
        }
    }
    keeper.clear();
    let failed = keeper.failed.take();
    let seen = witness.as_mut().and_then(|witness| witness.read().ok());
    session.samples = seen.map_or_else(Vec::new, |seen| seen.samples);
    origin.stopped = ended.err().map(|stopped| stopped.0);
    if let Some(started) = &mut started
        && let Err(error) = started.check()
    {
        origin.stopped = Some(error.to_string());
    }
    if let Some(why) = failed {
        return Err(why);
    }
    let learned = fill(&session, &known, &origin);
    drop(session);
    let Some(learned) = learned else {
        let why = origin.stopped.unwrap_or_else(|| "nothing was measured".into());
        return Err(Failure::run(&options.url, why));
    };
    answer(options, &learned, &origin, console)
}

/// The note in a file whose CPU times were measured while the service used proxies.
const THROUGH_PROXIES: &str = "The CPU times were measured with proxies between the service and what it waits for, which cost \
     it and its database CPU time: on a FastAPI service that asks Postgres ten times for a request, 20 and \
     40 % more. A service that --start starts with the proxies' ports in the command is started again \
     without them.";
const DIRECTLY_FAILS: &str = "The service does not start without the proxies";

/// The command that starts the service without proxies; none if there are no proxies or they are not in the
/// command.
fn direct(options: &Probe) -> Option<String> {
    let upstreams = options.upstream.iter().map(|upstream| &upstream.route);
    let routes: Vec<&Route> = upstreams.chain(&options.postgres).collect();
    without_proxies(options.start.as_deref()?, &routes)
}

/// Starts the service with this command, and waits until it listens.
fn again(command: &str, session: &mut Session<'_>) -> Result<(Started, Account), String> {
    let mut started = Started::new(command).map_err(|error| error.to_string())?;
    let interrupt = session.interrupt.take();
    let listens = match &interrupt {
        Some(interrupt) => listen(session.target, Some(&mut started), interrupt),
        None => Ok(()),
    };
    session.interrupt = interrupt;
    listens?;
    let account = Account::of_process(started.pid()).map_err(|error| error.to_string())?;
    Ok((started, account))
}

/// What sees how fast the service's processors are, where they are known and it can be started: a probe says
/// the same without it.
fn witness(account: &Account, interrupt: &Interrupt) -> Option<Witness> {
    Witness::start(account.cpus()?, interrupt).ok().flatten()
}

/// A file that somebody may have edited is not replaced after minutes of probing, but refused now.
fn refuse_old(options: &Probe) -> Result<(), Failure> {
    match &options.output {
        Some(path) if path.exists() && !options.force && !options.dry_run => {
            let diagnostic = Diagnostic::of_file(
                path.to_string_lossy(),
                "the file is there already",
                "a file that is not there, or `--force` to replace it",
                "name another file, or add `--force`",
            );
            Err(Failure::Refused(diagnostic.into()))
        }
        _ => Ok(()),
    }
}

fn system(error: impl std::fmt::Display) -> Failure {
    Failure::System(error.to_string())
}

/// The limits of the options.
fn budget(options: &Probe) -> Result<Budget, Failure> {
    let refuse = |option: &str, found: &str, allowed: &str, advice: &str| {
        let diagnostic = Diagnostic::of_file(option, format!("it is {found}"), allowed, advice);
        Failure::Refused(diagnostic.into())
    };
    let text = &options.budget_time;
    let time = model::units::Span::parse(text).map(|span| span.secs_f64());
    let time = time.ok().filter(|&seconds| seconds > 0.0).ok_or_else(|| {
        refuse(
            "--budget-time",
            text,
            "a time above zero, such as 300s or 5m",
            "write it with its unit",
        )
    })?;
    let text = &options.stop_at_errors;
    let errors = model::units::parse_share(text)
        .map_err(|why| refuse("--stop-at-errors", text, &why, "write it as 10%"))?;
    let mut depths: Vec<usize> = options.at_once.iter().map(|&depth| depth.into()).collect();
    depths.sort_unstable();
    depths.dedup();
    Ok(Budget {
        requests: options.budget_requests,
        time: Duration::from_secs_f64(time),
        errors,
        depths,
    })
}

/// The requests of a file; none if the service has to be asked for them.
fn given(options: &Probe, target: &Target) -> Result<Option<Found>, Failure> {
    if let Some(path) = &options.requests {
        return Ok(Some(Found { requests: load_requests(path)?, notes: Vec::new() }));
    }
    if let Some(path) = &options.har {
        let found = crate::probe::har(&text(path)?, &target.host, options.writes);
        return found.map(Some).map_err(|why| unusable(&path.display().to_string(), why));
    }
    match options.openapi.as_deref().map(Path::new) {
        Some(path) if path.is_file() => {
            let found = crate::probe::openapi(&text(path)?, options.writes);
            found.map(Some).map_err(|why| unusable(&path.display().to_string(), why))
        }
        _ => Ok(None),
    }
}

fn text(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path)
        .map_err(|error| unusable(&path.display().to_string(), error.to_string()))
}

fn unusable(file: &str, why: String) -> Failure {
    let diagnostic = Diagnostic {
        file: file.into(),
        line: None,
        column: None,
        found: why,
        allowed: Some(
            "a list of requests (--requests), an OpenAPI document of version 3 \
                       (--openapi), or an HTTP archive (--har)"
                .into(),
        ),
        advice: Some(
            "write the requests into a file: `[[request]]` and below it \
                      `path = \"/items/{1..5000}\"`, and give it with --requests"
                .into(),
        ),
    };
    Failure::Refused(diagnostic.into())
}

/// The OpenAPI document that the service gives at `path`.
async fn openapi(target: &Target, path: &str, writes: bool) -> Result<Found, Failure> {
    let path = match path.split_once("://") {
        Some((_, rest)) => &rest[rest.find('/').unwrap_or(rest.len())..],
        None => path,
    };
    let listed = Listed {
        name: None,
        weight: 1.0,
        method: model::request::Method::Get,
        path: format!("/{}", path.trim_start_matches('/')),
        headers: Default::default(),
        body: None,
        safe: false,
    };
    let (asks, _) = asks(Found { requests: vec![listed], notes: Vec::new() }, path)?;
    let request = asks[0].request(target, 0).map_err(Failure::System)?;
    let answer = Connection::default().ask(target, request, None).await;
    let refuse = |why| unusable(path, why);
    match answer.outcome {
        Ok(200) => {}
        Ok(status) => {
            return Err(refuse(format!("the service answers {status} when asked for it")));
        }
        Err(why) => return Err(refuse(why)),
    }
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    crate::probe::openapi(&text, writes).map_err(refuse)
}

/// The requests, and what is to be said of them.
fn asks(found: Found, file: &str) -> Result<(Vec<Ask>, Vec<String>), Failure> {
    let asks: Result<Vec<Ask>, _> = found.requests.iter().map(Ask::new).collect();
    let asks = asks.map_err(|wrong| {
        let words: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        unusable(file, words.join("; "))
    })?;
    if asks.is_empty() {
        return Err(unusable(
            file,
            format!("there is nothing to ask in it. {}", found.notes.join(" ")),
        ));
    }
    Ok((asks, found.notes))
}

/// Waits until the service listens.
fn listen(
    target: &Target,
    mut started: Option<&mut Started>,
    interrupt: &Interrupt,
) -> Result<(), String> {
    let deadline = Instant::now() + Duration::from_secs(START_SECONDS);
    loop {
        let connected = std::net::TcpStream::connect_timeout(&target.address, LOOK * 20);
        let Err(error) = connected else { return Ok(()) };
        let Some(started) = &mut started else {
            return Err(format!(
                "{} does not answer ({error}); start the service, or let --start start it",
                target.address
            ));
        };
        started.check().map_err(|error| error.to_string())?;
        interrupt.check().map_err(|error| error.to_string())?;
        if Instant::now() > deadline {
            let (port, tail) = (target.port, started.tail());
            return Err(ProcessError::Silent { port, seconds: START_SECONDS, tail }.to_string());
        }
        std::thread::sleep(LOOK);
    }
}

/// Whose CPU time counts, and what its command line says.
fn account(
    options: &Probe,
    target: &Target,
    started: Option<&Started>,
) -> Result<(Account, Facts), Failure> {
    let account = match (started, options.pid, &options.cgroup) {
        (Some(started), ..) => Account::of_process(started.pid()),
        (_, Some(pid), _) => Account::of_process(pid),
        (_, _, Some(path)) => Account::of_cgroup(path),
        _ => Account::of_listener(target.address),
    };
    let account = account.map_err(system)?;
    let holders = live::machine::listening_at(target.address).len();
    let known = facts(&account.pids(), holders);
    Ok((account, known))
}

fn origin(options: &Probe, notes: Vec<String>) -> Origin {
    let day = OffsetDateTime::now_utc().format(format_description!("[year]-[month]-[day]"));
    let machine = live::machine::Facts::gather(Path::new("."));
    let name = options.output.as_deref().and_then(Path::file_stem);
    Origin {
        name: name.map_or_else(|| "mine".into(), |name| name.to_string_lossy().into_owned()),
        date: day.unwrap_or_default(),
        machine: machine_in_short(&machine),
        address: options.url.clone(),
        notes,
        stopped: None,
    }
}

/// "Some CPU, 2 processors, Linux 6.12".
fn machine_in_short(facts: &live::machine::Facts) -> String {
    let processors = facts.cpus_online.map(|count| format!("{count} processors"));
    let parts = [facts.cpu_model.clone(), processors, facts.kernel.clone()];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Prints what would be sent.
fn dry_run(
    asks: &[Ask],
    budget: &Budget,
    options: &Probe,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let depths: Vec<String> = budget.depths.iter().map(ToString::to_string).collect();
    let mut text = format!(
        "To {}, at most {} requests in at most {} s, each of these one at a time and then {} at \
         once, then all of them together:\n",
        options.url,
        budget.requests,
        budget.time.as_secs_f64(),
        depths.join(", "),
    );
    for ask in asks {
        let name = if ask.name == ask.line() { String::new() } else { format!(" ({})", ask.name) };
        text += &format!("  {}{name}, weight {}\n", ask.line(), ask.weight);
    }
    text +=
        &format!("It stops when more than {} of the answers are errors.\n", options.stop_at_errors);
    console.data(&text)?;
    Ok(Exit::Success)
}

/// Tells how far the probe is, and keeps what is known so far.
struct Keeper<'c, 'a> {
    options: &'c Probe,
    facts: &'c Facts,
    origin: Origin,
    console: &'c mut Console<'a>,
    failed: Option<Failure>,
}

impl Keeper<'_, '_> {
    fn clear(&mut self) {
        if self.console.err_is_terminal {
            self.console.talk("\r\x1b[K");
        }
    }
}

impl Watcher for Keeper<'_, '_> {
    fn stage(&mut self, text: &str) {
        if self.console.err_is_terminal {
            let line: String = text.chars().take(100).collect();
            self.console.talk(&format!("\r\x1b[K{line}"));
        }
    }

    fn keep(&mut self, session: &Session<'_>) {
        let Some(path) = &self.options.output else { return };
        let stopped = Some("it was killed".into());
        let origin = Origin { stopped, ..self.origin.clone() };
        if let Some(learned) = fill(session, self.facts, &origin)
            && let Err(error) = save(&learned, path, true)
        {
            self.failed = Some(error);
        }
    }
}

/// The CPU time of a request of an endpoint: the sum of its steps, and that of the ends of their
/// intervals, which are shares of one measured time.
fn cpu(endpoint: &Endpoint) -> [f64; 3] {
    let mut sum = [0.0; 3];
    for step in &endpoint.steps {
        if let Step::Cpu(cpu) = step {
            let mean = cpu.mean();
            (0..3).for_each(|place| sum[place] += mean[place]);
        }
    }
    sum
}

/// A line for each endpoint.
fn summary(learned: &Learned) -> String {
    let line = |endpoint: &Endpoint| {
        let manner = endpoint.concurrency.as_ref().unwrap_or(&learned.service.concurrency);
        let [cpu, _, _] = cpu(endpoint);
        let cpu = render::number::time(cpu);
        format!("{}: {cpu} of CPU time, {}\n", endpoint.name, manner.value.as_str())
    };
    learned.endpoints.iter().map(line).collect()
}

/// The answer as JSON.
fn document(learned: &Learned, text: &str, origin: &Origin) -> serde_json::Value {
    let endpoint = |endpoint: &Endpoint| {
        let manner = endpoint.concurrency.as_ref().unwrap_or(&learned.service.concurrency);
        let [value, low, high] = cpu(endpoint);
        let cpu = json!({ "value": value, "low": low, "high": high });
        json!({
            "name": endpoint.name,
            "concurrency": manner.value.as_str(),
            "evidence": manner.how,
            "cpu": cpu,
        })
    };
    json!({
        "kind": "learned",
        "about": learned.about,
        "endpoints": learned.endpoints.iter().map(endpoint).collect::<Vec<_>>(),
        "notes": learned.notes,
        "stopped": origin.stopped,
        "scenario": text,
    })
}

/// Writes the answer.
fn answer(
    options: &Probe,
    learned: &Learned,
    origin: &Origin,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let text = write(learned);
    match &options.output {
        Some(path) => {
            save(learned, path, true)?;
            if options.format() == Format::Text {
                console.data(&summary(learned))?;
            }
            console.talk(&format!("{} says what is known.\n", path.display()));
        }
        None if options.format() == Format::Text => console.data(&text)?,
        None => {}
    }
    if options.format() == Format::Json {
        console.data(&render::json(&document(learned, &text, origin)))?;
    }
    match &origin.stopped {
        Some(why) => {
            console.talk(&format!("note: it ended early: {why}\n"));
            Ok(Exit::Inconclusive)
        }
        None => Ok(Exit::Success),
    }
}
