//! Synthetic loads whose shape is known.

use model::stream::Purpose;

use super::*;

/// Uniform numbers above 0, the same in each run.
fn uniform(seed: u64) -> impl FnMut() -> f64 {
    let purpose = Purpose::new(seed, "traffic");
    let mut index = 0;
    move || {
        index += 1;
        (purpose.draw(0, index) as f64 + 1.0) / (u64::MAX as f64 + 2.0)
    }
}

fn at(time: f64) -> Request {
    Request::new(time, None, 0, None)
}

/// Arrivals of a Poisson process whose rate changes with time.
fn poisson(seed: u64, seconds: f64, most: f64, rate: impl Fn(f64) -> f64) -> Vec<Request> {
    let mut next = uniform(seed);
    let (mut time, mut all) = (0.0, Vec::new());
    while time < seconds {
        time -= next().ln() / most;
        if next() * most < rate(time) {
            all.push(at(time));
        }
    }
    all
}

#[test]
fn independent_arrivals_have_an_index_of_one_and_one_stage() {
    let (mut covered, mut single) = (0, 0);
    for seed in 0..20 {
        let traffic = describe(&poisson(seed, 300.0, 10.0, |_| 10.0), None);
        for dispersion in &traffic.dispersion {
            let spread = 5.0 * (3.0 * dispersion.interval / 300.0).sqrt();
            assert!((dispersion.index - 1.0).abs() < spread, "{seed}: {dispersion:?}");
        }
        covered += u32::from(traffic.rate.expect("a rate").contains(10.0));
        single += u32::from(traffic.stages.len() == 1 && traffic.trend.is_none());
        assert_eq!(traffic.shape, Shape::Open);
    }
    assert!(covered >= 16 && single >= 18, "{covered} {single}");
}

#[test]
fn even_arrivals_have_an_index_near_zero_and_bursts_a_large_one() {
    let even: Vec<Request> = (0..6000).map(|i| at(f64::from(i) / 10.0)).collect();
    assert!(describe(&even, None).dispersion.iter().all(|of| of.interval < 1.0 || of.index < 0.1));
    // 100/s for half a second, then nothing for 4.5 s.
    let bursts = poisson(1, 600.0, 100.0, |time| if time % 5.0 < 0.5 { 100.0 } else { 0.0 });
    let most = describe(&bursts, None).dispersion.iter().map(|of| of.index).fold(0.0, f64::max);
    assert!(most > 10.0, "{most}");
}

#[test]
fn a_day_is_told_as_stages_and_not_as_bursts() {
    let day = |time: f64| if (28_800.0..72_000.0).contains(&time) { 3.0 } else { 0.5 };
    let traffic = describe(&poisson(2, 86_400.0, 3.0, day), None);
    let rates: Vec<f64> = traffic.stages.iter().map(|stage| stage.rate).collect();
    assert_eq!(rates.len(), 3, "{:?}", traffic.stages);
    assert!((rates[0] - 0.5).abs() < 0.1 && (rates[1] - 3.0).abs() < 0.1, "{rates:?}");
    assert!((traffic.stages[1].start - 28_800.0).abs() < 1900.0);
    assert!(traffic.dispersion.iter().all(|of| of.index < 1.3), "{:?}", traffic.dispersion);
}

#[test]
fn a_steady_growth_is_a_trend() {
    let traffic = describe(&poisson(3, 3600.0, 20.0, |time| 10.0 + 10.0 * time / 3600.0), None);
    let trend = traffic.trend.expect("a trend");
    assert!((trend.from - 10.0).abs() < 1.0 && (trend.to - 20.0).abs() < 1.0, "{trend:?}");
}

/// Users that wait for a reply, 100 ms, and think for an exponential second.
fn closed(users: u32, seconds: f64, tell: bool) -> Vec<Request> {
    let mut all = Vec::new();
    for user in 1..=users {
        let mut next = uniform(100 + u64::from(user));
        let mut time = next();
        while time < seconds {
            let user = tell.then_some(user);
            all.push(Request::new(time, Some(0.1), 0, user));
            time += 0.1 - next().ln();
        }
    }
    all.sort_by(|a, b| a.start.total_cmp(&b.start));
    all
}

#[test]
fn users_who_wait_and_think_are_a_closed_load() {
    let traffic = describe(&closed(20, 300.0, true), None);
    let Shape::Closed { users, think } = traffic.shape else { panic!("{:?}", traffic) };
    assert!(users == 20 && (think - 1.0).abs() < 0.05, "{users} {think}");
    let variation = traffic.users.expect("users").think_variation;
    assert!((variation - 1.0).abs() < 0.1, "{variation}");
    // The same by the number of users alone.
    let traffic = describe(&closed(20, 300.0, false), Some(20.0));
    let Shape::Closed { think, .. } = traffic.shape else { panic!("{:?}", traffic) };
    assert!((think - 1.0).abs() < 0.05, "{think}");
    assert_eq!(describe(&closed(20, 300.0, false), None).shape, Shape::Open);
}

#[test]
fn visitors_who_come_and_go_are_an_open_load_with_a_think_time() {
    let mut next = uniform(7);
    let mut all = Vec::new();
    for user in 1..=500 {
        let mut time = next() * 3600.0;
        for _ in 0..12 {
            all.push(Request::new(time, Some(0.1), 0, Some(user)));
            time += 0.1 + 10.0 * next();
        }
    }
    all.sort_by(|a, b| a.start.total_cmp(&b.start));
    let traffic = describe(&all, None);
    assert_eq!(traffic.shape, Shape::Open);
    assert!((traffic.users.expect("users").think_mean - 5.0).abs() < 0.3);
}

#[test]
fn many_people_behind_one_address_are_not_one_user() {
    let all = closed(20, 300.0, false);
    let all: Vec<Request> =
        all.iter().map(|one| Request::new(one.start, one.stay(), 0, Some(1))).collect();
    assert_eq!(describe(&all, None).users, None);
}

#[test]
fn times_in_whole_seconds_are_told() {
    let mut all = poisson(4, 600.0, 20.0, |_| 20.0);
    assert_eq!(describe(&all, None).resolution, 0.0);
    all.iter_mut().for_each(|arrival| arrival.start = 1e9 + arrival.start.floor());
    let traffic = describe(&all, None);
    assert!(traffic.resolution == 1.0 && traffic.dispersion.iter().all(|of| of.interval >= 1.0));
}

#[test]
fn nothing_and_one_request_are_described_too() {
    assert!(describe(&[], None).rate.is_none());
    assert!(describe(&[at(5.0)], Some(3.0)).stages.is_empty());
    assert!(describe(&[at(5.0); 9], None).rate.is_none());
}
