use sim::replicate::*;
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let t = std::time::Instant::now();
    let r = match model::read::load(std::path::Path::new(&args[0]), &args[1..]) {
        Ok(r) => r,
        Err(e) => {
            eprintln!("{e}");
            std::process::exit(2)
        }
    };
    let loaded = t.elapsed();
    let seen = replications(&r.scenario, &Effort::default(), &mut |_| {}).unwrap();
    let ran = t.elapsed();
    let report = sim::answer::report(&r.scenario, String::new(), &seen, 0.95);
    println!(
        "{}: X {:?} n={} load {:?} run {:?} report {:?}",
        r.scenario.name,
        report.throughput,
        seen.seen.len(),
        loaded,
        ran - loaded,
        t.elapsed() - ran
    );
    println!(
        "  rt {:?}\n  cpu {:?} errors {:?} inflight {:?}",
        report.response_time, report.stations[0].utilisation, report.errors, report.in_flight
    );
    for p in &report.time {
        println!("   {:<30} {:.6}", p.place, p.seconds);
    }
    for b in &report.bounds {
        println!("   bound {:<36} {:.2}  {}", b.name, b.throughput, b.law);
    }
    if std::env::var("STATIONS").is_ok() {
        for b in &report.stations {
            println!("   {b:?}");
        }
    }
}
