//! The program in a folder with a scenario, and the runs that it keeps.

mod kept;
mod lab;

pub(crate) use kept::Kept;
pub(crate) use lab::Lab;
