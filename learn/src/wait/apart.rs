//! A statement that takes longer for some endpoints than for others: with other values it reads other
//! rows, so it becomes a query of its own for each.

use std::collections::BTreeMap;

use super::fit::quantile;
use super::requests::{Asked, Request};

/// Endpoints whose medians are less far apart ask the same query.
const APART: f64 = 1.25;
/// A median of fewer times says nothing.
const ENOUGH: usize = 5;

/// Writes into each statement that takes differently long by endpoint which endpoints ask it.
pub(super) fn tell_apart(requests: &mut [Request]) {
    let mut times: BTreeMap<Asked, BTreeMap<String, Vec<f64>>> = BTreeMap::new();
    for request in requests.iter().filter(|request| request.good) {
        for operation in request.operations.iter().filter(|one| computes(&one.asked)) {
            let by = times.entry(operation.asked.clone()).or_default();
            by.entry(request.endpoint.clone()).or_default().push(operation.seconds());
        }
    }
    let groups = times.into_iter().map(|(asked, by)| (asked, groups(by)));
    let groups: BTreeMap<Asked, BTreeMap<String, String>> = groups.collect();
    for request in requests {
        for operation in &mut request.operations {
            let group = groups.get(&operation.asked).and_then(|by| by.get(&request.endpoint));
            if let (Asked::Query { statement, .. }, Some(group)) = (&mut operation.asked, group) {
                statement.of = Some(group.clone());
            }
        }
    }
}

/// It is a query with work on rows.
fn computes(asked: &Asked) -> bool {
    matches!(asked, Asked::Query { statement, .. } if !statement.is_control())
}

/// The group of each endpoint, called by the names in it; empty if all are one.
fn groups(by: BTreeMap<String, Vec<f64>>) -> BTreeMap<String, String> {
    let known = by.into_iter().filter(|(_, times)| times.len() >= ENOUGH);
    let mut medians: Vec<(f64, String)> = known
        .map(|(endpoint, mut times)| {
            times.sort_by(f64::total_cmp);
            (quantile(&times, 0.5), endpoint)
        })
        .collect();
    medians.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut groups: Vec<(f64, Vec<String>)> = Vec::new();
    for (median, endpoint) in medians {
        match groups.last_mut() {
            Some((least, names)) if median < APART * *least => names.push(endpoint),
            _ => groups.push((median, vec![endpoint])),
        }
    }
    if groups.len() < 2 {
        return BTreeMap::new();
    }
    let called = groups.into_iter().flat_map(|(_, names)| {
        let name = names.join(", ");
        names.into_iter().map(move |endpoint| (endpoint, name.clone()))
    });
    called.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait::requests::Operation;
    use crate::wait::sql::Statement;

    fn request(endpoint: &str, text: &str, micros: u64) -> Request {
        let asked = Asked::Query { system: "postgresql".into(), statement: Statement::new(text) };
        let operations = vec![Operation { asked, start: 0, end: micros * 1_000, outside: true }];
        Request { endpoint: endpoint.into(), start: 0, end: 1, good: true, operations }
    }

    fn asked_by(endpoint: &str, requests: &[Request]) -> Option<String> {
        let of = requests.iter().find(|request| request.endpoint == endpoint);
        let of = of.and_then(|request| request.operations.first());
        match of.map(|operation| &operation.asked) {
            Some(Asked::Query { statement, .. }) => statement.of.clone(),
            _ => None,
        }
    }

    #[test]
    fn a_statement_becomes_a_query_for_each_time_that_it_takes() {
        const ITEMS: &str = "SELECT * FROM items WHERE tag = $1 OR $1 IS NULL";
        let times = [("all", 14_000), ("some", 8_000), ("few", 8_500), ("rare", 1)];
        let mut requests = Vec::new();
        for (endpoint, micros) in times {
            let count = if endpoint == "rare" { 2 } else { 9 };
            requests.extend((0..count).map(|more| request(endpoint, ITEMS, micros + more)));
            requests.push(request(endpoint, "BEGIN", micros));
        }
        requests.sort_by_key(|request| request.operations[0].asked.clone());
        requests.reverse();
        tell_apart(&mut requests);
        assert_eq!(asked_by("all", &requests).as_deref(), Some("all"));
        assert_eq!(asked_by("some", &requests).as_deref(), Some("some, few"));
        assert_eq!(asked_by("few", &requests).as_deref(), Some("some, few"));
        assert_eq!(asked_by("rare", &requests), None, "too few to say");
        let begin = requests.iter().filter(|one| !computes(&one.operations[0].asked));
        assert!(begin.flat_map(|one| &one.operations).all(|one| matches!(
            &one.asked,
            Asked::Query { statement, .. } if statement.of.is_none()
        )));
    }

    #[test]
    fn what_takes_as_long_for_all_stays_one_query() {
        let mut requests: Vec<Request> = (0..9)
            .flat_map(|more| {
                [("one", 1_000), ("other", 1_100)]
                    .map(|(endpoint, micros)| request(endpoint, "SELECT * FROM a", micros + more))
            })
            .collect();
        let before = requests.clone();
        tell_apart(&mut requests);
        assert_eq!(requests, before);
    }
}
