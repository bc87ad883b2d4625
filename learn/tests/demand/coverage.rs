//! The 95 % intervals hold the truth in 90 to 99 of 100 cases, over 200 seeds.

use learn::demand::{Demands, Method, estimate};
use learn::learned::Figure;

use crate::service::Service;

const SEEDS: u64 = 200;
/// Three standard errors of a share of 95 % over 200 cases, and what the promise says.
const BAND: [f64; 2] = [0.90, 0.99];

fn holds(figure: &Figure, truth: f64) -> bool {
    figure.low.is_some_and(|low| low <= truth) && figure.high.is_some_and(|high| truth <= high)
}

fn all(service: &Service) -> Vec<Demands> {
    (1..=SEEDS).map(|seed| estimate(&service.windows(seed))).collect()
}

/// The share of seeds in which the interval of each class holds its demand.
fn shares(service: &Service, found: &[Demands]) -> Vec<f64> {
    let share = |class: usize| {
        let held = |demands: &&Demands| {
            let figure = demands.classes[class].as_ref().expect("the class has requests");
            holds(figure, service.demands[class])
        };
        found.iter().filter(held).count() as f64 / found.len() as f64
    };
    (0..service.demands.len()).map(share).collect()
}

fn in_band(what: &str, shares: &[f64]) {
    println!("{what}: {shares:.3?}");
    let good = shares.iter().all(|share| (BAND[0]..=BAND[1]).contains(share));
    assert!(good, "{what}: the intervals hold the truth in {shares:.3?} of the cases");
}

fn covers(what: &str, service: &Service) {
    let found = all(service);
    assert!(found.iter().all(|demands| demands.method == Method::UtilisationRegression));
    let widths: Vec<f64> = (0..service.demands.len())
        .map(|class| {
            let width = |demands: &Demands| {
                let figure = demands.classes[class].as_ref().expect("the class has requests");
                (figure.high.unwrap_or(0.0) - figure.low.unwrap_or(0.0))
                    / 2.0
                    / service.demands[class]
            };
            found.iter().map(width).sum::<f64>() / found.len() as f64
        })
        .collect();
    let groups = found.iter().filter(|demands| !demands.groups.is_empty()).count();
    let trends = found.iter().filter(|demands| demands.trend.is_some()).count();
    println!("{what}: half widths {widths:.3?}, groups in {groups}, trends in {trends}");
    in_band(what, &shares(service, &found));
    let background = |demands: &&Demands| {
        demands.background.as_ref().is_some_and(|figure| holds(figure, service.background))
    };
    let share = found.iter().filter(background).count() as f64 / found.len() as f64;
    println!("{what}: background {share:.3}");
}

#[test]
fn of_four_classes() {
    covers("four classes", &Service::default());
}

#[test]
fn of_few_windows() {
    covers("30 windows", &Service { windows: 30, ..Service::default() });
}

#[test]
fn with_noise_in_the_cpu() {
    covers("noise of 5 %", &Service { noise: 0.05, ..Service::default() });
}

#[test]
fn with_missing_windows() {
    covers("a window in four missing", &Service { missing: 4, ..Service::default() });
}

#[test]
fn with_another_program() {
    covers(
        "another program in a window in twenty",
        &Service { outliers: 20, ..Service::default() },
    );
}

#[test]
fn near_saturation() {
    let rates = Service::default().rates.iter().map(|rate| rate * 1.6).collect();
    covers("near saturation", &Service { rates, ..Service::default() });
}

#[test]
fn without_variation_of_the_rates() {
    let service = Service { variation: 0.0, swing: 0.0, windows: 240, ..Service::default() };
    covers("rates that do not change", &service);
}

/// Two classes that always come together: their sum is known as well as a class alone.
#[test]
fn of_the_sum_of_classes_that_come_together() {
    let service = Service { pairs: true, ..Service::default() };
    let found = all(&service);
    let truth = (service.demands[0] + service.demands[1]) / 2.0;
    let mut held = 0.0;
    for demands in &found {
        assert_eq!(demands.groups.len(), 1, "{:?}", demands.groups);
        assert_eq!(demands.groups[0].classes, [0, 1]);
        held += f64::from(u8::from(holds(&demands.groups[0].seconds, truth)));
        for class in 0..2 {
            let figure = demands.classes[class].as_ref().expect("a part of the sum");
            assert!(holds(figure, service.demands[class]), "a class alone is anything: {figure:?}");
        }
    }
    in_band("sum of two classes", &[held / found.len() as f64]);
    in_band("classes beside them", &shares(&service, &found)[2..]);
}
