//! The files of the page: no build step, no network, and the same ones with a server or without.
//!
//! The script is written as modules. A browser opens no module from a disk, and the page without a
//! server may lie there: so the modules are put into one plain script, in this order.

use render::MARK;
use serde::Serialize;

/// Each module needs only those before it.
const MODULES: [(&str, &str); 9] = [
    ("text", include_str!("../page/text.js")),
    ("state", include_str!("../page/state.js")),
    ("engine", include_str!("../page/engine.js")),
    ("dom", include_str!("../page/dom.js")),
    ("controls", include_str!("../page/controls.js")),
    ("numbers", include_str!("../page/numbers.js")),
    ("size", include_str!("../page/size.js")),
    ("share", include_str!("../page/share.js")),
    ("main", include_str!("../page/main.js")),
];

const STYLE: &str = include_str!("../page/style.css");

/// The script of the workers that have the engine.
const WORKER: &str = include_str!("../page/worker.js");

/// What the page may do: ask this server, and nothing else. Legends of pictures have their colours in
/// attributes.
pub const POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; \
    style-src 'self'; style-src-attr 'unsafe-inline'; img-src data:; frame-ancestors 'none'; \
    base-uri 'none'; form-action 'none'";

/// What the page may do without a server of its own: load its own files, the engine among them.
const STATIC_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; \
    worker-src 'self'; connect-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; \
    img-src data:; base-uri 'none'; form-action 'none'";

/// What the page is told when it opens.
#[derive(Debug, Default, Serialize)]
pub struct Start {
    /// The program's version.
    pub version: &'static str,
    /// Changes to begin with, where the address has none.
    pub set: Vec<String>,
    /// Objectives to begin with.
    pub keep: Vec<String>,
    /// States can be saved as files.
    pub saves: bool,
    /// What the page asks its own engine about, where it has no server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub without_server: Option<Static>,
}

/// What goes along with each question to the engine in the browser.
#[derive(Debug, Serialize)]
pub struct Static {
    /// The build that the engine must be of.
    pub sources: &'static str,
    /// The scenario, as the engine reads it.
    pub scenario: serde_json::Value,
}

/// The page itself.
pub const INDEX: &str = include_str!("../page/index.html");

/// Its look: that of all pages of the program, and its own.
pub fn style() -> String {
    format!("{}\n{STYLE}", render::STYLE)
}

/// The modules as one script.
pub fn script() -> String {
    let parts: Vec<String> = MODULES.iter().map(|(name, text)| part(name, text)).collect();
    format!("\"use strict\";\n(() => {{\n{}\n}})();\n", parts.join("\n"))
}

/// All files of the page without a server, the page itself last: names and bytes.
pub fn files(with: &Start, engine: Vec<u8>) -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("sim.wasm", engine),
        ("worker.js", WORKER.into()),
        ("style.css", style().into()),
        ("app.js", script().into()),
        ("start.js", start(with).into()),
        ("index.html", index_without_server().into()),
    ]
}

/// The page itself with what a server would say in headers, and with the mark of a page that a program
/// has written.
fn index_without_server() -> String {
    let policy =
        format!("<meta http-equiv=\"Content-Security-Policy\" content=\"{STATIC_POLICY}\">");
    let referrer = "<meta name=\"referrer\" content=\"no-referrer\">";
    let head = format!("{CHARSET}\n{policy}\n{referrer}\n{MARK}");
    INDEX.replacen(CHARSET, &head, 1)
}

const CHARSET: &str = "<meta charset=\"utf-8\">";

/// A module without what joins it to the others.
fn part(name: &str, text: &str) -> String {
    let inner: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with("import "))
        .map(|line| line.strip_prefix("export ").unwrap_or(line))
        .collect();
    format!("// {name}.js\n{}", inner.join("\n"))
}

/// What the page is told, as a script: no text in it ends a script element or begins a comment.
pub fn start(start: &Start) -> String {
    let json = serde_json::to_string(start).expect("texts and flags");
    format!("self.rungStart = {};\n", json.replace('<', "\\u003c"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_of_the_modules_joints() {
        let script = script();
        for line in script.lines() {
            assert!(!line.starts_with("import ") && !line.starts_with("export "), "{line}");
        }
        for (name, _) in MODULES {
            assert!(script.contains(&format!("// {name}.js\n")), "{name}");
        }
    }

    /// A module that needs a later one would find nothing there.
    #[test]
    fn modules_are_in_order() {
        for (index, (name, text)) in MODULES.iter().enumerate() {
            for line in text.lines().filter(|line| line.starts_with("import ")) {
                let needed = line.split("\"./").nth(1).and_then(|rest| rest.split(".js").next());
                let needed = needed.unwrap_or_else(|| panic!("{name}: {line}"));
                assert!(
                    MODULES[..index].iter().any(|(known, _)| *known == needed),
                    "{name}: {line}"
                );
            }
        }
    }

    #[test]
    fn a_text_ends_no_script() {
        let set = vec!["question=</script><!--".to_string()];
        let text = start(&Start { set, ..Start::default() });
        assert!(!text.contains('<') && text.contains("\\u003c/script>"), "{text}");
    }

    #[test]
    fn the_page_without_a_server_has_its_policy() {
        let page = index_without_server();
        assert!(page.contains(STATIC_POLICY) && page.contains(MARK), "{page}");
    }

    #[test]
    fn nothing_is_loaded_from_a_network() {
        let all = [index_without_server(), style(), script(), WORKER.to_string()];
        for text in all {
            for scheme in ["http:", "https:", "//cdn", "@import", "url("] {
                assert!(!text.contains(scheme), "{scheme}");
            }
        }
    }
}
