//! `learn probe` against services that are known.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use live::clock;
use model::scenario::{Concurrency, Scenario};
use rustix::process::Signal;
use testkit::{Lab, free_port, wait_until};
use tokio::sync::Semaphore;

const PROGRAM: &str = env!("CARGO_BIN_EXE_learn");

/// The CPU time of this process is the service's: other tests must not compute meanwhile.
static ALONE: Mutex<()> = Mutex::new(());

/// What the service burns, in nanoseconds.
const BURNED: u64 = 4_000_000;

/// Computes for so many nanoseconds.
fn burn(nanos: u64) -> &'static str {
    let start = clock::thread_cpu();
    while clock::thread_cpu() - start < nanos {
        std::hint::black_box(0);
    }
    "burned"
}

/// A service on one thread, in this process: it holds its loop, waits freely, computes, or lets
/// five wait at a time.
fn service() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a socket of ours");
    let address = listener.local_addr().expect("it has one");
    let wait = Duration::from_millis(40);
    let slots = Arc::new(Semaphore::new(5));
    let limited = move || {
        let slots = Arc::clone(&slots);
        async move {
            let _slot = slots.acquire().await;
            tokio::time::sleep(wait).await;
            "limited"
        }
    };
    let full = Arc::new(Semaphore::new(5));
    let refuses = move || {
        let full = Arc::clone(&full);
        async move {
            let Ok(_slot) = full.try_acquire() else {
                return Err(StatusCode::INTERNAL_SERVER_ERROR);
            };
            tokio::time::sleep(wait).await;
            Ok("answered")
        }
    };
    let burns = || async { burn(BURNED) };
    // Twice as long after a request of another kind, as if that had replaced what the caches held.
    let last = Arc::new(AtomicU64::new(0));
    let changes = move |Path(kind): Path<u64>| {
        let same = last.swap(kind, Ordering::Relaxed) == kind;
        async move { burn(if same { BURNED } else { 2 * BURNED }) }
    };
    // One in four takes five times as long.
    let varies =
        |Path(kind): Path<u64>| async move { burn(if kind == 1 { 5 * BURNED } else { BURNED }) };
    let app = Router::new()
        .route(
            "/waits",
            get(move || async move {
                tokio::time::sleep(wait).await;
                "waited"
            }),
        )
        .route(
            "/holds",
            get(move || async move {
                std::thread::sleep(wait);
                "held"
            }),
        )
        .route("/limited", get(limited))
        .route("/refuses", get(refuses))
        .route("/burns", get(burns))
        .route("/varies/{kind}", get(varies))
        .route("/changes/{kind}", get(changes));
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a runtime");
            axum::serve(listener, app).await.expect("it serves to the end of the process");
        });
    });
    address
}

const REQUESTS: &str = r#"
[[request]]
name = "waits"
weight = 3
path = "/waits?page={1..9}"

[[request]]
name = "holds"
path = "/holds"

[[request]]
name = "limited"
path = "/limited"

[[request]]
name = "burns"
path = "/burns"
"#;

/// How the endpoint `name` runs.
fn manner(scenario: &Scenario, name: &str) -> Concurrency {
    let found = scenario.endpoints.iter().find(|endpoint| endpoint.name == name);
    found.expect("it was asked").concurrency(&scenario.service)
}

#[test]
fn decisions_and_costs_of_a_known_service_are_right() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let address = service();
    let lab = Lab::new(PROGRAM);
    lab.write("requests.toml", REQUESTS);
    // What others on this machine do may hide how an endpoint waits: then the probe says that it
    // cannot be told, and is run again.
    let right = (0..6).any(|_| {
        let words = format!(
            "probe http://{address} --requests requests.toml --at-once 2,8,24 -o mine.toml --force"
        );
        lab.end(&words).with_code(0);
        let read = model::read::load(&lab.path("mine.toml"), &[]).expect("a scenario");
        let scenario = &read.scenario;
        let text = std::fs::read_to_string(lab.path("mine.toml")).expect("it is written");
        let burned = read.get("endpoint.burns.steps[0].cpu");
        let burned = burned.and_then(|text| model::units::Span::parse(text.trim_matches('"')).ok());
        // A request takes what was burned and its way through the service.
        assert!(burned.is_some_and(|burned| burned.nanos() >= BURNED), "{text}");
        manner(scenario, "waits") == Concurrency::Async
            && manner(scenario, "holds") == Concurrency::Blocking
            && manner(scenario, "limited") == Concurrency::Threadpool
            && scenario.service.threads == 5
            && text.contains("this handler holds its loop")
    });
    assert!(right, "{}", std::fs::read_to_string(lab.path("mine.toml")).unwrap_or_default());
}

#[test]
fn cpu_time_that_varies_from_request_to_request_is_learned_as_a_distribution() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let address = service();
    let lab = Lab::new(PROGRAM);
    let varies = "[[request]]\nname = \"varies\"\npath = \"/varies/{1..4}\"\n";
    let burns = "[[request]]\nname = \"burns\"\npath = \"/burns\"\n";
    lab.write("requests.toml", &format!("{varies}{burns}"));
    lab.end(&format!("probe http://{address} --requests requests.toml --at-once 8 -o mine.toml"))
        .with_code(0);
    let read = model::read::load(&lab.path("mine.toml"), &[]).expect("a scenario");
    let cpu = |endpoint: usize| match &read.scenario.endpoints[endpoint].steps[..] {
        [model::scenario::Step::Cpu(cpu), ..] => cpu.clone(),
        other => panic!("{other:?}"),
    };
    let text = std::fs::read_to_string(lab.path("mine.toml")).expect("it is written");
    // Of 1, 1, 1 and 5 the mean is 2 and the standard deviation is the square root of 3; drawn
    // 48 times in the bursts, and at least 100 times one at a time.
    let mean = cpu(0).mean() * 1e9 / BURNED as f64;
    assert!((1.2..3.5).contains(&mean), "{mean}: {text}");
    let cv = cpu(0).scv().sqrt();
    assert!((0.6..1.2).contains(&cv), "{cv}: {text}");
    assert_eq!(cpu(1).scv(), 0.0, "always the same: {text}");
    assert!(text.contains("requests one at a time is"), "{text}");
}

#[test]
fn what_requests_cost_beside_others_is_in_the_cpu_time() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let address = service();
    let lab = Lab::new(PROGRAM);
    let kind = |kind| format!("[[request]]\nname = \"kind {kind}\"\npath = \"/changes/{kind}\"\n");
    lab.write("requests.toml", &format!("{}{}", kind(1), kind(2)));
    lab.end(&format!("probe http://{address} --requests requests.toml --at-once 8 -o mine.toml"))
        .with_code(0);
    let read = model::read::load(&lab.path("mine.toml"), &[]).expect("a scenario");
    let text = std::fs::read_to_string(lab.path("mine.toml")).expect("it is written");
    // Half of the requests come after one of the other kind: they cost 1.5 times as much in the mean.
    let cpu: f64 = (0..2)
        .map(|endpoint| match &read.scenario.endpoints[endpoint].steps[..] {
            [model::scenario::Step::Cpu(cpu), ..] => cpu.mean() * 1e9 / BURNED as f64 / 2.0,
            other => panic!("{other:?}: {text}"),
        })
        .sum();
    assert!((1.3..1.8).contains(&cpu), "{cpu}: {text}");
    assert!(text.contains("all endpoints together took 1."), "{text}");
}

#[test]
fn errors_of_many_at_once_end_no_more_than_the_bursts_of_their_endpoint() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let address = service();
    let lab = Lab::new(PROGRAM);
    lab.write(
        "requests.toml",
        "[[request]]\nname = \"refuses\"\npath = \"/refuses\"\n\n[[request]]\nname = \"waits\"\npath = \"/waits\"\n",
    );
    let words =
        format!("probe http://{address} --requests requests.toml --at-once 2,8,16 -o mine.toml");
    lab.end(&words).with_code(0);
    let text = std::fs::read_to_string(lab.path("mine.toml")).expect("it is written");
    let text = text.replace("\n# ", " ");
    assert!(text.contains("refuses: 3 of 8 at once failed within"), "{text}");
    assert!(!text.contains("16 at once failed"), "what fails is not asked for again: {text}");
    assert!(text.contains("waits: 16 at once took"), "the other endpoint is asked on: {text}");
    let read = model::read::load(&lab.path("mine.toml"), &[]).expect("a scenario");
    assert_eq!(read.scenario.endpoints.len(), 2);
}

#[test]
fn nothing_stays_of_a_service_that_was_started_by_a_probe_that_is_killed() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let lab = Lab::new(PROGRAM);
    let port = free_port();
    lab.write("requests.toml", "[[request]]\npath = \"/requests.toml\"\n");
    let url = format!("http://127.0.0.1:{port}");
    let mut command = lab.command("probe");
    let serve = format!("python3 -m http.server {port} --bind 127.0.0.1");
    command.args([&*url, "--requests", "requests.toml", "-o", "mine.toml", "--start", &serve]);
    let mut running = lab.start_command(command);
    wait_until("something is kept", || lab.path("mine.toml").exists() || running.has_ended());
    running.signal(Signal::KILL);
    drop(running.ended());
    wait_until("its processes end", || lab.processes("").is_empty());
    let kept = model::read::load(&lab.path("mine.toml"), &[]).expect("what was measured is kept");
    assert_eq!(kept.scenario.endpoints.len(), 1);
    let text = std::fs::read_to_string(lab.path("mine.toml")).expect("it is written");
    assert!(text.contains("ended before its end"), "{text}");
}

#[test]
fn what_cannot_be_asked_is_refused_before_anything_is_sent() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let lab = Lab::new(PROGRAM);
    lab.write("requests.toml", "[[request]]\npath = \"/items/{1..9}\"\n");
    lab.write("wrong.toml", "[[request]]\nmethod = \"POST\"\npath = \"/items/{id}\"\n");
    for (words, part) in [
        ("probe http://192.0.2.1 --requests requests.toml", "--allow-host 192.0.2.1"),
        ("probe https://127.0.0.1 --requests requests.toml", "asks for TLS"),
        ("probe http://127.0.0.1:9 --requests wrong.toml", "wrong.toml:3:8: `path`: `{id}`"),
        ("probe http://127.0.0.1:9 --requests wrong.toml", "wrong.toml:1:1: `POST /items/{id}`"),
        ("probe http://127.0.0.1:9 --requests none.toml", "there is no such file"),
        ("probe http://127.0.0.1:9 --requests requests.toml --budget-time 5", "a time above zero"),
        ("probe http://127.0.0.1:9 --requests requests.toml -o requests.toml", "--force"),
    ] {
        let ended = lab.end(words).with_code(2);
        assert!(ended.err.contains(part), "{words}: {}", ended.err);
    }
    let told = lab.end("probe http://127.0.0.1:9 --requests requests.toml --dry-run").with_code(0);
    assert!(told.out.contains("GET /items/{1..9}, weight 1"), "{}", told.out);
}
