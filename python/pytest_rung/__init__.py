"""Predictions as tests.

    def test_capacity(rung):
        assert rung("mine.toml").holds("p99 < 800ms")

A test that fails says by which numbers, what to change first, and where the page is that explains
it. The package is loaded by the first test that asks for it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from rung.scenario import Scenario
    from rung.verdict import Verdict

PAGES = "rung_pages"
BROKEN: pytest.StashKey[list[Verdict]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The folder of the pages can be another one."""
    parser.addini(
        PAGES, "folder for the pages that explain failed predictions", default=".rung/pytest"
    )


@pytest.fixture
def rung(request: pytest.FixtureRequest) -> Generator[Callable[..., Scenario]]:
    """`rung.scenario`; a file is looked for in the folder of the test, too."""
    from rung.scenario import scenario
    from rung.verdict import noting_broken

    def of_test(file: str | os.PathLike[str], **changes: object) -> Scenario:
        beside = request.path.parent / file
        return scenario(beside if beside.is_file() else file, **changes)  # type: ignore[arg-type]

    with noting_broken() as broken:
        request.node.stash[BROKEN] = broken
        yield of_test


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Explains what a test found broken, if it fails."""
    report = yield
    if call.when == "call" and report.failed:
        broken = item.stash[BROKEN] if BROKEN in item.stash else []
        for number, verdict in enumerate(broken, 1):
            said = _explain(verdict, _page(item, number))
            report.sections.append((f"why {verdict.report.scenario} does not hold", said))
    return report


def _page(item: pytest.Item, number: int) -> Path:
    folder = item.config.rootpath / str(item.config.getini(PAGES))
    name = re.sub(r"[^\w.-]+", "-", item.nodeid).strip("-")
    return folder / f"{name}{'' if number == 1 else f'-{number}'}.html"


def _explain(verdict: Verdict, page: Path) -> str:
    """What to change first. The page of it is written beside."""
    from rung.errors import RungError

    try:
        explanation = verdict.explanation
        page.parent.mkdir(parents=True, exist_ok=True)
        explanation.save(page)
    except (RungError, OSError) as error:
        return f"there is no explanation: {error}"
    advice = explanation.bottleneck
    first = "No change that was tried helps." if advice is None else advice.sentence
    return f"{verdict.lines()}\n{first}\nThe whole answer with pictures: {page}"
