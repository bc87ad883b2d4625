//! Checked keys of a cost profile -> [`Costs`].

use std::collections::BTreeMap;

use crate::costs::{
    Cache, Client, Cold, Costs, CpuCosts, Disk, Driver, Interpreter, Memory, Network, QueryCost,
    ServerCosts,
};
use crate::read::value::{Fields, Typed};
use crate::scenario::{JournalMode, Server, Synchronous};
use crate::units::Span;

pub(super) fn costs(profile: &Fields) -> Option<Costs> {
    let cpu = profile.table("cpu")?;
    let server = profile.table("server")?;
    let server = |name| {
        let server = server.table(name)?;
        let (cpu_scale, request) = (server.number("cpu_scale")?, server.span("request")?);
        Some(ServerCosts { cpu_scale, request })
    };
    let interpreter = profile.table("interpreter")?;
    let disk = profile.table("disk")?;
    let driver = profile.table("driver")?;
    let memory = profile.table("memory")?;
    let machine = profile.table("machine")?;
    let network = profile.table("network")?;
    let commit = profile.table("commit")?;
    let cache = profile.table("cache")?;
    let client = profile.table("client")?;
    Some(Costs {
        name: profile.text("name")?.to_string(),
        about: tables(profile, "about")
            .map(|(name, value)| match value {
                Typed::Text(text) => Some((name, text.clone())),
                _ => None,
            })
            .collect::<Option<_>>()?,
        blocking: cpu_costs(cpu.table("blocking")?)?,
        threadpool: cpu_costs(cpu.table("threadpool")?)?,
        async_: cpu_costs(cpu.table("async")?)?,
        servers: [
            (Server::Uvicorn, server("uvicorn")?),
            (Server::Gunicorn, server("gunicorn")?),
            (Server::Axum, server("axum")?),
        ]
        .into(),
        queries: tables(profile, "query")
            .map(|(name, value)| match value {
                Typed::Table(query) => Some((name, query_cost(query)?)),
                _ => None,
            })
            .collect::<Option<_>>()?,
        interpreter: Interpreter {
            lock: interpreter.flag("lock")?,
            switch_interval: interpreter.span("switch_interval")?,
        },
        context_switch: machine.span("context_switch")?,
        idle_exit: machine.span("idle_exit")?,
        cache: Cache {
            decay: cache.span("decay")?,
            shape: cache.number("shape")?,
            crowd: cache.number("crowd")?,
            blocking: cold(cache.table("blocking")?)?,
            threadpool: cold(cache.table("threadpool")?)?,
            async_: cold(cache.table("async")?)?,
        },
        network: Network {
            client: network.span("client")?,
            upstream: network.span("upstream")?,
            connect: network.span("connect")?,
        },
        commits: [
            (JournalMode::Delete, commit_levels(commit.table("delete")?)?),
            (JournalMode::Truncate, commit_levels(commit.table("truncate")?)?),
            (JournalMode::Persist, commit_levels(commit.table("persist")?)?),
            (JournalMode::Wal, commit_levels(commit.table("wal")?)?),
        ]
        .into(),
        disk: Disk {
            sync: disk.distribution("sync")?,
            unlink: disk.span("unlink")?,
            checkpoint_page: disk.span("checkpoint_page")?,
        },
        driver: Driver {
            autocommit: driver.flag("autocommit")?,
            overtaking: driver.flag("overtaking")?,
            statement_hops: driver.count("statement_hops")?,
            fetch_hops: driver.count("fetch_hops")?,
            finish_hops: driver.count("finish_hops")?,
            commit_hops: driver.count("commit_hops")?,
            rollback_hops: driver.count("rollback_hops")?,
            release_hops: driver.count("release_hops")?,
            open_hops: driver.count("open_hops")?,
            close_hops: driver.count("close_hops")?,
        },
        client: Client {
            kept: client.limit_count("kept")?,
            expiry: client.limit_span("expiry")?,
            locks: client.count("locks")?,
        },
        memory: Memory {
            worker: memory.size("worker")?,
            request: memory.size("request")?,
            connection: memory.size("connection")?,
            thread: memory.size("thread")?,
        },
    })
}

/// Names and values of a table whose names the user chose.
fn tables<'a>(profile: &'a Fields, key: &str) -> impl Iterator<Item = (String, &'a Typed)> {
    let fields = profile.table(key).map_or(&[][..], |table| &table.fields);
    fields.iter().map(|field| (field.key.to_string(), &field.value.value))
}

fn commit_levels(levels: &Fields) -> Option<BTreeMap<Synchronous, Span>> {
    let all = [
        (Synchronous::Off, levels.span("off")?),
        (Synchronous::Normal, levels.span("normal")?),
        (Synchronous::Full, levels.span("full")?),
        (Synchronous::Extra, levels.span("extra")?),
    ];
    Some(all.into())
}

fn cpu_costs(cpu: &Fields) -> Option<CpuCosts> {
    Some(CpuCosts {
        request: cpu.distribution("request")?,
        in_flight: cpu.span("in_flight")?,
        accept: cpu.span("accept")?,
        hang_up: cpu.span("hang_up")?,
        reject: cpu.span("reject")?,
        call: cpu.span("call")?,
        connect: cpu.span("connect")?,
        look: cpu.span("look")?,
        glance: cpu.span("glance")?,
        miss: cpu.span("miss")?,
        crowded_open: cpu.span("crowded_open")?,
        log_open: cpu.span("log_open")?,
        last_close: cpu.span("last_close")?,
        hop: cpu.span("hop")?,
        statement: cpu.span("statement")?,
        open: cpu.span("open")?,
        close: cpu.span("close")?,
        pragma: cpu.span("pragma")?,
        commit: cpu.span("commit")?,
    })
}

fn cold(cache: &Fields) -> Option<Cold> {
    Some(Cold {
        request: cache.span("request")?,
        statement: cache.span("statement")?,
        call: cache.span("call")?,
        open: cache.span("open")?,
        commit: cache.span("commit")?,
    })
}

fn query_cost(query: &Fields) -> Option<QueryCost> {
    Some(QueryCost { engine: query.distribution("engine")?, pages: query.count("pages")? })
}
