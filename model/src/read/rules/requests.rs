//! Requests of endpoints: what can be sent at all.

use crate::keys::{Fields, Typed};
use crate::read::diagnostic::{Problem, Problems, brief};
use crate::request::Template;

/// Headers that the load generator writes itself.
const OWN: [&str; 4] = ["host", "content-length", "transfer-encoding", "connection"];

/// Checks the requests of all `endpoints`.
pub(super) fn check(endpoints: &[Fields], problems: &mut Problems) {
    for endpoint in endpoints {
        let Some(request) = endpoint.table("request") else { continue };
        let of = format!("endpoint.{}.request", endpoint.text("name").unwrap_or("?"));
        path(request, &of, problems);
        method(request, &of, problems);
        headers(request, &of, problems);
    }
}

fn path(request: &Fields, of: &str, problems: &mut Problems) {
    let Some(path) = request.text("path") else { return };
    for wrong in Template::path(path).err().into_iter().flatten() {
        problems.push(
            Problem::new(request.position("path"), format!("`{of}.path`: {}", wrong.found))
                .allowed(wrong.allowed)
                .advice(wrong.advice),
        );
    }
}

fn method(request: &Fields, of: &str, problems: &mut Problems) {
    let Some(method) = request.text("method") else { return };
    let capitals = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
    if !capitals || method == "CONNECT" {
        problems.push(
            Problem::new(
                request.position("method"),
                format!("`{of}.method` is \"{}\"", brief(method)),
            )
            .allowed("a method in capitals, such as \"GET\", \"POST\", \"PUT\" or \"DELETE\"")
            .advice("write the method as it stands in the first line of the request"),
        );
    }
}

fn headers(request: &Fields, of: &str, problems: &mut Problems) {
    let Some(headers) = request.table("headers") else { return };
    for field in &headers.fields {
        let name = &*field.key;
        let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        let value = match &field.value.value {
            Typed::Text(text) => text.as_str(),
            _ => continue,
        };
        let mut refuse = |found: String, allowed: &str, advice: &str| {
            let found = format!("`{of}.headers`: {found}");
            let problem = Problem::new(field.value.at, found);
            problems.push(problem.allowed(allowed.to_string()).advice(advice.to_string()));
        };
        if name.is_empty() || !name.chars().all(token) {
            refuse(
                format!("`{}` is no name of a header", brief(name)),
                "letters, digits and `-`",
                "correct the name",
            );
        } else if OWN.contains(&name.to_ascii_lowercase().as_str()) {
            refuse(
                format!("`{name}` is written by the load generator"),
                "headers beside `host`, `connection` and those of the body's length",
                "remove it: `host` is that of the URL, `load.keep_alive` says what becomes of the \
                 connection",
            );
        }
        if value.chars().any(|c| c.is_control() && c != '\t') {
            refuse(
                format!(
                    "the value of `{}` has a line end or another control character",
                    brief(name)
                ),
                "text on one line",
                "remove it",
            );
        }
    }
}
