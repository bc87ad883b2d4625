//! Why there is no answer, as RFC 9457 has it.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Problem {
    /// What kind of problem it is, for programs: `urn:rung:scenario`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: &'static str,
    /// The status of the reply.
    pub status: u16,
    /// What happened, and what to do.
    pub detail: String,
    /// Each thing that is wrong with what was sent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Value>,
    /// Seconds after which it is worth while to ask again.
    #[serde(skip)]
    pub retry_after: Option<u64>,
}

impl Problem {
    /// A problem of the kind `name`.
    pub fn new(
        status: u16,
        name: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Problem {
        let (kind, detail) = (format!("urn:rung:{name}"), detail.into());
        Problem { kind, title, status, detail, errors: Vec::new(), retry_after: None }
    }

    pub(crate) fn retry_after(self, seconds: u64) -> Problem {
        Problem { retry_after: Some(seconds), ..self }
    }

    pub(crate) fn no_token() -> Problem {
        let detail = "show a token: a header `Authorization: Bearer TOKEN`";
        Problem::new(401, "token", "Who asks is not known", detail)
    }

    pub(crate) fn foreign() -> Problem {
        let detail = "a server without tokens answers requests for 127.0.0.1 and localhost alone, and none \
                      that a page of another origin sends";
        Problem::new(403, "foreign", "Not from this machine", detail)
    }

    pub(crate) fn no_such_path(paths: &[String]) -> Problem {
        let detail = format!("there are {}", paths.join(", "));
        Problem::new(404, "path", "There is no such path", detail)
    }

    pub(crate) fn wrong_method() -> Problem {
        let detail = "questions are asked with POST, everything else is read with GET";
        Problem::new(405, "method", "The path knows no such method", detail)
    }

    pub(crate) fn slow() -> Problem {
        let detail = "the body did not arrive in time";
        Problem::new(408, "slow", "The request came too slowly", detail)
    }

    pub(crate) fn too_long(most: usize) -> Problem {
        let detail = format!("a body may have {most} bytes");
        Problem::new(413, "body", "The body is too long", detail)
    }

    pub(crate) fn no_json() -> Problem {
        let detail = "send the body as JSON, with a header `Content-Type: application/json`";
        Problem::new(415, "type", "The body is no JSON", detail)
    }

    pub(crate) fn full(seconds: u64) -> Problem {
        let detail = "as many requests wait as may wait; ask again later";
        Problem::new(429, "busy", "Too many requests", detail).retry_after(seconds)
    }

    pub(crate) fn bug() -> Problem {
        let detail = "this is a mistake in the program, not in the question";
        Problem::new(500, "bug", "The program failed", detail)
    }

    pub(crate) fn stopping() -> Problem {
        let detail = "the server ends, and accepts nothing new; ask another one";
        Problem::new(503, "ending", "The server ends", detail).retry_after(1)
    }

    pub(crate) fn out_of_time(seconds: f64) -> Problem {
        let detail = format!(
            "an answer may take {seconds} s here: shorten the load's duration, lower its rate, or ask for \
             fewer replications"
        );
        Problem::new(503, "time", "The answer takes too long", detail).retry_after(1)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_string(&self).expect("texts and numbers");
        let mut response =
            (status, [(header::CONTENT_TYPE, "application/problem+json")], format!("{body}\n"))
                .into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
        }
        response
    }
}
