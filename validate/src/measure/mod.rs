//! One scenario on both sides: predicted on the costs of this machine, and measured by `live` in
//! a process of its own.

pub(crate) mod child;
pub(crate) mod equal_speed;
pub(crate) mod platform;
pub(crate) mod predict;
pub(crate) mod rounds;
pub(crate) mod run;
