//! Requests whose truth is known.

use std::collections::BTreeMap;

use super::{Cpu, Waits, steps};
use crate::learned::{Figure, Latency, Step};
use crate::wait::requests::Request;
use crate::wait::synthetic::{Draws, Script};

const ITEM: &str = "SELECT name FROM items WHERE id = $1";
const ORDERS: &str = "SELECT id FROM orders WHERE user_id = $1";

/// Steps as a line of text, CPU and waits in milliseconds.
fn words(steps: &[Step]) -> String {
    let word = |step: &Step| match step {
        Step::Cpu(cpu) => format!("cpu {:.1}", cpu.mean()[0] * 1e3),
        Step::Wait(Latency::Constant(wait)) => format!("wait {:.1}", wait.value * 1e3),
        Step::Wait(_) | Step::Block(_) => "wait".to_owned(),
        Step::Query(name) => name.clone(),
        Step::Call(name) => format!("call {name}"),
        Step::Parallel(branches) => format!("[{}]", words(branches)),
    };
    steps.iter().map(word).collect::<Vec<_>>().join("; ")
}

fn cpu(alone: f64, here: f64) -> BTreeMap<String, Cpu> {
    let alone = Figure::measured(alone, [alone * 0.9, alone * 1.1], "CPU");
    BTreeMap::from([("GET /".to_owned(), Cpu { alone, here, beside: 0.0 })])
}

fn get() -> Script {
    Script::new("GET /")
}

fn only(waits: &Waits) -> &super::Steps {
    assert_eq!(waits.endpoints.len(), 1);
    &waits.endpoints[0]
}

fn many(one: impl Fn(&mut Draws, usize) -> Request) -> Vec<Request> {
    let mut draws = Draws::new(7);
    (0..200).map(|index| one(&mut draws, index)).collect()
}

#[test]
fn a_sequence_with_cpu_between() {
    let requests = many(|draws, _| {
        let quote = draws.lognormal(0.2, 0.5);
        get().gap(1e-3).query(ITEM, 2e-3).gap(1e-3).call("partner", quote).gap(2e-3).end()
    });
    let waits = steps(&requests, &cpu(2e-3, 4e-3));
    assert_eq!(words(&only(&waits).steps), "cpu 0.5; select_items; cpu 0.5; call partner; cpu 1.0");
    assert_eq!(waits.notes, Vec::<String>::new());
    assert!((only(&waits).uncovered.value - 4e-3).abs() < 1e-6);
    let Latency::Lognormal { p50, .. } = &waits.upstreams[0].latency else {
        panic!("no lognormal")
    };
    assert!(p50.low.expect("it is there") < 0.2 && 0.2 < p50.high.expect("it is there"), "{p50:?}");
    let database = waits.database.expect("it is there");
    assert!((database.queries[0].time.value - 1.9e-3).abs() < 1e-6, "{:?}", database.queries);
    assert!((database.round_trip.expect("it is there").value - 0.1e-3).abs() < 1e-9);
}

#[test]
fn calls_at_the_same_time() {
    let requests = many(|draws, _| {
        let times = [0; 3].map(|_| ("partner", draws.lognormal(0.05, 0.3)));
        get().gap(1e-3).gather(&times).gap(1e-3).end()
    });
    let waits = steps(&requests, &cpu(1e-3, 2e-3));
    let wanted = "cpu 0.5; [call partner; call partner; call partner]; cpu 0.5";
    assert_eq!(words(&only(&waits).steps), wanted);
}

#[test]
fn a_query_for_each_row() {
    let requests = many(|_, index| {
        let rows = 2 + index % 5;
        let begin = get().gap(1e-3).query(ORDERS, 1e-3);
        (0..rows).fold(begin, |script, _| script.gap(1e-4).query(ITEM, 1e-3)).gap(1e-3).end()
    });
    let waits = steps(&requests, &cpu(2.4e-3, 2.4e-3));
    let items = ["select_items"; 4].join("; ");
    let wanted = format!("cpu 1.0; select_orders; cpu 0.4; {items}; cpu 1.0");
    assert_eq!(words(&only(&waits).steps), wanted);
    assert_eq!(
        waits.notes,
        [
            "GET /: select_items: 2 to 6 times a request, 4.0 at the mean; the steps have it 4 times."
        ]
    );
}

#[test]
fn two_calls_for_each_row() {
    let requests = many(|_, index| {
        let begin = get().query(ORDERS, 1e-3);
        let row = |script: Script, _| script.query(ITEM, 1e-3).call("partner", 5e-3);
        (0..1 + index % 3).fold(begin, row).end()
    });
    let waits = steps(&requests, &BTreeMap::new());
    let row = "select_items; call partner";
    assert_eq!(words(&only(&waits).steps), format!("select_orders; {row}; {row}"));
}

#[test]
fn a_call_in_a_quarter_of_the_requests() {
    let requests = many(|draws, index| {
        let script = get().query(ITEM, 1e-3);
        match index % 4 {
            0 => script.call("partner", draws.lognormal(0.1, 0.3)).query(ORDERS, 1e-3).end(),
            _ => script.query(ORDERS, 1e-3).end(),
        }
    });
    let waits = steps(&requests, &BTreeMap::new());
    let name = "partner in 25 % of GET /";
    let wanted = format!("select_items; call {name}; select_orders");
    assert_eq!(words(&only(&waits).steps), wanted);
    assert_eq!(waits.upstreams.len(), 1, "the call of all requests is not there");
    let Latency::Quantiles(points, mean) = &waits.upstreams[0].latency else { panic!("no table") };
    assert_eq!(points[..2], [(0.0, 0.0), (0.75, 0.0)]);
    assert!(points.windows(2).all(|two| two[0].0 < two[1].0 && two[0].1 <= two[1].1));
    assert!(points[2].1 > 0.01 && (0.02..0.035).contains(&mean.value), "{points:?}");
    assert_eq!(waits.notes.len(), 1);
    assert!(waits.notes[0].contains("in 25 % of the requests only"), "{:?}", waits.notes);
}

/// The time of a query with its round trip, in milliseconds.
fn milliseconds(waits: &Waits, query: &str) -> f64 {
    let database = waits.database.as_ref().expect("it is there");
    let found = database.queries.iter().find(|one| one.name == query).expect("it is there");
    (found.time.value + database.round_trip.as_ref().expect("it is there").value) * 1e3
}

#[test]
fn one_of_several_queries_is_one_step() {
    const TABLES: [&str; 5] = ["a", "b", "c", "d", "e"];
    let requests = many(|_, index| {
        let which = index % TABLES.len();
        let one = format!("SELECT n FROM {} WHERE id = $1", TABLES[which]);
        get().query(ITEM, 1e-3).query(&one, (1 + which) as f64 * 1e-3).query(ORDERS, 1e-3).end()
    });
    let waits = steps(&requests, &BTreeMap::new());
    let steps = &only(&waits).steps;
    assert_eq!(words(steps), "select_items; select_e_or_other; select_orders");
    assert!((milliseconds(&waits, "select_e_or_other") - 3.0).abs() < 0.05);
    assert_eq!(waits.notes.len(), 1, "{:?}", waits.notes);
    assert!(waits.notes[0].contains("only some requests ask select_a (20 %), select_b (20 %)"));
}

#[test]
fn a_long_query_of_few_requests_is_not_lost() {
    let requests = many(|_, index| {
        let script = get().query(ITEM, 1e-3);
        let script =
            if index % 10 == 0 { script.query("SELECT n FROM big", 50e-3) } else { script };
        script.query(ORDERS, 1e-3).end()
    });
    let waits = steps(&requests, &BTreeMap::new());
    assert_eq!(words(&only(&waits).steps), "select_items; select_orders; select_big_or_other");
    assert!((milliseconds(&waits, "select_big_or_other") - 5.0).abs() < 0.05);
}

#[test]
fn what_is_neither_cpu_nor_a_call_is_a_wait() {
    let requests = many(|_, _| {
        get().gap(1e-3).query(ITEM, 1e-3).gap(51e-3).query(ORDERS, 1e-3).gap(1e-3).end()
    });
    let waits = steps(&requests, &cpu(3e-3, 3e-3));
    let wanted = "cpu 1.0; select_items; cpu 1.0; wait 50.0; select_orders; cpu 1.0";
    assert_eq!(words(&only(&waits).steps), wanted);
}

#[test]
fn cpu_of_the_client_is_no_part_of_a_call() {
    // 6 ms of CPU, but 2 ms that nothing covers: each of both calls holds 2 ms of it.
    let requests =
        many(|_, _| get().gap(1e-3).call("one", 12e-3).call("two", 22e-3).gap(1e-3).end());
    let waits = steps(&requests, &cpu(6e-3, 6e-3));
    let latency = |index: usize| match &waits.upstreams[index].latency {
        Latency::Constant(time) => (time.value * 1e3).round(),
        other => panic!("{other:?}"),
    };
    assert_eq!([latency(0), latency(1)], [10.0, 20.0]);
    assert_eq!(words(&only(&waits).steps), "cpu 3.0; call one; call two; cpu 3.0");
}

#[test]
fn a_delay_by_other_programs_is_no_wait() {
    // 2 ms of CPU, and 3 ms for which no processor was free.
    let requests = many(|_, _| get().gap(2.5e-3).query(ITEM, 1e-3).gap(2.5e-3).end());
    let mut known = cpu(2e-3, 2e-3);
    assert_eq!(
        words(&only(&steps(&requests, &known)).steps),
        "cpu 1.0; wait 1.5; select_items; cpu 1.0; wait 1.5"
    );
    known.values_mut().for_each(|cpu| cpu.beside = 3e-3);
    assert_eq!(words(&only(&steps(&requests, &known)).steps), "cpu 1.0; select_items; cpu 1.0");
}

#[test]
fn a_write_commits_by_itself() {
    let requests = many(|_, _| {
        let script = get().query("BEGIN", 1e-4).query(ITEM, 1e-3);
        script.query("INSERT INTO orders VALUES ($1)", 1e-3).query("COMMIT", 5e-3).end()
    });
    let waits = steps(&requests, &BTreeMap::new());
    assert_eq!(words(&only(&waits).steps), "begin; select_items; insert_orders");
    let database = waits.database.as_ref().expect("it is there");
    assert!((database.round_trip.as_ref().expect("it is there").value - 1e-4).abs() < 1e-9);
    assert!(database.queries.iter().all(|query| query.writes == (query.name == "insert_orders")));
    let commit = database.commit.as_ref().expect("it was seen");
    assert!((commit.value - 4.9e-3).abs() < 1e-9, "{commit:?}");
}

#[test]
fn one_commit_of_two_writes_is_counted_once() {
    let requests = many(|_, _| {
        let script = get().query("BEGIN", 1e-4).query("INSERT INTO orders VALUES ($1)", 1e-3);
        script.query("UPDATE items SET left = 1", 1e-3).query("COMMIT", 5e-3).end()
    });
    let database = steps(&requests, &BTreeMap::new()).database.expect("it is there");
    let writes = |name: &str| database.queries.iter().any(|one| one.name == name && one.writes);
    assert!(!writes("insert_orders") && writes("update_items"), "{:?}", database.queries);
}

#[test]
fn a_write_that_is_a_transaction_by_itself_takes_as_long_as_it_took() {
    let requests = many(|_, _| {
        let script = get().query("BEGIN", 1e-4).query("UPDATE items SET left = 1", 1e-3);
        let script = script.query("COMMIT", 5e-3);
        script.query("INSERT INTO orders VALUES ($1)", 7e-3).query("DELETE FROM a", 2e-3).end()
    });
    let database = steps(&requests, &BTreeMap::new()).database.expect("it is there");
    let of =
        |name: &str| database.queries.iter().find(|one| one.name == name).expect("it is there");
    // The step that writes adds a commit of 4.9 ms and two round trips of 0.1 ms.
    assert!(of("insert_orders").writes && (of("insert_orders").time.value - 1.9e-3).abs() < 1e-9);
    // It is over sooner than a commit: so it is none.
    assert!(!of("delete_a").writes && (of("delete_a").time.value - 1.9e-3).abs() < 1e-9);
}

#[test]
fn statements_and_paths_that_differ_have_names_of_their_own() {
    let requests = many(|_, index| {
        let script = get().query(ITEM, 1e-3).query("SELECT id FROM items", 9e-3);
        script.call("partner", if index % 2 == 0 { 1e-3 } else { 1.1e-3 }).end()
    });
    let waits = steps(&requests, &BTreeMap::new());
    assert_eq!(words(&only(&waits).steps), "select_items_2; select_items; call partner");
}

#[test]
fn errors_are_left_out_and_counted() {
    let mut requests = many(|_, _| get().query(ITEM, 1e-3).end());
    requests.truncate(30);
    for request in &mut requests[..20] {
        request.good = false;
    }
    let waits = steps(&requests, &BTreeMap::new());
    assert_eq!(only(&waits).requests, 10);
    assert_eq!(
        waits.notes,
        [
            "GET /: 20 of 30 requests ended in errors, and are not in its steps.",
            "GET /: its steps are known from 10 requests only.",
        ]
    );
}

#[test]
fn without_calls_there_is_cpu_alone() {
    let requests = many(|_, _| get().gap(4e-3).end());
    assert_eq!(words(&only(&steps(&requests, &cpu(3e-3, 4e-3))).steps), "cpu 3.0");
    let unknown = steps(&requests, &BTreeMap::new());
    assert_eq!(words(&only(&unknown).steps), "cpu 4.0");
    let Step::Cpu(Latency::Constant(figure)) = &only(&unknown).steps[0] else { panic!("no CPU") };
    assert_eq!(figure.origin, crate::learned::Origin::Assumed);
    assert!(steps(&[], &BTreeMap::new()).endpoints.is_empty());
}
