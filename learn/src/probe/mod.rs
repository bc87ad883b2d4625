//! Asks a service that runs, one request at a time and several at once.

mod ask;
mod bursts;
mod connections;
mod cpu;
/// How an endpoint serves several requests at once.
pub mod decide;
mod directly;
mod each_query;
mod fill;
mod handler;
mod har;
mod health;
mod median;
mod mix;
mod openapi;
mod opening;
mod posterior;
mod queries;
mod session;
mod speed;
mod spread;
mod target;
mod unproxied;
mod witness;

pub use ask::Ask;
pub use fill::{Origin, fill};
pub use har::requests as har;
pub use mix::Mixed;
pub use openapi::{Found, requests as openapi};
pub use session::{Budget, DATABASE, Measured, Session, Stopped, Turn, Watcher};
pub use target::{Answer, Connection, Target, TargetError};
pub use witness::{Connections, Seen, SeenEndpoint, Witness};
