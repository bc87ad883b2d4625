//! A closed form against independent replications of a scenario.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use model::read::load;
use model::scenario::Scenario;
use model::statistics::Estimate;
use model::stream::replication_seed;
use rayon::prelude::*;
use sim::engine::Engine;
use sim::observe::Observations;
use sim::plan::Plan;

/// The half width that an interval must reach, relative to its value.
pub const PRECISION: f64 = 0.01;
/// Events of one replication after which something is wrong.
const EVENTS_MAX: u64 = 1_000_000_000;

/// A number of one replication: a ratio, its parts apart. The estimate over replications is
/// the mean of the numerators over the mean of the denominators, so that replications of
/// different numbers of requests bring no bias.
#[derive(Clone, Copy, Debug)]
pub struct Ratio(pub f64, pub f64);

/// Scenarios that are run on the same random numbers, and what is claimed of them.
pub struct Case<'a> {
    scenarios: Vec<Scenario>,
    claims: Vec<Claim<'a>>,
    confidence: f64,
    family: &'a [&'a str],
    replications: u32,
    replications_max: u32,
}

/// The ratio of a claim, read off one replication of all scenarios of its case.
type Pick<'a> = Box<dyn Fn(&[Observations]) -> Ratio + Sync + 'a>;

struct Claim<'a> {
    name: &'a str,
    theory: f64,
    /// The value is read off a histogram whose buckets are this wide, relative to it, and
    /// report their upper end.
    resolution: f64,
    pick: Pick<'a>,
}

/// The path of the scenario `theory/NAME.toml`.
pub fn theory_path(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/theory"))
        .join(format!("{name}.toml"))
}

/// The scenario `theory/NAME.toml` with `sets` over it.
///
/// # Panics
/// If it is refused.
pub fn theory_scenario(name: &str, sets: &[&str]) -> Scenario {
    let mut sets: Vec<String> = sets.iter().map(|set| set.to_string()).collect();
    // To see whether a claim that fails was a matter of chance.
    if let Ok(seed) = std::env::var("THEORY_SEED") {
        sets.push(format!("seed={seed}"));
    }
    match load(&theory_path(name), &sets) {
        Ok(resolved) => resolved.scenario,
        Err(diagnostics) => panic!("{diagnostics}"),
    }
}

impl<'a> Case<'a> {
    /// `scenarios`, each claim to be checked at `confidence`, and to be one of `family`.
    pub fn new(scenarios: Vec<Scenario>, confidence: f64, family: &'a [&'a str]) -> Case<'a> {
        Case {
            scenarios,
            claims: Vec::new(),
            confidence,
            family,
            replications: 20,
            replications_max: 2_000,
        }
    }

    /// Begins with this many replications, at least two.
    pub fn replications(self, replications: u32) -> Case<'a> {
        Case { replications, ..self }
    }

    /// Claims that `pick` is `theory`.
    pub fn claim(
        self,
        name: &'a str,
        theory: f64,
        pick: impl Fn(&[Observations]) -> Ratio + Sync + 'a,
    ) -> Case<'a> {
        self.claim_within(name, theory, 0.0, pick)
    }

    /// Claims that `pick`, which a histogram of this relative `resolution` rounds up, is
    /// `theory`.
    pub fn claim_within(
        mut self,
        name: &'a str,
        theory: f64,
        resolution: f64,
        pick: impl Fn(&[Observations]) -> Ratio + Sync + 'a,
    ) -> Case<'a> {
        assert!(self.family.contains(&name), "{name} is not counted in the family");
        self.claims.push(Claim { name, theory, resolution, pick: Box::new(pick) });
        self
    }

    /// Replicates until every interval is narrow enough, then compares.
    ///
    /// # Panics
    /// If a claim fails, or the intervals do not become narrow enough.
    pub fn check(self) {
        let mut samples: Vec<Vec<Ratio>> = Vec::new();
        let mut wanted = self.replications;
        loop {
            let from = samples.len() as u32;
            samples.par_extend((from..wanted).into_par_iter().map(|index| self.sample(index)));
            let done = samples.len() as u32;
            let widest = (0..self.claims.len())
                .map(|claim| self.estimate(&samples, claim))
                .fold(0.0, |widest: f64, estimate| widest.max(estimate.relative_half_width()));
            if widest < PRECISION {
                break;
            }
            // The interval shrinks with the square root of the replications. The spread
            // itself is estimated, hence a little more than that, and not much at once.
            let needed = f64::from(done) * (widest / PRECISION).powi(2) * 1.05;
            wanted = (needed as u32 + 1).min(4 * done);
            assert!(
                wanted <= self.replications_max,
                "{}: {done} replications bring ±{:.2} %, and {wanted} would be needed",
                self.claims[0].name,
                widest * 100.0,
            );
        }
        self.compare(&samples);
    }

    /// One replication of every scenario under the same seed.
    fn sample(&self, index: u32) -> Vec<Ratio> {
        let seen: Vec<Observations> = self
            .scenarios
            .iter()
            .map(|scenario| {
                let plan = Plan::new(scenario, replication_seed(scenario.seed, index));
                match Engine::observe(&plan, EVENTS_MAX) {
                    Ok(seen) => seen,
                    Err(runaway) => panic!("{}: {runaway}", scenario.name),
                }
            })
            .collect();
        self.claims.iter().map(|claim| (claim.pick)(&seen)).collect()
    }

    fn estimate(&self, samples: &[Vec<Ratio>], claim: usize) -> Estimate {
        let (numerators, denominators): (Vec<f64>, Vec<f64>) =
            samples.iter().map(|ratios| (ratios[claim].0, ratios[claim].1)).unzip();
        Estimate::of_ratio(&numerators, &denominators, self.confidence)
    }

    fn compare(&self, samples: &[Vec<Ratio>]) {
        let (mut table, mut failed) = (String::new(), String::new());
        for (index, claim) in self.claims.iter().enumerate() {
            let estimate = self.estimate(samples, index);
            let line = format!(
                "{:<48} theory {:<12.6} simulated {:<12.6} ± {:.2} % ({} replications)",
                claim.name,
                claim.theory,
                estimate.value,
                estimate.relative_half_width() * 100.0,
                samples.len(),
            );
            let _ = writeln!(table, "{line}");
            let lowest = estimate.low * (1.0 - claim.resolution);
            if !(lowest <= claim.theory && claim.theory <= estimate.high) {
                let _ = writeln!(failed, "{line}");
            }
        }
        if let Some(path) = std::env::var_os("THEORY_TABLE") {
            let file = std::fs::File::options().create(true).append(true).open(path);
            file.and_then(|mut file| file.write_all(table.as_bytes()))
                .expect("a file to append to");
        }
        assert!(failed.is_empty(), "outside the interval:\n{failed}");
    }
}

/// Mean response time of good answers, in seconds.
pub fn response_time(seen: &Observations) -> Ratio {
    let sum: u128 = seen.classes.iter().map(|class| class.sum).sum();
    Ratio(sum as f64 / 1e9, seen.good() as f64)
}

/// The same of one class.
pub fn class_response_time(seen: &Observations, class: usize) -> Ratio {
    let class = &seen.classes[class];
    Ratio(class.sum as f64 / 1e9, class.good as f64)
}

/// Good answers per second of one of several loads.
pub fn group_throughput(seen: &Observations, group: usize) -> Ratio {
    Ratio(seen.groups[group].answers.good as f64 / seen.window.secs_f64(), 1.0)
}

/// Mean response time of one of several loads, in seconds.
pub fn group_response_time(seen: &Observations, group: usize) -> Ratio {
    let answers = &seen.groups[group].answers;
    Ratio(answers.sum as f64 / 1e9, answers.good as f64)
}

/// A quantile of the response time of the only class, in seconds.
pub fn response_time_quantile(seen: &Observations, quantile: f64) -> Ratio {
    Ratio(seen.histograms[0].value_at_quantile(quantile) as f64 / 1e9, 1.0)
}

/// Good answers per second.
pub fn throughput(seen: &Observations) -> Ratio {
    Ratio(seen.throughput(), 1.0)
}

/// Time average of the number of cores in use.
pub fn busy_cores(seen: &Observations) -> Ratio {
    Ratio(seen.cpu.cores.area() as f64 / 1e9, seen.window.secs_f64())
}

/// Time average of the number of requests in flight.
pub fn in_flight(seen: &Observations) -> Ratio {
    Ratio(seen.in_flight.area() as f64 / 1e9, seen.window.secs_f64())
}

/// The share of an error among the requests that were settled.
pub fn error_share(seen: &Observations, kind: sim::observe::ErrorKind) -> Ratio {
    let errors = seen.errors();
    let settled = seen.good() + errors.iter().sum::<u64>();
    Ratio(errors[kind as usize] as f64, settled as f64)
}
