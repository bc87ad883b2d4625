//! A cost profile by itself, as a file of its own.

use std::path::Path;

use super::check::check_profile;
use super::derive::derive;
use super::diagnostic::{Diagnostics, Problem, Problems};
use super::extends::with_name;
use super::files::{Disk, Files, LONGEST_FILE, Unreadable, stem};
use super::source::Sources;
use super::tree::{Value, parse};
use crate::costs::Costs;
use crate::keys::read_field;

/// Reads the cost profile in the file at `path`, which is taken as given.
///
/// # Errors
/// Every problem of the file.
pub fn load_costs(path: &Path) -> Result<Costs, Diagnostics> {
    costs_from(&Disk, &path.to_string_lossy())
}

pub(crate) fn costs_from(files: &dyn Files, path: &str) -> Result<Costs, Diagnostics> {
    let (mut sources, mut problems) = (Sources::default(), Problems::default());
    let costs = read(files, path, &mut sources, &mut problems);
    costs.filter(|_| problems.is_empty()).ok_or_else(|| problems.finish(&sources))
}

fn read(
    files: &dyn Files,
    path: &str,
    sources: &mut Sources,
    problems: &mut Problems,
) -> Option<Costs> {
    let text = match files.read(path, LONGEST_FILE) {
        Ok(text) => text,
        Err(why) => {
            let at = sources.add(path, None);
            problems.push(unreadable(Problem::new(at, format!("cannot be read: {why}")), &why));
            return None;
        }
    };
    let at = sources.add(path, Some(text.clone()));
    let node = parse(&text, at, problems)?;
    let Value::Table(table) = node.value else { return None };
    let mut root = check_profile(&with_name(table, stem(path), at), at, problems);
    if !problems.is_empty() {
        return None;
    }
    derive(&mut root);
    let costs = read_field(&root, "costs", &[]);
    if costs.is_none() {
        // A bug, but the user still deserves an answer rather than a panic.
        problems.push(Problem::new(at, "the profile cannot be built, and rung cannot say why"));
    }
    costs
}

fn unreadable(problem: Problem, why: &Unreadable) -> Problem {
    match why {
        Unreadable::Missing => problem.allowed("the path of a cost profile"),
        _ => problem.allowed("a TOML file of at most 1MiB"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::files::Memory;
    use super::*;
    use crate::scenario::Server;
    use crate::units::Span;

    fn read(text: &str) -> Result<Costs, String> {
        let files = Memory(BTreeMap::from([("costs/axum.toml".to_string(), text.into())]));
        costs_from(&files, "costs/axum.toml").map_err(|problems| problems.to_string())
    }

    #[test]
    fn a_profile_is_called_after_its_file_and_completed() {
        let costs = read("[about]\nmachine = \"mine\"\n[cpu]\nrequest = \"60us\"\n");
        let costs = costs.expect("a valid profile");
        assert_eq!((&*costs.name, &*costs.about["machine"]), ("axum", "mine"));
        assert_eq!(costs.cpu.async_.request.mean(), 60e-6);
        assert_eq!(costs.machine.context_switch, Span::ZERO);
    }

    #[test]
    fn where_nothing_is_burned_no_server_burns_more() {
        let costs = read("[server.axum]\ncpu_scale = 0.5\nrequest = \"30us\"\n");
        let costs = costs.expect("a valid profile");
        assert_eq!(costs.server_request(Server::Axum), Span::from_micros(30));
        let costs = costs.nothing_burned();
        assert!(costs.server_request(Server::Axum).is_zero());
        assert_eq!(costs.cpu_scale(Server::Axum), 0.5);
    }

    #[test]
    fn every_problem_is_told_with_its_place() {
        let told = read("[cpu]\nreqest = \"60us\"\ncall = 3\n").expect_err("two problems");
        assert!(told.contains("costs/axum.toml:2:1: unknown key `costs.cpu.reqest`"), "{told}");
        assert!(told.contains("did you mean `request`?"), "{told}");
        assert!(told.contains("costs/axum.toml:3:8: "), "{told}");
        assert!(read("[cpu\n").is_err());
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let told = load_costs(Path::new("no/such.toml")).expect_err("there is none").to_string();
        assert!(told.contains("no/such.toml: cannot be read: there is no such file"), "{told}");
    }
}
