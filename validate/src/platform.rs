//! What axum, sqlx and reqwest cost by themselves on this machine: the *platform* profile,
//! without which nothing that is measured can be predicted.
//!
//! A profile says for which machine and which build it holds. One of another machine would be
//! a wrong prediction with the right digits; so it is measured again, and never silently.
//! Whoever names a profile has chosen it, whatever it says of itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use live::machine::facts::Facts;
use live::run::evidence;
use live::run::interrupt::Interrupt;
use model::costs::Costs;
use model::read::{Diagnostics, load_costs};
use render::{Console, Failure};

use crate::calibrate::session::{self, Order};
use crate::calibrate::{Target, about};

/// Where the profile is kept, below the current folder.
pub const PROFILE: &str = "costs/axum.toml";

/// Finds the platform profile: the one that is `named`, or that of this machine, which is
/// measured if there is none yet.
///
/// # Errors
/// It cannot be read, or not be measured.
pub fn costs(
    named: Option<&Path>,
    interrupt: &Interrupt,
    console: &mut Console<'_>,
) -> Result<Costs, Failure> {
    let file = match named {
        Some(file) => file.to_path_buf(),
        None => PathBuf::from(PROFILE),
    };
    if named.is_none() && !file.exists() {
        console.talk(&format!("{PROFILE}: there is no cost profile of this machine yet.\n"));
        return calibrated(&file, interrupt, console);
    }
    let costs = load_costs(&file).map_err(|problems| advised(problems, named.is_some()))?;
    match (unfit(&costs, &here()), named) {
        (None, _) => Ok(costs),
        (Some(why), Some(_)) => {
            console.talk(&format!("note: {}: {why}.\n", file.display()));
            Ok(costs)
        }
        (Some(why), None) => {
            console.talk(&format!("{}: {why}.\n", file.display()));
            calibrated(&file, interrupt, console)
        }
    }
}

/// The profile for a prediction that nothing is measured for: as [`costs`] finds it, but what
/// would have to be measured is left out, and that is told.
///
/// # Errors
/// There is a profile and it cannot be read.
pub fn costs_at_hand(
    named: Option<&Path>,
    console: &mut Console<'_>,
) -> Result<Option<Costs>, Failure> {
    let file = named.unwrap_or(Path::new(PROFILE));
    if named.is_none() && !file.exists() {
        console.talk(&format!(
            "note: {PROFILE}: there is no cost profile of this machine yet: predicted with the \
             scenario's own costs alone. `validate calibrate axum` measures it.\n"
        ));
        return Ok(None);
    }
    let costs = load_costs(file).map_err(|problems| advised(problems, named.is_some()))?;
    if let Some(why) = unfit(&costs, &here()) {
        console.talk(&format!("note: {}: {why}.\n", file.display()));
    }
    Ok(Some(costs))
}

/// Measures the profile, writes it to `file` and reads it.
fn calibrated(
    file: &Path,
    interrupt: &Interrupt,
    console: &mut Console<'_>,
) -> Result<Costs, Failure> {
    console.talk("Calibrating first: small probes of the real service, about four minutes.\n");
    let order = Order { file: file.to_path_buf(), ..Order::usual(Target::Axum) };
    let calibration = session::run(&order, interrupt, console)?;
    let unsound = calibration.costs.iter().filter(|cost| !cost.sound).count();
    if unsound > 0 {
        console.talk(&format!(
            "note: {}: {unsound} of its {} costs rest on fewer than two rounds without doubt; \
             `validate calibrate axum` tries again.\n",
            file.display(),
            calibration.costs.len(),
        ));
    }
    load_costs(file).map_err(|problems| advised(problems, false).into())
}

/// What to do about a profile that cannot be read.
fn advised(mut problems: Diagnostics, named: bool) -> Diagnostics {
    let advice = match named {
        true => "measure one with `validate calibrate axum --out FILE`",
        false => "put it right, or measure it again with `validate calibrate axum --force`",
    };
    for diagnostic in &mut problems.diagnostics {
        diagnostic.advice.get_or_insert_with(|| advice.into());
    }
    problems
}

/// What a profile must say in `[about]` to hold here. What the machine does not tell cannot
/// be asked for.
fn here() -> BTreeMap<String, String> {
    let facts = Facts::gather(Path::new("."));
    let known = evidence::machine(&facts);
    let all = [
        ("machine", about::machine(&known)),
        ("kernel", known.get("kernel").cloned()),
        ("stack", Some(format!("rung {}", facts.rung))),
    ];
    all.into_iter().filter_map(|(key, value)| Some((key.to_string(), value?))).collect()
}

/// Why a profile does not hold `here`; none if it does, as far as it says.
fn unfit(costs: &Costs, here: &BTreeMap<String, String>) -> Option<String> {
    const WHAT: [(&str, &str); 3] =
        [("machine", "another machine"), ("kernel", "another kernel"), ("stack", "another build")];
    WHAT.into_iter().find_map(|(key, what)| {
        let (theirs, ours) = (costs.about.get(key)?, here.get(key)?);
        (theirs != ours).then(|| format!("was measured on {what} ({theirs}; here it is {ours})"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(about: &[(&str, &str)]) -> Costs {
        let table: String =
            about.iter().map(|(key, text)| format!("{key} = \"{text}\"\n")).collect();
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("axum.toml");
        std::fs::write(&file, format!("[about]\n{table}")).expect("the folder is ours");
        load_costs(&file).expect("a valid profile")
    }

    #[test]
    fn a_profile_of_elsewhere_says_so() {
        let here = BTreeMap::from([
            ("machine".to_string(), "two cores".to_string()),
            ("stack".to_string(), "rung 0.1.0".to_string()),
        ]);
        let why = |about: &[(&str, &str)]| unfit(&profile(about), &here);
        assert_eq!(why(&[("machine", "two cores"), ("stack", "rung 0.1.0")]), None);
        // What it does not say, or the machine does not tell, cannot be wrong.
        assert_eq!(why(&[("kernel", "6.1"), ("method", "a guess")]), None);
        assert_eq!(
            why(&[("machine", "one core"), ("stack", "rung 0.2.0")]).as_deref(),
            Some("was measured on another machine (one core; here it is two cores)")
        );
        let stack = why(&[("stack", "rung 0.2.0")]).expect("another build");
        assert!(stack.contains("another build (rung 0.2.0; here it is rung 0.1.0)"), "{stack}");
    }

    #[test]
    fn this_machine_fits_itself() {
        let here = here();
        let about: Vec<(&str, &str)> = here.iter().map(|(k, v)| (&**k, &**v)).collect();
        assert!(here.contains_key("stack"));
        assert_eq!(unfit(&profile(&about), &here), None);
    }
}
