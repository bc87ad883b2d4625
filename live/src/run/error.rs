//! Why there is no measurement.

use std::io;
use std::path::{Path, PathBuf};

use model::read::Diagnostics;

use crate::load::LoadError;
use crate::machine::cpus::PinError;
use crate::service::database::DataError;
use crate::supervisor::{BindError, ChildError};

/// Why there is no measurement.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The scenario asks for what cannot be done for real.
    #[error("{0}")]
    Refused(#[from] Diagnostics),
    /// The port is taken or forbidden.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// A process does not do its part.
    #[error(transparent)]
    Child(#[from] ChildError),
    /// The database file cannot be made.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The load generator failed.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The processors cannot be had.
    #[error(transparent)]
    Pin(#[from] PinError),
    /// The folder for runs is of no use.
    #[error("cannot write to the folder {}: {source}; choose another with --out", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The system failed.
    #[error("the system fails: {0}")]
    System(#[source] io::Error),
    /// The load generator's thread ended with a bug.
    #[error("the load generator ended unexpectedly; this is a bug")]
    Generator,
    /// The user has thought better of it before there was anything to keep.
    #[error("interrupted before anything was measured")]
    Interrupted,
}

impl RunError {
    /// The folder cannot be written.
    pub fn folder(folder: &Path, source: io::Error) -> RunError {
        RunError::Folder { folder: folder.to_path_buf(), source }
    }
}
