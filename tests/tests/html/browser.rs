//! The page in a real browser, if there is one: nothing is cut off, wide or narrow, light or dark.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use crate::page::{Page, page};

const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// Looks at the page, and leaves what it has seen in an attribute of the root.
const LOOK: &str = r#"<script>
addEventListener('load', () => {
  const seen = [];
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) seen.push(`page is ${root.scrollWidth} wide on ${root.clientWidth}`);
  for (const figure of document.querySelectorAll('figure')) {
    const shown = [...figure.querySelectorAll('svg[role=img]')].filter(svg => svg.getBoundingClientRect().width > 0);
    if (shown.length !== 1) seen.push(`${shown.length} widths of a picture are shown`);
    for (const svg of shown) {
      const box = svg.getBoundingClientRect();
      if (box.height < 40) seen.push('a picture without height');
      for (const text of svg.querySelectorAll('text')) {
        const it = text.getBoundingClientRect();
        if (it.left < box.left - 1 || it.right > box.right + 1 || it.top < box.top - 1 || it.bottom > box.bottom + 1)
          seen.push(`cut off: ${text.textContent.trim()}`);
      }
    }
  }
  root.setAttribute('data-figures', document.querySelectorAll('figure').length);
  root.setAttribute('data-seen', seen.join('; ') || 'nothing');
});
</script></body>"#;

/// What is wrong with the page on a screen of this width; none without a browser.
fn seen(page: &Page, browser: &str, width: u32) -> (String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("page.html");
    // The page itself forbids scripts: this one is put into a copy without that rule.
    let open = page.bytes.replace("http-equiv=\"Content-Security-Policy\"", "name=\"rule\"");
    let inside = folder.path().join("inside.html");
    fs::write(&inside, open.replace("</body>", LOOK)).expect("written");
    // A window may be no narrower than a browser likes; a frame may.
    let frame = format!(
        "<!DOCTYPE html><body style=\"margin:0\"><iframe src=\"inside.html\" width=\"{width}\" \
         height=\"900\" style=\"border:0\"></iframe><script>addEventListener('load', () => \
         setTimeout(() => {{ const root = frames[0].document.documentElement; for (const name of \
         ['data-seen', 'data-figures']) document.documentElement.setAttribute(name, \
         root.getAttribute(name)); }}, 0))</script></body>"
    );
    fs::write(&file, frame).expect("written");
    let profile = folder.path().join("profile");
    let out = Command::new(browser)
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files"])
        .args([
            "--no-first-run",
            "--window-size=1000,1000",
            "--virtual-time-budget=5000",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(address(&file))
        .output()
        .expect("a browser that runs");
    let dom = String::from_utf8_lossy(&out.stdout).into_owned();
    let attribute = |name: &str| {
        let from = dom.find(&format!("{name}=\""))? + name.len() + 2;
        Some(dom[from..].split('"').next()?.to_string())
    };
    let said = || String::from_utf8_lossy(&out.stderr).into_owned();
    let found =
        attribute("data-seen").unwrap_or_else(|| panic!("the browser tells nothing: {}", said()));
    (found, attribute("data-figures").unwrap_or_default())
}

fn address(file: &Path) -> String {
    format!("file://{}", file.display())
}

fn browser() -> Option<&'static str> {
    let runs = |name: &&str| {
        Command::new(name).arg("--version").output().is_ok_and(|out| out.status.success())
    };
    BROWSERS.into_iter().find(runs)
}

#[test]
fn a_browser_cuts_nothing_off() {
    let Some(browser) = browser() else {
        let none = BROWSERS.join(", ");
        let _ = writeln!(std::io::stderr(), "skipped: there is none of {none} on this machine");
        return;
    };
    for words in crate::PAGES {
        let page = page(words);
        for width in [360, 400, 640, 700, 1000] {
            let (seen, figures) = seen(&page, browser, width);
            assert_eq!(seen, "nothing", "{words} at {width} pixels");
            assert_eq!(figures, page.all("figure").count().to_string(), "{words}");
        }
    }
}
