//! What was learned is written as a scenario that reads back.

use std::collections::BTreeMap;
use std::path::Path;

use learn::learned::{
    Connections, Database, Endpoint, Figure, Hold, Latency, Learned, Load, Origin, Pool, Query,
    Request, Service, Step, Upstream, save, write,
};
use live::machine::Turns;
use model::read::{Resolved, load_text};
use model::scenario::{Concurrency, Cpu, Engine, Postgres, Scheduler, Server, WorkerClass};
use model::units::Span;
use proptest::collection::vec;
use proptest::prelude::*;

fn figure(value: f64, low: f64, high: f64) -> Figure {
    Figure::measured(value, [low, high], "CPU of the process over 200 requests one at a time")
}

fn postgres() -> Engine {
    let round_trip = model::distribution::Distribution::Constant(model::units::Span::ZERO);
    Engine::Postgres(Postgres::new(round_trip, 2))
}

fn shop() -> Learned {
    let seen = |value: f64| figure(value, value * 0.9, value * 1.2);
    Learned {
        name: "shop".into(),
        about: BTreeMap::from([
            ("date".into(), "2026-11-28".into()),
            ("method".into(), "learn probe, 400 requests".into()),
        ]),
        service: Service {
            server: Figure::derived(Server::Uvicorn, "the command line of process 4242"),
            worker_class: None,
            concurrency: Figure::measured(
                Concurrency::Async,
                [Concurrency::Async; 2],
                "64 at once took as long as one",
            ),
            workers: Figure::derived(2, "processes that were seen to use CPU"),
            threads: Some(Figure::assumed(40, "the default of AnyIO", "name it with --threads")),
            keep_alive: None,
            first_request: Some(Figure::derived(0.84, "CPU of the first request of a process")),
            cores: Figure::assumed(1, "nothing was seen", "say how many processors it may use"),
            turns: None,
            process_switch: None,
            open: None,
        },
        endpoints: vec![
            Endpoint {
                name: "GET /items/{id}".into(),
                request: Some(Request {
                    method: "GET".into(),
                    path: "/items/{1..5000}".into(),
                    headers: Vec::new(),
                    body: None,
                }),
                weight: Figure::assumed(3.0, "as the list of requests has it", ""),
                concurrency: None,
                hold: Some(Figure::measured(
                    Hold::Request,
                    [Hold::Request; 2],
                    "in 19 of 19 requests the session ended after the reply",
                )),
                steps: vec![
                    Step::Cpu(Latency::Constant(seen(0.004_312_345))),
                    Step::Query("select_items".into()),
                    Step::Parallel(vec![
                        Step::Call("bank".into()),
                        Step::Wait(Latency::Constant(seen(0.020_01))),
                    ]),
                ],
            },
            Endpoint {
                name: "report".into(),
                request: Some(Request {
                    method: "POST".into(),
                    path: "/reports".into(),
                    headers: vec![("content-type".into(), "application/json".into())],
                    body: Some(r#"{"year": {2000..2026}, "name": "a \\ \"b\""}"#.into()),
                }),
                weight: figure(1.0, 0.8, 1.3),
                concurrency: Some(Figure::derived(
                    Concurrency::Blocking,
                    "64 at once took 64 times as long as one: this handler holds its loop",
                )),
                hold: None,
                steps: vec![Step::Cpu(Latency::Constant(Figure::derived(
                    0.05,
                    "a share of the sum",
                )))],
            },
        ],
        upstreams: vec![Upstream {
            name: "bank".into(),
            latency: Latency::Lognormal { p50: seen(0.08), p99: seen(0.4) },
            max_connections: None,
        }],
        database: Some(Database {
            engine: postgres(),
            cores: Some(Figure::assumed(2, "nothing was seen of it", "say how many it has")),
            cpu: None,
            connections: Connections::Pool(Pool {
                size: Figure::assumed(5, "SQLAlchemy's default", "see `pool_size` in the code"),
                overflow: Figure::measured(3, [3, 3], "8 connections were in use in each burst"),
            }),
            hold: None,
            queries: vec![Query {
                name: "select_items".into(),
                writes: false,
                time: seen(0.001_2),
            }],
            round_trip: Some(seen(0.000_3)),
            commit: Some(seen(0.001)),
            connect: None,
        }),
        load: Load::Open { rate: figure(20.0, 18.0, 22.0) },
        notes: vec!["3 requests of 400 were answered with 404.".into()],
    }
}

fn read(learned: &Learned) -> Resolved {
    let text = write(learned);
    load_text("mine", &text, &[]).unwrap_or_else(|error| panic!("{error}\nin\n{text}"))
}

#[test]
fn a_scenario_is_written_as_a_person_would_write_it() {
    testkit::golden(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/shop.toml"),
        &write(&shop()),
    );
    let resolved = read(&shop());
    assert_eq!(
        resolved.get("endpoint.\"GET /items/{id}\".steps[0].cpu").as_deref(),
        Some("4.312ms")
    );
    assert_eq!(resolved.known().len(), 22);
    assert_eq!(resolved.notes(), Vec::<String>::new());
}

#[test]
fn connections_of_each_request_s_own_cost_the_server_what_was_seen() {
    let mut learned = shop();
    let database = learned.database.as_mut().expect("the shop has one");
    database.connections = Connections::Own(Figure::measured(1.0, [1.0; 2], "20 of 20 requests"));
    database.connect = Some(figure(0.002_5, 0.002, 0.003));
    let resolved = read(&learned);
    let get = |key: &str| resolved.get(key);
    assert_eq!(get("database.connections.kind").as_deref(), Some("per-operation"));
    assert_eq!(get("database.open_trips").as_deref(), Some("1"));
    let server = resolved.scenario.database.as_ref().map(|one| &one.connections);
    assert_eq!(server, Some(&model::scenario::Connections::PerOperation));
    assert!(write(&learned).contains("[costs.postgres]\nconnect = \"2.5ms\""));
}

#[test]
fn a_file_is_not_replaced_unless_that_is_wanted() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mine.toml");
    assert!(save(&shop(), &path, false).is_ok());
    let refused =
        save(&shop(), &path, false).err().map(|failure| failure.text(render::Format::Text));
    assert!(refused.is_some_and(|text| text.contains("--force")));
    assert!(save(&shop(), &path, true).is_ok());
    let files = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(files, 1, "nothing is left beside it");
}

#[test]
fn what_makes_no_scenario_is_kept_and_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mine.toml");
    let mut learned = shop();
    learned.upstreams.clear();
    let failure =
        save(&learned, &path, false).err().map(|failure| failure.text(render::Format::Text));
    assert!(failure.is_some_and(|text| text.contains("no such upstream")));
    assert!(path.exists());
}

fn some_figure() -> impl Strategy<Value = Figure> {
    let origin = prop_oneof![Just(Origin::Measured), Just(Origin::Derived), Just(Origin::Assumed),];
    let ends = proptest::option::of((0.0..1.0f64, 1.0..10.0f64));
    (-8.0..2.0f64, ends, origin, any::<String>(), any::<String>()).prop_map(
        |(power, ends, origin, how, better)| {
            let value = 10f64.powf(power);
            let (low, high) = ends.map(|(low, high)| (value * low, value * high)).unzip();
            Figure { value, low, high, origin, how, better }
        },
    )
}

fn count() -> impl Strategy<Value = Figure<u32>> {
    (1u32..64, any::<String>())
        .prop_map(|(value, how)| Figure::assumed(value, how, "").within([value / 2, value * 2]))
}

fn latency() -> impl Strategy<Value = Latency> {
    prop_oneof![
        some_figure().prop_map(Latency::Constant),
        (some_figure(), some_figure()).prop_map(|(p50, p99)| Latency::Lognormal { p50, p99 }),
        (vec(0.0..1.0f64, 1..6), some_figure()).prop_map(|(steps, figure)| {
            let all = steps.len();
            let mut seconds = 0.0;
            let mut points = vec![(0.0, 0.0)];
            for (index, step) in steps.into_iter().enumerate() {
                seconds += step;
                points.push(((index + 1) as f64 / all as f64, seconds));
            }
            Latency::Quantiles(points, figure)
        }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let simple = prop_oneof![
        latency().prop_map(Step::Cpu),
        latency().prop_map(Step::Wait),
        latency().prop_map(Step::Block),
        (0usize..3).prop_map(|index| Step::Query(format!("q{index}"))),
        (0usize..3).prop_map(|index| Step::Call(format!("u{index}"))),
    ];
    simple.prop_recursive(2, 6, 3, |inner| vec(inner, 0..3).prop_map(Step::Parallel))
}

fn sync(server: Server, concurrency: Concurrency) -> bool {
    server == Server::Gunicorn && concurrency == Concurrency::Blocking
}

prop_compose! {
    fn learned()(
        name in any::<String>(),
        about in proptest::collection::btree_map(any::<String>(), any::<String>(), 0..3),
        workers in count(),
        threads in proptest::option::of(count()),
        concurrency in proptest::sample::select(vec![Concurrency::Async, Concurrency::Blocking]),
        server in proptest::sample::select(vec![Server::Uvicorn, Server::Axum, Server::Gunicorn]),
        endpoints in vec((any::<String>(), some_figure(), vec(step(), 0..4)), 1..4),
        latencies in vec(latency(), 3),
        queries in vec((some_figure(), any::<bool>()), 3),
        pool in count(),
        rate in some_figure(),
        users in proptest::option::of(count()),
        notes in vec(any::<String>(), 0..3),
    ) -> Learned {
        Learned {
            name,
            about,
            service: Service {
                server: Figure::derived(server, ""),
                worker_class: sync(server, concurrency)
                    .then(|| Figure::derived(WorkerClass::Sync, "")),
                concurrency: Figure::derived(concurrency, ""),
                cores: workers.clone(),
                turns: Some(Figure::measured(TURNS, [TURNS; 2], "Linux 6.18")),
                process_switch: Some(rate.clone()),
                open: Some(rate.clone()),
                workers,
                threads: threads.filter(|_| !sync(server, concurrency)),
                keep_alive: (!sync(server, concurrency)).then(|| Figure::derived(0.0, "")),
                first_request: None,
            },
            endpoints: endpoints.into_iter().map(|(name, weight, steps)| Endpoint {
                name, request: None, weight, concurrency: None, hold: None, steps,
            }).collect(),
            upstreams: (0..).zip(latencies).map(|(index, latency)| Upstream {
                name: format!("u{index}"), latency, max_connections: None,
            }).collect(),
            database: Some(Database {
                engine: postgres(),
                cores: None,
                cpu: None,
                connections: Connections::Pool(Pool { size: pool.clone(), overflow: pool }),
                queries: (0..).zip(queries).map(|(index, (time, writes))| Query {
                    name: format!("q{index}"), writes, time,
                }).collect(),
                round_trip: None,
                hold: None,
                commit: None,
                connect: None,
            }),
            load: match users {
                Some(users) => Load::Closed { users, think_time: rate },
                None => Load::Open { rate },
            },
            notes,
        }
    }
}

const TURNS: Turns = Turns {
    scheduler: Scheduler::Eevdf,
    slice: Span::from_micros(1400),
    tick: Span::from_millis(4),
};

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn whatever_was_learned_reads_back_with_its_values(learned in learned()) {
        let resolved = read(&learned);
        let scenario = &resolved.scenario;
        prop_assert_eq!(scenario.service.workers, learned.service.workers.value);
        let Cpu { scheduler, slice, tick, .. } = scenario.cpu;
        prop_assert_eq!(Turns { scheduler, slice, tick }, TURNS);
        prop_assert_eq!(scenario.endpoints.len(), learned.endpoints.len());
        for (found, wanted) in scenario.endpoints.iter().zip(&learned.endpoints) {
            let near = (found.weight / wanted.weight.value - 1.0).abs() < 1e-3;
            prop_assert!(near, "{} {}", found.weight, wanted.weight.value);
            let cpu = found.steps.iter().filter_map(|step| match step {
                model::scenario::Step::Cpu(time) => Some(time.mean()),
                _ => None,
            });
            let known = wanted.steps.iter().filter_map(|step| match step {
                Step::Cpu(cpu) => Some(cpu),
                _ => None,
            });
            for (found, wanted) in cpu.zip(known) {
                // Of others the text holds points, not the mean.
                let Latency::Constant(wanted) = wanted else { continue };
                prop_assert!((found / wanted.value - 1.0).abs() < 0.06, "{found} {wanted:?}");
            }
        }
        for known in resolved.known() {
            let holds = known.interval.is_none_or(|one| {
                one.low.number() <= one.value.number() && one.value.number() <= one.high.number()
            });
            prop_assert!(holds, "{known:?}");
        }
    }
}
