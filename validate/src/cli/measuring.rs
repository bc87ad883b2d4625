//! Options of every command that measures.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use live::cli::{AudienceOptions, On};
use model::read::Resolved;
use model::scenario::Source;
use model::units::Span;

use render::Failure;

use super::tolerance::ToleranceOptions;
use super::trial::{self, Trial};
use crate::measure::predict::MOST_ROUNDS;

/// Longest warm-up of a round where many scenarios are measured, unless it is chosen.
const WARMUP: Span = Span::from_secs(8);
/// Longest window of a round where many scenarios are measured, unless it is chosen.
///
/// Three rounds of five rungs then take about five minutes. A rung that answers twice a
/// second has twenty answers in it, and no P99; but both sides answer the same requests in
/// the same order, so that throughput and mean can be held against each other all the same.
const DURATION: Span = Span::from_secs(10);

/// How to measure and to judge.
#[derive(Debug, Args)]
pub(super) struct Measuring {
    #[command(flatten)]
    pub(super) on: On,
    #[command(flatten)]
    pub(super) timing: Timing,
    /// Measure so many rounds, each from a fresh start; scenarios take turns
    #[arg(long, value_name = "N", default_value_t = 3)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_ROUNDS)))]
    pub(super) repeat: u32,
    #[command(flatten)]
    pub(super) audience: AudienceOptions,
    /// Folder for measured runs and, while they run, for their database files
    #[arg(long, value_name = "FOLDER", default_value = "runs")]
    pub(super) out: PathBuf,
    /// What the stack costs by itself on this machine; costs/TARGET.toml if left out, which is
    /// measured when it is not there or of another machine
    #[arg(long, value_name = "FILE")]
    pub(super) costs: Option<PathBuf>,
    /// Measure those costs anew in the same session, half of so many rounds before the scenarios
    /// and half after them (4 if left out): what the machine does meanwhile, it does to both.
    /// Replaces costs/TARGET.toml
    #[arg(long, value_name = "ROUNDS", conflicts_with = "costs")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "4")]
    #[arg(value_parser = clap::value_parser!(u32).range(2..=20))]
    pub(super) calibrate: Option<u32>,
    #[command(flatten)]
    pub(super) tolerance: ToleranceOptions,
}

/// Whether to measure until all is decided.
#[derive(Debug, Args)]
pub(super) struct UntilDecided {
    /// When each has been measured as often as --repeat says, measure more rounds of what is not
    /// decided, until every headline number agrees or disagrees or this time is used up, such as 5m;
    /// at most 10 rounds of each
    #[arg(long, value_name = "TIME", value_parser = Span::parse, conflicts_with = "calibrate")]
    pub(super) budget: Option<Span>,
}

impl UntilDecided {
    /// The budget for `trials`, if there is one.
    ///
    /// # Errors
    /// It does not allow the first rounds, or they say nothing of the noise.
    pub(super) fn checked(
        &self,
        trials: &[Trial],
        measuring: &Measuring,
    ) -> Result<Option<Duration>, Failure> {
        let Some(budget) = self.budget else { return Ok(None) };
        if measuring.repeat < 2 {
            return Err(Failure::System(
                "--budget measures until the noise is small enough, and one round says nothing of the \
                 noise: --repeat has to be 2 or more"
                    .into(),
            ));
        }
        let first = trial::seconds(trials, measuring.repeat);
        if first > budget.secs_f64() {
            let (first, budget) = (trial::rough(first), trial::rough(budget.secs_f64()));
            return Err(Failure::System(format!(
                "the first {} rounds of each scenario take about {first}, and --budget allows {budget}: \
                 raise it, or lower --repeat or --duration",
                measuring.repeat
            )));
        }
        Ok(Some(Duration::from_nanos(budget.nanos())))
    }
}

/// How long to measure.
#[derive(Debug, Args)]
pub(super) struct Timing {
    /// Count for so long in each round, such as 30s
    #[arg(long, value_name = "TIME")]
    duration: Option<String>,
    /// Warm up for so long in each round
    #[arg(long, value_name = "TIME")]
    warmup: Option<String>,
}

impl Timing {
    /// The chosen times, as changes to the scenario's keys.
    pub(super) fn chosen(&self) -> Vec<String> {
        let set = |key: &str, value: &Option<String>| {
            value.as_ref().map(|value| format!("load.{key}={value}"))
        };
        set("duration", &self.duration).into_iter().chain(set("warmup", &self.warmup)).collect()
    }

    /// The same for many scenarios: times that were not chosen and are longer than needed are cut.
    /// Stages and recorded arrivals have lengths of their own.
    pub(super) fn cut<'a>(&self, scenarios: impl IntoIterator<Item = &'a Resolved>) -> Vec<String> {
        let (mut warmup, mut duration, mut staged) = (Span::ZERO, Span::ZERO, false);
        for resolved in scenarios {
            let load = &resolved.scenario.load;
            warmup = warmup.max(load.warmup);
            duration = duration.max(load.duration);
            staged |= load.groups().iter().any(|group| {
                matches!(group.load.source, Source::Replay { .. })
                    || group.load.source.profile().is_some_and(|one| !one.stages.is_empty())
            });
        }
        let mut sets = self.chosen();
        if self.duration.is_none() && duration > DURATION && !staged {
            sets.push(format!("load.duration={DURATION}"));
        }
        if self.warmup.is_none() && warmup > WARMUP && !staged {
            sets.push(format!("load.warmup={WARMUP}"));
        }
        sets
    }
}
