//! The mock over real sockets.

use std::net::SocketAddr;

use futures_util::future::join_all;
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1::{SendRequest, handshake};

use super::*;
use crate::machine::raise_open_files;
use crate::supervisor::bind;
use crate::upstream::{Lateness, UpstreamCounts};

const CROWD: u64 = 1000;

fn scenario(latency: &str) -> Arc<Scenario> {
    let text = format!(
        r#"
        costs.cpu.request = "1ms"
        seed = 5
        load = {{ users = 1, duration = "1s" }}
        service.concurrency = "async"
        upstream.partner = {{ latency = {latency}, failures = "30%" }}
        upstream."a/b ü" = {{ latency = "0s" }}
        endpoint = [
            {{ name = "quote", weight = 1, steps = [{{ call = "partner" }}, {{ call = "a/b ü" }}] }},
        ]
        "#
    );
    Arc::new(model::read::load_text("mock", &text, &[]).expect("a valid scenario").scenario)
}

/// Runs `test` against a mock of `scenario`, in one thread.
fn with_mock<F: Future<Output = ()>>(
    scenario: Arc<Scenario>,
    test: impl FnOnce(SocketAddr, Counters) -> F,
) {
    raise_open_files();
    let listener = bind(None, 4096, false).expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let counters = Counters::new(&scenario);
    runtime().expect("a runtime").block_on(async {
        tokio::spawn(serve(listener, scenario, counters.clone()));
        test(address, counters).await;
    });
}

async fn connect(address: SocketAddr) -> SendRequest<Empty<Bytes>> {
    let stream = TcpStream::connect(address).await.expect("the mock listens");
    let (sender, connection) = handshake(TokioIo::new(stream)).await.expect("a connection");
    tokio::spawn(connection);
    sender
}

fn get(path: &str, call: Option<Call<'_>>) -> Request<Empty<Bytes>> {
    let request = Request::get(path).header("host", "mock");
    let request = match call {
        Some(call) => request.header(wire::CALL, call.to_string()),
        None => request,
    };
    request.body(Empty::new()).expect("a valid request")
}

/// Status, nanoseconds taken, body.
async fn ask(
    sender: &mut SendRequest<Empty<Bytes>>,
    request: Request<Empty<Bytes>>,
) -> (u16, Option<u64>, String) {
    sender.ready().await.expect("the connection is kept");
    let reply = sender.send_request(request).await.expect("a reply");
    let took = reply
        .headers()
        .get(wire::TOOK)
        .map(|took| took.to_str().ok().and_then(|text| text.parse().ok()).expect("a number"));
    let status = reply.status().as_u16();
    let body = reply.into_body().collect().await.expect("a body").to_bytes();
    (status, took, String::from_utf8(body.to_vec()).expect("text"))
}

#[test]
fn a_reply_takes_as_long_and_fails_as_its_key_says() {
    let scenario = scenario(r#"{ p50 = "2ms", p99 = "10ms" }"#);
    let (upstream, draws) = (scenario.upstreams[0].clone(), Draws::new(scenario.seed));
    with_mock(scenario, async |address, counters| {
        let mut sender = connect(address).await;
        let (mut failed, n) = (0, 50);
        // All on one connection, which is kept.
        for index in 0..n {
            let call = Call { lane: 3, index, step: "quote/0" };
            let fate = draws.fate(&upstream, &call);
            let before = clock::now();
            let (status, took, _) = ask(&mut sender, get("/partner", Some(call))).await;
            let seen = clock::now() - before;
            assert_eq!(status, if fate.fails { 502 } else { 200 });
            let took = took.expect("the reply says so");
            assert!(fate.latency.nanos() <= took && took <= seen, "{fate:?} {took} {seen}");
            failed += u64::from(fate.fails);
        }
        let snapshot = counters.snapshot();
        let [partner, other] = &*snapshot.upstreams else { panic!("there are two upstreams") };
        assert_eq!((partner.calls, partner.answered, partner.failures), (n, n, failed));
        assert!(0 < failed && failed < n);
        assert_eq!((partner.in_flight, partner.in_flight_peak, partner.abandoned), (0, 1, 0));
        assert_eq!((&*other.name, other.calls), ("a/b ü", 0));
        assert_eq!(snapshot.lateness.count, n);
        let Lateness { mean, p50, p99, max, .. } = snapshot.lateness;
        assert!(0 < mean && mean <= max && p50 <= p99 && p99 <= max && snapshot.cpu > 0);
        // The next period begins.
        let next = counters.snapshot();
        assert_eq!((next.lateness.count, next.upstreams[0].in_flight_peak), (0, 0));
        assert_eq!(next.upstreams[0].calls, n);
    });
}

#[test]
fn a_thousand_calls_are_parked_at_once_and_none_is_lost() {
    // Longer than the test, which does not wait for it.
    with_mock(scenario(r#""1h""#), async |address, counters| {
        let partner = async |wanted: fn(&UpstreamCounts) -> bool| loop {
            let counts = counters.snapshot().upstreams.swap_remove(0);
            if wanted(&counts) {
                return counts;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        };
        let mut senders = join_all((0..CROWD).map(|_| connect(address))).await;
        let calls = senders.iter_mut().enumerate().map(|(lane, sender)| {
            let call = Call { lane: lane as u64, index: 0, step: "quote/0" };
            Box::pin(ask(sender, get("/partner", Some(call))))
        });
        let parked = tokio::select! {
            _ = join_all(calls) => panic!("nothing is answered within the hour"),
            parked = partner(|counts| counts.in_flight == CROWD) => parked,
        };
        assert_eq!((parked.calls, parked.answered), (CROWD, 0));
        drop(senders);
        // Callers that go away are noticed, and nothing is kept for them.
        let gone = partner(|counts| counts.in_flight == 0).await;
        assert_eq!((gone.calls, gone.answered, gone.abandoned), (CROWD, 0, CROWD));
    });
}

#[test]
fn a_thousand_calls_at_once_are_all_answered() {
    with_mock(scenario(r#""50ms""#), async |address, counters| {
        let calls = (0..CROWD).map(async |lane| {
            let mut sender = connect(address).await;
            let call = Call { lane, index: 0, step: "quote/0" };
            ask(&mut sender, get("/partner", Some(call))).await
        });
        for (status, took, _) in join_all(calls).await {
            assert!(status == 200 || status == 502);
            assert!(took >= Some(50_000_000));
        }
        let counts = counters.snapshot().upstreams.swap_remove(0);
        assert_eq!((counts.calls, counts.answered, counts.in_flight), (CROWD, CROWD, 0));
    });
}

#[test]
fn who_asks_for_something_else_is_told_what_there_is() {
    with_mock(scenario(r#""0s""#), async |address, counters| {
        let mut sender = connect(address).await;
        let (status, took, body) = ask(&mut sender, get("/patner", None)).await;
        assert_eq!((status, took), (404, None));
        assert!(body.contains("/partner, /a%2Fb%20%C3%BC"), "{body}");
        let (status, _, body) = ask(&mut sender, get("/a%2Fb%20%C3%BC", None)).await;
        assert_eq!((status, &*body), (200, "ok\n"));

        let mut post = get("/partner", None);
        *post.method_mut() = Method::POST;
        assert_eq!(ask(&mut sender, post).await.0, 405);
        let mut nonsense = get("/partner", None);
        nonsense.headers_mut().insert(wire::CALL, HeaderValue::from_static("7"));
        assert_eq!(ask(&mut sender, nonsense).await.0, 400);
        let counted = counters.snapshot();
        assert_eq!((counted.refused, counted.upstreams[0].calls), (3, 0));
    });
}

#[test]
fn calls_by_hand_differ_from_each_other() {
    with_mock(scenario(r#"{ p50 = "1ms", p99 = "2ms" }"#), async |address, counters| {
        let mut sender = connect(address).await;
        let mut failed = Vec::new();
        for _ in 0..64 {
            failed.push(ask(&mut sender, get("/partner", None)).await.0 == 502);
        }
        assert!(failed.contains(&true) && failed.contains(&false));
        assert_eq!(counters.snapshot().upstreams[0].calls, 64);
    });
}

#[test]
fn a_full_queue_is_refused_with_a_word_when_to_come_back() {
    let text = r#"
        costs.cpu.request = "1ms"
        load = { users = 1, duration = "1s" }
        service.concurrency = "async"
        upstream.partner = { latency = "1h", capacity = 2, queue = 3, refuse = "429", retry_after = "7s" }
        endpoint = [{ name = "quote", weight = 1, steps = [{ call = "partner" }] }]
    "#;
    let scenario = model::read::load_text("mock", text, &[]).expect("a valid scenario").scenario;
    with_mock(Arc::new(scenario), async |address, counters| {
        let counts = || counters.snapshot().upstreams.swap_remove(0);
        let mut parked = Vec::new();
        for lane in 0..5 {
            let mut sender = connect(address).await;
            let call = Call { lane, index: 0, step: "quote/0" };
            parked.push(tokio::spawn(async move {
                ask(&mut sender, get("/partner", Some(call))).await;
            }));
            while counts().in_flight <= lane {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        let mut sender = connect(address).await;
        for _ in 0..4 {
            sender.ready().await.expect("the connection is kept");
            let reply = sender.send_request(get("/partner", None)).await.expect("a reply");
            assert_eq!(reply.status(), StatusCode::TOO_MANY_REQUESTS);
            assert_eq!(reply.headers()[RETRY_AFTER], "7");
            reply.into_body().collect().await.expect("a body");
        }
        let told = counts();
        assert_eq!((told.calls, told.refused, told.in_flight, told.abandoned), (9, 4, 5, 0));
        // Those that have their places are worked on to the end, also without a caller.
        parked.iter().for_each(tokio::task::JoinHandle::abort);
        while counts().abandoned < 5 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let (status, ..) = ask(&mut sender, get("/partner", None)).await;
        assert_eq!(status, 429);
    });
}

#[test]
fn calls_beyond_the_capacity_wait_for_those_before_them() {
    let text = r#"
        costs.cpu.request = "1ms"
        load = { users = 1, duration = "1s" }
        service.concurrency = "async"
        upstream.partner = { latency = "30ms", capacity = 2 }
        endpoint = [{ name = "quote", weight = 1, steps = [{ call = "partner" }] }]
    "#;
    let scenario = model::read::load_text("mock", text, &[]).expect("a valid scenario").scenario;
    with_mock(Arc::new(scenario), async |address, counters| {
        let calls = (0..6).map(async |lane| {
            let mut sender = connect(address).await;
            let call = Call { lane, index: 0, step: "quote/0" };
            let (status, took, _) = ask(&mut sender, get("/partner", Some(call))).await;
            assert_eq!(status, 200);
            took.expect("the reply says so")
        });
        let mut took = join_all(calls).await;
        took.sort_unstable();
        // Two at a time: the third pair has waited for two others, at least.
        assert!(took[4] >= 70_000_000, "{took:?}");
        assert_eq!(counters.snapshot().upstreams[0].refused, 0);
    });
}
