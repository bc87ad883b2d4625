"""The program with a scenario of its own, and a page of it in a browser."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Page,
    Request,
    expect,
    sync_playwright,
)

ROOT = Path(__file__).resolve().parents[3]
SIM = Path(os.environ.get("RUNG_SIM", ROOT / "target/debug/sim"))
BROWSERS = ["chromium", "chromium-browser", "google-chrome", "chrome"]

# A slow machine is no mistake.
expect.set_options(timeout=120_000)

# Handlers that wait for each other on one thread: the limit is plain, and runs are short.
SHOP = """
question = "</script><b>why?</b>"
costs.cpu.request = "1ms"
load = { users = 20, think_time = "10ms", warmup = "1s", duration = "5s" }
service = { concurrency = "threadpool", threads = 1 }

[upstream.partner]
latency = { p50 = "20ms", p99 = "100ms" }

[[endpoint]]
name = "list"
weight = 3
steps = [{ cpu = "1ms" }]

[[endpoint]]
name = "quote"
weight = 1
steps = [{ call = "partner" }]
"""


@dataclass
class Site:
    """The program that serves, and its folder."""

    address: str
    file: Path


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = [path for name in BROWSERS if (path := shutil.which(name))]
    if not found:
        pytest.skip(f"there is none of {', '.join(BROWSERS)} on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found[0], args=["--no-sandbox"]
        )
        yield browser
        browser.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    file = tmp_path / "shop.toml"
    file.write_text(SHOP)
    command = [str(SIM), "ui", "shop.toml"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield Site(process.stdout.readline().strip(), file)
    process.terminate()
    assert process.wait() == 0


class Opened:
    """A page, and everything that it said and asked for."""

    def __init__(self, browser: Browser, address: str, **screen: object) -> None:
        size = {"width": 1280, "height": 900}
        self.context = browser.new_context(**{"viewport": size, **screen})
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(120_000)
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", self._request)
        self.page.goto(address)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.said.append(message.text)

    def _request(self, request: Request) -> None:
        self.asked.append(request.url)

    def sharp(self) -> Page:
        """Waits for the sharp answer to the state in the address."""
        self.page.wait_for_function(
            """() => {
                const data = document.getElementById('answers').dataset;
                const now = new URLSearchParams(location.search);
                now.delete('pin');
                now.delete('file');
                return data.state === 'sharp' && data.query === now.toString();
            }"""
        )
        return self.page


@pytest.fixture
def opened(browser: Browser, site: Site) -> Iterator[Opened]:
    opened = Opened(browser, site.address)
    opened.sharp()
    yield opened
    assert opened.said == []
    opened.context.close()
