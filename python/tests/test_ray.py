"""Sweeps over Ray: real worker processes, killed in the middle, and the bytes of one process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from processes import PATIENCE, at_work, runs, until

import rung

ray: Any = pytest.importorskip("ray", reason="Ray is not installed")

from rung.cluster import on_ray  # noqa: E402
from rung.cluster.job import Job  # noqa: E402

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes under /proc")


@pytest.fixture(scope="module")
def local() -> Iterator[None]:
    """Two worker processes on loopback."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init(
        address="local",
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="ERROR",
        _node_ip_address="127.0.0.1",
    )
    yield
    ray.shutdown()


def test_a_worker_is_killed_and_the_bytes_are_those_of_one_process(
    shop: rung.Scenario, local: None
) -> None:
    vary = {"load.users": range(1, 41)}
    answers: list[bytes] = []
    thread = threading.Thread(
        target=lambda: answers.append(shop.sweep(vary, replications=30, ray=True, shards=8).json())
    )
    thread.start()
    _, program = until(at_work)[0]
    os.kill(program, signal.SIGKILL)
    until(lambda: not runs(program))
    worker, program = until(at_work)[-1]
    os.kill(worker, signal.SIGKILL)
    assert thread.is_alive()
    until(lambda: not runs(program))
    thread.join(PATIENCE)
    assert answers == [shop.sweep(vary, replications=30).json()]
    assert ray.is_initialized()


def test_a_sweep_that_is_given_up_leaves_nothing(shop: rung.Scenario, local: None) -> None:
    # Each shard would take far longer than the test waits.
    job = Job.of(shop, ["--vary=load.users=1..400", "--replications=5000"])
    answers = on_ray.OnRay(ray, 1).run(job, 4)
    next(answers)
    until(at_work)
    answers.close()
    until(lambda: not at_work())


def test_a_point_without_an_answer_is_told_as_by_one_process(
    shop: rung.Scenario, local: None
) -> None:
    with pytest.raises(rung.RungError, match=r"shop-async.*events"):
        shop.sweep({"load.users": [1, 2]}, max_events=10, ray=True)


ALONE = """
import os, sys, rung, ray
shop = rung.scenario(sys.argv[1])
try:
    answer = shop.sweep({"load.users": [1, 2, 3]}, replications=2, ray=True)
    print(answer == shop.sweep({"load.users": [1, 2, 3]}, replications=2))
except rung.RungError as error:
    print(error)
print(ray.is_initialized())
"""


@pytest.mark.parametrize(
    ("address", "said"), [(None, "True"), ("127.0.0.1:1", "no cluster of Ray can be used there")]
)
def test_without_a_cluster_one_is_started_and_ended(
    file: str, address: str | None, said: str
) -> None:
    named = {} if address is None else {"RAY_ADDRESS": address}
    done = subprocess.run(
        [sys.executable, "-c", ALONE, file],
        capture_output=True,
        timeout=PATIENCE,
        text=True,
        env={**os.environ, **named, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert said in done.stdout, done.stderr
    assert done.stdout.splitlines()[-1] == "False"
