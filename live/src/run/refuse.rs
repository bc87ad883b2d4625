//! What of a scenario `live` cannot do for real, refused before anything is started.

use model::keys;
use model::read::{Diagnostic, Diagnostics, Resolved};
use model::scenario::{
    Connections, Endpoint, Group, LockScope, Postgres, Scenario, Source, Spread, Step,
};

use super::predicted_only;
use crate::postgres;
use crate::stack::Target;

/// Files of any process beyond those that grow with its users.
const OTHER_FILES: u64 = 64;
/// Files of a connection to SQLite: the database, its log, and what its processes share.
const DATABASE_FILES: u64 = 3;

/// What the machine offers.
#[derive(Clone, Copy, Debug)]
pub struct Offer {
    /// Processors that this process may use.
    pub cpus: usize,
    /// Files that a process may have open.
    pub files: u64,
}

/// What may go wrong for want of open files, as a sentence for the report. It is not known
/// before: a service may answer so quickly that few are open at a time.
pub(crate) fn doubt(resolved: &Resolved, offer: Offer) -> Option<String> {
    let (load, worker) = files(&resolved.scenario);
    let (who, need) = if worker >= load { ("a worker", worker) } else { ("the load", load) };
    (need > offer.files).then(|| {
        format!(
            "{who} may need {need} open files, and a process may have {}: beyond them connections \
             fail for no fault of the service. Raise the limit with `ulimit -Hn`",
            offer.files
        )
    })
}

/// Files that the load generator and one worker may need at most.
fn files(scenario: &Scenario) -> (u64, u64) {
    let users = users(scenario);
    let all = scenario.endpoints.iter().flat_map(Endpoint::all_steps);
    let all = all.map(calls_at_a_time).max();
    let limits: Option<u64> =
        scenario.upstreams.iter().map(|upstream| upstream.max_connections.map(u64::from)).sum();
    let calls = (users * all.unwrap_or(0)).min(limits.unwrap_or(u64::MAX));
    let database = scenario.database.as_ref().map_or(0, |database| match database.connections {
        Connections::PerOperation => users,
        Connections::Pool { size, overflow, .. } => {
            users.min(u64::from(size) + u64::from(overflow))
        }
    });
    let worker = users.saturating_add(calls).saturating_add(DATABASE_FILES * database);
    (users + OTHER_FILES, worker.saturating_add(OTHER_FILES))
}

/// Most users at a time, as far as the scenario limits them.
fn users(scenario: &Scenario) -> u64 {
    let of = |group: &Group| match &group.load.source {
        Source::Closed { users, .. } => libm::ceil(users.peak()) as u64,
        Source::Open { max_users, .. } | Source::Replay { max_users, .. } => {
            max_users.map_or(0, u64::from)
        }
        Source::Several(_) => 0,
    };
    scenario.load.groups().iter().map(of).sum()
}

/// Most calls of upstreams that are in flight at a time in `step`.
fn calls_at_a_time(step: &Step) -> u64 {
    match step {
        Step::Call(_) => 1,
        Step::Gather(branches) => branches.iter().map(calls_at_a_time).sum(),
        other => other.inside().iter().map(calls_at_a_time).max().unwrap_or(0),
    }
}

/// Refuses what cannot be honoured: every such key at once.
///
/// # Errors
/// One diagnostic for each key, with its place in the file.
pub fn refuse(resolved: &Resolved, offer: Offer, target: Target) -> Result<(), Diagnostics> {
    let mut diagnostics = Vec::new();
    files_of_load(resolved, offer, &mut diagnostics);
    if target == Target::Own && !resolved.scenario.faults.is_empty() {
        diagnostics.push(resolved.refusal(
            "fault",
            "a fault of a database that live has not started",
            "no `fault` where the service is the user's own",
            "leave it out, or measure on a stack that live starts: --target axum",
        ));
    }
    // A service of the user's own is as it is: the scenario only describes it.
    if target != Target::Own {
        machine(resolved, offer, &mut diagnostics);
        service(resolved, &mut diagnostics);
    }
    diagnostics.extend(target.stack().refusals(resolved));
    if diagnostics.is_empty() { Ok(()) } else { Err(Diagnostics { diagnostics }) }
}

/// Refuses `scenarios` that would have to be run by different services, where there is only one:
/// the user's own, which stays as it is while the load on it may change.
///
/// # Errors
/// Two of them differ in something else.
pub fn one_service(scenarios: &[&Resolved], target: Target) -> Result<(), Diagnostics> {
    let [first, others @ ..] = scenarios else { return Ok(()) };
    if target != Target::Own {
        return Ok(());
    }
    let refused = others.iter().filter_map(|other| {
        let section = changed(&first.scenario, &other.scenario)?;
        Some(Diagnostic {
            file: other.path().to_string(),
            line: None,
            column: None,
            found: format!(
                "`{}` and `{}` differ in `{section}`, and one service runs",
                first.scenario.name, other.scenario.name
            ),
            allowed: Some("changes of the load and of the endpoints' weights and requests".into()),
            advice: Some(
                "change the service and measure it again by itself, or measure on a stack that \
                 is started anew: --target axum"
                    .into(),
            ),
        })
    });
    let diagnostics: Vec<Diagnostic> = refused.collect();
    if diagnostics.is_empty() { Ok(()) } else { Err(Diagnostics { diagnostics }) }
}

/// What of the service differs, by its key.
fn changed(one: &Scenario, other: &Scenario) -> Option<&'static str> {
    let endpoints = |scenario: &Scenario| {
        let like =
            |endpoint: &Endpoint| Endpoint { weight: 1.0, request: None, ..endpoint.clone() };
        scenario.endpoints.iter().map(like).collect::<Vec<_>>()
    };
    let parts = [
        ("service", one.service == other.service),
        ("cpu", one.cpu == other.cpu),
        ("database", one.database == other.database),
        ("upstream", one.upstreams == other.upstreams),
        ("lock", one.locks == other.locks),
        ("fault", one.faults == other.faults),
        ("endpoint", endpoints(one) == endpoints(other)),
        ("costs", one.costs == other.costs),
    ];
    parts.into_iter().find(|(_, same)| !same).map(|(key, _)| key)
}

fn machine(resolved: &Resolved, offer: Offer, found: &mut Vec<Diagnostic>) {
    let scenario = &resolved.scenario;
    let cores = scenario.cpu.cores as usize;
    if cores > offer.cpus {
        found.push(resolved.refusal(
            "cpu.cores",
            &format!("`cpu.cores = {cores}`, but this machine lends {} processors", offer.cpus),
            &format!("1 to {} when measured here", offer.cpus),
            "measure with --set cpu.cores=1, or on a larger machine",
        ));
    }
    if scenario.cpu.quota.is_some() {
        found.push(resolved.refusal(
            "cpu.quota",
            "`cpu.quota` cannot be measured: live pins the service and sets no quota",
            "no quota when measured",
            "leave it out, or run live itself inside a container that has the quota",
        ));
    }
}

/// Each closed user has a connection; how many open ones there will be is not known.
fn files_of_load(resolved: &Resolved, offer: Offer, found: &mut Vec<Diagnostic>) {
    let scenario = &resolved.scenario;
    let users = users(scenario);
    let closed = !scenario.load.source.is_open();
    if closed && users + OTHER_FILES > offer.files {
        found.push(resolved.refusal(
            "load.users",
            &format!("{users} connections, but a process may open {} files", offer.files),
            &format!("at most {} when measured here", offer.files.saturating_sub(OTHER_FILES)),
            "raise the limit with `ulimit -Hn`, or measure with fewer",
        ));
    }
}

/// What no stack can do here.
fn service(resolved: &Resolved, found: &mut Vec<Diagnostic>) {
    let scenario = &resolved.scenario;
    if scenario.service.spread == Spread::RoundRobin {
        found.push(resolved.refusal(
            "service.spread",
            "`service.spread = \"round-robin\"` needs a balancer, and live has none",
            "\"lifo\" or \"hash\" when measured",
            "measure with --set service.spread=lifo",
        ));
    }
    for lock in &scenario.locks {
        if lock.scope == LockScope::Service && scenario.service.workers > 1 {
            found.push(resolved.refusal(
                &keys::path(&["lock", &lock.name, "scope"]),
                &format!(
                    "the lock `{}` of several workers needs a server that they share",
                    lock.name
                ),
                "\"worker\" when measured with several workers",
                "predict it with sim, or measure with --set service.workers=1",
            ));
        }
    }
    predicted_only::check(resolved, found);
    if let Some(missing) = postgres::settings(scenario).and_then(|_| postgres::find().err()) {
        found.push(resolved.refusal(
            "database.engine",
            &missing.to_string(),
            "\"sqlite\", until it is installed",
            "install it, or predict with sim",
        ));
    }
    let pooler = postgres::settings(scenario).and_then(Postgres::pooler);
    if let Some(missing) = pooler.and_then(|_| postgres::find_pooler().err()) {
        found.push(resolved.refusal(
            "database.pooler",
            &missing.to_string(),
            "\"none\", until it is installed",
            "install it, or predict with sim",
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "
        costs.cpu.request = \"1ms\"
        [load]
        users = 10
        duration = \"1s\"
        [service]
        server = \"uvicorn\"
        concurrency = \"async\"
        [[endpoint]]
        name = \"a\"
        weight = 1
        steps = [{ sleep = \"1ms\" }]
    ";

    fn found(sets: &[&str], offer: Offer) -> Vec<String> {
        let sets: Vec<String> = sets.iter().map(|set| set.to_string()).collect();
        let resolved = model::read::load_text("plain.toml", PLAIN, &sets).expect("a scenario");
        match refuse(&resolved, offer, Target::Axum) {
            Ok(()) => Vec::new(),
            Err(refused) => refused.diagnostics.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn every_key_that_cannot_be_honoured_is_named() {
        let offer = Offer { cpus: 2, files: 1024 };
        assert_eq!(found(&[], offer), [""; 0]);
        let sets = ["cpu.cores=3", "service.spread=round-robin", "load.users=5000"];
        let told = found(&sets, offer);
        assert_eq!(told.len(), 3, "{told:?}");
        for key in ["cpu.cores", "service.spread", "5000 connections"] {
            let named = |text: &String| text.contains(key) && text.contains("allowed:");
            assert_eq!(told.iter().filter(|text| named(text)).count(), 1, "{key}: {told:?}");
        }
        let told = found(&["cpu.quota.budget=50ms"], offer);
        assert!(told.len() == 1 && told[0].contains("cpu.quota"), "{told:?}");
    }

    #[test]
    fn what_python_cannot_do_is_named_for_python_alone() {
        let offer = Offer { cpus: 2, files: 1024 };
        let told = |set: &str, target| {
            let resolved = model::read::load_text("plain.toml", PLAIN, &[set.to_string()]);
            let refused = refuse(&resolved.expect("a scenario"), offer, target).err();
            refused.map(|refused| refused.diagnostics[0].to_string()).unwrap_or_default()
        };
        for set in ["service.spread=hash", "service.event_loop=tokio", "cpu.speed=2"] {
            let (key, _) = set.split_once('=').expect("a key and its value");
            assert_eq!(told(set, Target::Axum), "");
            let refused = told(set, Target::Fastapi);
            assert!(refused.contains(key) && refused.contains("allowed:"), "{refused}");
        }
        assert_eq!(told("service.event_loop=asyncio", Target::Fastapi), "");
    }

    fn doubted(more: &str, files: u64) -> Option<String> {
        let text = format!("{PLAIN}\n{more}");
        let resolved = model::read::load_text("plain.toml", &text, &[]).expect("a scenario");
        let offer = Offer { cpus: 2, files };
        assert!(refuse(&resolved, offer, Target::Axum).is_ok());
        doubt(&resolved, offer)
    }

    #[test]
    fn files_that_workers_may_lack_are_a_doubt() {
        // Ten users: a connection each for the load, and as many for a worker.
        assert_eq!(doubted("", 74), None);
        let calls = "upstream.partner.latency = \"1ms\"
            [[endpoint]]
            name = \"b\"
            weight = 1
            steps = [{ gather = [{ call = \"partner\" }, { call = \"partner\" }] }]
            [database.connections]
            kind = \"pool\"
            size = 2
            overflow = 1
            [upstream.partner]";
        let calls = calls.replacen("upstream.partner.latency = \"1ms\"", "", 1);
        let calls = format!("{calls}\nlatency = \"1ms\"");
        // Two calls each, and three connections to the database.
        assert_eq!(doubted(&calls, 74 + 20 + 9), None);
        let told = doubted(&calls, 74 + 20 + 8).expect("one is missing");
        assert!(told.contains("a worker may need 103 open files"), "{told}");
        // No more calls than connections.
        assert_eq!(doubted(&format!("{calls}\nmax_connections = 4"), 74 + 4 + 9), None);
    }

    #[test]
    fn users_who_may_come_are_a_doubt_and_no_reason_to_refuse() {
        let open = PLAIN.replace("users = 10", "rate = \"5/s\"\nmax_users = 5000");
        let resolved = model::read::load_text("open.toml", &open, &[]).expect("a scenario");
        let offer = Offer { cpus: 2, files: 1024 };
        assert!(refuse(&resolved, offer, Target::Axum).is_ok());
        assert!(doubt(&resolved, offer).is_some_and(|told| told.contains("5064 open files")));
    }

    #[test]
    fn a_key_is_found_where_it_is_written() {
        let text = format!("{PLAIN}\n[cpu]\ncores = 9\n");
        let resolved = model::read::load_text("plain.toml", &text, &[]).expect("a scenario");
        let refused = refuse(&resolved, Offer { cpus: 2, files: 1024 }, Target::Axum)
            .expect_err("nine cores");
        let line = text.lines().position(|line| line == "cores = 9").map(|line| line as u32 + 1);
        assert_eq!(refused.diagnostics[0].line, line);
    }
}
