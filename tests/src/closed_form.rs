//! Closed forms of queueing theory, computed without the simulator.
//!
//! Times are in seconds, rates per second. `load` is offered load in erlangs.

use statrs::distribution::{ContinuousCDF, Normal};

/// Mean and squared coefficient of variation of a service time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Service {
    /// Mean.
    pub mean: f64,
    /// Variance over squared mean.
    pub scv: f64,
}

impl Service {
    /// Always the same.
    pub fn constant(mean: f64) -> Service {
        Service { mean, scv: 0.0 }
    }

    /// Memoryless.
    pub fn exponential(mean: f64) -> Service {
        Service { mean, scv: 1.0 }
    }
}

/// A lognormal time through its median and its 99th percentile.
#[derive(Clone, Copy, Debug)]
pub struct Lognormal {
    mu: f64,
    sigma: f64,
}

impl Lognormal {
    /// `mu = ln p50`, `sigma = ln(p99/p50) / z(0.99)`.
    pub fn through(p50: f64, p99: f64) -> Lognormal {
        Lognormal { mu: p50.ln(), sigma: (p99 / p50).ln() / standard_normal().inverse_cdf(0.99) }
    }

    /// `exp(mu + sigma^2/2)`, and `exp(sigma^2) - 1`.
    pub fn service(self) -> Service {
        let square = self.sigma * self.sigma;
        Service { mean: (self.mu + square / 2.0).exp(), scv: square.exp() - 1.0 }
    }

    /// P(X > x).
    pub fn tail(self, x: f64) -> f64 {
        1.0 - standard_normal().cdf((x.ln() - self.mu) / self.sigma)
    }

    /// E\[min(X, cap)\].
    pub fn mean_capped(self, cap: f64) -> f64 {
        let z = (cap.ln() - self.mu) / self.sigma;
        self.service().mean * standard_normal().cdf(z - self.sigma) + cap * self.tail(cap)
    }
}

fn standard_normal() -> Normal {
    Normal::new(0.0, 1.0).expect("the standard normal")
}

/// M/G/1, first come first served: the Pollaczek-Khinchine mean response time.
pub fn mg1_response_time(rate: f64, service: Service) -> f64 {
    let utilisation = rate * service.mean;
    let waiting = utilisation / (1.0 - utilisation) * service.mean * (1.0 + service.scv) / 2.0;
    waiting + service.mean
}

/// M/M/1, first come first served: the response time is exponential.
pub fn mm1_quantile(rate: f64, mean: f64, probability: f64) -> f64 {
    -(1.0 - probability).ln() / (1.0 / mean - rate)
}

/// M/M/1, first come first served, of customers that each wait for `patience` at most: the share that
/// leaves unserved (Barrer 1957). The unfinished work V has the density `r p e^-(m-r)x` up to the
/// patience and `r p e^(r t) e^-m x` beyond it, where p is the share of idle time; who comes to more
/// work than patience leaves.
pub fn mm1_share_out_of_patience(rate: f64, mean: f64, patience: f64) -> f64 {
    let (service, spare) = (1.0 / mean, 1.0 / mean - rate);
    let end = (-spare * patience).exp();
    // As many come as are served: the limit of (1 - e^-st)/s.
    let below = if spare == 0.0 { patience } else { (1.0 - end) / spare };
    let idle = 1.0 / (1.0 + rate * (below + end / service));
    rate * idle * end / service
}

/// M/G/1, processor sharing: the mean response time of a job of the length `work`, and of
/// all jobs where `work` is the mean, whatever the distribution.
pub fn processor_sharing_response_time(rate: f64, mean: f64, work: f64) -> f64 {
    work / (1.0 - rate * mean)
}

/// M/M/c: mean response time, by Erlang's delay formula.
pub fn mmc_response_time(rate: f64, mean: f64, servers: u32) -> f64 {
    let load = rate * mean;
    let c = f64::from(servers);
    let blocking = erlang_b(servers, load);
    let delay = blocking / (1.0 - load / c * (1.0 - blocking));
    delay * mean / (c - load) + mean
}

/// M/M/c whose customers wait for an exponential time of the mean `patience` and are served all
/// the same after it, since the servers do not hear of it: the share that is gone by the time of
/// its answer, and the mean response time of the others. By the Laplace transform of the response
/// time: with probability Erlang C an exponential wait of the rate `c/mean - rate`, and then the
/// service.
pub fn mmc_patience(rate: f64, mean: f64, servers: u32, patience: f64) -> (f64, f64) {
    let load = rate * mean;
    let c = f64::from(servers);
    let blocking = erlang_b(servers, load);
    let delayed = blocking / (1.0 - load / c * (1.0 - blocking));
    let (wait, theta, mu) = (c / mean - rate, 1.0 / patience, 1.0 / mean);
    let waits = delayed * wait / (wait + theta);
    let transform = (1.0 - delayed + waits) * mu / (mu + theta);
    let response_time = waits / (wait + theta) / (1.0 - delayed + waits) + 1.0 / (mu + theta);
    (1.0 - transform, response_time)
}

/// IPP/M/1: the mean response time with arrivals of an interrupted Poisson process, whose gaps
/// are hyperexponential with two phases (Kuczura, 1973). `rate` is that of the on time.
pub fn ipp_m1_response_time(rate: f64, on: f64, off: f64, mean: f64) -> f64 {
    let (ends, begins) = (1.0 / on, 1.0 / off);
    let sum = rate + ends + begins;
    let root = (sum * sum - 4.0 * rate * begins).sqrt();
    let (fast, slow) = ((sum + root) / 2.0, (sum - root) / 2.0);
    let share = (rate - slow) / (fast - slow);
    // GI/M/1: sigma is the transform of the gaps at mu (1 - sigma).
    let gaps = |s: f64| share * fast / (s + fast) + (1.0 - share) * slow / (s + slow);
    let sigma = (0..10_000).fold(0.5, |sigma, _| gaps((1.0 - sigma) / mean));
    mean / (1.0 - sigma)
}

/// M/G/c/c: the share of arrivals that is lost, whatever the distribution of the service
/// time, by the recursion `B(k) = a B(k-1) / (k + a B(k-1))`.
pub fn erlang_b(servers: u32, load: f64) -> f64 {
    (1..=servers).fold(1.0, |blocking, k| load * blocking / (f64::from(k) + load * blocking))
}

/// M/M/c/K: the share of arrivals that finds `servers` and all `places` of the queue taken, and
/// the mean response time of the others, from the balance of births and deaths and Little's law.
pub fn mmck(rate: f64, mean: f64, servers: u32, places: u32) -> (f64, f64) {
    let mut weights = vec![1.0];
    for k in 1..=servers + places {
        let ends = f64::from(k.min(servers)) / mean;
        weights.push(weights[k as usize - 1] * rate / ends);
    }
    let total: f64 = weights.iter().sum();
    let refused = weights[(servers + places) as usize] / total;
    let number: f64 = weights.iter().zip(0..).map(|(weight, k)| weight * f64::from(k)).sum();
    (refused, number / total / (rate * (1.0 - refused)))
}

/// M/M/1/K: the share of arrivals that finds all `places`, the one in service included,
/// taken.
pub fn mm1k_blocking(rate: f64, mean: f64, places: u32) -> f64 {
    let utilisation = rate * mean;
    let powers: f64 = (0..=places).map(|k| utilisation.powi(k as i32)).sum();
    utilisation.powi(places as i32) / powers
}

/// One queueing station of the service demand `demand` and a delay of `think_time`, with
/// `users`: throughput and mean response time by exact mean value analysis.
pub fn mean_value_analysis(users: u32, demand: f64, think_time: f64) -> (f64, f64) {
    let (mut throughput, mut response_time, mut queue) = (0.0, 0.0, 0.0);
    for n in 1..=users {
        response_time = demand * (1.0 + queue);
        throughput = f64::from(n) / (think_time + response_time);
        queue = throughput * response_time;
    }
    (throughput, response_time)
}

/// A closed network of several classes of users: one queueing station, shared equally or first
/// come first served with one exponential service time for all classes, and delays. For each class
/// its users, its service demand and the delay of a cycle. Throughput and residence time at the
/// station of each class, by exact mean value analysis over all smaller populations (Reiser and
/// Lavenberg, 1980).
pub fn mean_value_analysis_of_classes(classes: &[(u32, f64, f64)]) -> Vec<(f64, f64)> {
    let strides: Vec<usize> = classes
        .iter()
        .scan(1, |stride, &(users, ..)| {
            let own = *stride;
            *stride *= users as usize + 1;
            Some(own)
        })
        .collect();
    let all: usize = classes.iter().map(|&(users, ..)| users as usize + 1).product();
    let mut queue = vec![0.0; all];
    let mut answer = Vec::new();
    for at in 0..all {
        answer = classes
            .iter()
            .zip(&strides)
            .map(|(&(users, demand, delay), stride)| {
                let n = at / stride % (users as usize + 1);
                if n == 0 {
                    return (0.0, 0.0);
                }
                let residence = demand * (1.0 + queue[at - stride]);
                (n as f64 / (delay + residence), residence)
            })
            .collect();
        queue[at] = answer.iter().map(|(rate, residence)| rate * residence).sum();
    }
    answer
}

/// The machine repairman: `machines` run for `up` on average, then need the one repairman
/// for `repair`, both exponential. Repairs per second, `(1 - p0) / repair`.
pub fn machine_repairman_throughput(machines: u32, up: f64, repair: f64) -> f64 {
    let ratio = repair / up;
    // weight(k) = machines! / (machines - k)! * ratio^k for k machines down.
    let mut weight = 1.0;
    let mut sum = 1.0;
    for k in 0..machines {
        weight *= f64::from(machines - k) * ratio;
        sum += weight;
    }
    (1.0 - 1.0 / sum) / repair
}

/// Mean time of a commit at a log that syncs for all commits that came before the sync began.
///
/// A sync of length S follows the last one at once if a commit came meanwhile, and else an idle time.
/// So there is one arrival at an idle log for each sync with no arrival, exp(-L S) of them, and L S
/// arrivals during one, which wait for what is left of it: half on average.
pub fn group_commit_time(rate: f64, sync: f64) -> f64 {
    let meanwhile = rate * sync;
    let idle = (-meanwhile).exp();
    sync + meanwhile / (meanwhile + idle) * sync / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, wanted: f64, digits: i32) {
        let error = (found / wanted - 1.0).abs();
        assert!(error < 0.5 * 10f64.powi(1 - digits), "{found} instead of {wanted}");
    }

    #[test]
    fn single_servers_give_textbook_values() {
        close(mg1_response_time(50.0, Service::exponential(0.01)), 0.02, 12);
        close(mg1_response_time(50.0, Service::constant(0.01)), 0.015, 12);
        close(mm1_quantile(50.0, 0.01, 0.5), 0.013_862_943_6, 8);
        close(processor_sharing_response_time(50.0, 0.01, 0.01), 0.02, 12);
    }

    /// Values of printed tables.
    #[test]
    fn erlang_s_formulas_give_the_tables_values() {
        close(erlang_b(10, 4.461), 0.01, 3);
        close(erlang_b(1, 1.0), 0.5, 12);
        close(erlang_b(20, 15.249), 0.05, 3);
        // M/M/1 and M/M/2: 1/(mu - lambda), and mean / (1 - rho^2).
        close(mmc_response_time(50.0, 0.01, 1), 0.02, 12);
        close(mmc_response_time(100.0, 0.01, 2), 0.01 / 0.75, 12);
    }

    #[test]
    fn bursts_and_patience_have_the_limits_of_the_queues_without_them() {
        // Never off, or so quickly on and off that it is Poisson again.
        close(ipp_m1_response_time(50.0, 1e9, 1e-6, 0.01), 0.02, 6);
        close(ipp_m1_response_time(100.0, 1e-8, 1e-8, 0.01), 0.02, 5);
        let (gone, response_time) = mmc_patience(280.0, 0.01, 4, 1e9);
        close(response_time, mmc_response_time(280.0, 0.01, 4), 6);
        assert!(gone < 1e-9);
        // M/M/1: the response time is exponential, and so is the least of it and the patience.
        let (gone, response_time) = mmc_patience(50.0, 0.01, 1, 0.03);
        close(gone, (1.0 / 0.03) / (50.0 + 1.0 / 0.03), 12);
        close(response_time, 1.0 / (50.0 + 1.0 / 0.03), 12);
    }

    #[test]
    fn classes_that_are_alike_are_one_class() {
        let (throughput, response_time) = mean_value_analysis(12, 0.01, 0.2);
        let two = mean_value_analysis_of_classes(&[(4, 0.01, 0.2), (8, 0.01, 0.2)]);
        close(two[0].0 + two[1].0, throughput, 12);
        close(two[0].1, response_time, 12);
        close(two[1].0, 2.0 * two[0].0, 12);
        // One user of each of two classes: by the balance of the four states.
        let two = mean_value_analysis_of_classes(&[(1, 1.0, 1.0), (1, 2.0, 1.0)]);
        close(two[0].1, 1.0 + 2.0 / 3.0, 12);
        close(two[1].1, 2.0 * (1.0 + 0.5), 12);
    }

    #[test]
    fn finite_queues_agree_with_each_other() {
        // With one place there is no queue: Erlang's loss formula.
        close(mm1k_blocking(80.0, 0.01, 1), erlang_b(1, 0.8), 12);
        // Two machines, both ratios one: weights 1, 2, 2.
        close(machine_repairman_throughput(2, 1.0, 1.0), 0.8, 12);
        // Users that think are machines that run.
        for users in [1, 2, 7, 40] {
            let (throughput, response_time) = mean_value_analysis(users, 0.01, 0.2);
            close(throughput, machine_repairman_throughput(users, 0.2, 0.01), 10);
            close(throughput * (0.2 + response_time), f64::from(users), 12);
        }
    }

    /// P50 4 s and P99 22 s: values computed elsewhere, to the digits given there.
    #[test]
    fn the_truncated_lognormal_has_known_values() {
        let latency = Lognormal::through(4.0, 22.0);
        close(latency.service().mean, 5.232, 4);
        for (x, tail, capped) in
            [(5.0, 0.38037, 3.651), (10.0, 0.10558, 4.706), (30.0, 0.002_983_5, 5.207)]
        {
            close(latency.tail(x), tail, 5);
            close(latency.mean_capped(x), capped, 4);
        }
    }
}
