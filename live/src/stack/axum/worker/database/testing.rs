//! What the tests of the database share.

use std::collections::BTreeMap;
use std::future::Future;

use model::place::Place;
use model::read::load_text;
use model::scenario::{Concurrency, Engine, JournalMode, Scenario, Sqlite};
use model::units::Span;
use tempfile::TempDir;

use super::Handler;
use super::connection::{Connection, Settings};
use super::operation::Database;
use crate::dataset;
use crate::stack::axum::worker::waiting::block_on;

/// Rows of the tests' data sets.
pub(super) const ROWS: u32 = 1_000;

/// All journal modes.
pub(super) const MODES: [JournalMode; 4] =
    [JournalMode::Delete, JournalMode::Truncate, JournalMode::Persist, JournalMode::Wal];

/// A data set in a folder of its own.
pub(super) struct Data {
    pub(super) settings: Settings,
    folder: TempDir,
}

impl Data {
    /// The data set of the scenario with `sets`.
    pub(super) fn of(scenario: &Scenario) -> Data {
        let folder = TempDir::new().expect("a folder");
        let sqlite = sqlite(scenario);
        let file = block_on(dataset::create(folder.path(), &sqlite, ROWS)).expect("a data set");
        Data { settings: Settings { file, sqlite }, folder }
    }

    /// One in this journal mode, whose statements poll for a lock as long as SQLite can.
    pub(super) fn patient(mode: JournalMode) -> Data {
        let mode = format!("database.journal_mode=\"{}\"", dataset::mode_name(mode));
        Data::of(&scenario(&[&mode, "database.busy_timeout=\"500h\""]))
    }

    pub(super) fn open(&self) -> Connection {
        block_on(Connection::open(&self.settings, Span::ZERO)).0.expect("a connection")
    }

    pub(super) fn database(&self, scenario: &Scenario) -> Database {
        Database::new(scenario, self.settings.file.clone()).expect("a scenario with SQLite")
    }

    /// Names of the files that there are.
    pub(super) fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).expect("the folder");
        let mut names: Vec<String> =
            entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
        names.sort();
        names
    }

    /// The sum of all stocks beyond what the data set began with.
    pub(super) fn sold(&self) -> i64 {
        let text = block_on(async {
            let mut connection = self.open();
            let sum = "SELECT cast(sum(stock - 1000000) AS text) FROM item";
            let text = connection.ask(sum).await;
            connection.close().await;
            text
        });
        text.parse().expect("a number")
    }
}

fn sqlite(scenario: &Scenario) -> Sqlite {
    match scenario.database.as_ref().map(|database| &database.engine) {
        Some(Engine::Sqlite(sqlite)) => sqlite.clone(),
        other => panic!("the tests use SQLite: {other:?}"),
    }
}

/// The set that does without a pool.
pub(super) const PER_OPERATION: &str = "database.connections.kind=\"per-operation\"";

/// A scenario with SQLite, a pool of one connection, and `sets` over it.
pub(super) fn scenario(sets: &[&str]) -> Scenario {
    let text = r#"
        load = { users = 1, duration = "1s" }
        service = { server = "axum", concurrency = "async" }
        database = { engine = "sqlite" }
        endpoint = [{ name = "sell", weight = 1, steps = [{ write = "sale" }] }]
        [costs.interpreter]
        lock = false
        [costs.cpu]
        request = "0s"
        statement = "20us"
        commit = "30us"
        open = "40us"
        close = "50us"
        pragma = "10us"
        hop = "1us"
        [costs.query.default]
        engine = "100us"
        [costs.query.sale]
        engine = "300us"
        pages = 3
    "#;
    let pool = ["kind=\"pool\"", "size=1", "overflow=0"];
    let mut all: Vec<String> = Vec::new();
    if !sets.contains(&PER_OPERATION) {
        all.extend(pool.iter().map(|set| format!("database.connections.{set}")));
    }
    all.extend(sets.iter().map(|set| set.to_string()));
    match load_text("test", text, &all).map(|resolved| resolved.scenario) {
        Ok(scenario) => scenario,
        Err(problems) => panic!("{problems}"),
    }
}

/// A request that keeps the book on itself.
#[derive(Debug)]
pub(super) struct Request {
    concurrency: Concurrency,
    /// What was burnt, in order.
    pub(super) burnt: Vec<Span>,
    /// Nanoseconds and visits by place.
    pub(super) spent: BTreeMap<Place, (u64, u32)>,
    /// How long it held the write lock, each time.
    pub(super) wrote: Vec<u64>,
}

impl Request {
    pub(super) fn new(concurrency: Concurrency) -> Request {
        Request { concurrency, burnt: Vec::new(), spent: BTreeMap::new(), wrote: Vec::new() }
    }

    pub(super) fn nanos(&self, place: Place) -> u64 {
        self.spent.get(&place).map_or(0, |(nanos, _)| *nanos)
    }

    pub(super) fn visits(&self, place: Place) -> u32 {
        self.spent.get(&place).map_or(0, |(_, visits)| *visits)
    }

    pub(super) fn total(&self) -> u64 {
        self.spent.values().map(|(nanos, _)| nanos).sum()
    }

    pub(super) fn burnt(&self) -> u64 {
        self.burnt.iter().map(|span| span.nanos()).sum()
    }
}

impl Handler for Request {
    fn concurrency(&self) -> Concurrency {
        self.concurrency
    }

    fn burn(&mut self, span: Span) {
        self.burnt.push(span);
    }

    fn spend(&mut self, place: Place, nanos: u64) {
        let (sum, visits) = self.spent.entry(place).or_default();
        *sum += nanos;
        *visits += 1;
    }

    fn wrote(&mut self, nanos: u64) {
        self.wrote.push(nanos);
    }

    fn draw(&self, what: &str, path: &str) -> u64 {
        self.draw_named(&format!("{what}@{path}"))
    }

    fn draw_named(&self, name: &str) -> u64 {
        model::stream::Purpose::new(1, name).draw(0, 0)
    }
}

/// A runtime as a worker has it.
pub(super) fn on_a_loop<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(future)
}
