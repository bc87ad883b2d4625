use model::costs::*;
use model::distribution::Distribution;
use model::scenario::*;
use model::units::*;
use sim::engine::Engine;
use sim::plan::Plan;
use std::collections::BTreeMap;
fn main() {
    let zero = || Distribution::Constant(Span::ZERO);
    let cpu = || CpuCosts {
        request: zero(),
        in_flight: Span::ZERO,
        accept: Span::ZERO,
        reject: Span::ZERO,
        call: Span::ZERO,
        hop: Span::ZERO,
        statement: Span::ZERO,
        open: Span::ZERO,
        close: Span::ZERO,
        pragma: Span::ZERO,
        commit: Span::ZERO,
    };
    let ms = Span::from_millis;
    let s = Scenario {
        name: "bench".into(),
        question: None,
        seed: 1,
        load: Load {
            source: Source::Closed { users: Profile::constant(50.0), think_time: zero() },
            warmup: Span::ZERO,
            duration: Span::from_secs(
                std::env::args().nth(1).map_or(20_000, |s| s.parse().unwrap()),
            ),
            timeout: Some(Span::from_secs(60)),
            keep_alive: true,
        },
        cpu: Cpu { cores: 1, speed: 1.0, slice: ms(1), quota: None },
        service: Service {
            server: Server::Uvicorn,
            concurrency: Concurrency::Async,
            workers: 1,
            threads: 40,
            limit_concurrency: None,
            backlog: 2048,
            keep_alive: Span::from_secs(5),
            spread: Spread::Lifo,
            event_loop: EventLoop::Uvloop,
        },
        database: None,
        upstreams: vec![Upstream {
            name: "partner".into(),
            latency: Distribution::lognormal(ms(200), ms(1000)),
            failures: 0.0,
            max_connections: None,
            pool_timeout: None,
            max_in_flight: None,
            timeout: None,
            retries: 0,
            backoff: ms(100),
            backoff_factor: 2.0,
        }],
        endpoints: vec![Endpoint {
            name: "e".into(),
            weight: 1.0,
            concurrency: None,
            steps: vec![
                Step::Cpu(Distribution::Constant(ms(5))),
                Step::Call(0),
                Step::Cpu(Distribution::Constant(ms(5))),
            ],
        }],
        published: None,
        costs: Costs {
            name: "zero".into(),
            about: BTreeMap::new(),
            blocking: cpu(),
            threadpool: cpu(),
            async_: cpu(),
            servers: BTreeMap::new(),
            queries: BTreeMap::new(),
            interpreter: Interpreter { lock: true, switch_interval: ms(5) },
            context_switch: Span::ZERO,
            disk: Disk { sync: zero(), unlink: Span::ZERO, checkpoint_page: Span::ZERO },
            driver: Driver { statement_hops: 1, open_hops: 1, close_hops: 1 },
            memory: Memory { worker: 0, request: 0, connection: 0, thread: 0 },
        },
    };
    let plan = Plan::new(&s, 1);
    for _ in 0..std::env::args().nth(2).map_or(4, |s| s.parse().unwrap()) {
        let t = std::time::Instant::now();
        let seen = Engine::observe(&plan, u64::MAX).unwrap();
        let dt = t.elapsed().as_secs_f64();
        println!(
            "{} good, X={:.3}, U={:.4} {:.3} s, {:.2} M req/s",
            seen.good(),
            seen.throughput(),
            seen.cores.area() as f64 / seen.window.nanos() as f64,
            dt,
            seen.good() as f64 / dt / 1e6
        );
    }
}
