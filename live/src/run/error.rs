//! Why there is no measurement.

use std::error::Error;
use std::io;

use model::read::Diagnostics;

use crate::dataset::DataError;
use crate::interrupt::Interrupted;
use crate::load::LoadError;
use crate::machine::PinError;
use crate::postgres::ClusterError;
use crate::stack::StackError;
use crate::supervisor::{BindError, ChildError};
use crate::temporary::FolderError;

/// Why there is no measurement.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The scenario asks for what cannot be done for real.
    #[error("{0}")]
    Refused(#[from] Diagnostics),
    /// The service does not start, or a worker cannot be replaced.
    #[error(transparent)]
    Stack(StackError),
    /// The mock upstream has no port.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The mock upstream does not start.
    #[error(transparent)]
    Child(#[from] ChildError),
    /// The database file cannot be made.
    #[error(transparent)]
    Data(#[from] DataError),
    /// There is no database server.
    #[error(transparent)]
    Cluster(Box<dyn Error + Send + Sync>),
    /// The load generator failed.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The processors cannot be had.
    #[error(transparent)]
    Pin(#[from] PinError),
    /// The folder for runs cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The system failed.
    #[error("the system fails: {0}")]
    System(#[source] io::Error),
    /// The load generator's thread ended with a bug.
    #[error("the load generator ended unexpectedly; this is a bug")]
    Generator,
    /// The user ended it before there was anything to keep.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl From<StackError> for RunError {
    fn from(error: StackError) -> RunError {
        match error {
            StackError::Interrupted(interrupted) => RunError::Interrupted(interrupted),
            other => RunError::Stack(other),
        }
    }
}

impl From<ClusterError> for RunError {
    fn from(error: ClusterError) -> RunError {
        match error {
            ClusterError::Interrupted(interrupted) => RunError::Interrupted(interrupted),
            ClusterError::Folder(error) => RunError::Folder(error),
            other => RunError::Cluster(Box::new(other)),
        }
    }
}
