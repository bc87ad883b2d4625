//! What tests share that run real programs: a [`Lab`] (temporary folder, program, its
//! processes), waiting without a limit on time ([`wait_for`]), a small HTTP [`Server`] and
//! client ([`get`]), and text files to compare with ([`golden()`]).
//!
//! It knows none of the programs, and no test here or elsewhere depends on how fast the
//! machine is: an event is awaited for as long as there is progress.

mod golden;
mod http;
mod lab;
mod postgres;
mod processes;
mod python;
mod running;
mod terminal;
mod wait;

pub use golden::golden;
pub use http::{Reply, Request, Server, free_port, get};
pub use lab::Lab;
pub use postgres::{has_pgbouncer, has_postgres};
pub use processes::{Processes, starts_deaf_to_interrupts};
pub use python::has_python;
pub use running::{Ended, Running};
pub use terminal::Terminal;
pub use wait::{HANG, in_time, wait_for, wait_until};
