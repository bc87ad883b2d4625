"""The plugin for pytest, as a project uses it."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

TESTS = """
def test_kept(rung):
    assert rung("mine.toml", set={"load.users": 2}).holds("p99 < 10s", replications=2)

def test_broken(rung):
    mine = rung("mine.toml")
    assert mine.holds("p90 < 10s", "throughput > 100000/s", replications=2)

def test_other_failure(rung):
    assert not rung("mine.toml").holds("p90 < 1us", replications=2)
    assert rung("mine.toml").holds("p90 < 10s", replications=2)

def test_wrong(rung):
    rung("mine.toml", set={"load.userz": 2})

def test_nothing(rung):
    rung("mine.toml").holds()
"""


def _run(pytester: pytest.Pytester, *options: str) -> pytest.RunResult:
    # An installed package is found by itself.
    known = {point.value for point in metadata.entry_points(group="pytest11")}
    plugin = [] if "pytest_rung" in known else ["-p", "pytest_rung"]
    return pytester.runpytest_subprocess(*plugin, *options)


def test_a_test_fails_with_the_numbers_and_the_page(pytester: pytest.Pytester, file: str) -> None:
    folder = pytester.mkdir("checks")
    (folder / "mine.toml").write_text(f'extends = "{file}"\n')
    (folder / "test_capacity.py").write_text(TESTS)
    result = _run(pytester, "checks")
    result.assert_outcomes(passed=2, failed=3)
    result.stdout.fnmatch_lines(
        [
            "E*assert <mine: p90 < 10s is kept: *; throughput > 100000/s is broken: */s*>",
            "*where <mine: * = holds('p90 < 10s', 'throughput > 100000/s', replications=2)",
            "*why mine does not hold*",
            "p90 < 10s is kept: *",
            "throughput > 100000/s is broken: *",
            "The whole answer with pictures: *",
            "E*RungError: --set load.userz=2: unknown key `load.userz`",
            "E*did you mean `users`?",
            "E*mine.toml: has no objective, and none was named",
        ]
    )
    (page,) = Path(pytester.path, ".rung", "pytest").iterdir()
    assert page.name == "checks-test_capacity.py-test_broken.html"
    assert f"pictures: {page}" in result.stdout.str()
    text = page.read_text()
    assert text.startswith("<!DOCTYPE html>") and "throughput &gt; 100000/s" in text


def test_pages_may_go_elsewhere(pytester: pytest.Pytester, file: str) -> None:
    pytester.makepyfile(
        f"def test_it(rung): assert rung({file!r}).holds('p50 < 1us', replications=2)"
    )
    pytester.makeini("[pytest]\nrung_pages = build/pages\n")
    _run(pytester).assert_outcomes(failed=1)
    assert len(list(Path(pytester.path, "build", "pages").iterdir())) == 1


def test_a_session_without_predictions_does_not_load_the_package(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("import sys\ndef test_it(): assert 'rung' not in sys.modules")
    _run(pytester).assert_outcomes(passed=1)
