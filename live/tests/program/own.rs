//! A service of the user's own: it is asked as the endpoints say, and never touched.

use std::net::TcpStream;
use std::time::Duration;

use model::report::Report;
use model::station::StationId;
use rustix::process::{Signal, kill_process};
use testkit::{Reply, Request, Running, Server, free_port};

use crate::support::Lab;

/// A folder with a scenario whose endpoints have these `requests`.
fn lab(requests: &[&str]) -> Lab {
    let endpoint = |(index, request): (usize, &&str)| {
        format!("{{ name = \"e{index}\", weight = 1, request = {request} }}")
    };
    let endpoints: Vec<String> = requests.iter().enumerate().map(endpoint).collect();
    Lab::new(&format!(
        "load = {{ users = 3, think_time = \"5ms\", warmup = \"200ms\", duration = \"800ms\" }}
        service.concurrency = \"async\"
        endpoint = [{}]",
        endpoints.join(", ")
    ))
}

fn items() -> Lab {
    lab(&["{ path = \"/items/{1..50}?full={yes|no}\", headers = { x-shop = \"{uuid}\" } }"])
}

/// The report of `words` on the service at `address`.
fn measured(lab: &Lab, words: &str) -> Report {
    lab.measures(&format!("{words} --format json")).json()
}

/// A service with a reply for each path.
fn service(reply: impl Fn(&str) -> u16 + Send + Sync + 'static) -> Server {
    Server::new(move |request: &Request| {
        Reply::Answer(reply(&request.path), String::new(), Duration::from_millis(1))
    })
}

#[test]
fn a_service_that_runs_already_is_asked_as_its_endpoints_say() {
    let (lab, server) = (items(), service(|_| 200));
    let url = format!("http://{}", server.address);
    let report = measured(&lab, &format!("run shop.toml --target {url}"));
    let how = report.measurement.as_ref().expect("it was measured");
    assert_eq!(how.target, url);
    assert!(report.run.samples > 0 && how.accounting.adds_up(), "{how:?}");
    assert_eq!(report.error_share, 0.0);
    let requests = server.requests();
    assert_eq!(requests.len() as u64, how.accounting.sent);
    for request in &requests {
        let number = request.path.strip_prefix("/items/").and_then(|rest| rest.split_once('?'));
        let (number, query) = number.unwrap_or_else(|| panic!("{request:?}"));
        assert!((1..=50).contains(&number.parse::<u32>().expect("a number")), "{request:?}");
        assert!(["full=yes", "full=no"].contains(&query), "{request:?}");
        assert_eq!(request.headers["host"], server.address.to_string());
        assert_eq!(request.headers["x-shop"].len(), 36);
        assert!(request.headers.keys().all(|name| !name.starts_with("rung")), "{request:?}");
        assert!(!request.headers.contains_key("accept-encoding"), "{request:?}");
    }
    // Connections are kept.
    assert!(how.connections.opened <= 3, "{:?}", how.connections);
}

#[test]
fn of_a_service_of_ones_own_the_kernel_knows_the_cpu_and_nothing_else_is_told() {
    let (lab, server) = (items(), service(|_| 200));
    let report = measured(&lab, &format!("run shop.toml --target http://{}", server.address));
    let ids: Vec<&StationId> = report.stations.iter().map(|station| &station.id).collect();
    assert_eq!(ids, [&StationId::Cpu]);
    assert!(report.stations[0].utilisation > 0.0);
    let processes = &report.measurement.as_ref().expect("it was measured").processes;
    assert!(processes.iter().any(|process| process.is_worker() && process.cpu > 0.0));
    assert!(!report.tells("other_stations") && !report.tells("time") && report.time.is_empty());
    let text = lab.measures(&format!("run shop.toml --target http://{}", server.address)).out;
    let row = text.lines().find(|line| line.trim_start().starts_with("CPU")).expect("a row");
    assert!(row.trim_end().ends_with('-'), "what is not known is no zero: {text}");
}

/// A program that computes all the time, for as long as it is kept.
struct Busy(std::process::Child);

impl Busy {
    fn start() -> Busy {
        let mut shell = std::process::Command::new("sh");
        Busy(shell.args(["-c", "while :; do :; done"]).spawn().expect("a shell"))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.kill().and_then(|()| self.0.wait()).expect("it can be ended");
    }
}

#[test]
fn the_database_of_a_service_of_ones_own_is_told_apart() {
    let (lab, server, database) = (items(), service(|_| 200), Busy::start());
    lab.write(
        "stored.toml",
        "extends = \"shop.toml\"\ndatabase = { engine = \"postgres\", cpu = \"shared\" }\n",
    );
    let pid = database.0.id();
    let words = format!("run stored.toml --target http://{} --database-pid {pid}", server.address);
    let report = measured(&lab, &words);
    let how = report.measurement.as_ref().expect("it was measured");
    let told = how.database.as_ref().expect("it is told");
    assert!(told.utilisation > 0.0 && told.memory > 0 && told.version.is_empty(), "{told:?}");
    assert_eq!((told.looks, &told.counts), (0, &None), "it is only looked at");
    assert!(how.processes.iter().all(|process| !process.name.contains("network")), "{how:?}");
    // It runs on the service's processors in the scenario, and counts there.
    let cpu = &report.stations[0];
    assert!(cpu.utilisation > 0.9 * told.utilisation.min(1.0), "{cpu:?} {told:?}");
    // This test has started it, as a service may have started its database.
    let twice = format!("process {pid})");
    assert!(how.processes.iter().all(|process| !process.name.contains(&twice)), "{how:?}");
    let text = lab.measures(&words).out;
    let line = text.lines().find(|line| line.contains("your own")).expect("a line");
    assert!(line.contains("of a CPU"), "{line}");
}

#[test]
fn answers_that_are_not_good_are_counted_by_kind_and_told_by_status() {
    let requests = ["/good", "/moved", "/many", "/none", "/broken"];
    let lab =
        lab(&requests.map(|path| format!("{{ path = \"{path}\" }}")).each_ref().map(|s| &**s));
    let server = service(|path| match path {
        "/good" => 200,
        "/moved" => 302,
        "/many" => 429,
        "/none" => 404,
        _ => 500,
    });
    let report = measured(&lab, &format!("run shop.toml --target http://{}", server.address));
    let errors = |index: usize, kind: &str| {
        report.classes[index].errors.get(kind).copied().unwrap_or_default()
    };
    assert_eq!(errors(0, "service_failed") + errors(1, "service_failed"), 0.0);
    assert!(errors(2, "rejected") > 0.0 && errors(2, "service_failed") == 0.0);
    assert!(errors(3, "service_failed") > 0.0 && errors(4, "service_failed") > 0.0);
    let told = report.warnings.join("\n");
    for (path, status) in [("/many", 429), ("/none", 404), ("/broken", 500)] {
        let line = told.lines().find(|line| line.contains(&format!("GET {path} ")));
        assert!(line.is_some_and(|line| line.contains(&format!("times {status}"))), "{told}");
    }
    assert!(!told.contains("GET /good") && !told.contains("GET /moved"), "{told}");
}

#[test]
fn load_goes_to_a_service_that_runs_as_its_endpoints_say() {
    let (lab, server) = (items(), service(|_| 200));
    let report = measured(&lab, &format!("load shop.toml --to {}", server.address));
    assert!(report.run.samples > 0 && report.stations.is_empty() && !report.tells("stations"));
    assert!(server.requests().iter().all(|request| request.path.starts_with("/items/")));
}

#[test]
fn what_cannot_be_asked_is_refused_in_words() {
    let lab = items();
    lab.write(
        "silent.toml",
        "extends = \"shop.toml\"\n[[endpoint]]\nname = \"other\"\nweight = 1\n",
    );
    lab.write("bigger.toml", "extends = \"shop.toml\"\nservice.workers = 2\n");
    lab.write("busier.toml", "extends = \"shop.toml\"\nload.users = 2\n");
    let server = service(|_| 200);
    let (port, here) = (free_port(), server.address);
    for (words, told) in [
        (format!("run shop.toml --target http://127.0.0.1:{port}"), "start the service first"),
        (format!("load shop.toml --to 127.0.0.1:{port}"), "nothing accepts connections"),
        ("run shop.toml --target http://192.0.2.1:80".into(), "--allow-host 192.0.2.1"),
        ("load shop.toml --to http://192.0.2.1:80".into(), "--allow-host 192.0.2.1"),
        ("run shop.toml --target https://127.0.0.1:80".into(), "plain HTTP"),
        (format!("run shop.toml --target http://{here}/api"), "has a path"),
        ("run shop.toml --target django".into(), "`axum`, `fastapi` or a URL"),
        (format!("run silent.toml --target http://{here}"), "`other` does not say how it is asked"),
        (format!("run shop.toml bigger.toml --target http://{here}"), "differ in `service`"),
        (format!("ladder bigger.toml --target http://{here}"), "differ in `service`"),
        (format!("run shop.toml --target http://{here} --port 9"), "--port 9"),
        (format!("serve shop.toml --target http://{here}"), "one of your own"),
        ("run shop.toml --start true".into(), "--target URL"),
        ("run shop.toml --database-pid 1".into(), "--target URL"),
        (format!("run shop.toml --target http://{here} --database-pid 999999999"), "no process"),
        ("run shop.toml --set endpoint.e0.request.path=/{id}".into(), "`{id}`"),
        (format!("run shop.toml --target http://{here} --start true"), "already"),
    ] {
        let ended = lab.end(&words).with_code(2);
        assert!(ended.err.contains(told), "{words}: {ended:?}");
    }
    assert!(server.requests().is_empty());
    lab.measures(&format!("run shop.toml busier.toml --target http://{here}"));
}

#[test]
fn an_interrupted_run_keeps_what_it_has_measured() {
    let (lab, server) = (items(), service(|_| 200));
    let words = format!("run shop.toml --target http://{} --warmup 0s", server.address);
    let run = lab.start(&format!("{words} --duration 1h"));
    lab.wait_for("requests", || (server.requests().len() > 20).then_some(()));
    run.signal(Signal::INT);
    run.ended().with_code(3);
    let folder = lab.names("runs");
    let kept = std::fs::read_to_string(lab.path("runs").join(&folder[0]).join("report.json"));
    let report: Report = serde_json::from_str(&kept.expect("it is kept")).expect("a report");
    assert!(report.measurement.is_some_and(|how| how.interrupted) && report.run.samples > 0);
}

/// A service of Python's standard library, which `live` starts for each round, at a port.
fn started(lab: &Lab, port: u16, words: &str) -> Running {
    let mut command =
        lab.command(&format!("run shop.toml --target http://127.0.0.1:{port} {words}"));
    let serve = format!("python3 -m http.server {port} --bind 127.0.0.1 & wait");
    command.arg("--start").arg(serve);
    lab.start_command(command)
}

#[test]
fn a_service_is_started_for_each_round_and_ended_with_all_that_it_has_started() {
    let (lab, port) = (lab(&["{ path = \"/shop.toml\" }"]), free_port());
    let ended = started(&lab, port, "--repeat 2").ended().with_one_of(&[0, 3]);
    let report = lab.kept(&ended).report;
    assert!(report.run.replications == 2 && report.error_share == 0.0, "{report:?}");
    assert!(report.stations[0].utilisation > 0.0);
    lab.no_process_is_left();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn a_service_that_was_started_ends_with_the_program_however_that_ends() {
    let (lab, port) = (lab(&["{ path = \"/shop.toml\" }"]), free_port());
    let run = started(&lab, port, "--duration 1h");
    lab.wait_for("the service", || TcpStream::connect(("127.0.0.1", port)).ok());
    kill_process(run.pid(), Signal::KILL).expect("a process of ours");
    run.ended();
    lab.no_process_is_left();
}

#[test]
fn a_service_that_does_not_start_is_explained_in_its_own_words() {
    let (lab, port) = (items(), free_port());
    let mut command = lab.command(&format!("run shop.toml --target http://127.0.0.1:{port}"));
    command.arg("--start").arg("echo no such app >&2; exit 7");
    let ended = lab.start_command(command).ended().with_code(2);
    assert!(ended.err.contains("before it accepted connections"), "{ended:?}");
    assert!(ended.err.contains("exit status: 7"), "{ended:?}");
}
