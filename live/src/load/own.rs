//! The request of an endpoint of a service of one's own, as the scenario has it.

use std::fmt::Write as _;

use model::request::Template;
use model::scenario::Request;
use model::stream::{Draws, Purpose, lane_of_request};
use model::workload::{RequestKey, request_purpose};

/// A request with parts that are drawn: the same user draws the same in the same iteration, and a
/// retry is the same request again.
#[derive(Clone, Debug)]
pub(super) struct OwnRequest {
    /// The method and a blank.
    method: String,
    path: Drawn,
    /// From the version up to the headers with drawn parts.
    head: String,
    headers: Vec<(String, Drawn)>,
    body: Option<Drawn>,
    /// A reply to it has no body, whatever its head says.
    pub(super) bodyless: bool,
    /// It may be sent twice.
    pub(super) idempotent: bool,
}

/// A template and its draws.
#[derive(Clone, Debug)]
struct Drawn {
    template: Template,
    /// What each of its draws is for.
    purposes: Vec<Purpose>,
}

impl OwnRequest {
    /// The request of the endpoint `name` at `host`; none if its path is broken, which a scenario
    /// that was read is not.
    pub(super) fn new(
        seed: u64,
        name: &str,
        request: &Request,
        keep_alive: bool,
        host: &str,
    ) -> Option<OwnRequest> {
        let drawn = |template: Template, part: &str| {
            let purpose = |number| request_purpose(seed, name, part, number);
            Drawn { purposes: (0..template.draws()).map(purpose).collect(), template }
        };
        let mut head = format!(" HTTP/1.1\r\nhost: {host}\r\n");
        for (name, value) in request.usual_headers() {
            head += &format!("{name}: {value}\r\n");
        }
        if !keep_alive {
            head += "connection: close\r\n";
        }
        let header = |(name, value): (&String, &String)| {
            (name.clone(), drawn(Template::body(value), &format!("header.{name}")))
        };
        Some(OwnRequest {
            method: format!("{} ", request.method),
            path: drawn(Template::path(&request.path).ok()?, "path"),
            headers: request.headers.iter().map(header).collect(),
            body: request.body.as_deref().map(|body| drawn(Template::body(body), "body")),
            bodyless: request.method == "HEAD",
            idempotent: request.is_idempotent(),
            head,
        })
    }

    /// Writes the request with `key` to `out`.
    pub(super) fn write(&self, key: RequestKey, draws: &mut Draws, out: &mut String) {
        const INFALLIBLE: &str = "a string takes what is written to it";
        out.push_str(&self.method);
        self.path.write(key, draws, out);
        out.push_str(&self.head);
        for (name, value) in &self.headers {
            write!(out, "{name}: ").expect(INFALLIBLE);
            value.write(key, draws, out);
            out.push_str("\r\n");
        }
        let Some(body) = &self.body else {
            out.push_str("\r\n");
            return;
        };
        let mut text = String::new();
        body.write(key, draws, &mut text);
        write!(out, "content-length: {}\r\n\r\n{text}", text.len()).expect(INFALLIBLE);
    }
}

impl Drawn {
    fn write(&self, key: RequestKey, draws: &mut Draws, out: &mut String) {
        let lane = lane_of_request(key.lane);
        self.template.fill_into(|number| draws.draw(&self.purposes[number], lane, key.index), out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &str) -> OwnRequest {
        let file = format!(
            "costs.cpu.request = \"1ms\"
            load = {{ users = 1, duration = \"1s\" }}
            service.concurrency = \"async\"
            endpoint = [{{ name = \"items\", weight = 1, request = {text} }}]"
        );
        let scenario = model::read::load_text("shop", &file, &[]).expect("a scenario").scenario;
        let request = scenario.endpoints[0].request.as_ref().expect("it has one");
        OwnRequest::new(1, "items", request, true, "127.0.0.1:8000").expect("a good path")
    }

    fn text(request: &OwnRequest, lane: u64, index: u64) -> String {
        let mut out = String::new();
        request.write(RequestKey { lane, index }, &mut Draws::new(), &mut out);
        out
    }

    #[test]
    fn a_request_is_written_as_the_scenario_says() {
        let get = request("{ path = \"/items?page=2\" }");
        assert_eq!(
            text(&get, 0, 0),
            "GET /items?page=2 HTTP/1.1\r\nhost: 127.0.0.1:8000\r\naccept: */*\r\n\
             user-agent: rung\r\n\r\n"
        );
        assert!(get.idempotent && !get.bodyless);
        let post = request(
            "{ method = \"POST\", path = \"/items\", headers = { Accept = \"text/plain\" }, \
             body = '{\"name\": \"ä\"}' }",
        );
        assert_eq!(
            text(&post, 0, 0),
            "POST /items HTTP/1.1\r\nhost: 127.0.0.1:8000\r\nuser-agent: rung\r\n\
             content-type: application/json\r\nAccept: text/plain\r\ncontent-length: 14\r\n\r\n\
             {\"name\": \"ä\"}"
        );
        assert!(!post.idempotent);
        assert!(request("{ method = \"HEAD\", path = \"/\" }").bodyless);
    }

    #[test]
    fn each_user_and_iteration_draws_its_own_and_a_retry_the_same() {
        let many = request("{ path = \"/items/{1..1000000}/{uuid}\" }");
        let first = text(&many, 3, 7);
        assert_eq!(text(&many, 3, 7), first);
        assert_ne!(text(&many, 3, 8), first);
        assert_ne!(text(&many, 4, 7), first);
        let retry = RequestKey { lane: 3, index: 7 }.attempt(1);
        assert_eq!(text(&many, retry.lane, retry.index), first);
    }
}
