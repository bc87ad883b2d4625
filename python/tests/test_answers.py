"""Answers are those of the program, as dataclasses."""

from __future__ import annotations

import dataclasses
import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

import rung

Sim = Callable[..., bytes]

FEW = ["--replications", "2"]
JSON = ["--format", "json"]


def test_a_prediction_is_the_programs_own(shop: rung.Scenario, file: str, sim: Sim) -> None:
    report = shop.set({"service.workers": 2}).predict(keep="p99 < 1us", replications=2)
    changed = ["--set", "service.workers=2", "--keep", "p99 < 1us"]
    assert report.json() == sim("scenario", file, *changed, *FEW, *JSON)
    assert (report.kind, report.scenario, report.run.replications) == ("predicted", "shop-async", 2)
    assert report.objectives[0].state == "broken"
    assert report.throughput.low <= report.throughput.value <= report.throughput.high


def test_an_explanation_is_the_programs_own(shop: rung.Scenario, file: str, sim: Sim) -> None:
    explanation = shop.explain(replications=2, over_time=True, threads=1)
    assert explanation.json() == sim("explain", file, *FEW, "--over-time", *JSON)
    assert isinstance(explanation, rung.Report)
    assert explanation.programs[0].steps[0].what
    assert explanation.over_time is not None and explanation.over_time.runs == 2
    assert explanation.knobs[0].from_ == json.loads(explanation.json())["knobs"][0]["from"]


def test_a_ladder_is_the_programs_own(shop: rung.Scenario, file: str, sim: Sim) -> None:
    ladder = shop.ladder(replications=2)
    assert ladder.json() == sim("ladder", file, *FEW, *JSON)
    assert [rung.name for rung in ladder.rungs] == ["shop", "shop-async"]
    assert ladder.rungs[1].changes[0].key == "service.concurrency"


def test_a_size_is_the_programs_own(shop: rung.Scenario, file: str, sim: Sim) -> None:
    # A slow processor is full with few users, which takes little time to find.
    size = shop.set({"cpu.speed": 0.05}).size(keep=["p90 < 1s"], headroom=True, threads=1)
    words = ["--set", "cpu.speed=0.05", "--keep", "p90 < 1s", "--headroom"]
    assert size.json() == sim("size", file, *words, *JSON)
    assert size.load == "users" and size.levels and size.headroom


def test_a_choice_is_the_programs_own(shop: rung.Scenario, file: str, sim: Sim) -> None:
    settings: dict[str, str | list[int]] = {"service.workers": "1..2", "cpu.speed": [1, 2]}
    choice = shop.choose(settings, keep="p90 < 5s", cost="workers+speed", users=2)
    words = ["--choose", "service.workers=1..2", "--choose", "cpu.speed=1,2", "--users", "2"]
    expected = sim("size", file, *words, "--keep", "p90 < 5s", "--cost", "workers+speed", *JSON)
    assert choice.json() == expected
    assert choice.chosen is not None and choice.chosen.values == ("1", "1")


def test_a_sweep_is_the_programs_own(shop: rung.Scenario, file: str, sim: Sim) -> None:
    sweep = shop.sweep({"load.users": range(1, 4)}, keep="p99 < 1s", replications=2)
    words = ["--vary", "load.users=1,2,3", "--keep", "p99 < 1s"]
    assert sweep.json() == sim("sweep", file, *words, *FEW, *JSON)
    assert [point.values for point in sweep.points] == [("1",), ("2",), ("3",)]


def test_the_knee_is_a_word_or_a_value(shop: rung.Scenario) -> None:
    steep = shop.sweep({"load.users": [1, 2, 200, 300]}, replications=2).lines[0].knee
    flat = shop.sweep({"load.users": [200, 300]}, replications=2).lines[0].knee
    assert dataclasses.is_dataclass(steep) and steep.at == "2"
    assert flat == "before"


def test_an_answer_is_a_value(shop: rung.Scenario, tmp_path: Path) -> None:
    report = shop.predict(replications=2)
    assert dataclasses.is_dataclass(report)
    assert report == rung.Report.of_document(report.json())
    assert report != shop.predict(replications=3)
    assert pickle.loads(pickle.dumps(report)).json() == report.json()
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.seed = 2  # type: ignore[misc]
    report.save(tmp_path / "report.json")
    assert (tmp_path / "report.json").read_bytes() == report.json()


def test_an_answer_shows_itself_as_the_program_does(
    shop: rung.Scenario, file: str, sim: Sim, tmp_path: Path
) -> None:
    explanation = shop.explain(replications=2)
    page = tmp_path / "page.html"
    text = sim("explain", file, *FEW, "--html", str(page))
    assert str(explanation) == text.decode()
    assert explanation.markdown() == sim("explain", file, *FEW, "--format", "markdown").decode()
    over_time = shop.explain(replications=2, over_time=True)
    assert over_time.html() == page.read_text()
    assert over_time.html().count("<svg") > 4
    assert repr(explanation).startswith("<Explanation shop-async: ")


def test_a_rung_by_itself_shows_itself_too(shop: rung.Scenario) -> None:
    ladder = shop.ladder(replications=2)
    alone = shop.predict(replications=2, precision=None) if False else ladder.rungs[1]
    assert alone.text().startswith("shop-async")
    read = rung.Report.of_document(alone.json())
    assert read.throughput == alone.throughput and read.knobs == alone.knobs
    assert alone.rounds[0].text().startswith("shop-async")


def test_a_scenario_has_a_folder(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Path(file).parent
    monkeypatch.chdir(here)
    shop = rung.scenario("shop-async.toml", seed=7)
    monkeypatch.chdir(tmp_path)
    assert shop.predict(replications=2).seed == 7
    assert shop.check()["question"] == "What does async buy?"
    assert "[service]" in shop.toml()
