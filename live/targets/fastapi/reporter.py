"""This worker's line to the parent: says that it serves, and what it has counted when asked."""

import json
import os
import socket
import threading
import time
from select import select
from typing import Any

from account import polled
from worker import Worker

PERIOD = 0.1
"""Seconds between two probes of the loop."""


class Reporter:
    """A thread that answers the parent and probes the loop from outside."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._born = time.monotonic_ns()
        self._lag: list[int] = []
        self._probed: int | None = None
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(worker.plan.report_to)

    def start(self) -> None:
        """Serves the parent from now on."""
        self._send({"ready": {"process": os.getpid()}})
        threading.Thread(target=self._listen, daemon=True, name="reporter").start()

    def _send(self, message: dict[str, Any]) -> None:
        self._socket.sendall(json.dumps(message).encode() + b"\n")

    def _listen(self) -> None:
        lines = self._socket.makefile("rb")
        while True:
            readable, _, _ = select([self._socket], [], [], PERIOD)
            if not readable:
                self._probe()
            elif lines.readline().strip() == b'"snapshot"':
                self._send({"snapshot": self._snapshot()})
            else:
                return

    def _probe(self) -> None:
        if self._probed is None:
            self._probed = time.monotonic_ns()
            self._worker.loop.call_soon_threadsafe(self._answer)

    def _answer(self) -> None:
        waited, period = time.monotonic_ns() - self._probed, int(PERIOD * 1e9)
        # Probes that were due meanwhile would have waited as well.
        self._lag.extend(range(waited, 0, -period))
        self._probed = None

    def _snapshot(self) -> dict[str, Any]:
        lag, self._lag = self._lag, []
        now = time.monotonic_ns()
        return {
            "process": os.getpid(),
            "born": self._born,
            "at": now,
            "cpu": time.process_time_ns(),
            "loop_idle": max(now - self._born - self._busy(), 0),
            "lag": [[nanos, 1] for nanos in lag],
            "stations": self._worker.stations.read(),
        }

    def _busy(self) -> int:
        """Nanoseconds that the loop spent on requests, waits inside them included, and that its
        thread computed besides."""
        clock = time.pthread_getcpuclockid(self._worker.loop_thread.ident)
        beside = max(time.clock_gettime_ns(clock) - polled.cpu, 0)
        since = polled.since
        turn = time.monotonic_ns() - since if since else 0
        return polled.wall + turn + beside
