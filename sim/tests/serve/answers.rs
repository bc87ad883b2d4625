//! Answers have the bytes of the commands, and errors are those of the commands.

use std::path::Path;

use serde_json::{Value, json};
use testkit::Lab;

use crate::server::{SHOP, Server};

/// A shop that is in several files. It is slow, so that its runs have few events.
const FILES: [(&str, &str); 3] = [
    ("base.toml", "extends = \"parts/root.toml\"\nservice.concurrency = \"threadpool\"\n"),
    (
        "parts/root.toml",
        r#"
        costs = "costs.toml"
        load = { users = 3, warmup = "5s", duration = "20s" }
        service.concurrency = "async"
        endpoint = [
            { name = "list", weight = 2, steps = [{ cpu = "100ms" }] },
            { name = "quote", weight = 1, steps = [{ cpu = "50ms" }, { sleep = "200ms" }] },
        ]
        "#,
    ),
    ("parts/costs.toml", "cpu.request = \"10ms\"\n"),
];
const SHOP_2: &str = "extends = \"base.toml\"\nservice.workers = 2\n";

/// A search has many runs.
const SHORT: [&str; 2] = ["load.warmup=1s", "load.duration=4s"];

/// A slow machine may take longer than is usual.
const PATIENT: &str = "--time 1h";

/// What the command prints for the same files.
fn printed(lab: &Lab, words: &[&str]) -> String {
    let mut command = lab.command("");
    command.args(words).args(["--format", "json"]);
    let ended = lab.start_command(command).ended();
    assert!(matches!(ended.code, Some(0 | 4)), "{words:?}: {ended:?}");
    ended.out
}

/// A folder with the files, as a user of the command has them.
fn folder() -> Lab {
    let lab = Lab::new(env!("CARGO_BIN_EXE_sim"));
    lab.write("shop.toml", SHOP_2);
    FILES.iter().for_each(|(name, text)| lab.write(name, text));
    lab
}

/// A question about the shop, with these fields too.
fn question(more: Value) -> Value {
    let files: serde_json::Map<_, _> =
        FILES.iter().map(|&(name, text)| (name.into(), text.into())).collect();
    let mut question = json!({ "name": "shop.toml", "scenario": SHOP_2, "files": files });
    let more = more.as_object().expect("fields").clone();
    question.as_object_mut().expect("fields").extend(more);
    question
}

#[test]
fn an_answer_has_the_bytes_of_the_command() {
    let (server, lab) = (Server::with(PATIENT), folder());
    let cases: [(&str, Value, &[&str]); 7] = [
        ("/predict", json!({}), &["scenario", "shop"]),
        (
            "/predict",
            json!({ "set": ["service.workers=3", "load.users=4"], "seed": 9, "replications": 4,
                    "confidence": "90%", "keep": ["p99 < 1ms"], "goal": "p99", "over_time": true }),
            &[
                "scenario",
                "shop",
                "--set",
                "service.workers=3",
                "--set",
                "load.users=4",
                "--seed",
                "9",
                "--replications",
                "4",
                "--confidence",
                "90%",
                "--keep",
                "p99 < 1ms",
                "--goal",
                "p99",
                "--over-time",
            ],
        ),
        (
            "/predict",
            json!({ "profile": "costs/study.toml", "precision": "10%" }),
            &["scenario", "shop", "--set", "costs=costs/study.toml", "--precision", "10%"],
        ),
        ("/explain", json!({ "replications": 3 }), &["explain", "shop", "--replications", "3"]),
        (
            "/size",
            json!({ "keep": ["p99 < 2s"], "open": true, "set": SHORT }),
            &["size", "shop", "--keep", "p99 < 2s", "--open", "--set", SHORT[0], "--set", SHORT[1]],
        ),
        (
            "/size",
            json!({ "keep": ["p99 < 2s"], "headroom": true, "set": SHORT }),
            &[
                "size",
                "shop",
                "--keep",
                "p99 < 2s",
                "--headroom",
                "--set",
                SHORT[0],
                "--set",
                SHORT[1],
            ],
        ),
        (
            "/ladder",
            json!({ "replications": 2, "set": ["load.users=4"] }),
            &["ladder", "shop", "--replications", "2", "--set", "load.users=4"],
        ),
    ];
    for (path, more, words) in cases {
        let reply = server.post(path, &question(more));
        assert_eq!(reply.status, 200, "{words:?}: {reply:?}");
        assert!(reply.head.contains("content-type: application/json"), "{reply:?}");
        assert_eq!(reply.body, printed(&lab, words), "{words:?}");
    }
}

#[test]
fn built_in_files_need_not_be_sent() {
    let (server, lab) = (Server::with(PATIENT), Lab::new(env!("CARGO_BIN_EXE_sim")));
    lab.write("mine.toml", "extends = \"v2.toml\"\nload.duration = \"5s\"\n");
    let words = ["scenario", "mine.toml", "--replications", "2"];
    let text = "extends = \"v2.toml\"\nload.duration = \"5s\"\n";
    let object = json!({ "extends": "v2.toml", "load": { "duration": "5s" } });
    for scenario in [json!(text), object] {
        let question = json!({ "name": "mine", "scenario": scenario, "replications": 2 });
        let reply = server.post("/predict", &question);
        assert_eq!((reply.status, reply.body), (200, printed(&lab, &words)));
    }
}

/// TOML as JSON, keys in their order.
fn object(text: &str) -> Value {
    fn of(item: &toml_edit::Value) -> Value {
        match item {
            toml_edit::Value::String(text) => json!(text.value()),
            toml_edit::Value::Integer(number) => json!(number.value()),
            toml_edit::Value::Float(number) => json!(number.value()),
            toml_edit::Value::Boolean(flag) => json!(flag.value()),
            toml_edit::Value::Array(items) => items.iter().map(of).collect(),
            toml_edit::Value::InlineTable(table) => {
                Value::Object(table.iter().map(|(key, value)| (key.into(), of(value))).collect())
            }
            toml_edit::Value::Datetime(_) => panic!("no key is a date"),
        }
    }
    let document = text.parse::<toml_edit::DocumentMut>().expect("TOML");
    of(&document.as_table().clone().into_inline_table().into())
}

#[test]
fn a_scenario_may_be_an_object() {
    let server = Server::with("");
    for (name, text) in
        [("shop.toml", SHOP), ("other.toml", &*format!("{SHOP}\nservice.workers = 2"))]
    {
        let ask = |scenario: Value| {
            server
                .post("/predict", &json!({ "name": name, "scenario": scenario, "replications": 2 }))
        };
        let (as_text, as_object) = (ask(json!(text)), ask(object(text)));
        assert_eq!((as_text.status, &as_text.body), (200, &as_object.body));
    }
}

#[test]
fn errors_are_those_of_the_command() {
    let (server, lab) = (Server::with(""), folder());
    let wrong = "extends = \"base.toml\"\nservice.wokers = 2\n[load]\nusers = \"many\"\n";
    lab.write("shop.toml", wrong);
    let command = ["scenario", "shop", "--set", "load.user=3", "--format", "json"];
    let mut started = lab.command("");
    started.args(command);
    let ended = lab.start_command(started).ended().with_code(2);
    let told: Value = serde_json::from_str(&ended.err).expect("JSON");
    let asked = question(json!({ "scenario": wrong, "set": ["load.user=3"] }));
    let problem = server.post("/predict", &asked).is_problem(422, "scenario");
    assert_eq!(problem["errors"], told);
    assert_eq!(told.as_array().map(Vec::len), Some(3), "{told}");
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.starts_with("3 errors")));
}

#[test]
fn an_error_in_an_object_has_its_place_in_the_body() {
    let server = Server::with("");
    let mut scenario = object(SHOP);
    scenario["load"]["user"] = json!(3);
    scenario["endpoint"][0]["steps"] = json!([{ "cpu": "1 mile" }]);
    scenario["a/b"] = json!(null);
    let problem =
        server.post("/predict", &json!({ "scenario": scenario })).is_problem(422, "scenario");
    // TOML has no null, and says nothing of the rest before that is right.
    assert_eq!(problem["errors"][0]["pointer"], "/scenario/a~1b", "{problem}");
    scenario.as_object_mut().expect("an object").remove("a/b");
    let files = json!({ "parts/costs.toml": { "cpu": { "requests": "1ms" } } });
    scenario["costs"] = json!("parts/costs.toml");
    let question = json!({ "scenario": scenario, "files": files });
    let problem = server.post("/predict", &question).is_problem(422, "scenario");
    let errors = problem["errors"].as_array().expect("errors");
    let places: Vec<&str> = errors.iter().filter_map(|error| error["pointer"].as_str()).collect();
    for place in
        ["/files/parts~1costs.toml/cpu/requests", "/scenario/load/user", "/scenario/endpoint/0"]
    {
        assert!(places.contains(&place), "{place}: {problem}");
    }
    assert!(errors.iter().all(|error| error["line"].is_null()), "{problem}");
}

#[test]
fn what_is_no_question_is_refused_in_words() {
    let server = Server::with("");
    for (path, body, word) in [
        ("/predict", "", "EOF"),
        ("/predict", "[]", "invalid"),
        ("/predict", "{\"scenario\": 3}", "the text of a TOML file"),
        ("/predict", "{}", "missing field `scenario`"),
        ("/predict", "{\"scenario\": \"\", \"sets\": []}", "unknown field `sets`"),
        ("/predict", "{\"scenario\": \"\", \"headroom\": true}", "`headroom` is for /size alone"),
        (
            "/ladder",
            "{\"scenario\": \"\", \"keep\": []}",
            "`keep` is for /predict, /explain, /size",
        ),
    ] {
        let headers = format!("{}content-type: application/json\r\n", server.host());
        let problem = server.reply("POST", path, &headers, body).is_problem(400, "question");
        assert!(
            problem["detail"].as_str().is_some_and(|detail| detail.contains(word)),
            "{problem}"
        );
    }
    for (more, file) in [
        (json!({ "replications": 1 }), "replications"),
        (json!({ "replications": 5000 }), "replications"),
        (json!({ "precision": "1" }), "precision"),
        (json!({ "replications": 2, "precision": "1%" }), "precision"),
        (json!({ "confidence": "100%" }), "confidence"),
        (json!({ "goal": "endpoint:nothing.p99" }), "--goal"),
        (json!({ "goal": "fast" }), "--goal"),
        (json!({ "keep": ["p99 > fast"] }), "--keep"),
    ] {
        let problem = server.post("/predict", &question(more)).is_problem(422, "scenario");
        assert_eq!(problem["errors"][0]["file"], file, "{problem}");
    }
    let problem = server.post("/size", &question(json!({}))).is_problem(422, "scenario");
    assert!(problem["detail"].as_str().is_some_and(|d| d.contains("no objective")), "{problem}");
}

#[test]
fn no_file_of_the_server_is_read() {
    let lab = Lab::new(env!("CARGO_BIN_EXE_sim"));
    lab.write("here.toml", SHOP);
    lab.write("scenarios/there.toml", SHOP);
    lab.write("times.csv", "0.1\n0.2\n");
    let server = Server::in_lab(lab, "");
    let here = server.lab.path("here.toml").display().to_string();
    assert!(Path::new(&here).exists());
    for scenario in [
        "extends = \"here.toml\"".to_string(),
        "extends = \"there.toml\"".to_string(),
        format!("extends = \"{here}\""),
        format!("costs = \"{here}\""),
        "load.trace = \"times.csv\"".to_string(),
        "load.trace = \"/etc/passwd\"".to_string(),
    ] {
        let problem = server.post("/predict", &json!({ "scenario": scenario }));
        let problem = problem.is_problem(422, "scenario");
        assert!(problem.to_string().contains("there is no such file"), "{scenario}: {problem}");
    }
    for set in [format!("costs={here}"), "load.trace=/etc/passwd".into()] {
        let question = json!({ "scenario": SHOP, "set": [set] });
        let problem = server.post("/predict", &question).is_problem(422, "scenario");
        assert!(problem.to_string().contains("there is no such file"), "{problem}");
    }
}
