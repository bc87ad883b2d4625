//! Which reports can be compared with each other.

use model::report::{Kind, Report, SCHEMA};

use super::rounds::are_paired;

/// Relative difference of two lengths of time that is none.
const SAME_LENGTH: f64 = 0.01;

/// Why two reports cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// A report of another form.
    #[error("the {which} report has the form {found}, and this program reads {SCHEMA}")]
    Schema {
        /// `predicted` or `measured`.
        which: &'static str,
        /// Its form.
        found: u32,
    },
    /// Nothing measured.
    #[error("both reports are predicted: there is nothing to hold a prediction against")]
    BothPredicted,
    /// Nothing predicted.
    #[error("both reports are measured: there is no prediction to judge")]
    BothMeasured,
    /// The measurement given for the prediction, and the other way round.
    #[error("the first report is measured and the second predicted")]
    Swapped,
    /// Two different things.
    #[error("the prediction is of scenario `{predicted}`, the measurement of `{measured}`")]
    Scenario {
        /// What was predicted.
        predicted: String,
        /// What was measured.
        measured: String,
    },
    /// Two different loads.
    #[error(
        "the prediction draws its load from seed {predicted}, the measurement from seed \
         {measured}: they did not see the same requests"
    )]
    Seed {
        /// The prediction's.
        predicted: u64,
        /// The measurement's.
        measured: u64,
    },
}

impl Mismatch {
    /// How to get two reports that can be compared.
    pub fn advice(&self) -> &'static str {
        match self {
            Mismatch::Schema { .. } => "make the report again with programs of one version",
            Mismatch::BothPredicted => "measure the scenario with `live run`",
            Mismatch::BothMeasured => "put measured runs side by side with `live compare`",
            Mismatch::Swapped => "name the prediction first",
            Mismatch::Scenario { .. } => "predict and measure the same scenario file",
            Mismatch::Seed { .. } => "give both the same --seed",
        }
    }
}

/// Finds out whether the two can be compared.
///
/// Digests may differ: they cover the costs, which calibration changes, and the lengths of
/// the windows.
///
/// # Errors
/// The first reason why not.
pub(super) fn check(predicted: &Report, measured: &Report) -> Result<(), Mismatch> {
    for (which, report) in [("predicted", predicted), ("measured", measured)] {
        if report.schema != SCHEMA {
            return Err(Mismatch::Schema { which, found: report.schema });
        }
    }
    match (predicted.kind, measured.kind) {
        (Kind::Predicted, Kind::Measured) => {}
        (Kind::Predicted, Kind::Predicted) => return Err(Mismatch::BothPredicted),
        (Kind::Measured, Kind::Measured) => return Err(Mismatch::BothMeasured),
        (Kind::Measured, Kind::Predicted) => return Err(Mismatch::Swapped),
    }
    if predicted.scenario != measured.scenario {
        let (predicted, measured) = (predicted.scenario.clone(), measured.scenario.clone());
        return Err(Mismatch::Scenario { predicted, measured });
    }
    if predicted.seed != measured.seed {
        return Err(Mismatch::Seed { predicted: predicted.seed, measured: measured.seed });
    }
    Ok(())
}

/// Differences between reports that can be compared all the same.
pub(super) fn warnings(predicted: &Report, measured: &Report) -> Vec<String> {
    // What both say is about the scenario.
    let both = predicted.warnings.iter().filter(|warning| measured.warnings.contains(warning));
    let mut all: Vec<String> = both.cloned().collect();
    // Another program's measurement has no digest.
    if predicted.digest != measured.digest && !measured.digest.is_empty() {
        all.push(
            "the inputs differ (digests): the same scenario, but other costs, windows or \
             changed keys"
                .to_string(),
        );
    }
    let (p, m) = (&predicted.run, &measured.run);
    for (what, p, m) in [("counts", p.duration, m.duration), ("warms up", p.warmup, m.warmup)] {
        if (p - m).abs() > SAME_LENGTH * p.abs().max(m.abs()) {
            all.push(format!("the prediction {what} for {p} s, the measurement for {m} s"));
        }
    }
    let cut = match (predicted.cut_short, measured.cut_short) {
        (true, true) => Some("both windows are too short"),
        (true, false) => Some("the prediction's window is too short"),
        (false, true) => Some("the measurement's window is too short"),
        (false, false) => None,
    };
    all.extend(cut.map(|what| {
        format!("{what}: the slow requests had not ended, and the times are those of quick ones")
    }));
    if m.replications == 1 {
        all.push(
            match measured.tells("noise") {
                true => "measured once: its noise is that within one run, and runs differ by more",
                false => {
                    "measured once: nothing says how much runs differ, and errors are judged as \
                      if they did not"
                }
            }
            .to_string(),
        );
    }
    all.extend(unpaired(predicted, measured));
    all.extend(capacities(predicted, measured));
    all
}

/// Rounds were measured, and the prediction does not have the same.
fn unpaired(predicted: &Report, measured: &Report) -> Option<String> {
    let rounds = measured.rounds.len();
    if rounds > 1 && measured.rounds.iter().all(|round| round.seed == measured.seed) {
        return Some(format!(
            "{rounds} runs were measured with the same draws: their spread is the machine's alone"
        ));
    }
    let has = match predicted.rounds.len() {
        0 => "does not list its rounds".to_string(),
        others if others != rounds => format!("has {others} rounds"),
        _ => "has rounds of other seeds".to_string(),
    };
    (rounds > 1 && !are_paired(predicted, measured)).then(|| {
        format!(
            "{rounds} rounds were measured and the prediction {has}: their noise counts as \
             independent. As many replications as rounds, of one seed, are paired"
        )
    })
}

/// Stations of different size on both sides: a sign of different configurations.
fn capacities(predicted: &Report, measured: &Report) -> Vec<String> {
    let mut all = Vec::new();
    for p in &predicted.stations {
        let Some(m) = measured.station(&p.id) else { continue };
        if let (Some(of), Some(other)) = (p.capacity, m.capacity)
            && of != other
        {
            all.push(format!("`{}` has room for {of} in the prediction, {other} measured", p.id));
        }
    }
    all
}
