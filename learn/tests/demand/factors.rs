//! The five factors of Spinner, Casale, Brosig and Kounev (2015), one at a time.
//!
//! Bands are set from theory before any run: the error of a regression follows from how much the counts
//! of a class vary and how much the CPU of single requests does.

use learn::demand::{Demands, Method, complete_information, estimate};

use crate::service::Service;

const SEEDS: u64 = 20;
/// A measured error may be this much greater than that of theory: it is itself known to 16 % from 20 seeds.
const SLACK: f64 = 1.5;

fn one(demand: f64, rate: f64) -> Service {
    Service { demands: vec![demand], rates: vec![rate], follows: vec![0], ..Service::default() }
}

/// The same classes at another share of busy processors.
fn at_load(service: Service, load: f64) -> Service {
    let factor = load / service.load();
    Service { rates: service.rates.iter().map(|rate| rate * factor).collect(), ..service }
}

/// The relative standard error of a regression on independent counts, mean over classes.
fn theory(service: &Service) -> f64 {
    let each = || service.demands.iter().zip(&service.rates);
    let left: f64 = each().map(|(demand, rate)| rate * service.length * demand * demand).sum();
    let own = service.variation.powi(2).exp() - 1.0;
    let error = |(demand, rate): (&f64, &f64)| {
        let count = rate * service.length;
        (left / (service.windows as f64 * (count + own * count * count))).sqrt() / demand
    };
    each().map(error).sum::<f64>() / service.demands.len() as f64
}

/// Relative errors, mean of absolute values over classes and seeds, and the same with their signs.
fn errors(service: &Service, of: impl Fn(u64) -> Demands) -> [f64; 2] {
    let mut sum = [0.0; 2];
    for seed in 1..=SEEDS {
        let demands = of(seed);
        for (figure, truth) in demands.classes.iter().zip(&service.demands) {
            let error = figure.as_ref().expect("a class with requests").value / truth - 1.0;
            sum = [sum[0] + error.abs(), sum[1] + error];
        }
    }
    sum.map(|sum| sum / SEEDS as f64 / service.demands.len() as f64)
}

fn regression(service: &Service) -> [f64; 2] {
    errors(service, |seed| estimate(&service.windows(seed)))
}

fn complete(service: &Service) -> [f64; 2] {
    let names: Vec<String> = service.demands.iter().map(|demand| demand.to_string()).collect();
    errors(service, |seed| {
        complete_information(&names, &service.run(seed).stays, service.processors)
    })
}

/// What is said where no CPU was recorded.
fn without_cpu(service: &Service, in_flight: bool, seed: u64) -> Demands {
    let mut windows = service.windows(seed);
    for window in &mut windows.windows {
        window.cpu = None;
        if !in_flight {
            window.classes.iter_mut().for_each(|seen| seen.in_flight = None);
        }
    }
    estimate(&windows)
}

fn line(factor: &str, value: &str, service: &Service) -> [[f64; 2]; 4] {
    let found = [
        regression(service),
        complete(service),
        errors(service, |seed| without_cpu(service, true, seed)),
        errors(service, |seed| without_cpu(service, false, seed)),
    ];
    let cells: Vec<String> = found
        .iter()
        .map(|[size, bias]| format!("{:.0} % ({:+.0})", 100.0 * size, 100.0 * bias))
        .collect();
    println!(
        "| {factor} | {value} | {} | theory {:.0} %",
        cells.join(" | "),
        100.0 * theory(service)
    );
    found
}

/// The mean of the absolute value of a normal is 0.8 of its deviation.
fn regression_is_as_good_as_theory(what: &str, service: &Service, found: [f64; 2]) {
    let band = SLACK * 0.8 * theory(service);
    assert!(found[0] < band, "{what}: an error of {:.3}, theory {band:.3}", found[0]);
}

#[test]
fn length_of_windows() {
    for length in [2.0, 10.0, 60.0] {
        let service = Service { length, ..Service::default() };
        let [found, ..] = line("window", &format!("{length} s"), &service);
        regression_is_as_good_as_theory("window", &service, found);
    }
}

#[test]
fn number_of_classes() {
    let base = Service::default();
    for classes in [1, 2, 4, 8] {
        let service = Service {
            demands: (0..classes).map(|class| base.demands[class % 4]).collect(),
            rates: (0..classes).map(|class| base.rates[class % 4]).collect(),
            follows: (0..classes).collect(),
            ..base.clone()
        };
        let service = at_load(service, 0.4);
        let [found, ..] = line("classes", &classes.to_string(), &service);
        regression_is_as_good_as_theory("classes", &service, found);
    }
}

#[test]
fn load() {
    for load in [0.1, 0.3, 0.5, 0.7, 0.9] {
        let service = at_load(Service { swing: 0.1, ..Service::default() }, load);
        let [found, complete, ..] = line("load", &format!("{:.0} %", 100.0 * load), &service);
        if load < 0.8 {
            regression_is_as_good_as_theory("load", &service, found);
        } else {
            // Work waits for later windows, and the regression says so.
            let notes = estimate(&service.windows(1)).notes.join("\n");
            assert!(notes.contains("all processors were busy"), "{notes}");
        }
        // The model of complete information holds here: only the spread of requests is left.
        let seconds = service.windows as f64 * service.length;
        let error =
            service.rates.iter().map(|rate| 1.0 / (rate * seconds).sqrt()).sum::<f64>() / 4.0;
        assert!(complete[0] < SLACK * 0.8 * error, "an error of {complete:?}, theory {error:.4}");
    }
}

/// Where two classes come together, the regression says so, and what needs no CPU still tells them apart.
#[test]
fn collinearity() {
    let free = line("collinearity", "none", &Service::default());
    let follows = vec![0, 0, 2, 3];
    let same = line("collinearity", "same rates", &Service { follows, ..Service::default() });
    let service = Service { pairs: true, ..Service::default() };
    let together = line("collinearity", "always together", &service);
    assert!(
        free[0][0] < same[0][0] && same[0][0] < together[0][0],
        "{free:?} {same:?} {together:?}"
    );
    assert!(together[1][0] < 0.05, "{together:?}");
    let demands = estimate(&service.windows(1));
    assert_eq!(demands.groups[0].classes, [0, 1]);
    let note = demands.notes.iter().find(|note| note.contains("cannot be told apart"));
    let note = note.expect("a sentence on the classes");
    assert!(
        note.contains("`c0`") && note.contains("`c1`") && note.contains("would tell"),
        "{note}"
    );
}

/// Requests that wait for something that is no processor: the utilisation law does not mind.
#[test]
fn mismatch_by_waiting() {
    let service = Service { waits: 0.05, ..Service::default() };
    let [found, complete, extended, low] = line("mismatch", "waits 50 ms", &service);
    regression_is_as_good_as_theory("waiting", &service, found);
    for outside in [complete, extended, low] {
        assert!(outside[1] > 0.5, "waiting is taken for service: {outside:?}");
    }
}

/// Demands that grow by 30 % from an idle to a full processor are seen, and constant ones are not.
#[test]
fn mismatch_by_a_cost_that_depends_on_the_load() {
    let service = Service { growth: 0.3, swing: 0.8, windows: 720, ..Service::default() };
    line("mismatch", "cost grows by 30 %", &service);
    let seen = |service: &Service| {
        let trends = (1..=SEEDS).filter_map(|seed| estimate(&service.windows(seed)).trend);
        trends.filter(|trend| trend.factor[1] > trend.factor[0]).count()
    };
    let (grows, constant) = (seen(&service), seen(&Service { growth: 0.0, ..service.clone() }));
    println!("trend seen in {grows} of 20, without one in {constant}");
    assert!(constant <= 2, "a test at 99 % sees {constant} of 20 trends where there is none");
    assert!(grows >= 10, "half of all trends are seen: {grows} of 20");
}

#[test]
fn without_cpu_the_response_times_are_used() {
    let busy = at_load(Service::default(), 0.6);
    let found = without_cpu(&busy, true, 1);
    assert_eq!(found.method, Method::ExtendedRegression);
    let idle = at_load(Service::default(), 0.05);
    let found = without_cpu(&idle, true, 1);
    assert_eq!(found.method, Method::ResponseTimeApproximation);
    let found = without_cpu(&busy, false, 1);
    assert_eq!(found.method, Method::ResponseTimeApproximation);
    for (figure, truth) in found.classes.iter().zip(&busy.demands) {
        let figure = figure.as_ref().expect("a class with requests");
        assert!(figure.low == Some(0.0) && figure.value > *truth, "an upper bound: {figure:?}");
    }
    // One processor: the model of the extended regression is exact in the mean.
    let one = Service { processors: 1, ..one(0.02, 30.0) };
    let [error, _] = errors(&one, |seed| without_cpu(&one, true, seed));
    assert!(error < 0.1, "extended regression of one class on one processor: {error}");
}

#[test]
fn too_few_windows_give_the_mean_and_say_so() {
    let service = Service { windows: 12, background: 0.0, ..Service::default() };
    let demands = estimate(&service.windows(1));
    assert_eq!(demands.method, Method::ServiceDemandLaw);
    let mean = demands.mean.expect("a mean");
    let work: f64 = service.demands.iter().zip(&service.rates).map(|(d, r)| d * r).sum();
    let truth = work / service.rates.iter().sum::<f64>();
    assert!((mean.value / truth - 1.0).abs() < 0.3, "{mean:?} {truth}");
    assert!(demands.why.contains("12 windows") && demands.why.contains("20"), "{}", demands.why);
    assert_eq!(demands.groups[0].classes, [0, 1, 2, 3]);
}

#[test]
fn a_class_without_requests_has_no_demand_and_changes_no_other() {
    let service = Service::default();
    let known = estimate(&service.windows(1));
    let mut windows = service.windows(1);
    windows.classes.insert(2, "never".to_owned());
    for window in &mut windows.windows {
        window.classes.insert(2, learn::demand::Seen::default());
    }
    let mut demands = estimate(&windows);
    assert_eq!(demands.classes.remove(2), None);
    assert_eq!(demands.classes, known.classes);
    assert!(demands.notes.iter().any(|note| note.contains("`never` had no requests")));
}

#[test]
fn what_is_wrong_with_the_windows_is_said() {
    let service = Service { missing: 10, outliers: 20, ..Service::default() };
    let mut notes = estimate(&service.windows(1)).notes.join("\n");
    let full = at_load(Service::default(), 0.8);
    notes += &estimate(&full.windows(1)).notes.join("\n");
    for part in ["windows have no CPU", "something else ran", "all processors were busy"] {
        assert!(notes.contains(part), "{part}: {notes}");
    }
    let short = Service { length: 0.2, windows: 4000, ..Service::default() };
    let notes = estimate(&short.counted(1, false)).notes.join("\n");
    assert!(notes.contains("Windows were joined to"), "{notes}");
}

/// CPU whose clock is a window late, as in records of real services: the costs of short windows would be
/// a fraction of the truth.
#[test]
fn clocks_that_differ_are_seen() {
    let service = Service { length: 1.0, windows: 1200, ..Service::default() };
    let mut windows = service.windows(1);
    let cpu: Vec<_> = windows.windows.iter().map(|window| window.cpu).collect();
    for (window, late) in windows.windows[1..].iter_mut().zip(cpu) {
        window.cpu = late;
    }
    let work: f64 = service.demands.iter().zip(&service.rates).map(|(d, r)| d * r).sum();
    let truth = work / service.rates.iter().sum::<f64>();
    let demands = estimate(&windows);
    let mean = demands.mean.expect("a mean");
    assert!((mean.value / truth - 1.0).abs() < 0.3, "{mean:?} {truth}");
    let said = demands.notes.iter().any(|note| note.contains("two clocks differ"));
    assert!(said, "{:?}", demands.notes);
}

#[test]
fn nothing_in_gives_nothing_out() {
    let empty = learn::demand::Windows {
        length: 1.0,
        processors: 0,
        counted: learn::demand::Counted::Arrivals,
        classes: vec!["a".to_owned()],
        windows: Vec::new(),
    };
    assert_eq!(estimate(&empty).classes, [None]);
    assert_eq!(complete_information(&empty.classes, &[], 1).classes, [None]);
}
