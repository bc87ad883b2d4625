//! The commands of docs/your-own-service.md, as they stand there.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The blocks of commands of a page, in order.
fn commands(page: &str) -> String {
    let blocks = page.split("```sh\n").skip(1);
    blocks.filter_map(|block| block.split("```").next()).collect::<Vec<_>>().join("\n")
}

/// The folder of the programs; `cargo test --workspace` builds them all.
fn programs() -> PathBuf {
    let folder = Path::new(env!("CARGO_BIN_EXE_learn")).parent().expect("a folder");
    for program in ["sim", "live", "validate"] {
        let path = folder.join(program);
        assert!(path.exists(), "{} is missing: cargo build --workspace", path.display());
    }
    folder.to_path_buf()
}

#[test]
fn the_tutorial_leads_to_a_verdict() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the project");
    let page = std::fs::read_to_string(root.join("docs/your-own-service.md")).expect("the page");
    let here = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink(root.join("examples"), here.path().join("examples"))
        .expect("the examples");
    // The environment that other tests make, too, in the place of the one of the page.
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fastapi");
    let environment = environment.display();
    // Other ports than those that somebody may use here, and no more time than the words need.
    let [shop, partner, proxy] = [free(), free(), free()];
    let text = commands(&page)
        .replace("setup fastapi ", &format!("setup fastapi --environment {environment} "))
        .replace("$PWD/.rung/fastapi", &environment.to_string())
        .replace("8000", &shop.to_string())
        .replace("8001", &partner.to_string())
        .replace("9001", &proxy.to_string())
        .replace(
            "--start 'exec uvicorn",
            &format!("--start 'PARTNER=http://127.0.0.1:{partner} exec uvicorn"),
        );
    let path = std::env::join_paths(
        [programs()]
            .into_iter()
            .chain(std::env::split_paths(&std::env::var_os("PATH").expect("a path"))),
    )
    .expect("a path");
    let script = format!("set -eum\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{text}");
    let ended = Command::new("bash")
        .args(["-c", &script])
        .current_dir(here.path())
        .env("PATH", path)
        .output()
        .expect("bash runs");
    let (out, err) =
        (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success(), "{script}\n{out}\n{err}");
    for said in ["as known", "GET /quote/{1..5000}", "predicted", "measured"] {
        assert!(out.contains(said), "`{said}` is missing in:\n{out}\n{err}");
    }
    let mine = std::fs::read_to_string(here.path().join("mine.toml")).expect("the scenario");
    assert!(mine.contains("call = \"partner\""), "{mine}");
}

/// A port that is free now.
fn free() -> u16 {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    socket.local_addr().expect("an address").port()
}
