//! A prediction for the speed that the machine had when it was measured.
//!
//! A file that `learn probe` has written says how fast the machine was meanwhile, as a witness saw it. The
//! same witness works beside each round of a measurement. So each round is predicted on processors that are
//! as much faster or slower as the machine has become: what is left of the error is no change of the machine.

use model::machine_speed::MachineSpeed;
use model::read::Resolved;
use model::report::Report;
use render::number;
use sim::engine::Runaway;

use super::predict::predict_at;

/// A prediction at the speed that was measured.
pub(crate) struct AtEqualSpeed {
    pub(crate) report: Report,
    /// How fast the machine was, and what the error would be without that.
    pub(crate) note: String,
}

/// The prediction of `resolved` for the speeds of the rounds that were `measured`; `before` is the one for the speed at
/// which it was learned. None where one of both speeds is not known, or there are no rounds to tell apart.
///
/// # Errors
/// A replication does not come to its end.
pub(crate) fn at_equal_speed(
    resolved: &Resolved,
    before: &Report,
    measured: &Report,
) -> Result<Option<AtEqualSpeed>, Runaway> {
    let Some(speeds) = speeds(resolved, measured) else { return Ok(None) };
    let report = predict_at(resolved, &speeds)?;
    let note = note(&speeds, before, measured);
    Ok(Some(AtEqualSpeed { report, note }))
}

/// For each round of `measured`, how many times as fast it computed as when `resolved` was learned.
fn speeds(resolved: &Resolved, measured: &Report) -> Option<Vec<f64>> {
    let learned = MachineSpeed::of(&resolved.scenario.costs.about)?;
    let of_round = |round: &Report| {
        let seen = round.measurement.as_ref()?.speed.as_ref()?;
        learned.factor(&seen.witness, seen.mean)
    };
    let speeds: Vec<f64> = measured.rounds.iter().map(of_round).collect::<Option<_>>()?;
    (speeds.len() > 1).then_some(speeds)
}

fn note(speeds: &[f64], before: &Report, measured: &Report) -> String {
    let least = speeds.iter().copied().fold(f64::INFINITY, f64::min);
    let most = speeds.iter().copied().fold(0.0, f64::max);
    let mean = speeds.iter().sum::<f64>() / speeds.len() as f64;
    let found = measured.throughput.value;
    let error = match found > 0.0 {
        true => {
            let error = before.throughput.value / found - 1.0;
            format!("; without that the throughput would be {} off", number::change(error))
        }
        false => String::new(),
    };
    format!(
        "predicted at the speed that the machine had in each round, by its witness: its CPUs did {mean:.2} times \
         as much ({least:.2} to {most:.2}) as when this was learned{error}"
    )
}

#[cfg(test)]
mod tests {
    use model::measurement::Measurement;
    use model::read::load_text;
    use model::speed::Speed;

    use super::super::predict::predict;
    use super::*;

    /// A processor that is full: throughput goes with its speed.
    fn learned(about: &str) -> Resolved {
        let text = format!(
            r#"
            load = {{ users = 20, warmup = "1s", duration = "10s" }}
            service.concurrency = "async"
            endpoint = [{{ name = "hello", weight = 1, steps = [{{ cpu = "10ms" }}] }}]
            costs.about = {{ {about} }}
            "#
        );
        load_text("shop", &text, &[]).unwrap_or_else(|wrong| panic!("{wrong}"))
    }

    const ABOUT: &str = r#"witness = "2", speed = "0.8", speed_power = "2""#;

    /// A measurement whose rounds report these speeds.
    fn measured(resolved: &Resolved, speeds: &[f64], witness: &str) -> Report {
        let mut report = predict(resolved, None, speeds.len() as u32).expect("it ends");
        for (round, speed) in report.rounds.iter_mut().zip(speeds) {
            let speed = Speed { witness: witness.into(), mean: *speed, ..Speed::default() };
            round.measurement = Some(Measurement { speed: Some(speed), ..Measurement::default() });
        }
        report
    }

    #[test]
    fn each_round_is_predicted_at_its_speed() {
        let resolved = learned(ABOUT);
        let before = predict(&resolved, None, 2).expect("it ends");
        let measured = measured(&resolved, &[0.8, 0.4], "2");
        let found = at_equal_speed(&resolved, &before, &measured).expect("it ends");
        let AtEqualSpeed { report, note } = found.expect("both speeds are known");
        // Half of the speed, with a power of 2: a quarter.
        let rates: Vec<f64> = report.rounds.iter().map(|round| round.throughput.value).collect();
        assert!((rates[0] / 100.0 - 1.0).abs() < 0.02, "{rates:?}");
        assert!((rates[1] / 25.0 - 1.0).abs() < 0.02, "{rates:?}");
        assert!((report.throughput.value / 62.5 - 1.0).abs() < 0.02, "{}", report.throughput.value);
        assert_eq!(report.digest, before.digest);
        assert!(note.contains("0.62 times as much (0.25 to 1.00)"), "{note}");
    }

    #[test]
    fn without_both_speeds_there_is_none() {
        let resolved = learned(ABOUT);
        let before = predict(&resolved, None, 2).expect("it ends");
        let none = |resolved: &Resolved, measured: &Report| {
            at_equal_speed(resolved, &before, measured).expect("it ends").is_none()
        };
        assert!(none(&resolved, &measured(&resolved, &[0.8, 0.4], "3")), "another witness");
        assert!(none(&resolved, &before), "no witness");
        let other = learned("machine = \"another\"");
        assert!(none(&other, &measured(&other, &[0.8, 0.4], "2")), "not learned with a witness");
    }
}
