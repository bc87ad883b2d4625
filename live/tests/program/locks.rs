//! Locks of the application on real services.

use crate::fastapi::python::options;
use crate::support::Lab;

/// Six users, one of whom at a time sleeps under the lock; and two locks in opposite order.
const BOOK: &str = r#"
    load = { users = 6, warmup = "200ms", duration = "1500ms" }
    service.concurrency = "async"
    lock.account = {}
    [[endpoint]]
    name = "book"
    weight = 1
    steps = [{ lock = "account", steps = [{ sleep = "10ms" }] }]
"#;

const CROSSED: &str = r#"
    load = { users = 8, warmup = "200ms", duration = "2s" }
    service.concurrency = "async"
    lock.a.timeout = "50ms"
    lock.b = {}
    [[endpoint]]
    name = "ab"
    weight = 1
    steps = [{ lock = "a", steps = [{ sleep = "5ms" }, { lock = "b", steps = [{ sleep = "5ms" }] }] }]
    [[endpoint]]
    name = "ba"
    weight = 1
    steps = [{ lock = "b", steps = [{ sleep = "5ms" }, { lock = "a", steps = [{ sleep = "5ms" }] }] }]
"#;

fn one_at_a_time(on: &str) {
    let lab = Lab::new(BOOK);
    for model in ["async", "threadpool", "blocking"] {
        let kept = lab.run(&format!("{on} --set service.concurrency={model}"));
        kept.has_errors_of(&[]);
        let throughput = kept.report.throughput.value;
        assert!(throughput > 0.0 && throughput <= 100.0, "{model}: {throughput}");
        let lock = kept.station("lock account").expect("it was taken");
        assert!(lock.capacity == Some(1) && lock.utilisation > 0.0, "{model}: {lock:?}");
        kept.every_request_visited(lock);
        // Others hold it for at least 10 ms; a blocking handler has its loop to itself.
        assert!(lock.waiting_time_mean > 0.010 || model == "blocking", "{model}: {lock:?}");
    }
}

fn patience_ends_a_standstill(on: &str) {
    let lab = Lab::new(CROSSED);
    for model in ["async", "threadpool"] {
        let kept = lab.run(&format!("{on} --set service.concurrency={model}"));
        kept.has_errors_of(&["lock_timeout"]);
        assert!(kept.report.throughput.value > 0.0, "{model}");
    }
}

#[test]
fn axum_takes_tokio_s_semaphore() {
    one_at_a_time("");
    patience_ends_a_standstill("");
}

#[test]
fn fastapi_takes_those_of_asyncio_and_threading() {
    let Some(on) = options() else { return };
    one_at_a_time(&on);
    patience_ends_a_standstill(&on);
}

#[test]
fn a_lock_that_a_stack_has_not_is_refused() {
    let lab = Lab::new(&format!(
        "{BOOK}\n[[endpoint]]\nname = \"other\"\nweight = 1\nconcurrency = \"threadpool\"\n\
         steps = [{{ lock = \"account\", steps = [{{ sleep = \"1ms\" }}] }}]\n"
    ));
    let ended = lab.end("run shop.toml --target fastapi --duration 1s").with_code(2);
    assert!(ended.err.contains("an asyncio.Lock is no threading.Lock"), "{ended:?}");
    let shared = "--set lock.account.scope=service --set service.workers=2";
    let ended = lab.end(&format!("run shop.toml {shared}")).with_code(2);
    assert!(ended.err.contains("needs a server that they share"), "{ended:?}");
}
