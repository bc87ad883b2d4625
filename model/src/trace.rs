//! Arrivals that were recorded: the instant of each, and what it called where that is known.

use std::collections::BTreeMap;

use crate::scenario::Endpoint;
use crate::units::{Instant, Span};

/// Arrivals in the order of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    arrivals: Vec<Arrival>,
    /// What was called, each once.
    names: Vec<String>,
    numbers: BTreeMap<String, u32>,
    of: Names,
}

/// What the names of a trace are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Names {
    /// Those of endpoints.
    #[default]
    Endpoints,
    /// A method and a path, as in `GET /items/17`: endpoints whose names have that form take the
    /// requests that fit. Without such an endpoint nothing is known of what was called.
    Requests,
}

/// One arrival.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Arrival {
    at: Instant,
    name: Option<u32>,
}

impl Trace {
    /// No arrivals yet.
    pub fn new(of: Names) -> Trace {
        Trace { of, ..Trace::default() }
    }

    /// What its names are.
    pub fn of(&self) -> Names {
        self.of
    }

    /// Adds an arrival behind the last one. Gives the number of its name, and whether it is new.
    pub(crate) fn push(&mut self, at: Instant, name: Option<&str>) -> Option<(u32, bool)> {
        let found = name.map(|name| match self.numbers.get(name) {
            Some(&number) => (number, false),
            None => {
                let number = self.names.len() as u32;
                self.names.push(name.to_string());
                self.numbers.insert(name.to_string(), number);
                (number, true)
            }
        });
        self.arrivals.push(Arrival { at, name: found.map(|(number, _)| number) });
        found
    }

    /// How many arrivals there are.
    pub fn len(&self) -> usize {
        self.arrivals.len()
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.arrivals.is_empty()
    }

    /// When arrival `index` comes, counted from the start of the run.
    pub fn at(&self, index: u64) -> Option<Instant> {
        Some(self.arrivals.get(usize::try_from(index).ok()?)?.at)
    }

    /// Moves arrival `index`.
    pub(crate) fn set_at(&mut self, index: usize, at: Instant) {
        self.arrivals[index].at = at;
    }

    /// What arrival `index` called, as a number of [`Trace::names`].
    pub fn name(&self, index: u64) -> Option<usize> {
        let name = self.arrivals.get(usize::try_from(index).ok()?)?.name?;
        Some(name as usize)
    }

    /// All that was called.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Arrivals before `end`.
    pub fn count(&self, end: Span) -> usize {
        self.arrivals.partition_point(|arrival| arrival.at < Instant::START + end)
    }

    /// From the start of the run to the end of the last arrival's second.
    pub fn length(&self) -> Span {
        const SECOND: u64 = 1_000_000_000;
        let last = self.arrivals.last().map_or(0, |arrival| arrival.at.nanos());
        Span::from_nanos((last / SECOND + 1).saturating_mul(SECOND))
    }

    /// The index of the endpoint that each name stands for; none for a name that fits no endpoint.
    /// None at all if nothing is known of what was called.
    pub fn endpoints(&self, endpoints: &[Endpoint]) -> Option<Vec<Option<usize>>> {
        let names: BTreeMap<&str, usize> =
            endpoints.iter().zip(0..).map(|(endpoint, index)| (&*endpoint.name, index)).collect();
        let templates: Vec<(Request<'_>, usize)> = match self.of {
            Names::Endpoints => Vec::new(),
            Names::Requests => {
                let requests = endpoints.iter().map(|endpoint| Request::of(&endpoint.name));
                requests.zip(0..).filter_map(|(request, index)| Some((request?, index))).collect()
            }
        };
        if self.of == Names::Requests && templates.is_empty() {
            return None;
        }
        let find = |name: &String| {
            names.get(&**name).copied().or_else(|| {
                let request = Request::of(name)?;
                templates.iter().find(|(form, _)| form.takes(&request)).map(|&(_, index)| index)
            })
        };
        Some(self.names.iter().map(find).collect())
    }

    /// How many arrivals before `end` call each of the endpoints, and how many of them do not say
    /// what they call.
    pub fn calls(&self, endpoints: &[Endpoint], end: Span) -> (Vec<u64>, u64) {
        let known = self.endpoints(endpoints).unwrap_or_default();
        let (mut calls, mut unknown) = (vec![0; endpoints.len()], 0);
        for arrival in &self.arrivals[..self.count(end)] {
            let endpoint = arrival.name.and_then(|name| *known.get(name as usize)?);
            match endpoint {
                Some(index) => calls[index] += 1,
                None => unknown += 1,
            }
        }
        (calls, unknown)
    }

    /// As a file has it that is read back to the same arrivals.
    pub fn text(&self) -> String {
        let mut text = match (self.names.is_empty(), self.of) {
            (true, Names::Endpoints) => "time\n".to_string(),
            (false, Names::Endpoints) => "time,endpoint\n".to_string(),
            (_, Names::Requests) => "time,request\n".to_string(),
        };
        for arrival in &self.arrivals {
            text.push_str(&seconds(arrival.at.nanos()));
            if let Some(name) = arrival.name {
                text.push(',');
                text.push_str(&cell(&self.names[name as usize]));
            }
            text.push('\n');
        }
        text
    }
}

/// A request, or the requests that an endpoint takes.
struct Request<'a> {
    method: &'a str,
    path: &'a str,
}

impl<'a> Request<'a> {
    fn of(name: &'a str) -> Option<Request<'a>> {
        let (method, path) = name.split_once(' ')?;
        let is_method = !method.is_empty() && method.bytes().all(|b| b.is_ascii_uppercase());
        (is_method && path.starts_with('/')).then_some(Request { method, path })
    }

    /// This is a form such as `GET /items/{id}`, and `request` fits it.
    fn takes(&self, request: &Request<'_>) -> bool {
        let is_open =
            |part: &str| part.starts_with(':') || (part.starts_with('{') && part.ends_with('}'));
        let parts = |path: &'a str| path.split('/');
        self.method == request.method
            && parts(self.path).count() == request.path.split('/').count()
            && parts(self.path)
                .zip(request.path.split('/'))
                .all(|(form, part)| form == part || (is_open(form) && !part.is_empty()))
    }
}

/// Nanoseconds as seconds, with no more digits than they need.
fn seconds(nanos: u64) -> String {
    let text = format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

/// A text as CSV has it.
fn cell(text: &str) -> String {
    match text.contains([',', '"']) || text.trim() != text || text.is_empty() {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_fits_the_form_of_its_path() {
        let fits = |form: &str, request: &str| {
            Request::of(form)
                .zip(Request::of(request))
                .is_some_and(|(form, request)| form.takes(&request))
        };
        assert!(fits("GET /items/{id}", "GET /items/17"));
        assert!(fits("GET /items/:id/parts", "GET /items/17/parts"));
        assert!(fits("GET /", "GET /"));
        for other in ["POST /items/17", "GET /items", "GET /items/", "GET /items/17/parts", "items"]
        {
            assert!(!fits("GET /items/{id}", other), "{other}");
        }
        assert!(Request::of("list items").is_none());
    }

    #[test]
    fn times_have_no_more_digits_than_they_need() {
        assert_eq!(seconds(0), "0");
        assert_eq!(seconds(1_500_000_000), "1.5");
        assert_eq!(seconds(20_000_000_000), "20");
        assert_eq!(seconds(1), "0.000000001");
        assert_eq!(cell("a,\"b\""), "\"a,\"\"b\"\"\"");
    }
}
