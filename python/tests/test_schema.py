"""The dataclasses are those of the schemas that the program publishes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rung import programs

SCHEMA = Path(__file__).parents[1] / "schema"


def test_the_dataclasses_are_generated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNG_BIN", str(programs.find("sim").parent))
    monkeypatch.setattr(sys, "path", [str(SCHEMA), *sys.path])
    import generate

    written = generate.TARGET.read_text(encoding="utf-8")
    assert generate.generate() == written, "run: RUNG_BIN=… python python/schema/generate.py"
