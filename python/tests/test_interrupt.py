"""While a program works, Python goes on; and Ctrl-C ends both."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from processes import PATIENCE, runs, sweeping, until

import rung

LONG = """
import sys, rung
print("ready", flush=True)
rung.scenario(sys.argv[1]).sweep({"load.users": range(100, 2000)}, replications=100)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes under /proc")
def test_ctrl_c_ends_the_program_too(file: str) -> None:
    python = subprocess.Popen(
        [sys.executable, "-c", LONG, file],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(rung.__file__).parents[1])},
    )
    try:
        ((_, child),) = until(lambda: sweeping(python.pid))
        # To Python alone: a notebook's kernel is interrupted so.
        python.send_signal(signal.SIGINT)
        _, talk = python.communicate(timeout=PATIENCE)
    finally:
        python.kill()
        python.wait()
    assert talk.decode().rstrip().endswith("KeyboardInterrupt")
    assert not runs(child)


def test_other_threads_go_on(shop: rung.Scenario) -> None:
    done = threading.Event()
    counted = 0

    def count() -> None:
        nonlocal counted
        while not done.is_set():
            counted += 1
            time.sleep(0.001)

    other = threading.Thread(target=count)
    other.start()
    try:
        shop.predict(replications=50)
    finally:
        done.set()
        other.join()
    assert counted > 1
