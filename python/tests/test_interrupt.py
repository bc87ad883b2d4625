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

import rung

LONG = """
import sys, rung
print("ready", flush=True)
rung.scenario(sys.argv[1]).sweep({"load.users": range(100, 2000)}, replications=100)
"""

PATIENCE = 60
"""Seconds after which a test gives up waiting for what must happen."""


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task")
    return [
        int(child) for task in tasks.iterdir() for child in (task / "children").read_text().split()
    ]


def _sweeping(pid: int) -> int:
    """The child that computes the sweep, once there is one."""
    for _ in range(PATIENCE * 100):
        for child in _children(pid):
            try:
                program, *words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
            except FileNotFoundError:
                continue
            # Before it becomes the program, a child has the words of Python.
            if program.endswith(b"sim") and b"sweep" in words:
                return child
        time.sleep(0.01)
    raise AssertionError("there is no sweep")


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes under /proc")
def test_ctrl_c_ends_the_program_too(file: str) -> None:
    python = subprocess.Popen(
        [sys.executable, "-c", LONG, file],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(rung.__file__).parents[1])},
    )
    try:
        child = _sweeping(python.pid)
        # To Python alone: a notebook's kernel is interrupted so.
        python.send_signal(signal.SIGINT)
        _, talk = python.communicate(timeout=PATIENCE)
    finally:
        python.kill()
        python.wait()
    assert talk.decode().rstrip().endswith("KeyboardInterrupt")
    assert not _runs(child)


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
