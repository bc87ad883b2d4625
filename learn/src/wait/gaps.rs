//! Time that nothing covers: CPU as far as that is known, then a wait of unknown kind.

use super::fit;
use super::shape::Shape;
use super::steps::Cpu;
use crate::learned::{Figure, Latency, Step};

/// A smaller share of an endpoint's CPU is put off to the next place where it computes.
const LEAST_CPU: f64 = 0.05;
/// A wait below this share of the response time, or below so many seconds, is not told from CPU.
const LEAST_WAIT: (f64, f64) = (0.05, 0.3e-3);

/// What happens between the calls of an endpoint.
pub(super) struct Gaps {
    /// Of each place, before the first call to after the last: the seconds of each request.
    places: Vec<Vec<f64>>,
    means: Vec<f64>,
    /// CPU seconds in each, in the pass that was watched.
    here: Vec<f64>,
    /// What is written: the CPU of one request, outside of the database in its process.
    cpu: Figure,
    least_wait: f64,
    put_off: f64,
}

impl Gaps {
    /// `local` are the seconds of a database inside of the process.
    pub(super) fn new(shape: &Shape, cpu: Option<&Cpu>, local: f64, response_time: f64) -> Gaps {
        let mut places: Vec<Vec<f64>> = shape.blocks.iter().map(|one| one.gaps.clone()).collect();
        places.push(shape.rest.clone());
        let means: Vec<f64> = places.iter().map(|gaps| fit::mean(gaps, "").value).collect();
        let uncovered: f64 = means.iter().sum();
        let (cpu, here) = match cpu {
            Some(cpu) => {
                let own = (cpu.here - local).max(0.0);
                let share = if cpu.here > 0.0 { own / cpu.here } else { 1.0 };
                (scaled(&cpu.alone, share), own + cpu.beside)
            }
            None => (assumed(uncovered), uncovered),
        };
        let here = if here < uncovered { levelled(&means, here) } else { means.clone() };
        let least_wait = LEAST_WAIT.1.max(LEAST_WAIT.0 * response_time);
        Gaps { places, means, here, cpu, least_wait, put_off: 0.0 }
    }

    /// What is computed and waited for at this place.
    pub(super) fn before(&mut self, place: usize) -> Vec<Step> {
        let last = place + 1 == self.places.len();
        let total: f64 = self.here.iter().sum();
        let even = if last { 1.0 } else { 0.0 };
        self.put_off += if total > 0.0 { self.here[place] / total } else { even };
        let mut steps = Vec::new();
        if self.cpu.value > 0.0 && (self.put_off >= LEAST_CPU || (last && self.put_off > 1e-9)) {
            let share = scaled(&self.cpu, std::mem::take(&mut self.put_off));
            steps.push(Step::Cpu(Latency::Constant(share)));
        }
        let computed = self.here[place];
        if self.means[place] - computed > self.least_wait {
            let waits = waits(&self.places[place], computed, self.means[place] - computed);
            steps.push(Step::Wait(fit::latency(&waits, "time without CPU that no call covers")));
        }
        steps
    }
}

/// The gaps less the CPU in them, none below zero, with the mean that they have: gaps shorter than
/// the CPU would raise it.
fn waits(gaps: &[f64], computed: f64, mean: f64) -> Vec<f64> {
    let clipped: Vec<f64> = gaps.iter().map(|gap| (gap - computed).max(0.0)).collect();
    let scale = mean * clipped.len() as f64 / clipped.iter().sum::<f64>();
    clipped.iter().map(|wait| wait * scale).collect()
}

/// CPU in each gap: the same in all, but no more than the gap is long. What a long gap has beyond
/// the others is a wait.
fn levelled(gaps: &[f64], cpu: f64) -> Vec<f64> {
    let mut sorted = gaps.to_vec();
    sorted.sort_by(f64::total_cmp);
    let mut left = cpu;
    let mut level = 0.0;
    for (index, gap) in sorted.iter().enumerate() {
        let open = (sorted.len() - index) as f64;
        let rise = (gap - level).min(left / open);
        level += rise;
        left -= rise * open;
    }
    gaps.iter().map(|gap| gap.min(level)).collect()
}

fn scaled(figure: &Figure, share: f64) -> Figure {
    let how = match share {
        share if share > 0.999 => figure.how.clone(),
        _ => format!("{}; {:.0} % of it here", figure.how, share * 100.0),
    };
    Figure { how, ..figure.times(share) }
}

fn assumed(seconds: f64) -> Figure {
    let how = "time that no call and no query covers, all of it taken as CPU";
    Figure::assumed(seconds, how, "measure the CPU of this endpoint with `learn probe`")
}

#[cfg(test)]
mod tests {
    use super::waits;

    #[test]
    fn gaps_shorter_than_the_cpu_do_not_raise_the_mean_of_waits() {
        let gaps: Vec<f64> = (0..10).map(|n| if n == 0 { 0.021 } else { 0.001 }).collect();
        let found = waits(&gaps, 0.0025, 0.003 - 0.0025);
        let mean = found.iter().sum::<f64>() / 10.0;
        assert!(
            (mean - 0.0005).abs() < 1e-12 && found.iter().all(|wait| *wait >= 0.0),
            "{found:?}"
        );
    }
}
