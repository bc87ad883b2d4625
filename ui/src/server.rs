//! The server: on this machine alone, for one page.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serve::{Signals, Waiting};
use tokio::net::TcpListener;
use tokio::task;

use crate::guard::Guard;
use crate::page::{self, Start};
use crate::{Engine, server};

/// A server that listens, and answers when it [runs](Server::run).
pub struct Server {
    runtime: tokio::runtime::Runtime,
    listener: TcpListener,
    /// Listened for before the address is known.
    signals: Signals,
    guard: Guard,
}

/// What requests are answered from.
struct Site {
    guard: Guard,
    engine: Arc<dyn Engine>,
    start: Start,
}

/// How long requests may take to end when the program does.
const PATIENCE: Duration = Duration::from_millis(200);

impl Server {
    /// Listens on a port of this machine; on any free one if it is 0.
    ///
    /// # Errors
    /// The port is not free, or the machine gives no random bytes.
    pub fn bind(port: u16) -> io::Result<Server> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (listener, signals) = runtime.block_on(async {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
            Ok::<_, io::Error>((listener, Signals::listen()?))
        })?;
        let guard = Guard::new(listener.local_addr()?.port())?;
        Ok(Server { runtime, listener, signals, guard })
    }

    /// The address of the page, with its token.
    pub fn address(&self) -> String {
        self.guard.address()
    }

    /// Answers until the process is asked to end, by Ctrl-C or SIGTERM.
    ///
    /// # Errors
    /// Those of the system.
    pub fn run(self, engine: Arc<dyn Engine>, start: Start) -> io::Result<()> {
        let Server { runtime, listener, mut signals, guard } = self;
        let app = app(guard, engine, start);
        let ended = runtime.block_on(async {
            tokio::select! {
                served = axum::serve(listener, app) => served,
                () = signals.next() => Ok(()),
            }
        });
        // Work whose connection is gone stops by itself.
        runtime.shutdown_timeout(PATIENCE);
        ended
    }
}

fn app(guard: Guard, engine: Arc<dyn Engine>, start: Start) -> Router {
    let site = Arc::new(Site { guard, engine, start });
    let html = || async { text("text/html", page::INDEX.into()) };
    let style = || async { text("text/css", page::style()) };
    let script = || async { text("text/javascript", page::script()) };
    Router::new()
        .route("/{token}/", get(html))
        .route("/{token}/style.css", get(style))
        .route("/{token}/app.js", get(script))
        .route("/{token}/start.js", get(server::start))
        .route("/{token}/ask", post(ask))
        .route("/{token}/save", post(save))
        .layer(middleware::from_fn_with_state(site.clone(), admit))
        .with_state(site)
}

/// Refuses who is not the page, and says what a browser may do with what it gets.
async fn admit(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let mut response = match site.guard.admits(request.uri().path(), request.headers()) {
        true => next.run(request).await,
        false => (StatusCode::FORBIDDEN, REFUSED).into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, page::POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

const REFUSED: &str = "Refused. Open the address that `sim ui` has printed, token included.\n";

fn text(kind: &str, body: String) -> Response {
    ([(header::CONTENT_TYPE, format!("{kind}; charset=utf-8"))], body).into_response()
}

async fn start(State(site): State<Arc<Site>>) -> Response {
    text("text/javascript", page::start(&site.start))
}

async fn ask(State(site): State<Arc<Site>>, question: String) -> Response {
    let waiting = Waiting::default();
    let (engine, stop) = (site.engine.clone(), waiting.flag());
    json(task::spawn_blocking(move || engine.ask(&question, &stop)).await)
}

async fn save(State(site): State<Arc<Site>>, question: String) -> Response {
    let engine = site.engine.clone();
    json(task::spawn_blocking(move || engine.save(&question)).await)
}

fn json(answer: Result<String, task::JoinError>) -> Response {
    match answer {
        Ok(answer) => text("application/json", answer),
        Err(why) => (StatusCode::INTERNAL_SERVER_ERROR, why.to_string()).into_response(),
    }
}
