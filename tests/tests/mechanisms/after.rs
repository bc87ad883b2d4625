//! Work after the reply: it uses what requests use, and no client waits for it.

use model::report::Report;
use model::units::Span;
use sim::observe::{ErrorKind, Observations};
use sim::predict::{Experiment, predict};
use sim::replicate::Effort;

use crate::stage::{Run, arrivals, burst, run};

const SERVERS: &str = "[service]\nconcurrency = ";

/// An endpoint `job` with these steps and this work after its reply.
fn job(load: &str, service: &str, steps: &str, after: &str) -> String {
    format!(
        "{load}{SERVERS}{service}\n\
         [costs]\ninterpreter.lock = false\nquery.ten.engine = \"10ms\"\n\
         [upstream.mail]\nlatency = \"1s\"\n\
         [[endpoint]]\nname = \"job\"\nweight = 1\nsteps = [{steps}]\nafter = [{after}]\n"
    )
}

fn times(run: &Run) -> Vec<Span> {
    run.outcomes().iter().map(|outcome| outcome.response_time()).collect()
}

/// The utilisation law counts all work, the response time only what comes before the reply.
#[test]
fn an_idle_service_replies_before_its_work_is_done() {
    for concurrency in ["\"async\"", "\"blocking\"", "\"threadpool\""] {
        let run =
            run(&job(&arrivals(20, 100), concurrency, "{ cpu = \"2ms\" }", "{ cpu = \"30ms\" }"));
        assert_eq!(times(&run), [Span::from_millis(2); 20], "{concurrency}");
        let Observations { cpu, after, .. } = &run.seen;
        assert_eq!(cpu.cores.area(), 20 * 32_000_000, "demand and demand after: {concurrency}");
        assert_eq!((after.ended, after.failed, after.at_work.entries()), (20, 0, 20));
        assert_eq!(after.time.iter().sum::<u128>(), 20 * 30_000_000, "an account of its own");
        assert_eq!(after.at_work.area(), 20 * 30_000_000);
    }
}

/// A background task that is a plain function takes a thread of the pool; `async def` runs on the
/// loop, where blocking work stops all others.
#[test]
fn it_runs_where_the_handler_runs() {
    let two = |service: &str, after: &str| times(&run(&job(&burst(2), service, "", after)));
    let second = Span::from_secs(1);
    assert_eq!(two("\"threadpool\"\nthreads = 1", "{ sleep = \"1s\" }"), [Span::ZERO, second]);
    assert_eq!(two("\"threadpool\"\nthreads = 2", "{ sleep = \"1s\" }"), [Span::ZERO; 2]);
    assert_eq!(two("\"blocking\"", "{ sleep = \"1s\" }"), [Span::ZERO, second]);
    assert_eq!(two("\"async\"", "{ sleep = \"1s\" }"), [Span::ZERO; 2]);
    assert_eq!(two("\"async\"", "{ block = \"1s\" }"), [Span::ZERO, second]);
}

/// FastAPI leaves dependencies when the background tasks are over (`request_response` in
/// fastapi/routing.py): a session from a dependency keeps its connection until then.
#[test]
fn the_session_of_a_dependency_is_held_until_its_end() {
    let second = |concurrency: &str, hold: &str| {
        let service = format!(
            "\"{concurrency}\"\n[database]\nhold = \"{hold}\"\n\
             connections = {{ kind = \"pool\", size = 1, overflow = 0, timeout = \"never\" }}"
        );
        times(&run(&job(&burst(2), &service, "{ read = \"ten\" }", "{ sleep = \"1s\" }")))[1]
    };
    for concurrency in ["threadpool", "async"] {
        assert_eq!(second(concurrency, "request"), Span::from_millis(1020), "{concurrency}");
        assert_eq!(second(concurrency, "handler"), Span::from_millis(20), "{concurrency}");
        assert_eq!(second(concurrency, "operation"), Span::from_millis(20), "{concurrency}");
    }
}

/// uvicorn's task of a request ends with its background task, and counts for `limit_concurrency`
/// until then; axum's handler has ended when a task that it spawned goes on.
#[test]
fn uvicorn_counts_the_request_until_its_end() {
    let refused = |server: &str| {
        let service = format!(
            "\"async\"\nlimit_concurrency = 2\nserver = \"{server}\"\nkeep_alive = \"1ms\""
        );
        run(&job(&arrivals(5, 100), &service, "", "{ sleep = \"1s\" }")).errors(ErrorKind::Rejected)
    };
    assert_eq!((refused("uvicorn"), refused("axum")), (3, 0));
}

#[test]
fn its_errors_reach_no_client() {
    let slow = "[upstream.mail]\nlatency = \"1s\"";
    let late = "[upstream.mail]\ntimeout = \"100ms\"\nlatency = \"1s\"";
    let text = job(&burst(3), "\"async\"", "", "{ call = \"mail\" }, { sleep = \"1s\" }");
    let run = run(&text.replace(slow, late));
    assert_eq!((run.seen.good(), run.seen.after.ended, run.seen.after.failed), (3, 3, 3));
    assert_eq!(run.seen.after.at_work.area(), 3 * 100_000_000, "the rest is not done");
}

#[test]
fn a_handler_that_fails_leaves_none() {
    let slow = "[upstream.mail]\nlatency = \"1s\"";
    let late = "[upstream.mail]\ntimeout = \"100ms\"\nlatency = \"1s\"";
    let text = job(&burst(3), "\"async\"", "{ call = \"mail\" }", "{ sleep = \"1s\" }");
    let run = run(&text.replace(slow, late));
    assert_eq!((run.seen.good(), run.seen.after.at_work.entries()), (0, 0));
}

fn predicted(text: &str) -> Report {
    let resolved = model::read::load_text("after", text, &[]).unwrap();
    let effort =
        Effort { replications: 3, replications_max: 3, precision: None, ..Effort::default() };
    predict(&resolved, &effort, Experiment::None, &mut |_| {}).unwrap()
}

/// Ten users send 100 requests a second, and one mail at a time takes 20 ms: half of the mails pile up,
/// though no user ever waits.
#[test]
fn work_that_piles_up_behind_a_closed_load_falls_behind() {
    let load = "[load]\nusers = 10\nthink_time = \"100ms\"\nduration = \"20s\"\n";
    let text = job(load, "\"async\"", "{ cpu = \"0.1ms\" }", "{ call = \"mail\" }");
    let text = text.replace("latency = \"1s\"", "latency = \"20ms\"\nmax_in_flight = 1");
    let report = predicted(&text);
    let growth = report.falls_behind.expect("it grows").value;
    assert!((growth - 50.0).abs() < 2.0, "{growth}");
    let after = report.after.expect("there is work after replies");
    assert!((after.throughput - 50.0).abs() < 1.0 && after.unfinished > 900.0, "{after:?}");
    // Twice as many at a time keep up.
    let report = predicted(&text.replace("max_in_flight = 1", "max_in_flight = 4"));
    assert_eq!(report.falls_behind, None);
}
