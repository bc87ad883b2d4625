//! The server: from a request to its answer.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Extension, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::client::Gate;
use crate::connections::Connections;
use crate::metrics::Metrics;
use crate::queue::{Queue, Refused, Turn, Turns};
use crate::{Answer, Api, Ended, Problem, Signals, Tokens, Waiting};

/// How much is allowed.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Questions that are worked on at a time.
    pub workers: usize,
    /// Those of one client.
    pub per_client: usize,
    /// Questions that wait.
    pub queue: usize,
    /// Connections that are open.
    pub connections: usize,
    /// Bytes of a body.
    pub body: usize,
    /// How long an answer may take, from its turn on.
    pub time: Duration,
    /// How long a client may take to send a head, to send a body, or to take what is sent to it.
    pub patience: Duration,
}

/// A server that listens, and answers when it [runs](Server::run).
#[derive(Debug)]
pub struct Server {
    runtime: tokio::runtime::Runtime,
    listener: TcpListener,
    /// Listened for before the address is known.
    signals: Signals,
    tokens: Tokens,
    limits: Limits,
}

/// What requests are answered from.
struct Site {
    api: Arc<dyn Api>,
    gate: Gate,
    limits: Limits,
    queue: Arc<Queue>,
    metrics: Metrics,
    description: String,
    paths: Vec<String>,
}

/// How long work may take to end after it was asked to.
const AT_ONCE: Duration = Duration::from_millis(200);

/// Paths beside those of questions.
const OTHERS: [&str; 3] = ["/openapi.json", "/metrics", HEALTH];

/// The path that needs no token.
const HEALTH: &str = "/healthz";

impl Server {
    /// Listens on an address; on any free port if that is 0.
    ///
    /// # Errors
    /// Those of the system.
    pub fn bind(address: SocketAddr, tokens: Tokens, limits: Limits) -> io::Result<Server> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (listener, signals) = runtime.block_on(async {
            Ok::<_, io::Error>((TcpListener::bind(address).await?, Signals::listen()?))
        })?;
        Ok(Server { runtime, listener, signals, tokens, limits })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// Those of the system.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until the process is asked to end, by Ctrl-C or SIGTERM. What is worked on then is answered,
    /// and nothing else; a second signal ends it at once.
    pub fn run(self, api: Arc<dyn Api>) -> Ended {
        let Server { runtime, listener, signals, tokens, limits } = self;
        let turns = Turns { all: limits.workers, of_one: limits.per_client, waiting: limits.queue };
        let operations = api.operations().iter().map(|name| format!("/{name}"));
        let site = Arc::new(Site {
            paths: operations.chain(OTHERS.map(str::to_string)).collect(),
            description: api.description(),
            gate: Gate { tokens },
            queue: Queue::new(turns),
            metrics: Metrics::new(),
            limits,
            api,
        });
        let connections = Connections {
            listener,
            most: limits.connections,
            patience: limits.patience,
            open: site.metrics.connections().clone(),
            app: app(&site),
        };
        let ended = runtime.block_on(serve(connections, signals, &site.queue));
        // Work whose connection is gone stops by itself.
        runtime.shutdown_timeout(AT_ONCE);
        ended
    }
}

/// Serves connections until the first signal, and those that are at work until the second.
async fn serve(connections: Connections, mut signals: Signals, queue: &Queue) -> Ended {
    let graceful = GracefulShutdown::new();
    tokio::select! {
        () = connections.accept(&graceful) => {}
        () = signals.next() => {}
    }
    // From here on connections are refused.
    drop(connections);
    queue.close();
    tokio::select! {
        () = graceful.shutdown() => Ended::Answered,
        () = signals.next() => Ended::AtOnce,
    }
}

fn app(site: &Arc<Site>) -> Router {
    let mut app = Router::new();
    for &operation in site.api.operations() {
        let ask = move |State(site): State<Arc<Site>>,
                        Extension(Client(client)): Extension<Client>,
                        request: Request| async move {
            asked(&site, operation, &client, request).await
        };
        app = app.route(&format!("/{operation}"), post(ask));
    }
    app.route("/openapi.json", get(description))
        .route("/metrics", get(metrics))
        .route(HEALTH, get(|| async { "ok\n" }))
        .fallback(no_such_path)
        .method_not_allowed_fallback(|| async { Problem::wrong_method() })
        .layer(middleware::from_fn_with_state(site.clone(), admit))
        .with_state(site.clone())
}

/// The name of who asks.
#[derive(Clone)]
struct Client(String);

/// Refuses who may not ask, and counts.
async fn admit(
    State(site): State<Arc<Site>>,
    Extension(ConnectInfo(from)): Extension<ConnectInfo<SocketAddr>>,
    mut request: Request,
    next: Next,
) -> Response {
    // Names that a client makes up must not become labels without end.
    let path = request.uri().path().to_string();
    let path = site.paths.iter().find(|known| **known == path).map_or("other", String::as_str);
    let mut response = match site.gate.client(from, request.headers()) {
        Err(problem) if path != HEALTH => problem.into_response(),
        client => {
            request.extensions_mut().insert(Client(client.unwrap_or_default()));
            next.run(request).await
        }
    };
    let took = response.extensions().get::<Took>().map(|&Took(took)| took);
    site.metrics.answered(path, response.status().as_u16(), took);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

async fn description(State(site): State<Arc<Site>>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], site.description.clone()).into_response()
}

async fn metrics(State(site): State<Arc<Site>>) -> Response {
    let text = site.metrics.text(&site.queue);
    ([(header::CONTENT_TYPE, Metrics::TYPE)], text).into_response()
}

async fn no_such_path(State(site): State<Arc<Site>>) -> Problem {
    Problem::no_such_path(&site.paths)
}

/// How long a question took, its wait for a turn included.
#[derive(Clone, Copy)]
struct Took(Duration);

/// A question, from its body to its answer.
async fn asked(site: &Site, operation: &'static str, client: &str, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = match read(site, &head.headers, body).await {
        Ok(body) => body,
        Err(problem) => return problem.into_response(),
    };
    let began = Instant::now();
    let answer = match site.queue.turn(client).await {
        Ok(turn) => {
            site.metrics.waited(began.elapsed());
            work(site, operation, body, turn).await
        }
        Err(Refused::Full) => Err(Problem::full(site.pause())),
        Err(Refused::Closed) => Err(Problem::stopping()),
    };
    let mut response = match answer {
        Ok(document) => ([(header::CONTENT_TYPE, "application/json")], document).into_response(),
        Err(problem) => problem.into_response(),
    };
    response.extensions_mut().insert(Took(began.elapsed()));
    response
}

/// The whole body, if it is JSON, not too long and not too slow.
async fn read(site: &Site, headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(Problem::no_json());
    }
    let Limits { body: most, patience, .. } = site.limits;
    let whole = timeout(patience, Limited::new(body, most).collect()).await;
    match whole.map_err(|_| Problem::slow())? {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Problem::too_long(most)),
        // The client is gone, and reads this no more.
        Err(_) => Err(Problem::slow()),
    }
}

/// Works on a question in its turn, which lasts as long as the work: longer than a client waits for it.
async fn work(
    site: &Site,
    operation: &'static str,
    body: Bytes,
    turn: Turn,
) -> Result<String, Problem> {
    let waiting = Waiting::default();
    let (api, stop) = (site.api.clone(), waiting.flag());
    let mut work = tokio::task::spawn_blocking(move || {
        let answer = api.answer(operation, &body, &stop);
        drop(turn);
        answer
    });
    let time = site.limits.time;
    let (done, late) = match timeout(time, &mut work).await {
        Ok(done) => (done, false),
        Err(_) => {
            waiting.give_up();
            let out_of_time = |_| Problem::out_of_time(time.as_secs_f64());
            (timeout(AT_ONCE, work).await.map_err(out_of_time)?, true)
        }
    };
    let Ok(Answer { document, events }) = done else { return Err(Problem::bug()) };
    site.metrics.simulated(events);
    match document {
        Err(_) if late => Err(Problem::out_of_time(time.as_secs_f64())),
        document => document,
    }
}

impl Site {
    /// Seconds after which one who found the queue full may try again: one for each question that waits
    /// for the same worker, and no more than an answer may take.
    fn pause(&self) -> u64 {
        let each = self.queue.waiting().div_ceil(self.limits.workers) as u64;
        each.clamp(1, self.limits.time.as_secs().max(1))
    }
}
