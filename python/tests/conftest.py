"""What tests share: a small scenario, and the program itself."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import rung
from rung import programs

pytest_plugins = ["pytester"]

GOLDEN = Path(__file__).parents[2] / "tests" / "golden" / "cli"


@pytest.fixture(scope="session")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A scenario that extends another one, and is short."""
    folder = tmp_path_factory.mktemp("shop")
    for name in ("costs.toml", "shop-async.toml", "shop.toml"):
        text = (GOLDEN / name).read_text()
        (folder / name).write_text(text.replace('duration = "5s"', 'duration = "2s"'))
    return str(folder / "shop-async.toml")


@pytest.fixture
def shop(file: str) -> rung.Scenario:
    return rung.scenario(file)


@pytest.fixture
def sim() -> Callable[..., bytes]:
    """The program's own answer."""

    def run(*words: str) -> bytes:
        return subprocess.run(
            [programs.find("sim"), *words], stdout=subprocess.PIPE, check=False
        ).stdout

    return run
