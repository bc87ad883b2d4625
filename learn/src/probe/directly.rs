//! The service without proxies between it and what it waits for.

use super::session::{Session, Stopped, Watcher};
use super::target::Connection;
use crate::process::Account;

/// Requests of each endpoint that make the service warm.
const WARM_UP: usize = 5;
/// Batches of requests of each endpoint one at a time.
const TURNS: usize = 5;

impl Session<'_> {
    /// Asks the service, which was started again without proxies and whose processes `account` counts,
    /// requests one at a time and requests of all endpoints together. A proxy takes time, and costs the
    /// service and its database CPU time: each message comes later and wakes its receiver up, and what would
    /// come in one message may come in two.
    ///
    /// # Errors
    /// It stopped early, for the reason that is given. The session keeps what was measured until then.
    pub async fn directly(
        &mut self,
        account: Account,
        watcher: &mut dyn Watcher,
    ) -> Result<(), Stopped> {
        self.account = account;
        self.witness = None;
        watcher.stage("the service without proxies, until it has loaded itself");
        self.settle().await?;
        for index in self.asked() {
            watcher.stage(&format!("{}: not counted", self.asks[index].name));
            let mut connection = Connection::default();
            for _ in 0..WARM_UP {
                self.one(index, &mut connection).await?;
            }
            self.uncounted(index).await?;
        }
        self.rest().await?;
        for turn in 1..=TURNS {
            for index in self.asked() {
                let name = &self.asks[index].name;
                watcher.stage(&format!(
                    "{name}: one at a time without proxies, turn {turn} of {TURNS}"
                ));
                let turn = self.batch(index, false).await?;
                self.measured[index].direct.extend(turn);
            }
        }
        self.mixes(watcher).await
    }
}
