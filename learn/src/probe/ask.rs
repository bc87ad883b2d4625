//! The requests that a service is asked.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use model::request::{Listed, Method, Template, Wrong};
use model::stream::Purpose;

use super::target::Target;
use crate::learned;

/// A kind of request.
#[derive(Clone, Debug)]
pub struct Ask {
    /// What it is called.
    pub name: String,
    /// Its share of the load, relative to the others.
    pub weight: f64,
    /// Its method.
    pub method: Method,
    path: Template,
    headers: Vec<(String, Template)>,
    body: Option<Template>,
    draws: Purpose,
}

impl Ask {
    /// The request of an entry of a list.
    ///
    /// # Errors
    /// The problems of its path, if it cannot be read.
    pub fn new(listed: &Listed) -> Result<Ask, Vec<Wrong>> {
        let headers = listed.headers.iter();
        let name = listed.title();
        Ok(Ask {
            draws: Purpose::new(1, &format!("request@{name}")),
            name,
            weight: listed.weight,
            method: listed.method,
            path: Template::path(&listed.path)?,
            headers: headers.map(|(name, value)| (name.clone(), Template::body(value))).collect(),
            body: listed.body.as_deref().map(Template::body),
        })
    }

    /// Request number `index` to `target`.
    ///
    /// # Errors
    /// A header or the path is none, once its parts are filled in.
    pub fn request(&self, target: &Target, index: u64) -> Result<Request<Full<Bytes>>, String> {
        let mut lane = 0;
        let mut fill = |template: &Template| {
            let text = template.fill(|number| self.draws.draw(lane + number as u64, index));
            lane += template.draws() as u64;
            text
        };
        let path = format!("{}{}", target.prefix, fill(&self.path));
        let mut request = Request::builder().method(self.method.as_str()).uri(path);
        let given = |name: &str| self.headers.iter().any(|(it, _)| it.eq_ignore_ascii_case(name));
        if !given("host") {
            request = request.header("host", &target.host);
        }
        if !given("user-agent") {
            request =
                request.header("user-agent", concat!("rung-learn/", env!("CARGO_PKG_VERSION")));
        }
        for (name, value) in &self.headers {
            request = request.header(name, fill(value));
        }
        let body = self.body.as_ref().map(fill).unwrap_or_default();
        request.body(Full::new(body.into())).map_err(|error| format!("{}: {error}", self.name))
    }

    /// As a scenario has it.
    pub fn learned(&self) -> learned::Request {
        let headers = self.headers.iter();
        learned::Request {
            method: self.method.as_str().into(),
            path: self.path.written().into(),
            headers: headers.map(|(name, value)| (name.clone(), value.written().into())).collect(),
            body: self.body.as_ref().map(|body| body.written().into()),
        }
    }

    /// Method and path as they are written.
    pub fn line(&self) -> String {
        format!("{} {}", self.method.as_str(), self.path)
    }
}
