//! Random bytes as records: nothing panics, and every line is read, passed over or broken.

use learn::records::cpu::{Form, samples};
use learn::records::json_log::JsonLog;
use learn::records::k6::Run;
use learn::records::lines::each;
use learn::records::log_format::{LogFormat, NAMES};
use learn::records::prometheus::Metrics;
use learn::records::{Requests, time};
use proptest::prelude::*;

/// Lines of real records with parts taken out, doubled and changed.
fn spoilt() -> impl Strategy<Value = Vec<u8>> {
    let seeds: Vec<&'static [u8]> = vec![
        include_bytes!("records/uvicorn.log"),
        include_bytes!("records/gunicorn.log"),
        include_bytes!("records/nginx.log"),
        include_bytes!("records/caddy.log"),
        include_bytes!("records/envoy.log"),
        include_bytes!("records/json.log"),
        include_bytes!("records/k6.ndjson"),
        include_bytes!("records/k6.csv"),
        include_bytes!("records/cpu.csv"),
        include_bytes!("records/percent.csv"),
        include_bytes!("records/pidstat.txt"),
        include_bytes!("records/docker.txt"),
        include_bytes!("records/docker.ndjson"),
        include_bytes!("records/cgroup.txt"),
        include_bytes!("records/range.json"),
        include_bytes!("records/scraped.txt"),
    ];
    let change = (any::<prop::sample::Index>(), any::<u8>(), 0_u8..4);
    let changed = (prop::sample::select(seeds), prop::collection::vec(change, 0..12)).prop_map(
        |(seed, changes)| {
            let mut bytes = seed.to_vec();
            for (at, byte, how) in changes {
                let at = at.index(bytes.len().max(1));
                match how {
                    0 if at < bytes.len() => bytes[at] = byte,
                    1 if at < bytes.len() => drop(bytes.remove(at)),
                    2 => bytes.insert(at, byte),
                    _ => bytes.truncate(at),
                }
            }
            bytes
        },
    );
    prop_oneof![4 => changed, 1 => prop::collection::vec(any::<u8>(), 0..400)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_record_makes_a_reader_panic(bytes in spoilt()) {
        let mut requests = Requests::with_room(Vec::new(), 64);
        let mut lines = Vec::new();
        let formats: Vec<LogFormat> =
            NAMES.iter().map(|name| LogFormat::new(name).expect("a known format")).collect();
        let (mut json, mut k6) = (JsonLog::default(), Run::default());
        let account = each(&bytes[..], |line| {
            lines.push(line.to_owned());
            for format in &formats {
                format.entry(line).ok().flatten().iter().for_each(|entry| requests.add(entry));
            }
            let others = [json.entry(line), k6.json(line), k6.csv(line)];
            others.iter().flatten().flatten().for_each(|entry| requests.add(entry));
            time::instant(line);
            LogFormat::new(line).ok();
            Ok(())
        }).expect("bytes in memory");
        prop_assert_eq!(account.lines, lines.len() as u64);
        for form in [Form::Table, Form::Pidstat, Form::Docker, Form::Cgroup] {
            let (cpu, _) = samples(form, &bytes[..]).expect("bytes in memory");
            for counter in cpu.sources.values() {
                let points = counter.points();
                prop_assert!(points.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1));
            }
        }
        let mut metrics = Metrics::default();
        metrics.text(&bytes[..], Some(1.0)).ok();
        metrics.range(&bytes[..]).ok();
        metrics.cpu();
        metrics.requests();
        let all = requests.all - requests.elsewhere;
        let (settled, held) = requests.settle(5);
        prop_assert_eq!(settled.endpoints.iter().map(|one| one.requests).sum::<u64>(), all);
        prop_assert!(held.iter().all(|one| (one.class as usize) < settled.endpoints.len()));
    }
}
