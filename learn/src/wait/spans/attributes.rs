//! Attributes by the semantic conventions of OpenTelemetry, current and older: the current name
//! comes first wherever several are asked for.

use std::collections::BTreeMap;

use super::{Kind, Work};

/// What was recorded with a span, all values as text.
#[derive(Debug, Default)]
pub(super) struct Attributes(BTreeMap<String, String>);

impl FromIterator<(String, String)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Attributes {
        Attributes(pairs.into_iter().collect())
    }
}

impl Attributes {
    /// The first of these that is there and not empty.
    pub(super) fn first(&self, names: &[&str]) -> Option<&str> {
        names
            .iter()
            .filter_map(|name| self.0.get(*name))
            .map(String::as_str)
            .find(|value| !value.is_empty())
    }

    fn owned(&self, names: &[&str]) -> Option<String> {
        self.first(names).map(str::to_owned)
    }

    /// What was done in a span of this kind.
    pub(super) fn work(&self, kind: Kind) -> Work {
        match kind {
            Kind::Server => self.request(),
            Kind::Consumer => Work::Other,
            _ => self.query().or_else(|| self.call(kind)).unwrap_or(Work::Other),
        }
    }

    fn request(&self) -> Work {
        let Some(method) = self.first(&["http.request.method", "http.method", "rpc.method"]) else {
            return Work::Other;
        };
        let path = self
            .first(&["url.path", "http.target"])
            .map(without_query)
            .or_else(|| self.first(&["url.full", "http.url"]).map(|url| address_and_path(url).1));
        Work::Request {
            method: method.to_ascii_uppercase(),
            route: self.owned(&["http.route", "rpc.service"]),
            path: path.map(str::to_owned),
            status: self
                .first(&["http.response.status_code", "http.status_code"])
                .and_then(|status| status.parse().ok()),
        }
    }

    /// A span of a database without statement and operation is the opening of a connection.
    fn query(&self) -> Option<Work> {
        let system = self.owned(&["db.system.name", "db.system"])?;
        let statement = self.owned(&["db.query.text", "db.statement"]);
        let operation = self.owned(&["db.operation.name", "db.operation"]);
        if statement.is_none() && operation.is_none() {
            return None;
        }
        let table = self.owned(&["db.collection.name", "db.sql.table", "db.mongodb.collection"]);
        Some(Work::Query { system, statement, operation, table })
    }

    fn call(&self, kind: Kind) -> Option<Work> {
        let method = self.first(&["http.request.method", "http.method"]);
        let what = method.or_else(|| self.first(&["rpc.system", "messaging.system"]))?;
        if kind == Kind::Internal {
            return None;
        }
        let url = self.first(&["url.full", "http.url"]).map(address_and_path);
        let path = self
            .first(&["url.path", "http.target", "rpc.method", "messaging.destination.name"])
            .map(without_query)
            .or(url.map(|(_, path)| path));
        Some(Work::Call {
            peer: self.peer().or(url.map(|(host, _)| host.to_owned())).unwrap_or(what.to_owned()),
            method: method.unwrap_or_default().to_ascii_uppercase(),
            path: path.unwrap_or("/").to_owned(),
        })
    }

    /// The other side: what the user calls it, else its address, with the port if it is unusual.
    fn peer(&self) -> Option<String> {
        if let Some(name) = self.first(&["peer.service"]) {
            return Some(name.to_owned());
        }
        let Some(host) = self.first(&["server.address", "net.peer.name"]) else {
            return self.owned(&["http.host", "rpc.service"]);
        };
        let port = self.first(&["server.port", "net.peer.port"]);
        let unusual = port.filter(|port| !["80", "443"].contains(port) && !host.contains(':'));
        Some(unusual.map_or(host.to_owned(), |port| format!("{host}:{port}")))
    }
}

fn without_query(path: &str) -> &str {
    path.split(['?', '#']).next().unwrap_or(path)
}

/// `http://partner:9000/quote?x=1` is `partner:9000` and `/quote`.
fn address_and_path(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = without_query(rest);
    let (host, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let host = host.strip_suffix(":80").or(host.strip_suffix(":443")).unwrap_or(host);
    (host, path)
}
