//! `sim ui` as a process: who may ask, what it keeps, how it ends.
#![cfg(feature = "ui")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

const SHOP: &str = r#"
    question = "</script><b>why?</b>"
    costs.cpu.request = "1ms"
    load = { users = 5, warmup = "1s", duration = "2s" }
    service.concurrency = "async"
    endpoint = [{ name = "list", weight = 1, steps = [{ cpu = "1ms" }] }]
"#;

/// The program with a file, in a folder of its own.
struct Page {
    program: Child,
    folder: tempfile::TempDir,
    port: u16,
    /// The path of the page, with its token.
    path: String,
}

impl Page {
    fn of(text: &str, words: &[&str]) -> Page {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("shop.toml"), text).expect("written");
        let mut program = sim(folder.path(), words).spawn().expect("sim starts");
        let mut line = String::new();
        let out = program.stdout.take().expect("a pipe");
        BufReader::new(out).read_line(&mut line).expect("an address");
        let rest = line.trim().strip_prefix("http://127.0.0.1:").expect("an address").to_string();
        let (port, path) = rest.split_once('/').expect("a path");
        let port = port.parse().expect("a port");
        Page { program, folder, port, path: format!("/{path}") }
    }

    /// Status, head and body of the reply to a request with these headers.
    fn reply(&self, method: &str, path: &str, headers: &str, body: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {length}\r\n\
             {headers}\r\n{body}"
        )
        .expect("sent");
        let mut reply = String::new();
        stream.read_to_string(&mut reply).expect("a reply");
        let (head, body) = reply.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|text| text.parse().ok()).expect("a status");
        (status, head.to_lowercase(), body.to_string())
    }

    fn host(&self) -> String {
        format!("host: 127.0.0.1:{}\r\n", self.port)
    }

    fn get(&self, file: &str) -> String {
        let (status, _, body) =
            self.reply("GET", &format!("{}{file}", self.path), &self.host(), "");
        assert_eq!(status, 200, "{file}");
        body
    }

    fn post(&self, what: &str, question: &Value) -> Value {
        let path = format!("{}{what}", self.path);
        let (status, _, body) = self.reply("POST", &path, &self.host(), &question.to_string());
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).expect("JSON")
    }

    /// Ends it as Ctrl-C does; its exit code.
    fn end(&mut self) -> Option<i32> {
        let id = self.program.id().to_string();
        Command::new("kill").args(["-INT", &id]).status().expect("a signal");
        self.program.wait().expect("it ends").code()
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

fn sim(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
    command.current_dir(folder).arg("ui").args(words);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn only_its_own_page_is_answered() {
    let page = Page::of(SHOP, &["shop.toml"]);
    let (port, path) = (page.port, &page.path);
    let status = |path: &str, headers: &str| page.reply("GET", path, headers, "").0;
    let own = page.host();
    assert_eq!(status(path, &own), 200);
    assert_eq!(status(path, &format!("{own}origin: http://127.0.0.1:{port}\r\n")), 200);
    for (path, headers) in [
        ("/", own.clone()),
        ("/app.js", own.clone()),
        (&path[..path.len() - 2], own.clone()),
        (path, format!("host: evil.example:{port}\r\n")),
        (path, format!("{own}origin: http://evil.example\r\n")),
        (path, format!("{own}origin: null\r\n")),
        (path, format!("{own}sec-fetch-site: cross-site\r\n")),
    ] {
        assert_eq!(status(path, &headers), 403, "{path} {headers}");
    }
    let question = json!({ "ask": "keys" }).to_string();
    let foreign = format!("{own}origin: https://evil.example\r\n");
    assert_eq!(page.reply("POST", &format!("{path}ask"), &foreign, &question).0, 403);
    let (_, head, _) = page.reply("GET", path, &own, "");
    for wanted in ["default-src 'none'", "no-store", "no-referrer", "nosniff"] {
        assert!(head.contains(wanted), "{wanted}: {head}");
    }
}

#[test]
fn no_file_of_the_page_asks_a_network_for_anything() {
    let page = Page::of(SHOP, &["shop.toml", "--set", "question=</script>"]);
    for file in ["", "app.js", "start.js", "style.css"] {
        let text = page.get(file);
        for scheme in ["http:", "https:", "@import", "url("] {
            assert!(!text.contains(scheme), "{file}: {scheme}");
        }
    }
    // What the user wrote ends no script.
    assert!(!page.get("start.js").contains("</"));
    let keys = page.post("ask", &json!({ "ask": "keys" }));
    assert_eq!(keys["question"], "</script><b>why?</b>");
}

#[test]
fn it_saves_beside_the_file_and_replaces_none() {
    let page = Page::of(SHOP, &["shop.toml"]);
    let state = json!({ "ask": "child", "set": ["service.workers=3"], "name": "more" });
    assert_eq!(page.post("save", &state), json!({ "answer": "saved", "file": "more.toml" }));
    let saved = page.folder.path().join("more.toml");
    let read = model::read::load(&saved, &[]).expect("right").scenario;
    assert_eq!(read.service.workers, 3);
    let again = page.post("save", &state);
    assert_eq!(again["problems"][0]["found"], "is there already");
    let outside = json!({ "ask": "child", "set": ["load.users=3"], "name": "../more" });
    assert_eq!(page.post("save", &outside)["answer"], "refused");
    let wrong = json!({ "ask": "child", "set": ["load.users=x"], "name": "other" });
    assert_eq!(page.post("save", &wrong)["answer"], "refused");
    assert_eq!(std::fs::read_dir(page.folder.path()).expect("a folder").count(), 2);
}

#[test]
fn a_broken_line_is_shown_by_the_page_until_it_is_right() {
    let page = Page::of(&format!("{SHOP}\nwokers = 1"), &["shop.toml"]);
    let told = page.post("ask", &json!({ "ask": "keys" }));
    assert_eq!((&told["answer"], &told["problems"][0]["line"]), (&json!("refused"), &json!(8)));
    std::fs::write(page.folder.path().join("shop.toml"), SHOP).expect("written");
    assert_eq!(page.post("ask", &json!({ "ask": "keys" }))["answer"], "keys");
}

#[test]
fn ctrl_c_ends_it_and_frees_its_port() {
    let mut page = Page::of(SHOP, &["shop.toml"]);
    page.post("ask", &json!({ "ask": "rough" }));
    // One that would take hours does not keep it.
    let mut open = TcpStream::connect(("127.0.0.1", page.port)).expect("it listens");
    let question = json!({ "ask": "sharp", "set": ["load.duration=9000h"] }).to_string();
    let (path, host, length) = (&page.path, page.host(), question.len());
    write!(open, "POST {path}ask HTTP/1.1\r\n{host}content-length: {length}\r\n\r\n{question}")
        .expect("sent");
    assert_eq!(page.end(), Some(0));
    TcpListener::bind(("127.0.0.1", page.port)).expect("the port is free");
}

#[test]
fn wrong_words_end_it_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("shop.toml"), SHOP).expect("written");
    let taken = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    for (words, told) in [
        (vec!["no-such.toml"], "there is no such file"),
        (vec!["shop.toml", "--set", "load.user=3"], "did you mean `users`?"),
        (vec!["shop.toml", "--keep", "p99 > fast"], "--keep"),
        (vec!["shop.toml", "--port", &port], "cannot listen on port"),
    ] {
        let out = sim(folder.path(), &words).output().expect("sim ends");
        let err = String::from_utf8_lossy(&out.stderr);
        assert_eq!((out.status.code(), out.stdout.len()), (Some(2), 0), "{words:?}: {err}");
        assert!(err.contains(told), "{words:?}: {err}");
    }
}
