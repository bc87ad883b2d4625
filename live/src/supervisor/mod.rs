//! Processes of a measurement: the parent starts the service's workers and the upstream,
//! asks them what they have counted, and ends them.
//!
//! A child's standard input is its listening socket, its standard output a socket to the
//! parent, over which both send messages of one line each. When the parent ends, however
//! it ends, that socket closes, and the child ends too.

mod bind;
mod channel;
mod child;
mod control;
mod line;
mod message;
mod stderr_tail;

use std::time::Duration;

pub use bind::{BindError, bind, inherited_listener};
pub use child::{Child, ChildError, this_program};
pub use control::{Control, ControlError};
pub use line::{Line, Switchboard};

/// How long a child may take to start: exceeded by a hang, not by a busy machine. An interrupt
/// ends this wait.
pub const START_TIMEOUT: Duration = Duration::from_secs(120);
/// How long a child may take to answer. After an interrupt the user waits for that too.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
