//! What a scenario is run on: a stack that this program starts, or a service of the user's own.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Args, Command, ValueEnum as _};

use super::options::Environment;
use crate::stack::{ServiceUrl, Target};

/// What to run a scenario on.
#[derive(Clone, Debug, Args)]
pub struct On {
    /// What serves the scenario: `axum` or `fastapi`, which this program starts, or the URL of a
    /// service of your own, such as http://127.0.0.1:8000
    #[arg(long, value_name = "TARGET", default_value = "axum")]
    #[arg(value_parser = PlaceParser, hide_possible_values = true)]
    pub target: Place,
    /// Start the service of your own with this command for each round, and end it and all that it
    /// has started after it
    #[arg(long, value_name = "COMMAND")]
    pub start: Option<String>,
    /// The first process of the database of the service of your own, if it runs here: the CPU time of
    /// all its processes counts as the database server's
    #[arg(long, value_name = "PID")]
    pub database_pid: Option<u32>,
    #[command(flatten)]
    pub hosts: Hosts,
    #[command(flatten)]
    pub environment: Environment,
}

/// Other machines.
#[derive(Clone, Debug, Default, Args)]
pub struct Hosts {
    /// Put load on this host too, though it is another machine (repeatable)
    #[arg(long = "allow-host", value_name = "NAME")]
    pub allowed: Vec<String>,
}

/// A stack, or where a service of the user's own listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A stack that this program starts.
    Stack(Target),
    /// A service of the user's own.
    Own(ServiceUrl),
}

impl Place {
    /// The stack that serves.
    pub fn target(&self) -> Target {
        match self {
            Place::Stack(target) => *target,
            Place::Own(_) => Target::Own,
        }
    }

    /// Its word on the command line.
    pub fn word(&self) -> String {
        match self {
            Place::Stack(target) => target.name().to_string(),
            Place::Own(url) => url.to_string(),
        }
    }
}

impl On {
    /// A stack that this program starts.
    pub fn stack(target: Target, environment: Environment) -> On {
        let (target, hosts) = (Place::Stack(target), Hosts::default());
        On { target, start: None, database_pid: None, hosts, environment }
    }

    /// The stack that serves.
    pub fn target(&self) -> Target {
        self.target.target()
    }

    /// Where the service of the user's own listens, if that is what serves.
    pub fn own(&self) -> Option<&ServiceUrl> {
        match &self.target {
            Place::Stack(_) => None,
            Place::Own(url) => Some(url),
        }
    }
}

/// Reads a [`Place`]; a shell that completes it offers the stacks.
#[derive(Clone, Debug)]
struct PlaceParser;

impl TypedValueParser for PlaceParser {
    type Value = Place;

    fn parse_ref(
        &self,
        command: &Command,
        option: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Place, clap::Error> {
        let parse = |text: String| -> Result<Place, String> {
            if let Ok(target) = Target::from_str(&text, false) {
                return Ok(Place::Stack(target));
            }
            if !text.contains([':', '.', '/']) {
                let words = "`axum`, `fastapi` or a URL such as http://127.0.0.1:8000";
                return Err(format!("it is none of {words}"));
            }
            text.parse().map(Place::Own)
        };
        StringValueParser::new().try_map(parse).parse_ref(command, option, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let stacks = Target::value_variants().iter().filter_map(Target::to_possible_value);
        Some(Box::new(stacks))
    }
}
