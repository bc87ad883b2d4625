"""Sweeps over Dask: real worker processes, killed in the middle, and the bytes of one process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from processes import PATIENCE, at_work, runs, until

import rung

distributed = pytest.importorskip("distributed", reason="Dask is not installed")

from rung.cluster import on_dask  # noqa: E402
from rung.cluster.job import Job  # noqa: E402

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes under /proc")

Client = Any


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """Two worker processes on loopback."""
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client


def in_background(work: Callable[[], bytes]) -> Future[bytes]:
    """Begins the work."""
    return ThreadPoolExecutor(1).submit(work)


def test_a_worker_is_killed_and_the_bytes_are_those_of_one_process(
    shop: rung.Scenario, client: Client
) -> None:
    vary = {"load.users": range(1, 41)}
    answer = in_background(
        lambda: shop.sweep(vary, keep="p99 < 1s", replications=30, client=client, shards=8).json()
    )
    # A program alone, whose shard is tried again; then its worker, once that has told of it and has
    # taken another shard, which goes to the other worker.
    worker, program = until(at_work)[0]
    os.kill(program, signal.SIGKILL)
    until(lambda: not runs(program))
    program = until(lambda: dict(at_work()).get(worker))
    os.kill(worker, signal.SIGKILL)
    assert not answer.done()
    until(lambda: not runs(program))
    assert answer.result(PATIENCE) == shop.sweep(vary, keep="p99 < 1s", replications=30).json()
    assert worker not in client.run(os.getpid).values()


def test_a_shard_whose_workers_die_too_often_is_told(
    shop: rung.Scenario, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client.cluster.scheduler, "allowed_failures", 0)
    vary = {"load.users": range(1, 401)}
    answer = in_background(
        lambda: shop.sweep(vary, replications=5000, client=client, shards=2).json()
    )
    worker, _ = until(at_work)[0]
    os.kill(worker, signal.SIGKILL)
    with pytest.raises(
        rung.RungError, match=r"shard \d of 2: workers that computed it have died, 1"
    ):
        answer.result(PATIENCE)
    until(lambda: not at_work())


def test_an_address_is_enough(shop: rung.Scenario, client: Client) -> None:
    vary = {"load.users": "1..3", "service.workers": "1..2"}
    address = client.scheduler.address
    answer = shop.sweep(vary, replications=2, client=address, shards=4)
    assert answer.json() == shop.sweep(vary, replications=2).json()


def test_a_sweep_that_is_given_up_leaves_nothing(shop: rung.Scenario, client: Client) -> None:
    # Each shard would take far longer than the test waits.
    job = Job.of(shop, ["--vary=load.users=1..400", "--replications=5000"])
    cluster = on_dask.OnDask(client)
    assert cluster.processors() >= 1
    with closing(cluster.run(job, 4)):
        pass
    answers = cluster.run(job, 4)
    next(answers)
    until(at_work)
    answers.close()
    until(lambda: not at_work())
    until(lambda: not any(client.processing().values()))


def test_a_worker_with_another_build_is_named(
    shop: rung.Scenario, client: Client, tmp_path: Path
) -> None:
    other = tmp_path / "sim"
    other.write_text(
        f'#!/bin/sh\n{rung.programs.find("sim")} "$@" | sed \'s/"build":"[^"]*"/"build":"0123"/\'\n'
    )
    other.chmod(0o755)
    before = os.environ.get("RUNG_BIN")

    def use(folder: str | None) -> None:
        os.environ.pop("RUNG_BIN", None)
        os.environ.update({} if folder is None else {"RUNG_BIN": folder})

    try:
        client.run(use, str(tmp_path))
        with pytest.raises(rung.RungError, match=r"worker tcp://127.*: has the build 0123 of sim"):
            shop.sweep({"load.users": [1, 2]}, replications=2, client=client)
    finally:
        client.run(use, before)


def test_a_point_without_an_answer_is_told_as_by_one_process(
    shop: rung.Scenario, client: Client
) -> None:
    with pytest.raises(rung.RungError, match=r"shop-async.*events"):
        shop.sweep({"load.users": [1, 2]}, max_events=10, client=client)


def test_a_scheduler_that_does_not_answer(
    shop: rung.Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_dask, "CONNECT", "200ms")
    for address in ("tcp://127.0.0.1:1", "nonsense://x", "127.0.0.1"):
        with pytest.raises(rung.RungError, match="no scheduler of Dask answers there"):
            shop.sweep({"load.users": [1, 2]}, client=address)


def test_a_scheduler_that_ends(shop: rung.Scenario, tmp_path: Path) -> None:
    file = tmp_path / "scheduler.json"
    scheduler = subprocess.Popen(
        [
            *(sys.executable, "-m", "distributed.cli.dask_scheduler"),
            *("--host", "127.0.0.1", "--port", "0", "--no-dashboard"),
            *("--scheduler-file", str(file)),
        ],
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: file.exists() and file.stat().st_size)
        with distributed.Client(scheduler_file=str(file), set_as_default=False) as client:
            answers = on_dask.OnDask(client).run(Job.of(shop, ["--vary=load.users=1,2"]), 2)
            # There is no worker, and so it waits.
            assert next(answers) is None
            scheduler.kill()
            with pytest.raises(rung.RungError, match="the scheduler of Dask does not answer"):
                list(answers)
            with pytest.raises(rung.RungError, match="the scheduler of Dask does not answer"):
                shop.sweep({"load.users": [1, 2]}, client=client)
    finally:
        scheduler.kill()
        scheduler.wait()


def test_another_version_of_dask_is_named(
    shop: rung.Scenario, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = client.get_versions()
    versions["scheduler"]["packages"]["distributed"] = "2020.1.0"
    monkeypatch.setattr(client, "get_versions", lambda: versions)
    with pytest.raises(
        rung.RungError, match=r"the scheduler: has distributed 2020\.1\.0, and this"
    ):
        shop.sweep({"load.users": [1, 2]}, client=client)
