"""The page of `sim ui --export`, which a plain file server hands out."""

import os
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from conftest import SHOP, SIM, Opened, Site
from playwright.sync_api import Browser, expect
from test_page import number, slide

# An engine of the same build as the program: `.ci/processors wasm32` makes one in the folder
# target/wasm32-wasip1/debug.
ENGINE = os.environ.get("RUNG_ENGINE")


class Quiet(SimpleHTTPRequestHandler):
    """Says nothing of requests."""

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def exported(tmp_path: Path) -> Iterator[Site]:
    """The page in a folder, with a parent of the scenario, and a server of files."""
    if not ENGINE:
        pytest.skip("RUNG_ENGINE names no engine")
    (tmp_path / "shop.toml").write_text(SHOP)
    child = tmp_path / "mine.toml"
    child.write_text('extends = "shop.toml"\nload.users = 25\n')
    words = [SIM, "ui", "mine.toml", "--export", "site", "--engine", ENGINE]
    subprocess.run(words, cwd=tmp_path, check=True)
    handler = partial(Quiet, directory=str(tmp_path / "site"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield Site(f"http://127.0.0.1:{server.server_port}/", child)
        server.shutdown()


@pytest.fixture
def opened_file(browser: Browser, exported: Site) -> Iterator[Opened]:
    opened = Opened(browser, exported.address)
    opened.sharp()
    yield opened
    assert opened.said == []
    assert all(url.startswith(exported.address) for url in opened.asked)
    opened.context.close()


def test_it_gives_the_bytes_of_the_command(
    opened_file: Opened, exported: Site, tmp_path: Path
) -> None:
    page = opened_file.page
    before = number(page, "throughput")
    slide(page, "service.threads", 700)
    opened_file.sharp()
    assert number(page, "throughput") > 1.2 * before
    with page.expect_download() as downloaded:
        page.get_by_role("button", name="Answer as JSON").click()
    of_page = tmp_path / "page.json"
    downloaded.value.save_as(of_page)
    # The line that the page shows to be copied.
    line = page.locator("#set-line").inner_text().split()
    assert line[:4] == ["sim", "scenario", "mine.toml", "--set"]
    command = [SIM, *line[1:], "--format", "json", "--no-cache"]
    printed = subprocess.run(
        command, cwd=exported.file.parent, capture_output=True, check=True
    )
    assert of_page.read_bytes() == printed.stdout


def test_what_needs_a_folder_is_a_download(opened_file: Opened, exported: Site) -> None:
    page = opened_file.page
    expect(page.locator("#save")).to_have_count(0)
    page.locator('[id="key-service.concurrency"]').select_option("async")
    opened_file.sharp()
    with page.expect_download() as downloaded:
        page.get_by_role("button", name="Download", exact=True).click()
    text = Path(downloaded.value.path()).read_text()
    assert text == 'extends = "mine.toml"\nservice.concurrency = "async"\n'


def test_how_much_load_it_takes(opened_file: Opened) -> None:
    page = opened_file.page
    page.locator("#size-limit").fill("300ms")
    page.get_by_role("button", name="Find out").click()
    expect(page.locator("#size-sentence")).to_contain_text("Holds")


def test_a_mistake_is_shown_and_goes_away(opened_file: Opened) -> None:
    page = opened_file.page
    row = page.locator('[data-key="service.workers"]')
    row.locator(".exact").fill("900")
    row.locator(".exact").press("Enter")
    problem = page.locator("#problems")
    expect(problem).to_contain_text("Allowed: an integer from 1 to 64")
    row.get_by_role("button", name="Undo").click()
    opened_file.sharp()
    expect(problem).to_be_empty()


def test_an_engine_of_another_build_is_refused(
    browser: Browser, exported: Site
) -> None:
    start = exported.file.parent / "site/start.js"
    start.write_text(start.read_text().replace('"sources":"', '"sources":"0'))
    opened = Opened(browser, exported.address)
    problem = opened.page.locator("#problems")
    expect(problem).to_contain_text("the page is of another build")
    opened.context.close()


def test_a_page_from_a_disk_says_what_it_needs(
    browser: Browser, exported: Site
) -> None:
    index = exported.file.parent / "site/index.html"
    opened = Opened(browser, index.as_uri())
    expect(opened.page.locator("#problems")).to_contain_text("with any web server")
    opened.context.close()
