//! k6 itself, where the machine has it: below `$GOPATH/bin` or on the path.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};

use model::read::{Resolved, load};
use model::stream::Draws;
use model::workload::{RequestKey, Workload};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use super::told::{file, measured, row, warns};
use super::{Told, validate};

/// k6, if it is here; else the test says that it was skipped.
fn k6() -> Option<PathBuf> {
    let go = std::env::var_os("GOPATH").map(PathBuf::from);
    let go = go.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join("go")));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = go.map(|go| go.join("bin")).into_iter().chain(std::env::split_paths(&path));
    let found = folders.map(|folder| folder.join("k6")).find(|file| file.is_file());
    if found.is_none() {
        let _ = writeln!(std::io::stderr(), "skipped: there is no k6 on this machine");
    }
    found
}

/// A folder with the script of the shop in it.
struct Lab {
    k6: PathBuf,
    folder: TempDir,
    shop: Resolved,
}

impl Lab {
    fn new(sets: &[&str]) -> Option<Lab> {
        let k6 = k6()?;
        let sets: Vec<String> = sets.iter().map(|set| set.to_string()).collect();
        let shop = load(file("shop.toml").as_ref(), &sets).expect("a valid scenario");
        let folder = tempfile::tempdir().expect("a folder");
        let script = live::k6::script(&shop.scenario, shop.path());
        fs::write(folder.path().join("shop.js"), script).expect("the folder is ours");
        Some(Lab { k6, folder, shop })
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Runs the script against `service`. Nothing leaves the machine.
    fn run(&self, service: SocketAddr, words: &[&str]) {
        let output = Command::new(&self.k6)
            .args(["run", "--quiet", "--no-usage-report", "--address", ""])
            .args(["-e", &format!("BASE_URL=http://{service}")])
            .args(words)
            .arg("shop.js")
            .current_dir(self.folder.path())
            .output()
            .expect("k6 runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{out}\n{err}");
        assert!(!err.contains("level=error"), "{err}");
    }
}

/// Answers requests on one connection, and tells of each its path and key.
fn answer(stream: TcpStream, tell: &Sender<(String, String)>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    loop {
        let (mut path, mut key) = (String::new(), String::new());
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            if let Some(rest) = line.strip_prefix("GET ") {
                path = rest.split(' ').next().unwrap_or_default().to_string();
            }
            if let Some((name, value)) = line.split_once(": ")
                && name.eq_ignore_ascii_case("rung-key")
            {
                key = value.to_string();
            }
        }
        // Whoever listens may have heard enough.
        let _ = tell.send((path, key));
        writer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?;
    }
}

/// Keys and paths of all requests that the script sends.
fn sent(lab: &Lab) -> BTreeMap<RequestKey, String> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let tell = tell.clone();
            std::thread::spawn(move || answer(stream, &tell));
        }
    });
    lab.run(address, &[]);
    let key = |text: &str| {
        let key = live::wire::Key::parse(text).unwrap_or_else(|| panic!("no key: {text}"));
        assert_eq!(key.sent, live::wire::NOT_TOLD);
        key.request
    };
    let mut all = BTreeMap::new();
    for (path, text) in told.try_iter() {
        assert_eq!(all.insert(key(&text), path), None, "{text} came twice");
    }
    all
}

/// Each key calls what our own load generator would call with it.
fn as_drawn(lab: &Lab, sent: &BTreeMap<RequestKey, String>) {
    let scenario = &lab.shop.scenario;
    let workload = Workload::new(scenario.seed, &scenario.load.source, &scenario.endpoints);
    let mut draws = Draws::new();
    for (key, path) in sent {
        let endpoint = &scenario.endpoints[workload.class(&mut draws, *key)];
        assert_eq!(*path, live::wire::path_of(&endpoint.name), "{key:?}");
    }
    let paths: std::collections::BTreeSet<&String> = sent.values().collect();
    assert_eq!(paths.len(), scenario.endpoints.len(), "every endpoint was called");
}

#[test]
fn k6_draws_what_our_own_load_generator_draws() {
    let Some(lab) = Lab::new(&["load.warmup=0s", "load.duration=2s"]) else { return };
    let sent = sent(&lab);
    as_drawn(&lab, &sent);
    // Each user counts its own requests, and leaves none out.
    for user in 0..8 {
        let own = sent.keys().filter(|key| key.lane == user).map(|key| key.index);
        let own: Vec<u64> = own.collect();
        assert!(!own.is_empty() && own == (0..own.len() as u64).collect::<Vec<_>>(), "{own:?}");
    }
    assert!(sent.keys().all(|key| key.lane < 8));
}

#[test]
fn k6_numbers_arrivals_as_our_own_load_generator_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = fs::read_to_string(file("shop.toml")).expect("a file");
    let (closed, rest) = text.split_once("\nservice.").expect("the load comes first");
    let (question, _) = closed.split_once("\nload").expect("there is a load");
    let open = r#"load = { rate = "40/s", max_users = 20, warmup = "0s", duration = "2s" }"#;
    let path = folder.path().join("shop.toml");
    fs::write(&path, format!("{question}\n{open}\nservice.{rest}")).expect("the folder is ours");
    let Some(mut lab) = Lab::new(&[]) else { return };
    lab.shop = load(&path, &[]).expect("a valid scenario");
    let script = live::k6::script(&lab.shop.scenario, "shop.toml");
    fs::write(lab.folder.path().join("shop.js"), script).expect("the folder is ours");
    let sent = sent(&lab);
    as_drawn(&lab, &sent);
    let indices: Vec<u64> = sent.keys().map(|key| key.index).collect();
    assert_eq!(indices, (0..indices.len() as u64).collect::<Vec<_>>());
    assert!(sent.keys().all(|key| key.lane == 0));
}

/// The service of the shop. It ends with its test.
struct Service(Child);

impl Service {
    fn start(folder: &Path) -> (Service, SocketAddr) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_validate"))
            .args(["live", "serve", &file("shop.toml")])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let mut line = String::new();
        let stdout = child.stdout.as_mut().expect("it is piped");
        BufReader::with_capacity(1, stdout).read_line(&mut line).expect("it is text");
        let service = Service(child);
        let (_, address) =
            line.split_once("http://").unwrap_or_else(|| panic!("no address: {line}"));
        (service, address.trim().parse().expect("an address"))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.0), Signal::INT);
        if let Some(stdout) = &mut self.0.stdout {
            let _ = stdout.read_to_end(&mut Vec::new());
        }
        let _ = self.0.wait();
    }
}

#[test]
fn all_that_k6_writes_of_the_live_service_is_read_back() {
    let Some(lab) = Lab::new(&[]) else { return };
    let (_service, address) = Service::start(lab.folder.path());
    let newer = "--new-machine-readable-summary";
    lab.run(address, &["-e", "SUMMARY=handle.json", "--summary-export", "export.json"]);
    lab.run(address, &["-e", "SUMMARY=newer-handle.json", "--summary-export", "newer.json", newer]);
    let shop = file("shop.toml");
    for (name, p99) in [
        ("handle.json", true),
        ("export.json", true),
        ("newer.json", false),
        ("newer-handle.json", false),
    ] {
        let path = lab.path(name);
        let Told(code, out, err) = validate(&["compare", "--k6", &path, &shop, "--format", "json"]);
        assert!([0, 1, 3].contains(&code), "{name}: {err}");
        let comparison: Value = serde_json::from_str(&out).expect("JSON");
        assert!(measured(&comparison, "throughput").is_some_and(|rate| rate > 0.0), "{name}");
        assert_eq!(measured(&comparison, "error_share"), Some(0.0), "{name}: {out}");
        assert_eq!(comparison["measured"]["duration"], 4.0, "{name}");
        let p99_told = !comparison["untold"].as_array().expect("a list").contains(&"p99".into());
        assert_eq!(p99_told, p99, "{name}");
        // The partner takes 20 ms and more.
        let quote = serde_json::json!({ "class": "quote" });
        let time = row(&comparison, &quote, "p50")["measured"]["value"].as_f64();
        assert!(time.is_some_and(|time| time > 0.01), "{name}: {time:?}");
        // Only what handleSummary wrote says of what it is.
        assert_eq!(warns(&comparison, "taken to be"), !name.contains("handle"), "{name}");
    }
}
