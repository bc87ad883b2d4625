//! The commands of docs/serve.md, as they stand there.

use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

fn has(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|ended| ended.status.success())
}

#[test]
fn the_commands_of_the_page_do_what_it_says() {
    if !has("curl") || !has("python3") {
        let _ = writeln!(std::io::stderr(), "skipped: there is no curl or no python3 here");
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the project");
    let page = std::fs::read_to_string(root.join("docs/serve.md")).expect("the page");
    let blocks = page.split("```sh\n").skip(1).filter_map(|block| block.split("```").next());
    let [one, other] = [free(), free()];
    let text: String = blocks.collect::<Vec<_>>().join("\n");
    let text = text
        .replace("sim serve &", "sim serve --listen 127.0.0.1:8080 &")
        .replace("sim serve", "sim serve --time 1h")
        // A machine may need longer than a reader.
        .replace("sleep 1", "waits")
        .replace("8080", &one.to_string())
        .replace("8081", &other.to_string());
    assert!(!text.contains("sleep 1") && text.matches("waits").count() == 2, "{text}");
    let script = format!(
        "set -eum\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n\
         waits() {{ until curl -s localhost:{one}/healthz >/dev/null; do sleep 0.1; done\n\
         [ ! -e tokens.txt ] || until curl -s localhost:{other}/healthz >/dev/null; do sleep 0.1; done; }}\n{text}"
    );
    let here = tempfile::tempdir().expect("a folder");
    let programs = Path::new(env!("CARGO_BIN_EXE_sim")).parent().expect("a folder").to_path_buf();
    let path = std::env::var_os("PATH").expect("a path");
    let path = std::env::join_paths([programs].into_iter().chain(std::env::split_paths(&path)));
    let ended = Command::new("bash")
        .args(["-c", &script])
        .current_dir(here.path())
        .env("PATH", path.expect("a path"))
        .output()
        .expect("bash runs");
    let (out, err) =
        (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success(), "{script}\n{out}\n{err}");
    for said in [
        "\"kind\": \"predicted\"",
        "{'value': ",
        "\"pointer\":\"/scenario/service/wokers\"",
        "did you mean `workers`?",
        "\"holds\": ",
        "rung_serve_requests_total{path=\"/predict\",status=\"422\"} 1",
    ] {
        assert!(out.contains(said), "`{said}` is missing in:\n{out}\n{err}");
    }
}

/// A port that is free now.
fn free() -> u16 {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
    socket.local_addr().expect("an address").port()
}
