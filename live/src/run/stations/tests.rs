use super::*;

const SECOND: u64 = 1_000_000_000;

/// What the process that began at `born` has counted by `at` seconds: computing half of
/// the time, with one request at each place.
fn counted(born: u64, at: u64) -> Snapshot {
    let nanos = (at - born) * SECOND;
    let reading = GaugeReading { value: 1, area: nanos, peak: 1, entries: 10 * (at - born) };
    let places = vec![reading; place::REPLY.index() + 1];
    Snapshot {
        process: 7,
        born: born * SECOND,
        at: at * SECOND,
        cpu: nanos / 2,
        loop_idle: nanos / 2,
        stations: StationReadings { places, requests: reading, ..StationReadings::default() },
        ..Snapshot::default()
    }
}

fn scenario(more: &str) -> Scenario {
    let text = format!(
        r#"
        costs.cpu.request = "1ms"
        costs.query.default.engine = "50us"
        load = {{ users = 1, duration = "1s" }}
        service.concurrency = "async"
        {more}
        "#
    );
    model::read::load_text("shop", &text, &[]).expect("a scenario").scenario
}

fn stations(open: &Snapshot, close: &Snapshot) -> Vec<Station> {
    let endpoint = r#"endpoint = [{ name = "list", weight = 1, steps = [{ cpu = "1ms" }] }]"#;
    let spans = Span::all(std::slice::from_ref(open), std::slice::from_ref(close));
    Window::new(&scenario(endpoint), &spans, 10.0, 0.0).stations()
}

fn named<'a>(stations: &'a [Station], name: &str) -> Option<&'a Station> {
    stations.iter().find(|station| station.id.to_string() == name)
}

fn utilisation(stations: &[Station], name: &str) -> f64 {
    named(stations, name).map_or(0.0, |station| station.utilisation)
}

#[test]
fn a_worker_counts_from_edge_to_edge() {
    let stations = stations(&counted(0, 20), &counted(0, 30));
    assert_eq!(utilisation(&stations, "cpu"), 0.5);
    assert_eq!(utilisation(&stations, "loop"), 0.5);
    assert_eq!(named(&stations, "cpu").map(|cpu| cpu.visits), Some(10.0));
}

#[test]
fn a_worker_in_the_place_of_another_counts_from_its_beginning() {
    let stations = stations(&counted(0, 20), &counted(26, 30));
    assert_eq!(utilisation(&stations, "cpu"), 0.2);
    // The loop is not taken for busy before there was one.
    assert_eq!(utilisation(&stations, "loop"), 0.2);
    assert_eq!(named(&stations, "cpu").map(|cpu| cpu.visits), Some(4.0));
    // The kernel gives numbers of processes again.
    assert_eq!(counted(0, 20).process, counted(26, 30).process);
}

#[test]
fn a_worker_that_says_nothing_is_left_out() {
    let silent = Snapshot::default();
    assert_eq!(Span::new(&counted(0, 20), &silent), None);
    assert_eq!(Span::all(&[counted(0, 20), silent.clone()], &[silent.clone(), silent.clone()]), []);
    let at_the_end = stations(&counted(0, 20), &silent);
    assert_eq!((at_the_end.len(), utilisation(&at_the_end, "cpu")), (1, 0.0));
    let at_the_beginning = stations(&silent, &counted(26, 30));
    assert_eq!(utilisation(&at_the_beginning, "cpu"), 0.2);
}

#[test]
fn no_number_is_ever_negative() {
    let close = counted(0, 30);
    let mut open = counted(0, 20);
    for reading in &mut open.stations.places {
        reading.area = close.stations.places[0].area + 1_000;
    }
    for station in stations(&open, &close) {
        let Station { utilisation, in_flight_mean, waiting_time_mean, visits, .. } = station;
        let all = [utilisation, in_flight_mean, waiting_time_mean, visits];
        assert!(all.iter().all(|number| *number >= 0.0), "{all:?}");
    }
}

/// A worker that was blocked in calls of its upstream half of the time and computed a
/// tenth of it, in ten seconds; its loop has seen little of its queue.
fn blocked() -> (Scenario, Vec<Span>) {
    let scenario = scenario(
        r#"
        database.connections = { kind = "pool", size = 1 }
        upstream.partner.latency = "60ms"
        endpoint = [{ name = "q", weight = 1, steps = [{ read = "i" }, { call = "partner" }] }]
        "#,
    );
    let open = Snapshot { at: 20 * SECOND, ..Snapshot::default() };
    let mut close =
        Snapshot { at: 30 * SECOND, cpu: 2 * SECOND, loop_idle: 4 * SECOND, ..Snapshot::default() };
    let reading = |seconds, entries| GaugeReading {
        area: seconds * SECOND,
        entries,
        ..GaugeReading::default()
    };
    let readings = &mut close.stations;
    readings.places = vec![GaugeReading::default(); place::count(&scenario)];
    readings.places[place::CPU.index()] = reading(1, 200);
    readings.places[place::LOOP.index()] = reading(2, 0);
    readings.places[place::upstream(0).index()] = reading(5, 100);
    // Seen when it was over, and as it lasted.
    readings.places[place::POOL.index()] = reading(1, 10);
    readings.pool_waiting = reading(3, 100);
    readings.pool = reading(0, 100);
    readings.requests = reading(9, 100);
    let spans = Span::all(&[open], &[close]);
    (scenario, spans)
}

#[test]
fn stations_hold_the_requests_that_are_in_flight() {
    let (scenario, spans) = blocked();
    let in_flight = 6.0;
    let stations = Window::new(&scenario, &spans, 10.0, in_flight).stations();
    let at = |name: &str| named(&stations, name).map_or(0.0, |station| station.in_flight_mean);
    assert_eq!((at("cpu"), at("upstream partner"), at("database pool")), (0.1, 0.5, 0.3));
    // A loop at work is no request by itself.
    let busy = utilisation(&stations, "loop");
    assert_eq!(busy, 0.6);
    let held = at("cpu") + at("upstream partner") + at("database pool") + at("loop") - busy;
    assert!((held - in_flight).abs() < 1e-9, "{held}");
    let waiting = named(&stations, "loop").map(|station| station.waiting_time_mean);
    // 51 s of waiting for 100 requests.
    assert_eq!(waiting, Some(0.51));
}

#[test]
fn the_queue_of_a_loop_is_at_least_what_the_loop_has_seen() {
    let (scenario, spans) = blocked();
    let stations = Window::new(&scenario, &spans, 10.0, 0.5).stations();
    let queue = named(&stations, "loop").map(|station| station.in_flight_mean - 0.6);
    assert!(queue.is_some_and(|queue| (queue - 0.2).abs() < 1e-9), "{queue:?}");
}

#[test]
fn rounds_are_averaged_and_their_spread_is_an_interval() {
    let (scenario, spans) = blocked();
    let round = |seconds| Window::new(&scenario, &spans, seconds, 1.0).stations();
    let (fast, slow) = (round(10.0), round(20.0));
    let both = merged(&[fast.clone(), slow, Vec::new()], 0.95);
    let cpu = named(&both, "cpu").expect("it is there");
    assert!((cpu.utilisation - 0.1).abs() < 1e-9, "{cpu:?}");
    assert!(cpu.utilisation_interval.half_width() > 0.0);
    let alone = merged(std::slice::from_ref(&fast), 0.95);
    assert_eq!(alone, fast);
}
