//! Random scenarios, written as a user would write them.
//!
//! They reach into every corner that a file can reach: all concurrency models and
//! overrides of them, both kinds of database, pools that are too small, semaphores,
//! retries, gathers, transactions, refusals, full backlogs, quotas, impatient clients. Runs
//! are short, so that many can be tried.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// A scenario file.
pub fn scenario() -> impl Strategy<Value = String> {
    let head = (1u64..1_000_000).prop_map(|seed| format!("seed = {seed}\n"));
    let lists = (vec(endpoint(), 1..4), vec(upstream(), 2)).prop_map(|(endpoints, upstreams)| {
        let mut text = String::new();
        for (name, upstream) in ["alpha", "beta"].iter().zip(upstreams) {
            text += &format!("[upstream.{name}]\n{upstream}\n");
        }
        for (index, endpoint) in endpoints.iter().enumerate() {
            text += &format!("[[endpoint]]\nname = \"e{index}\"\n{endpoint}\n");
        }
        text
    });
    (head, service_and_costs(), load(), cpu(), database(), lists).prop_map(
        |(head, service, load, cpu, database, lists)| {
            [head, load, cpu, service, database, lists].join("\n")
        },
    )
}

/// A key with one of these values, or no such key.
fn maybe(key: &'static str, values: &'static [&'static str]) -> impl Strategy<Value = String> {
    option::of(select(values))
        .prop_map(move |value| value.map_or(String::new(), |value| format!("{key} = {value}\n")))
}

/// A key with one of these values.
fn key(key: &'static str, values: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(values).prop_map(move |value| format!("{key} = {value}\n"))
}

fn join<const N: usize>(
    table: &'static str,
    keys: [BoxedStrategy<String>; N],
) -> BoxedStrategy<String> {
    keys.into_iter()
        .collect::<Vec<_>>()
        .prop_map(move |keys| format!("{table}\n{}", keys.concat()))
        .boxed()
}

/// A distribution whose times are about `scale` microseconds.
pub fn distribution(scale: u32) -> impl Strategy<Value = String> {
    (1..=scale, 0..5u8, 1u32..20).prop_map(|(micros, kind, ratio)| match kind {
        0 => format!("\"{micros}us\""),
        1 => format!("{{ mean = \"{micros}us\" }}"),
        2 => format!("{{ p50 = \"{micros}us\", p99 = \"{}us\" }}", micros * ratio),
        3 => format!("{{ low = \"0s\", high = \"{}us\" }}", 2 * micros),
        _ => format!("\"{}us\"", micros / 4),
    })
}

fn with(
    key: &'static str,
    value: impl Strategy<Value = String> + 'static,
) -> BoxedStrategy<String> {
    value.prop_map(move |value| format!("{key} = {value}\n")).boxed()
}

fn load() -> BoxedStrategy<String> {
    let stage = |closed: bool| {
        (50u32..500, 0u32..60).prop_map(move |(millis, target)| {
            let target = if closed { target.to_string() } else { format!("\"{}/s\"", target * 5) };
            format!("{{ duration = \"{millis}ms\", target = {target} }}")
        })
    };
    let length = move |closed: bool| {
        prop_oneof![
            3 => (300u32..1500).prop_map(|millis| format!("duration = \"{millis}ms\"\n")),
            1 => vec(stage(closed), 4..6).prop_map(|stages| format!("stages = [{}]\n", stages.join(", "))),
        ]
    };
    let closed =
        (1u32..40, distribution(50_000), length(true)).prop_map(|(users, think, length)| {
            format!("users = {users}\nthink_time = {think}\n{length}")
        });
    let open = (
        5u32..300,
        key("spacing", &["\"poisson\"", "\"even\""]),
        length(false),
        maybe("max_users", &["1", "3", "10", "50"]),
    )
        .prop_map(|(rate, spacing, length, cap)| {
            format!("rate = \"{rate}/s\"\n{spacing}{length}{cap}")
        });
    join(
        "[load]",
        [
            prop_oneof![closed, open].boxed(),
            maybe("warmup", &["\"1ms\"", "\"50ms\"", "\"190ms\""]).boxed(),
            key("timeout", &["\"never\"", "\"never\"", "\"3ms\"", "\"40ms\"", "\"300ms\""]).boxed(),
            maybe("keep_alive", &["true", "false"]).boxed(),
        ],
    )
}

fn cpu() -> BoxedStrategy<String> {
    join(
        "[cpu]",
        [
            key("cores", &["1", "1", "2", "4"]).boxed(),
            maybe("speed", &["0.5", "2", "1.7"]).boxed(),
            maybe("slice", &["\"20us\"", "\"1ms\"", "\"1s\""]).boxed(),
            maybe("tick", &["\"50us\"", "\"4ms\""]).boxed(),
            maybe(
                "quota",
                &[
                    "{ budget = \"3ms\", period = \"10ms\" }",
                    "{ budget = \"20us\", period = \"100us\" }",
                    "{ budget = \"50ms\", period = \"100ms\" }",
                ],
            )
            .boxed(),
        ],
    )
}

const CONCURRENCY: &[&str] = &["\"blocking\"", "\"threadpool\"", "\"async\""];
const SHORT: &[&str] = &["\"0s\"", "\"10us\"", "\"300us\""];

fn service_and_costs() -> BoxedStrategy<String> {
    // An axum worker has no interpreter to lock.
    let server = prop_oneof![
        3 => (key("server", &["\"uvicorn\"", "\"gunicorn\""]), key("lock", &["true", "true", "false"])),
        1 => (key("server", &["\"axum\""]), key("lock", &["false"])),
    ];
    let service = join(
        "",
        [
            key("concurrency", CONCURRENCY).boxed(),
            key("workers", &["1", "1", "2", "3", "4"]).boxed(),
            maybe("threads", &["1", "2", "8"]).boxed(),
            maybe("limit_concurrency", &["1", "2", "5", "20"]).boxed(),
            maybe("backlog", &["1", "2", "8"]).boxed(),
            maybe("keep_alive", &["\"0s\"", "\"1ms\"", "\"50ms\"", "\"never\""]).boxed(),
            maybe("spread", &["\"lifo\"", "\"hash\"", "\"round-robin\""]).boxed(),
            maybe("event_loop", &["\"uvloop\"", "\"asyncio\"", "\"tokio\""]).boxed(),
        ],
    );
    let cpu_costs = join(
        "[costs.cpu]",
        [
            // Never free: a closed user without a pause would send without end.
            with("request", distribution(1000).prop_map(|d| d.replace("\"0us\"", "\"1us\""))),
            key("reject", &["\"10us\"", "\"200us\""]).boxed(),
            maybe("in_flight", &["\"1us\"", "\"20us\""]).boxed(),
            maybe("accept", SHORT).boxed(),
            maybe("hang_up", SHORT).boxed(),
            maybe("call", SHORT).boxed(),
            maybe("connect", SHORT).boxed(),
            maybe("hop", SHORT).boxed(),
            maybe("log_open", SHORT).boxed(),
            maybe("last_close", SHORT).boxed(),
            maybe("statement", SHORT).boxed(),
            maybe("open", SHORT).boxed(),
            maybe("close", SHORT).boxed(),
            maybe("pragma", SHORT).boxed(),
            maybe("commit", SHORT).boxed(),
        ],
    );
    let rest = join(
        "",
        [
            with("[costs.query.default]\nengine", distribution(2000)),
            key("pages", &["0", "1", "3", "40"]).boxed(),
            with("[costs.disk]\nsync", distribution(2000)),
            maybe("unlink", SHORT).boxed(),
            maybe("checkpoint_page", SHORT).boxed(),
            key("[costs.server.uvicorn]\nrequest", &["\"0s\"", "\"30us\""]).boxed(),
            key("[costs.machine]\ncontext_switch", &["\"0s\"", "\"2us\"", "\"100us\""]).boxed(),
            maybe("idle_exit", SHORT).boxed(),
            key("[costs.network]\nclient", &["\"0s\"", "\"70us\"", "\"3ms\""]).boxed(),
            maybe("connect", SHORT).boxed(),
            maybe("upstream", SHORT).boxed(),
            key("[costs.cache]\ndecay", &["\"1ms\"", "\"20ms\""]).boxed(),
            maybe("shape", &["0.5", "1", "1.5"]).boxed(),
            maybe("crowd", &["0.5", "1", "90"]).boxed(),
            maybe("request", SHORT).boxed(),
            maybe("statement", SHORT).boxed(),
            maybe("open", SHORT).boxed(),
            key("[costs.commit.wal]\nnormal", &["\"0s\"", "\"40us\""]).boxed(),
            key("[costs.commit.delete]\nfull", &["\"0s\"", "\"300us\""]).boxed(),
            key("[costs.driver]\nstatement_hops", &["0", "1", "3"]).boxed(),
            key("open_hops", &["0", "1", "2"]).boxed(),
            key("close_hops", &["0", "1", "2"]).boxed(),
            maybe("commit_hops", &["0", "2"]).boxed(),
            maybe("finish_hops", &["1", "2"]).boxed(),
            maybe("release_hops", &["1"]).boxed(),
            maybe("autocommit", &["true", "false"]).boxed(),
            maybe("overtaking", &["true", "false"]).boxed(),
            key("[costs.client]\nlocks", &["0", "1", "2"]).boxed(),
            maybe("kept", &["1", "3"]).boxed(),
            maybe("expiry", &["\"1ms\"", "\"1s\""]).boxed(),
            key("[costs.cpu.async]\nlook", &["\"0s\"", "\"5us\""]).boxed(),
            maybe("connect", SHORT).boxed(),
            maybe("glance", &["\"0s\"", "\"1us\""]).boxed(),
            maybe("miss", SHORT).boxed(),
            maybe("crowded_open", SHORT).boxed(),
        ],
    );
    let interval = maybe("switch_interval", &["\"50us\"", "\"1ms\"", "\"5ms\""]);
    (server, service, cpu_costs, rest, interval)
        .prop_map(|((server, lock), service, cpu_costs, rest, interval)| {
            format!(
                "[service]\n{server}{service}\n[costs.interpreter]\n{lock}{interval}\n{cpu_costs}\n{rest}"
            )
        })
        .boxed()
}

fn database() -> BoxedStrategy<String> {
    let sqlite = join(
        "engine = \"sqlite\"",
        [
            key(
                "journal_mode",
                &["\"delete\"", "\"truncate\"", "\"persist\"", "\"wal\"", "\"wal\""],
            )
            .boxed(),
            maybe("synchronous", &["\"off\"", "\"normal\"", "\"full\"", "\"extra\""]).boxed(),
            maybe("busy_timeout", &["\"0s\"", "\"2ms\"", "\"100ms\""]).boxed(),
            maybe("pragmas", &["1", "5"]).boxed(),
            maybe("wal_autocheckpoint", &["0", "1", "20"]).boxed(),
        ],
    );
    let postgres = join(
        "engine = \"postgres\"",
        [with("round_trip", distribution(2000)), maybe("cores", &["1", "2", "8"]).boxed()],
    );
    let pool = (1u32..5, 0u32..4, select(&["\"0s\"", "\"5ms\"", "\"200ms\"", "\"never\""][..])).prop_map(
        |(size, overflow, timeout)| {
            format!(
                "connections = {{ kind = \"pool\", size = {size}, overflow = {overflow}, timeout = {timeout} }}\n"
            )
        },
    );
    let connections =
        prop_oneof![Just("connections = { kind = \"per-operation\" }\n".to_string()), pool,];
    join(
        "[database]",
        [
            prop_oneof![3 => sqlite, 1 => postgres].boxed(),
            connections.boxed(),
            maybe("hold", &["\"operation\"", "\"request\""]).boxed(),
            maybe("driver", &["\"async\"", "\"sync\""]).boxed(),
        ],
    )
}

fn upstream() -> BoxedStrategy<String> {
    join(
        "",
        [
            with("latency", distribution(30_000)),
            maybe("failures", &["\"10%\"", "\"100%\""]).boxed(),
            maybe("max_connections", &["1", "2", "10"]).boxed(),
            maybe("pool_timeout", &["\"0s\"", "\"5ms\"", "\"never\""]).boxed(),
            maybe("max_in_flight", &["1", "2", "10"]).boxed(),
            maybe("timeout", &["\"2ms\"", "\"20ms\"", "\"1s\""]).boxed(),
            maybe("retries", &["1", "3"]).boxed(),
            maybe("backoff", &["\"0s\"", "\"1ms\"", "\"50ms\""]).boxed(),
            maybe("backoff_factor", &["1", "3"]).boxed(),
        ],
    )
}

fn endpoint() -> BoxedStrategy<String> {
    join(
        "",
        [
            key("weight", &["1", "3", "0.5"]).boxed(),
            maybe("concurrency", CONCURRENCY).boxed(),
            vec(step(), 0..5).prop_map(|steps| format!("steps = [{}]\n", steps.join(", "))).boxed(),
        ],
    )
}

fn step() -> BoxedStrategy<String> {
    let statement = select(&["{ read = \"item\" }", "{ write = \"item\" }"][..]);
    let transaction = (vec(statement, 1..4), maybe(", begin", &["\"deferred\"", "\"immediate\""]))
        .prop_map(|(statements, begin)| {
            format!("{{ transaction = [{}]{} }}", statements.join(", "), begin.trim_end())
        });
    let simple = prop_oneof![
        2 => distribution(3_000).prop_map(|time| format!("{{ cpu = {time} }}")),
        1 => distribution(5_000).prop_map(|time| format!("{{ block = {time} }}")),
        1 => distribution(20_000).prop_map(|time| format!("{{ sleep = {time} }}")),
        2 => Just("{ read = \"item\" }".to_string()),
        2 => Just("{ write = \"order\" }".to_string()),
        2 => transaction,
        3 => select(&["alpha", "beta"][..]).prop_map(|name| format!("{{ call = \"{name}\" }}")),
    ]
    .boxed();
    let gather = vec(simple.clone(), 1..4)
        .prop_map(|branches| format!("{{ gather = [{}] }}", branches.join(", ")));
    prop_oneof![6 => simple, 1 => gather].boxed()
}
