"""A sweep as jobs: what is sent, what comes back, and what is refused. Needs no cluster."""

from __future__ import annotations

import contextlib
import os
import pickle
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from processes import at_work, runs, until

import rung
from rung import highest
from rung.cluster import gather, shard
from rung.cluster.job import Job
from rung.cluster.shard import Part, Refused
from rung.errors import Ended

FEW = ["--replications=2"]


class Here:
    """A cluster without other processes, that answers in any order and now and then twice."""

    def __init__(
        self, change: Callable[[Part | Refused], Part | Refused] = lambda part: part
    ) -> None:
        self.change = change

    def processors(self) -> int:
        return 2

    def run(self, job: Job, of: int) -> gather.Answers:
        job = pickle.loads(pickle.dumps(job))
        shards = [*range(1, of + 1), random.Random(1).randint(1, of)]
        random.Random(2).shuffle(shards)
        for index in shards:
            yield None
            yield self.change(shard.compute(job, index, of, worker="here"))


@pytest.fixture
def folder(tmp_path: Path, file: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a scenario, recorded arrivals and two cost profiles."""
    for name in ("costs.toml", "shop.toml", "shop-async.toml"):
        shutil.copy(Path(file).parent / name, tmp_path / name)
    (tmp_path / "shop.toml").write_text(
        (tmp_path / "shop.toml").read_text().replace("seed = 7", "seed = 8")
    )
    (tmp_path / "slow").mkdir()
    costs = (tmp_path / "costs.toml").read_text()
    (tmp_path / "slow" / "costs.toml").write_text(costs.replace('statement = "', 'statement = "1'))
    (tmp_path / "one.csv").write_text("0.1\n0.2\n1.1\n")
    (tmp_path / "two.csv").write_text("0.1\n0.15\n0.2\n1.9\n")
    (tmp_path / "replayed.toml").write_text(
        'extends = "shop-async.toml"\nload.trace = "one.csv"\n\n[[objective]]\nkeep = "p99 < 10s"\n'
    )
    (tmp_path / "groups.toml").write_text(
        'extends = "shop-async.toml"\n\n[[load.group]]\nname = "a"\ntrace = "one.csv"\n'
        '\n[[load.group]]\nname = "b"\nusers = 2\n'
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def merged(scenario: rung.Scenario, options: list[str], of: int) -> bytes:
    return gather.merged(Job.of(scenario, options), Here(), of)


@pytest.mark.parametrize(
    ("name", "vary"),
    [
        ("shop-async.toml", "load.users=1..5"),
        ("replayed.toml", "service.workers=1..3"),
        ("groups.toml", "service.workers=1..3"),
        ("shop.toml", "costs=costs.toml,slow/costs.toml"),
        ("replayed.toml", "load.trace=one.csv,two.csv"),
    ],
)
def test_all_files_go_along(folder: Path, name: str, vary: str) -> None:
    scenario = rung.scenario(name, seed=3)
    options = [f"--vary={vary}", "--keep=p90 < 2s", *FEW]
    expected = scenario.ask("sweep", options)
    job = Job.of(scenario, options)
    # A worker elsewhere has none of them.
    for path in folder.glob("**/*.*"):
        if path.is_file():
            path.unlink()
    assert gather.merged(job, Here(), 3) == expected


def test_recorded_arrivals_may_be_longer_than_a_scenario(folder: Path) -> None:
    (folder / "one.csv").write_text("".join(f"{at / 100_000:.5f}\n" for at in range(150_000)))
    scenario = rung.scenario("replayed.toml")
    assert len(scenario.toml()) > 1 << 20
    files = dict(Job.of(scenario, ["--vary=service.workers=1,2", *FEW]).files)
    assert list(files) == ["scenario/replayed.toml", "scenario/recorded-1.csv"]
    part = shard.compute(Job.of(scenario, ["--vary=service.workers=1,2"]), 9, 9)
    assert isinstance(part, Part) and part.lines.endswith(b'{"end":0}\n')


def test_remarks_are_those_of_the_files(folder: Path) -> None:
    # In a complete text, nobody can tell what the scenario itself has written.
    costs = folder / "costs.toml"
    costs.write_text(costs.read_text() + '\n[query.nobody]\nengine = "1ms"\n')
    scenario = rung.scenario("shop.toml")
    options = ["--vary=service.workers=1,2", *FEW]
    expected = scenario.ask("sweep", options)
    assert merged(scenario, options, 2) == expected


@pytest.mark.parametrize("value", ["../costs.toml", "/costs.toml"])
def test_files_outside_are_refused(folder: Path, value: str) -> None:
    outside = str(folder / "costs.toml") if value.startswith("/") else value
    (folder / "below").mkdir()
    scenario = rung.scenario("shop.toml")
    elsewhere = rung.Scenario("../shop.toml", scenario.changes, None, str(folder / "below"))
    with pytest.raises(rung.RungError, match=r"costs=.*: lies outside of the folder"):
        Job.of(elsewhere, [f"--vary=costs={outside},{outside}x/../costs.toml"])


def test_a_sweep_is_checked_before_a_cluster_is_asked(shop: rung.Scenario) -> None:
    with pytest.raises(rung.RungError) as told:
        shop.sweep({"service.workers": [1, 0, -1]}, client="tcp://127.0.0.1:1")
    assert len(told.value.problems) == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"shards": 2}, "shards: is given without a cluster"),
        ({"shards": 0, "ray": True}, "shards: is 0"),
        ({"client": "x", "ray": True}, "sweep: has both client and ray"),
        ({"client": object()}, "client: is of the type object"),
    ],
)
def test_wrong_clusters_are_told(shop: rung.Scenario, options: dict[str, Any], said: str) -> None:
    if "of the type" in said:
        pytest.importorskip("distributed")
    with pytest.raises(rung.RungError, match=said):
        shop.sweep({"load.users": [1, 2]}, **options)


def test_another_build_is_refused_with_its_worker(shop: rung.Scenario) -> None:
    job = Job.of(shop, ["--vary=load.users=1,2", *FEW])
    build = job.head["build"].encode()

    def other(answer: Part | Refused) -> Part:
        assert isinstance(answer, Part)
        return Part("there", answer.shard, answer.lines.replace(build, b"0123", 1))

    with pytest.raises(rung.RungError, match="worker there: has the build 0123 of sim, and this"):
        gather.merged(job, Here(other), 2)
    refused = Refused("there", "0123", (rung.Problem(file="x", found="unknown key"),))
    with pytest.raises(rung.RungError, match="worker there: has the build 0123 of sim, and this"):
        gather.merged(job, Here(lambda _: refused), 2)


@pytest.mark.parametrize("wrong", [b"", b"nonsense", b"[]\n", b"{}\n{}"])
def test_other_answers_are_refused_with_their_worker(shop: rung.Scenario, wrong: bytes) -> None:
    job = Job.of(shop, ["--vary=load.users=1,2", *FEW])
    with pytest.raises(rung.RungError, match="worker there: has answered with something"):
        gather.merged(job, Here(lambda _: Part("there", 1, wrong)), 2)


def test_another_sweep_is_refused(shop: rung.Scenario) -> None:
    job = Job.of(shop, ["--vary=load.users=1,2", *FEW])
    other = Job.of(shop.set({"service.workers": 2}), ["--vary=load.users=1,2", *FEW])
    with pytest.raises(rung.RungError, match="no part of this sweep"):
        gather.merged(job, Here(lambda _: shard.compute(other, 1, 2)), 2)


def test_a_shard_that_is_missing_is_named(shop: rung.Scenario) -> None:
    job = Job.of(shop, ["--vary=load.users=1,2", *FEW])
    with pytest.raises(rung.RungError, match="shard"):
        gather.merged(job, Here(lambda _: shard.compute(job, 1, 2)), 2)


def test_a_refusal_is_that_of_one_process(shop: rung.Scenario) -> None:
    options = ["--vary=load.users=1,2", "--max-events=10"]
    with pytest.raises(rung.RungError) as alone:
        shop.ask("sweep", options)
    with pytest.raises(rung.RungError) as told:
        merged(shop, options, 2)
    assert str(told.value).splitlines()[0] in {
        str(alone.value).replace("users=1", f"users={users}") for users in (1, 2)
    } or str(told.value).startswith("shop-async with users=2: more than 10 events by ")


def test_a_program_that_is_not_wanted_any_more_ends(shop: rung.Scenario) -> None:
    job = Job.of(shop, ["--vary=load.users=100..2000", "--replications=100"])
    with pytest.raises(Ended, match="SIGKILL"):
        shard.compute(job, 1, 1, unless=lambda: True)


WORK = """
import pickle, sys
from rung.cluster import shard
shard.compute(pickle.loads(sys.stdin.buffer.read()), 1, 1)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a program outlives its worker")
def test_a_program_ends_with_a_worker_that_is_killed(shop: rung.Scenario, tmp_path: Path) -> None:
    # It would take far longer than the test waits.
    job = Job.of(shop, ["--vary=load.users=100..2000", "--replications=5000"])
    worker = subprocess.Popen(
        [sys.executable, "-c", WORK],
        stdin=subprocess.PIPE,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(rung.__file__).parents[1]),
            # A process that is killed leaves its files.
            "TMPDIR": str(tmp_path),
        },
    )
    try:
        assert worker.stdin is not None
        worker.stdin.write(pickle.dumps(job))
        worker.stdin.close()
        ((_, program),) = until(at_work)
    finally:
        worker.kill()
        worker.wait()
    until(lambda: not runs(program))


def test_the_highest_value_is_found_by_few_sweeps() -> None:
    asked: list[list[int]] = []

    class Judged:
        def __init__(self, kept: bool) -> None:
            self.state = "kept" if kept else "broken"

    class Answer:
        def __init__(self, values: list[int], limit: int) -> None:
            self.values = values
            self.points = [Found(value <= limit) for value in values]

    class Found:
        def __init__(self, kept: bool) -> None:
            self.objectives = (Judged(kept),)

    for limit in (0, 1, 2, 7, 8, 9, 500, 1000, 1999, 2000, 5000):
        asked.clear()

        def ask(values: Any, limit: int = limit) -> Any:
            asked.append(list(values))
            return Answer(list(values), limit)

        found = highest.search("load.users", range(1, 2001), ask)
        assert found.value == (min(limit, 2000) or None)
        assert found.broken == (limit + 1 if limit < 2000 else None)
        assert len(asked) <= 4 and all(len(values) <= highest.POINTS for values in asked)
        assert len(found.points) == sum(map(len, asked))


def test_a_cluster_changes_no_highest_value(
    shop: rung.Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = "p99 < 100ms"
    alone = shop.highest("load.users", range(1, 301), keep=keep, replications=2)
    assert alone.value is not None and alone.broken == alone.value + 1, str(alone)
    monkeypatch.setattr(gather, "_cluster", lambda *_: contextlib.nullcontext(Here()))
    there = shop.highest("load.users", range(1, 301), keep=keep, replications=2, ray=True)
    assert there == alone


def test_a_search_without_an_objective_is_refused(shop: rung.Scenario) -> None:
    with pytest.raises(rung.RungError, match="has no objective"):
        shop.highest("load.users", range(1, 9))
    with pytest.raises(rung.RungError, match="a range that rises"):
        shop.highest("load.users", range(9, 1, -1), keep="p99 < 1s")
