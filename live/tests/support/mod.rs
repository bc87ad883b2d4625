//! What tests of the whole program share: a folder of a test's own with a scenario in it,
//! the program, and what it leaves behind.

mod ended;
mod kept;
mod lab;
pub(crate) mod running;
mod web;

pub(crate) use ended::Ended;
pub(crate) use kept::Kept;
pub(crate) use lab::Lab;
pub(crate) use running::Running;
pub(crate) use web::get;

/// What things cost in all of these tests: little, so that two cores run several at a time.
pub(crate) const COSTS: &str = r#"
    [costs.cpu]
    request = "0.3ms"
    accept = "50us"
    call = "0.1ms"
    hop = "50us"
    statement = "50us"
    commit = "50us"
    open = "50us"
    [costs.query.default]
    engine = "50us"
"#;
