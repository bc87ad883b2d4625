//! The pause of a closed user between a reply and its next request.

use model::distribution::Distribution;
use model::scenario::{Load, Source};

/// How a user pauses.
pub(super) enum Pause {
    /// An open arrival: no user sends again after its reply.
    Never,
    /// In seconds: this expression, of `u`, which is between 0 and 1.
    Drawn(String),
    /// Seconds.
    Fixed(f64),
}

impl Pause {
    pub(super) fn of(source: &Source) -> Pause {
        match source {
            Source::Open { .. } | Source::Replay { .. } | Source::Several(_) => Pause::Never,
            Source::Closed { think_time: Distribution::Constant(span), .. } => {
                Pause::Fixed(span.secs_f64())
            }
            Source::Closed { think_time, .. } => Pause::Drawn(expression(think_time)),
        }
    }

    /// The script needs k6's `sleep`.
    pub(super) fn sleeps(&self) -> bool {
        !matches!(self, Pause::Never)
    }

    /// The script needs the draws of pauses.
    pub(super) fn is_drawn(&self) -> bool {
        matches!(self, Pause::Drawn(_))
    }

    /// The script needs the quantile of the normal distribution.
    pub(super) fn is_normal(&self) -> bool {
        matches!(self, Pause::Drawn(expression) if expression.contains("normal("))
    }

    /// The lines that pause at the end of an iteration.
    pub(super) fn call(&self) -> String {
        let seconds = match self {
            Pause::Never => return String::new(),
            Pause::Fixed(0.0) => {
                return "  // A dead service is not asked as fast as the processor allows.\n  \
                        if (kind === 'disconnected') sleep(0.01);\n"
                    .into();
            }
            Pause::Fixed(seconds) => format!("  const seconds = {seconds};\n"),
            Pause::Drawn(expression) => format!(
                "  const u = uniform(THINK, request.lane, request.index);\n  \
                 const seconds = {expression};\n"
            ),
        };
        format!(
            "{seconds}  // A dead service is not asked as fast as the processor allows.\n  \
             sleep(kind === 'disconnected' ? Math.max(seconds, 0.01) : seconds);\n"
        )
    }
}

/// How long a client waits.
pub(super) enum Patience {
    /// In k6's words: `60s`.
    Fixed(String),
    /// In seconds: this expression of `u`, which is between 0 and 1.
    Drawn(String),
}

impl Patience {
    pub(super) fn of(load: &Load) -> Patience {
        match &load.timeout {
            None => Patience::Fixed("24h".into()),
            Some(Distribution::Constant(span)) => Patience::Fixed(span.to_string()),
            Some(drawn) => Patience::Drawn(expression(drawn)),
        }
    }

    /// The line that declares it.
    pub(super) fn constant(&self) -> String {
        match self {
            Patience::Fixed(span) => format!("const TIMEOUT = '{span}';"),
            Patience::Drawn(_) => "// Each request draws for how long its client waits.".into(),
        }
    }

    /// What stands where a request needs it.
    pub(super) fn call(&self) -> &'static str {
        match self {
            Patience::Fixed(_) => "TIMEOUT",
            Patience::Drawn(_) => "patience(request)",
        }
    }

    /// The script needs the quantile of the normal distribution.
    pub(super) fn is_normal(&self) -> bool {
        matches!(self, Patience::Drawn(expression) if expression.contains("normal("))
    }
}

/// For how long nearly every client has its answer or has given up.
pub(super) fn longest(load: &Load) -> String {
    const NEARLY_ALL: f64 = 0.9999;
    let longest = load.timeout.as_ref().map(|timeout| timeout.quantile(NEARLY_ALL));
    longest.map_or("24h".to_string(), |span| span.to_string())
}

/// The quantile `u` of a distribution, in seconds.
fn expression(distribution: &Distribution) -> String {
    match distribution {
        Distribution::Constant(span) => span.secs_f64().to_string(),
        Distribution::Exponential { mean } => format!("-{} * Math.log1p(-u)", mean.secs_f64()),
        Distribution::Lognormal { sigma, .. } => {
            let median = distribution.quantile(0.5).secs_f64();
            format!("{median} * Math.exp({sigma} * normal(u))")
        }
        Distribution::Uniform { low, high } => {
            let (low, high) = (low.secs_f64(), high.secs_f64());
            format!("{low} + ({high} - {low}) * u")
        }
        Distribution::Empirical(quantiles) => {
            // Straight lines between the points: the sum of what each of them adds.
            let pieces = quantiles.points().windows(2).map(|pair| {
                let ((from, low), (to, high)) = (pair[0], pair[1]);
                let (rise, share) = ((high - low) / 1e9, to - from);
                format!("{rise} * Math.min(Math.max((u - {from}) / {share}, 0), 1)")
            });
            let least = quantiles.points().first().map_or(0.0, |(_, nanos)| nanos / 1e9);
            pieces.fold(least.to_string(), |sum, piece| format!("{sum} +\n    {piece}"))
        }
    }
}
