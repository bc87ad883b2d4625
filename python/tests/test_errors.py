"""Bad input ends in one exception that has every problem, and in no answer."""

from __future__ import annotations

import pickle
from datetime import timedelta
from pathlib import Path

import pytest

import rung
from rung import words


def test_every_problem_is_told_at_once(file: str) -> None:
    with pytest.raises(rung.RungError) as told:
        rung.scenario(file, set={"service.wokers": 4, "load.users": -1})
    users, workers = told.value.problems
    assert users.file == "--set load.users=-1" and users.found == "`load.users` is -1"
    assert workers.advice == "did you mean `workers`?"
    assert "unknown key `service.wokers`" in str(told.value)
    again = pickle.loads(pickle.dumps(told.value))
    assert again.problems == told.value.problems


def test_a_wrong_file_is_told_with_its_place(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('extends = "v6.toml"\n\n[service]\nworkers = "many"\n')
    with pytest.raises(rung.RungError) as told:
        rung.scenario(wrong)
    (problem,) = told.value.problems
    assert (problem.file, problem.line, problem.column) == (str(wrong), 4, 11)
    assert str(problem).startswith(f"{wrong}:4:11: ")


def test_a_file_that_is_not_there(file: str) -> None:
    with pytest.raises(rung.RungError, match=r"did you mean `v6\.toml`\?"):
        rung.scenario("v66.toml")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"replications": 1}, "1 is not in 2"),
        ({"precision": 2.0}, "a share above 0% and below 100%"),
        ({"keep": "p99 < fast"}, "fast"),
        ({"goal": "endpoint:nobody.p99"}, "there is no endpoint `nobody`"),
    ],
)
def test_wrong_options_are_told_without_the_way_to_the_help(
    shop: rung.Scenario, wrong: dict[str, object], said: str
) -> None:
    with pytest.raises(rung.RungError) as told:
        shop.predict(**wrong)  # type: ignore[arg-type]
    assert said in str(told.value)
    assert "For more information" not in str(told.value)


def test_points_of_a_sweep_are_checked_before_the_first(shop: rung.Scenario) -> None:
    with pytest.raises(rung.RungError) as told:
        shop.sweep({"service.workers": [1, 0, -1]})
    assert len(told.value.problems) == 2


def test_a_run_without_an_end(shop: rung.Scenario) -> None:
    with pytest.raises(rung.RungError, match=r"shop-async: .*events"):
        shop.predict(max_events=10)


@pytest.mark.parametrize("value", [None, b"4", object()])
def test_a_value_without_words(shop: rung.Scenario, value: object) -> None:
    with pytest.raises(rung.RungError, match=r"service\.workers: has a value of the type"):
        shop.set({"service.workers": value})  # type: ignore[dict-item]


def test_other_values_have_words(shop: rung.Scenario) -> None:
    changed = shop.set(
        {
            "load.duration": timedelta(milliseconds=2500),
            "load.users": True + 1,
            "upstream.bank.latency": {"p50": "10ms", "p99": timedelta(seconds=1)},
        }
    )
    assert changed.changes[0] == "load.duration=2500000us"
    resolved = changed.check()["resolved"]
    assert resolved["load"]["duration"] == "2.5s"
    assert resolved["upstream"]["bank"]["latency"] == {"p50": "10ms", "p99": "1s"}
    assert words.value("a", [1, 0.5, True, "x"]) == '[1, 0.5, true, "x"]'
    assert words.values("a", ["x,y", "z", {"p50": "1s"}]) == '"x,y",z,{ "p50" = "1s" }'


def test_programs_that_are_not_there(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNG_BIN", str(tmp_path))
    with pytest.raises(rung.RungError, match="there is no program `sim` in this folder"):
        rung.scenario(file)
    (tmp_path / "sim").write_text("no program")
    with pytest.raises(rung.RungError, match="cannot be started: "):
        rung.scenario(file)


def test_a_program_that_is_killed_leaves_no_half_answer(
    shop: rung.Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = tmp_path / "sim"
    killed.write_text("#!/bin/sh\necho '{ \"schema\": 1,'\nkill -9 $$\n")
    killed.chmod(0o755)
    monkeypatch.setenv("RUNG_BIN", str(tmp_path))
    with pytest.raises(rung.RungError, match="sim: was ended by SIGKILL"):
        shop.predict()
