//! A service of one's own, which this program neither wrote nor knows from the inside: it runs
//! already, or is started with a command of the user's.

mod database;
mod keeper;
mod service;
mod url;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use model::read::{Diagnostic, Resolved};
use model::scenario::Scenario;

use super::{Install, Installation, Service, Stack, StackError, StartOptions};
use crate::machine::{Cpus, ProcessTree, Split};

pub use database::OwnDatabase;
pub use keeper::run_service_process;
pub use url::{ServiceUrl, Unreachable};

use service::Running;

/// Services of the user's own, as a stack: what they honour, the user knows.
#[derive(Debug)]
pub(super) struct Own;

impl Stack for Own {
    fn refusals(&self, resolved: &Resolved) -> Vec<Diagnostic> {
        let endpoints = resolved.scenario.endpoints.iter();
        let silent =
            endpoints.filter(|endpoint| endpoint.weight > 0.0 && endpoint.request.is_none());
        silent
            .map(|endpoint| {
                resolved.refusal(
                    &model::keys::path(&["endpoint", &endpoint.name]),
                    &format!("the endpoint `{}` does not say how it is asked for", endpoint.name),
                    "endpoints with a `request` when a service of your own is measured",
                    "add a key such as `request = { method = \"GET\", path = \"/items/{1..5000}\" }`",
                )
            })
            .collect()
    }

    fn warnings(&self, _: &Scenario) -> Vec<String> {
        Vec::new()
    }

    fn resource_sets(&self, _: &Scenario) -> u32 {
        1
    }

    fn missing(&self, _: &Install<'_>) -> Option<String> {
        None
    }

    fn install(
        &self,
        install: &Install<'_>,
        _: &mut dyn FnMut(&str),
    ) -> Result<Box<dyn Installation>, StackError> {
        self.open(install.folder)
    }

    /// A service is no installation: [`OwnService`] is what there is of it.
    fn open(&self, _: &Path) -> Result<Box<dyn Installation>, StackError> {
        Err(StackError::Own("a service of your own is named by its URL".into()))
    }
}

/// A service of the user's own, by its URL.
#[derive(Clone, Debug)]
pub struct OwnService {
    url: ServiceUrl,
    addresses: Vec<SocketAddr>,
    /// What starts it; none if it runs already.
    command: Option<String>,
    database: Option<OwnDatabase>,
}

impl OwnService {
    /// The service at `url`, which is started with `command` for each round if there is one. On
    /// other machines than this one load is only put on the hosts `allowed`.
    ///
    /// # Errors
    /// Its host is not known or not allowed; or it should run already and does not.
    pub fn new(
        url: ServiceUrl,
        allowed: &[String],
        command: Option<String>,
    ) -> Result<OwnService, Unreachable> {
        let addresses = url.addresses(allowed)?;
        if command.is_none() {
            url.answering(&addresses)?;
        }
        Ok(OwnService { url, addresses, command, database: None })
    }

    /// The same with its database, whose CPU time is told apart.
    pub fn with(self, database: OwnDatabase) -> OwnService {
        OwnService { database: Some(database), ..self }
    }
}

impl Installation for OwnService {
    fn versions(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    fn start(&self, options: StartOptions<'_>) -> Result<Box<dyn Service>, StackError> {
        Ok(Box::new(Running::start(self, &options)?))
    }

    fn own(&self) -> Option<&ServiceUrl> {
        Some(&self.url)
    }

    fn database(&self) -> Option<&OwnDatabase> {
        self.database.as_ref()
    }

    fn split(&self, allowed: &Cpus, cores: u32) -> Split {
        if self.command.is_some() {
            return Split::new(allowed, cores);
        }
        let tree = self.url.answering(&self.addresses).ok().and_then(ProcessTree::listening_at);
        Split::beside(tree.and_then(|tree| tree.cpus()), allowed, cores)
    }
}
