//! How fast the machine was on which costs were learned.

use std::collections::BTreeMap;

/// The speed of a machine, as a witness saw it, and what CPU time makes of it. It stands among what a profile says about
/// itself, [`crate::costs::Costs::about`], and is no part of a prediction: a measurement on a machine that is faster or
/// slower by now is compared with the prediction for that speed.
#[derive(Clone, Debug, PartialEq)]
pub struct MachineSpeed {
    /// Which work the witness does: only speeds of the same work can be compared.
    pub witness: String,
    /// Relative to that of the machine on which the work was first timed.
    pub speed: f64,
    /// CPU time goes with one over the speed to the power of this.
    pub power: f64,
}

/// The names in `about`.
const NAMES: [&str; 3] = ["witness", "speed", "speed_power"];

impl MachineSpeed {
    /// As `about` has it.
    pub fn written(&self) -> BTreeMap<String, String> {
        let values = [self.witness.clone(), self.speed.to_string(), self.power.to_string()];
        NAMES.iter().map(ToString::to_string).zip(values).collect()
    }

    /// What `about` says; none if it says nothing of it, or what cannot be.
    pub fn of(about: &BTreeMap<String, String>) -> Option<MachineSpeed> {
        let [witness, speed, power] = NAMES.map(|name| about.get(name));
        let number = |text: Option<&String>| text?.parse::<f64>().ok().filter(|x| x.is_finite());
        let speed = number(speed).filter(|speed| *speed > 0.0)?;
        let power = number(power).filter(|power| (0.0..=10.0).contains(power))?;
        Some(MachineSpeed { witness: witness?.clone(), speed, power })
    }

    /// How many times as fast CPU time passes where a witness of the same work sees the speed `now`; none if it does
    /// other work.
    pub fn factor(&self, witness: &str, now: f64) -> Option<f64> {
        let comparable = self.witness == witness && now > 0.0;
        comparable.then(|| libm::pow(now / self.speed, self.power))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speed() -> MachineSpeed {
        MachineSpeed { witness: "2".into(), speed: 0.64, power: 1.5 }
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(MachineSpeed::of(&speed().written()), Some(speed()));
        assert_eq!(MachineSpeed::of(&BTreeMap::new()), None);
        for (name, value) in [("speed", "0"), ("speed", "fast"), ("speed_power", "-1")] {
            let mut about = speed().written();
            about.insert(name.into(), value.into());
            assert_eq!(MachineSpeed::of(&about), None, "{name} = {value}");
        }
    }

    #[test]
    fn a_machine_of_the_same_speed_changes_nothing_and_other_work_says_nothing() {
        assert_eq!(speed().factor("2", 0.64), Some(1.0));
        assert_eq!(speed().factor("2", 2.56), Some(8.0));
        assert_eq!(speed().factor("3", 0.64), None);
    }
}
