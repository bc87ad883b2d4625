//! Why a service does not run.

use std::error::Error;
use std::io;

use crate::interrupt::Interrupted;
use crate::supervisor::{BindError, ChildError};
use crate::temporary::FolderError;

/// Why a service does not run.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// What the stack needs is missing and cannot be installed.
    #[error(transparent)]
    Install(Box<dyn Error + Send + Sync>),
    /// The port is taken or forbidden.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// A process does not start, or does not answer.
    #[error(transparent)]
    Child(#[from] ChildError),
    /// There is no folder for its files.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A service of the user's own is not there, or does not start.
    #[error("{0}")]
    Own(String),
    /// The system failed.
    #[error("the system fails: {0}")]
    System(#[from] io::Error),
    /// The user wants to end.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}
