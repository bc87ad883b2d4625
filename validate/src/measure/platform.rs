//! The costs of a stack by itself on this machine: the *platform* profile, without which no
//! measurement can be predicted.
//!
//! A profile says for which machine and which build it holds. One of another machine would be
//! a wrong prediction with the right digits; so it is measured again, and never silently.
//! A profile that the user names is used, wherever it was measured.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use live::Interrupt;
use live::cli::On;
use live::machine::{Facts, Turns, turns};
use live::run::describe_machine;
use live::stack::Target;
use model::costs::Costs;
use model::read::{Diagnostics, load_costs};
use model::scenario::{Engine, Scenario};
use render::{Console, Failure};

use crate::calibrate::about;
use crate::calibrate::session::{self, Interlude, Settings};
use crate::calibrate::stack::Databases;

/// The stack that scenarios run on, and its costs on this machine.
#[derive(Clone, Debug)]
pub struct Platform {
    /// The stack.
    pub target: Target,
    /// The costs of the stack by itself.
    pub costs: Costs,
    /// How threads take turns on this machine; none if it does not tell.
    pub turns: Option<Turns>,
}

impl Platform {
    /// The costs whose calibration was disturbed, by their keys.
    pub(crate) fn in_doubt(&self) -> Vec<&str> {
        let named = self.costs.about.get(about::IN_DOUBT).map_or("", String::as_str);
        named.split(about::COMMA).filter(|key| !key.is_empty()).collect()
    }

    /// The stack that costs `costs`, on this machine.
    fn here(target: Target, costs: Costs) -> Platform {
        Platform { target, costs, turns: turns(&facts()) }
    }
}

/// A stack as it is installed here: what a profile must fit.
#[derive(Clone, Debug)]
pub(crate) struct InstalledStack<'a> {
    /// The stack, and where its environment is.
    pub on: &'a On,
    /// The versions of its parts, as far as they are known.
    pub versions: BTreeMap<String, String>,
    /// A scenario has a Postgres server: the profile must know what that costs.
    pub postgres: bool,
}

impl InstalledStack<'_> {
    /// Its profile, below the current folder.
    fn profile(&self) -> PathBuf {
        session::file(self.on.target())
    }

    fn name(&self) -> &'static str {
        self.on.target().name()
    }

    /// All that the profile must know.
    fn databases(&self) -> Databases {
        if self.postgres { Databases::Both } else { Databases::Sqlite }
    }

    /// Why the costs of Postgres in a profile do not hold here; none if they do or nobody asks.
    fn server_unfit(&self, costs: &Costs) -> Option<String> {
        if !self.postgres {
            return None;
        }
        let name = self.name();
        if costs.postgres_client.is_none() {
            return Some(format!(
                "has no costs of Postgres, which `validate calibrate {name} --database postgres` \
                 measures"
            ));
        }
        let (theirs, ours) =
            (costs.about.get(about::POSTGRES)?, about::of_server(&here(&self.versions)));
        (*theirs != ours).then(|| {
            format!(
                "has costs of Postgres that were measured elsewhere ({theirs}; here it is {ours})"
            )
        })
    }
}

/// True if any of `scenarios` has a Postgres server.
pub(crate) fn uses_postgres<'a>(scenarios: impl IntoIterator<Item = &'a Scenario>) -> bool {
    let has = |scenario: &Scenario| {
        scenario.database.as_ref().is_some_and(|one| matches!(one.engine, Engine::Postgres(_)))
    };
    scenarios.into_iter().any(has)
}

/// The versions of a stack, as far as they are known without making anything.
pub(crate) fn versions(on: &On) -> BTreeMap<String, String> {
    let opened = on.target().stack().open(&on.environment.folder);
    opened.map(|installation| installation.versions()).unwrap_or_default()
}

/// Finds the platform profile: the one that is `named`, or that of this machine, which is
/// measured if there is none yet.
///
/// # Errors
/// It cannot be read, or not be measured.
pub(crate) fn find(
    named: Option<&Path>,
    installed: &InstalledStack<'_>,
    interrupt: &Interrupt,
    console: &mut Console<'_>,
) -> Result<Platform, Failure> {
    let file = named.map_or_else(|| installed.profile(), Path::to_path_buf);
    let costs = if named.is_none() && !file.exists() {
        let file = file.display();
        console.talk(&format!("{file}: there is no cost profile of this machine yet.\n"));
        calibrated(installed.databases(), installed, interrupt, console)?
    } else {
        let costs =
            load_costs(&file).map_err(|problems| advised(problems, named.is_some(), installed))?;
        match (unfit(&costs, &here(&installed.versions)), named) {
            (None, _) => with_server(costs, &file, named.is_some(), installed, interrupt, console)?,
            (Some(why), Some(_)) => {
                console.talk(&format!("note: {}: {why}.\n", file.display()));
                with_server(costs, &file, true, installed, interrupt, console)?
            }
            (Some(why), None) => {
                console.talk(&format!("{}: {why}.\n", file.display()));
                calibrated(installed.databases(), installed, interrupt, console)?
            }
        }
    };
    Ok(Platform::here(installed.on.target(), costs))
}

/// The profile `costs` of `file`, and what Postgres costs, which is measured if it is not there and
/// the profile was not `named`.
///
/// # Errors
/// It cannot be measured.
fn with_server(
    costs: Costs,
    file: &Path,
    named: bool,
    installed: &InstalledStack<'_>,
    interrupt: &Interrupt,
    console: &mut Console<'_>,
) -> Result<Costs, Failure> {
    match installed.server_unfit(&costs) {
        None => Ok(costs),
        Some(why) if named => {
            console.talk(&format!("note: {}: {why}.\n", file.display()));
            Ok(costs)
        }
        Some(why) => {
            console.talk(&format!("{}: {why}.\n", file.display()));
            calibrated(Databases::Postgres, installed, interrupt, console)
        }
    }
}

/// The profile of this machine, measured in so many `rounds` around `interlude`.
///
/// # Errors
/// It cannot be measured, or the interlude fails.
pub(crate) fn around(
    rounds: u32,
    installed: &InstalledStack<'_>,
    interrupt: &Interrupt,
    console: &mut Console<'_>,
    interlude: Interlude<'_>,
) -> Result<Platform, Failure> {
    let databases = installed.databases();
    let minutes = minutes(rounds, databases, installed.on.target());
    console.talk(&format!(
        "Calibrating before and after: {rounds} rounds of small probes of the real service, about \
         {minutes} minutes beside the scenarios.\n"
    ));
    let settings = Settings { rounds, databases, ..Settings::usual(installed.on.clone()) };
    let costs = measured(&settings, installed, interrupt, console, interlude)?;
    Ok(Platform::here(installed.on.target(), costs))
}

/// The profile for a prediction that nothing is measured for: as [`find`] finds it, but what
/// would have to be measured is left out, and that is told.
///
/// # Errors
/// There is a profile and it cannot be read.
pub(crate) fn at_hand(
    named: Option<&Path>,
    installed: &InstalledStack<'_>,
    console: &mut Console<'_>,
) -> Result<Option<Platform>, Failure> {
    let file = named.map_or_else(|| installed.profile(), Path::to_path_buf);
    if named.is_none() && !file.exists() {
        let name = installed.name();
        console.talk(&format!(
            "note: predicted with the scenario's own costs. Where rung's own {name} service was \
             measured, `validate calibrate {name}` finds what that costs beside them.\n"
        ));
        return Ok(None);
    }
    profile_of(&file, named.is_some(), installed, console).map(Some)
}

/// The profile that the user named for a prediction that nothing is measured for.
///
/// # Errors
/// It cannot be read.
pub(crate) fn named(
    file: &Path,
    installed: &InstalledStack<'_>,
    console: &mut Console<'_>,
) -> Result<Platform, Failure> {
    profile_of(file, true, installed, console)
}

fn profile_of(
    file: &Path,
    named: bool,
    installed: &InstalledStack<'_>,
    console: &mut Console<'_>,
) -> Result<Platform, Failure> {
    let costs = load_costs(file).map_err(|problems| advised(problems, named, installed))?;
    let elsewhere = unfit(&costs, &here(&installed.versions));
    for why in elsewhere.into_iter().chain(installed.server_unfit(&costs)) {
        console.talk(&format!("note: {}: {why}.\n", file.display()));
    }
    Ok(Platform::here(installed.on.target(), costs))
}

/// Measures the profile, writes it to its file and reads it.
fn calibrated(
    databases: Databases,
    installed: &InstalledStack<'_>,
    interrupt: &Interrupt,
    console: &mut Console<'_>,
) -> Result<Costs, Failure> {
    let settings = Settings { databases, ..Settings::usual(installed.on.clone()) };
    let minutes = minutes(settings.rounds, databases, installed.on.target());
    console.talk(&format!(
        "Calibrating first: small probes of the real service, about {minutes} minutes.\n"
    ));
    measured(&settings, installed, interrupt, console, &mut |_| Ok(()))
}

/// How long so many rounds of all probes take, in minutes.
fn minutes(rounds: u32, databases: Databases, target: Target) -> u32 {
    (rounds * databases.stack(target).seconds_per_round).div_ceil(60)
}

/// Calibrates, and reads what was written.
fn measured(
    settings: &Settings,
    installed: &InstalledStack<'_>,
    interrupt: &Interrupt,
    console: &mut Console<'_>,
    interlude: Interlude<'_>,
) -> Result<Costs, Failure> {
    let (file, name) = (&settings.file, installed.name());
    let calibration = session::around(settings, interrupt, console, interlude)?;
    let unsound = calibration.in_doubt().count();
    if unsound > 0 {
        console.talk(&format!(
            "note: {}: {unsound} of its {} costs rest on fewer than two rounds without doubt; \
             `validate calibrate {name}` tries again.\n",
            file.display(),
            calibration.costs.len(),
        ));
    }
    load_costs(file).map_err(|problems| advised(problems, false, installed).into())
}

/// Adds advice to the problems of a profile that cannot be read.
fn advised(mut problems: Diagnostics, named: bool, installed: &InstalledStack<'_>) -> Diagnostics {
    let calibrate = format!("validate calibrate {}", installed.name());
    let advice = match named {
        true => format!("measure one with `{calibrate} --out FILE`"),
        false => format!("put it right, or measure it again with `{calibrate} --force`"),
    };
    for diagnostic in &mut problems.diagnostics {
        diagnostic.advice.get_or_insert_with(|| advice.clone());
    }
    problems
}

fn facts() -> Facts {
    Facts::gather(Path::new("."))
}

/// The values of `[about]` that a profile of this machine has, as far as they are known.
fn here(versions: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let known = describe_machine(&facts());
    let all = [
        ("machine", about::machine(&known)),
        ("kernel", known.get("kernel").cloned()),
        ("stack", about::stack(versions)),
    ];
    all.into_iter().filter_map(|(key, value)| Some((key.to_string(), value?))).collect()
}

/// Why a profile does not hold `here`; none if it does, as far as it says.
fn unfit(costs: &Costs, here: &BTreeMap<String, String>) -> Option<String> {
    const WHAT: [(&str, &str); 3] =
        [("machine", "another machine"), ("kernel", "another kernel"), ("stack", "another build")];
    let elsewhere = WHAT.into_iter().find_map(|(key, what)| {
        let (theirs, ours) = (costs.about.get(key)?, here.get(key)?);
        (theirs != ours).then(|| format!("was measured on {what} ({theirs}; here it is {ours})"))
    });
    // What a calibration writes takes time.
    let old = costs.about.contains_key(about::WRITTEN_BY) && costs.network.connect.is_zero();
    elsewhere.or_else(|| {
        old.then(|| "does not say how quickly connections are opened (network.connect)".to_string())
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
        let old = why(&[("written_by", "validate calibrate axum")]).expect("an old one");
        assert!(old.contains("network.connect"), "{old}");
    }

    #[test]
    fn this_machine_fits_itself() {
        let here = here(&live::versions());
        let about: Vec<(&str, &str)> = here.iter().map(|(k, v)| (&**k, &**v)).collect();
        assert!(here.contains_key("stack"));
        assert_eq!(unfit(&profile(&about), &here), None);
    }
    #[test]
    fn each_stack_has_a_profile_and_unknown_versions_fit_any() {
        let installed = |target, environment: &str| {
            let on = On::stack(target, live::cli::Environment { folder: environment.into() });
            (session::file(target), here(&versions(&on)))
        };
        let (axum, here_axum) = installed(Target::Axum, "");
        let (fastapi, here_fastapi) = installed(Target::Fastapi, "/proc/none");
        assert_eq!((axum, fastapi), ("costs/axum.toml".into(), "costs/fastapi.toml".into()));
        let other = profile(&[("stack", "fastapi 0.1.0")]);
        assert!(unfit(&other, &here_axum).is_some_and(|why| why.contains("another build")));
        assert_eq!(unfit(&other, &here_fastapi), None);
    }
}
