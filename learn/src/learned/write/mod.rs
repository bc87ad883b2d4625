//! Writes a learned service as a scenario file that a person can read and edit.

mod file;
mod names;
mod steps;

use live::machine::Turns;
use model::Quantity;
use model::keys::{path, quote, quote_key};
use model::scenario::{Engine, Server};
use model::units::Span;

use super::{
    Connections, Database, Endpoint, Figure, Latency, Learned, Load, Request, Service, Upstream,
};
use file::File;
use names::Names;

const SPAN: Quantity = Quantity::Span(Span::ZERO);
const RATE: Quantity = Quantity::Rate(0.0);
const NUMBER: Quantity = Quantity::Number(0.0);

/// The text of one scenario file: the costs are inside it, and where each number comes from stands
/// at its end.
///
/// The CPU time of a request is that of all processes of the service, and stands in its steps. So
/// the costs of the stack are left at nothing, and nothing is counted twice.
pub fn write(learned: &Learned) -> String {
    let names = Names::of(learned);
    let mut file = File::default();
    head(&mut file, learned);
    load(&mut file, &learned.load);
    service(&mut file, &learned.service);
    if let Some(one) = &learned.database {
        database(&mut file, one);
    }
    for upstream in &learned.upstreams {
        self::upstream(&mut file, upstream, &names);
    }
    for (endpoint, name) in learned.endpoints.iter().zip(names.endpoints()) {
        self::endpoint(&mut file, endpoint, name, &names);
    }
    costs(&mut file, learned, &names);
    file.finish()
}

fn head(file: &mut File, learned: &Learned) {
    file.comment(&format!("{}: a scenario that was learned.", names::plain(&learned.name)));
    file.comment(
        "Every number is yours to change. Where each comes from, and how sure it is, stands under \
         [[learned]] at the end; `learn explain` prints that as a table, the most doubtful first.",
    );
    for note in &learned.notes {
        file.comment("");
        file.comment(&format!("Note: {note}"));
    }
    file.line("");
    file.line("seed = 1");
}

fn load(file: &mut File, load: &Load) {
    file.header("load");
    match load {
        Load::Closed { users, think_time } => {
            file.count("users", "load.users", users, 1);
            file.number("think_time", "load.think_time", SPAN, think_time);
        }
        Load::Open { rate } => file.number("rate", "load.rate", RATE, rate),
    }
    file.line("warmup = \"10s\"");
    file.line("duration = \"60s\"");
}

fn service(file: &mut File, service: &Service) {
    file.header("service");
    file.word("server", "service.server", &service.server, service.server.value.as_str());
    if let Some(class) = &service.worker_class {
        file.word("worker_class", "service.worker_class", class, class.value.as_str());
    }
    let concurrency = &service.concurrency;
    file.word("concurrency", "service.concurrency", concurrency, concurrency.value.as_str());
    file.count("workers", "service.workers", &service.workers, 1);
    if let Some(threads) = &service.threads {
        file.count("threads", "service.threads", threads, 1);
    }
    if let Some(keep_alive) = &service.keep_alive {
        file.number("keep_alive", "service.keep_alive", SPAN, keep_alive);
    }
    if let Some(first) = &service.first_request {
        file.number("first_request", "service.first_request", SPAN, first);
    }
    file.header("cpu");
    file.count("cores", "cpu.cores", &service.cores, 1);
    if let Some(turns) = &service.turns {
        self::turns(file, turns);
    }
}

/// How threads take turns.
fn turns(file: &mut File, known: &Figure<Turns>) {
    let Turns { scheduler, slice, tick } = known.value;
    let of = |span: Span| {
        let seconds = span.secs_f64();
        Figure::measured(seconds, [seconds; 2], known.how.clone())
    };
    file.word("scheduler", "cpu.scheduler", known, scheduler.as_str());
    file.number("slice", "cpu.slice", SPAN, &of(slice));
    file.number("tick", "cpu.tick", SPAN, &of(tick));
}

fn database(file: &mut File, database: &Database) {
    file.header("database");
    match &database.engine {
        Engine::Sqlite(sqlite) => {
            file.line("engine = \"sqlite\"");
            file.line(&format!("journal_mode = \"{}\"", sqlite.journal_mode.as_str()));
        }
        Engine::Postgres(_) => {
            file.line("engine = \"postgres\"");
            match (&database.cpu, &database.cores) {
                (Some(cpu), _) => file.word("cpu", "database.cpu", cpu, cpu.value.as_str()),
                (None, Some(cores)) => file.count("cores", "database.cores", cores, 1),
                (None, None) => {}
            }
            if let Some(round_trip) = &database.round_trip {
                file.number("round_trip", "database.round_trip", SPAN, round_trip);
            }
            if database.connect.is_some() {
                // The server asks for a name and a password, and the client waits for its word.
                file.line("open_trips = 1");
            }
        }
    }
    if let Some(hold) = &database.hold {
        file.word("hold", "database.hold", hold, hold.value.as_str());
    }
    file.header("database.connections");
    match &database.connections {
        Connections::Pool(pool) => {
            file.line("kind = \"pool\"");
            file.count("size", "database.connections.size", &pool.size, 1);
            file.count("overflow", "database.connections.overflow", &pool.overflow, 0);
        }
        Connections::Own(opened) => {
            file.word("kind", "database.connections.kind", opened, "per-operation");
        }
    }
}

fn upstream(file: &mut File, upstream: &Upstream, names: &Names) {
    let key = path(&["upstream", names.upstream(&upstream.name)]);
    file.header(&key);
    let value = latency(file, &upstream.latency, &format!("{key}.latency"));
    file.line(&format!("latency = {value}"));
    if let Some(most) = &upstream.max_connections {
        file.count("max_connections", &format!("{key}.max_connections"), most, 1);
    }
}

fn endpoint(file: &mut File, endpoint: &Endpoint, name: &str, names: &Names) {
    let key = path(&["endpoint", name]);
    file.list_header("endpoint");
    file.line(&format!("name = {}", quote(name)));
    file.number("weight", &format!("{key}.weight"), NUMBER, &endpoint.weight);
    if let Some(concurrency) = &endpoint.concurrency {
        let word = concurrency.value.as_str();
        file.word("concurrency", &format!("{key}.concurrency"), concurrency, word);
    }
    if let Some(hold) = &endpoint.hold {
        file.word("hold", &format!("{key}.hold"), hold, hold.value.as_str());
    }
    if let Some(request) = &endpoint.request {
        file.line(&format!("request = {}", self::request(request)));
    }
    steps::steps(file, &endpoint.steps, &format!("{key}.steps"), names);
}

/// How the endpoint is asked for, on one line.
fn request(request: &Request) -> String {
    let mut parts = Vec::new();
    if request.method != "GET" {
        parts.push(format!("method = {}", quote(&request.method)));
    }
    parts.push(format!("path = {}", quote(&request.path)));
    if !request.headers.is_empty() {
        let one =
            |(name, value): &(String, String)| format!("{} = {}", quote_key(name), quote(value));
        let headers: Vec<String> = request.headers.iter().map(one).collect();
        parts.push(format!("headers = {{ {} }}", headers.join(", ")));
    }
    if let Some(body) = &request.body {
        parts.push(format!("body = {}", quote(body)));
    }
    format!("{{ {} }}", parts.join(", "))
}

fn costs(file: &mut File, learned: &Learned, names: &Names) {
    file.line("");
    file.comment(
        "The CPU time of the service stands in the steps, so its stack costs nothing more.",
    );
    file.line("[costs]");
    if !learned.about.is_empty() {
        file.header("costs.about");
        for (key, value) in &learned.about {
            file.line(&format!("{} = {}", quote_key(key), quote(value)));
        }
    }
    if learned.service.server.value == Server::Axum {
        file.header("costs.interpreter");
        file.line("lock = false");
    }
    if let Some(open) = &learned.service.open {
        file.header("costs.cpu");
        file.number("open", "costs.cpu.open", SPAN, open);
    }
    if let Some(switch) = &learned.service.process_switch {
        file.header("costs.machine");
        file.number("process_switch", "costs.machine.process_switch", SPAN, switch);
    }
    if let Some(commit) = learned.database.as_ref().and_then(|one| one.commit.as_ref()) {
        file.header("costs.disk");
        file.number("sync", "costs.disk.sync", SPAN, commit);
    }
    if let Some(connect) = learned.database.as_ref().and_then(|one| one.connect.as_ref()) {
        file.header("costs.postgres");
        file.number("connect", "costs.postgres.connect", SPAN, connect);
    }
    for query in learned.database.iter().flat_map(|database| &database.queries) {
        let key = path(&["costs", "query", names.query(&query.name)]);
        file.header(&key);
        file.number("engine", &format!("{key}.engine"), SPAN, &query.time);
    }
}

/// A time in the form of a distribution.
fn latency(file: &mut File, latency: &Latency, key: &str) -> String {
    match latency {
        Latency::Constant(figure) => {
            let value = file.known(key, SPAN, figure);
            quote(&value.to_string())
        }
        Latency::Lognormal { p50, p99 } => {
            // A lognormal has no zero, and its P99 is not below its P50.
            let least = Figure { value: p50.value.max(1e-9), ..p50.clone() };
            let most = Figure { value: p99.value.max(least.value), ..p99.clone() };
            let half = file.known(&format!("{key}.p50"), SPAN, &least);
            let tail = file.known(&format!("{key}.p99"), SPAN, &most);
            format!("{{ p50 = \"{half}\", p99 = \"{tail}\" }}")
        }
        Latency::Quantiles(points, figure) => {
            file.origin(key, figure, None);
            let points: Vec<String> = points
                .iter()
                .map(|(share, seconds)| {
                    let percent = NUMBER.at(share * 100.0).rounded(6);
                    let time = SPAN.at(*seconds).rounded(4);
                    format!("{} = \"{time}\"", quote_key(&format!("p{percent}")))
                })
                .collect();
            format!("{{ quantiles = {{ {} }} }}", points.join(", "))
        }
    }
}
