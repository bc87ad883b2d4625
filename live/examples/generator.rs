//! The load generator alone, against any server: how much it sends, and how punctually.
//!
//!     cargo run --release --example generator -- 127.0.0.1:8099 users 50 10
//!     cargo run --release --example generator -- 127.0.0.1:8099 rate 2000 10
//!
//! The last number is the length in seconds, after one second of warm-up.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program of its own")]

use std::error::Error;
use std::sync::{Arc, mpsc};

use live::load::{self, Plan, Tally};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, kind, number, seconds] = arguments.as_slice() else {
        return Err("usage: generator ADDRESS users|rate NUMBER SECONDS".into());
    };
    let source = match kind.as_str() {
        "users" => format!("users = {number}"),
        "rate" => format!("rate = \"{number}/s\""),
        _ => return Err("either `users` or `rate`".into()),
    };
    let text = format!(
        "[costs]\n[load]\n{source}\nwarmup = \"1s\"\nduration = \"{seconds}s\"\n\
         [service]\nconcurrency = \"async\"\n\
         [[endpoint]]\nname = \"ok\"\nweight = 1\nsteps = [{{ cpu = \"1us\" }}]\n"
    );
    let resolved = model::read::load_text("generator", &text, &[])?;
    let plan = Plan { scenario: Arc::new(resolved.scenario), target: address.parse()?, own: None };
    let (_running, stop) = tokio::sync::watch::channel(false);
    let tally = load::run(&plan, stop, mpsc::channel().0)?;
    print(&tally);
    Ok(())
}

fn print(tally: &Tally) {
    let window = tally.window() as f64 / 1e9;
    let micros = |nanos: u64| nanos as f64 / 1e3;
    let lateness = |q| micros(tally.lateness.value_at_quantile(q));
    let times = &tally.classes[0].response_times;
    println!(
        "{:.0} good/s  errors {}  response time p50 {:.0} us p99 {:.0} us  \
         lateness p50 {:.0} us p99 {:.0} us max {:.0} us  cpu {:.0} %  sent {}  in flight {:.2}",
        tally.good() as f64 / window,
        tally.errors().iter().sum::<u64>(),
        micros(times.value_at_quantile(0.5)),
        micros(times.value_at_quantile(0.99)),
        lateness(0.5),
        lateness(0.99),
        micros(tally.lateness.max()),
        tally.cpu as f64 / 1e7 / window,
        tally.sent,
        tally.in_flight_mean(),
    );
}
